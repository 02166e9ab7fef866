"""The types of columns that came as text."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.data.celltypes import typed


def _typed(cells: list[str | None]) -> list[Any]:
    return typed(pa.chunked_array([pa.array(cells, pa.string())])).to_pylist()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "0"], [1, -2, 0]),
        (["1", None, "NA", "n/a"], [1, None, None, None]),
        (["1", "2.5", ".5", "1e3"], [1.0, 2.5, 0.5, 1000.0]),
        (["True", "FALSE", "true"], [True, False, True]),
        (["2026-01-01", "null"], [date(2026, 1, 1), None]),
        (["2026-01-01 09:30", "2026-01-01T09:30:01.25"], [datetime(2026, 1, 1, 9, 30), datetime(2026, 1, 1, 9, 30, 1, 250_000)]),
        (["2026-01-01T09:30:00Z", "2026-01-01 09:30+00:00"], [datetime(2026, 1, 1, 9, 30, tzinfo=UTC)] * 2),
    ],
)
def test_types_that_every_cell_fits(cells: list[str | None], values: list[Any]) -> None:
    assert _typed(cells) == values


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "12"],
        ["010-1234-5678", "010-9999-9999"],
        ["+82", "5"],
        ["0", "1", "2   "],
        ["1", "free"],
        ["NA", "KR", "US"],
        ["NA", "null"],
        ["9" * 20, "1"],
        ["9" * 20, "1.5"],
        ["1,000", "2"],
        ["2026-02-30", "2026-01-01"],
        ["2026-01-01", "2026-01-01 10:00"],
        ["2026-01-01T09:00:00+09:00", "2026-01-01T09:00:00Z"],
        ["2026-01-01 25:00", "2026-01-01 10:00"],
        ["yes", "no"],
        ["1e999", "1"],
        ["١", "٢"],
        ["inf", "nan"],
        ["0x10", "1_000"],
        ["", "1"],
        ["0000-01-01", "2026-01-01"],
    ],
)
def test_what_a_type_would_change_stays_text(cells: list[str | None]) -> None:
    assert _typed(cells) == cells


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_come_back(numbers: list[int | None]) -> None:
    assert _typed([None if number is None else str(number) for number in numbers]) == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_come_back_or_stay_text(numbers: list[float]) -> None:
    cells: list[str | None] = [repr(number) for number in numbers]
    assert _typed(cells) in (numbers, cells)
