"""Order, sort and projection against MongoDB's rules, with mongomock as the oracle."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import mongomock
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import QueryError
from clow_nb.data.order import compile_projection, parse_sort, sort_documents, sort_key

SCALARS = st.sampled_from([-3, 2, 2.5, 7, "", "a", "가", None, datetime(2020, 1, 1), datetime(2026, 5, 5)])
OBJECTS = st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2)
VALUES = SCALARS | OBJECTS | st.lists(SCALARS, max_size=3) | st.lists(OBJECTS, max_size=3)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=6)


def _number(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_id": str(number)} | document for number, document in enumerate(documents)]


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, -1])), min_size=1, max_size=2))
def test_sort_is_as_in_mongomock(documents: list[dict[str, Any]], sort: list[tuple[str, int]]) -> None:
    scalars = [{k: v for k, v in d.items() if not isinstance(v, list | dict)} for d in documents]
    rows = _number(scalars)
    oracle = mongomock.MongoClient().db.rows
    oracle.insert_many([dict(row) for row in rows])
    assert [row["_id"] for row in sort_documents(rows, sort)] == [row["_id"] for row in oracle.find(sort=sort)]


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.lists(st.sampled_from(["a", "b.a", "a.b", "c"]), min_size=1, max_size=2, unique=True), st.sampled_from([0, 1]))
def test_projection_is_as_in_mongomock(documents: list[dict[str, Any]], paths: list[str], mark: int) -> None:
    assume(not {"a", "a.b"} <= set(paths))  # a collision of paths, which MongoDB refuses
    objects = [{k: v for k, v in d.items() if k == "c" or isinstance(v, dict)} for d in documents]  # mongomock needs them
    rows = _number(objects)
    oracle = mongomock.MongoClient().db.rows
    oracle.insert_many([dict(row) for row in rows])
    fields = dict.fromkeys(paths, mark)
    assert list(map(compile_projection(fields), rows)) == list(oracle.find({}, fields))


def test_lists_sort_by_their_smallest_or_greatest_value() -> None:
    rows: list[dict[str, Any]] = [{"n": 1, "a": [5, 1]}, {"n": 2, "a": 3}, {"n": 3, "a": []}, {"n": 4}]
    assert [row["n"] for row in sort_documents(rows, "a")] == [3, 4, 1, 2]
    assert [row["n"] for row in sort_documents(rows, [("a", -1)])] == [1, 2, 4, 3]


@pytest.mark.parametrize("sort", [[("a", 2)], [("a", True)], [("a",)], [5], [(5, 1)], {"a": "down"}])
def test_what_is_no_sort_is_refused(sort: Any) -> None:
    with pytest.raises(QueryError):
        parse_sort(sort)


@pytest.mark.parametrize("fields", [{"a": 1, "b": 0}, {"a": 2}, [5], {"a": "yes"}])
def test_what_is_no_projection_is_refused(fields: Any) -> None:
    with pytest.raises(QueryError):
        compile_projection(fields)


def test_id_is_kept_unless_it_is_dropped() -> None:
    row = {"_id": "1", "a": 1, "b": 2}
    assert compile_projection(["a"])(row) == {"_id": "1", "a": 1}
    assert compile_projection({"a": 1, "_id": 0})(row) == {"a": 1}
    assert compile_projection({"a": 0})(row) == {"_id": "1", "b": 2}
    assert compile_projection({"_id": 1})(row) == {"_id": "1"}
    assert compile_projection([])(row) == {"_id": "1"}
    assert compile_projection("a")(row) == {"_id": "1", "a": 1}


@given(st.lists(VALUES | st.booleans() | st.binary() | st.floats(), max_size=6))
def test_any_values_can_be_sorted(values: list[Any]) -> None:
    keys = sorted(map(sort_key, values))
    assert all(one <= other for one, other in pairwise(keys))
