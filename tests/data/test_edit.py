"""Edits: undo and redo, targets, and what happens when others were faster."""

import json
import re
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, ConflictError, DataError, NotFound, ParameterError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.values import same


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


# --- keys renamed and retyped


@pytest.fixture
def messy(ctx: Context) -> Dataset:
    prices: list[Any] = ["1,234", " 3 ", 7, 8.0, None, "비쌈", "12.5"]
    return Datasets(ctx).create("messy", [{"_id": f"m{i}", "price": p, "label": "ab"[i % 2]} for i, p in enumerate(prices)] + [{"_id": "m7"}], label="label")


def _prices(dataset: Dataset) -> list[Any]:
    return [document.get("price", "missing") for document in dataset.documents()]


def test_retype_reads_text_as_people_write_it(messy: Dataset) -> None:
    edit = messy.edit()
    with pytest.raises(DataError, match=r"'price' cannot become int in 2 documents, such as m5 \('비쌈'\), m6 \('12\.5'\)\. Correct them"):
        edit.retype("price", int)
    assert edit.preview().cells.is_empty()
    for errors, last in [("keep", ["비쌈", "12.5"]), ("null", [None, None]), ("unset", ["missing", "missing"])]:
        edit = messy.edit()
        edit.retype("price", "int", errors=errors)
        after = edit.commit(errors)
        assert _prices(after) == [1234, 3, 7, 8, None, *last, "missing"], errors
        assert after.scan().collect_schema()["price"] == pl.Int64
        assert after.statistics().filter(key="price")["mean"].to_list() == [313.0]
        assert _prices(after.restore(1)) == _prices(messy)
        assert set(after.at("latest").diff(1, after.version + 1)["key"]) == set()
    with pytest.raises(ParameterError, match="no type 'money'"):
        edit.retype("price", "money")


def test_a_retyped_key_is_the_same_key_in_every_version(messy: Dataset) -> None:
    edit = messy.edit()
    edit.retype("price", "float", errors="keep")
    two = edit.commit()
    three = two.append([{"_id": "m8", "price": 0.5, "new": 1}, {"_id": "m9", "price": "text"}])
    edit = three.edit()
    edit.retype("price", "text")
    four = edit.commit()
    edit = four.edit()
    edit.retype("price", float, errors="unset")
    five = edit.commit()
    assert [type(p).__name__ for p in _prices(two)] == ["float"] * 4 + ["NoneType", "str", "float", "str"]
    assert _prices(four) == ["1234.0", "3.0", "7.0", "8.0", None, "비쌈", "12.5", "missing", "0.5", "text"]
    assert _prices(five) == [1234.0, 3.0, 7.0, 8.0, None, "missing", 12.5, "missing", 0.5, "missing"]
    assert set(five.keys) == {"label", "price", "new"}
    for dataset in (messy, two, three, four):
        assert dataset.count({"price": {"$exists": True}}) == sum(p != "missing" for p in _prices(dataset))
        back = five.at("latest").restore(dataset.version)
        assert {d["_id"]: d for d in back.documents()} == {d["_id"]: d for d in dataset.documents()}
        assert back.diff(dataset.version, back.version).is_empty()
    changes = five.diff(1, 5).rows()
    assert ("m0", "updated", "price", '"1,234"', "1234.0") in changes
    assert ("m0", "updated", "price", "1234.0", '"1,234"') in five.diff(5, 1).rows()


def test_rename_moves_values_and_shows_no_empty_key(messy: Dataset) -> None:
    edit = messy.edit()
    edit.rename_key("price", "cost")
    after = edit.commit()
    assert [d.get("cost", "missing") for d in after.documents()] == _prices(messy)
    assert set(after.keys) == {"cost", "label"} == set(after.find().columns) - {"_id"} == set(after.scan().collect_schema()) - {"_id", "_pos"}
    assert after.statistics()["key"].sort().to_list() == ["cost", "label"]
    assert set(messy.keys) == {"price", "label"}
    again = after.append([{"price": 1}])
    assert set(again.keys) == {"price", "cost", "label"}
    edit = again.edit()
    with pytest.raises(DataError, match="1 documents have 'price' and 'both'"):
        edit.set({"price": 1}, "both", 2)
        edit.rename_key("price", "both")
    edit.rename_key("cost", "price", {"label": "a"})
    last = edit.commit()
    assert [d["_id"] for d in last.documents({"price": {"$exists": True}})] == ["m0", "m2", "m4", "m6", "3-0"]
    assert [d["_id"] for d in last.documents({"cost": {"$exists": True}})] == ["m1", "m3", "m5"]
    assert _prices(last.restore(1)) == _prices(messy) and set(last.at("latest").keys) == {"price", "label"}


def test_set_takes_a_function_of_the_document(books: Dataset) -> None:
    edit = books.edit()
    edit.set({"genre": "SF"}, "price", lambda document: document["price"] * 10)
    edit.set(["a", "b"], "tags", lambda document: [document["title"], document["genre"]])
    after = edit.commit()
    assert [d["price"] for d in after.documents()] == [0, 1, 20, 3, 40, 5]
    assert _document(after, "b") == {"_id": "b", "title": "bb", "price": 1, "genre": "시", "tags": ["bb", "시"]}
    with pytest.raises(DataError, match="type set"):
        books.edit().set("a", "k", lambda document: {1})


def test_a_preview_counts_and_describes(books: Dataset) -> None:
    dataset = Datasets(books.ctx).create("d-labels", list(books.documents()), label="genre")
    edit = dataset.edit()
    edit.set("a", "genre", "시")
    edit.delete("b")
    edit.insert({"price": 100, "genre": "에세이"})
    preview = edit.preview()
    assert preview.counts.row(0) == (None, 6, 6, 1, 1, 1)
    assert sorted(preview.counts.rows()[1:]) == [("SF", 3, 2, 0, 1, 0), ("시", 3, 3, 0, 1, 1), ("에세이", 0, 1, 1, 0, 0)]
    price = preview.statistics.filter(key="price")
    assert price.select("state", "count", "max").rows() == [("before", 6, 5.0), ("after", 6, 100.0)]
    assert "1 added, 1 updated, 1 removed: 6 documents become 6." in preview._repr_html_()
    after = edit.commit()
    assert sorted(after.diff().rows(), key=str) == sorted(preview.cells.rows(), key=str)


# --- rules are another way to do the same

VALUES = st.sampled_from([0, 1, 2.5, "1", "1,000", "x", None, True, [1], {"k": 1}, 2**70])
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3), min_size=1, max_size=6)
QUERIES = st.sampled_from([{}, {"a": 1}, {"b": {"$exists": True}}, {"c": {"$ne": None}}, {"_id": {"$in": ["d0", "d3"]}}])
KEYS = st.sampled_from(["a", "b", "c", "new"])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), QUERIES, KEYS, VALUES),
        st.tuples(st.just("set"), QUERIES, KEYS, st.just(lambda document: len(document))),
        st.tuples(st.just("set"), st.just("d0"), KEYS, VALUES),
        st.tuples(st.just("unset"), QUERIES, KEYS),
        st.tuples(st.just("delete"), QUERIES),
        st.tuples(st.just("rename_key"), KEYS, KEYS, QUERIES),
        st.tuples(st.just("retype"), KEYS, st.sampled_from(["int", "text", "list"]), st.none() | QUERIES, st.sampled_from(["keep", "null", "unset", "raise"])),
        st.tuples(st.just("insert"), st.just([{"_id": "added", "a": "1"}])),
        st.tuples(st.sampled_from(["undo", "redo"])),
    ),
    min_size=1,
    max_size=6,
)


def _edited(dataset: Dataset, acts: list[tuple], other: list[tuple]) -> Any:
    """What comes of an edit, while somebody else sets cells: the errors, the preview, and the documents or the conflict."""
    edit, log = dataset.edit(), []
    for name, *arguments in acts:
        try:
            getattr(edit, name)(*arguments)
        except (AlreadyExists, DataError, NotFound) as error:
            log.append(type(error).__name__)
    cells = edit.preview().cells
    for name, *arguments in other:
        theirs = dataset.at("latest").edit()
        getattr(theirs, name)(*arguments)
        theirs.commit()
    try:
        after = edit.commit()
    except ConflictError as error:
        return log, sorted(cells.rows(), key=str), sorted(re.findall(r"\w+\.\w+", str(error).split(". Nothing")[0]))
    documents = {document["_id"]: document for document in after.documents()}
    assert len(after) == len(documents)
    return log, sorted(cells.rows(), key=str), documents


@given(DOCUMENTS, ACTS, st.lists(st.tuples(st.just("set"), st.just("d0"), KEYS, VALUES), max_size=1))
@settings(max_examples=settings.default.max_examples // 4, deadline=None)
def test_rules_do_what_single_documents_do(tmp_path_factory: Any, documents: list[dict], acts: list[tuple], other: list[tuple]) -> None:
    datasets = Datasets(Context.open(tmp_path_factory.mktemp("ws") / ".clow"))
    found = []
    for name, many in [("d-single", 1000), ("d-rules", -1)]:
        dataset = datasets.create(name, [{"_id": f"d{i}", **document} for i, document in enumerate(documents)])
        with patch("clow_nb.data.targets._MANY", many):
            found.append(_edited(dataset, acts, other))
    assert same(_sorted(found[0]), _sorted(found[1]))


def _sorted(found: Any) -> list[Any]:
    """Without the order of keys in the texts of a preview."""
    log, cells, rest = found
    texts = [[*row[:3], *(text and json.dumps(json.loads(text), sort_keys=True) for text in row[3:])] for row in cells]
    return [log, sorted(texts, key=str), rest]


def test_a_rule_that_deletes_meets_what_others_changed(books: Dataset) -> None:
    with patch("clow_nb.data.targets._MANY", -1):
        edit = books.edit()
        assert edit.delete({"genre": "시"}) == 3
        theirs = books.edit()
        theirs.set(["b", "c"], "price", 100)
        theirs.commit()
        with pytest.raises(ConflictError, match=r"1 of your cells after version 1: b\.price"):
            edit.commit()


def test_a_cell_set_back_by_hand_stays_out_of_the_bulk_change(books: Dataset) -> None:
    with patch("clow_nb.data.targets._MANY", 3):
        edit = books.edit()
        edit.set({}, "price", 99)
        edit.set("b", "price", 1)  # as it was
        assert edit.rules
        other = books.edit()
        other.set("c", "title", "다른 책")
        other.commit()
        assert [document["price"] for document in edit.commit().documents()] == [99, 1, 99, 99, 99, 99]
