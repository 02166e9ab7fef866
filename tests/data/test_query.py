"""Queries against MongoDB's rules, with mongomock as the oracle."""

import re
from datetime import UTC, date, datetime
from typing import Any

import mongomock
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import QueryError
from clow_nb.data.order import compile_projection, sort_documents, sort_key
from clow_nb.data.query import compile_query, parse_query, query_keys

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
)
CONDITION = st.builds(lambda path, pair: {path: dict([pair])}, PATHS, OPERATORS)
PLAIN = st.builds(lambda path, value: {path: value}, PATHS, NOT_NULL)
NEGATED = st.builds(lambda path, pair: {path: {"$not": dict([pair])}}, PATHS, OPERATORS)
QUERIES = st.recursive(
    CONDITION | PLAIN | NEGATED,
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


def _number(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"_id": str(number)} | document for number, document in enumerate(documents)]


def _is_known_gap(query: Any) -> bool:
    """mongomock decides a negation inside a list of objects element by element, MongoDB over all of them."""
    text = repr(query)
    return bool(re.search(r"'[ab]\.[ab]': \{'\$(ne|nin|not|exists|in)'", text))


@settings(max_examples=250, deadline=None)
@given(DOCUMENTS, QUERIES)
def test_filters_find_what_mongomock_finds(documents: list[dict[str, Any]], query: dict[str, Any]) -> None:
    nested = any(isinstance(d.get(k), list | str | int | float | datetime) for d in documents for k in "ab")
    assume(not (_is_known_gap(query) and nested))
    rows = _number(documents)
    oracle = mongomock.MongoClient().db.rows
    oracle.insert_many([dict(row) for row in rows])
    ours = [row["_id"] for row in filter(compile_query(query), rows)]
    assert ours == [row["_id"] for row in oracle.find(query)]
