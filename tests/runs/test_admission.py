"""What a worker holds while runs are at work, and in which order it takes them."""

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError
from clow_nb.runs.lease import Leases
from clow_nb.runs.machine import machine
from clow_nb.runs.queue import Runs

from .conftest import MakeNotebook

SPAN = """
import time
from clow_nb.runs import current
begun = time.time()
time.sleep(0.5)
current.output("span", [begun, time.time()])
"""


def test_what_is_taken_is_waited_for(workspace: Context, notebook: MakeNotebook) -> None:
    most = {"memory_mb": int(machine()["memory_mb"] * 0.6)}
    runs = [Runs(workspace).submit(notebook(SPAN), kind="held", resources=most) for _ in range(2)]
    first, second = sorted(run.wait(150, progress=False).outputs["span"] for run in runs)
    assert second[0] > first[1]


def test_a_queue_with_a_limit_goes_one_by_one_the_urgent_first(workspace: Context, notebook: MakeNotebook) -> None:
    runs = Runs(workspace)
    runs.limit("narrow", 1)
    path = notebook(SPAN)
    given = [runs.submit(path, kind="k", queue="narrow", priority=priority) for priority in (9, 0, 5)]
    spans = [run.wait(150, progress=False).outputs["span"] for run in given]
    assert spans[0][1] < spans[2][0] and spans[2][1] < spans[1][0]
    runs.limit("narrow", None)


def test_a_time_out_and_an_error_of_the_code_are_not_tried_again(workspace: Context, notebook: MakeNotebook) -> None:
    slow = Runs(workspace).submit(notebook("import time; time.sleep(60)"), kind="k", timeout=0.5)
    wrong = Runs(workspace).submit(notebook("{}['x']"), kind="k")
    passing = Runs(workspace).submit(notebook("raise ConnectionResetError('by peer')"), kind="k", retries=1)
    for run in (slow, wrong, passing):
        run.wait(150, progress=False, check=False)
    assert [(run.status, run.row.attempt) for run in (slow, wrong, passing)] == [("FAILED", 1), ("FAILED", 1), ("FAILED", 2)]
    assert "longer than 0.5 seconds" in slow.error and "by peer" in passing.error


def test_what_can_never_fit_is_refused_with_what_there_is(ctx: Context, notebook: MakeNotebook) -> None:
    with pytest.raises(ParameterError, match=f"gpus 99.*gpus {machine()['gpus']}"):
        Runs(ctx).submit(notebook("1"), kind="k", resources={"gpus": 99})
    assert Leases(ctx).living() == [] and Runs(ctx).list().height == 0
