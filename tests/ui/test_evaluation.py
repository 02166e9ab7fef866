"""The view of an evaluation, whatever its templates do, and the dashboard around it."""

from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.plugins import registry
from clow_nb.evals.cards import Card
from clow_nb.evals.templates import template
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit
from clow_nb.ui.arranged import card_widgets
from clow_nb.ui.base import parts_of
from clow_nb.ui.evaluation import EvaluationView
from clow_nb.ui.judging import evaluation_page
from clow_nb.ui.questions import gaps, network_parts
from clow_nb.ui.sight import sight_of
from clow_nb.workspace.workspace import Workspace


@pytest.fixture
def workspace(ctx: Context) -> Workspace:
    """A workspace with an evaluation that has a result."""
    ws = Workspace(ctx.home)
    rows = [{"text": f"말 {i}", "y": "ab"[i % 2], "guess": "ab"[i % 2 if i % 5 else 0]} for i in range(100)]
    ws.datasets.create("talk", rows, label="y")
    ws.evaluations.create("e-talk", dataset="talk", predictions="guess").evaluate()
    return ws


def _values(view: EvaluationView) -> list[str]:
    """The texts of the cards on the page."""
    shown = view.place.children[0].children[0].children[0]
    assert shown.cards.complete(60)
    return [part.value for part in parts_of(shown.cards) if hasattr(part, "value")]


def test_a_template_that_raises_loses_its_card_only(workspace: Workspace) -> None:
    @template("broken-here", needs=[])
    def broken(predictions: pl.DataFrame, settings: dict) -> str:
        return str(1 / 0)

    try:
        workspace.presets.create("mixed", templates=["broken-here", "summary"])
        evaluation = workspace.evaluations.create("e-mixed", dataset="talk", predictions="guess", preset="mixed")
        evaluation.evaluate()
        values = _values(evaluation.view())
    finally:
        registry("template")._plugins.pop("broken-here")
    assert "ZeroDivisionError" in values[1] and "Traceback" not in "".join(values)
    assert "accuracy" in values[3]
    assert "broken-here" in "".join(_values(evaluation.view())), "a template that is gone says so"


def test_long_tables_are_grids_and_short_ones_are_not() -> None:
    long, short = pl.DataFrame({"a": range(100)}), pl.DataFrame({"a": [1]})
    assert [type(w).__name__ for w in card_widgets(Card("x", "x", "table", long))] == ["HTML", "Grid"]
    assert [type(w).__name__ for w in card_widgets(Card("x", "x", "table", short))] == ["HTML", "HTML"]


def test_each_tab_has_a_name_of_its_own(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("en", "ko"):
        monkeypatch.setenv("CLOW_LANG", language)
        assert len(set(workspace.evaluations["e-talk"].view().place.children[0].titles)) == 6


def test_where_nothing_is_written_nothing_can_be_changed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(workspace.home))
    assert evaluation_page({}).header.error == ""  # who may write has opened it once
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    page = evaluation_page({})
    assert page.header.error == ""
    assert [action.name for action in page.evaluations.listing.actions] == []
    page.tabs.selected_index = 1
    assert [action.name for action in page.tabs.children[1].children[0].listing.actions] == ["export"]
    view = evaluation_page({"evaluation": "e-talk"}).children[1]
    assert view.desk() is None and view.panel.start is None
    assert "pencil" not in {getattr(part, "icon", "") for part in parts_of(view)}


def test_a_model_shows_how_it_learned(workspace: Workspace, tmp_path: Path) -> None:
    talk = workspace.datasets.create("words", [{"text": f"{y} {i}", "y": y} for i in range(20) for y in ("비", "알람")], label="y")
    talk = talk.split(train=6, valid=2, test=2, stratify="y")
    task = solution("nlp-intent", {"epochs": 1, "embedding": 4, "channels": 2, "max_features": 50})
    splits = task.prepare(talk.scan().collect(), "y")
    network, progress = fit(task, splits["train"], splits["valid"])
    made = save_model(tmp_path / "model", task, network, progress.metrics)
    register(workspace.ctx, "intent", made, progress.metrics, [str(talk.ref)])
    evaluation = workspace.evaluations.create("e-words", model="intent@1", dataset="words")
    evaluation.evaluate()
    found = gaps(evaluation)
    assert {"accuracy", "f1_macro"} <= set(found["metric"]) and found["valid"].is_not_null().all()
    parts = network_parts(evaluation, sight_of(evaluation), None)
    assert "accuracy" in parts[0].value and len(parts) == 2


def test_the_dashboard_of_an_empty_workspace_says_what_to_do(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    monkeypatch.setenv("CLOW_LANG", "ko")
    page = evaluation_page({})
    assert "아직 평가가 없습니다" in page.evaluations.listing.nothing["text"]
    assert "e-x" in evaluation_page({"evaluation": "e-x"}).children[1].header.error
