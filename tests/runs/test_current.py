"""What a notebook reports: the same calls with a run and without, from many threads, until another attempt takes over."""

import json
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError, RunError
from clow_nb.core.refs import Ref
from clow_nb.runs import current
from clow_nb.runs.ledger import Ledger, RunRow


@pytest.fixture
def run(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run whose first attempt is this process."""
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="r1", kind="demo", target=""))
    row = ledger.begin("r1", "this worker")
    folder = ctx.folder("runs", "r1")
    own = {"CLOW_RUN_ID": "r1", "CLOW_RUN_FOLDER": str(folder), "CLOW_RUN_TOKEN": row.token}
    for name, value in (ctx.environment() | own).items():
        monkeypatch.setenv(name, value)
    return folder


def test_without_a_run_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    current.progress(0.25, "읽는 중")
    current.log_metrics({"loss": 1.0})
    current.output("model", "model:a@1")
    current.guard()
    assert capsys.readouterr().out == " 25% 읽는 중\n"
    assert (current.run_id(), current.token()) == (None, None)
    assert current.folder().is_dir() and current.folder() == current.folder()
    assert not list(tmp_path.iterdir()) and not list(current.folder().iterdir())


def test_progress_stays_between_nothing_and_all(run: Path) -> None:
    for fraction, shown in ((-1, 0.0), (0.5, 0.5), (7, 1.0), (np.float32(0.25), 0.25), (math.nan, 0.0)):
        current.progress(fraction, "중")
        state = json.loads((run / "progress.json").read_text("utf-8"))
        assert (state["fraction"], state["message"]) == (shown, "중")


def test_metrics_of_many_threads_are_whole_lines(run: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda step: current.log_metrics({"손실": step / 7, "lr": np.float64(step)}, step), range(400)))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert sorted((line["step"], line["key"]) for line in lines) == sorted((s, k) for s in range(400) for k in ("손실", "lr"))
    assert {"step", "key", "value", "time"} == set(lines[0])


def test_a_metric_that_has_blown_up_is_kept(run: Path) -> None:
    current.log_metrics({"loss": math.nan, "other": math.inf})
    values = [json.loads(line)["value"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert math.isnan(values[0]) and values[1] == math.inf


@pytest.mark.parametrize("value", ["0.5", None, [1.0], b"1", object()])
def test_a_metric_is_a_number(run: Path, value: Any) -> None:
    with pytest.raises(ParameterError, match="The metric loss is"):
        current.log_metrics({"fine": 1.0, "loss": value})
    assert not (run / "metrics.jsonl").exists()


def test_outputs_of_many_threads_are_all_there(run: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: current.output(f"n{n}", n), range(50)))
    assert json.loads((run / "outputs.json").read_text()) == {f"n{n}": n for n in range(50)}
    assert {path.name for path in run.iterdir()} == {"outputs.json"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Ref("model", "a", 1), "model:a@1"),
        (date(2026, 1, 2), "2026-01-02"),
        (Path("결과"), "결과"),
        ({"f1": 0.5, "labels": ("a", "b"), "none": None}, {"f1": 0.5, "labels": ["a", "b"], "none": None}),
        (np.float64(0.5), 0.5),
        ({"nested": [np.int64(3), Ref("model", "a", 1)]}, {"nested": [3, "model:a@1"]}),
    ],
)
def test_what_an_output_may_be(run: Path, value: Any, kept: Any) -> None:
    current.output("x", value)
    assert json.loads((run / "outputs.json").read_text("utf-8")) == {"x": kept}


def test_what_an_output_may_not_be(run: Path) -> None:
    current.output("x", 1)
    for value in (object(), {"deep": {1: object()}}, threading.Lock()):
        with pytest.raises(ParameterError, match="The output x is of the type"):
            current.output("x", value)
    assert json.loads((run / "outputs.json").read_text()) == {"x": 1}


def test_an_attempt_that_was_taken_over_changes_nothing(run: Path, ctx: Context) -> None:
    current.output("x", 1)
    current.guard()
    Ledger(ctx).release("this worker")
    Ledger(ctx).begin("r1", "another worker")
    for write in (current.guard, lambda: current.output("x", 2)):
        with pytest.raises(RunError):
            write()
    assert json.loads((run / "outputs.json").read_text()) == {"x": 1}


def test_replacing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    current.replace_text(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        current.replace_text(path, "new")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["state.json"]
    monkeypatch.undo()
    current.replace_text(path, '"\udc80"')
    assert json.loads(path.read_text()) == "\udc80"
