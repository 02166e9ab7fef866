"""A page stays open all day: what its kernel keeps is bounded, and goes when the page is closed."""

import gc
import json
import weakref
from typing import Any

import numpy as np
import pytest

from clow_nb.core.context import Context
from clow_nb.data import matching, views
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.ui.base import answer

ROWS = 6000


@pytest.fixture
def calls(ctx: Context) -> Dataset:
    return Datasets(ctx).create("calls", [{"n": n % 97, "text": f"말 {n}"} for n in range(ROWS)])


def ask(sheet: Any, type: str, **message: Any) -> tuple[dict[str, Any], list[bytes]]:
    content, buffers = answer(sheet.handlers(), {"type": type, "uuid": "1", **message})
    assert "error" not in content, content
    return content, buffers


def test_orders_that_are_remembered_are_bounded(calls: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = matching._KEPT
    assert 40 * 10**6 <= kept.maxsize <= 64 * 2**20  # one order of ten million rows, and what else is small
    for least in range(50):
        calls.count({"n": {"$gte": least}})
    monkeypatch.setattr(kept, "_Cache__maxsize", kept.currsize)
    full = kept.currsize
    for least in range(50):
        calls.count({"n": {"$lt": least}})
    assert kept.currsize <= full


def test_an_untouched_view_holds_no_numbers_of_its_own(calls: Dataset) -> None:
    order = (("n", -1),)
    view = views.View(calls.edit(), None, list(order))
    assert np.shares_memory(view._places.numbers, matching.row_numbers(calls.snapshot, None, order))


def test_a_reader_of_all_rows_keeps_the_last(calls: Dataset) -> None:
    sheet = calls.view().grid
    for start in range(0, ROWS, 100):
        ask(sheet, "rows", start=start, end=start + 100)
    edit = sheet.drafting.edit
    assert len(edit.shown) <= 2000 and edit._original == {}


def test_very_large_documents_are_not_kept_for_being_seen(ctx: Context) -> None:
    sheet = Datasets(ctx).create("long", [{"text": "가" * 2_000_000} for _ in range(3)]).view().grid
    _, (page,) = ask(sheet, "rows", start=0, end=100)
    assert len(json.loads(page)) == 3 and len(page) < 20_000
    assert len(sheet.drafting.edit.shown) == 0


def test_a_closed_page_is_forgotten(calls: Dataset) -> None:
    view = calls.view()
    content, _ = ask(view.grid, "rows", start=0, end=100, sort=[["n", -1]])
    ask(view.grid, "write", serial=content["serial"], cells=[[0, "n", "7"]])
    view.editing.review()
    for place in range(len(view.tabs.children)):
        view.tabs.selected_index = place
    left = [weakref.ref(thing) for thing in (view, view.grid, view.grid.drafting, view.grid.drafting.edit)]
    view.close()
    del view
    gc.collect()
    assert [thing() for thing in left] == [None] * 4
