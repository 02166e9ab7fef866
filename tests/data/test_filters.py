"""The tree of a query, and the mistakes that are found while it is made."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.errors import QueryError
from clow_nb.data.filters import AllOf, AnyOf, Condition, Elements, Not, parse_query


def test_the_language_is_five_kinds_of_node() -> None:
    assert parse_query({"a": 1, "b": {"$gt": 2, "$lte": 5}}) == AllOf(
        (Condition("a", "$eq", 1), AllOf((Condition("b", "$gt", 2), Condition("b", "$lte", 5))))
    )
    assert parse_query({"a": {"$ne": 1}}) == Not(Condition("a", "$eq", 1)) == parse_query({"a": {"$not": {"$eq": 1}}})
    assert parse_query({"a": {"$nin": (1, 2)}}) == Not(Condition("a", "$in", [1, 2]))
    assert parse_query({"a": {"$exists": 0}}) == Not(Condition("a", "$exists", True))
    assert parse_query({"$or": [{"a": 1}]}) == AnyOf((Condition("a", "$eq", 1),))
    assert parse_query({"a": {}}) == Condition("a", "$eq", {})
    assert parse_query({"a": re.compile("x")}) == Condition("a", "$regex", re.compile("x"))
    assert parse_query({"a": {"$elemMatch": {"$gt": 1}}}) == Elements("a", Condition("", "$gt", 1), itself=True)
    assert parse_query({"a": {"$elemMatch": {"$or": [{"b": 1}]}}}) == Elements("a", AnyOf((Condition("b", "$eq", 1),)), itself=False)
    assert parse_query({"a": {"$all": []}}) == AnyOf(())
    assert parse_query({"a": {"$type": "number"}}) == Condition("a", "$type", frozenset({"double", "int", "long", "decimal"}))
    assert parse_query({}) == parse_query(None) == AllOf(())


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"Price": {"$near": 1}}, ["At Price", "'$near'", "$eq $gt"]),
        ({"$or": [{"a": 1}, {"b": {"$in": 3}}]}, ["At $or.1.b.$in", "a list of values"]),
        ({"a": {"$not": {"$in": 3}}}, ["At a.$not.$in"]),
        ({"a": {"$in": [object()]}}, ["At a.$in", "type object"]),
        ({"a": {"$gt": 1, "b": 2}}, ["At a:", "'b' is not an operator"]),
        ({"a": {"$regex": "(", "$options": "i"}}, ["At a.$regex", "'('"]),
        ({"a": {"$regex": b"x"}}, ["At a.$regex"]),
        ({"a": {"$not": {"$options": "i"}}}, ["At a", "$regex"]),
        ({"a": {"$in": [1, {"$gt": 5}]}}, ["At a.$in.1", "$gt"]),
        ({"a": {"$in": [re.compile(b"x")]}}, ["At a.$in.0", "regular expression"]),
        ({"a": {"$all": 5}}, ["At a.$all", "a list of values"]),
        ({"a": {"$all": [{"$elemMatch": {"b": 1}}, 5]}}, ["At a.$all.0", "$elemMatch"]),
        ({"a": {"$all": [{"$elemMatch": 3}]}}, ["At a.$all.0.$elemMatch", "object of operators"]),
        ({"a": {"$elemMatch": [1]}}, ["At a.$elemMatch", "object of operators"]),
        ({"a": {"$elemMatch": {"b": {"$foo": 1}}}}, ["At a.$elemMatch.b", "'$foo'"]),
        ({"a": {"$elemMatch": {"$gt": 1, "b": 2}}}, ["At a.$elemMatch", "'b' is not an operator"]),
        ({"a": {"$elemMatch": {"$and": 1}}}, ["At a.$elemMatch.$and", "list of one or more queries"]),
        ({"a": {"$size": 1.5}}, ["At a.$size", "whole number"]),
        ({"a": {"$size": "2"}}, ["At a.$size", "'2'"]),
        ({"a": {"$mod": [2]}}, ["At a.$mod", "divisor"]),
        ({"a": {"$mod": [0.5, 0]}}, ["At a.$mod", "not 0"]),
        ({"a": {"$mod": [2, True]}}, ["At a.$mod"]),
        ({"a": {"$type": "text"}}, ["At a.$type", "'text'", "string"]),
        ({"a": {"$type": []}}, ["At a.$type", "one or more"]),
        ({"a": {"$exists": "no"}}, ["At a.$exists", "true or false"]),
        ("Price > 5", ["At the top", "'Price > 5'"]),
    ],
)
def test_mistakes_are_named_with_their_place(query: Any, words: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert all(word in str(caught.value) for word in words), str(caught.value)


NAMES = ["a", "b.c", "$and", "$or", "$not", "$in", "$gt", "$regex", "$options", "$exists", "$x", "$all", "$elemMatch", "$size", "$mod", "$type"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["$gt", "i", "("]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_anything_is_parsed_or_refused(query: Any) -> None:
    try:
        parse_query(query)
    except QueryError as error:
        assert str(error).startswith("At ") or "is not a key" in str(error)
