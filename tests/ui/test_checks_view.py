"""The findings on the page: what they say, the documents that they mean, and fixes that are edits like all others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import show

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.flaws import RULES
from clow_nb.ui.base import answer
from clow_nb.ui.checks_view import Findings, card, checks_table, titles
from clow_nb.ui.drafting import Cell
from clow_nb.ui.sheet import Sheet

EVIL = "<img src=x onerror=alert(1)>"
FLAWED = [
    *({"text": f"말씀 {i} 번", "topic": ("배송", "환불")[i % 2], "split": "train"} for i in range(40)),
    {"text": "말씀 0 번", "topic": "배송", "split": "train"}, {"text": "말씀 1 번", "topic": "배송", "split": "test"}, {"text": " ", "topic": "환불"},
    {"text": "말씀, 2 번!", "topic": "배송"}, {"text": "하나", "topic": "배송 "}, {"text": "둘"}, {}, {"text": EVIL, "topic": EVIL},
    {"text": "길다 " * 900 + ".", "topic": "환불"}, {"text": "말씀 3 번", "topic": "환불", "more": 1}, {"text": "말씀,4 번", "topic": "배송", "split": "test"},
]  # fmt: skip


@pytest.fixture
def calls(ctx: Context) -> Dataset:
    return Datasets(ctx).create("calls", FLAWED, label="topic")


def _ask(panel: Findings, type: str, **message: Any) -> dict[str, Any]:
    panel.checks()
    return answer(panel.handlers(), {"type": type, "uuid": "1", **message})[0]


def test_every_finding_is_shown_fixed_undone_and_committed(calls: Dataset) -> None:
    assert set(titles()) == set(RULES)
    shown: list[Any] = []
    sheet = Sheet(calls, "Kim")
    panel = Findings(calls, shown.append, sheet)
    cards = {one["name"]: one for one in _ask(panel, "look")["cards"]}
    found = [name for name, one in cards.items() if one["severity"] != "ok"]
    assert set(found) == set(RULES)
    for name in found:
        assert len(cards[name]["rows"]) <= 6 and all(len(row) == len(cards[name]["columns"]) for row in cards[name]["rows"])
        _ask(panel, "show", name=name)
        assert calls.count(shown[-1]) == cards[name]["documents"], name
        before = sheet.drafting.edit.changes().touched
        assert "error" not in _ask(panel, "fix", name=name), name
        assert panel.fixed == [name] and sheet.changes["done"] == 1
        assert len(sheet.drafting.edit.changes().touched) == cards[name]["count"]
        _ask(panel, "undo", name=name)
        assert panel.fixed == [] and sheet.drafting.edit.changes().touched == before == {}
    for name in found:
        _ask(panel, "fix", name=name)
    assert panel.fixed == found
    committed = sheet.drafting.commit("고침").dataset
    again = committed.check()
    assert not {finding.name for finding in again.found} - {"missing_labels"}


def test_an_undo_takes_back_no_other_edit(calls: Dataset) -> None:
    sheet = Sheet(calls, "Kim")
    panel = Findings(calls, None, sheet)
    _ask(panel, "fix", name="duplicates")
    some = next(calls.documents(limit=1))["_id"]
    sheet.drafting.write({Cell(some, "topic"): "문의"})
    sheet.tell()
    assert panel.last == "" and panel.fixed == ["duplicates"]
    _ask(panel, "undo", name="duplicates")
    assert len(sheet.drafting.done) == 2
    sheet.step("undo")
    assert panel.last == "duplicates"
    panel.close()


def test_findings_of_an_older_version_go_into_no_draft(calls: Dataset) -> None:
    newer = calls.append([{"text": "새", "topic": "배송"}])
    answered = _ask(Findings(calls, None, Sheet(newer, "Kim")), "fix", name="duplicates")
    assert "found in version 1" in answered["error"]


def test_what_fails_is_said_and_tried_again(calls: Dataset) -> None:
    panel = Findings(calls)
    Datasets(calls.ctx).delete("calls")
    answered: dict[str, Any] = {"busy": True}
    while answered.get("busy"):
        answered = answer(panel.handlers(), {"type": "look", "uuid": "1"})[0]
    assert answered["error"] and panel._work is None


def test_html_in_documents_stays_text(calls: Dataset) -> None:
    assert EVIL not in checks_table(calls.check()) and "card" in card.__name__


def test_a_finding_is_fixed_in_the_browser(page: Any, tmp_path: Path, picture: Callable[[Any, str], None]) -> None:
    calls = Workspace(tmp_path).datasets.create("calls", FLAWED, label="topic")
    sheet = Sheet(calls, "Kim")
    show(page, Findings(calls, None, sheet))
    duplicates = page.locator(".clow-check[data-name=duplicates]")
    duplicates.locator("summary").click()
    assert duplicates.locator("tbody tr").count() == 2 and "goes" in duplicates.inner_text()
    page.locator(".clow-check[data-name=rare_classes] summary").click()
    assert page.locator(".clow-samples img").count() == 0
    duplicates.get_by_role("button", name="Fix").click()
    duplicates.locator(".clow-fixed").wait_for()
    assert sheet.changes["removed"] == 1
    picture(page, "checks")
    duplicates.get_by_role("button", name="Undo").click()
    duplicates.get_by_role("button", name="Fix").wait_for()
    assert sheet.changes["removed"] == 0
