"""Statistics against what Python counts, one value at a time."""

import math
import statistics as python
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
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
    assert _of(frame, "n", documents=[{"n": 2.5}])["top"] == [{"value": "1", "count": 2}, {"value": "2.5", "count": 1}]


def _numbers(values: list[Any]) -> list[float]:
    return [float(v) for v in values if v is not None and type(v) in (int, float)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.integers(-50, 50) | st.integers(-(2**62), 2**62)), st.lists(st.integers(-5, 5) | st.floats(-9, 9), max_size=4))
def test_quantiles_and_histogram_count_every_number(column: list[int | None], odd: list[Any]) -> None:
    row = _of(pl.LazyFrame({"a": pl.Series(column, dtype=pl.Int64)}), "a", documents=[{"a": value} for value in odd])
    numbers = _numbers([*column, *odd])
    if not numbers:
        assert row["median"] is None and row["histogram"] is None
        return
    expected = np.quantile(numbers, [0.25, 0.5, 0.75])
    assert np.allclose([row["q25"], row["median"], row["q75"]], expected, rtol=1e-9)
    bars = row["histogram"]
    assert len(bars) <= 20 and sum(bar["count"] for bar in bars) == len(numbers)
    assert bars[0]["start"] == min(numbers) and bars[-1]["end"] >= max(numbers)
    for number, bar in enumerate(bars):
        end = bar["end"] if number < len(bars) - 1 else math.inf
        inside = sum(bar["start"] <= value < end for value in numbers)
        assert abs(inside - bar["count"]) <= (max(map(abs, numbers)) > 2**52) * len(numbers)


def test_bins_of_lengths_are_whole_and_those_of_times_are_seconds() -> None:
    frame = pl.LazyFrame({"t": ["a" * (number % 45) for number in range(100)], "d": [datetime(2026, 1, 1 + number % 28) for number in range(100)]})
    bars = _of(frame, "t")["histogram"]
    assert [bars[0]["start"], bars[0]["end"], bars[-1]["end"]] == [0, 3, 45]
    bars = _of(frame, "d")["histogram"]
    assert bars[0]["start"] == datetime(2026, 1, 1, tzinfo=UTC).timestamp() and bars[-1]["end"] == datetime(2026, 1, 28, tzinfo=UTC).timestamp()
    assert sum(bar["count"] for bar in bars) == 100


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [5e-324, 0.0], [float("inf"), 1.0, 2.0], [float("nan")], [2.5], [1e16, 1e16 + 2]])
def test_histograms_of_numbers_that_are_far_apart_or_hardly(values: list[float]) -> None:
    bars = _of(pl.LazyFrame({"a": values}), "a")["histogram"]
    finite = [value for value in values if math.isfinite(value)]
    assert sum(bar["count"] for bar in bars or []) == len(finite) and (bars is None) == (not finite)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z", None]), st.sampled_from(["a", "bb", None, "ccc"]), st.none() | st.integers(0, 9)), min_size=1))
def test_each_label_has_the_statistics_of_its_documents(rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(rows, {"label": pl.String, "text": pl.String, "n": pl.Int64}, orient="row")
    table = statistics(frame, label="label", by_label=True)
    whole = statistics(frame, label="label")
    for (label,), part in frame.group_by("label"):
        mine = table.filter(pl.col("label").eq_missing(pl.lit(label, pl.String))).drop("label", "histogram")
        assert mine.drop("category").equals(statistics(part).drop("histogram", "category"))
    for key in ("text", "n"):
        bars = [bar for found in table.filter(key=key)["histogram"].to_list() for bar in found or []]
        for bar in whole.filter(key=key)["histogram"].to_list()[0] or []:
            assert sum(b["count"] for b in bars if b["start"] == bar["start"]) == bar["count"]


def test_labels_of_any_type_tell_documents_apart() -> None:
    table = statistics(pl.DataFrame({"label": [1, 2, 2], "n": [1.0, 2.0, 4.0]}), [{"label": "two", "n": 5}, {"n": 7}], label="label", by_label=True)
    assert table.filter(key="n").select("label", "mean", "count").rows() == [("1", 1.0, 1), ("2", 3.0, 2), ("two", 5.0, 1), (None, 7.0, 1)]


def test_many_ties_go_to_the_first_by_place_wherever_the_rows_lie() -> None:
    texts = [f"value {number % 4000}" for number in range(8000)] + ["often"] * 3
    frame = pl.DataFrame({"_pos": range(8003), "t": texts}).sample(fraction=1, shuffle=True, seed=1)
    top = _of(frame.lazy(), "t")["top"]
    assert top[0] == {"value": "often", "count": 3}
    assert top[1:] == [{"value": f"value {number}", "count": 2} for number in range(9)]


def test_files_are_images_where_all_are() -> None:
    reference = {"object": "0" * 64 + ".jpg", "media": "image/jpeg", "size": 1000, "name": "cat.jpg"}
    frame = pl.DataFrame({"a": [reference, reference | {"size": 3000}, None], "b": [reference, reference | {"media": "audio/wav"}, None]})
    table = {row["key"]: row for row in statistics(frame).to_dicts()}
    assert (table["a"]["category"], table["a"]["mean"], table["a"]["distinct"]) == ("image", 2000, 2)
    assert table["b"]["category"] == "object"


def test_nested_values_are_told_apart() -> None:
    objects = [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": None, "b": 2}, {"a": 2, "b": None}, {"a": 1, "b": 2}]
    lists = [["a", "b"], ["b", "a"], ["ab"], [], ["a", "b"]]
    frame = pl.DataFrame({"o": objects, "l": lists})
    assert (_of(frame.lazy(), "o")["distinct"], _of(frame.lazy(), "l")["distinct"]) == (4, 4)
    assert _of(frame.lazy(), "l")["top"][0] == {"value": '["a", "b"]', "count": 2}


def test_json_objects_are_counted_as_they_stand() -> None:
    texts = ['{"a":1}', '{"b":[1]}', '{"a":1}', '{"$date":"2026-01-01"}', None, '"text"']
    row = _of(pl.LazyFrame({"j": pl.Series(texts)}), "j", encoded=["j"])
    assert (row["type"], row["category"], row["count"], row["distinct"]) == ("dict, date, str", "object", 5, 4)
    assert row["top"][0] == {"value": '{"a": 1}', "count": 2}


def test_whole_numbers_stay_exact_beside_odd_ones() -> None:
    frame = pl.LazyFrame({"n": [2**53, 2**53 + 1, 7]})
    row = _of(frame, "n", documents=[{"n": 2.5}, {"n": 7.0}, {"n": 2**70}, {"n": float("nan")}, {"n": float("inf")}])
    assert (row["count"], row["distinct"], row["type"]) == (8, 7, "float, int")
    assert row["top"][:2] == [{"value": "7", "count": 2}, {"value": str(2**53), "count": 1}]
    assert (row["min"], row["max"]) == (2.5, float("inf"))
    row = _of(pl.LazyFrame({"n": [0.5, 7.0]}), "n", documents=[{"n": 7}, {"n": 2**53 + 1}, {"n": 10**400}])
    assert (row["count"], row["distinct"], row["median"]) == (5, 4, 7.0)


def test_values_at_the_ends_of_what_python_can_hold() -> None:
    early, late = (datetime(*day, tzinfo=timezone(timedelta(hours=hours))) for day, hours in (((1, 1, 1), 9), ((9999, 12, 31, 23), -9)))
    frame = pl.LazyFrame(schema={"a": pl.Int64, "t": pl.Datetime("us", "UTC")})
    documents = [{"a": 10**5000}, {"a": [10**5000]}, {"a": "\ud800"}, {"t": early}, {"t": late}]
    assert _of(frame, "a", documents=documents)["count"] == 3
    assert _of(frame, "t", documents=documents) | {"earliest": datetime(1, 1, 1), "latest": datetime(9999, 12, 31, 23)} == _of(
        frame, "t", documents=documents
    )
