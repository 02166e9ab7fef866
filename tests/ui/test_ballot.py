"""A planner votes by keyboard: keys count where nothing is typed, the next query comes by itself, what was voted is kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import show, until

from clow_nb import Workspace
from clow_nb.serve.traffic import Entry, TrafficWriter
from clow_nb.ui.ballot import Ballot

pytestmark = pytest.mark.browser
START = datetime(2026, 10, 27, 12).astimezone()
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def ballot(tmp_path: Path) -> Iterator[Ballot]:
    """Thirty queries; the versions differ on 24 of them."""
    ws = Workspace(tmp_path / "home")
    service = ws.services.create("s-intent")
    for name in ("v1", "v2"):
        service.create_version(name, flow={"steps": [{"answer": {"label": "알람", "confidence": 0.5}}]})
    writer = TrafficWriter(service.folder / "traffic")
    for number in range(30):
        for version, label in (("v1", "알람"), ("v2", "음악" if number % 5 else "알람")):
            said = {"label": label, "confidence": number / 30}
            writer.add(Entry(START + timedelta(seconds=number), f"r{number:02}", "s-intent", version, "m", {"text": f"질의 {number} {EVIL}"}, said, 200, 1.0, 2.0))
    writer.close()
    made = Ballot()
    made.put(ws.review("s-intent", ["v1", "v2"]))
    yield made


def _voted(ballot: Ballot) -> list[tuple[str, str, object]]:
    return [(vote.request_id, vote.choice, vote.label) for vote in ballot.review.votes.all()] if ballot.review else []


def test_ten_votes_by_keyboard_and_one_taken_back(ballot: Ballot, page: Any) -> None:
    show(page, ballot)
    rows = page.locator(".clow-ballot tbody tr")
    rows.nth(19).wait_for()
    assert page.locator(".clow-progress-words").inner_text() == "0 of 24 disagreements judged"
    assert page.locator("img").count() == 0
    rows.first.focus()
    for key in ("a", "b", "n", "s", "ㅁ"):  # the last with the keyboard in 한글 mode
        page.keyboard.press(key) if key.isascii() else page.evaluate(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅁ', code: 'KeyA', bubbles: true}))"
        )
    until(page, lambda: len(_voted(ballot)) == 5)
    page.locator(".clow-progress-words", has_text="4 of 24 disagreements judged · 1 skipped").wait_for()
    assert [choice for _, choice, _ in _voted(ballot)] == ["a", "b", "neither", "skip", "a"]
    page.locator('tbody tr[aria-selected="true"][data-id="r23"]').wait_for()
    page.keyboard.press("l")
    box = page.get_by_role("combobox", name="Another label")
    box.fill("음")
    assert page.get_by_role("option").all_inner_texts() == ["음악"]
    box.press("ArrowDown")
    box.press("Enter")
    until(page, lambda: len(_voted(ballot)) == 6)
    assert _voted(ballot)[-1] == ("r23", "label", "음악")
    page.locator('tbody tr[aria-selected="true"][data-id="r22"]:focus').wait_for()
    page.keyboard.press("u")
    page.locator('tbody tr[aria-selected="true"][data-id="r23"]').wait_for()
    until(page, lambda: len(_voted(ballot)) == 5)


def test_what_is_typed_is_no_vote(ballot: Ballot, page: Any) -> None:
    show(page, ballot)
    page.locator(".clow-ballot tbody tr").first.wait_for()
    typing = page.context.new_cdp_session(page)
    page.locator(".clow-ballot tbody tr").first.focus()
    page.keyboard.press("/")
    page.keyboard.type("b")
    typing.send("Input.imeSetComposition", {"text": "ㅁ", "selectionStart": 1, "selectionEnd": 1})
    typing.send("Input.insertText", {"text": "마"})
    assert page.get_by_role("searchbox").input_value() == "b마"
    page.get_by_role("searchbox").fill("질의 7 ")
    page.locator(".clow-range", has_text="1 - 1 of 1").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("searchbox").input_value() == "" and _voted(ballot) == []


def test_the_last_vote_of_a_page_turns_it(ballot: Ballot, page: Any) -> None:
    show(page, ballot)
    page.locator(".clow-ballot tbody tr").first.focus()
    page.keyboard.press("End")
    page.locator("tbody tr:focus", has_text="질의 6 ").wait_for()
    page.keyboard.press("b")
    page.locator(".clow-range", has_text="21 - 30 of 30").wait_for()
    page.locator("tbody tr:focus", has_text="질의 4 ").wait_for()
    page.keyboard.press("PageUp")
    page.locator(".clow-range", has_text="1 - 20 of 30").wait_for()
    page.get_by_role("checkbox").check()
    page.locator(".clow-range", has_text="1 - 20 of 24").wait_for()


def test_who_only_looks_has_no_votes(ballot: Ballot, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ballot.review is not None
    home = ballot.review.ctx.home
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    looking = Ballot()
    looking.put(Workspace(home).review("s-intent", ["v1", "v2"]))
    show(page, looking)
    page.locator(".clow-ballot tbody tr").first.focus()
    page.keyboard.press("a")
    page.keyboard.press("ArrowDown")
    page.locator("tbody tr:nth-child(2):focus").wait_for()
    assert page.locator(".clow-answer-button:disabled").count() == 2 and _voted(ballot) == []
