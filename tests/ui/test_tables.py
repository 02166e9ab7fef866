"""Nothing in a table is run, and nothing of a value gets lost on the way to a person."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.ui import tables


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_text_comes_out_as_text(text: str) -> None:
    parser = _Text()
    parser.feed(tables.html_table([{text: text}]))
    assert set(parser.tags) <= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert parser.texts == [text, text]


def test_missing_values_are_empty_and_mixed_columns_stay_left() -> None:
    html = tables.html_table([{"a": 1, "b": None}, {"a": "x"}], {"a": "A", "b": "B"})
    assert html.count("<td></td>") == 2 and "clow-n" not in html


def test_times_follow_the_users_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    assert tables.when(moment) == "2026-03-02 00:30"
    monkeypatch.setenv("CLOW_TZ", "UTC")
    assert tables.when(moment, seconds=True) == "2026-03-01 15:30:00"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0, "0"), (-0.0001, "-0.0001"), (1e15, "1.000e+15"), (float("inf"), "inf"), (True, "True"), (10.0, "10"), (0.99996, "1")],
)
def test_numbers(value: float, text: str) -> None:
    assert tables.text_of(value) == text


def test_every_status_has_a_word_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = ["READY", "QUEUED", "RUNNING", "WAITING", "SUCCEEDED", "EXTRACTED", "FAILED", "CANCELLED"]
    english = {status: tables.status_text(status) for status in statuses}
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert all(tables.status_text(status) not in (status, english[status]) for status in statuses)
    assert tables.status_text("NEW") == "NEW"
