"""Presets: one ships for each task, others are made and versioned, and none is broken by a template that is gone."""

import json
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, ClowError, InvalidName, NotFound, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.evals.presets import Presets
from clow_nb.evals.shipped import SHIPPED
from clow_nb.evals.templates import template

PREDICTIONS = pl.DataFrame({"text": ["a", "b"], "actual": ["x", "y"], "predicted": ["x", "z"]})


def test_one_preset_ships_for_each_task_and_none_of_its_templates_is_missing(ctx: Context) -> None:
    for task in SHIPPED:
        found = Presets(ctx).default(task)
        assert found.name == task and found.missing == [] and found.is_shipped
    cards = Presets(ctx)["classification"].cards(PREDICTIONS)
    assert {"summary": "table", "confusion": "chart", "wrong": "table"}.items() <= {card.template: card.kind for card in cards}.items()
    assert "error" not in {card.kind for card in cards}


def test_the_shipped_presets_speak_korean(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    titles = [text for task in SHIPPED for text in (Presets(ctx)[task].title, Presets(ctx)[task].description)]
    titles += [card.title for card in Presets(ctx)["classification"].cards(PREDICTIONS)]
    assert "혼동 행렬" in titles and [text for text in titles if not any("가" <= letter <= "힣" for letter in text)] == []


def test_a_preset_outlives_a_template_that_is_gone_or_raises(ctx: Context) -> None:
    template("passing", needs=[])(lambda predictions, settings: "here")
    template("raising", needs=[])(lambda predictions, settings: {}["nothing"])
    made = Presets(ctx).create("mine", ["passing", "raising", "summary"])
    registry("template")._plugins.pop("passing")
    assert [card.kind for card in Presets(ctx)["mine"].cards(PREDICTIONS)] == ["error", "error", "table"]
    assert made.missing == ["passing"] and "passing" in repr(made)
    assert made.save([*made.templates, "wrong"]).version == 2  # what is gone is kept, and may come back
    registry("template")._plugins.pop("raising")


@pytest.mark.parametrize("templates", [[], None, "summary", {"summary": {}}, [""], 3, [{"template": "summary", "width": "wide"}]])
def test_nonsense_is_refused_before_anything_is_kept(ctx: Context, templates: object) -> None:
    presets = Presets(ctx)
    with pytest.raises((ParameterError, NotFound)):
        presets.create("mine", templates)  # type: ignore[arg-type]
    assert len(presets) == len(SHIPPED)


def test_names_follow_the_rules(ctx: Context) -> None:
    presets = Presets(ctx)
    presets.create("mine", ["summary"])
    with pytest.raises(AlreadyExists):
        presets.create("mine", ["summary"])
    with pytest.raises(InvalidName):
        presets.create("내 것", ["summary"])
    with pytest.raises(NotFound):
        presets["gone"]
    assert sorted(presets.list()["name"]) == sorted([*SHIPPED, "mine"])


def test_each_save_is_a_version_and_who_looks_at_an_old_one_sees_it(ctx: Context) -> None:
    presets = Presets(ctx)
    made = presets.create("mine", ["summary"], title="내 것", description="first")
    second = made.save([("wrong", {"limit": 3})], title="둘째", message="fewer")
    assert (second.version, second.title, second.description) == (2, "둘째", "first")
    assert [part["template"] for part in presets["mine@1"].templates] == ["summary"]
    assert [part["template"] for part in presets["preset:mine@2"].templates] == ["wrong"]
    assert made.versions()["message"].to_list() == ["fewer", ""]
    with pytest.raises(ParameterError, match="no setting"):
        made.save([("wrong", {"limits": 3})])
    assert presets["mine"].version == 2


def test_ones_own_preset_is_for_oneself_until_it_is_shared(ctx: Context) -> None:
    mine, theirs = Presets(ctx), Presets(Context(ctx.settings))
    theirs.ctx.sign("민지")
    made = mine.create("mine", ["summary"], shared=False)
    assert "mine" in mine.list()["name"] and "mine" not in theirs.list()["name"]
    assert theirs["mine"].templates == made.templates  # by its name, from an address that was sent
    for call in (lambda: theirs["mine"].save(["wrong"]), lambda: theirs.delete("mine")):
        with pytest.raises(ParameterError, match="own and can't be changed"):
            call()
    made.save(["summary"], shared=True)
    assert "mine" in theirs.list()["name"] and theirs["mine"].save(["wrong"]).versions()["author"][0] == "민지"


def test_a_preset_travels_as_json(ctx: Context, tmp_path: Path) -> None:
    presets = Presets(ctx)
    made = presets.create("mine", [{"template": "wrong", "settings": {"limit": 3}, "width": "full", "title": "실수"}], title="내 것")
    text = made.export(tmp_path / "mine.json")
    for number, source in enumerate((text, tmp_path / "mine.json", str(tmp_path / "mine.json"), json.loads(text))):
        assert presets.load(source, f"copy{number}").templates == made.templates
    with pytest.raises(AlreadyExists):
        presets.load(text)
    there = len(presets)
    for source in ("", "{", "[]", "nowhere.json", {"form": "clow_nb preset", "templates": ["wrong", 3, {"x": 1}]}, text.replace("limit", "limits")):
        with pytest.raises(ClowError):
            presets.load(source, "other")
    assert len(presets) == there
