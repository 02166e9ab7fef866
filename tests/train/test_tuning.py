"""A search for better parameters: by workers that share it, that are killed, and beside what is in production."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.lease import Leases
from clow_nb.train.models import Models
from clow_nb.train.study_charts import importances
from clow_nb.train.training import Trainings
from clow_nb.train.tuning import Tuning, Tunings

from .conftest import make_documents

SMALL = {"epochs": 2, "embedding": 8, "channels": 8, "lr": 2e-3, "kernels": [2, 3]}
SPACE = {"lr": ("log", 1e-4, 1e-1), "kernels": [[2], [2, 3]]}


@pytest.fixture
def tuning(ctx: Context) -> Tuning:
    """A workspace with the dataset `intents`, the training `t-intent` and the tuning `h-intent`."""
    Datasets(ctx).create("intents", make_documents(6), label="label").split(stratify="label", train=8, valid=2, test=2)
    Trainings(ctx).create("t-intent", dataset="intents", params=SMALL, model="intent")
    return Tunings(ctx).create("h-intent", base="t-intent", space=SPACE, trials=5)


def _share(home: Path, name: str) -> None:
    Tunings(Context.open(home))[name].search().run()


def _die_within(home: Path, name: str) -> None:
    search = Tunings(Context.open(home))[name].search()
    trial = search.next()
    assert trial is not None
    trial.report(0.5, 1)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_workers_share_a_study_and_one_that_dies_leaves_nothing(tuning: Tuning) -> None:
    spawn = multiprocessing.get_context("spawn")
    lost = spawn.Process(target=_die_within, args=(tuning.ctx.home, "h-intent"))
    lost.start()
    lost.join()
    both = [spawn.Process(target=_share, args=(tuning.ctx.home, "h-intent")) for _ in range(2)]
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
    run = endless.run()
    try:
        deadline = time.monotonic() + 120
        while not endless.steps().height:
            assert time.monotonic() < deadline and not run.row.ended, run.error
            time.sleep(0.1)
        run.cancel().wait(timeout=60, progress=False, check=False)
    finally:
        stop_worker(tuning.ctx, seconds=0)
    assert (endless.status, endless.trials["state"].to_list()[:2]) == ("CANCELLED", ["FAILED", "WAITING"]), "an interrupted trial is kept for the next run"
    Tunings(tuning.ctx).delete("h-endless")
    assert "h-endless" not in Tunings(tuning.ctx)
