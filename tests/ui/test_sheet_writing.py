"""Cells of each kind are written as people expect it, in Korean too; blocks come from spreadsheets, and what does not fit stays to be mended."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.ui.sheet import Sheet


@pytest.fixture
def calls(tmp_path: Path) -> Dataset:
    documents = [
        {
            "_id": f"r{n}",
            "text": f"말씀 {n}",
            "price": n * 10,
            "open": n % 2 == 0,
            "day": date(2026, 11, 1 + n % 28),
            "at": datetime(2026, 11, 2, 9, 5, tzinfo=UTC),
            "tags": ["급함", "VIP, 큰"] if n % 2 else ["일반"],
            "more": {"n": n},
        }
        for n in range(2000)
    ]
    return Workspace(tmp_path).datasets.create("calls", documents)


@pytest.fixture
def sheet(page: Any, calls: Dataset, monkeypatch: pytest.MonkeyPatch) -> Sheet:
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    sheet = Sheet(calls)
    show(page, sheet)
    cell(page, sheet, 0, "text").wait_for()
    return sheet


def cell(page: Any, sheet: Sheet, row: int, key: str) -> Any:
    return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c{sheet.column_keys.index(key)}"]')


def paste(page: Any, text: str) -> None:
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData("text/plain", text);
        document.querySelector(".clow-pen").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }""",
        text,
    )


def done(page: Any, many: int) -> None:
    page.wait_for_function(f"window.model.get('changes').done === {many}")


def value(sheet: Sheet, id: str, key: str) -> Any:
    return (sheet.drafting.edit.look_up([id])[id] or {}).get(key)


def test_each_kind_has_its_editor(page: Any, sheet: Sheet, picture: Callable[[Any, str], None]) -> None:
    # A day by the arrows of the calendar, a moment by the mouse, which keeps the time; both are those of the user's zone.
    cell(page, sheet, 1, "day").dblclick()
    page.locator(".clow-day.clow-chosen", has_text="2").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    done(page, 1)
    cell(page, sheet, 1, "at").dblclick()
    picture(page, "sheet-calendar")
    page.locator('.clow-day[data-day="2026-11-21"]').click()
    done(page, 2)
    assert (value(sheet, "r1", "day"), value(sheet, "r1", "at")) == (date(2026, 11, 9), datetime(2026, 11, 21, 9, 5, tzinfo=UTC))

    # Labels: one is taken away, one typed, one chosen though a comma is in it.
    cell(page, sheet, 2, "tags").dblclick()
    page.locator(".clow-pen-chip", has_text="일반").wait_for()
    page.keyboard.press("Backspace")
    page.keyboard.type("새 라벨")
    page.keyboard.press("Enter")
    page.locator(".clow-choice", has_text="VIP, 큰").click()
    picture(page, "sheet-labels")
    page.keyboard.press("Enter")
    done(page, 3)
    assert value(sheet, "r2", "tags") == ["새 라벨", "VIP, 큰"]

    # JSON is not taken before it is some; Enter goes on with a line.
    cell(page, sheet, 3, "more").dblclick()
    page.locator(".clow-lint").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"a": [1,')
    page.get_by_text("No valid JSON yet: line 1, column 10").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.type("null]}")
    page.keyboard.press("Enter")
    done(page, 4)
    assert value(sheet, "r3", "more") == {"a": [1, None]}

    # Truth turns over with the space bar, in a block at once; Ctrl+D fills down; an emptied number is missing.
    cell(page, sheet, 4, "open").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    done(page, 5)
    assert [value(sheet, id, "open") for id in ("r4", "r5")] == [True, True]
    cell(page, sheet, 6, "price").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+d")
    done(page, 6)
    cell(page, sheet, 8, "price").dblclick()
    page.locator(".clow-pen.clow-writing").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    done(page, 7)
    assert [value(sheet, id, "price") for id in ("r6", "r7", "r8")] == [60, 60, None]

    # A line break grows the cell that is written.
    cell(page, sheet, 9, "text").dblclick()
    page.locator(".clow-pen.clow-writing").wait_for()
    page.keyboard.press("Alt+Enter")
    page.keyboard.type("둘째 줄")
    page.keyboard.press("Enter")
    done(page, 8)
    assert value(sheet, "r9", "text") == "말씀 9\n둘째 줄"


def test_a_large_block_with_misfits(page: Any, sheet: Sheet, picture: Callable[[Any, str], None]) -> None:
    lines = [f"새 {n}\t{'많이' if n in (3, 1500) else f'₩{n},000' if 0 < n < 1000 else n}\t예\t2026. 11. {1 + n % 28}." for n in range(1990)]
    cell(page, sheet, 0, "text").click()
    page.keyboard.press("ArrowDown")
    paste(page, "\r\n".join(lines) + "\r\n")
    page.get_by_text("2 of 7,960 cells were refused").wait_for()
    assert (value(sheet, "r4", "price"), value(sheet, "r5", "price"), value(sheet, "r5", "day"), sheet.changes["done"]) == (40, 4000, date(2026, 11, 5), 1)
    page.locator(".clow-to-refused").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="4"] .clow-refused')?.textContent === '많이'""")
    page.locator(".clow-to-refused").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="1501"] .clow-refused')?.textContent === '많이'""")
    picture(page, "sheet-misfit")

    # Mended where it is: what was typed is still there. And another is given up.
    page.keyboard.press("F2")
    assert page.locator(".clow-pen").input_value() == "많이"
    page.keyboard.press("Control+A")
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    page.get_by_text("1 refused: to the next").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="4"] .clow-refused')""")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.clow-to-refused').hidden")

    # A block beyond the last row asks; one undo takes rows and cells back.
    page.keyboard.press("Control+End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    paste(page, '끝\t1\n"두\n줄"\t2\n셋\t3')
    page.get_by_role("button", name="Add these rows").click()
    page.wait_for_function("window.model.get('changes').added === 2")
    new = [document for document in sheet.drafting.edit.held.values() if document and document["_id"][0] != "r"]
    assert [(document["text"], document["price"]) for document in new] == [("두\n줄", 2), ("셋", 3)]
    page.keyboard.press("Control+z")
    page.wait_for_function("window.model.get('changes').added === 0")
    assert value(sheet, "r1999", "text") == "말씀 1999"


def test_hangul_wherever_the_hand_goes(page: Any, sheet: Sheet) -> None:
    typing = page.context.new_cdp_session(page)

    def compose(*texts: str) -> None:
        for text in texts:
            typing.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})

    # A click elsewhere ends the composition where it was begun, and nothing of it comes along.
    cell(page, sheet, 0, "text").click()
    compose("ㅎ", "하", "한")
    cell(page, sheet, 3, "text").click()
    done(page, 1)
    assert (value(sheet, "r0", "text"), value(sheet, "r3", "text"), page.locator(".clow-pen").input_value()) == ("한", "말씀 3", "")

    # Scrolled away in the middle of a syllable: the row comes back, and the syllable is whole.
    cell(page, sheet, 4, "text").click()
    compose("ㄱ", "가")
    page.evaluate("() => { document.querySelector('.ag-grid-viewport').scrollTop = 30_000; }")
    page.locator(".clow-pen.clow-pen-away").wait_for(state="attached")
    compose("각")
    page.locator(".clow-pen.clow-writing").wait_for()
    typing.send("Input.insertText", {"text": "각"})
    page.keyboard.press("Enter")
    done(page, 2)
    assert value(sheet, "r4", "text") == "각"

    # The Enter that ends a syllable is the browser's: only the second one takes the cell.
    cell(page, sheet, 5, "text").click()
    compose("나")
    enter = "(more) => document.querySelector('.clow-pen').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more }))"
    page.evaluate(enter, {"isComposing": True, "keyCode": 229})
    assert page.locator(".clow-pen.clow-writing").input_value() == "나"
    typing.send("Input.insertText", {"text": "나"})
    page.evaluate(enter, {"keyCode": 13})
    done(page, 3)
    assert value(sheet, "r5", "text") == "나"

    # Whatever takes the focus away takes what was written.
    cell(page, sheet, 6, "text").click()
    page.keyboard.type("끝")
    page.evaluate("() => document.querySelector('.clow-pen').blur()")
    done(page, 4)
    assert value(sheet, "r6", "text") == "끝"
