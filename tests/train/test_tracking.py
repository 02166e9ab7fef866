"""Trainings told to MLflow: to a file here, to a server, and to one that is down, hangs, or asks for a password."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.train.logbook import Entry, find_run, keep, send, send_kept
from clow_nb.train.models import Models
from clow_nb.train.outcome import register_run, track_run
from clow_nb.train.solution import solution
from clow_nb.train.tracker import Tracker, end_lost
from clow_nb.train.tracking import TrackingNotice, mlflow_client
from clow_nb.train.trainer import fit
from clow_nb.train.training import Training, Trainings


@pytest.fixture
def training(ctx: Context, frame: pl.DataFrame) -> Training:
    """A training in a workspace of its own."""
    Datasets(ctx).create("intents", frame.drop("_id"), label="label")
    return Trainings(ctx).create("t-intent", dataset="intents", params={"epochs": 2}, model="intent")


def _server(training: Training, url: str) -> Training:
    return Trainings(Context(replace(training.ctx.settings, mlflow=url)))["t-intent"]


def _tracker(training: Training, run: str, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    monkeypatch.setenv("CLOW_RUN_ID", run)
    return Tracker(training, Datasets(training.ctx)["intents"], every=0.05)


def test_a_second_attempt_goes_on_where_the_first_was_killed(training: Training, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOW_RUN_FOLDER", str(tmp_path))
    killed = _tracker(training, "run-1", monkeypatch)
    killed.epoch(1, {"valid_accuracy": 0.5})
    deadline = time.monotonic() + 150
    client = mlflow_client(training.ctx)
    while not (there := find_run(client, "run-1")) or "valid_accuracy" not in there.data.metrics:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = _tracker(training, "run-1", monkeypatch)
    for epoch in (1, 2):
        again.epoch(epoch, {"valid_accuracy": 0.5 * epoch})
    id = again.finish()
    assert id == there.info.run_id and client.get_run(id).info.status == "FINISHED"
    assert [metric.step for metric in client.get_metric_history(id, "valid_accuracy")] == [1, 2]
    killed._over.set()  # the dead process' thread ends too
    killed._thread.join()


def test_names_that_mlflow_does_not_allow(ctx: Context) -> None:
    entry = Entry("t", "run-5", params={"loss%": 1})
    entry.add({"recall@10": 0.5, "valid/f1": 0.7}, 1)
    client = mlflow_client(ctx)
    for step in (2, 3):
        send(ctx, client, entry)
        entry.add({"recall@10": 0.6}, step)
    run = find_run(client, "run-5")
    assert run is not None and (run.data.params, run.data.metrics) == ({"loss_": "1"}, {"recall_10": 0.6, "valid/f1": 0.7})
    assert len(client.get_metric_history(run.info.run_id, "recall_10")) == 2


def test_an_entry_that_is_refused_keeps_no_other_back(training: Training, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ctx, client = training.ctx, mlflow_client(training.ctx)
    send(ctx, client, Entry("t", "changed", params={"lr": 1}))
    for entry in (Entry("t", "changed", params={"lr": 2}), Entry("t", "gone", folders={"model": "/nowhere"}), Entry("t", "good")):
        entry.end()
        keep(ctx, entry)
    assert send_kept(ctx, client) == 1
    assert sorted(path.name for path in (ctx.home / "mlflow-unsent").iterdir()) == ["changed.refused", "gone.refused"]
    assert (sent := find_run(client, "good")) and sent.info.status == "FINISHED"
    assert "The run gone can't be written to MLflow ([Errno 2] No such file or directory" in capsys.readouterr().out
    for name, text in {"torn": "{", "other": '{"title": "t"}', "list": "[]"}.items():
        (ctx.home / "mlflow-unsent" / f"{name}.json").write_text(text)
    keep(ctx, Entry("t", "late"))
    assert _tracker(training, "run-6", monkeypatch).finish() and find_run(client, "late")
    left = {path.name for path in (ctx.home / "mlflow-unsent").iterdir()} - {"changed.refused", "gone.refused"}
    assert left == {"torn.refused", "other.refused", "list.refused"} and "the file is damaged" in capsys.readouterr().out


def test_what_can_not_be_kept_fails_no_training(training: Training, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (training.ctx.home / "mlflow-unsent").touch()  # no folder can be made here, as on a full disk
    assert _tracker(_server(training, "http://127.0.0.1:9"), "run-7", monkeypatch).finish() is None
    assert "could not be kept either" in capsys.readouterr().out


def test_what_is_over_here_is_ended_in_mlflow_trainings_and_tunings(tmp_path: Path) -> None:
    ctx = Context.open(tmp_path / "it's" / ".clow")
    client, home = mlflow_client(ctx), {"clow.home": str(ctx.home)}
    send(ctx, client, Entry("t", "run-8", tags=home))
    send(ctx, client, Entry("h", "tuning-h", tags=home | {"clow.ledger": "run-9"}))
    send(ctx, client, Entry("h", "tuning-by-hand", tags=home | {"clow.ledger": ""}))
    for id in ("run-8", "run-9"):
        Ledger(ctx).add(RunRow(id=id, kind="k", target=""))
        assert Ledger(ctx).cancel(id)
    assert (end_lost(ctx, client), end_lost(ctx, client)) == (2, 0)
    found = [find_run(client, run) for run in ("run-8", "tuning-h", "tuning-by-hand")]
    assert [run and run.info.status for run in found] == ["KILLED", "KILLED", "RUNNING"]


class _Refusing(BaseHTTPRequestHandler):
    """Refuses everybody, and remembers who they said they were."""

    said: set[str | None]

    def do_GET(self) -> None:
        self.said.add(self.headers.get("Authorization"))
        self.send_error(401)

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def test_a_password_that_is_wrong_is_said_and_never_shown(training: Training, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _Refusing.said = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        theirs = _server(training, f"http://ml:geheim@127.0.0.1:{server.server_port}")
        assert _tracker(theirs, "run-2", monkeypatch).finish() is None
        server.shutdown()
    assert _Refusing.said == {"Basic " + base64.b64encode(b"ml:geheim").decode()}
    shown = capsys.readouterr()
    assert "it refuses the name, the password or the token" in shown.out and "geheim" not in shown.out + shown.err
    assert "geheim" not in (training.ctx.home / "mlflow-unsent" / "run-2.json").read_text("utf-8")


@contextmanager
def _mlflow(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/db.sqlite"]
    command += ["--artifacts-destination", str(folder / "files"), "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log.txt").read_text("utf-8")[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_server_and_what_happens_while_it_is_away(training: Training, trained: Path, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    theirs = _server(training, f"http://127.0.0.1:{port}")
    ctx = theirs.ctx
    with _mlflow(tmp_path, port):
        tracker = _tracker(theirs, "run-3", monkeypatch)
        with tracker:
            task = solution("nlp-intent", theirs.params)
            splits = task.prepare(frame)
            fit(task, splits["train"], splits["valid"], on_epoch=tracker.epoch, on_step=tracker.log)
        made = register_run(ctx, "t-intent", "dataset:intents@1", trained, {"valid_accuracy": 0.9}, "run-3")
        id = track_run(made, made.metrics, tracker)
        assert id
        Models(ctx)["intent"].promote(1, "production")
        client = mlflow_client(ctx)
        run = client.get_run(id)
        assert (run.info.status, run.inputs.dataset_inputs[0].dataset.name) == ("FINISHED", "intents")
        assert {"valid_accuracy", "step_loss", "lr", "best/valid_accuracy", "system/process_memory_usage_megabytes"} <= run.data.metrics.keys()
        assert {file.path for file in client.list_artifacts(id, "model")} == {f"model/{path.name}" for path in trained.iterdir()}
        version = client.get_model_version_by_alias("intent", "production")
        assert version.run_id == id and version.tags["clow.ref"] == "model:intent@1"
        small = made.quantize()
        Models(ctx)["intent"].alias("mobile.kr", small.version)
        version = client.get_model_version_by_alias("intent", "mobile_kr")
        assert version.tags["clow.ref"] == "model:intent@2" and client.list_artifacts(version.run_id, "model")
        lost = _tracker(theirs, "run-4", monkeypatch)
        lost.epoch(1, {"valid_accuracy": 0.7})
    lost.epoch(2, {"valid_accuracy": 0.8})
    second = register_run(ctx, "t-intent", "dataset:intents@1", trained, {"valid_accuracy": 0.8}, "run-4")
    assert track_run(second, second.metrics, lost) is None
    with pytest.warns(TrackingNotice, match="it does not answer"):
        assert Models(ctx)["intent"].promote(3, "production")
    with _mlflow(tmp_path, port):
        assert Trainings(ctx).send_kept() == 1
        sent = find_run(client, "run-4")
        assert [metric.value for metric in client.get_metric_history(sent.info.run_id, "valid_accuracy")] == [0.7, 0.8]
        assert client.get_model_version_by_alias("intent", "production").run_id == sent.info.run_id
    assert ctx.catalog.version("model", "intent", 3).data["mlflow_run"] == sent.info.run_id
