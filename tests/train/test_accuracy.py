"""The solution keeps up with the baseline where data is small: the benchmark's own comparison, on fewer seeds."""

import runpy
from pathlib import Path

import pytest


@pytest.mark.slow
def test_on_small_data_it_keeps_up_with_the_baseline() -> None:
    bench = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "train.py"))
    rows = [bench["compare"](bench["demo"](seed, Path()), seed, {}) for seed in range(3)]
    for metric in ("accuracy", "f1"):
        solution, baseline = (sum(row[key] for row in rows) / 3 for key in (metric, f"baseline {metric}"))
        assert solution >= baseline - 0.03
