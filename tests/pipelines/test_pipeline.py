"""A pipeline on real runs: by itself, behind a gate, and over a killed worker."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from clow_nb import Evaluate, Serve, Train, Workspace
from clow_nb.core.errors import GateError, NotFound, ParameterError
from clow_nb.pipelines.triggers import poll_triggers
from clow_nb.runs.launch import ensure_worker, stop_worker

WORDS = {
    "alarm": ["알람 맞춰줘", "일곱 시에 깨워줘", "set an alarm", "wake me up at"],
    "food": ["배고파요", "점심 뭐 먹지", "order a pizza", "i want noodles"],
    "money": ["통장 잔액 알려줘", "송금해줘", "check my balance", "send money to"],
}


def _documents(per_class: int, start: int = 0) -> list[dict]:
    return [
        {"text": f"{phrases[n % 4]} {n}", "topic": topic}
        for topic, phrases in WORDS.items()
        for n in range(start, start + per_class)
    ]


LEARN = """
import json, os, pathlib, time
wait = pathlib.Path({wait!r})
wait.with_name("began").touch()
while wait.exists():
    time.sleep(0.02)
out = pathlib.Path(os.environ["CLOW_OUTPUT"])
(out / "metrics.json").write_text(json.dumps(dict(valid_accuracy=0.5)))
(out / "model").mkdir()
(out / "model" / "weights.bin").write_bytes(b"learnt")
"""
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def _until(condition: Callable[[], object], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, as_shipped: None) -> Iterator[Workspace]:
    """A workspace in which a first model is trained, evaluated, and in production."""
    workspace = Workspace(tmp_path_factory.mktemp("pipe") / ".clow")
    dataset = workspace.datasets.create("d-topic-1", _documents(30), label="topic")
    dataset = dataset.split(train=8, valid=1, test=1, seed=0, stratify="topic")
    workspace.trainings.create("t-topic", dataset=str(dataset.ref), solution="nlp-intent", model="topic", params={"epochs": 3})
    workspace.evaluations.create("e-topic", model="topic@latest", dataset=str(dataset.ref), split="test", preset="classification")
    workspace.services.create("s-topic")
    gate = Serve("s-topic", gate="f1_macro >= production.f1_macro")
    workspace.pipelines.create("pl-first", [Train("t-topic"), Evaluate("e-topic"), gate]).run("d-topic-1").wait(progress=False)
    yield workspace
    for service in workspace.services:
        service.stop()
    stop_worker(workspace.ctx)


def test_first_run_with_nothing_in_production(ws: Workspace) -> None:
    (run,) = ws.pipelines["pl-first"].runs()
    assert run.steps()["status"].to_list() == ["SUCCEEDED"] * 4
    assert all(Path(path).exists() for path in run.steps()["notebook"])
    assert "production" in run.verdict
    assert ws.models["topic"]["production"].version == 1
    assert ws.services["s-topic"].predict({"text": "배고파요 3"})["version"] == "v1"


@pytest.fixture(scope="module")
def own(ws: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training `t-own` of the model `own`, by a notebook that learns nothing and waits where a file asks it to; the file."""
    wait = tmp_path_factory.mktemp("own") / "wait"
    cells = [new_code_cell("started: int = 0", metadata={"tags": ["parameters"]}), new_code_cell(LEARN.format(wait=str(wait)))]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), wait.with_name("own.ipynb"))
    ws.trainings.create("t-own", dataset="d-topic-1", code={"notebook": str(wait.with_name("own.ipynb"))}, model="own")
    return wait


def test_it_starts_by_itself_once_for_each_arrival(ws: Workspace, own: Path) -> None:
    pipeline = ws.pipelines.create("pl-arrival", [Train("t-own")], trigger={"dataset_prefix": "d-arrive-"})
    dataset = ws.datasets.create("d-arrive-1", _documents(24), label="topic")
    ws.datasets.create("other", _documents(5))
    _until(pipeline.runs)
    (run,) = pipeline.runs()
    run.wait(progress=False)
    poll_triggers(ws.ctx)
    assert len(pipeline.runs()) == 1, "the split that the pipeline made must not start it again"
    assert len(ws.models["own"].versions()) == 1
    newest = ws.datasets["d-arrive-1"]
    assert newest.version == dataset.version + 1 and set(newest.split_counts()) == {"train", "valid", "test"}
    assert str(newest.ref) in repr(ws.lineage(run.outputs["model"]))


def test_a_gate_that_says_no_deploys_nothing(ws: Workspace) -> None:
    pipeline = ws.pipelines.create(
        "pl-strict", [Train("t-topic"), Serve("s-topic", gate="f1_macro > production.f1_macro + 1")]
    )
    production, versions = ws.models["topic"]["production"].version, len(ws.services["s-topic"].versions())
    run = pipeline.run("d-topic-1").wait(progress=False)
    assert run.status == "SUCCEEDED"
    assert run.steps()["status"].to_list() == ["SUCCEEDED", "SUCCEEDED", "SKIPPED"]
    assert run.outputs["passed"] is False and "production" in run.verdict
    assert ws.models["topic"]["production"].version == production
    assert len(ws.services["s-topic"].versions()) == versions


def test_a_killed_worker_doubles_no_version(ws: Workspace, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that was under way when the worker was killed is begun again, and leaves one version."""
    monkeypatch.setenv("CLOW_PREIMPORTS", "sqlalchemy")  # its successor's first kernel is asked for before more could be imported
    pipeline = ws.pipelines.create("pl-own", [Train("t-own")])
    before = len(ws.models["own"].versions()) if "own" in ws.models else 0
    own.with_name("began").unlink(missing_ok=True)  # another test's training has begun before
    own.touch()
    run = pipeline.run("d-topic-1")
    _until(own.with_name("began").exists)
    os.kill(ensure_worker(ws.ctx).pid, signal.SIGKILL)
    own.unlink()
    run.wait(progress=False)
    assert run.steps()["status"].to_list() == ["SUCCEEDED"]
    assert [child.row.attempt for child in run.children()] == [2]
    assert len(ws.models["own"].versions()) == before + 1


@pytest.mark.slow  # the quick one is above; that the steps before are not repeated, `runs/test_worker` tells of any workflow
def test_a_killed_worker_costs_no_step_and_doubles_none(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_PREIMPORTS", "sqlalchemy")  # its successor's first kernel is asked for before more could be imported
    pipeline = ws.pipelines.create("pl-killed", [Train("t-topic"), Evaluate("e-topic")])
    before = len(ws.models["topic"].versions())
    run = pipeline.run("d-topic-1")
    _until(lambda: any(child.status == "RUNNING" for child in run.children()))
    os.kill(ensure_worker(ws.ctx).pid, signal.SIGKILL)
    run.wait(progress=False)
    assert run.steps()["status"].to_list() == ["SUCCEEDED", "SUCCEEDED"]
    assert len(ws.models["topic"].versions()) == before + 1


def test_bad_pipelines_are_refused_and_leave_nothing(ws: Workspace) -> None:
    before = len(ws.pipelines)
    for steps, trigger, error in [
        ([], None, ParameterError),
        ([Evaluate("e-topic")], None, ParameterError),
        ([Train("t-nothing")], None, NotFound),
        ([Train("t-topic"), Serve("s-topic", gate="__import__('os')")], None, GateError),
        ([Train("t-topic")], {"dataset": "x"}, ParameterError),
    ]:
        with pytest.raises(error):
            ws.pipelines.create("pl-bad", steps, trigger=trigger)
    assert len(ws.pipelines) == before
