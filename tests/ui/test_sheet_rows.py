"""Rows are ticked, set, copied, added and removed, and keys change, in the sheet as a planner works in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.ui.sheet import Sheet

TOPICS = ["배송", "환불", "문의"]


@pytest.fixture
def calls(tmp_path: Path) -> Dataset:
    documents = [{"_id": f"r{n}", "text": f"말씀 {n}", "topic": TOPICS[n % 3], "price": n * 10} for n in range(300)]
    return Workspace(tmp_path).datasets.create("calls", documents, label="topic")


def opened(page: Any, dataset: Dataset) -> Sheet:
    sheet = Sheet(dataset)
    show(page, sheet)
    cell(page, sheet, 0, sheet.column_keys[1]).wait_for()
    return sheet


def cell(page: Any, sheet: Sheet, row: int, key: str) -> Any:
    return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c{sheet.column_keys.index(key)}"]')


def tick(page: Any, row: int) -> Any:
    return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="tick"]')


def ask(page: Any, does: str) -> None:
    page.evaluate("does => window.model.hear({ does })", does)


def count(page: Any, kind: str, many: int) -> None:
    page.wait_for_function(f"window.model.get('changes').{kind} === {many}")


def narrow(page: Any, **filters: str) -> None:
    page.evaluate("filters => { window.model.set('filters', filters); window.model.save_changes(); }", filters)


def documents(sheet: Sheet, *ids: str) -> list[dict[str, Any]]:
    return [document or {} for document in sheet.drafting.edit.look_up(ids).values()]


def test_ticked_rows_get_one_value(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    sheet = opened(page, calls)
    tick(page, 1).click()
    tick(page, 4).click(modifiers=["Shift"])
    tick(page, 2).click()
    page.get_by_text("3 rows ticked").wait_for()

    # They are known by their _id: sorted the other way round, they are still ticked.
    page.locator(".ag-header-cell", has_text="price").click()
    page.locator(".ag-header-cell", has_text="price").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="0"] [col-id="c3"]')?.textContent === '2990'""")
    page.get_by_text("3 rows ticked").wait_for()
    page.wait_for_function("document.querySelectorAll('.ag-row .clow-tick:checked').length === 0")

    page.get_by_role("button", name="Set …").click()
    page.get_by_text("Chosen documents: 3").wait_for()
    page.locator(".clow-card select").first.select_option("price")
    page.locator(".clow-card textarea").fill("many")
    page.get_by_text("does not fit here").wait_for()
    assert page.locator(".clow-card button[type=submit]").is_disabled()
    page.locator(".clow-card textarea").fill("1,499")
    page.get_by_text("Documents that get this value: 3").wait_for()
    picture(page, "sheet-set")
    page.locator(".clow-card textarea").fill("many")
    page.keyboard.press("Enter")  # at once, before it was checked: what is wrong is said, and what is right is done
    page.get_by_text("does not fit here").wait_for()
    page.locator(".clow-card textarea").fill("1,500")
    page.keyboard.press("Enter")
    count(page, "changed", 3)
    assert [found["price"] for found in documents(sheet, "r1", "r2", "r3", "r4")] == [1500, 20, 1500, 1500]
    assert sheet.changes["undo"] == 1


def test_all_that_match_but_some(page: Any, calls: Dataset) -> None:
    sheet = opened(page, calls)
    narrow(page, topic="배송")
    page.wait_for_function("""document.querySelector('.ag-row[row-index="1"] [col-id="c0"]')?.textContent === 'r3'""")
    tick(page, 0).click()
    page.get_by_text("Select all 100 that match").click()
    page.get_by_text("100 rows ticked").wait_for()
    tick(page, 1).click()
    page.get_by_text("99 rows ticked").wait_for()
    page.locator(".clow-ticks").get_by_role("button", name="Remove").click()
    count(page, "removed", 99)
    assert documents(sheet, "r0", "r3", "r1") == [{}, {"_id": "r3", "text": "말씀 3", "topic": "배송", "price": 30}, {"_id": "r1", "text": "말씀 1", "topic": "환불", "price": 10}]
    page.locator(".clow-ticks").wait_for(state="hidden")

    # All that match is about what is asked; something else asked, nothing is ticked by mistake.
    page.locator('.ag-header-cell[col-id="tick"] input').click()
    page.get_by_text("100 rows ticked").wait_for()
    narrow(page)
    page.wait_for_function("document.querySelector('.clow-ticks').hidden")


def test_a_change_of_very_many_leaves_a_way_on(page: Any, tmp_path: Path, picture: Callable[[Any, str], None]) -> None:
    many = Workspace(tmp_path).datasets.create("many", [{"_id": f"r{n}", "topic": TOPICS[n % 3], "price": n} for n in range(21_000)])
    sheet = opened(page, many)
    page.locator('.ag-header-cell[col-id="tick"] input').click()
    cell(page, sheet, 0, "topic").click()
    page.get_by_role("button", name="Set …").click()
    page.locator(".clow-card textarea").fill("기타")
    page.get_by_text("nothing can be filtered or sorted by topic until the commit").wait_for()
    page.keyboard.press("Enter")
    count(page, "bulk", 1)
    narrow(page, topic="배송")
    page.get_by_text("topic was changed in very many documents at once").wait_for()
    picture(page, "sheet-waiting")
    page.get_by_role("button", name="Do without topic in filter and sort").click()
    page.wait_for_function("""document.querySelector('.ag-row[row-index="1"] [col-id="c1"]')?.textContent === '기타'""")
    assert sheet.drafting.commit("모두 기타").dataset.count({"topic": "기타"}) == 21_000


def test_a_new_row_is_in_sight_whatever_is_asked(page: Any, calls: Dataset) -> None:
    sheet = opened(page, calls)
    narrow(page, topic="배송")
    page.wait_for_function("""document.querySelector('.ag-row[row-index="1"] [col-id="c0"]')?.textContent === 'r3'""")
    ask(page, "insert")
    count(page, "added", 1)
    page.keyboard.type("새 글")
    page.keyboard.press("Tab")
    page.keyboard.type("문의")
    page.keyboard.press("Enter")
    page.wait_for_function("""document.querySelector('.ag-row[row-index="100"] [col-id="c2"]')?.textContent === '문의'""")
    [new] = [document for document in sheet.drafting.edit.held.values() if document]
    assert (new["text"], new["topic"]) == ("새 글", "문의")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function("window.model.get('changes').undo === 0 && !document.querySelector('.ag-row[row-index=\"100\"]')")


def test_documents_that_are_known_by_a_key(page: Any, tmp_path: Path) -> None:
    books = Workspace(tmp_path).datasets.create("books", [{"isbn": f"b{n}", "제목": f"책 {n}"} for n in range(5)], key="isbn")
    sheet = opened(page, books)
    cell(page, sheet, 0, "isbn").click()
    page.keyboard.type("x")
    page.get_by_text("A document is known by this key").wait_for()
    ask(page, "insert")
    page.locator(".clow-card input").fill("b1")
    page.keyboard.press("Enter")
    page.get_by_text("has a document with _id 'b1' already").first.wait_for()
    page.locator(".clow-card input").fill("b9")
    page.keyboard.press("Enter")
    count(page, "added", 1)
    assert documents(sheet, "b9") == [{"_id": "b9", "isbn": "b9"}]


def test_keys_are_added_renamed_converted_and_removed(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    sheet = opened(page, calls)
    ask(page, "keys")
    page.locator(".clow-keylist-add input").first.fill("확인.함")
    page.locator(".clow-keylist-add select").select_option("bool")
    page.locator(".clow-keylist-add input").nth(1).fill("아니오")
    page.locator(".clow-keylist-add button").click()
    page.locator(".clow-keyline", has_text="확인.함").wait_for()
    assert documents(sheet, "r0")[0]["확인.함"] is False

    line = page.locator('.clow-keyline[data-key="topic"]')
    line.get_by_role("button", name="Rename").click()
    line.locator("input").fill("price")
    page.keyboard.press("Enter")
    page.get_by_text("The key 'price' is there already").wait_for()
    line.locator("input").fill("주제")
    page.keyboard.press("Enter")
    page.locator(".ag-header-cell", has_text="주제").wait_for()

    line = page.locator('.clow-keyline[data-key="text"]')
    line.get_by_role("button", name="Type …").click()
    line.locator("select").first.select_option("int")
    page.get_by_text("300 of 300 values do not convert").wait_for()
    picture(page, "sheet-retype")
    line.get_by_role("button", name="Cancel").click()

    page.locator('.clow-keyline[data-key="price"]').get_by_role("button", name="Remove").click()
    page.locator('.clow-keyline[data-key="price"]').get_by_role("button", name="Remove").click()
    page.wait_for_function("!document.querySelector('.clow-keyline[data-key=\"price\"]')")
    assert sheet.column_keys == ["_id", "text", "주제", "확인.함"]
    page.keyboard.press("Escape")
    cell(page, sheet, 0, "text").click()
    for _ in range(3):
        page.keyboard.press("Control+z")
    page.wait_for_function("window.model.get('changes').undo === 0")
    assert sheet.column_keys == ["_id", "text", "topic", "price"]


def test_copied_rows_come_with_their_headings(page: Any, calls: Dataset) -> None:
    sheet = opened(page, calls)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    cell(page, sheet, 1, "text").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+Space")
    page.locator(".clow-ticks").get_by_role("button", name="Copy").click()
    page.get_by_text("2 rows copied").wait_for()
    assert page.evaluate("window.copied") == "_id\ttext\ttopic\tprice\nr1\t말씀 1\t환불\t10\nr2\t말씀 2\t문의\t20"
