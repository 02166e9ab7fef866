"""Filters in the table against the predicate in Python: never a hit less, and none more where it says exact."""

import re
import tempfile
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import lance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.data.documents import assemble, shred
from clow_nb.data.pushdown import push_down
from clow_nb.data.query import compile_query

TIME = datetime(2026, 1, 1, 12, 30, 0, 5)
NUMBERS = [0, 1, -1, 2.5, -0.0, 0.0, 1e308, -1e-300, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 2**63, 10**30, float("nan"), float("inf")]
TEXTS = ["", "a", "A", "O'Neil", "100%", "a_b", "back\\slash", "두 줄\n", "a\n", "\u212aELVIN", "A B", "\x00", "😀", "`k0`", "-- ;", "a.b"]
TIMES = [TIME, TIME.replace(tzinfo=UTC), datetime(1969, 7, 20), datetime(1, 1, 1), date(2026, 1, 1), date(1960, 2, 29)]
OTHERS: list[Any] = [None, True, False, b"bytes", [], ["a"], {"x": 1}, [1, 2], [None, "a"], [["a"]], [{"x": 1}], {"x": None}]
EVERYTHING = [*NUMBERS, *TEXTS, *TIMES, *OTHERS]


def _documents() -> list[dict[str, Any]]:
    """Each key is mostly of one type, so that it has a column, and now and then of another, or not there."""
    main: dict[str, list[Any]] = {
        "int": [n for n in NUMBERS if type(n) is int and -(2**63) <= n < 2**63],
        "float": [n for n in NUMBERS if type(n) is float],
        "text": TEXTS,
        "bool": [True, False],
        "time": [TIME, datetime(1969, 7, 20)],
        "utc": [TIME.replace(tzinfo=UTC)],
        "date": [date(2026, 1, 1), date(1960, 2, 29)],
        "list": [["a"], ["a", "O'Neil"], [], ["A"], [None, "a"]],
        "objects": [[{"x": 1}], [{"x": 2, "한": "a"}, {"x": 1}], []],
        "ints": [[1, 2], [3], [2, 2, 2**40]],
        "object": [{"x": 1, "한": "a"}, {"x": 2}, {"한": "A"}, {}],
        "dot.ted": [1, 2, 3],
        "odd": OTHERS,
    }
    rows = []
    for number in range(120):
        row = {key: values[number % len(values)] for key, values in main.items() if (number * 7 + len(key)) % 5}
        if number % 10 == 9:
            key = list(main)[number % 12]
            row[key] = EVERYTHING[(number * 3) % len(EVERYTHING)]
        rows.append({"_id": str(number)} | row)
    return rows


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> lance.LanceDataset:
    return lance.write_dataset(shred(_documents()), tmp_path_factory.mktemp("table") / "t.lance", data_storage_version="2.1")


@cache
def _read_back() -> list[dict[str, Any]]:
    return list(assemble(shred(_documents())))


PATHS = st.sampled_from(
    ["int", "float", "text", "bool", "time", "utc", "date", "list", "ints", "object", "object.x", "object.한", "object.x.y"]
    + ["dot.ted", "odd", "objects", "objects.x", "nothing", "nothing.at.all", "list.0", "_id", "int.x"]
)
VALUES = st.sampled_from(EVERYTHING)
TYPES = st.sampled_from(["number", "double", "int", "long", "decimal", "string", "object", "array", "binData", "bool", "date", "null", 7])
MODS = st.tuples(st.sampled_from([1, 2, -3, 5, 2**62, 2**70]), st.integers(-2, 2)).map(list)
PATTERNS = st.sampled_from(
    ["a|b", "[a-c]", "^a", "a$", "^$", "^a$", "^(a|A)", ".", ".*", "a.b", "a+", "(a|_)b?", "[^a]", r"a\.b", r"back\\slash", r"\d", r"\w", "(?=a)a", "a{1}", "줄$", "%"]
)
OF_VALUES = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), VALUES),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=4)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$regex"), st.sampled_from([re.escape(t) for t in TEXTS if t != "\x00"]) | PATTERNS),
    st.tuples(st.just("$regex"), st.sampled_from(["a", "o'n", "^a$", "KELVIN", "한", "A B"]).map(lambda text: re.compile(text, re.IGNORECASE))),
    st.tuples(st.just("$type"), TYPES | st.lists(TYPES, min_size=1, max_size=2)),
    st.tuples(st.just("$size"), st.integers(0, 3)),
    st.tuples(st.just("$mod"), MODS),
    st.tuples(st.just("$all"), st.lists(VALUES, max_size=2)),
)
WITHIN = OF_VALUES.map(lambda pair: dict([pair]))
ELEMENTS = (WITHIN | st.dictionaries(st.sampled_from(["x", "한"]), WITHIN, max_size=2)).map(lambda part: {"$elemMatch": part})
QUERIES = st.recursive(
    st.builds(lambda path, asked: {path: asked}, PATHS, WITHIN | ELEMENTS | WITHIN.map(lambda part: {"$not": part})),
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


def _check(table: lance.LanceDataset, query: dict[str, Any], documents: list[dict[str, Any]]) -> None:
    """The filters of the table and the predicate for the rest find what the predicate alone finds; exact ones without it."""
    pushed, matches = push_down(query, table.schema), compile_query(query)
    hits = {row["_id"] for row in filter(matches, documents)}
    by_id = {row["_id"]: row for row in documents}

    def found(sql: str | None) -> set[str]:
        return set((table.to_table(filter=sql) if sql else table.to_table())["_id"].to_pylist())

    candidates, odd = found(pushed.candidates), found(pushed.odd)
    assert hits == {row for row in candidates if matches(by_id[row])}, pushed
    if pushed.exact:
        assert hits - odd == found(pushed.where) - odd, pushed


@settings(max_examples=settings.default.max_examples * 3 // 2, deadline=None)
@given(query=QUERIES)
def test_filters_of_the_table_are_never_wrong(table: lance.LanceDataset, query: dict[str, Any]) -> None:
    _check(table, query, _read_back())


KEYS = st.sampled_from(["int", "text", "list", "object", "object.x", "odd", "it's", 'quo"ted', ",x", "한 글", "\ud800"])
ANY_DOCUMENTS = st.lists(
    st.dictionaries(KEYS, VALUES | st.sampled_from([{"x": None}, {"x": 2**70}, [None], [1, "a"], {"int": 1}]), max_size=4),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=settings.default.max_examples // 2, deadline=None)
@given(ANY_DOCUMENTS, st.lists(st.builds(lambda path, asked: {path: asked}, KEYS | st.just("int.x"), WITHIN | ELEMENTS), min_size=1, max_size=6))
def test_any_documents_are_found_as_in_python(documents: list[dict[str, Any]], queries: list[dict[str, Any]]) -> None:
    rows = [{"_id": str(number)} | document for number, document in enumerate(documents)]
    with tempfile.TemporaryDirectory() as folder:
        table = lance.write_dataset(shred(rows), f"{folder}/t.lance", data_storage_version="2.1")
        for query in [*queries, {"$nor": queries}, {"$or": queries}]:
            _check(table, query, rows)


@pytest.mark.parametrize("path", ["int", "float", "text", "time", "date", "bool", "object.x", "list"])
def test_each_operator_with_each_value(table: lance.LanceDataset, path: str) -> None:
    for value in EVERYTHING:
        for name in ("$eq", "$gt", "$lte"):
            pushed = push_down({path: {name: value}}, table.schema)
            if pushed.exact and pushed.where != "false":
                _check(table, {path: {name: value}}, _read_back())


@pytest.mark.parametrize("operator", ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"])
def test_the_smallest_integer_has_no_literal(operator: str) -> None:
    for lowest in (-(2**63), -(2.0**63)):
        documents = [{"_id": str(place), "n": n} for place, n in enumerate([-(2**63), 1 - 2**63, 0, 5])]
        table = lance.write_dataset(shred(documents), "memory://", mode="overwrite")
        _check(table, {"n": {operator: [lowest, 5] if operator in ("$in", "$nin") else lowest}}, documents)


def test_common_filters_are_exact(table: lance.LanceDataset) -> None:
    for query in (
        {"int": 1}, {"int": {"$gt": 0.5}}, {"float": {"$lte": 1}}, {"text": "a"}, {"text": {"$ne": "a"}}, {"bool": True},
        {"time": {"$gte": TIME}}, {"date": {"$lt": date(2026, 1, 1)}}, {"object.x": {"$in": [1, 2]}}, {"list": "a"},
        {"text": {"$regex": "O'N"}}, {"text": {"$exists": False}}, {"_id": {"$in": ["1", "2"]}}, {"int": None},
        {"list": {"$in": ["a", "A"]}}, {"list": {"$all": ["a", "O'Neil"]}}, {"list": {"$size": 2}}, {"int": {"$mod": [2, 1]}},
        {"int": {"$type": "number"}}, {"int": {"$type": ["int", "null"]}}, {"object": {"$type": "object"}}, {"int": {"$lt": 2**70}},
        {"text": {"$regex": "^(a|A).*l$"}}, {"text": {"$regex": "A_B", "$options": "i"}}, {"text": {"$elemMatch": {"$gt": 1}}},
        {"nothing": {"$size": 0}}, {"text": {"$in": ["a", re.compile("^b")]}}, {"list": {"$all": []}},
    ):  # fmt: skip
        pushed = push_down(query, table.schema)
        assert pushed.exact and pushed.where, query


def test_a_document_is_odd_only_for_the_keys_it_is_odd_in() -> None:
    rows = [{"_id": "0", "a": 1, "b": "x"}, {"_id": "1", "a": "odd", "b": "x"}, {"_id": "2", "a": 2.0, "b": {"a": 1}}, {"_id": "3", "a": 3}]
    schema = shred(rows).schema
    with tempfile.TemporaryDirectory() as folder:
        made = lance.write_dataset(shred(rows), f"{folder}/t.lance", data_storage_version="2.1")
        odd = [made.to_table(filter=push_down(query, schema).odd)["_id"].to_pylist() for query in ({"a": 1}, {"b": 1}, {"c": 1}, {"_id": "1"})]
    assert odd == [["1"], ["2"], [], []]


def test_a_whole_number_among_floats_is_odd_only_in_its_type() -> None:
    rows = [{"_id": "0", "a": 1.5}, {"_id": "1", "a": 2}, {"_id": "2", "a": 2.5}]
    with tempfile.TemporaryDirectory() as folder:
        made = lance.write_dataset(shred(rows), f"{folder}/t.lance", data_storage_version="2.1")
        counts = [made.count_rows(push_down(query, made.schema).odd) for query in ({"a": {"$gt": 1}}, {"a": {"$type": "int"}})]
    assert counts == [0, 1]


def test_many_ids_are_one_filter(table: lance.LanceDataset) -> None:
    pushed = push_down({"_id": {"$in": [str(number) for number in range(10_000)]}}, table.schema)
    assert pushed.exact and pushed.odd == "false" and table.count_rows(pushed.where) == 120


def test_no_operand_breaks_out_of_its_quotes(table: lance.LanceDataset) -> None:
    for text in ("' OR true --", "'; DROP TABLE x", "\\' OR true", "'' OR '' = '", "\u2019 OR true"):
        assert table.count_rows(push_down({"_id": text}, table.schema).candidates) == 0
        assert table.count_rows(push_down({text: 1}, table.schema).odd) == 0


def test_escaped_text_is_found_as_it_is(table: lance.LanceDataset) -> None:
    for text in TEXTS:
        _check(table, {"text": {"$regex": re.escape(text)}}, _read_back())
        _check(table, {"text": {"$regex": "^" + re.escape(text)}}, _read_back())
