"""What a run asked for and put out, through a real worker: limits of its kernel, outputs with their types, checkpoints in its report."""

from datetime import date
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError
from clow_nb.core.refs import Ref
from clow_nb.runs.launch import ensure_worker
from clow_nb.runs.queue import Runs

from .conftest import MakeNotebook, until

HUNGRY = """
import time
kept = []
while True:
    kept.append(b"x" * 20_000_000)
    time.sleep(0.01)
"""
TYPED = """
from datetime import date
from pathlib import Path
from clow_nb.core.refs import Ref
from clow_nb.runs import current
current.output("model", Ref("model", "intent", 3))
current.output("since", date(2026, 1, 2))
current.output("where", [Path("a/결과"), 1.5])
"""
FLAKY = """
from clow_nb.runs import current
rows = current.restore("rows") or current.checkpoint("rows", [1, 2, 3])
current.checkpoint("sum", sum(rows))
if current.restore("tried") is None:
    current.checkpoint("tried", True)
    raise ConnectionResetError("by peer")
"""


def test_a_kernel_that_passes_its_limit_ends_and_its_worker_lives(workspace: Context, notebook: MakeNotebook) -> None:
    before = ensure_worker(workspace).id
    runs = Runs(workspace)
    hungry = runs.submit(notebook(HUNGRY), kind="k", resources={"memory_mb": 200})
    talkative = runs.submit(notebook("while True: print('x' * 1000)"), kind="k", resources={"output_mb": 1})
    busy = runs.submit(notebook("while True: pass"), kind="k", resources={"cpu_seconds": 0.3})
    for run in (hungry, talkative, busy):
        run.wait(150, progress=False, check=False)
    assert [run.status for run in (hungry, talkative, busy)] == ["FAILED"] * 3
    assert hungry.error.startswith("The notebook used more than 200 MB of memory")
    assert talkative.error.startswith("The notebook printed or showed more than 1 MB")
    assert busy.error.startswith("The notebook used more than 0.3 seconds of processor time")
    assert hungry.row.attempt == 1 and ensure_worker(workspace).id == before
    assert runs.submit(notebook("1"), kind="k").wait(150, progress=False).status == "SUCCEEDED"


def test_a_limit_that_is_none_is_refused_before_anything_is_written(ctx: Context, notebook: MakeNotebook) -> None:
    for resources, words in ({"open_files": 3}, "open_files.*from 64 on"), ({"ram": 3}, "the limits cpu_seconds, open_files, output_mb"):
        with pytest.raises(ParameterError, match=words):
            Runs(ctx).submit(notebook("1"), kind="k", resources=resources)
    assert Runs(ctx).list().height == 0


def test_outputs_come_back_as_what_they_are(workspace: Context, notebook: MakeNotebook) -> None:
    run = Runs(workspace).submit(notebook(TYPED), kind="k").wait(150, progress=False)
    assert run.outputs == {"model": Ref("model", "intent", 3), "since": date(2026, 1, 2), "where": [Path("a/결과"), 1.5]}


def test_the_run_says_what_was_kept_and_what_ran_again(workspace: Context, notebook: MakeNotebook) -> None:
    run = Runs(workspace).submit(notebook(FLAKY), kind="k").wait(150, progress=False)
    actions = dict(run.checkpoints().select("name", "action").iter_rows())
    assert actions == {"rows": "restored", "sum": "ran again", "tried": "restored"} and run.row.attempt == 2
    assert set(run.checkpoints()["attempt"]) == {f"{run.id}#2"}


def test_what_it_uses_is_known_while_it_runs(workspace: Context, notebook: MakeNotebook) -> None:
    run = Runs(workspace).submit(notebook("import time; time.sleep(0.5)\nkept = b'x' * (100 * 2**20)", "time.sleep(1.5)"), kind="k")
    until(lambda: run.usage.get("memory_mb", 0) > 90)
    used = run.wait(150, progress=False).usage
    assert used["peak_mb"] > 90 and set(used) == {"memory_mb", "peak_mb", "cpu_seconds"} and run.checkpoints().is_empty()
