"""The statistics on the page: each bar says what it counts, and a click on it finds just these documents."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import show, until

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.data.comparison import Part, class_counts
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.ui.background import Work
from clow_nb.ui.base import answer
from clow_nb.ui.counted import Side, count
from clow_nb.ui.distributions import filter_text
from clow_nb.ui.grid import DatasetRows, Grid
from clow_nb.ui.statistics_view import Statistics

EVIL = "<img src=x onerror=alert(1)>"


def _messy(number: int) -> dict[str, Any]:
    dice = random.Random(number)
    return {
        "text": "".join(dice.choice("가나 \n.a😀") for _ in range(dice.randint(0, 90))),
        "price": dice.choice([dice.gauss(0, 50), dice.randint(-9, 9), None, "비쌈"]),
        "count": dice.randint(0, 2**40) if number % 7 else 0,
        "big": 2**70 if number == 5 else number,
        "topic": dice.choice(["배송", "환불", EVIL, "", 3, True]),
        "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randint(0, 10**6)),
        "day": date(2026, 1, 1) + timedelta(days=dice.randint(0, 400)),
        "tags": ["a"] * dice.randint(0, 3),
        **({"rare": dice.choice(["x", "y"])} if number % 9 == 0 else {}),
        EVIL: number % 2 == 0,
    }


@pytest.fixture
def messy(ctx: Context) -> Dataset:
    return Datasets(ctx).create("messy", [_messy(number) for number in range(400)], label="topic").split(train=8, test=2)


@pytest.mark.parametrize("query", [None, {"split": "train"}, {"count": {"$gt": 10**12}}])
def test_every_filter_of_a_bar_finds_what_the_bar_counts(messy: Dataset, query: dict[str, Any] | None) -> None:
    made, grid, clicked = count([Side(messy, query)]), Grid(DatasetRows(messy), query=query), 0
    for (key, _, name), bars in made.bars.items():
        for bar in bars if name != "class" else ():
            if bar.condition is not None:
                grid.narrow(key, filter_text(bar.condition))
                assert (key, name, bar.text, messy.count(grid.asked())) == (key, name, bar.text, bar.count)
                grid.narrow(key, "")
                clicked += 1
    assert clicked > 100 and made.totals == [messy.count(query)]


def test_two_parts_are_counted_in_the_same_bins(messy: Dataset) -> None:
    sides = [Side(messy, {"split": "train"}), Side(messy, {"split": "test"})]
    for line in count(sides).lines:
        a, b = line["sides"]
        assert a["count"] + b["count"] == messy.count({line["key"]: {"$ne": None}})
        if line["of"]:
            assert [bar[0] for bar in a["bars"]] == [bar[0] for bar in b["bars"]] and 0 <= line["distance"] <= 1
    same = count([sides[0], sides[0]])
    assert {line["distance"] for line in same.lines} <= {0.0, None}


def test_classes_that_are_no_text(ctx: Context) -> None:
    numbers = Datasets(ctx).create("numbers", [{"y": i % 2, "x": i} for i in range(10)] + [{"y": "둘"}], label="y").split(train=1, test=1)
    counts = class_counts(Part(numbers.snapshot), "y")
    assert counts.columns == ["label", "split", "count"] and counts["count"].sum() == 11
    assert set(counts["label"]) == {"0", "1", "둘"}


def test_nothing_and_only_odd_values(ctx: Context) -> None:
    assert count([Side(Datasets(ctx).create("empty", label="y"))]).lines == []
    odd = Datasets(ctx).create("odd", [{"a": [1, {"b": None}]}, {"a": {"c": 1}}, {"a": None}, {}])
    [line] = count([Side(odd), Side(odd, {"a": None})]).lines
    assert [side["count"] for side in line["sides"]] == [2, 0] and line["distance"] is None


def test_what_is_wrong_is_said_and_can_be_tried_again(messy: Dataset) -> None:
    panel = Statistics(messy, asked=lambda: {"n": {"$nope": 1}})
    ask = lambda **message: answer(panel.handlers(), {"uuid": "1", **message})[0]  # noqa: E731
    assert "can't be looked at" in ask(type="choose", sides=[[1, "valid"]])["error"]
    panel.chosen = [[2, "\0shown"]]
    with pytest.raises(Exception, match="nope"):
        panel.counted().value()
    assert "nope" in ask(type="look")["error"]
    panel.chosen = [[2, ""]]
    panel.counted().value()
    assert ask(type="look")["total"] == 11


def test_a_page_does_not_wait_for_what_is_dropped(messy: Dataset) -> None:
    panel = Statistics(messy)
    first = panel.counted()
    panel.chosen = [[2, "train"], [1, ""]]
    assert panel.counted() is not first and len(panel.counted().value().totals) == 2
    panel.close()
    assert isinstance(first, Work) and first.done(10)


def test_bars_are_seen_pointed_at_and_clicked(page: Any, tmp_path: Path, picture: Callable[[Any, str], None]) -> None:
    documents = [{"price": i % 50, "topic": ("배송", "환불", EVIL)[i % 3], "note": "x" if i % 4 else None} for i in range(300)]
    calls = Workspace(tmp_path).datasets.create("calls", documents, label="topic").split(train=3, test=1)
    clicked: list[Any] = []
    panel = Statistics(calls, clicked.append)
    show(page, panel)
    bars = page.locator("svg.clow-histogram").first
    bars.hover()
    page.locator(".clow-help", has_text="exact").first.wait_for()
    frame = bars.bounding_box()
    page.mouse.move(frame["x"] + 3, frame["y"] + 20)
    assert page.locator(".clow-bubble").inner_text().splitlines()[:2] == ["0 – 2", "18 documents (6 %)"]
    page.mouse.click(frame["x"] + 3, frame["y"] + 20)
    page.locator(".clow-value", has_text="환불").click()
    page.locator(".clow-gap").first.click()
    page.locator(".clow-classes tbody tr").nth(2).locator("td button").nth(2).click()
    until(page, lambda: len(clicked) > 3)  # what is clicked is told to the kernel, sooner or later
    assert page.locator(".clow-error:not([hidden])").count() == 0
    assert clicked[:3] == [{"price": {"$gte": 0, "$lte": 2}}, {"topic": {"$eq": "환불"}}, {"price": {"$eq": 0}}]
    assert clicked[3]["split"] == {"$eq": "test"} and set(clicked[3]) == {"split", "topic"}

    # By keyboard too, and two splits over each other.
    bars.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    until(page, lambda: len(clicked) > 4)
    assert clicked[4] == {"price": {"$gte": 3, "$lte": 5}}
    choices = page.locator(".clow-stats-choose select")
    choices.nth(1).select_option(label="train")
    choices.nth(2).select_option(index=1)
    choices.nth(3).select_option(label="test")
    page.locator(".clow-meter").first.wait_for()
    page.wait_for_function("document.querySelector('.clow-stats .clow-help').textContent.startsWith('A: 225 documents / B: 75')")
    page.locator("svg.clow-histogram rect.clow-side-b").nth(5).wait_for(state="attached")
    picture(page, "statistics-two")
    page.locator(".clow-search").fill("pri")
    page.wait_for_function("document.querySelectorAll('.clow-stats-table tbody tr').length === 1")
    assert json.loads(page.evaluate("JSON.stringify(window.model.get('chosen'))")) == [[2, "train"], [2, "test"]]
