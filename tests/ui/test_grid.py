"""Every document reaches the page, below a megabyte at a time; people narrow, sort and arrange what they see."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from harness import show, until
from hypothesis import given
from hypothesis import strategies as st

from clow_nb import Workspace
from clow_nb.core.errors import QueryError
from clow_nb.data.dataset import Dataset
from clow_nb.ui.grid import DatasetRows, FrameRows, Grid, encode_page

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


@pytest.fixture
def calls(tmp_path: Path) -> Dataset:
    """Three hundred calls of which every fourth has no topic."""
    documents: list[dict[str, Any]] = []
    for n in range(300):
        topic = {} if n % 4 == 3 else {"topic": ["배송", "환불", '<b>"문의"</b>'][n % 4]}
        documents.append({"_id": f"r{n}", "memo": f"Late {n} 배송" if n % 3 else f"{n}", **topic, "price": n * 10, "tags": ["빠름", "친절"][: n % 3]})
    return Workspace(tmp_path).datasets.create("calls", documents, label="topic")


def _field(page: Any, key: str) -> Any:
    return page.get_by_label(f"Filter of {key}", exact=True)


def _counted(page: Any, words: str) -> None:
    """Wait until the line of the count begins with these words: "28 of 300 rows" are not "300 rows"."""
    page.locator(".clow-grid-count", has_text=re.compile(rf"^\s*{re.escape(words)}")).wait_for()


def test_rows_are_narrowed_under_the_headers(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    grid = Grid(DatasetRows(calls), bar=True)
    show(page, grid)
    _counted(page, "300 rows")

    # Several words, all of them, in any case; Enter applies, and the focus stays.
    _field(page, "memo").fill("late 배송")
    page.keyboard.press("Enter")
    _counted(page, "200 of 300 rows")
    assert grid.asked() == {"memo": {"$contains": ["late", "배송"]}}

    # What is not understood is refused in its place, and the rows stay.
    _field(page, "price").fill("cheap")
    page.keyboard.press("Enter")
    page.locator(".clow-filter-said", has_text="Write a number or a range").wait_for()
    assert _field(page, "price").get_attribute("aria-invalid") == "true" and "price" not in grid.filters
    picture(page, "grid-refused")
    _field(page, "price").fill("100..500")
    page.keyboard.press("Enter")
    _counted(page, "28 of 300 rows")
    page.locator(".clow-filter-said").wait_for(state="hidden")

    # Labels are chosen with their counts; a label may hold anything, and "missing" is one of them.
    page.get_by_label("Choose among the values of topic").click()
    page.locator(".clow-choose", has_text="missing").wait_for()
    assert page.locator(".clow-choose-count").all_inner_texts() == ["75"] * 4
    page.get_by_label("Search").fill("문")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    picture(page, "grid-choice")
    page.get_by_label("Search").fill("")
    page.locator(".clow-choose", has_text="missing").click()
    page.keyboard.press("Enter")
    page.locator(".clow-popover").wait_for(state="detached")
    _counted(page, "15 of")
    assert grid.filters["topic"] == '["<b>\\"문의\\"</b>",null]'
    assert grid.asked()["topic"] == {"$in": ['<b>"문의"</b>', None]}
    assert _field(page, "topic").input_value() == '<b>"문의"</b>, missing'

    # Escape takes a filter away, also a chosen one.
    for key in ("topic", "price", "memo"):
        _field(page, key).focus()
        page.keyboard.press("Escape")
    _counted(page, "300 rows")
    assert grid.filters == {} and grid.asked() is None


def test_a_query_is_checked_as_it_is_typed(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    grid = Grid(DatasetRows(calls), bar=True)
    show(page, grid)
    _counted(page, "300 rows")
    box, said = page.get_by_label("Filter as a query"), page.locator(".clow-query-said")

    box.fill('{"price": 5')
    said.get_by_text("not JSON (at character 12)").wait_for()
    box.fill('{"prise": {"$exists": false}}')
    said.get_by_text("Did you mean price? 300 rows match").wait_for()
    box.fill('{"price": {"$lt": 100}}')
    said.get_by_text("10 rows match").wait_for()
    picture(page, "grid-query")
    assert grid.query is None
    page.keyboard.press("Enter")
    _counted(page, "10 of 300 rows")
    grid.narrow("memo", "late")
    assert grid.asked() == {"price": {"$lt": 100}, "memo": {"$contains": "late"}}
    grid.narrow("memo", "")

    # A wrong one is refused with its place; Escape clears; the last ones are offered again.
    box.fill('{"price": {"$near": 1}}')
    page.keyboard.press("Enter")
    said.get_by_text("'$near' is not an operator").wait_for()
    assert grid.query == {"price": {"$lt": 100}}
    page.keyboard.press("Escape")
    _counted(page, "300 rows")
    page.keyboard.press("ArrowDown")
    page.locator(".clow-option", has_text="$lt").wait_for()
    page.keyboard.press("Enter")
    _counted(page, "10 of 300 rows")
    page.get_by_label("How to write a filter").click()
    picture(page, "grid-help")
    page.wait_for_function("document.querySelectorAll('.clow-option').length === 9")


def _headed(page: Any, *names: str) -> None:
    """Wait until these are the headings, from left to right; columns glide to their places."""
    page.wait_for_function(
        """names => { const left = (cell) => cell.getBoundingClientRect().left;
        const cells = [...document.querySelectorAll(".ag-header-row-column .ag-header-cell")].filter((cell) => cell.checkVisibility());
        return JSON.stringify(cells.sort((a, b) => left(a) - left(b)).map((cell) => cell.innerText.trim())) === JSON.stringify(names); }""",
        arg=list(names),
    )


def _still(page: Any, selector: str) -> None:
    """Wait until a thing has stood in its place for ten frames."""
    page.evaluate("""async selector => {
        for (let same = 0, last = ""; same < 10;) {
            await new Promise(requestAnimationFrame);
            const box = JSON.stringify(document.querySelector(selector).getBoundingClientRect());
            same = box === last ? same + 1 : 0;
            last = box;
        }
    }""", selector)


def test_columns_are_arranged_and_remembered(page: Any, calls: Dataset, picture: Callable[[Any, str], None]) -> None:
    grid = Grid(DatasetRows(calls), bar=True)
    show(page, grid)
    _counted(page, "300 rows")
    _headed(page, "_id", "memo", "topic", "price", "tags")
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Search").fill("PRI")
    page.wait_for_function("document.querySelectorAll('.clow-column').length === 1")
    page.get_by_label("Keep at the left: price").click()
    page.get_by_label("Search").fill("")
    page.locator(".clow-column", has_text="memo").locator("input").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    picture(page, "grid-columns")
    page.keyboard.press("Escape")
    _headed(page, "price", "_id", "tags", "topic")
    page.locator("button:focus", has_text="Columns · 1 hidden").wait_for()
    until(page, lambda: [entry["hidden"] for entry in grid.arrangement if entry["key"] == "memo"] == [True])
    _still(page, ".ag-header-cell[col-id=c0]")

    # A width is chosen by dragging; the others share what is left when the page changes.
    width = "document.querySelector('.ag-header-cell[col-id=c0]').offsetWidth"
    before = page.evaluate(width) + 80
    handle = page.locator(".ag-header-cell[col-id=c0] .ag-header-cell-resize").bounding_box()
    page.mouse.move(handle["x"] + 2, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(handle["x"] + 82, handle["y"] + 10, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{width} === {before}")
    page.set_viewport_size({"width": 900, "height": 700})
    page.wait_for_function(f"{width} === {before} && document.querySelector('.ag-body-horizontal-scroll-viewport').scrollWidth <= 880")
    until(page, lambda: any(entry["width"] == before for entry in grid.arrangement))

    # Another kernel and a newer version show the same; keys that have gone do no harm.
    edit = calls.edit()
    edit.rename_key("tags", "labels")
    again = Grid(DatasetRows(edit.commit("other keys")))
    assert again.arrangement == grid.arrangement and [entry["key"] for entry in again.arrangement] == ["_id", "memo", "price", "tags", "topic"]
    assert [(e["key"], e["hidden"], e["pinned"]) for e in again.arrangement if e["hidden"] or e["pinned"]] == [("memo", True, None), ("price", False, "left")]
    assert again.arrangement[0]["width"] == before


def test_sorts_and_filters_apply_to_a_newer_version(page: Any, calls: Dataset) -> None:
    grid = Grid(DatasetRows(calls))
    show(page, grid)
    _counted(page, "300 rows")
    page.get_by_role("columnheader", name="topic").click()
    page.keyboard.down("Shift")
    for _ in range(2):
        page.get_by_role("columnheader", name="price").click()
    page.keyboard.up("Shift")
    page.wait_for_function("window.model.get('sort').length === 2")
    _field(page, "price").fill("<=1000")
    page.keyboard.press("Enter")
    _counted(page, "101 of 300 rows")
    assert grid.sort == [["topic", 1], ["price", -1]]

    edit = calls.edit()
    edit.rename_key("memo", "a memo")
    grid.rows = DatasetRows(edit.commit("another key"))
    state = {"columns": grid.rows.columns(), "version": grid.version + 1}
    with grid.hold_sync():
        grid.set_trait("columns", state["columns"])
        grid.set_trait("version", state["version"])
    page.evaluate("traits => { for (const [name, value] of Object.entries(traits)) window.model.set(name, value); }", state)
    page.get_by_role("columnheader", name="a memo").wait_for()
    place = [column["key"] for column in grid.columns].index("price")
    assert place != 3
    page.wait_for_function(f"document.querySelector('.ag-row[row-index=\"0\"] .ag-cell[col-id=c{place}]')?.textContent === '990'")
    assert page.get_by_role("columnheader", name="price").get_attribute("aria-sort") == "descending"
    assert grid.asked() == {"price": {"$lte": 1000}} and grid.sort == [["topic", 1], ["price", -1]]
    _counted(page, "101 of 300 rows")


def test_a_grid_to_look_at_remembers_nothing_and_copies_blocks(page: Any, calls: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    looked = Workspace(calls.ctx.home).datasets["calls"]
    grid = Grid(DatasetRows(looked), bar=True)
    show(page, grid)
    _counted(page, "300 rows")
    page.get_by_role("button", name="Columns").click()
    page.locator(".clow-column", has_text="memo").locator("input").click()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelectorAll('.ag-header-row-column .ag-header-cell').length === 4")
    page.wait_for_timeout(600)
    assert len(grid.arrangement) == 5 and Grid(DatasetRows(looked)).arrangement == []

    copied = page.evaluate(
        """() => { const cell = (row, place) => document.querySelector(`.ag-row[row-index="${row}"] .ag-cell[col-id="c${place}"]`);
        const node = (cell) => document.createTreeWalker(cell, NodeFilter.SHOW_TEXT).nextNode();
        getSelection().setBaseAndExtent(node(cell(2, 3)), 1, node(cell(0, 2)), 0);
        const data = new DataTransfer();
        cell(0, 2).dispatchEvent(new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
        return data.getData("text/plain"); }"""
    )
    assert copied == '배송\t0\n환불\t10\n<b>"문의"</b>\t20'


def test_a_slow_filter_says_so_and_a_failed_one_ends(page: Any, calls: Dataset) -> None:
    class Slow(DatasetRows):
        """Rows that take as long as it takes until the page says so, and then cannot be read."""

        def count(self, query: Any) -> int:
            if query:
                _counted(page, "Searching …")
                raise QueryError("The disk is gone.")
            return super().count(query)

    grid = Grid(Slow(calls))
    show(page, grid)
    _counted(page, "300 rows")
    _field(page, "memo").fill("late")
    page.keyboard.press("Enter")
    page.locator(".clow-grid-problem", has_text="The disk is gone.").wait_for()
    page.locator(".clow-seeking").wait_for(state="detached")
    page.locator(".clow-grid-count", has_text="Searching").wait_for(state="detached")
    _field(page, "memo").press("Escape")
    _counted(page, "300 rows")
