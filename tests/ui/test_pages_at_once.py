"""Two pages commit at once, and a kernel dies while it commits: a version is there as a whole or not at all, and no correction is lost."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ConflictError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.ui.drafting import Drafting
from clow_nb.ui.sheet import Sheet

ROWS = 2000
DYING = """
import os, signal, sys, threading
from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.ui.sheet import Sheet
sheet = Sheet(Datasets(Context.open(sys.argv[1]))["calls"])
sheet.drafting.write_all({"n": {"$gte": 0}}, "n", "-1")
kill = threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL))
kill.start()
sheet.drafting.commit("all of them")
kill.join()
"""


@pytest.fixture
def calls(ctx: Context) -> Dataset:
    return Datasets(ctx).create("calls", [{"_id": f"r{n}", "n": n, "text": f"말 {n}"} for n in range(ROWS)])


def at_once(*drafts: Drafting) -> list[Any]:
    """What the commits of several drafts come to, started in the same moment."""
    start = Barrier(len(drafts))

    def commit(draft: Drafting) -> Any:
        start.wait()
        try:
            return draft.commit("at once")
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(len(drafts)) as threads:
        return list(threads.map(commit, drafts))


def test_different_cells_both_stay(calls: Dataset) -> None:
    one, two = Sheet(calls, "Kim").drafting, Sheet(calls, "Lee").drafting
    one.write_all(["r1"], "n", "10")
    two.write_all(["r1"], "text", "둘")
    assert not any(isinstance(made, Exception) for made in at_once(one, two))
    head = calls.at("latest")
    assert head.version == 3 and sorted(head.versions()["author"].to_list()[1:]) == ["Kim", "Lee"]
    assert list(head.documents({"_id": "r1"})) == [{"_id": "r1", "n": 10, "text": "둘"}]


def test_of_the_same_cell_one_is_told_and_keeps_what_was_typed(calls: Dataset) -> None:
    drafts = [Sheet(calls, "Kim").drafting, Sheet(calls, "Lee").drafting]
    for value, draft in enumerate(drafts):
        draft.write_all(["r1"], "n", str(100 + value))
        draft.write_all([f"r{2 + value}"], "n", "-5")
    made = at_once(*drafts)
    [late] = [place for place, one in enumerate(made) if isinstance(one, ConflictError)]
    head = calls.at("latest")
    assert head.version == 2 and head.versions()["author"][-1] == ("Lee", "Kim")[late]
    [clash] = drafts[late].clashes(head)
    assert (clash.id, clash.key, clash.mine, clash.theirs) == ("r1", "n", 100 + late, 101 - late)
    settled = drafts[late].moved(head, {(clash.id, clash.key)}).commit("mine")
    found = {d["_id"]: d["n"] for d in settled.dataset.documents({"_id": {"$in": ["r1", "r2", "r3"]}})}
    assert found == {"r1": 100 + late, "r2": -5, "r3": -5}


@pytest.mark.parametrize("seconds", [pytest.param(delay / 100, marks=[pytest.mark.slow] if delay != 3 else []) for delay in (0, 1, 3, 6, 10, 20)])
def test_a_kernel_that_dies_while_it_commits(calls: Dataset, seconds: float) -> None:
    done = subprocess.run([sys.executable, "-c", DYING, str(calls.ctx.home), str(seconds)], capture_output=True, text=True)
    assert done.returncode in (-9, 0), done.stderr
    head = Datasets(calls.ctx)["calls"]
    changed = head.count({"n": -1})
    assert (head.version, changed) in ((1, 0), (2, ROWS)) and len(head) == ROWS
    sheet = Sheet(head)
    sheet.drafting.write_all(["r7"], "text", "weiter")
    assert sheet.drafting.commit("after it").dataset.version == head.version + 1
