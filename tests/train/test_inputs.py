"""What can be wrong with the documents of a training is said before it begins."""

import polars as pl
import pytest

from clow_nb.core.errors import DataError
from clow_nb.train.inputs import label_key, text_key, with_splits
from clow_nb.train.solution import solution


def test_the_longest_and_most_varied_text_is_the_text(frame: pl.DataFrame) -> None:
    wide = frame.with_columns(channel=pl.lit("a very long but always equal name of a channel"), n=pl.lit(3))
    assert text_key(wide, None, "label") == "text"
    assert text_key(wide, "channel", "label") == "channel"


def test_usual_names_of_labels_are_found() -> None:
    assert label_key(pl.DataFrame({"a": [1], "Category": ["x"]}), None) == "Category"
    assert label_key(pl.DataFrame({"a": [1], "분류": ["x"]}), None) == "분류"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda f: f.with_columns(label=pl.lit("one")), "has 1 class"),
        (lambda f: f.with_columns(label=pl.lit(None, pl.String)), "empty in all 120 documents"),
        (lambda f: f.with_columns(text=pl.lit("  ")), "empty in all 120 documents"),
        (lambda f: f.with_columns(text=pl.when(pl.col("_id") == "7").then(pl.lit("")).otherwise("text")), "the first being 7"),
        (lambda f: f.drop("label"), "Which key is the label"),
        (lambda f: f.select("_id", "label", "split", n=1), "No key holds text"),
        (lambda f: f.head(0), "empty in all 0 documents"),
    ],
)
def test_documents_that_cannot_be_learned_from(frame: pl.DataFrame, change: object, word: str) -> None:
    with pytest.raises(DataError, match=word):
        solution("nlp-intent").prepare(change(frame))


def test_skipping_is_a_choice(frame: pl.DataFrame) -> None:
    holes = frame.with_columns(label=pl.when(pl.col("_id") == "7").then(None).otherwise("label"))
    with pytest.raises(DataError, match="empty in 1 of 120"):
        solution("nlp-intent").prepare(holes)
    assert len(solution("nlp-intent", {"incomplete": "skip"}).prepare(holes)["train"]) == 83


def test_a_label_that_training_never_saw_is_named(frame: pl.DataFrame) -> None:
    strange = pl.when((pl.col("split") == "valid") & (pl.col("label") == "ai")).then(pl.lit("new")).otherwise("label")
    with pytest.raises(DataError, match=r"The label 'new' is in the split valid \(12 documents\) and not in the split train"):
        solution("nlp-intent").prepare(frame.with_columns(label=strange))
    splits = solution("nlp-intent", {"incomplete": "skip"}).prepare(frame.with_columns(label=strange))
    assert len(splits["valid"]) == 24


@pytest.mark.parametrize(("dtype", "kind"), [(pl.Int64, "integer"), (pl.Boolean, "boolean"), (pl.Float64, "number")])
def test_labels_keep_their_type(frame: pl.DataFrame, dtype: type, kind: str) -> None:
    task = solution("nlp-intent")
    splits = task.prepare(frame.with_columns(label=(pl.col("label") == "ai").cast(dtype)))
    import torch

    answer = task.decode(task.predict(task.model().eval(), splits["valid"].take(torch.tensor([0]))))[0]
    assert task.signature["outputs"]["label"] == kind and answer["label"] in task.labels.names
    assert type(answer["label"]) is {"integer": int, "boolean": bool, "number": float}[kind]


def test_a_given_split_is_never_changed(frame: pl.DataFrame) -> None:
    assert with_splits(frame, "label").equals(frame)
    custom = frame.with_columns(split=pl.when(pl.col("_id") == "3").then(pl.lit("held")).otherwise("split"))
    assert with_splits(custom, "label").equals(custom)
