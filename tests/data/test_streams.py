"""Frames that Arrow has no columns for, or has other columns for than Python has values."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from clow_nb.core.errors import DataError
from clow_nb.data.documents import assemble
from clow_nb.data.frames import shred_frames


def _documents(frame: Any) -> list[dict[str, Any]]:
    return [document for table in shred_frames(frame) for document in assemble(table)]


def test_pandas_columns_of_several_types() -> None:
    frame = pd.DataFrame({"a": [1, "둘", None], "l": [[1, "x"], {"b": 1}, float("nan")], "f": [0.5, None, 1.0]})
    assert _documents(frame) == [{"a": 1, "l": [1, "x"], "f": 0.5}, {"a": "둘", "l": {"b": 1}}, {"f": 1.0}]


def test_an_index_is_a_key_only_where_it_says_something() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert _documents(frame[frame.a != 2]) == [{"a": 1}, {"a": 3}]
    assert _documents(frame.set_index(pd.Index(["x", "y", "z"], name="id"))) == [{"id": k, "a": n} for n, k in enumerate("xyz", 1)]


def test_polars_values_that_arrow_has_no_type_for() -> None:
    frame = pl.DataFrame({"o": pl.Series([{"a": 1}, "x"], dtype=pl.Object), "i": pl.Series([2**100, None], dtype=pl.Int128)})
    assert _documents(frame) == [{"o": {"a": 1}, "i": 2**100}, {"o": "x"}]
    assert _documents(frame.lazy().select("i")) == [{"i": 2**100}, {}]


def test_decimals_lose_nothing() -> None:
    ids = pa.array([Decimal(12345678901234567890), Decimal(7)], pa.decimal128(38, 0))
    money = pa.array([Decimal("12345678901234567.89"), Decimal("0.10")], pa.decimal128(38, 2))
    lists = pa.array([[Decimal("0.5")], None], pa.list_(pa.decimal128(38, 2)))
    frame = pa.table({"id": ids, "n": ids.slice(1).cast(pa.decimal128(5, 0)).take([0, 0]), "money": money, "l": lists})
    assert _documents(frame) == [
        {"id": 12345678901234567890, "n": 7, "money": "12345678901234567.89", "l": [0.5]},
        {"id": 7, "n": 7, "money": 0.1},
    ]


def test_a_column_named_pos_is_a_key_of_a_file_and_a_place_of_a_scan() -> None:
    table = pa.table({"_id": ["x"], "_pos": [5]})
    assert _documents(table.to_reader()) == [{"_id": "x", "_pos": 5}]
    assert _documents(pl.DataFrame(table)) == [{"_id": "x"}]
    assert _documents(pl.DataFrame({"_pos": [5]})) == [{"_pos": 5}]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**62], pa.timestamp("s")),
        pa.array([-(2**62)], pa.timestamp("us", "UTC")),
        pa.array([2**31 - 1], pa.int32()).cast(pa.date32()),
        pa.array([[2**60]], pa.list_(pa.timestamp("ms"))),
    ],
)
def test_days_outside_the_calendar_are_refused(column: pa.Array) -> None:
    with pytest.raises(DataError, match="'day' holds days outside the years 1 to 9999"):
        _documents(pa.table({"day": column}))


def test_the_ends_of_the_calendar_are_kept() -> None:
    assert _documents(pa.table({"day": [date(1, 1, 1), date(9999, 12, 31)]})) == [{"day": date(1, 1, 1)}, {"day": date(9999, 12, 31)}]


@pytest.mark.parametrize(
    "frame",
    [
        pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pa.table({"s": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])}),
        pl.Series([1]),
        pd.Series([1]),
    ],
)
def test_what_is_no_table_of_documents_is_refused(frame: Any) -> None:
    with pytest.raises(DataError):
        _documents(frame)
