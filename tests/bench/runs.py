"""What a notebook costs beyond its cells: plain papermill, and a warm kernel of the pool; and how soon a printed line is seen."""

import logging
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import papermill
from nbformat.v4 import new_code_cell, new_notebook

from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.kernels import start_pool, stop_pool

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


def main() -> None:
    logging.getLogger("papermill").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp())
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    source, target = folder / "in.ipynb", folder / "out.ipynb"
    start_pool().wait_ready(120)
    try:
        for name, code in NOTEBOOKS.items():
            cells = [new_code_cell(code or "None")]
            nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), source)
            plain = seconds(lambda: papermill.execute_notebook(source, target, progress_bar=False), 3, 0)
            warm = seconds(lambda: execute_notebook(source, target), 10, 2)
            ratio = median(plain) / median(warm)
            print(f"{name:30} papermill {median(plain):6.2f} s   warm {median(warm):5.3f} s   {ratio:5.1f} times faster")
        late = delays(source, target)
        print(f"a printed line is seen after {median(late):.2f} s (at most {max(late):.2f} s)")
    finally:
        stop_pool()


if __name__ == "__main__":
    main()
