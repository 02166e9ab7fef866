"""What a notebook costs beyond its cells, against plain papermill: in a warm kernel, and through queue and worker; and how soon a printed line is seen."""

import logging
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import papermill
from nbformat.v4 import new_code_cell, new_notebook

from clow_nb.core.context import Context
from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.kernels import start_pool, stop_pool
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.queue import Runs

NOTEBOOKS = {"empty": "", "torch, polars, lance, altair": "import torch, polars, lance, altair"}


def seconds(call: Any, times: int, pause: float) -> list[float]:
    """How long each of several calls took, with a pause before each."""
    taken = []
    for _ in range(times):
        time.sleep(pause)
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


def delays(source: Path, target: Path) -> list[float]:
    """Seconds from printing a line to seeing it, also right before the interpreter's lock is held for a second."""
    seen = []

    def hear(text: str) -> None:
        now = time.time()
        seen.extend(now - float(line) for line in text.split())

    code = "import time\nfor _ in range(10): print(time.time()); time.sleep(0.13)\nprint(time.time()); sum(range(40_000_000))"
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), source)
    execute_notebook(source, target, on_text=hear)
    return seen


def plain(source: Path, target: Path) -> None:
    """What plain papermill does."""
    papermill.execute_notebook(source, target, progress_bar=False)


def compare(source: Path, target: Path) -> None:
    """Each notebook with papermill and in warm kernels, ten in a row two seconds apart."""
    start_pool().wait_ready(120)
    for name, code in NOTEBOOKS.items():
        write(source, code)
        slow, warm = seconds(lambda: plain(source, target), 3, 0), seconds(lambda: execute_notebook(source, target), 10, 2)
        ratio = median(slow) / median(warm)
        words = f"warm {median(warm):5.3f} s (at most {max(warm):5.3f} s)   {ratio:5.1f} times faster"
        print(f"{name:30} papermill {median(slow):6.2f} s   {words}")
    late = delays(source, target)
    print(f"a printed line is seen after {median(late):.2f} s (at most {max(late):.2f} s)")


def hand_in(ctx: Context, source: Path, target: Path, count: int) -> None:
    """So many short runs through queue and worker, with some by papermill before and after them."""
    write(source, "")
    Runs(ctx).submit(source, kind="first").wait(120, progress=False)
    time.sleep(20)
    slow = seconds(lambda: plain(source, target), 5, 0)
    start = time.perf_counter()
    for run in [Runs(ctx).submit(source, kind="short") for _ in range(count)]:
        run.wait(600, progress=False)
    each = (time.perf_counter() - start) / count
    slow += seconds(lambda: plain(source, target), 5, 0)
    one = sum(slow) / len(slow)
    print(f"{count} short runs by queue and worker: {each:.3f} s each; papermill {one:.2f} s each; {one / each:.1f} times its rate")


def write(path: Path, code: str) -> None:
    """A notebook of one cell."""
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=[new_code_cell(code or "None")], metadata={"kernelspec": kernelspec}), path)


def main() -> None:
    logging.getLogger("papermill").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp())
    source, target = folder / "in.ipynb", folder / "out.ipynb"
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    try:
        compare(source, target)
    finally:
        stop_pool()
    ctx = Context.open(folder / ".clow")
    try:
        hand_in(ctx, source, target, 100)
    finally:
        stop_worker(ctx, seconds=0)


if __name__ == "__main__":
    main()
