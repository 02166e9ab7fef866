"""Keys come and go while rows are filtered and sorted by them."""

from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.ui.sheet import Sheet


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    documents = [{"_id": f"r{n}", "a": n, "b": n % 7, "c": f"말 {n}"} for n in range(50)]
    return Sheet(Workspace(tmp_path).datasets.create("keys", documents))


def _column(page: Any, place: int) -> list[str]:
    return [page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c{place}"]').inner_text() for row in range(3)]


def test_a_filter_and_a_sort_go_with_their_key(page: Any, sheet: Sheet) -> None:
    show(page, sheet)
    count = page.locator(".clow-grid-count")
    page.locator('.ag-header-cell[col-id="c2"] .ag-header-cell-text').dblclick()  # b, downwards
    page.wait_for_function("JSON.stringify(window.model.get('sort')) === '[[\"b\",-1]]'")
    field = page.get_by_label("Filter of c", exact=True)
    field.fill("1")
    field.press("Enter")
    count.filter(has_text="14 of 50").wait_for()

    # A key before it goes: the places of the columns are others, what is sorted by is not.
    page.evaluate("window.model.send({type: 'key', uuid: '1', serial: 0, does: 'drop', key: 'a'})")
    page.wait_for_function("window.model.get('columns').length === 3")
    page.locator('.ag-row[row-index="0"] .ag-cell[col-id="c1"]', has_text="6").wait_for()
    assert [sheet.sort, _column(page, 1)] == [[["b", -1]], ["6", "6", "5"]]

    for does, to in [("rename", "새 이름"), ("undo", "c"), ("redo", "새 이름")]:
        page.evaluate("m => window.model.send({uuid: '2', does: 'rename', ...m})", {"type": "key", "key": "c", "to": to} if does == "rename" else {"type": does})
        page.get_by_label(f"Filter of {to}", exact=True).wait_for()
        count.filter(has_text="14 of 50").wait_for()
        assert [sheet.filters, page.get_by_label(f"Filter of {to}", exact=True).input_value()] == [{to: "1"}, "1"]

    page.evaluate("window.model.send({type: 'key', uuid: '3', does: 'drop', key: 'b'})")
    page.wait_for_function("window.model.get('sort').length === 0")
    count.filter(has_text="14 of 50").wait_for()
