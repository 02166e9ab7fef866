"""Tables of any keys: what is missing, unknown or of the wrong type when a model is asked; numbers and classes; both learners."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from clow_nb import Workspace
from clow_nb.core.errors import DataError
from clow_nb.train.inputs import with_splits
from clow_nb.train.predictor import load_predictor, save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit, score


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def days(count: int = 300) -> pl.DataFrame:
    """Warm in summer, warmer in the south; one key says nothing, one is a sentence."""
    first = date(2024, 1, 1)
    rows = [
        {
            "_id": str(number),
            "day": first + timedelta(days=number),
            "city": ("서울", "부산")[number % 2],
            "wind": None if number % 11 == 0 else number % 5,
            "note": f"측정 {number}",
            "warm": abs(6 - (first + timedelta(days=number)).month) * -5.0 + 3.0 * (number % 2) + 30,
        }
        for number in range(count)
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("learner", ["trees", "network"])
def test_a_number_is_learned_kept_and_asked_for(learner: str, tmp_path: Path) -> None:
    task = solution("tabular", {"learner": learner, "label": "warm", "epochs": 40})
    splits = task.prepare(task.split(days(), "warm"))
    assert task.signature["inputs"] == {"day": "datetime?", "city": "any?", "wind": "number?"}
    model, progress = fit(task, splits["train"], splits["valid"])
    metrics, said = score(task, model, splits["test"])
    assert metrics["r2"] > 0.9 and progress.metrics["valid_mae"] < 5
    predictor = load_predictor(save_model(tmp_path / "m", task, model, progress.metrics))
    documents = [{"day": date(2024, 7, 1), "city": "부산"}, {"day": "2024-01-01T00:00:00", "city": "목성", "wind": None}, {}]
    warm, cold, unknown = (answer["value"] for answer in predictor.predict(documents))
    assert warm > cold + 10 and isinstance(unknown, float)
    assert predictor.predict(predictor.examples) and said.shape == (len(splits["test"]), 1)


@pytest.mark.parametrize("learner", ["trees", "network"])
def test_a_class_may_be_any_value(learner: str) -> None:
    frame = days().with_columns(label=pl.col("warm") > 20).drop("warm")
    task = solution("tabular", {"learner": learner, "epochs": 30})
    splits = task.prepare(task.split(frame, "label"))
    model, _ = fit(task, splits["train"], splits["valid"])
    found = score(task, model, splits["test"])[0]
    assert found["f1_macro"] > 0.9 and set(found) == set(task.measures(frame["label"]))
    answers = task.decode(task.predict(model, task.encode([{"day": "2024-06-20", "city": "부산"}]).take(torch.arange(1))), True)
    assert answers[0]["label"] is True and set(answers[0]["probabilities"]) == {"True", "False"}


def test_the_same_seed_gives_the_same_trees_and_weights() -> None:
    for learner in ("trees", "network"):
        kept = []
        for _ in range(2):
            task = solution("tabular", {"learner": learner, "label": "warm", "epochs": 3})
            splits = task.prepare(with_splits(days(), None))
            kept.append(fit(task, splits["train"], splits["valid"]))
        assert kept[0][1].history == kept[1][1].history
        assert all(torch.equal(a, b) for a, b in zip(*(model.state_dict().values() for model, _ in kept), strict=True))


def test_a_class_that_is_not_in_train_is_said_or_left_out() -> None:
    frame = days().with_columns(label=pl.when(pl.col("_id") == "299").then(pl.lit("odd")).otherwise(pl.col("city"))).drop("city")
    frame = frame.with_columns(split=pl.when(pl.col("_id").cast(pl.Int64) < 250).then(pl.lit("train")).otherwise(pl.lit("valid")))
    with pytest.raises(DataError, match="The label 'odd' is in the split valid"):
        solution("tabular").prepare(frame, "label")
    splits = solution("tabular", {"incomplete": "skip"}).prepare(frame, "label")
    assert (len(splits["train"]), len(splits["valid"])) == (250, 49)


@pytest.mark.parametrize("learner", ["trees", "network"])
def test_rare_classes_weigh_more_where_that_is_wanted(learner: str) -> None:
    frame = days(600).with_columns(label=(pl.col("_id").cast(pl.Int64) % 12 == 0), day=pl.lit(1), wind=pl.lit(1)).drop("warm", "note")
    found = []
    for weighed in (False, True):
        task = solution("tabular", {"learner": learner, "class_weights": weighed, "epochs": 3, "keys": ("city",)})
        splits = task.prepare(with_splits(frame, "label"), "label")
        found.append(score(task, fit(task, splits["train"], splits["valid"])[0], splits["valid"])[1][:, 1].mean())
    assert found[1] > found[0] + 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "note", "task": "number"}, "no numbers. Train with task='classes'"),
        ({"label": "warm", "keys": ("note",)}, "'note' holds String"),
        ({"label": "warmth"}, "No document has the label key 'warmth'"),
        ({"label": "wind"}, "is empty in 28 of 300 documents"),
    ],
)
def test_what_can_not_be_learned_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        task = solution("tabular", change)
        task.prepare(task.split(days().with_columns(split=pl.lit("train"))))


def test_missing_labels_can_be_left_out() -> None:
    task = solution("tabular", {"label": "wind", "incomplete": "skip", "epochs": 2})
    assert len(task.prepare(days().with_columns(split=pl.lit("train")))["train"]) == 272


@pytest.mark.slow
def test_a_training_of_a_table_registers_a_model(tmp_path: Path) -> None:
    ws = Workspace(tmp_path)
    documents = [{**row, "seen": datetime(2026, 1, 1)} for row in days(120).drop("_id").to_dicts()]
    ws.datasets.create("days", documents, label="warm")
    tr = ws.trainings.create("t-days", dataset="days", solution="tabular", params={"epochs": 5})
    run = tr.run().wait()
    assert run.status == "SUCCEEDED", run.logs()
    assert set(tr.model.metrics) >= {"valid_r2", "valid_mae"}
    assert isinstance(tr.model.predict({"city": "서울"})["value"], float)
