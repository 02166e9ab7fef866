"""Names that point at versions: who moved them, and where they pointed on any day."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.core.records import STAGES
from clow_nb.train.models import Models, register
from clow_nb.ui.moves import on_day


def _move_back(ctx: Context, days: int) -> None:
    """Let every stage move so far have been made so many days earlier."""
    with ctx.catalog.begin() as connection:
        for row in list(connection.execute(STAGES.select()).mappings()):
            earlier = row["at"] - timedelta(days=days)
            connection.execute(STAGES.update().where(STAGES.c.id == row["id"]).values(at=earlier))


def test_what_was_in_production_on_a_day(ctx: Context, trained: Path) -> None:
    for number in (1, 2, 3):
        register(ctx, "intent", trained, {}, token=f"run-{number}")
    model = Models(ctx)["intent"]
    assert model.promote(1, "production", reason="the first")
    _move_back(ctx, 10)
    assert model.promote(3, "production", reason="better on slang")
    _move_back(ctx, 10)
    assert model.promote(1, "production", reason="3 was too slow")
    today = datetime.now().date()
    found = [model.at(str(today - timedelta(days=days))).version for days in (19, 11, 9, 1, 0)]
    assert found == [1, 1, 3, 3, 1]
    told = [on_day(model, today - timedelta(days=days), "production") for days in (15, 5, 0)]
    reasons = ("the first", "better on slang", "3 was too slow")
    assert all(one.endswith(f": {why}") for one, why in zip(told, reasons, strict=True)), told
    assert model.at(today - timedelta(days=5), "archived").version == 1
    with pytest.raises(NotFound, match="No version of model:intent was in production at"):
        model.at(today - timedelta(days=30))
    with pytest.raises(ParameterError, match="'last week' is no date"):
        model.at("last week")
    held = model.timeline().filter(stage="production")
    assert held["reason"].to_list() == ["the first", "better on slang", "3 was too slow"]
    assert held["until"].is_null().to_list() == [False, False, True]


def test_a_free_alias_is_understood_everywhere_and_deleted_with_the_model(ctx: Context, trained: Path) -> None:
    for number in (1, 2):
        register(ctx, "intent", trained, {"valid_accuracy": number / 2}, token=f"run-{number}")
    model = Models(ctx)["intent"]
    model.alias("champion", 1, "by kim")
    model.alias("champion", 1, "again")
    model.alias("champion", "latest", "by lee")
    model[2].tag("reviewed", "yes")
    assert Models(ctx).version("intent@champion").version == 2 and model["champion"].tags == {"reviewed": "yes"}
    assert model.history()["reason"].to_list() == ["by lee", "by kim"], "nothing moved the second time"
    assert model.compare(1, 2).filter(part="metrics")["difference"].to_list() == [0.5]
    Models(ctx).delete("intent")
    register(ctx, "intent", trained, {}, token="run-3")
    fresh = Models(ctx)["intent"]
    assert (fresh.aliases(), fresh.history().height, fresh[1].tags) == ({}, 0, {})
