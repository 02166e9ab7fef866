"""Presets: one ships, others are made, and none is broken by a template that is gone."""

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, InvalidName, NotFound, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.evals.presets import Presets
from clow_nb.evals.templates import template

PREDICTIONS = pl.DataFrame({"text": ["a", "b"], "actual": ["x", "y"], "predicted": ["x", "x"]})


def test_the_shipped_preset_shows_everything_there_is(ctx: Context) -> None:
    cards = Presets(ctx)["classification"].cards(PREDICTIONS)
    assert [(card.template, card.kind) for card in cards] == [("summary", "table"), ("confusion", "chart"), ("wrong", "table")]


def test_the_shipped_preset_speaks_korean(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert Presets(ctx)["classification"].title == "분류"
    assert [card.title for card in Presets(ctx)["classification"].cards(PREDICTIONS)] == ["요약", "혼동 행렬", "틀린 예"]


def test_a_preset_outlives_a_template_that_is_gone(ctx: Context) -> None:
    template("passing", needs=[])(lambda predictions, settings: "here")
    made = Presets(ctx).create("mine", ["passing", "summary"])
    registry("template")._plugins.pop("passing")
    assert [card.kind for card in Presets(ctx)["mine"].cards(PREDICTIONS)] == ["error", "table"]
    assert "passing" in repr(made)


@pytest.mark.parametrize("templates", [[], None, "summary", {"summary": {}}, [""], 3])
def test_nonsense_is_refused_before_anything_is_kept(ctx: Context, templates: object) -> None:
    with pytest.raises((ParameterError, NotFound)):
        Presets(ctx).create("mine", templates)  # type: ignore[arg-type]
    assert len(Presets(ctx)) == 1


def test_names_follow_the_rules(ctx: Context) -> None:
    presets = Presets(ctx)
    presets.create("mine", ["summary"])
    with pytest.raises(AlreadyExists):
        presets.create("mine", ["summary"])
    with pytest.raises(InvalidName):
        presets.create("내 것", ["summary"])
    with pytest.raises(NotFound):
        presets["gone"]
    assert sorted(presets.list()["name"]) == ["classification", "mine"]
