"""A search for better parameters: by workers that share it, that are killed, and beside what is in production."""

import math
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.data.objects import Objects
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.lease import Leases
from clow_nb.train.logbook import find_run
from clow_nb.train.models import Models, register
from clow_nb.train.predictor import save_model
from clow_nb.train.search import Try
from clow_nb.train.solution import solution
from clow_nb.train.study_charts import importances
from clow_nb.train.tracker import end_lost
from clow_nb.train.tracking import mlflow_client
from clow_nb.train.trainer import fit
from clow_nb.train.training import Trainings
from clow_nb.train.tuning import Tuning, Tunings

from .conftest import make_documents

SMALL = {"epochs": 2, "embedding": 8, "channels": 8, "lr": 2e-3, "kernels": [2, 3]}
SPACE = {"lr": ("log", 1e-4, 1e-1), "kernels": [[2], [2, 3]]}


@pytest.fixture
def tuning(ctx: Context) -> Tuning:
    """A workspace with the dataset `intents`, the training `t-intent` and the tuning `h-intent`."""
    return _made(ctx)


def _made(ctx: Context) -> Tuning:
    Datasets(ctx).create("intents", make_documents(6), label="label").split(stratify="label", train=8, valid=2, test=2)
    Trainings(ctx).create("t-intent", dataset="intents", params=SMALL, model="intent")
    return Tunings(ctx).create("h-intent", base="t-intent", space=SPACE, trials=5)


def _share(home: Path, db: str | None, name: str) -> None:
    Tunings(Context.open(home, db))[name].search().run()


def _die_within(home: Path, db: str | None, name: str) -> None:
    search = Tunings(Context.open(home, db))[name].search()
    trial = search.next()
    assert trial is not None
    trial.report(0.5, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def _survive(tuning: Tuning) -> None:
    """One worker dies within a trial; two others make all that is wanted, the lost one again too."""
    spawn, where = multiprocessing.get_context("spawn"), (tuning.ctx.home, tuning.ctx.settings.db, "h-intent")
    lost = spawn.Process(target=_die_within, args=where)
    lost.start()
    lost.join()
    both = [spawn.Process(target=_share, args=where) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    trials = tuning.trials
    counts = dict(trials["state"].value_counts().iter_rows())
    assert counts.pop("FAILED") == 1 and sum(counts.values()) == 5 and set(counts) <= {"COMPLETE", "PRUNED"}
    assert trials["lr"][0] == trials.filter(pl.col("number") > 0)["lr"].to_list()[0] == SMALL["lr"], "the lost one is made again"
    assert trials["lr"].n_unique() == 5, "no two workers tried the same"
    assert not any((tuning.ctx.home / "tunings").glob("*/trial-*"))


@pytest.mark.slow
def test_workers_share_a_study_and_one_that_dies_leaves_nothing(tuning: Tuning) -> None:
    _survive(tuning)


@pytest.mark.slow
def test_the_same_in_the_database_of_a_team(tmp_path: Path, postgres: str) -> None:
    made = _made(Context.open(tmp_path / ".clow", db=postgres))
    _survive(made)
    assert not (made.ctx.home / "db").exists(), "nothing is kept in files beside the database"
    with sa.create_engine(made.ctx.settings.database_url("optuna")).connect() as connection:
        assert connection.execute(sa.text("select count(*) from clow_optuna.trials")).scalar() == made.trials.height
    assert made.best.value == made.trials.filter(state="COMPLETE")["value"].max()
    made.plot("importance")
    Tunings(made.ctx).delete("h-intent")
    assert "h-intent" not in Tunings(made.ctx)


@pytest.mark.slow
def test_a_run_and_the_training_of_its_best(tuning: Tuning) -> None:
    with pytest.raises(NotFound, match="no finished trial"):
        tuning.plot()
    try:
        run = tuning.run(trials=3).wait(timeout=200, progress=False)
        trained = tuning.train_best().wait(timeout=200, progress=False)
    finally:
        stop_worker(tuning.ctx, seconds=0)
    assert (tuning.status, run.outputs["best"], run.outputs["params"]) == ("SUCCEEDED", tuning.best.number, tuning.best.params)
    assert "No model is in production" in run.outputs["standing"] and "<svg" in run.notebook.read_text("utf-8")
    assert run.metrics().filter(key="valid_f1_macro").height == tuning.trials.filter(state="COMPLETE").height
    assert "tuning:h-intent@1" in {edge.target for edge in tuning.ctx.catalog.edges("dataset:intents@2")}
    made = Models(tuning.ctx).version(trained.outputs["model"])
    assert made.metrics["valid_f1_macro"] == tuning.best.value, "same seed, same numbers"
    assert Trainings(tuning.ctx)[f"h-intent-{tuning.best.number}"].params == SMALL | tuning.best.params
    Models(tuning.ctx)["intent"].promote(1, "production")
    standing = tuning.standing()
    assert standing.is_better is False and standing.theirs == pytest.approx(tuning.best.value)


def test_charts_of_all_trials(tuning: Tuning) -> None:
    tuning.search().run(lambda words: None)
    for what in ("history", "parallel", "importance", "epochs"):
        assert tuning.plot(what).to_dict()
    assert sum(importances(tuning).values()) == pytest.approx(1, abs=0.01) or tuning.trials["value"].n_unique() == 1
    with pytest.raises(ParameterError, match="no chart 'pie'"):
        tuning.plot("pie")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["forecast", "several", "tabular"])
def test_the_model_in_production_is_judged_as_the_trials_were(ctx: Context, tmp_path: Path, kind: str) -> None:
    """The very same parameters give the very same number, from answers as from the trial."""
    documents, label, solved, metric, params, space = _kinds()[kind]
    Datasets(ctx).create("data", documents, label=label)
    if kind != "forecast":
        Datasets(ctx)["data"].split(train=8, valid=2)
    training = Trainings(ctx).create("t-data", dataset="data", solution=solved, params=params, model="kind")
    tuning = Tunings(ctx).create("h-data", base=training, space=space, metric=metric, trials=1)
    tuning.search().run(lambda words: None)
    setup = Try.of(tuning.spec, Datasets(ctx)["data"])
    task = solution(solved, params | tuning.best.params, Objects(ctx))
    splits = task.prepare(setup.frame, setup.label)
    model, progress = fit(task, splits["train"], splits["valid"])
    register(ctx, "kind", save_model(tmp_path / "model", task, model, progress.metrics), progress.metrics)
    Models(ctx)["kind"].promote(1, "production")
    standing = tuning.standing()
    assert standing.theirs == pytest.approx(standing.ours, abs=1e-4), standing
    assert standing.is_better is False or standing.theirs == pytest.approx(standing.ours, abs=1e-6)


def _kinds() -> dict[str, tuple[list[dict[str, Any]], str, str, str, dict[str, Any], dict[str, Any]]]:
    waves = [{"t": f"2026-01-{1 + n // 24:02} {n % 24:02}:00:00", "load": math.sin(n / 4) + n % 3} for n in range(300)]
    topics = [row | {"label": [row["label"], *(["short"] if len(row["text"]) < 12 else [])]} for row in make_documents(6)]
    prices = [{"rooms": n % 7, "kind": "ab"[n % 2], "price": 3.0 * (n % 7) + n % 2} for n in range(120)]
    return {
        "forecast": (waves, "load", "ts-forecast", "valid_mae", {"window": 12, "epochs": 2}, {"lr": ("log", 1e-3, 1e-2)}),
        "several": (topics, "label", "nlp-intent", "valid_f1_macro", SMALL | {"epochs": 3}, {"lr": ("log", 1e-3, 1e-1)}),
        "tabular": (prices, "price", "tabular", "valid_mae", {"epochs": 2}, {"lr": ("log", 1e-3, 1e-2)}),
    }  # fmt: skip


@pytest.mark.slow
def test_a_killed_worker_and_a_helper(tuning: Tuning) -> None:
    params = SMALL | {"epochs": 60, "patience": 60}
    base = Trainings(tuning.ctx).create("t-long", dataset="intents", params=params)
    long = Tunings(tuning.ctx).create("h-long", base=base, space=SPACE, trials=8, pruning=False)
    run = long.run(workers=2)
    deadline = time.monotonic() + 120
    try:
        while not long.trials.filter(state="COMPLETE").height:
            assert time.monotonic() < deadline, run.logs()
            time.sleep(0.1)
        for lease in Leases(tuning.ctx).living():
            os.kill(lease.pid, signal.SIGKILL)
        run.wait(timeout=300, progress=False)
        for child in run.children():
            child.wait(timeout=100, progress=False)
    finally:
        stop_worker(tuning.ctx, seconds=0)
    counts = dict(long.trials["state"].value_counts().iter_rows())
    assert counts["COMPLETE"] == 8 and counts["FAILED"] in (1, 2) and set(counts) == {"COMPLETE", "FAILED"}
    assert run.row.attempt > 1


@pytest.mark.slow
def test_a_tuning_that_is_cancelled_has_no_running_trial(tuning: Tuning) -> None:
    base = Trainings(tuning.ctx)["t-intent"].clone("t-endless", params={"epochs": 1000, "patience": 1000})
    endless = Tunings(tuning.ctx).create("h-endless", base=base, space=SPACE)
    client, run = mlflow_client(tuning.ctx), endless.run()
    try:
        deadline = time.monotonic() + 120
        while not (endless.steps().height and find_run(client, f"tuning-{endless.study_name(endless.dataset)}")):
            assert time.monotonic() < deadline and not run.row.ended, run.error
            time.sleep(0.1)
        run.cancel().wait(timeout=60, progress=False, check=False)
    finally:
        stop_worker(tuning.ctx, seconds=0)
    end_lost(tuning.ctx, client)
    assert (told := find_run(client, f"tuning-{endless.study_name(endless.dataset)}")) and told.info.status == "KILLED"
    assert (endless.status, endless.trials["state"].to_list()[:2]) == ("CANCELLED", ["FAILED", "WAITING"]), "an interrupted trial is kept for the next run"
    Tunings(tuning.ctx).delete("h-endless")
    assert "h-endless" not in Tunings(tuning.ctx)
