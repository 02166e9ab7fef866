"""Edits: undo and redo, targets, and what happens when others were faster."""

from typing import Any

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, ConflictError, DataError, NotFound
from clow_nb.data.dataset import Dataset, Datasets


@pytest.fixture
def books(ctx: Context) -> Dataset:
    return Datasets(ctx).create("books", [{"_id": x, "title": x * 2, "price": i, "genre": "시" if i % 2 else "SF"} for i, x in enumerate("abcdef")])


def _document(dataset: Dataset, identity: str) -> dict[str, Any] | None:
    return next(dataset.documents({"_id": identity}), None)


def test_undo_and_redo_walk_the_steps(books: Dataset) -> None:
    edit = books.edit()
    edit.set("a", "price", 10)
    edit.set(["a", "b"], "price", 20)
    edit.delete({"genre": "시"})
    assert edit.preview().cells["change"].to_list() == ["updated", "removed", "removed", "removed"]
    assert edit.undo() and edit.undo()
    assert edit.preview().cells.select("_id", "before", "after").rows() == [("a", "0", "10")]
    assert edit.redo()
    edit.set("c", "price", 30)  # a new step forgets what could be redone
    assert not edit.redo()
    while edit.undo():
        pass
    assert edit.preview().cells.is_empty()
    assert edit.commit("nothing").version == 1


def test_filters_see_the_edit_so_far(books: Dataset) -> None:
    edit = books.edit()
    edit.set({"genre": "SF"}, "price", 99)
    edit.unset({"price": 99}, "title")
    [new] = edit.insert({"price": 99})
    assert edit.delete({"price": 99, "title": {"$exists": False}}) == 4
    after = edit.commit()
    assert [d["_id"] for d in after.documents()] == ["b", "d", "f"]
    assert new not in {d["_id"] for d in after.documents()}


def test_one_edit_is_one_version_with_author_and_message(books: Dataset) -> None:
    edit = books.edit(author="jun")
    edit.set("a", "새 키", {"깊이": [1]})
    edit.set("a", "price", "비쌈")
    edit.insert([{"title": "x"}, {"_id": "mine", "title": None}])
    edit.delete("f")
    after = edit.commit("여럿")
    assert after.versions().select("version", "operation", "author", "message", "added", "updated", "removed").row(1) == (
        2, "edit", "jun", "여럿", 2, 1, 1,
    )
    assert _document(after, "a") == {"_id": "a", "title": "aa", "price": "비쌈", "genre": "SF", "새 키": {"깊이": [1]}}
    assert _document(after, "mine") == {"_id": "mine", "title": None}
    assert [d["_id"] for d in after.documents()][:5] == ["a", "b", "c", "d", "e"]


def test_other_cells_are_rebased_the_same_cell_is_refused(books: Dataset) -> None:
    one, two, three = books.edit("one"), books.edit("two"), books.edit("three")
    one.set("a", "price", 1)
    one.delete("c")
    two.set("a", "title", "둘")
    two.delete("c")
    three.set("a", "price", 3)
    three.set("c", "price", 3)
    three.set("d", "price", 3)
    one.commit()
    after = two.commit()
    assert _document(after, "a") == {"_id": "a", "title": "둘", "price": 1, "genre": "SF"}
    with pytest.raises(ConflictError, match=r"Others changed 2 of your cells after version 1: a\.price, c\._id\. Nothing was written\. Look at version 3"):
        three.commit()
    assert after.at("latest").version == 3
    three.undo()
    assert three.undo() and three.undo()
    three.set("d", "price", 33)
    assert three.commit().version == 4


def test_the_same_value_twice_is_a_conflict_too(books: Dataset) -> None:
    one, two, three = books.edit(), books.edit(), books.edit()
    for edit in (one, two):
        edit.set("a", "price", 1)  # both counted one up
    for edit in (one, three):
        edit.delete("b")
    assert one.commit().version == 2
    with pytest.raises(ConflictError, match=r"1 of your cells after version 1: a\.price\."):
        two.commit()
    assert three.commit().version == 2  # what both removed is gone: nothing was left to write


def test_deleting_what_others_changed_is_refused(books: Dataset) -> None:
    one, two = books.edit(), books.edit()
    one.set("a", "price", 7)
    two.delete("a")
    one.commit()
    with pytest.raises(ConflictError, match=r"a\.price"):
        two.commit()


def test_what_is_wrong_is_said_at_once(books: Dataset) -> None:
    edit = books.edit()
    for act, kind, words in [
        (lambda: edit.set("nobody", "price", 1), NotFound, "books@1 has no document with _id 'nobody'"),
        (lambda: edit.delete(["a", "zz"]), NotFound, "'zz'"),
        (lambda: edit.set("a", "_id", "b"), DataError, "'_id' cannot be edited"),
        (lambda: edit.set("a", 3, "b"), DataError, "The key 3 cannot be edited"),
        (lambda: edit.set("a", "k", {1, 2}), DataError, "type set"),
        (lambda: edit.insert({"_id": "a"}), AlreadyExists, "'a' already"),
        (lambda: edit.insert([{"_id": "n"}, {"_id": "n"}]), AlreadyExists, "'n' already"),
    ]:
        with pytest.raises(kind, match=words):
            act()
    assert edit.preview().cells.is_empty()


def test_a_big_edit_is_one_transaction(ctx: Context) -> None:
    dataset = Datasets(ctx).create("big", pl.DataFrame({"n": range(5000), "text": ["x"] * 5000}))
    edit = dataset.edit()
    edit.set({"n": {"$gte": 2500}}, "text", "y")
    edit.delete({"n": {"$lt": 100}})
    after = edit.commit()
    assert after.scan().group_by("text").len().sort("text").collect().rows() == [("x", 2400), ("y", 2500)]
    assert len(after.diff()) == 2600
