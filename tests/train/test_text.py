"""Every way of reading, learning and answering, from documents to the model that is served."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch

from clow_nb.core.errors import DataError, ParameterError
from clow_nb.train.predictor import Predictor, load_predictor, save_model
from clow_nb.train.solution import Solution, solution
from clow_nb.train.trainer import fit

SMALL = {"epochs": 12, "patience": 12, "embedding": 16, "channels": 8, "batch_size": 16, "lr": 0.01, "min_freq": 1}
ASKED = [{"text": text} for text in ("알람 꺼줘 3", "what is ai 1", "배고파 밥 줘", "", "🎉", "order " * 80)]


def _trained(frame: pl.DataFrame, folder: Path, **params: object) -> tuple[Solution, Predictor]:
    """A training, its model written and loaded again."""
    task = solution("nlp-intent", SMALL | params)
    splits = task.prepare(frame)
    model, progress = fit(task, splits["train"], splits["valid"])
    assert set(progress.metrics) == {"train_loss", *(f"valid_{name}" for name in task.measures(frame["label"]))}
    loaded = load_predictor(save_model(folder / "model", task, model, progress.metrics))
    with torch.inference_mode():
        said = torch.cat([task.predict(model, batch) for batch in task.encode(ASKED).batches(9)])
    expected = task.decode(said, probabilities=True)
    for one, other in zip(loaded.predict(ASKED, probabilities=True), expected, strict=True):
        assert one.keys() == other.keys() and one["confidence"] == pytest.approx(other["confidence"], abs=1e-6)
    for document, together in zip(ASKED, expected, strict=True):
        alone = loaded.predict([document], probabilities=True)[0]
        assert alone["probabilities"] == pytest.approx(together["probabilities"], abs=1e-5)
    return task, loaded


@pytest.mark.parametrize("tokenizer", ["word", "char", "bpe"])
@pytest.mark.parametrize("model", ["textcnn", "transformer"])
def test_each_network_learns_with_each_tokenizer(frame: pl.DataFrame, tmp_path: Path, model: str, tokenizer: str) -> None:
    task, loaded = _trained(frame, tmp_path, model=model, tokenizer=tokenizer, wide=False)
    assert loaded.config["metrics"]["valid_accuracy"] > 0.9 and list(task.encode(ASKED).columns) == ["tokens"]


@pytest.mark.parametrize(("model", "accuracy"), [("baseline", 1.0), ("most-frequent", 1 / 3)])
def test_a_baseline_is_a_model_like_any_other(frame: pl.DataFrame, tmp_path: Path, model: str, accuracy: float) -> None:
    _, loaded = _trained(frame, tmp_path, model=model)
    assert loaded.config["metrics"]["valid_accuracy"] == pytest.approx(accuracy, abs=0.01)


def test_several_labels(frame: pl.DataFrame, tmp_path: Path) -> None:
    begun = pl.col("text").str.contains("맞춰|set")
    lists = pl.when(begun).then(pl.concat_list("label", pl.lit("begin"))).otherwise(pl.concat_list("label"))
    lists = pl.when(pl.col("label") == "food").then(pl.lit([], pl.List(pl.String))).otherwise(lists)
    _, loaded = _trained(frame.with_columns(label=lists), tmp_path, epochs=60, patience=60, class_weights=True, label_smoothing=0.0)
    answers = loaded.predict([{"text": "알람 맞춰줘 7"}, {"text": "what is ai 3"}, {"text": "배고파 밥 줘 1"}])
    assert [set(answer["labels"]) for answer in answers] == [{"alarm", "begin"}, {"ai"}, set()]
    assert all("label" not in answer and 0.5 <= answer["confidence"] <= 1 for answer in answers)
    assert loaded.signature["outputs"] == {"labels": "array", "confidence": "number"}
    assert set(loaded.config["metrics"]) >= {"valid_accuracy", "valid_f1_macro", "valid_f1_micro", "valid_loss"}


def test_what_is_out_of_scope_is_said_to_be(frame: pl.DataFrame, tmp_path: Path) -> None:
    strange = [{"_id": f"o{n}", "text": f"zzz qqq {n}", "label": "oos", "split": split} for n, split in enumerate(["train", "valid", "valid"])]
    whole = pl.concat([frame, pl.DataFrame(strange)])
    task, loaded = _trained(whole, tmp_path, oos="oos")
    assert loaded.labels == ["ai", "alarm", "food"] and 1 / 3 < task.limit < 1
    assert loaded.config["metrics"]["valid_oos_roc_auc"] > 0.9
    assert [a["label"] for a in loaded.predict([{"text": "알람 꺼줘 3"}, {"text": "xxx yyy vvv"}])] == ["alarm", "oos"]
    with pytest.raises(DataError, match="has 0 documents out of scope and 36 in it"):
        _trained(frame, tmp_path, oos="oos", epochs=1)


def test_without_a_name_nothing_is_the_answer(frame: pl.DataFrame, tmp_path: Path) -> None:
    _, loaded = _trained(frame, tmp_path, oos_threshold=1.0, epochs=1, wide=False)
    assert [answer["label"] for answer in loaded.predict(ASKED)] == [None] * len(ASKED)


def test_rare_classes_weigh_more(frame: pl.DataFrame) -> None:
    rare = frame.filter((pl.col("label") != "food") | pl.col("_id").cast(pl.Int64).is_in([8, 9, 20, 116]))
    task = solution("nlp-intent", SMALL | {"class_weights": True, "wide": False, "label_smoothing": 0.0, "dropout": 0.0})
    splits = task.prepare(rare)
    model, batch = task.model(), splits["train"].take(torch.arange(len(splits["train"])))
    weighted = task.loss(model, batch)
    plain = torch.nn.functional.cross_entropy(model(batch)[0], batch["target"], reduction="none")
    heavy = task.weights[batch["target"]]
    assert task.weights[2] > 5 * task.weights[0]
    torch.testing.assert_close(weighted, (plain * heavy).sum() / heavy.sum())


def test_a_loss_that_is_no_number_ends_the_training(frame: pl.DataFrame) -> None:
    task = solution("nlp-intent", SMALL | {"wide_lr": 100.0, "lr": 1.0, "clip": 1e38, "auxiliary": 1e38})
    splits = task.prepare(frame)
    with pytest.raises(ParameterError, match="The loss is no longer a number in epoch"):
        fit(task, splits["train"], splits["valid"])


def test_a_tampered_tokenizer_is_refused(frame: pl.DataFrame, tmp_path: Path) -> None:
    _trained(frame, tmp_path, epochs=1)
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["state"]["encoder"]["reader"]["tokenizer"] = "{}"
    path.write_text(json.dumps(config), "utf-8")
    with pytest.raises(DataError, match="tokenizer of the model can't be read"):
        load_predictor(tmp_path / "model")
