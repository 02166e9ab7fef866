"""The page of a dataset: whatever the documents hold, and however many keys they have."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from harness import take_in

from clow_nb.core.context import Context
from clow_nb.core.errors import QueryError
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.ui.base import answer, parts_of
from clow_nb.ui.drafting import Cell
from clow_nb.ui.pages import find_code
from clow_nb.ui.querying import read_query

EVIL = "<img src=x onerror=alert(1)>"


def _rows(view: Any, **message: Any) -> list[Any]:
    content, buffers = answer(view.grid.handlers(), {"type": "rows", "uuid": "1", "start": 0, "end": 100, **message})
    assert "error" not in content, content
    return json.loads(buffers[0])


def test_documents_of_all_shapes(ctx: Context) -> None:
    documents = [
        {"a": 1, "b.c": "가", EVIL: EVIL, "when": datetime(2026, 1, 1, tzinfo=UTC)},
        {"a": "x", "nested": {"k": [1, {"deep": None}]}, "none": None},
        {"big": 2**70, "bytes": b"\x00\xff", "list": [1, 2]},
    ]
    view = Rawdatas(ctx).create("odd", documents).view()
    keys = [column["key"] for column in view.grid.columns]
    first, second, third = _rows(view)
    assert keys[0] == "_id" and {"a", "b.c", EVIL, "nested", "when"} <= set(keys)
    assert first[keys.index(EVIL)] == EVIL
    assert second[keys.index("a")] == "x" and first[keys.index("b.c")] == "가"
    assert second[keys.index("nested")]["kind"] == "json"
    assert third[keys.index("bytes")]["kind"] == "bytes" and third[keys.index("a")] is None
    assert EVIL not in view.static_html()


def test_an_empty_dataset_has_a_page(ctx: Context) -> None:
    view = Datasets(ctx).create("empty", label="topic").view()
    assert _rows(view) == []
    for place in range(4):
        view.tabs.selected_index = place
        assert not [part for part in parts_of(view.tabs.children[place]) if "clow-error" in str(getattr(part, "value", ""))]


def test_an_old_version_stays_what_it_was(ctx: Context) -> None:
    books = Datasets(ctx).create("books", [{"n": i} for i in range(5)])
    books.append([{"n": 5}])
    old, new = books.view(), Datasets(ctx)["books"].view()
    assert (len(_rows(old)), len(_rows(new))) == (5, 6)
    assert old.header.code == 'ws.datasets["books@1"].view()'
    assert "Version 1 (tester · 20" in old.header.description and "only looked at" in old.header.description
    assert new.header.description == ""


def test_a_wrong_filter_is_said_and_changes_nothing(ctx: Context) -> None:
    view = Datasets(ctx).create("books", [{"n": i} for i in range(5)]).view()
    for wrong in ("n > 3", "[]", '{"n": {"$nope": 1}}', "{"):
        with pytest.raises(QueryError):
            view.grid.ask(wrong)
        assert view.grid.query is None, wrong
    view.grid.ask('{"n": {"$gte": 3}}')
    assert len(_rows(view)) == 2
    view.grid.ask("")
    assert view.grid.query is None


def test_the_code_of_a_page_gives_its_rows(ctx: Context) -> None:
    books = Datasets(ctx).create("books", [{"it's": i % 3, "n": i} for i in range(9)])
    query, sort = {"it's": {"$in": [1, 2]}}, [["n", -1]]
    ws = type("ws", (), {"datasets": Datasets(ctx)})
    found = eval(find_code(books.ref, query, sort), {"ws": ws})
    assert found["n"].to_list() == [8, 7, 5, 4, 2, 1]


@pytest.mark.parametrize("text", ["nul", '{"a": }', "{'a': 1}", '"text"', "12", "[1]", '{"a": Infinity}'])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(QueryError):
        read_query(text)


def test_rawdata_has_its_tabs_and_opens_with_statistics(ctx: Context) -> None:
    view = Rawdatas(ctx).create("raw", [{"n": i} for i in range(5)]).view()
    assert view.tabs.titles == ("Statistics", "Browser", "Converter", "Versions", "Checks")
    view.narrow({"n": {"$gte": 1, "$lte": 3}})
    assert view.tabs.selected_index == 1 and len(_rows(view, filters=view.grid.filters)) == 3


def test_a_page_that_may_not_write_offers_nothing_that_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Datasets(Context.open(tmp_path)).create("books", [{"n": 1}, {"n": 1}])
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    view = Datasets(Context.open(tmp_path))["books"].view()
    for place in range(4):
        view.tabs.selected_index = place
    [history], [findings] = (view.tabs.children[place].children for place in (2, 3))
    assert view.editing is None and not findings.writes
    assert [button.description for button in history.tools.children[:-1]] == ["Open", "Compare", "Lineage"]
    assert "only looked at" in answer(findings.handlers(), {"type": "fix", "uuid": "1", "name": "duplicates"})[0]["error"]


def test_a_version_of_somebody_else_is_told_and_taken_over(ctx: Context) -> None:
    books = Datasets(ctx).create("books", [{"_id": f"b{i}", "n": i} for i in range(5)])
    view = books.view()
    view.grid.drafting.write({Cell("b1", "n"): "10"})
    view.grid.tell()
    for version, author in ((2, "Kim"), (3, "Lee")):
        edit = Datasets(ctx)["books"].edit(author=author)
        edit.set("b2", "n", version * 100)
        edit.commit()
    view.notice.look()
    assert view.notice.text == "v3 by Lee is there. What is not committed here stays (1)."
    assert view.dataset.version == 1 and [row[1] for row in _rows(view)] == [0, 10, 2, 3, 4]
    answer(view.notice.handlers(), {"type": "go", "uuid": "1"})
    assert view.dataset.version == 3 and view.notice.text == "" and [row[1] for row in _rows(view)] == [0, 10, 300, 3, 4]
    Datasets(ctx).delete("books")
    view.notice.look()
    assert view.notice.text == ""


def _import(view: Any, path: Path) -> Any:
    """Add the documents of a file on the page of a dataset; what the page says then."""
    view.tabs.selected_index = 0
    [adding] = view.tabs.children[0].children
    [add] = view.editing.tools.more.children
    add.click()
    intake = adding.children[3]
    take_in(intake, path)
    return adding


def test_documents_are_added_beside_what_is_not_committed(ctx: Context, tmp_path: Path) -> None:
    books = Datasets(ctx).create("books", [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}], key="sku")
    view, first = books.view(), next(books.documents())["_id"]
    view.grid.drafting.write({Cell(first, "n"): "10"})
    view.grid.tell()
    (tmp_path / "more.csv").write_text("sku,n\nc,3\n")
    adding = _import(view, tmp_path / "more.csv")
    assert "v2 · 1 added" in adding.said.value and dict(view.header.facts)["version"] == "2"
    assert view.unsaved() == 1 and [row[2] for row in _rows(view)] == [10, 2, 3]
    (tmp_path / "others.csv").write_text("sku,n\na,100\n")  # the same cell: whose shall stay is asked
    adding = _import(view, tmp_path / "others.csv")
    assert "v3 · 1 updated" in adding.said.value and view.editing.panel.children and view.unsaved() == 1
    conflicts, ways = view.editing.panel.children[0].children
    answer(conflicts.handlers(), {"type": "choose", "uuid": "1", "ours": [0]})
    ways.children[0].click()
    assert not view.editing.panel.children and [row[2] for row in _rows(view)] == [10, 2, 3]


def test_a_file_that_can_not_be_read_adds_nothing_to_the_page(ctx: Context, tmp_path: Path) -> None:
    view = Datasets(ctx).create("books", [{"n": 1}]).view()
    [adding] = view.tabs.children[0].children
    adding.receive()
    intake = adding.children[3]
    answer(intake.upload.handlers(), {"type": "look", "uuid": "1", "place": str(tmp_path / "none.csv")})
    until = time.monotonic() + 150
    while not intake.upload.problem and time.monotonic() < until:
        answer(intake.upload.handlers(), {"type": "state", "uuid": "1"})
        time.sleep(0.01)
    assert "There is no file" in intake.upload.problem
    adding.way_back.click()
    assert view.dataset.at("latest").version == 1 and view.editing.layout.display is None


def test_bytes_are_not_typed_and_a_key_without_letters_has_a_name(ctx: Context) -> None:
    odd = Datasets(ctx).create("odd", [{"_id": "a", "seal": b"\x00\xff", "": 1}])
    view = odd.view()
    columns = {column["key"]: column for column in view.grid.columns}
    assert not columns["seal"]["editable"] and "set by code" in columns["seal"]["fixed"]
    assert columns[""]["name"] == '""' and columns[""]["editable"]
    assert "set by code" in view.grid.drafting.write({Cell("a", "seal"): "00 ff"})[Cell("a", "seal")]
    many = answer(view.grid.handlers(), {"type": "count", "uuid": "1", "target": {"ids": ["a"]}, "key": "seal", "kind": None, "text": "00"})[0]
    assert "set by code" in many["problem"]
    assert view.unsaved() == 0 and next(odd.at("latest").documents())["seal"] == b"\x00\xff"


@pytest.mark.slow
def test_a_saved_notebook_shows_a_table_where_no_kernel_runs(ctx: Context, tmp_path: Path) -> None:
    Datasets(ctx).create("books", [{"title": "엠마", "Price": n} for n in range(5)])
    code = f"from clow_nb import Workspace\nWorkspace({str(ctx.home)!r}).datasets['books'].view()"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), tmp_path / "report.ipynb")
    command = "-m nbconvert --to html --execute --ExecutePreprocessor.store_widget_state=False report.ipynb"
    done = subprocess.run([sys.executable, *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count("<td>엠마</td>") == 5 and "clow-table" in page and "widget-view+json" not in page


def test_a_large_dataset_is_shown_before_it_is_counted(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clow_nb.ui.pages._QUICK", 4)
    text = Datasets(ctx).create("books", [{"n": i} for i in range(5)]).view().static_html()
    assert "<td" in text and "Statistics" not in text
