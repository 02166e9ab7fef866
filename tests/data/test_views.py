"""A view shows an edit as the documents themselves would be filtered and sorted."""

import random
from pathlib import Path
from typing import Any

import pytest

from clow_nb import Workspace
from clow_nb.core.errors import FileError
from clow_nb.data.order import sort_documents
from clow_nb.data.query import compile_query
from clow_nb.data.views import View

VALUES = [0, 1, 2, 2.0, 1.5, "a", "가", None, [], [1, "b"], {"x": 1}]
QUERIES: list[Any] = [None, {"n": {"$gte": 1}}, {"n": None}, {"text": {"$exists": True}}, {"n": {"$in": [2, "a"]}}]
SORTS: list[Any] = [None, "n", [("n", -1)], [("text", -1), ("n", 1)], [("n", 1), ("text", 1)]]


def a_document(chance: random.Random) -> dict[str, Any]:
    return {key: chance.choice(VALUES) for key in ("n", "text") if chance.random() < 0.8}


@pytest.mark.parametrize("seed", range(3))
def test_any_view_is_the_one_that_python_finds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ds = Workspace(tmp_path).datasets.create("views", [a_document(chance) for _ in range(60)])
    first = ds.edit()
    first.set({"n": 2}, "n", 1)  # rows that are written again leave their place in the table
    ds = first.commit("moved")
    edit = ds.edit()
    known = [document["_id"] for document in ds.documents()]
    for _ in range(25):
        alive = [identity for identity, document in edit.look_up(known).items() if document is not None]
        match chance.randrange(5):
            case 0:
                known += edit.insert([a_document(chance)])
            case 1:
                edit.delete([chance.choice(alive)])
            case 2:
                edit.undo()
            case _:
                edit.set(chance.choice(alive), "n", chance.choice(VALUES))
    now = [document for document in edit.look_up(known).values() if document is not None]
    for query in QUERIES:
        for sort in SORTS:
            wanted = sort_documents(filter(compile_query(query), now), sort)
            view = View(edit, query, sort)
            rows = [row for skip in range(0, len(view), 7) for row in view.page(skip, 7)]
            assert [row.after for row in rows] == wanted, (query, sort)
            before = edit.originals(document["_id"] for document in wanted)
            assert [row.before for row in rows] == list(before.values())


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*.lance") if path.is_file()}


def test_what_is_shown_is_edited_without_another_look(tmp_path: Path) -> None:
    edit = Workspace(tmp_path).datasets.create("views", [{"_id": f"r{number}", "n": number} for number in range(300)]).edit()
    rows = list(View(edit, None, [("n", -1)]).page(100, 10))
    for path in files(tmp_path):
        path.unlink()
    ids = [row.before["_id"] for row in rows if row.before]
    edit.set(ids, "n", 0)
    assert [document and document["n"] for document in edit.look_up(ids).values()] == [0] * 10
    with pytest.raises(FileError, match="can't be read"):
        edit.look_up(["r0"])


def test_rows_whose_ids_were_told_are_read_by_number(tmp_path: Path) -> None:
    ds = Workspace(tmp_path).datasets.create("views", [{"_id": f"r{number}", "n": number} for number in range(300)])
    older, first = files(tmp_path), ds.edit()
    first.insert([{"n": number} for number in range(300, 600)])
    edit = first.commit("more").edit()
    ids = View(edit, None, [("n", -1)]).ids(0, 250)
    for path in older:
        path.unlink()
    assert [document and document["n"] for document in edit.look_up(ids).values()] == list(range(599, 349, -1))
    with pytest.raises(FileError, match="can't be read"):
        edit.look_up(["an id that no page told"])
