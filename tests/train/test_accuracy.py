"""The solution reaches its goals on public corpora, and keeps up with the baseline where data is small: the benchmark's own comparisons."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit, score


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    """The benchmark's functions."""
    return runpy.run_path(str(Path(__file__).parents[1] / "bench" / "train.py"))


@pytest.mark.slow
def test_on_small_data_it_keeps_up_with_the_baseline(bench: dict[str, Any]) -> None:
    rows = [bench["compare"](bench["demo"](seed, Path()), seed, {}) for seed in range(3)]
    for metric in ("accuracy", "f1"):
        ours, baseline = (sum(row[key] for row in rows) / 3 for key in (metric, f"baseline {metric}"))
        assert ours >= baseline - 0.03


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("corpus", "goal"), [("clinc150", 0.90), ("snips", 0.97), ("ko-3i4k", 0.85), ("ko-nsmc", 0.83)])
def test_the_defaults_reach_their_goals(bench: dict[str, Any], shared_data: Path, corpus: str, goal: float) -> None:
    found = []
    for seed in range(3):
        task = solution("nlp-intent", {"seed": seed})
        splits = task.prepare(bench["CORPORA"][corpus](seed, shared_data))
        model, _ = fit(task, splits["train"], splits["valid"])
        found.append(score(task, model, splits["test"])[0]["accuracy"])
    assert sum(found) / 3 >= goal, found
