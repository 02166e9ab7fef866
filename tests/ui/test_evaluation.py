"""The view of an evaluation, whatever its templates do."""

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.plugins import registry
from clow_nb.evals.cards import Card
from clow_nb.evals.templates import template
from clow_nb.ui.evaluation import card_widgets, evaluation_page
from clow_nb.workspace.workspace import Workspace


@pytest.fixture
def workspace(ctx: Context) -> Workspace:
    """A workspace with an evaluation that has a result."""
    ws = Workspace(ctx.home)
    rows = [{"text": f"말 {i}", "y": "ab"[i % 2], "guess": "ab"[i % 2 if i % 5 else 0]} for i in range(100)]
    ws.datasets.create("talk", rows, label="y")
    ws.evaluations.create("e-talk", dataset="talk", predictions="guess").evaluate()
    return ws


def test_a_template_that_raises_loses_its_card_only(workspace: Workspace) -> None:
    @template("broken-here", needs=[])
    def broken(predictions: pl.DataFrame, settings: dict) -> str:
        return str(1 / 0)

    try:
        workspace.presets.create("mixed", templates=["broken-here", "summary"])
        view = workspace.evaluations.create("e-mixed", dataset="talk", predictions="guess", preset="mixed")
        view.evaluate()
        values = [widget.value for widget in view.view().cards.children]
    finally:
        registry("template")._plugins.pop("broken-here")
    assert "ZeroDivisionError" in values[1] and "Traceback" not in "".join(values)
    assert "accuracy" in values[3]


def test_long_tables_are_grids_and_short_ones_are_not() -> None:
    long, short = pl.DataFrame({"a": range(100)}), pl.DataFrame({"a": [1]})
    assert [type(w).__name__ for w in card_widgets(Card("x", "x", "table", long))] == ["HTML", "Grid"]
    assert [type(w).__name__ for w in card_widgets(Card("x", "x", "table", short))] == ["HTML", "HTML"]


def test_the_dashboard_without_a_name_shows_the_newest(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(workspace.home))
    workspace.evaluations.create("a-later", dataset="talk", predictions="guess")
    choice, place = evaluation_page({}).children
    assert (choice.value, place.children[0].header.title) == ("a-later", "a-later")
    choice.value = "e-talk"
    assert place.children[0].header.title == "e-talk"
    assert "e-x" in evaluation_page({"evaluation": "e-x"}).children[1].children[0].header.error


def test_the_dashboard_of_an_empty_workspace_is_a_sentence(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert "평가가 없습니다" in evaluation_page({}).header.error
