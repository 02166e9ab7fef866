"""Workspaces whose workers end with the test, and small notebooks to run in them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from clow_nb.core.context import Context
from clow_nb.runs.kernels import start_pool, stop_pool
from clow_nb.runs.launch import ensure_worker, stop_worker, worker_log
from clow_nb.runs.lease import Leases

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
MakeNotebook = Callable[..., Path]
StartWorker = Callable[..., subprocess.Popen]


def until(condition: Callable[[], object], seconds: float = 150) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """One workspace, with a worker, for all tests that do no harm to either."""
    ctx = Context.open(tmp_path_factory.mktemp("runs") / ".clow")
    ensure_worker(ctx)
    yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture
def own(ctx: Context) -> Iterator[Context]:
    """A workspace of the test's own, whose workers end with it."""
    yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture
def notebook(tmp_path: Path) -> MakeNotebook:
    """Makes a notebook of code cells; the first is tagged `parameters` if it is given by that name."""

    def make(*cells: str, parameters: str = "") -> Path:
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        if parameters:
            nb.cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        path = tmp_path / f"notebook-{len(list(tmp_path.glob('*.ipynb')))}.ipynb"
        nbformat.write(nb, path)
        return path

    return make


@pytest.fixture
def start_worker(own: Context) -> Iterator[StartWorker]:
    """Starts a worker with options, and returns it when it is ready."""
    started: list[subprocess.Popen] = []

    def start(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "clow_nb.runs.worker", "--id", f"w{len(started)}", *options]
        env = os.environ | own.environment()
        with worker_log(own).open("ab") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        until(lambda: any(lease.pid == process.pid and lease.status == "ready" for lease in Leases(own).all()[0]))
        return process

    yield start
    for process in started:
        if process.poll() is None:
            for child in [*psutil.Process(process.pid).children(recursive=True), process]:
                child.kill()
        process.wait()


@pytest.fixture(scope="module")
def bare_pool() -> Iterator[None]:
    """A pool without anything imported ahead: a kernel in a tenth of a second."""
    start_pool(())
    yield
    stop_pool()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of these cells, the first of them perhaps its parameters."""

    def notebook(*sources: str, parameters: str = "", name: str = "in.ipynb") -> Path:
        cells = [new_code_cell(source) for source in sources]
        if parameters:
            cells.insert(0, new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), tmp_path / name)
        return tmp_path / name

    return notebook
