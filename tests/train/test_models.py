"""The registry: once for a run, whoever asks how often; stages move one at a time."""

import multiprocessing
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.train.models import Models, register


def _register(home: Path, folder: Path, token: str) -> int:
    return register(Context.open(home), "intent", folder, {"valid_accuracy": 0.9}, ["dataset:d1@1"], token).version


def test_many_processes_register_each_run_once(ctx: Context, trained: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        tasks = [(ctx.home, trained, token) for token in ("run-1", "run-1", "run-2")]
        versions = pool.starmap(_register, tasks)
    assert versions[0] == versions[1] != versions[2]
    assert [v.version for v in Models(ctx)["intent"]] == [1, 2]
    assert len(ctx.events.since(0, "model.registered")) >= 2
    assert all(v.predict({"text": "알람"})["label"] for v in Models(ctx)["intent"])
    assert len(list((ctx.home / "data" / "models" / "intent").iterdir())) == 1, "the same content lies there once"


def test_an_interrupted_registration_is_completed(ctx: Context, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(*args: object, **kwargs: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(type(ctx.catalog), "add_version", stop)
        register(ctx, "intent", trained, {}, ["dataset:d1@1"], "run-1")
    with pytest.raises(NotFound):
        Models(ctx).version("intent")
    made = register(ctx, "intent", trained, {}, ["dataset:d1@1"], "run-1")
    assert made.version == 1 and made.load().labels == ["ai", "alarm", "food"]
    assert [event.payload["ref"] for event in ctx.events.since(0, "model.registered")] == ["model:intent@1"]


def test_references_of_every_form(ctx: Context, trained: Path) -> None:
    for number in (1, 2):
        register(ctx, "intent", trained, {}, token=f"run-{number}")
    models = Models(ctx)
    models["intent"].promote(1, "production")
    ctx.catalog.tag("model", "intent", "v1.0", 1)
    for ref, version in [("intent", 2), ("intent@1", 1), ("model:intent@production", 1), ("intent@v1.0", 1), ("intent@latest", 2)]:
        assert models.version(ref).version == version
    assert models["intent@production"].version == 1 and models["intent"]["latest"].version == 2
    for ref in ("intent@9", "intent@staging", "intend"):
        with pytest.raises(NotFound):
            models.version(ref)
    assert models["intent"].versions()["stage"].to_list() == ["production", None]


def test_one_in_production_many_archived(ctx: Context, trained: Path) -> None:
    for number in range(1, 4):
        register(ctx, "intent", trained, {}, token=f"run-{number}")
        assert Models(ctx)["intent"].promote(number, "production")
    assert ctx.catalog.stages("model", "intent") == {1: "archived", 2: "archived", 3: "production"}
    with pytest.raises(ParameterError, match="no stage 'prod'"):
        Models(ctx)["intent"].promote(1, "prod")
    with pytest.raises(NotFound):
        Models(ctx)["intent"].promote(7, "production")


def test_an_empty_model_has_empty_tables(ctx: Context) -> None:
    model = Models(ctx).create("intent", title="의도")
    assert (len(model), len(model.versions()), len(model.history())) == (0, 0, 0)
    assert model.history().columns == ["version", "stage", "author", "reason", "at"]
