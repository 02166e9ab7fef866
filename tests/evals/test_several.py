"""Documents with several labels, or with an answer that is none: judged as scikit-learn judges them, shown, and kept."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.evals.gates import Gate
from clow_nb.evals.metrics import classification_metrics, confusion, per_class
from clow_nb.evals.scoring import score_models
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

TAGS = {"비": ["날씨"], "알람": ["시각"], "아침 비 알람": ["날씨", "시각"], "음악": []}
labels = st.lists(st.sampled_from("abcd"), max_size=4, unique=True).map(sorted)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=12).filter(lambda rows: any(map(any, rows))))
def test_scores_are_those_of_scikit_learn(rows: list[tuple[list[str], list[str]]]) -> None:
    from sklearn.metrics import f1_score, recall_score
    from sklearn.preprocessing import MultiLabelBinarizer

    actual, predicted = map(list, zip(*rows, strict=True))
    marks = MultiLabelBinarizer().fit(actual + predicted)
    truth, guess = (np.hstack([marks.transform(rows), np.zeros((len(rows), 1), int)]) for rows in (actual, predicted))
    known = {"labels": range(len(marks.classes_)), "zero_division": 0}
    found = classification_metrics(actual, predicted)
    for average in ("macro", "micro", "weighted"):
        assert found[f"f1_{average}"] == pytest.approx(f1_score(truth, guess, average=average, **known))
        assert found[f"recall_{average}"] == pytest.approx(recall_score(truth, guess, average=average, **known))
    assert found["hamming_loss"] == pytest.approx((truth != guess).sum() / (len(rows) * len(marks.classes_)))
    assert found["accuracy"] == np.mean([a == b for a, b in rows])
    table = per_class(actual, predicted)
    assert table["label"].to_list() == marks.classes_.tolist() and table["support"].to_list() == truth.sum(0).tolist()[:-1]
    cells = confusion(actual, predicted)
    assert cells["count"].sum() == int((truth | guess).sum())
    assert cells.filter(pl.col("actual") == pl.col("predicted"))["count"].sum() == int((truth & guess).sum())


def test_a_model_of_several_labels_is_judged_shown_and_gated(ctx: Context, tmp_path: Path) -> None:
    ws = Workspace(ctx.home)
    rows = [{"text": f"{text} {n}", "tags": tags, "split": "train" if n < 12 else "valid" if n < 16 else "test"} for n in range(24) for text, tags in TAGS.items()]
    ds = ws.datasets.create("tagged", rows, label="tags")
    task = solution("nlp-intent", {"tokenizer": "char", "model": "baseline", "label": "tags"})
    splits = task.prepare(ds.scan().sort("_pos").collect())
    model, progress = fit(task, splits["train"], splits["valid"])
    made = register(ctx, "tagger", save_model(tmp_path / "m", task, model, progress.metrics), progress.metrics)
    evaluation = ws.evaluations.create("e-tags", model="tagger@1", dataset="tagged")
    metrics = evaluation.evaluate().metrics
    assert metrics["documents"] == 32 and metrics["f1_macro"] > 0.9 and metrics["f1_micro"] > 0.9
    table = evaluation.predictions
    assert table.schema["actual"] == table.schema["predicted"] == pl.List(pl.String)
    assert table["correct"].mean() == metrics["accuracy"] and [] in table["actual"].to_list()
    assert evaluation.per_class["label"].to_list() == ["날씨", "시각"]
    assert "error" not in {card.kind for card in evaluation.cards()}
    assert evaluation.report(tmp_path / "report.html").stat().st_size > 1000
    scores = score_models(ctx, [str(made.ref)], str(ds.ref))
    assert Gate.parse("f1_micro > 0.9 and f1_macro > 0.9").check(scores[str(made.ref)], None).passed


def test_an_answer_that_is_none_is_wrong_and_no_class(ctx: Context) -> None:
    ws = Workspace(ctx.home)
    rows = [{"topic": "a", "p": {"label": "a"}}, {"topic": "b", "p": {"label": None}}, {"topic": "None", "p": "None"}, {"topic": "b", "p": None}]
    ws.datasets.create("asked", rows, label="topic")
    evaluation = ws.evaluations.create("e-none", predictions="p", dataset="asked")
    metrics = evaluation.evaluate().metrics
    assert evaluation.predictions["predicted"].to_list() == ["a", None, "None"]
    assert (metrics["documents"], metrics["accuracy"], metrics["f1_macro"]) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert evaluation.confusion.rows() == [("None", "None", 1), ("a", "a", 1), ("b", None, 1)]
    assert "error" not in {card.kind for card in evaluation.cards()}
