"""The page of a dataset: whatever the documents hold, and however many keys they have."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import QueryError
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.ui.base import answer
from clow_nb.ui.pages import find_code
from clow_nb.ui.querying import read_query
from clow_nb.ui.statistics_view import class_counts

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
    for place in range(3):
        view.children[1].selected_index = place
    assert "clow-error" not in view.children[1].children[1].children[0].value


def test_an_old_version_stays_what_it_was(ctx: Context) -> None:
    books = Datasets(ctx).create("books", [{"n": i} for i in range(5)])
    books.append([{"n": 5}])
    old, new = books.view(), Datasets(ctx)["books"].view()
    assert (len(_rows(old)), len(_rows(new))) == (5, 6)
    assert old.header.code == 'ws.datasets["books@1"].view()'


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


def test_classes_that_are_no_text(ctx: Context) -> None:
    numbers = Datasets(ctx).create("numbers", [{"y": i % 2, "x": i} for i in range(10)], label="y")
    counts = class_counts(numbers.split(train=1, test=1))
    assert set(counts.columns) == {"label", "split", "count"} and counts["count"].sum() == 10
