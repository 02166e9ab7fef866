"""What is written above a column finds the documents that a person means, whatever the values."""

import operator
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb import Workspace
from clow_nb.core.errors import QueryError
from clow_nb.data.asking import condition, together
from clow_nb.data.labels import labels_of, labels_text
from clow_nb.data.query import compile_query

LABELS = st.text() | st.booleans() | st.none() | st.integers(-(2**53), 2**53)
NUMBERS = st.integers(-50, 50) | st.floats(-50, 50).map(lambda x: round(x, 2))
SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "!=": operator.ne, "=": operator.eq, "": operator.eq}


def found(key: str, text: str, kind: str, values: list[Any], zone: str | None = None) -> list[Any]:
    matches = compile_query(condition(key, text, kind, zone))
    return [value for value in values if matches({key: value})]


@given(chosen=st.lists(LABELS, min_size=1, unique_by=repr), others=st.lists(LABELS))
def test_chosen_labels_are_found_whatever_is_in_them(chosen: list[Any], others: list[Any]) -> None:
    text = labels_text(chosen)
    assert labels_of(text) == chosen
    names = {(type(value) is bool, value) for value in chosen}
    values = [*chosen, *others]
    assert found("label", text, "text", values) == [value for value in values if (type(value) is bool, value) in names]


@given(chosen=st.lists(st.text() | st.none(), min_size=1), lists=st.lists(st.lists(st.text(max_size=2))))
def test_labels_in_lists(chosen: list[Any], lists: list[list[str]]) -> None:
    wanted = [tags for tags in lists if set(tags) & set(chosen) or (None in chosen and not tags)]
    assert found("tags", labels_text(chosen), "list", lists) == wanted


@given(values=st.lists(NUMBERS), bound=NUMBERS, sign=st.sampled_from(list(SIGNS)), blank=st.sampled_from(["", " "]))
def test_a_number_compared(values: list[Any], bound: Any, sign: str, blank: str) -> None:
    assert found("n", f"{sign}{blank}{bound}", "number", values) == [value for value in values if SIGNS[sign](value, bound)]


@given(values=st.lists(NUMBERS), low=NUMBERS, high=NUMBERS, dots=st.sampled_from(["..", " .. ", "~", " ~ "]))
def test_a_range_of_numbers(values: list[Any], low: Any, high: Any, dots: str) -> None:
    first, last = sorted([low, high])
    assert found("n", f"{low}{dots}{high}", "number", values) == [value for value in values if first <= value <= last]
    assert found("n", f"{low}..", "number", values) == [value for value in values if value >= low]
    assert found("n", f">={first} <={last} !=3", "number", values) == [value for value in values if first <= value <= last and value != 3]


@given(words=st.lists(st.text(st.sampled_from("aAbé가각"), min_size=1, max_size=3), min_size=1, max_size=3), values=st.lists(st.text(st.sampled_from("aAbBéÉe\u0301가각 ."))))
def test_all_of_several_words(words: list[str], values: list[str]) -> None:
    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", text).casefold()

    wanted = [value for value in values if all(plain(word) in plain(value) for word in words)]
    assert found("memo", "  ".join(words), "text", values) == wanted
    assert found("memo", " ".join(f'"{word}"' for word in words), "text", values) == wanted


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2025-01-01"), ("2024-05", "2024-05-01", "2024-06-01"), ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"), ("2024년 5월 3일", "2024-05-03", "2024-05-04"), ("2024. 5. 3.", "2024-05-03", "2024-05-04"),
        ("2024-05..2024-08", "2024-05-01", "2024-09-01"), ("2024-08 ~ 2024-05", "2024-05-01", "2024-09-01"), (">=2024-05", "2024-05-01", None),
        (">2024-05", "2024-06-01", None), ("<=2024-05", None, "2024-06-01"), ("<2024-05", None, "2024-05-01"),
        ("2024-05-03 21:05", "2024-05-03T21:05", "2024-05-03T21:06"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("zone", [None, "Asia/Seoul"])
def test_a_span_of_time_ends_before_the_next(text: str, first: str | None, last: str | None, zone: str | None) -> None:
    place = ZoneInfo(zone) if zone else UTC
    low = datetime.fromisoformat(first).replace(tzinfo=place) if first else None
    high = datetime.fromisoformat(last).replace(tzinfo=place) if last else None
    tick = timedelta(microseconds=1)
    inside = [moment for moment in (low, high and high - tick) if moment]
    outside = [moment for moment in (low and low - tick, high) if moment]
    assert found("at", text, "datetime", inside + outside, zone) == inside


def test_missing_and_there() -> None:
    for kind, values in (("text", ["a", None]), ("number", [1, None]), ("list", [["a"], [], None])):
        matches = [compile_query(condition("k", sign, kind)) for sign in ("=", "!=")]
        documents = [{"k": value} for value in values] + [{}]
        assert [matches[0](document) for document in documents] == [False, *[True] * (len(documents) - 1)]
        assert [matches[1](document) for document in documents] == [True, *[False] * (len(documents) - 1)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "many"), ("number", "5 6"), ("number", ".."), ("number", "> "), ("date", "2024-13"), ("date", "20245"), ("bool", "maybe"), ("date", "9999"), ("number", '{"$near": 5}')],
)
def test_what_is_not_understood_is_refused(kind: str, text: str) -> None:
    with pytest.raises(QueryError):
        condition("k", text, kind)


@given(text=st.text(), kind=st.sampled_from(["text", "number", "bool", "date", "datetime", "list", "json"]))
def test_any_text_is_a_query_or_refused(text: str, kind: str) -> None:
    try:
        compile_query(together([condition("k", text, kind), {"other": 1}]))
    except QueryError as error:
        assert str(error)


def test_the_store_finds_the_same(tmp_path: Path) -> None:
    documents = [
        {"n": number if number % 5 else "N/A", "at": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number), "tags": ["a", "b"][: number % 3]} for number in range(60)
    ]
    dataset = Workspace(tmp_path).datasets.create("calls", documents)
    asked = [("n", ">=10 <20", "number"), ("n", '"n/a"', "number"), ("at", "2024-02", "datetime"), ("tags", '["b", null]', "list"), ("tags", "!=", "list"), ("at", "!=2024-01", "datetime")]
    for key, text, kind in asked:
        query = condition(key, text, kind, "Asia/Seoul")
        wanted = [document["_id"] for document in dataset.documents() if compile_query(query)(document)]
        assert wanted and [document["_id"] for document in dataset.documents(query)] == wanted, text


def test_keys_that_begin_with_a_dollar_are_asked_for_and_sorted_by(tmp_path: Path) -> None:
    values = {"$price": [5, 15, None, 20], "$or": ["late", "in time", "late again", ""], "$tags": [["a"], [], ["a", "b"], None]}
    documents = [{key: column[row] for key, column in values.items()} for row in range(4)]
    ds = Workspace(tmp_path).datasets.create("dollars", documents)
    asked = {
        ("$price", "10..20", "number"): 2, ("$price", "!=15", "number"): 3, ("$price", "=", "number"): 1, ("$price", "[5, null]", "number"): 2,
        ("$price", '{"$lt": 10}', "number"): 1, ("$or", "late", "text"): 2, ("$or", "=", "text"): 0, ("$tags", "=", "list"): 2,
        ("$tags", '["b", null]', "list"): 3, ("$tags", "!=", "list"): 2,
    }  # fmt: skip
    assert {one: ds.count(condition(*one)) for one in asked} == asked
    both = together([condition("$price", ">5", "number"), condition("$or", "in", "text")])
    assert [document["$price"] for document in ds.documents(both, sort=[("$price", -1)], fields=["$price"])] == [15]
    edit = ds.edit()
    edit.set({"$literal": {"$price": {"$gt": 10}}}, "$price", 10)
    assert edit.commit().count({"$literal": {"$price": 10}, "$or": [{"_id": {"$exists": True}}]}) == 2
    with pytest.raises(QueryError, match=r"A key that begins with \$ is asked for by "):
        ds.count({"$price": 10})
    with pytest.raises(QueryError, match=r"At \$literal: an object of keys such as"):
        ds.count({"$literal": "$price"})
