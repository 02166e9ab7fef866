"""The solutions reach their goals on public data, as the mean of three seeds on documents that they were not trained on."""

import runpy
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl
import pytest
import torch

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.data.objects import Objects
from clow_nb.train.inputs import with_splits
from clow_nb.train.solution import Solution, solution
from clow_nb.train.trainer import fit, score

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SEEDS = range(3)


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    """The benchmark's functions."""
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "train.py"))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def reached(metric: str, make: Callable[[int], tuple[Solution, pl.DataFrame, str | None]]) -> float:
    """The mean over the seeds of a metric on the split test; each seed's is printed."""
    found = []
    for seed in SEEDS:
        task, frame, label = make(seed)
        splits = task.prepare(frame, label)
        model, progress = fit(task, splits["train"], splits["valid"])
        found.append(score(task, model, splits["test"])[0][metric])
        print(f"{task.name} seed {seed}: {metric} {found[-1]:.4f} on {len(splits['test'])}, {progress.epoch} epochs")
    return fmean(found)


def test_on_small_data_it_keeps_up_with_the_baseline(bench: dict[str, Any]) -> None:
    rows = [bench["compare"](bench["demo"](seed, Path()), seed, {}) for seed in SEEDS]
    for metric in ("accuracy", "f1"):
        ours, baseline = (fmean(row[key] for row in rows) for key in (metric, f"baseline {metric}"))
        assert ours >= baseline - 0.03


@pytest.mark.parametrize(("corpus", "goal"), [("clinc150", 0.90), ("snips", 0.97), ("ko-3i4k", 0.85), ("ko-nsmc", 0.83)])
def test_what_is_meant_by_short_texts(bench: dict[str, Any], shared_data: Path, corpus: str, goal: float) -> None:
    read = bench["CORPORA"][corpus]
    assert reached("accuracy", lambda seed: (solution("nlp-intent", {"seed": seed}), read(seed, shared_data), None)) >= goal


def test_ten_thousand_handwritten_digits(ctx: Context, shared_data: Path) -> None:
    ds = Datasets(ctx).create("mnist", shared_data / "mnist-t10k" / "t10k-images-idx3-ubyte.gz", label="label")
    frame = ds.scan().sort("_pos").collect()

    def make(seed: int) -> tuple[Solution, pl.DataFrame, str | None]:
        return solution("vision-cls", {"seed": seed}, Objects(ctx)), with_splits(frame, "label", seed), "label"

    assert reached("accuracy", make) >= 0.98


def test_charges_of_insured_people(shared_data: Path) -> None:
    frame = pl.read_csv(shared_data / "insurance" / "insurance.csv")
    assert reached("r2", lambda seed: (solution("tabular", {"seed": seed}), with_splits(frame, None, seed), "charges")) >= 0.84


@pytest.mark.parametrize("which", ["min", "max"])
def test_temperatures_are_forecast_better_than_by_yesterday_or_last_year(shared_data: Path, which: str) -> None:
    frame = pl.read_csv(shared_data / "daily-temperature-melbourne" / f"daily-{which}-temperatures.csv", try_parse_dates=True)

    def make(seed: int) -> tuple[Solution, pl.DataFrame, str | None]:
        task = solution("ts-forecast", {"seed": seed})
        return task, task.split(frame), None

    task, split, _ = make(0)
    count, values = (split["split"] == "test").sum(), frame[task.split(frame).columns[1]].to_list()
    ours, last = reached("mae", make), range(len(values) - count, len(values))
    for season in (1, 365):
        naive = fmean(abs(values[day] - values[day - season]) for day in last)
        print(f"{season} day(s) before: mae {naive:.4f}, ours {ours:.4f}")
        assert ours < naive
