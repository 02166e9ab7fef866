"""The one table: any frame, any search, any page; what is gone meanwhile is a sentence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.ui.base import answer
from clow_nb.ui.columns import Column, FramePages, ago, drawn
from clow_nb.ui.listing import SIZE, Action, Listing

EVIL = "<img src=x onerror=alert(1)>"
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


def _ask(listing: Listing, type: str, **message: Any) -> dict[str, Any]:
    return answer(listing.handlers(), {"type": type, "uuid": "1", **message})[0]


def _frame(count: int) -> pl.DataFrame:
    return pl.DataFrame({"name": [f"t-{i}" for i in range(count)], "n": list(range(count))}, {"name": pl.String, "n": pl.Int64})


@given(count=st.integers(0, 90), page=st.integers(0, 9))
def test_every_row_is_on_one_page(count: int, page: int) -> None:
    listing = Listing(_frame(count), "name")
    assert "error" not in _ask(listing, "look", page=page)
    assert listing.page == min(page, listing.last_page) and listing.last_page == max(0, (count - 1) // SIZE)
    first = listing.page * SIZE
    assert [row["id"] for row in listing.rows] == [f"t-{i}" for i in range(first, min(count, first + SIZE))]
    assert listing.range == (f"{first + 1} - {min(count, first + SIZE)} of {count}" if count else "")


@given(texts=st.lists(TEXTS, min_size=1, max_size=8), place=st.integers(0, 7))
def test_what_a_row_holds_finds_the_row(texts: list[str], place: int) -> None:
    frame = pl.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts})
    text = texts[place % len(texts)]
    found, total = FramePages(frame)(text, None, 0, 100)
    assert any(row["text"] == text for row in found) and total == len(found)


def test_search_reads_what_a_person_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    moment = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    frame = pl.DataFrame({"id": ["a", "b"], "status": ["FAILED", "SUCCEEDED"], "created": [moment, moment - timedelta(days=9)]})
    pages = FramePages(frame)
    for words in ("실패", "failed", "2026-03-02 00:30", "실패 a"):
        assert [row["id"] for row in pages(words, None, 0, 9)[0]] == ["a"], words


def test_nothing_of_a_value_is_run_and_long_ones_have_all_of_it_in_the_tooltip() -> None:
    listing = Listing(pl.DataFrame({"name": [EVIL], "text": ["가" * 100]}), "name", link=lambda row: f"x?{row['name']}")
    assert "<img" not in listing.static_html()
    assert listing.rows[0]["cells"] == [EVIL, {"text": "가" * 100, "hint": "가" * 100}]


def test_empty_columns_are_left_out_and_come_when_they_hold_something() -> None:
    frames = [pl.DataFrame({"name": ["a"], "title": [""]}), pl.DataFrame({"name": ["a"], "title": ["책"]})]
    listing = Listing(lambda: frames[0], "name")
    assert [column["key"] for column in listing.columns] == ["name"]
    frames.pop(0)
    listing.refresh()
    assert [column["key"] for column in listing.columns] == ["name", "title"]


def test_a_page_that_shrinks_away_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [45]
    listing = Listing(lambda: _frame(counts[0]), "name")
    _ask(listing, "look", page=2)
    assert listing.range == "41 - 45 of 45"
    counts[0] = 10
    listing.refresh()
    assert (listing.range, listing.page) == ("1 - 10 of 10", 0)


def test_an_action_is_refused_once_it_does_not_fit() -> None:
    done: list[str] = []
    stop = Action("stop", "Stop", lambda row: done.append(row["name"]), lambda row: row["n"] > 0)
    listing = Listing(_frame(2), "name", actions=[stop])
    assert [len(row["actions"]) for row in listing.rows] == [0, 1]
    assert "can't be done" in _ask(listing, "act", id="t-0", name="stop")["error"]
    assert "error" not in _ask(listing, "act", id="t-1", name="stop") and done == ["t-1"]


def test_a_source_of_pages_of_its_own() -> None:
    asked: list[Any] = []

    def pages(search: str, sort: Any, skip: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        asked.append((search, sort, skip, limit))
        return [{"id": i} for i in range(skip, min(10**6, skip + limit))], 10**6

    listing = Listing(pages, "id", columns=[Column("id", "No.", "number")])
    _ask(listing, "look", page=3, search="x", sort=["id", -1])
    assert asked[-1] == ("x", ("id", -1), 60, 20) and listing.range == "61 - 80 of 1,000,000"


@pytest.mark.parametrize("wrong", [{"page": -1}, {"page": "1"}, {"sort": ["nope", 1]}, {"sort": ["n", 2]}, {"search": 3}])
def test_what_no_page_asks_is_refused_and_changes_nothing(wrong: dict[str, Any]) -> None:
    listing = Listing(_frame(3), "name")
    assert "can't be shown like this" in _ask(listing, "look", **wrong)["error"]
    assert (listing.page, listing.search, listing.sort, len(listing.rows)) == (0, "", [], 3)


def test_times_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert ago(moment, moment + timedelta(minutes=3)) == "3분 전"
    assert ago(moment, moment + timedelta(seconds=1)) == "방금"
    assert drawn(datetime(2026, 3, 1, 9, 30), "time")["text"] == "2026-03-01 09:30"
    assert Listing(_frame(87), "name").range == "총 87개 중 1–20"
