"""From documents to the table that is judged, whatever the documents look like."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError
from clow_nb.core.refs import Ref
from clow_nb.data.dataset import Datasets
from clow_nb.evals.metrics import measure
from clow_nb.evals.predictions import predict, read_predictions, table_of
from clow_nb.evals.samples import Sample, sample

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.binary(max_size=3) | st.datetimes() | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "actual", "predicted", "correct"]), values), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)
def test_any_documents_become_a_table(documents: list[dict[str, Any]]) -> None:
    told = [{"_id": str(i), "topic": "x", **document} for i, document in enumerate(documents)]
    table = table_of(Sample(Ref("dataset", "any", 1), None, "topic", told, 0), told, [{"label": "x"}] * len(told))
    assert table.height == len(told) and table["_id"].to_list() == [document["_id"] for document in told]
    assert table["correct"].all() and measure(table)["accuracy"] == 1.0
    assert set(table.columns) >= {"actual", "predicted", "correct"}


class Numbers:
    """A model whose labels are numbers, as JSON objects can't have for keys."""

    def predict(self, documents: list[dict[str, Any]], probabilities: bool = False) -> list[dict[str, Any]]:
        assert probabilities and not any("stars" in document for document in documents)
        return [{"label": 5, "confidence": 0.75, "probabilities": {"5": 0.75, "1": 0.25}} for _ in documents]


def test_labels_that_are_numbers_are_compared_as_text(ctx: Context) -> None:
    ds = Datasets(ctx).create("reviews", [{"text": "good", "stars": 5}, {"text": "bad", "stars": 1}], label="stars")
    table = predict(Numbers(), sample(ds, None))
    assert table["actual"].to_list() == ["5", "1"] and table["correct"].to_list() == [True, False]
    assert measure(table)["top_3"] == 1.0
    assert table.schema["probabilities"] == pl.Struct({"5": pl.Float32, "1": pl.Float32})


def test_progress_is_told_and_ends_at_one(topics: Any) -> None:
    class Constant:
        def predict(self, documents: list[Any], probabilities: bool = False) -> list[dict[str, Any]]:
            return [{"label": "날씨", "confidence": 1.0}] * len(documents)

    heard: list[tuple[float, str]] = []
    table = predict(Constant(), sample(topics, "test"), lambda share, words: heard.append((share, words)), chunk=5)
    assert [share for share, _ in heard] == [5 / 12, 10 / 12, 1.0] and heard[-1][1] == "12 of 12 documents"
    assert measure(table)["accuracy"] == 0.5 and "probabilities" not in table.columns


def test_documents_may_have_keys_named_like_ours(ctx: Context) -> None:
    rows = [{"topic": "a", "predicted": "a", "confidence": "high", "correct": 0}]
    table, _ = read_predictions(sample(Datasets(ctx).create("odd", rows, label="topic"), None), "predicted")
    assert table.row(0, named=True) == {
        "_id": table["_id"][0], "document_confidence": "high", "document_correct": 0,
        "actual": "a", "predicted": "a", "correct": True,
    }


def test_predictions_in_documents_may_be_whole_predictions(ctx: Context) -> None:
    sure = {"label": "a", "confidence": 0.75, "probabilities": {"a": 0.75, "b": 0.25}}
    rows = [{"topic": "a", "p": sure}, {"topic": "b", "p": sure}, {"topic": "b", "p": {"confidence": 1.0}}, {"topic": "b", "p": None}]
    table, rest = read_predictions(sample(Datasets(ctx).create("rich", rows, label="topic"), None), "p")
    assert (table.height, rest.left_out) == (2, 2)
    assert measure(table)["log_loss"] == pytest.approx(0.8369882, abs=1e-6)


def test_a_model_that_gives_no_probabilities_of_its_kind_is_told_so(topics: Any) -> None:
    class Broken:
        def predict(self, documents: list[Any], probabilities: bool = False) -> list[dict[str, Any]]:
            return [{"label": "날씨", "confidence": 0.5, "probabilities": {"날씨": float("nan")}}] * len(documents)

    with pytest.raises(DataError, match="not between 0 and 1"):
        measure(predict(Broken(), sample(topics, "test")))
