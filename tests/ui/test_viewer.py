"""A document is looked at closely: its picture with regions, its spans, trees, and what is too large for an answer; nothing in it ever runs."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_cells import VALUES

from clow_nb import Workspace
from clow_nb.ui.base import answer
from clow_nb.ui.grid import DatasetRows, Grid
from clow_nb.ui.sheet import Sheet
from clow_nb.ui.viewer import Beside, Viewer
from clow_nb.ui.viewing import PIECE, describe, regions_of

EVIL = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"


def png(width: int = 200, height: int = 100, colour: str = "white") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def receipts(ws: Workspace, count: int = 40) -> Any:
    lines = [{"text": "합계 9.00", "bbox": [10, 60, 100, 20], "words": [{"text": "합계", "bbox": [10, 60, 40, 20]}]}, {"text": "영수증", "bbox": [50, 5, 60, 20]}]
    documents = [{"_id": f"r{n}", "image": png(colour="teal" if n else "gold"), "lines": lines, "note": f"메모 {n}"} for n in range(count)]
    documents[1]["image"] = png()[:60]
    return ws.datasets.create("receipts", documents)


def cell(page: Any, row: int, place: int) -> Any:
    return page.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="c{place}"]')


def test_a_receipt_is_opened_from_its_grid_and_looked_into(page: Any, ws: Workspace, picture: Callable[[Any, str], None]) -> None:
    beside = Beside(Grid(DatasetRows(receipts(ws))))
    show(page, beside.grid, beside.viewer)

    # Thumbnails come for what is in sight, the broken one is named, and rows are high enough.
    page.locator(".clow-thumb:not([hidden])").nth(3).wait_for()
    assert page.locator(".ag-row").first.bounding_box()["height"] == 64
    assert "cannot be shown" in cell(page, 1, 1).locator(".clow-broken").get_attribute("title")
    assert page.locator(".clow-viewer").is_hidden()

    # Opened by a double click, at the side; lines and words are layers; the text beside is in reading order.
    cell(page, 0, 1).dblclick()
    page.locator(".clow-region").nth(2).wait_for()
    grid, viewer = (page.locator(name).bounding_box() for name in (".clow-grid", ".clow-viewer"))
    assert viewer["x"] > grid["x"] + grid["width"] and viewer["height"] == pytest.approx(grid["height"], abs=2)
    assert page.locator(".clow-reading li").all_inner_texts() == ["영수증", "합계 9.00"]
    picture(page, "viewer-beside")
    page.locator(".clow-legend-layer", has_text="words").click()
    assert page.locator(".clow-region").count() == 2

    # Hovering a line shows its region; a click goes into it; keys zoom and fit again.
    page.locator(".clow-reading li").first.hover()
    assert page.locator(".clow-region.clow-hot").count() == 1
    fitted = page.locator(".clow-percent").inner_text()
    page.locator(".clow-reading li").first.click()
    assert page.locator(".clow-percent").inner_text() != fitted
    page.locator(".clow-frame").click()
    page.keyboard.press("1")
    assert page.locator(".clow-percent").inner_text() == "100 %"
    page.keyboard.press("Escape")
    assert page.locator(".clow-percent").inner_text() == fitted

    # The next document, then the one with the focus in the grid; the broken picture is a sentence; Escape closes.
    page.keyboard.press("PageDown")
    page.locator(".clow-viewer .clow-error", has_text="cannot be shown as a picture").wait_for()
    cell(page, 3, 3).click()
    page.locator(".clow-viewer-id", has_text="r3").wait_for()
    page.set_viewport_size({"width": 800, "height": 900})
    page.wait_for_function("document.querySelector('.clow-viewer').getBoundingClientRect().top > document.querySelector('.clow-grid').getBoundingClientRect().bottom")
    picture(page, "viewer-below")
    page.locator(".clow-frame").click()
    page.keyboard.press("Escape")
    page.locator(".clow-viewer").wait_for(state="hidden")


@pytest.mark.parametrize("make", [lambda data: Grid(DatasetRows(data)), Sheet], ids=["grid", "sheet"])
def test_nothing_in_a_document_runs(page: Any, ws: Workspace, make: Callable[[Any], Grid]) -> None:
    stored = {"object": "0" * 64 + ".png", "media": "image/png", "size": 3, "name": EVIL}
    document = {
        "_id": EVIL[:30], "deep": {EVIL: [EVIL, {"kind": "object", "entries": EVIL}]}, EVIL: EVIL, "text": EVIL, "file": stored, "labels": [EVIL[:40]],
        "spans": [{"start": 0, "end": 4, "label": EVIL}], "boxes": [{"bbox": [0, 0, 9, 9], "label": EVIL, "text": EVIL}] * 2, "long": EVIL * 50,
    }  # fmt: skip
    beside = Beside(make(ws.datasets.create("evil", [document])))
    show(page, beside.grid, beside.viewer)
    cell(page, 0, 1).click()
    page.keyboard.press("Space")
    page.locator(".clow-fields .clow-node").first.wait_for()
    page.locator(".clow-viewer .clow-error").wait_for()  # the raw file is not there
    assert "<script>" in page.locator(".clow-fields").inner_text()
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src='x'], .clow script").count() == 0
    assert "<script>" not in beside.grid.static_html()


def test_spans_are_marked_by_code_points_and_characters_that_hide_are_named(page: Any, ws: Workspace, picture: Callable[[Any, str], None]) -> None:
    text = "😀 서울 강남구에서 \u202eevil\u200b 끝"
    spans = [{"start": 2, "end": 8, "label": "주소"}, {"start": 5, "end": 8, "label": "구"}]
    data = ws.datasets.create("spans", [{"text": text, "spans": spans, "labels": ["배송", "환불"], "big": 2**60, "none": None}, {"text": "다음"}])
    show(page, Viewer(data))
    page.locator(".clow-mark").first.wait_for()
    assert page.locator(".clow-mark").all_inner_texts() == ["서울 ", "강남구"]
    assert page.locator(".clow-mark").nth(1).get_attribute("title") == "주소, 구"
    assert page.locator(".clow-unseen-character").evaluate_all("all => all.map((one) => one.dataset.name)") == ["RLO", "ZWSP"]
    assert page.locator(".clow-text").first.evaluate("e => [...e.querySelectorAll('.clow-mark-label')].map((one) => one.remove()) && e.textContent") == text
    shown = page.locator(".clow-fields").inner_text()
    assert "1152921504606846976" in shown and "null" in shown
    assert page.locator(".clow-chips .clow-chip").all_inner_texts() == ["배송", "환불"]
    picture(page, "viewer-spans")
    page.keyboard.press("Tab")
    page.locator(".clow-viewer button", has_text="›").click()
    page.locator(".clow-missing-keys", has_text="big").wait_for()


def test_what_is_huge_comes_in_pieces_when_it_is_asked_for(page: Any, ws: Workspace) -> None:
    nested = {f"key {n}": {"n": n, "list": ["x" * 20] * 5} for n in range(4_000)}
    viewer = Viewer(ws.datasets.create("huge", [{"text": "가나다라 " * 120_000, "nested": nested}]))
    sizes: list[int] = []
    handlers = viewer.handlers()

    def measured(message: Any) -> Any:
        content, buffers = answer(handlers, message)
        sizes.append(len(json.dumps(content)) + sum(map(len, buffers)))
        if "error" in content:
            raise AssertionError(content["error"])
        return content, buffers

    viewer.handlers = lambda: dict.fromkeys(handlers, measured)  # type: ignore[method-assign]
    show(page, viewer)
    page.locator(".clow-rest button").nth(1).wait_for()
    assert page.locator(".clow-field-about").first.inner_text() == "600,000 characters"
    assert page.locator(".clow-text").first.evaluate("e => e.textContent.length") == 50_000
    page.locator(".clow-rest button").first.click()
    page.wait_for_function("document.querySelector('.clow-text').textContent.length === 600000")
    page.locator(".clow-rest button").first.click()
    page.locator(".clow-tree").wait_for()

    # A tree unfolds as far as it is looked into, and its search unfolds the way.
    assert page.locator(".clow-node").count() == 1
    page.locator(".clow-find").fill("key 3999")
    page.locator(".clow-node", has_text="key 3999").wait_for()
    assert page.locator(".clow-find-count").inner_text() == "1 of 1"
    page.locator(".clow-node", has_text="key 3999").click()
    assert page.locator(".clow-node", has_text="3999").count() >= 2
    assert len(sizes) >= 5 and max(sizes) <= PIECE + 1000 < 1_000_000


def test_a_viewer_below_its_grid_comes_into_sight(page: Any, ws: Workspace) -> None:
    page.set_viewport_size({"width": 800, "height": 620})
    beside = Beside(Grid(DatasetRows(ws.datasets.create("texts", [{"text": f"글 {n}"} for n in range(50)]))))
    show(page, beside.grid, beside.viewer)
    cell(page, 0, 1).dblclick()
    page.locator(".clow-fields").get_by_text("글 0", exact=True).wait_for()
    page.wait_for_function("document.querySelector('.clow-viewer').getBoundingClientRect().bottom <= innerHeight + 1")


@pytest.mark.parametrize("make", [lambda dataset: Grid(DatasetRows(dataset)), Sheet])
def test_a_viewer_goes_with_the_sort_and_closes_by_the_key_that_opened_it(page: Any, ws: Workspace, make: Callable[[Any], Grid]) -> None:
    beside = Beside(make(ws.datasets.create("calls", [{"_id": f"r{n}", "price": n} for n in range(30)])))
    show(page, beside.grid, beside.viewer)
    cell(page, 2, 1).click()
    page.keyboard.press("Space")
    page.locator(".clow-viewer-id", has_text="r2").wait_for()

    # By another sort or filter the row is another document.
    for first in ("0", "29"):
        page.locator(".ag-header-cell", has_text="price").first.click()
        page.wait_for_function("""first => document.querySelector('.ag-row[row-index="0"] [col-id="c1"]')?.textContent === first""", arg=first)
    page.locator(".clow-viewer-id", has_text="r27").wait_for()
    page.evaluate("window.model.set('filters', { price: '<2' }); window.model.save_changes()")
    page.locator(".clow-viewer-id", has_text="r0").wait_for()  # the last one that there is
    page.wait_for_function("""document.querySelector('.ag-row[row-index="0"] [col-id="c1"]')?.textContent === '1'""")

    cell(page, 0, 1).click()
    page.locator(".clow-viewer-id", has_text="r1").wait_for()
    page.keyboard.press("Space")
    page.locator(".clow-viewer").wait_for(state="hidden")
    page.keyboard.press("Space")
    page.locator(".clow-viewer-id", has_text="r1").wait_for()
    page.get_by_label("Close (Escape)").click()  # closed by its own cross, it opens again
    page.locator(".clow-viewer").wait_for(state="hidden")
    page.wait_for_function("document.querySelector('.clow-grid').contains(document.activeElement)")  # once the grid knows
    page.keyboard.press("Space")
    page.locator(".clow-viewer-id", has_text="r1").wait_for()


def test_a_viewer_of_a_sheet_sees_what_was_written(ws: Workspace) -> None:
    sheet = Sheet(receipts(ws, 3))
    beside = Beside(sheet)

    def says(widget: Any, type: str, **message: Any) -> Any:
        content, buffers = answer(widget.handlers(), {"type": type, "uuid": "1", **message})
        assert "error" not in content, content
        return content, buffers

    page, _ = says(sheet, "rows", start=0, end=3, sort=[])
    says(sheet, "look", row=2, key="note", open=True, serial=page["serial"], total=3)
    says(sheet, "write", serial=page["serial"], cells=[[2, "note", "고친 메모"]])
    assert (beside.viewer.at, beside.viewer.opened, beside.viewer.version) == ({"row": 2, "key": "note", "total": 3, "turn": 1}, True, 1)
    _, (document,) = says(beside.viewer, "document", row=2)
    assert [field["value"] for field in json.loads(document)["fields"] if field["key"] == "note"] == ["고친 메모"]
    content, (thumbnail,) = says(sheet, "thumbnails", cells=[[0, "image"], [1, "image"]], serial=page["serial"])
    assert Image.open(io.BytesIO(thumbnail)).size == (128, 64) and "cannot be shown" in content["made"][1][2]


@given(document=st.dictionaries(st.text(st.characters(), max_size=5), VALUES, max_size=5))
def test_any_document_is_described_below_a_megabyte(document: dict[str, Any]) -> None:
    told = json.dumps(describe(document, ["text", *document]), allow_nan=False, ensure_ascii=False).encode()
    assert len(told) < 1_000_000
    assert len(json.loads(told)["fields"]) == len(document) - ("_id" in document)
    assert json.loads(json.dumps(regions_of(document), allow_nan=False, ensure_ascii=False).encode())["order"] is not None


def test_keys_are_found_by_value_and_can_be_named(ws: Workspace) -> None:
    document = {"front": png(), "back": png(50, 50), "a": [{"bbox": [0, 0, 9, 9], "label": "a"}], "b": [{"bbox": [0, 0, 9, 9], "label": "b"}]}
    data = ws.datasets.create("two", [document])
    for options, first, labels in (({}, "front", ["a", "b"]), ({"picture": "back", "regions": "b"}, "back", ["b"])):
        viewer = Viewer(data, **options)
        _, (told,) = answer(viewer.handlers(), {"type": "document", "uuid": "1", "row": 0})
        pictures = json.loads(told)["pictures"]
        assert pictures[0]["path"] == [first]
        _, (found,) = answer(viewer.handlers(), {"type": "regions", "uuid": "2", "row": 0, "path": pictures[0]["path"], "size": [200, 100], "offset": 0})
        assert [region[2] for region in json.loads(found)["regions"]] == labels
