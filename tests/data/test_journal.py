"""A journal outlives its process, however that ends, and belongs to one page at a time."""

import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.core.errors import ConflictError, FileError
from clow_nb.data.actions import Call, packed
from clow_nb.data.journal import Heading, Journal, kept_drafts, take_draft
from clow_nb.data.kept import KeptEdit, reopened, was_committed

WRITER = """
import sys
from clow_nb import Workspace
from clow_nb.data.actions import Call
from clow_nb.data.kept import KeptEdit
edit = KeptEdit(Workspace(sys.argv[1]).datasets["calls"], "mina")
for number in range(10_000):
    edit.do(Call("set", ("r1", "price", number)))
    print(number, flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Workspace(tmp_path).datasets.create("calls", [{"_id": f"r{n}", "price": n} for n in range(5)])
    return tmp_path


def test_a_killed_process_leaves_all_that_it_told(home: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = 0
    while told < 20:
        line = writer.stdout.readline()
        told = int(line) if line.strip().isdigit() else told
    dataset = Workspace(home).datasets["calls"]
    assert dataset.drafts()["open"].to_list() == [True]  # the other process lives
    writer.send_signal(signal.SIGKILL)
    told = max([told, *(int(line) for line in writer.stdout.read().split() if line.isdigit())])
    writer.wait()
    writer.stdout.close()
    [kept] = kept_drafts(dataset.ctx, dataset.item.spec["table"])
    again = reopened(KeptEdit(dataset, "mina"), kept)
    assert told < len(again.done) <= told + 2  # all that was told, and at most one that was not told any more
    assert again.edit.look_up(["r1"])["r1"] == {"_id": "r1", "price": len(again.done) - 1}
    assert again.undo() and again.edit.look_up(["r1"])["r1"] == {"_id": "r1", "price": len(again.done) - 1}


@pytest.mark.parametrize("torn", [b"", b"{", b'{"at":"2026-11-21T14:00:00+00:00","do":[["set"', b"\x00" * 4096, b"\xff\xfe\n", b"null\n"])
def test_a_torn_end_is_cut_off(ctx: Context, torn: bytes) -> None:
    journal = Journal(ctx, Heading("calls-1", 1, "mina"))
    act = (Call("set", ("r1", "price", 9)),)
    for _ in range(3):
        journal.write(do=packed(act))
    journal.release()
    with journal.path.open("ab") as file:
        file.write(torn)
    [kept] = kept_drafts(ctx, "calls-1")
    assert len(kept.entries.done) == 3 and not kept.problem
    again, _entries = take_draft(ctx, kept)
    again.write(do=packed(act))
    [kept] = kept_drafts(ctx, "calls-1")
    assert len(kept.entries.done) == 4


def test_of_many_who_want_a_draft_one_gets_it(ctx: Context) -> None:
    journal = Journal(ctx, Heading("calls-1", 1, "mina"))
    journal.write(do=packed((Call("set", ("r1", "price", 9)),)))
    journal.release()
    [kept] = kept_drafts(ctx, "calls-1")
    got: list[Journal] = []
    refused: list[ConflictError] = []
    start = threading.Barrier(8)

    def take(number: int) -> None:
        start.wait()
        try:
            got.append(take_draft(ctx, kept, f"p{number}")[0])
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(got), len(refused)] == [1, 7]
    assert len(list(got[0].path.parent.glob("*.jsonl"))) == 1


def test_no_room_on_the_disk_leaves_the_edit_as_it_was(home: Path) -> None:
    edit = KeptEdit(Workspace(home).datasets["calls"], "mina")
    edit.do(Call("set", ("r1", "price", 9)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (edit.journal.path.stat().st_size + 12, before[1]))  # half of the line has room
    try:
        with pytest.raises(FileError, match=r"can't be written \(File too large\), so the change was not made"):
            edit.do(Call("set", ("r1", "price", 10)), Call("delete", (["r2"],)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [len(edit.done), edit.edit.look_up(["r1", "r2"])] == [1, {"r1": {"_id": "r1", "price": 9}, "r2": {"_id": "r2", "price": 2}}]
    edit.do(Call("set", ("r1", "price", 11)))
    edit.journal.release()
    [kept] = kept_drafts(edit.dataset.ctx, edit.journal.heading.table)
    assert [call.args[2] for action in kept.entries.done for call in action] == [9, 11]


def test_a_commit_whose_process_ended_is_not_offered_again(home: Path) -> None:
    dataset = Workspace(home).datasets["calls"]
    edit = KeptEdit(dataset, "mina")
    edit.do(Call("set", ("r1", "price", 9)))
    edit.journal.write(commit="가격")
    edit.edit.commit("가격")  # and here the process ends
    edit.journal.release()
    [kept] = kept_drafts(dataset.ctx, edit.journal.heading.table)
    assert was_committed(dataset.at("latest"), kept)
    other = KeptEdit(dataset.at("latest"), "lee")
    other.do(Call("set", ("r1", "price", 9)))
    other.journal.write(commit="가격")
    other.journal.release()
    mine = [kept for kept in kept_drafts(dataset.ctx, edit.journal.heading.table) if kept.heading.author == "lee"]
    assert not was_committed(dataset.at("latest"), mine[0])


def test_drafts_go_with_their_dataset(home: Path) -> None:
    ws = Workspace(home)
    edit = KeptEdit(ws.datasets["calls"], "mina")
    edit.do(Call("set", ("r1", "price", 9)))
    assert len(ws.datasets["calls"].drafts()) == 1
    ws.datasets.delete("calls")
    ws.datasets.create("calls", [{"_id": "r1", "price": 1}])
    assert ws.datasets["calls"].drafts().is_empty() and not any((home / "drafts").iterdir())
