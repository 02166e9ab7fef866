"""Versions on Lance: one stamped transaction each, nothing lost and nothing left behind, whoever else writes or dies."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from lance.dataset import LanceDataset

from clow_nb.core.errors import ConflictError, FileError
from clow_nb.data.documents import assemble, shred
from clow_nb.data.layout import BASE, POS
from clow_nb.data.lock import file_lock
from clow_nb.data.merge import change_of
from clow_nb.data.reading import Snapshot, read_documents, scan
from clow_nb.data.rewrite import where_ids
from clow_nb.data.sources import identified
from clow_nb.data.table import Change, Commit, Stamp, Table, create_table, drop_table

DOCS = [{"n": i, "text": f"문장 {i}"} for i in range(20)]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    uri = str(tmp_path / "t.lance")
    create_table(uri, Stamp("create", "mina", "첫 판"), identified(shred(DOCS), 1))
    return uri


def adding(documents: list[dict]):
    def plan(head: LanceDataset, last: Commit) -> Change:
        rows = identified(shred(documents, head.schema), last.version + 1, last.end)
        return Change(rows, added=len(rows), end=last.end + len(rows))

    return plan


def test_the_log_alone_tells_every_version(uri: str) -> None:
    table = Table(uri)
    [one] = table.log()
    assert (one.stamp.author, one.stamp.message, one.rows, one.end) == ("mina", "첫 판", 20, 20)
    two = table.commit(Stamp("append", sources=("rawdata:x@1",)), adding([{"new": 1}]), one)
    three = table.commit(Stamp("edit"), lambda head, last: change_of(head, last, {"1-3": None}), one)
    assert table.log() == [one, two, three]
    assert table.log(one) == [two, three]
    assert two.stamp.sources == ("rawdata:x@1",)
    assert [table.at(c.lance).count_rows() for c in (one, two, three)] == [20, 21, 20]


def test_columns_and_compaction_make_no_versions(uri: str) -> None:
    table = Table(uri)
    [one] = table.log()
    for number in range(3):
        table.commit(Stamp("append"), adding([{"n": number}]), one)
    table.at().optimize.compact_files()
    table.at().add_columns(pa.field("k9", pa.int64(), metadata={b"key": b"left by a crash"}))
    assert [c.version for c in table.log()] == [1, 2, 3, 4]
    last = table.commit(Stamp("append"), adding([{"n": 9}]), one)
    assert last.version == 5
    documents = list(read_documents(Snapshot(table.at(last.lance), last)))
    assert len(documents) == 24 and "left by a crash" not in documents[-1]


def test_a_split_rewrites_a_column_and_moves_no_row(uri: str) -> None:
    table = Table(uri)
    [one] = table.log()
    cells = pa.table({"_id": [f"1-{i}" for i in range(20)], "k2": ["train"] * 20})
    field = pa.field("k2", pa.string(), metadata={b"key": b"split"})
    rows = cells.cast(pa.schema([BASE.field("_id"), field]))
    two = table.commit(Stamp("split"), lambda head, last: Change(BASE.empty_table(), updated=20, cells=rows), one)
    assert two.ordered and len(table.at().get_fragments()) == 1
    snapshot = Snapshot(table.at(two.lance), two)
    assert scan(snapshot).collect()["split"].to_list() == ["train"] * 20
    assert [d["n"] for d in read_documents(snapshot)] == list(range(20))
    assert "split" not in scan(Snapshot(table.at(one.lance), one)).collect_schema()


def test_the_order_survives_updates_removals_and_additions(uri: str) -> None:
    table = Table(uri)
    [last] = table.log()
    for documents in ({"1-5": {"n": -5}}, {"1-0": None, "late": {"n": 100}}, {"1-19": {"n": -19}, "1-1": {"n": -1}}):
        last = table.commit(Stamp("edit"), lambda head, base, d=documents: change_of(head, base, d), last)
    snapshot = Snapshot(table.at(last.lance), last)
    expected = [-1, 2, 3, 4, -5, *range(6, 19), -19, 100]
    assert [d["n"] for d in read_documents(snapshot)] == expected
    assert scan(snapshot).collect()["n"].to_list() == expected
    assert [d["n"] for d in read_documents(snapshot, skip=17, limit=5)] == expected[17:]
    assert scan(snapshot).filter(n=-5).collect()["_pos"].to_list() == [5]


def test_a_table_can_be_emptied_and_filled_again(uri: str) -> None:
    table = Table(uri)
    [one] = table.log()
    empty = table.commit(Stamp("edit"), lambda h, last: change_of(h, last, dict.fromkeys(f"1-{i}" for i in range(20))), one)
    assert (empty.rows, table.at().count_rows()) == (0, 0)
    full = table.commit(Stamp("append"), adding([{"n": 1}]), empty)
    assert list(assemble(table.at(full.lance).to_table())) == [{"_id": "3-0", "n": 1}]


def test_an_empty_table_begins_without_keys(tmp_path: Path) -> None:
    uri = str(tmp_path / "e.lance")
    one = create_table(uri, Stamp("create"), identified(shred([]), 1))
    assert list(read_documents(Snapshot(Table(uri).at(), one))) == []
    assert scan(Snapshot(Table(uri).at(), one)).collect().columns == ["_id", "_pos"]
    two = Table(uri).commit(Stamp("append"), adding([{"a.b": "x"}]), one)
    assert list(read_documents(Snapshot(Table(uri).at(two.lance), two))) == [{"_id": "2-0", "a.b": "x"}]


def test_odd_ids_are_found() -> None:
    assert where_ids(["it's", "'); --"]) == "_id in ('it''s', '''); --')"


def _append(uri: str, worker: int, commits: int) -> None:
    table = Table(uri)
    [one] = table.log()[:1]
    for number in range(commits):
        table.commit(Stamp("append", f"w{worker}"), adding([{"worker": worker, "number": number, f"key {worker}": number}]), one)


def _count_up(uri: str, commits: int) -> None:
    table = Table(uri)

    def plan(head: LanceDataset, last: Commit) -> Change | None:
        [document] = assemble(head.to_table(filter="_id = '1-0'"))
        return change_of(head, last, {"1-0": {**document, "n": document["n"] + 1}})

    for _ in range(commits):
        table.commit(Stamp("edit"), plan, table.log()[0])


def test_many_processes_lose_nothing(uri: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    jobs = [spawn.Process(target=_append, args=(uri, 0, 8))]
    jobs += [spawn.Process(target=_count_up, args=(uri, 8)) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(120)
    assert [job.exitcode for job in jobs] == [0] * 3
    log = Table(uri).log()
    assert [commit.version for commit in log] == list(range(1, 26))
    rows = Table(uri).at().to_table().sort_by(POS)
    assert rows[POS].to_pylist() == list(range(28))
    assert len(set(rows["_id"].to_pylist())) == 28
    documents = list(assemble(rows))
    assert documents[0]["n"] == 16
    assert [(d["worker"], d["number"], d["key 0"]) for d in documents[20:]] == [(0, number, number) for number in range(8)]


_WRITER = """
import sys
from clow_nb.data.table import Stamp, Table
from tests.data.test_table import adding
table = Table(sys.argv[1])
print("ready", flush=True)
for number in range(10_000):
    table.commit(Stamp("append", message=str(number)), adding([{"batch": number, f"k{number % 7}": i} for i in range(50)]), table.log()[-1])
"""


def test_kill_9_leaves_whole_versions_and_the_next_commit_is_clean(uri: str) -> None:
    root = Path(__file__).parents[2]
    for round_ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, uri], cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}
        )
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.07 * round_)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        table = Table(uri)
        log = table.log()
        for commit in log[-3:]:
            dataset = table.at(commit.lance)
            assert dataset.count_rows() == commit.rows == len(list(assemble(dataset.to_table())))
        made = table.commit(Stamp("append", message="after"), adding([{"after": round_}]), log[-1])
        assert (made.version, made.rows) == (log[-1].version + 1, log[-1].rows + 1)
        last = list(read_documents(Snapshot(table.at(made.lance), made)))[-1]
        assert last == {"_id": f"{made.version}-0", "after": round_}
    assert (table.at().count_rows() - 20 - 3) % 50 == 0


def test_a_lock_that_is_held_says_so(tmp_path: Path) -> None:
    with file_lock(tmp_path / "x.lock"), pytest.raises(ConflictError, match="has been writing to"), file_lock(tmp_path / "x.lock", 0.02):
        pass


def test_missing_and_damaged_files_are_named(uri: str) -> None:
    table = Table(uri)
    [one] = table.log()
    two = table.commit(Stamp("append"), adding([{"n": 1}]), one)
    with pytest.raises(FileError, match="cannot be read"):
        table.at(99)
    newest = min(Path(uri, "_versions").glob("*.manifest"))  # named by the number that is left to count down
    newest.write_bytes(b"damaged")
    code = f"from clow_nb.data.table import open_table; open_table({uri!r}, {two.lance})"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # this process has it in memory
    assert "FileError" in fresh.stderr and f"The table {uri} cannot be read" in fresh.stderr
    assert len(list(assemble(table.at(one.lance).to_table()))) == 20
    drop_table(uri)
    with pytest.raises(FileError, match=r"t\.lance cannot be read"):
        table.at()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("needs the right to mount a small tmpfs")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        uri = str(disk / "t.lance")
        one = create_table(uri, Stamp("create"), identified(shred(DOCS), 1))
        table = Table(uri)
        with pytest.raises(FileError, match="cannot be written"):
            table.commit(Stamp("append"), adding([{"big": os.urandom(2_000_000).hex()}]), one)
        assert table.log() == [one]
        assert len(list(assemble(table.at().to_table()))) == 20
    finally:
        subprocess.run(["umount", str(disk)], check=True)
