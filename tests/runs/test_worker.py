"""Workers that are killed, stopped, drained and doubled: every run ends once, and right."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.plugins import registry
from clow_nb.runs.launch import ensure_worker, stop_worker, worker_alive, worker_log
from clow_nb.runs.lease import Leases
from clow_nb.runs.machine import birth
from clow_nb.runs.queue import Runs, enqueue_workflow

from .conftest import MakeNotebook, StartWorker, until

WAIT_THEN_WRITE = """
import os, time
from pathlib import Path
from clow_nb.core.errors import RunError
from clow_nb.runs import current
folder = current.folder()
attempt = os.environ["CLOW_RUN_TOKEN"].rpartition("#")[2]
(folder / f"began-{attempt}").write_text(str(os.getpid()))
while not (folder / "go").exists():
    time.sleep(0.02)
try:
    current.guard()
    (folder / f"wrote-{attempt}").touch()
    current.output("attempt", int(attempt))
except RunError as error:
    (folder / f"refused-{attempt}").write_text(str(error))
    raise
"""


def kill_worker(ctx: Context) -> None:
    """`kill -9` the worker, and start another one as soon as it is missed."""
    pid = ensure_worker(ctx).pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: ensure_worker(ctx).pid != pid)


@pytest.mark.slow
def test_killed_twice_it_still_ends_once(own: Context, notebook: MakeNotebook) -> None:
    run = Runs(own).submit(notebook(WAIT_THEN_WRITE), kind="k", target="t")
    for attempt in (1, 2):
        until(lambda attempt=attempt: (run.folder / f"began-{attempt}").exists())
        kernel = int((run.folder / f"began-{attempt}").read_text())
        kill_worker(own)
        until(lambda kernel=kernel: birth(kernel) is None)
    (run.folder / "go").touch()
    run.wait(150, progress=False)
    assert (run.status, run.row.attempt, run.outputs) == ("SUCCEEDED", 3, {"attempt": 3})
    assert [path.name for path in run.folder.glob("wrote-*")] == ["wrote-3"]
    assert len(own.events.since(topic="run.ended")) == 1
    assert run.logs().count("begins again") == 2
    assert len(Leases(own).all()[0]) == 1


def test_a_stopped_worker_of_another_machine_can_write_nothing(
    own: Context, notebook: MakeNotebook, start_worker: StartWorker
) -> None:
    sleeper = start_worker("--host", "elsewhere", "--seconds", "4")
    run = Runs(own).submit(notebook(WAIT_THEN_WRITE), kind="k", target="t")
    until(lambda: (run.folder / "began-1").exists())
    sleeper.send_signal(signal.SIGSTOP)
    start_worker()
    until(lambda: (run.folder / "began-2").exists())
    (run.folder / "go").touch()
    until(lambda: (run.folder / "refused-1").exists())
    run.wait(150, progress=False)
    sleeper.send_signal(signal.SIGCONT)
    assert sleeper.wait(120) == 1
    assert (run.status, run.outputs) == ("SUCCEEDED", {"attempt": 2})
    assert [path.name for path in run.folder.glob("wrote-*")] == ["wrote-2"]
    assert "taken over" in (run.folder / "refused-1").read_text()
    words = worker_log(own).read_text()
    assert "another worker has taken over" in words or "the lease could not be renewed" in words


@pytest.mark.slow
def test_a_stopped_worker_of_this_machine_is_killed_with_its_kernel(
    own: Context, notebook: MakeNotebook, start_worker: StartWorker
) -> None:
    sleeper = start_worker("--seconds", "4")
    run = Runs(own).submit(notebook(WAIT_THEN_WRITE), kind="k", target="t")
    until(lambda: (run.folder / "began-1").exists())
    sleeper.send_signal(signal.SIGSTOP)
    ensure_worker(own)
    until(lambda: not worker_alive(own))
    start_worker()
    until(lambda: (run.folder / "began-2").exists())
    assert sleeper.wait(120) == -signal.SIGKILL
    assert birth(int((run.folder / "began-1").read_text())) is None
    (run.folder / "go").touch()
    assert run.wait(150, progress=False).outputs == {"attempt": 2}


def test_told_to_end_it_finishes_or_hands_back(own: Context, notebook: MakeNotebook, start_worker: StartWorker) -> None:
    path = notebook(WAIT_THEN_WRITE)
    worker = start_worker("--capacity", "2")
    finishes, handed_back = (Runs(own).submit(path, kind="k", target="t", id=f"r{number}") for number in range(2))
    for run in (finishes, handed_back):
        until(lambda run=run: (run.folder / "began-1").exists())
    worker.terminate()
    until(lambda: not worker_alive(own))
    late = Runs(own)
    (finishes.folder / "go").touch()
    until(lambda: finishes.status == "SUCCEEDED")
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(120) == 0
    assert late.get("r1").status == "QUEUED"
    (handed_back.folder / "go").touch()
    handed_back.wait(150, progress=False)
    assert (handed_back.row.attempt, handed_back.row.strikes, handed_back.outputs) == (2, 0, {"attempt": 2})


def test_a_workspace_that_is_deleted_ends_its_worker(own: Context, start_worker: StartWorker) -> None:
    worker = start_worker("--seconds", "5")
    own.home.rename(own.home.with_name("moved"))
    assert worker.wait(120) == 1


def test_stopping_where_nothing_runs_is_nothing(ctx: Context) -> None:
    assert stop_worker(ctx) == 0
    assert not worker_alive(ctx)


PLUGINS = '''
import time
from clow_nb.runs.queue import run_step

def two_steps(ctx, run, path):
    """Two notebooks, one after the other."""
    first = run_step(run, path, {"word": "a"}, name="first", kind="step")
    run_step(run, path, {"word": first.outputs["word"] + "b"}, name="second", kind="step")

def tick(ctx):
    """Fails the first time, then counts."""
    path = ctx.folder() / "ticks"
    text = path.read_text() if path.exists() else ""
    path.write_text(text + "x")
    if not text:
        raise ValueError("the first time")

tick.every = 0.5
'''

STEP = """
import os, time
from clow_nb.runs import current
folder = current.folder()
with open(folder / "began", "a") as file:
    file.write("x")
while word != "a" and not (folder.parent / "go").exists():
    time.sleep(0.02)
assert word != "a" or not (folder.parent / "fail").exists()
current.output("word", word)
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with a workflow and a loop, as a user would install one."""
    site = tmp_path / "site"
    info = site / "steps-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: steps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clow_nb.workflow]\ntwo-steps = steps:two_steps\n[clow_nb.loop]\ntick = steps:tick\n")
    (site / "steps.py").write_text(PLUGINS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(site))
    registry.cache_clear()
    yield
    registry.cache_clear()


def test_a_workflow_goes_on_at_the_unfinished_step(own: Context, notebook: MakeNotebook, plugins: None) -> None:
    path = notebook(STEP, parameters="word: str = ''")
    run = enqueue_workflow(own, "two-steps", str(path), id="p1", kind="pipeline", target="pl")
    second = own.home / "runs" / "p1-second"
    until(lambda: (second / "began").exists())
    kill_worker(own)
    until(lambda: (second / "began").read_text() == "xx")
    (second.parent / "go").touch()
    assert run.wait(150, progress=False).status == "SUCCEEDED"
    assert [child.outputs["word"] for child in run.children()] == ["a", "ab"]
    assert [(child.id, child.row.attempt) for child in run.children()] == [("p1-first", 1), ("p1-second", 2)]
    assert (second.parent / "p1-first" / "began").read_text() == "x"
    assert enqueue_workflow(own, "two-steps", str(path), id="p1").status == "SUCCEEDED"
    until(lambda: len((own.home / "ticks").read_text()) > 3)
    assert "ValueError: the first time" in worker_log(own).read_text()


def test_a_workflow_that_failed_is_resumed_and_one_can_be_cancelled(own: Context, notebook: MakeNotebook, plugins: None) -> None:
    path = notebook(STEP, parameters="word: str = ''")
    runs = own.folder("runs")
    (runs / "fail").touch()
    run = enqueue_workflow(own, "two-steps", str(path), id="p1")
    assert run.wait(150, progress=False, check=False).status == "FAILED"
    assert "AssertionError" in run.error
    (runs / "fail").unlink()
    run.resume()
    until(lambda: (runs / "p1-second" / "began").exists())
    run.cancel().wait(150, progress=False, check=False)
    assert [run.status, *(child.status for child in run.children())] == ["CANCELLED", "SUCCEEDED", "CANCELLED"]
    (runs / "go").touch()
    assert run.resume().wait(150, progress=False).status == "SUCCEEDED"
    assert [child.row.round for child in run.children()] == [2, 3]
