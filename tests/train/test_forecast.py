"""Series of any number and length: what belongs to which split, several variables, killed and repeated trainings, tables for the night."""

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.data.encoding import FileNotice
from clow_nb.train.forecasts import anomalies, forecast
from clow_nb.train.models import Models, register
from clow_nb.train.predictor import load_predictor, save_model
from clow_nb.train.quantize import compare_variants
from clow_nb.train.series import by_time, in_order, naive, roles_of, starts
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit, score

SMALL = {"window": 12, "hidden": 8, "layers": 1, "epochs": 3, "batch_size": 32, "lr": 1e-2}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def hours(count: int = 200, **lengths: int) -> pl.DataFrame:
    """One series of a load and the temperature that drives it, or several of these lengths."""
    first = datetime(2026, 1, 1)
    return pl.DataFrame(
        [
            {"meter": name, "at": first + timedelta(hours=n), "load": 50 + 10 * math.sin(n / 4) + len(name), "temp": math.cos(n / 4)}
            for name, length in (lengths or {"a": count}).items()
            for n in range(length)
        ]
    )


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(2, 6), st.integers(1, 3))
def test_what_is_forecast_lies_in_its_split_and_in_one_series(lengths: list[int], window: int, horizon: int) -> None:
    frame = hours(**{f"m{place}": length for place, length in enumerate(lengths)})
    roles = roles_of(frame, series="meter")
    ordered = in_order(by_time(frame, roles), roles)
    seen: set[int] = set()
    for split in ("train", "valid", "test"):
        for first in starts(ordered, split, window, horizon):
            rows = ordered[first : first + window + horizon]
            assert len(rows) == window + horizon and rows["_series"].n_unique() == 1
            assert set(rows["split"][window:]) == {split}
            assert first not in seen
            seen.add(first)
    if horizon == 1:  # nothing that can be forecast is left out
        assert len(seen) == sum(max(0, length - window) for length in lengths)


@pytest.mark.parametrize("network", ["lstm", "linear"])
def test_a_killed_training_goes_on_with_the_same_numbers(network: str, tmp_path: Path) -> None:
    task = solution("ts-forecast", {**SMALL, "network": network, "horizon": 2})
    splits = task.prepare(task.split(hours()))
    straight, progress = fit(task, splits["train"], splits["valid"])

    def kill(epoch: int, metrics: dict[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(task, splits["train"], splits["valid"], tmp_path, kill)
    resumed, again = fit(task, splits["train"], splits["valid"], tmp_path)
    assert again.history == progress.history
    assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True))


def test_several_variables_and_series_are_kept_with_the_model(tmp_path: Path) -> None:
    frame = hours(a=120, bb=90)
    task = solution("ts-forecast", {**SMALL, "series": "meter", "target": "load", "horizon": 3})
    splits = task.prepare(task.split(frame))
    model, progress = fit(task, splits["train"], splits["valid"])
    predictor = load_predictor(save_model(tmp_path / "m", task, model, progress.metrics))
    assert predictor.signature["inputs"] == {"meter": "string", "load": "array", "temp": "array"}
    assert [len(answer["values"]) for answer in predictor.predict(predictor.examples)] == [3, 3]
    table = forecast(predictor, frame)
    assert table.columns == ["meter", "at", "t", "t+1", "t+2", "t+3"] and table["meter"].to_list() == ["a", "bb"]
    assert table.write_csv().startswith("meter,at,t,t+1,t+2,t+3\na,2026-01-05T23:00:00")
    metrics, said = score(task, model, splits["test"])
    assert said.shape == (len(splits["test"]), 3) and set(metrics) == {"mae", "rmse", "loss"}


def test_a_model_that_has_not_learned_is_the_persistence_forecast() -> None:
    task = solution("ts-forecast", {**SMALL, "horizon": 2})
    splits = task.prepare(task.split(hours()))
    batch = splits["test"].take(torch.arange(4))
    last = batch["window"][:, -1, 0] * batch["spread"] + batch["center"]
    torch.testing.assert_close(task.predict(task.model(), batch), last.unsqueeze(1).expand(-1, 2))
    assert naive([3.0, 7.0], 2) == [7.0, 7.0]


def test_what_was_out_of_the_ordinary_is_found(tmp_path: Path) -> None:
    task = solution("ts-forecast", {**SMALL, "network": "linear", "epochs": 30, "patience": 30})
    splits = task.prepare(task.split(hours(400)))
    model, progress = fit(task, splits["train"], splits["valid"])
    predictor = load_predictor(save_model(tmp_path / "m", task, model, progress.metrics))
    broken = hours(400).with_row_index().with_columns(load=pl.when(pl.col("index").is_in([300, 301, 302])).then(400.0).otherwise("load"))
    found = anomalies(predictor, broken)
    assert 300 in found.filter("anomaly")["index"].to_list() and len(found) == 388
    assert anomalies(predictor, hours(5)).is_empty()


def test_models_beside_each_other_on_the_same_windows(ctx: Context, tmp_path: Path) -> None:
    ds = Datasets(ctx).create("meters", hours(), label="temp")
    for number, (horizon, epochs) in enumerate([(1, 1), (1, 3), (3, 1)]):
        task, frame = solution("ts-forecast", {**SMALL, "horizon": horizon, "epochs": epochs}), ds.scan().collect()
        label = task.target(frame, ds.label)
        splits = task.prepare(task.split(frame, label), label)
        model, progress = fit(task, splits["train"], splits["valid"])
        register(ctx, "meter", save_model(tmp_path / f"{number}", task, model), progress.metrics, [ds.ref])
    meter = Models(ctx)["meter"]
    assert meter.promote(1, "production") and meter.promote(2, "production", if_better="mae")
    with pytest.raises(ParameterError, match=r"different numbers of steps \(1, 3\)"):
        meter.promote(3, "production", if_better="mae")
    with pytest.warns(FileNotice, match="The errors can't be compared"):
        sheet = compare_variants(ctx, [*meter, meter[2].quantize()], ds, rounds=2)
    assert (sheet["horizon"].to_list(), sheet["documents"].to_list()) == ([1, 1, 3, 1], [20, 20, 54, 20])
    assert sheet["mae"][1] == pytest.approx(sheet["mae"][3], rel=0.05) and sheet["size_mb"][3] < sheet["size_mb"][1]
    assert "temp" in meter[1].signature["inputs"] and meter[1].load().task.roles.target == "temp"


@pytest.mark.parametrize(
    ("change", "params", "words"),
    [
        (lambda frame: frame.drop("at"), {}, "No key holds dates"),
        (lambda frame: frame.drop("load", "temp"), {}, "holds no numbers to forecast"),
        (lambda frame: pl.concat([frame, frame]), {}, "more than once"),
        (lambda frame: frame.head(9), {}, "the longest has 9"),
        (lambda frame: frame.with_columns(load=pl.lit(None, pl.Float64)), {}, "has no number under the key 'load'"),
        (lambda frame: frame, {"series": "name"}, "No document has the key 'name'"),
    ],
)
def test_documents_that_are_no_series_are_said(change: Any, params: dict[str, Any], words: str) -> None:
    task = solution("ts-forecast", SMALL | params)
    with pytest.raises(DataError, match=words):
        task.prepare(task.split(change(hours())))
