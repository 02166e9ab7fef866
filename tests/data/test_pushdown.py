"""Filters in the table against the predicate in Python: never a hit less, and none more where it says exact."""

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import lance
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.data.documents import assemble, shred
from clow_nb.data.pushdown import push_down
from clow_nb.data.query import compile_query

TIME = datetime(2026, 1, 1, 12, 30, 0, 5)
NUMBERS = [0, 1, -1, 2.5, -0.0, 0.0, 1e308, -1e-300, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 2**63, 10**30, float("nan"), float("inf")]
TEXTS = ["", "a", "A", "O'Neil", "100%", "a_b", "back\\slash", "두 줄\n", "\x00", "😀", "`k0`", "-- ;", "a.b"]
TIMES = [TIME, TIME.replace(tzinfo=UTC), datetime(1969, 7, 20), datetime(1, 1, 1), date(2026, 1, 1), date(1960, 2, 29)]
OTHERS: list[Any] = [None, True, False, b"bytes", [], ["a"], {"x": 1}, [1, 2]]
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
        "list": [["a"], ["a", "O'Neil"], [], ["A"]],
        "ints": [[1, 2], [3]],
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
    return lance.write_dataset(shred(_documents()), tmp_path_factory.mktemp("table") / "t.lance")


@cache
def _read_back() -> list[dict[str, Any]]:
    return list(assemble(shred(_documents())))


PATHS = st.sampled_from(
    ["int", "float", "text", "bool", "time", "utc", "date", "list", "ints", "object", "object.x", "object.한", "object.x.y"]
    + ["dot.ted", "odd", "nothing", "nothing.at.all", "list.0", "_id", "int.x"]
)
VALUES = st.sampled_from(EVERYTHING)
CONDITIONS = st.one_of(
    st.builds(
        lambda path, name, value: {path: {name: value}},
        PATHS, st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), VALUES,
    ),
    st.builds(lambda path, name, values: {path: {name: values}}, PATHS, st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=4)),
    st.builds(lambda path, value: {path: {"$exists": value}}, PATHS, st.booleans()),
    st.builds(
        lambda path, text, start, raw: {path: {"$regex": ("^" if start else "") + (text if raw else re.escape(text))}},
        PATHS, st.sampled_from([*(t for t in TEXTS if t != "\x00"), "a|b", "[a-c]"]), st.booleans(), st.just(False),
    ),
    st.builds(lambda path, text: {path: {"$regex": text, "$options": "i"}}, PATHS, st.sampled_from(["a", "o'n", "^a$"])),
)  # fmt: skip
QUERIES = st.recursive(
    CONDITIONS,
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


def _check(table: lance.LanceDataset, query: dict[str, Any]) -> None:
    sql, exact = push_down(query, table.schema)
    found = table.to_table(filter=sql) if sql else table.to_table()
    hits = {row["_id"] for row in filter(compile_query(query), _read_back())}
    assert hits <= set(found["_id"].to_pylist()), sql
    if exact:
        regular = found.filter(pc.is_null(found["_rest"]))
        assert set(regular["_id"].to_pylist()) <= hits, sql


@settings(max_examples=150, deadline=None)
@given(query=QUERIES)
def test_filters_of_the_table_are_never_wrong(table: lance.LanceDataset, query: dict[str, Any]) -> None:
    _check(table, query)


@pytest.mark.parametrize("path", ["int", "float", "text", "time", "date", "bool", "object.x", "list"])
def test_each_operator_with_each_value(table: lance.LanceDataset, path: str) -> None:
    for value in EVERYTHING:
        for name in ("$eq", "$gt", "$lte"):
            sql, exact = push_down({path: {name: value}}, table.schema)
            if exact and not (sql or "").startswith("false"):
                _check(table, {path: {name: value}})


def test_common_filters_are_exact(table: lance.LanceDataset) -> None:
    for query in (
        {"int": 1}, {"int": {"$gt": 0.5}}, {"float": {"$lte": 1}}, {"text": "a"}, {"text": {"$ne": "a"}}, {"bool": True},
        {"time": {"$gte": TIME}}, {"date": {"$lt": date(2026, 1, 1)}}, {"object.x": {"$in": [1, 2]}}, {"list": "a"},
        {"text": {"$regex": "O'N"}}, {"text": {"$exists": False}}, {"_id": {"$in": ["1", "2"]}}, {"int": None},
    ):  # fmt: skip
        sql, exact = push_down(query, table.schema)
        assert exact and sql, query


def test_many_ids_are_one_filter(table: lance.LanceDataset) -> None:
    sql, exact = push_down({"_id": {"$in": [str(number) for number in range(10_000)]}}, table.schema)
    assert exact and table.count_rows(sql) == 120


def test_no_operand_breaks_out_of_its_quotes(table: lance.LanceDataset) -> None:
    for text in ("' OR true --", "'; DROP TABLE x", "\\' OR true", "'' OR '' = '", "\u2019 OR true"):
        sql, _ = push_down({"_id": text}, table.schema)
        assert table.count_rows(sql) == 0


def test_escaped_text_is_found_as_it_is(table: lance.LanceDataset) -> None:
    for text in TEXTS:
        _check(table, {"text": {"$regex": re.escape(text)}})
        _check(table, {"text": {"$regex": "^" + re.escape(text)}})
