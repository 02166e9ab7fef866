"""Every document reaches the page, below a megabyte at a time."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.errors import QueryError
from clow_nb.ui.grid import FrameRows, Grid, encode_page

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(documents=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=20), limit=st.integers(10, 500))
def test_pages_put_together_are_all_rows(documents: list[dict[str, Any]], limit: int) -> None:
    rows: list[Any] = []
    while len(rows) < len(documents):
        page = encode_page(documents[len(rows) :], "abc", limit)
        more = json.loads(page)
        assert more and (len(more) == 1 or len(page) <= limit)
        rows += more
    assert rows == json.loads(encode_page(documents, "abc", 10**9))


def test_a_wide_page_stays_below_a_megabyte_and_the_rest_follows() -> None:
    frame = pl.DataFrame({f"k{i}": ["가" * 400] * 100 for i in range(20)})
    grid, got = Grid(FrameRows(frame)), 0
    while got < 100:
        _, (page,) = grid._page({"start": got, "end": 100})
        assert len(page) <= 1_000_000
        got += len(json.loads(page))
    assert got == 100


@pytest.mark.parametrize("window", [{}, {"start": -1, "end": 5}, {"start": 5, "end": 1}, {"start": 0, "end": 1001}, {"start": "0", "end": 1}])
def test_windows_that_make_no_sense_are_refused(window: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match="at most 1,000 rows"):
        Grid(FrameRows(pl.DataFrame({"a": [1]})))._page(window)


def test_sorting_by_a_column_that_is_gone_is_an_answer_not_a_crash() -> None:
    from clow_nb.ui.base import answer

    grid = Grid(FrameRows(pl.DataFrame({"a": [1]})))
    content, _ = answer(grid.handlers(), {"type": "rows", "uuid": "1", "start": 0, "end": 1, "sort": [["b", 1]]})
    assert "b" in content["error"]
