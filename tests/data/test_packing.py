"""The order of a column against Python's own stable sort."""

import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.data.packing import column_order

TEXTS = st.text(max_size=4) | st.text(alphabet="ab\0\x01\uffff\U0001f600", max_size=40) | st.sampled_from(["x" * 200 + c for c in "ab\0"] + ["x" * 200])
NUMBERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, math.inf, -math.inf, 5e-324])


def _check(values: list, dtype: pl.DataType | type, falling: bool) -> None:
    places = [place for place, value in enumerate(values) if value is not None]
    expected = sorted(places, key=lambda place: values[place], reverse=falling)
    assert column_order(pl.Series(values, dtype=dtype), falling).tolist() == expected


@settings(deadline=None)
@given(st.lists(st.none() | TEXTS, max_size=12), st.booleans())
def test_texts(values: list[str | None], falling: bool) -> None:
    _check(values, pl.String, falling)


@settings(deadline=None)
@given(st.lists(st.none() | NUMBERS, max_size=12), st.lists(st.none() | FLOATS, max_size=12), st.booleans())
def test_numbers(whole: list[int | None], floats: list[float | None], falling: bool) -> None:
    _check(whole, pl.Int64, falling)
    _check(floats, pl.Float64, falling)


def test_texts_with_a_common_beginning_and_duplicates() -> None:
    values = [f"https://example.org/{'p' * (n % 30)}/{n * 7919 % 1000 // 3}" for n in range(3000)]
    for falling in (False, True):
        _check(values, pl.String, falling)
        _check(["same" * 60] * 5 + values + ["same" * 60 + "z"], pl.String, falling)
