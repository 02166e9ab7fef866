"""What a run shows of itself, and how it is waited for."""

import math

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import RunError
from clow_nb.runs.lease import Leases
from clow_nb.runs.ledger import RunRow
from clow_nb.runs.machine import birth
from clow_nb.runs.queue import Runs

from .conftest import MakeNotebook, until


def test_it_can_be_watched_while_it_runs(workspace: Context, notebook: MakeNotebook) -> None:
    code = """
import time
from clow_nb.runs import current
print("첫째", flush=True)
current.progress(0.5, "반")
current.log_metrics({"loss": 0.25, "bad": float("nan")}, step=1)
while not (current.folder() / "go").exists():
    time.sleep(0.02)
"""
    run = Runs(workspace).submit(notebook("1", code), kind="k", target="t")
    until(lambda: run.progress == 0.5)
    until(lambda: "첫째" in run.logs())
    until(lambda: run.metrics().height == 2)
    assert (run.status, run.message) == ("RUNNING", "반")
    assert "50%" in repr(run)
    (run.folder / "go").touch()
    run.wait(150, progress=False)
    assert run.progress == 1.0
    metrics = run.metrics()
    assert metrics["key"].to_list() == ["loss", "bad"] and math.isnan(metrics["value"][1])
    assert run.notebook.name == "notebook.ipynb" and "첫째" in run.notebook.read_text("utf-8")
    assert run.created_at <= run.started_at <= run.ended_at


def test_waiting_has_an_end_and_shows_a_bar(ctx: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("clow_nb.runs.run.ensure_worker", lambda ctx: None)
    runs = Runs(ctx)
    runs.ledger.add(RunRow(id="r1", kind="train", target="t-intent"))
    with pytest.raises(RunError, match=r"still QUEUED after 0\.1 s"):
        runs.get("r1").wait(timeout=0.1)
    assert "train t-intent" in capsys.readouterr().err


def test_a_failure_says_why_and_where(workspace: Context, notebook: MakeNotebook) -> None:
    run = Runs(workspace).submit(notebook("x = 1", "{}['이름']"), kind="k", target="t")
    with pytest.raises(RunError, match="KeyError: '이름'"):
        run.wait(150, progress=False)
    assert run.status == "FAILED" and "KeyError" in run.error
    assert run.row.attempt == 1
    events = [event.payload for event in workspace.events.since(topic="run.ended") if event.payload["id"] == run.id]
    assert events == [{"id": run.id, "kind": "k", "target": "t", "status": "FAILED"}]


def test_a_run_resumed_is_its_next_round(workspace: Context, notebook: MakeNotebook) -> None:
    code = "from clow_nb.runs import current\npath = current.folder() / 'again'\nfirst = not path.exists()\npath.touch()\nassert not first"
    run = Runs(workspace).submit(notebook(code), kind="k")
    assert run.wait(150, progress=False, check=False).status == "FAILED"
    assert run.resume().wait(150, progress=False).status == "SUCCEEDED"
    assert (run.error, run.row.round) == ("", 2)
    with pytest.raises(RunError, match="is SUCCEEDED"):
        run.resume()


STUBBORN = """
import subprocess, time
from clow_nb.runs import current
child = subprocess.Popen(["sleep", "300"])
(current.folder() / "child").write_text(str(child.pid))
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass
"""


def test_cancel_ends_also_what_does_not_listen(workspace: Context, notebook: MakeNotebook) -> None:
    run = Runs(workspace).submit(notebook(STUBBORN), kind="k")
    until(lambda: (run.folder / "child").exists() and (run.folder / "child").read_text())
    assert run.cancel().wait(150, progress=False, check=False).status == "CANCELLED"
    child = int((run.folder / "child").read_text())
    until(lambda: birth(child) is None)
    assert run.cancel().status == "CANCELLED"
    with pytest.raises(RunError, match="was cancelled"):
        run.wait(progress=False)


def test_cancelling_what_waits_and_what_it_started(ctx: Context) -> None:
    runs = Runs(ctx)
    runs.ledger.add(RunRow(id="p", kind="pipeline", target="pl", workflow="w"))
    runs.ledger.add(RunRow(id="p-train", kind="train", target="t", parent="p"))
    runs.get("p").cancel()
    assert runs.list()["status"].to_list() == ["CANCELLED"] * 2
    assert len(ctx.events.since(topic="run.ended")) == 2
    assert Leases(ctx).living() == []
