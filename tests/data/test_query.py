"""Queries against MongoDB's rules, with mongomock as the oracle."""

import math
import re
from datetime import UTC, date, datetime
from typing import Any

import mongomock
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clow_nb.data.query import compile_query, query_keys

NUMBERS = st.sampled_from([-3, 2, 2.0, 2.5, 7, 10**6])
TEXTS = st.sampled_from(["", "a", "b", "abc", "가나다", "a.c"])
SCALARS = NUMBERS | TEXTS | st.none() | st.sampled_from([datetime(2020, 1, 1), datetime(2026, 5, 5, 1, 2, 3)])
OBJECTS = st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2)
VALUES = SCALARS | OBJECTS | st.lists(SCALARS, max_size=3) | st.lists(OBJECTS, max_size=3)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=6)
PATHS = st.sampled_from(["a", "b", "c", "a.a", "a.b", "b.a"])
NOT_NULL = SCALARS.filter(lambda value: value is not None)

OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), NOT_NULL),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(NOT_NULL, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$regex"), st.sampled_from(["a", "^a", "c$", "나", "a.c"])),
    st.tuples(st.just("$type"), st.sampled_from(["double", "string", "object", "array", "date", "int", "long", "number", "bool"])),
)
CONDITION = st.builds(lambda path, pair: {path: dict([pair])}, PATHS, OPERATORS)
PLAIN = st.builds(lambda path, value: {path: value}, PATHS, NOT_NULL)
NULL = st.builds(
    lambda path, name: {path: {name: [None, 2]} if name in ("$in", "$nin") else {name: None} if name else None},
    st.sampled_from("abc"), st.sampled_from(["", "$eq", "$ne", "$in", "$nin"]),
)  # fmt: skip
NEGATED = st.builds(lambda path, pair: {path: {"$not": dict([pair])}}, PATHS, OPERATORS)
QUERIES = st.recursive(
    CONDITION | PLAIN | NULL | NEGATED,
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


def _number(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_id": str(number)} | document for number, document in enumerate(documents)]


def _is_gap_of_the_oracle(query: Any) -> bool:
    """On a path into a list, mongomock decides `$not` and `$exists: false` for each element; MongoDB for all of them."""
    return bool(re.search(r"'[ab]\.[ab]': \{('\$not'|'\$exists': False)", repr(query)))


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, QUERIES)
def test_filters_find_what_mongomock_finds(documents: list[dict[str, Any]], query: dict[str, Any]) -> None:
    assume(not _is_gap_of_the_oracle(query) or all(isinstance(d.get(k, {}), dict) for d in documents for k in "ab"))
    rows = _number(documents)
    oracle = mongomock.MongoClient().db.rows
    oracle.insert_many([dict(row) for row in rows])
    ours = [row["_id"] for row in filter(compile_query(query), rows)]
    assert ours == [row["_id"] for row in oracle.find(query)]


LISTS = st.lists(SCALARS, max_size=4) | st.lists(OBJECTS, max_size=3)
LISTED = st.lists(st.dictionaries(st.sampled_from("abc"), LISTS, max_size=3), min_size=1, max_size=6)
MODS = st.tuples(st.sampled_from([2, 3, -3, 5]), st.sampled_from([0, 1, 2, -1]))
OF_ONE = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$gt", "$gte", "$lt", "$lte"]), NOT_NULL),
    st.tuples(st.just("$in"), st.lists(NOT_NULL, max_size=3)),
    st.tuples(st.just("$type"), st.sampled_from(["string", "number", "date"])),
    st.tuples(st.just("$mod"), MODS.map(list)),
)
VALUE_FORM = st.lists(OF_ONE, min_size=1, max_size=2).map(dict)
OBJECT_FORM = st.dictionaries(st.sampled_from("ab"), OF_ONE.map(lambda pair: dict([pair])), min_size=1, max_size=2)
OF_LISTS = st.one_of(
    st.tuples(st.just("$size"), st.integers(0, 4)),
    st.tuples(st.just("$mod"), MODS.map(list)),
    st.tuples(st.just("$all"), st.lists(NOT_NULL, min_size=1, max_size=2)),
    st.tuples(st.just("$all"), st.lists(OBJECT_FORM.map(lambda query: {"$elemMatch": query}), min_size=1, max_size=2)),
    st.tuples(st.just("$elemMatch"), VALUE_FORM | OBJECT_FORM),
)
NUMBERS_USED = [-3, 2, 2.5, 7, 10**6]


def _for_oracle(query: Any) -> Any:
    """mongomock knows no `$mod`: in its place the numbers of these documents that leave the remainder, by C's own `fmod`."""
    if isinstance(query, list):
        return [_for_oracle(part) for part in query]
    if not isinstance(query, dict):
        return query
    if "$mod" not in query:
        return {key: _for_oracle(part) for key, part in query.items()}
    divisor, remainder = query["$mod"]
    found = [number for number in NUMBERS_USED if math.fmod(math.trunc(number), divisor) == remainder]
    others = {key: part for key, part in query.items() if key != "$mod"}
    return others | {"$in": [n for n in found if n in others["$in"]] if "$in" in others else found}


@settings(max_examples=150, deadline=None)
@given(LISTED, st.lists(st.builds(lambda path, pair: {path: dict([pair])}, st.sampled_from("abc"), OF_LISTS), min_size=1, max_size=3),
       st.sampled_from(["$and", "$or", "$nor"]))  # fmt: skip
def test_operators_of_lists_find_what_mongomock_finds(documents: list[dict[str, Any]], parts: list[Any], name: str) -> None:
    """On lists only: mongomock's `$size` also counts the keys of objects and takes a scalar for a list of one, MongoDB's does not."""
    rows, query = _number(documents), {name: parts}
    oracle = mongomock.MongoClient().db.rows
    oracle.insert_many([dict(row) for row in rows])
    assert [row["_id"] for row in filter(compile_query(query), rows)] == [row["_id"] for row in oracle.find(_for_oracle(query))]


def _hits(query: dict[str, Any], *values: Any) -> list[Any]:
    holds = compile_query(query)
    return [value for value in values if holds({"a": value})]


def test_true_is_no_number() -> None:
    assert _hits({"a": 1}, True, 1, 1.0, "1") == [1, 1.0]
    assert [type(v) for v in _hits({"a": True}, True, 1)] == [bool]
    assert _hits({"a": {"$gt": False}}, True, 5) == [True]
    assert [type(v) for v in _hits({"a": {"$in": [1]}}, True, 1, 1.0)] == [int, float]


def test_integers_beyond_floats_stay_exact() -> None:
    assert _hits({"a": {"$gt": float(2**53)}}, 2**53, 2**53 + 1) == [2**53 + 1]
    assert _hits({"a": 10**30}, 10**30, 10**30 + 1, 1e30) == [10**30]


def test_nan_is_equal_to_itself_and_beside_all_numbers() -> None:
    nan = float("nan")
    assert len(_hits({"a": nan}, nan, 1.0)) == 1
    assert len(_hits({"a": {"$gte": nan}}, nan, 1.0)) == 1
    assert _hits({"a": {"$lt": 5}}, nan, 1.0) == [1.0]
    assert _hits({"a": {"$gt": nan}}, nan, 1.0) == []
    assert _hits({"a": {"$in": [nan]}}, 2, nan)[0] != 2


def test_null_stands_for_what_is_not_there() -> None:
    """As in `null_query_semantics.js` of MongoDB's own tests."""
    documents: list[dict[str, Any]] = [
        {"_id": "number", "a": 4}, {"_id": "none"}, {"_id": "null", "a": None}, {"_id": "object", "a": {}},
        {"_id": "value", "a": {"b": "hi"}}, {"_id": "list", "a": []}, {"_id": "numbers", "a": [1]},
        {"_id": "some", "a": [{"b": 3}, {}]}, {"_id": "all", "a": [{"b": 1}]}, {"_id": "double", "a": [[]]},
    ]  # fmt: skip
    hits = [d["_id"] for d in filter(compile_query({"a.b": None}), documents)]
    assert hits == ["number", "none", "null", "object", "some"]
    assert [d["_id"] for d in filter(compile_query({"a.b": {"$exists": True}}), documents)] == ["value", "some", "all"]
    assert _hits({"a": {"$gte": None}}, None, 0) == [None]
    assert _hits({"a": {"$gt": None}}, None, 0) == []


def test_dates_compare_with_times_and_across_zones() -> None:
    assert _hits({"a": {"$gte": date(2026, 1, 1)}}, date(2025, 12, 31), datetime(2026, 1, 1), "2026-01-01") == [datetime(2026, 1, 1)]
    assert _hits({"a": datetime(2026, 1, 1, tzinfo=UTC)}, datetime(2026, 1, 1)) == [datetime(2026, 1, 1)]


def test_lists_match_by_element_and_as_a_whole() -> None:
    assert _hits({"a": [1, 2]}, [1, 2], [2, 1], [[1, 2]]) == [[1, 2], [[1, 2]]]
    assert _hits({"a": {"$in": [[1], 3]}}, [1], [3], 1) == [[1], [3]]
    assert _hits({"a.1": {"$gt": 5}}, [9, 1], [1, 9], [1, [6]]) == [[1, 9], [1, [6]]]
    assert _hits({"a": {"$gt": 3, "$lt": 3}}, [1, 5]) == [[1, 5]]


def test_keys_with_dots_are_found_by_their_name() -> None:
    holds = compile_query({"a.b.c": 1})
    assert all(map(holds, [{"a.b.c": 1}, {"a": {"b": {"c": 1}}}, {"a.b": {"c": 1}}, {"a": {"b.c": 1}}]))
    assert query_keys({"a.b.c": 1}) == {"a", "a.b", "a.b.c"}


def test_odd_keys_can_be_asked_for() -> None:
    for key in ("", " ", "한글 키", "😀", "a..b", ".", "'", "`", "_rest"):
        assert compile_query({key: 1})({key: 1}) and not compile_query({key: 1})({})


def test_elements_are_asked_for_all_conditions_at_once() -> None:
    """After the examples of the manual, and of elements that are lists themselves."""
    assert _hits({"a": {"$elemMatch": {"$gt": 3, "$lt": 5}}}, [1, 9], [4], 4, [[4]]) == [[4]]
    assert _hits({"a": {"$elemMatch": {"$elemMatch": {"$gt": 3}}}}, [[4]], [4]) == [[[4]]]
    assert _hits({"a": {"$elemMatch": {"x": 1, "y": {"$exists": False}}}}, [{"x": 1}], [{"x": 1, "y": 2}], {"x": 1}) == [[{"x": 1}]]
    assert _hits({"a": {"$elemMatch": {"0": 4}}}, [[4]], [4], [{"0": 4}]) == [[[4]], [{"0": 4}]]
    assert _hits({"a": {"$elemMatch": {}}}, [{}], [1], []) == [[{}]]
    assert _hits({"a": {"$elemMatch": {"$not": {"$gt": 3}}}}, [4], [4, 1], []) == [[4, 1]]
    assert _hits({"a": {"$elemMatch": {"$or": [{"x": 1}, {"y": 1}]}}}, [{"y": 1}], [{"z": 1}]) == [[{"y": 1}]]
    assert _hits({"a": {"$elemMatch": {"$exists": True}}}, [None], []) == [[None]]
    assert _hits({"a": {"$not": {"$elemMatch": {"$gt": 3}}}}, [4], [1], 9) == [[1], 9]


def test_all_takes_lists_and_patterns_and_needs_something() -> None:
    assert _hits({"a": {"$all": [["x", "y"]]}}, ["x", "y"], [["x", "y"]], ["y", "x"]) == [["x", "y"], [["x", "y"]]]
    assert _hits({"a": {"$all": [re.compile("^x"), "y"]}}, ["xx", "y"], ["y"]) == [["xx", "y"]]
    assert _hits({"a": {"$all": [5]}}, 5, [5, 6], 6) == [5, [5, 6]]
    assert _hits({"a": {"$all": []}}, [], 5) == []


def test_sizes_are_of_lists_alone() -> None:
    assert _hits({"a": {"$size": 1}}, [5], [[1, 2]], 5, "x", {"x": 1}, None) == [[5], [[1, 2]]]
    assert [d["n"] for d in filter(compile_query({"a.b": {"$size": 2}}), [{"n": 1, "a": [{"b": [1, 2]}]}, {"n": 2, "a": {"b": [1]}}])] == [1]


def test_types_are_by_name_by_number_and_by_element() -> None:
    values: list[Any] = [1.0, "x", {}, [], b"", True, date(2026, 1, 1), None, 1, 2**31, 2**63]
    for name, number, hit in (("double", 1, 0), ("string", 2, 1), ("object", 3, 2), ("array", 4, 3), ("binData", 5, 4), ("bool", 8, 5),
                              ("date", 9, 6), ("null", 10, 7), ("int", 16, 8), ("long", 18, 9), ("decimal", 19, 10)):  # fmt: skip
        assert _hits({"a": {"$type": name}}, *values) == _hits({"a": {"$type": number}}, *values) == [values[hit]]
    assert _hits({"a": {"$type": ["number", "bool"]}}, *values) == [1.0, True, 1, 2**31, 2**63]
    assert _hits({"a": {"$type": "string"}}, ["x"], [1], [["x"]]) == [["x"]]
    assert _hits({"a": {"$type": "objectId"}}, *values) == [] == list(filter(compile_query({"b": {"$type": "null"}}), [{"a": 1}]))


def test_remainders_keep_the_sign_and_cut_fractions() -> None:
    assert _hits({"a": {"$mod": [4, 0]}}, 8, 8.9, -4, 10**30, [3, 4], "4", True, float("inf")) == [8, 8.9, -4, 10**30, [3, 4]]
    assert _hits({"a": {"$mod": [-4.7, -1.2]}}, -5, 5, 3) == [-5]
