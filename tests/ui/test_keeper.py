"""What was typed is not lost: not by a reload, not by a kernel that ends, not by a second page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.ui.drafting import Cell
from clow_nb.ui.keeper import Keeper
from clow_nb.ui.sheet import Sheet


@pytest.fixture
def calls(tmp_path: Path) -> Dataset:
    documents = [{"_id": f"r{n}", "text": f"말씀 {n}", "price": n * 10} for n in range(50)]
    return Workspace(tmp_path).datasets.create("calls", documents)


def test_a_page_that_is_loaded_again_finds_its_draft(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    first = Sheet(calls)
    show(page, Keeper(first), first)
    page.locator('.ag-row[row-index="0"] [col-id="c2"]').click()
    page.keyboard.type("1,500")
    page.keyboard.press("Enter")
    page.locator(".clow-changed").first.wait_for()
    first.drafting.journal.release()  # the kernel ends

    again = page.context.new_page()
    second = Sheet(calls)
    show(again, Keeper(second), second)
    again.locator(".clow-kept", has_text="1 unsaved change of").wait_for()
    again.locator(".clow-changed").first.wait_for()
    picture(again, "keeper-back")
    assert second.drafting.edit.look_up(["r0"])["r0"] == {"_id": "r0", "text": "말씀 0", "price": 1500}

    # A third page is offered what the second holds; discarded there, it is gone everywhere.
    third = page.context.new_page()
    sheet = Sheet(calls)
    show(third, Keeper(sheet), sheet)
    third.locator(".clow-kept", has_text="open on another page").wait_for()
    again.get_by_role("button", name="Discard").click()
    again.get_by_role("button", name="Discard").click()
    again.locator(".clow-changed").wait_for(state="detached")
    assert calls.drafts().is_empty() and sheet.changes["done"] == 0


def test_what_was_typed_at_another_page_is_offered(page: Any, calls: Dataset) -> None:
    sheet = Sheet(calls)
    cells = '[["r1","price","7"],["r2","price","many"],["r9","text","안녕"]]'
    place = calls.item.spec["table"]
    page.add_init_script(f"localStorage.getItem('seen') || localStorage.setItem('clow:unsent:{place}:other', '{{\"at\":1,\"cells\":{cells}}}'), localStorage.setItem('seen', 1)")
    show(page, Keeper(sheet), sheet)
    page.locator(".clow-kept", has_text="(cells: 3)").wait_for()
    page.get_by_role("button", name="Bring them here").click()
    page.locator(".clow-kept", has_text="'many' does not fit here").wait_for()
    page.wait_for_function("Object.keys(localStorage).filter((key) => key.startsWith('clow:unsent')).length === 0")
    assert [sheet.drafting.edit.look_up(["r1", "r2", "r9"])[i] for i in ("r1", "r2", "r9")] == [
        {"_id": "r1", "text": "말씀 1", "price": 7}, {"_id": "r2", "text": "말씀 2", "price": 20}, {"_id": "r9", "text": "안녕", "price": 90},
    ]  # fmt: skip


def test_a_second_hand_in_the_same_draft_is_told(calls: Dataset) -> None:
    sheet = Sheet(calls)
    keeper = Keeper(sheet)
    sheet.drafting.write({Cell("r1", "price"): "7"})
    keeper.handlers()["hello"]({"page": "p", "load": "1", "shown": "a"})
    assert [note["text"] for note in keeper.notes] == []
    keeper.handlers()["bye"]({"page": "p", "load": "1", "shown": "a"})
    assert calls.drafts()["open"].to_list() == [False]
    keeper.handlers()["hello"]({"page": "p", "load": "2", "shown": "b"})  # shown once more in a living kernel
    assert calls.drafts()["open"].to_list() == [True] and sheet.changes["done"] == 0 and len(sheet.drafting.done) == 1
