"""Statistics against what Python counts, one value at a time."""

import math
import statistics as python
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.data.statistics import statistics

ROWS = {"_id": ["1", "2", "3", "4"]}


def _of(frame: pl.LazyFrame, key: str, **options: Any) -> dict[str, Any]:
    [row] = statistics(frame, **options).filter(pl.col("key") == key).to_dicts()
    return row


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.floats(-1e6, 1e6) | st.just(0.0), min_size=1), st.lists(st.integers(-5, 5) | st.sampled_from(["free", "", True]), max_size=4))
def test_numbers_are_exact_with_odd_ones_among_them(column: list[float | None], odd: list[Any]) -> None:
    row = _of(pl.LazyFrame({"a": pl.Series(column, dtype=pl.Float64)}), "a", documents=[{"a": value} for value in odd])
    numbers = [v for v in [*column, *odd] if v is not None and type(v) in (int, float)]
    present = [v for v in [*column, *odd] if v is not None]
    assert row["count"] == len(present) and row["missing"] == len(column) + len(odd) - len(present)
    assert row["zeros"] == sum(v == 0 for v in numbers)
    assert row["distinct"] == len({(isinstance(v, str | bool), v) for v in present})
    if numbers:
        assert row["min"] == min(numbers) and row["max"] == max(numbers)
        assert math.isclose(row["mean"], python.fmean(numbers), abs_tol=1e-6)
    if len(numbers) > 1:
        assert math.isclose(row["std"], python.stdev(numbers), rel_tol=1e-6, abs_tol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.sampled_from(["", "a", "b", "가나다", "긴 글"]), min_size=1, max_size=40))
def test_text_has_lengths_and_top_values(texts: list[str | None]) -> None:
    row = _of(pl.LazyFrame({"t": pl.Series(texts, dtype=pl.String)}), "t")
    there = [text for text in texts if text is not None]
    assert (row["count"], row["zeros"], row["distinct"]) == (len(there), there.count(""), len(set(there)))
    assert {entry["value"]: entry["count"] for entry in row["top"]} == Counter(there)
    assert [entry["count"] for entry in row["top"]] == sorted(Counter(there).values(), reverse=True)
    if there:
        assert (row["min"], row["max"]) == (min(map(len, there)), max(map(len, there)))


def test_each_category_and_type() -> None:
    frame = pl.LazyFrame(
        {
            **ROWS, "_pos": [0, 1, 2, 3], "int": [1, 2, 3, None], "flag": [True, False, None, True], "bytes": [b"a", b"b", b"a", None],
            "day": [date(2026, 1, 1), date(2025, 1, 1), None, None], "time": [datetime(2026, 1, 1, 9), None, None, None],
            "list": [["a"], [], ["a", "b"], None], "object": [{"x": 1}, {"x": 1}, {"x": None}, None],
            "text": ["one", "two", "three", "four"], "label": ["x", "x", "y", "y"], "nothing": pl.Series([None] * 4, dtype=pl.String),
        }
    )  # fmt: skip
    table = {row["key"]: row for row in statistics(frame).to_dicts()}
    assert {key: (row["type"], row["category"], row["distinct"]) for key, row in table.items()} == {
        "int": ("int", "number", 3), "flag": ("bool", "label", 2), "bytes": ("bytes", "object", 2),
        "day": ("date", "datetime", 2), "time": ("datetime", "datetime", 1), "list": ("list", "list", 3),
        "object": ("dict", "object", 2), "text": ("str", "text", 4), "label": ("str", "label", 2), "nothing": ("", "empty", 0),
    }  # fmt: skip
    assert (table["day"]["earliest"], table["day"]["latest"]) == (datetime(2025, 1, 1), datetime(2026, 1, 1))
    assert (table["list"]["zeros"], table["list"]["max"]) == (1, 2)
    assert table["object"]["top"][0] == {"value": '{"x": 1}', "count": 2}
    assert _of(frame, "text", label="text")["category"] == "label"


def test_times_of_several_kinds_are_counted_together() -> None:
    frame = pl.LazyFrame({"t": [datetime(2026, 1, 1, tzinfo=UTC), None]})
    row = _of(frame, "t", documents=[{"t": datetime(2026, 6, 1)}, {"t": date(2025, 1, 1)}])
    assert (row["count"], row["earliest"], row["latest"]) == (3, datetime(2025, 1, 1), datetime(2026, 6, 1))
    row = _of(pl.LazyFrame({"t": [date(2026, 1, 1)]}), "t", documents=[{"t": datetime(2026, 1, 1, 12)}])
    assert (row["type"], row["distinct"], row["latest"]) == ("date, datetime", 2, datetime(2026, 1, 1, 12))


def test_keys_without_a_column() -> None:
    documents: list[dict[str, Any]] = [{"big": 2**70, "mixed": "a"}, {"big": 10**400, "mixed": [1]}, {"mixed": [1], "null": None, "\ud800": "\ud800"}]
    table = {row["key"]: row for row in statistics(pl.LazyFrame(ROWS), documents).to_dicts()}
    assert (table["big"]["type"], table["big"]["count"], table["big"]["missing"], table["big"]["max"]) == ("int", 2, 5, float("inf"))
    assert (table["mixed"]["type"], table["mixed"]["category"], table["mixed"]["distinct"]) == ("list, str", "list", 2)
    assert table["mixed"]["top"][0] == {"value": "[1]", "count": 2}
    assert (table["null"]["category"], table["null"]["count"], table["null"]["missing"]) == ("empty", 0, 7)


def test_columns_of_json_text() -> None:
    frame = pl.LazyFrame({"j": ['[1,"x"]', '{"$datetime":"2026-01-01T00:00:00"}', None, "[]"]})
    row = _of(frame, "j", encoded=["j"])
    assert (row["type"], row["category"], row["count"], row["missing"], row["max"]) == ("list, datetime", "list", 3, 1, 2)


def test_nan_and_infinity() -> None:
    row = _of(pl.LazyFrame({"a": [1.0, float("nan"), 3.0, None]}), "a")
    assert (row["count"], row["missing"], row["mean"], row["min"], row["max"], row["distinct"]) == (3, 1, 2.0, 1.0, 3.0, 3)


def test_ties_are_broken_by_the_first_to_come() -> None:
    frame = pl.LazyFrame({"t": [f"value {number}" for number in range(1000)]})
    assert [entry["value"] for entry in _of(frame, "t")["top"]] == [f"value {number}" for number in range(10)]


@pytest.mark.parametrize("frame", [pl.LazyFrame({"_id": []}), pl.LazyFrame({"a": pl.Series([], dtype=pl.Int64)})])
def test_nothing_at_all(frame: pl.LazyFrame) -> None:
    table = statistics(frame)
    assert table["count"].to_list() == [0] * len(table)
    assert table.columns[:6] == ["key", "type", "category", "count", "missing", "zeros"]


def test_odd_keys() -> None:
    names = ["", "a.b", "$x", "한글 키", "value", "measure", "len", "distinct", "*", "^a.*$"]
    table = statistics(pl.LazyFrame({name: [1, 2] for name in names}))
    assert table["key"].to_list() == names and table["max"].to_list() == [2.0] * len(names)


def test_odd_documents_leave_whole_numbers_and_days_as_they_are() -> None:
    frame = pl.LazyFrame({"n": [1, 1], "d": [date(2026, 1, 1)] * 2})
    documents = [{"n": 5, "d": date(2026, 2, 2), "x": 3, "none": None}]
    table = {row["key"]: row for row in statistics(frame, documents).to_dicts()}
    assert [entry["value"] for entry in table["n"]["top"]] == ["1", "5"]
    assert [entry["value"] for entry in table["d"]["top"]] == ["2026-01-01", "2026-02-02"]
    assert table["x"]["top"] == [{"value": "3", "count": 1}]
    assert _of(frame, "n", documents=[{"n": 2.5}])["top"][0] == {"value": "1.0", "count": 2}
