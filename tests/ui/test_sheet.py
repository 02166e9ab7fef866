"""People write in the sheet as they do in a spreadsheet: by keyboard, by mouse, in Korean, with blocks from the clipboard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.ui.sheet import Sheet
from clow_nb.ui.viewer import Beside

TOPICS = ["배송", "환불", "문의"]


@pytest.fixture
def calls(tmp_path: Path) -> Dataset:
    documents = [{"_id": f"r{n}", "text": f"말씀 {n}", "topic": TOPICS[n % 3], "price": n * 10, "more": {"n": n}} for n in range(300)]
    return Workspace(tmp_path).datasets.create("calls", documents, label="topic")


def cell(page: Any, row: int, key: str) -> Any:
    place = ["_id", "text", "topic", "price", "more"].index(key)
    return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c{place}"]')


def paste(page: Any, text: str) -> None:
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData("text/plain", text);
        document.querySelector(".clow-pen").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }""",
        text,
    )


def test_a_planner_corrects_cells(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    sheet = Sheet(calls)
    show(page, sheet)

    def document(id: str) -> dict[str, Any]:
        return sheet.drafting.edit.look_up([id])[id] or {}

    # By keyboard: a number typed over, Enter goes on, a text opened with F2.
    cell(page, 0, "price").click()
    page.keyboard.type("1,500")
    page.keyboard.press("Enter")
    page.locator(".clow-changed").first.wait_for()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("F2")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    page.wait_for_function("window.model.get('changes').changed === 2")
    assert [document("r0")["price"], document("r1")["text"]] == [1500, "말씀 1!"]

    # A label is chosen from those that there are, with their counts.
    cell(page, 2, "topic").dblclick()
    page.locator(".clow-choice", has_text="환불").wait_for()
    picture(page, "sheet-choices")
    page.keyboard.press("Control+A")
    page.keyboard.type("환")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("window.model.get('changes').changed === 3")
    assert document("r2")["topic"] == "환불"

    # What does not fit is refused in its place.
    cell(page, 3, "price").click()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    page.locator(".clow-refused").wait_for()
    assert "does not fit here" in page.locator(".clow-grid-problem").inner_text()
    picture(page, "sheet-refused")
    assert document("r3")["price"] == 30

    # A block from a spreadsheet, one undo for all of it, and again.
    cell(page, 5, "text").click()
    paste(page, "하나\t배송\n둘\t문의\n")
    page.wait_for_function("window.model.get('changes').changed === 5")
    assert [document(f"r{n}")["text"] for n in (5, 6)] == ["하나", "둘"]
    page.keyboard.press("Control+z")
    page.wait_for_function("window.model.get('changes').changed === 3")
    page.keyboard.press("Control+y")
    page.wait_for_function("window.model.get('changes').changed === 5")

    # A block of cells is drawn with the mouse and emptied.
    cell(page, 8, "text").hover()
    page.mouse.down()
    cell(page, 9, "price").hover()
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('.clow-in-block').length === 6")
    picture(page, "sheet-block")
    page.keyboard.press("Delete")
    page.wait_for_function("window.model.get('changes').changed === 7")
    assert document("r8") == {"_id": "r8", "more": {"n": 8}}

    committed = sheet.drafting.edit.commit("고침")
    assert [found["price"] for found in committed.documents({"_id": "r0"})] == [1500]


def test_hangul_is_composed_in_place(page: Any, calls: Dataset) -> None:
    sheet = Sheet(calls)
    show(page, sheet)
    cell(page, 0, "text").click()
    typing = page.context.new_cdp_session(page)
    for text in ("ㅎ", "하", "한"):
        typing.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
    assert page.locator(".clow-pen.clow-writing").input_value() == "한"
    typing.send("Input.insertText", {"text": "한"})
    page.keyboard.press("Enter")
    page.wait_for_function("window.model.get('changes').changed === 1")
    assert [d and d["text"] for d in sheet.drafting.edit.look_up(["r0"]).values()] == ["한"]


def test_sorting_keeps_what_was_written(page: Any, calls: Dataset) -> None:
    sheet = Sheet(calls)
    show(page, sheet)
    cell(page, 0, "price").click()
    page.keyboard.type("99999")
    page.keyboard.press("Enter")
    page.locator(".clow-changed").first.wait_for()
    page.locator(".ag-header-cell", has_text="price").click()
    page.locator(".ag-header-cell", has_text="price").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="0"] [col-id="c3"]')?.textContent === '99999'""")
    assert page.locator('.ag-row[row-index="0"] .clow-changed').count() == 1
    cell(page, 0, "text").click()
    page.keyboard.press("Control+z")
    page.wait_for_function("window.model.get('changes').changed === 0")


@pytest.mark.slow
def test_a_cell_of_ten_megabytes_leaves_the_page_usable(page: Any, tmp_path: Path) -> None:
    text = "긴 글 <b>x</b>\n" * 700_000
    documents = [{"_id": "r0", "text": text, "n": 0}, *({"_id": f"r{n}", "text": f"말 {n}", "n": n} for n in range(1, 50))]
    beside = Beside(Sheet(Workspace(tmp_path).datasets.create("letters", documents)))
    assert len(text.encode()) > 10_000_000
    show(page, beside.grid, beside.viewer)

    def at(row: int) -> Any:
        return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c1"]')

    # It opens shortened, and no pen is put over all of it.
    at(0).wait_for()
    assert at(0).evaluate("e => e.textContent.length") < 1_100
    at(0).dblclick()
    page.locator(".clow-grid-problem", has_text="too many to be written in a cell").wait_for()
    assert page.locator(".clow-pen").input_value() == ""

    # The page is as quick as ever for the other cells, and writes nothing into this one.
    at(1).click()
    page.keyboard.type("고침")
    page.keyboard.press("Enter")
    page.wait_for_function("window.model.get('changes').changed === 1")

    # All of it is shown on demand.
    at(0).click()
    page.keyboard.press(" ")
    page.locator(".clow-rest button").first.wait_for()
    assert page.locator(".clow-text").first.evaluate("e => e.textContent.length") == 50_000
    page.locator(".clow-rest button").first.click()
    page.wait_for_function("length => document.querySelector('.clow-text').textContent.length === length", arg=len(text))
    committed = beside.grid.drafting.edit.commit("고침")
    assert [found["text"] for found in committed.documents(limit=2)] == [text, "고침"]
