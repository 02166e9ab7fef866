"""Killed processes, full disks, damaged files, many writers: what was committed stays, and nothing else ever shows."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from clow_nb.core.catalog import Catalog
from clow_nb.core.context import Context
from clow_nb.core.errors import ConflictError, DatabaseError, FileError
from clow_nb.data import history, plans, table
from clow_nb.data.dataset import Dataset, Datasets

ROWS, BATCH = 30, 40
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.data.test_faults"])  # a child is a fork of a process that has imported everything


def _documents(dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {document["_id"]: document for document in dataset.documents()}


def _start(home: Path) -> Dataset:
    first = [{"_id": f"r{i}", "round": -1, "text": f"문장 {i}"} for i in range(ROWS)]
    return Datasets(Context.open(home)).create("d-1", first)


# --- a writer that is killed at any moment


def _write(home: Path, seed: int, told: Connection) -> None:
    """Commit and import for ever: each commit changes all the first rows alike, or adds one whole batch."""
    datasets, draw = Datasets(Context.open(home)), random.Random(seed)
    dataset = datasets["d-1"]
    told.send("ready")
    while True:
        number = draw.randrange(10**9)
        if draw.random() < 0.4:
            edit = dataset.edit(author="writer")
            edit.set({"round": {"$exists": True}}, "round", number)
            edit.set({"round": {"$exists": True}}, f"key {number % 50}", [number])
            dataset = edit.commit(str(number))
        elif draw.random() < 0.6:
            dataset = dataset.append([{"batch": number, f"new {number % 50}": i} for i in range(BATCH)], message=str(number))
        else:
            datasets.create(f"import-{number}", [{"batch": number, f"n{i % 9}": "글" * 50} for i in range(BATCH)])


def _killed(home: Path, seed: int) -> None:
    """Run a writer, and kill it at a random moment."""
    ours, theirs = SERVER.Pipe()
    writer = SERVER.Process(target=_write, args=(home, seed, theirs))
    writer.start()
    assert ours.recv() == "ready"
    time.sleep(random.Random(seed).uniform(0, 0.25))
    writer.kill()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL


def _check_version(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """A version is whole: as many documents as it says, the first rows all alike, each batch complete."""
    documents = _documents(dataset)
    assert len(documents) == len(dataset)
    assert len({document["round"] for document in documents.values() if "round" in document}) == 1
    batches: dict[int, int] = {}
    for document in documents.values():
        if "batch" in document:
            batches[document["batch"]] = batches.get(document["batch"], 0) + 1
    assert set(batches.values()) <= {BATCH}
    return documents


def _check_after(home: Path, known: int) -> int:
    """Everything is whole after a kill, and the next commit carries nothing of the dead one. Returns the newest version."""
    ctx = Context.open(home)
    datasets = Datasets(ctx)
    dataset = datasets["d-1"]
    log = dataset._table.log()
    assert [commit.version for commit in log] == list(range(1, dataset.version + 1))
    assert [row["commit"] for row in history.recorded(ctx, "dataset", "d-1")] == log
    for version in range(known + 1, dataset.version):
        _check_version(dataset.at(version))
    for name in datasets.list()["name"]:
        if name != "d-1":
            assert len(_documents(datasets[name])) == BATCH
            datasets.delete(name)
    before = _check_version(dataset)
    edit = dataset.edit(author="next")
    edit.set("r0", "checked", dataset.version)
    edit.insert({"_id": f"check {dataset.version}", f"fresh {dataset.version % 7}": 1})
    after = edit.commit("after the kill")
    assert after.version == dataset.version + 1
    expected = before | {"r0": before["r0"] | {"checked": dataset.version}}
    expected[f"check {dataset.version}"] = {"_id": f"check {dataset.version}", f"fresh {dataset.version % 7}": 1}
    documents = _documents(after)
    assert documents == expected
    assert set(after.keys) == {key for document in documents.values() for key in document} - {"_id"}
    return after.version


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_kill_9_at_any_moment(tmp_path: Path, kills: int) -> None:
    home = tmp_path / ".clow"
    known = _start(home).version
    for seed in range(kills):
        _killed(home, seed)
        known = _check_after(home, known)
    assert known > kills + 1, "the writers never came to commit anything"


# --- a writer that is killed at one exact step of a commit


def _die_after(owner: Any, name: str) -> None:
    """Let this process be killed right after `owner.name` was called."""
    step: Callable[..., Any] = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> None:
        step(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)


STEPS: dict[str, tuple[Any, str]] = {
    "columns were added": (table, "with_columns"),
    "rows were written": (table, "transaction_of"),
    "it was committed": (table, "_attempt"),
    "it was linked": (Catalog, "link"),
}


def _commit_once(home: Path, step: str) -> None:
    dataset = Datasets(Context.open(home))["d-1"]
    edit = dataset.edit(author="dead")
    edit.set("r0", "late", "the dead one's text")
    edit.insert([{"late": 1.5, "other": [i]} for i in range(5)])
    _die_after(*STEPS[step])
    edit.commit("never told")


def _create_once(home: Path, _: str) -> None:
    datasets = Datasets(Context.open(home))
    _die_after(plans, "create_table")
    datasets.create("half", [{"x": 1}])


def _runs_into_death(target: Callable[..., None], *args: Any) -> None:
    process = SERVER.Process(target=target, args=args)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("step", ["columns were added", "rows were written"])
def test_what_was_not_committed_is_gone(tmp_path: Path, step: str) -> None:
    home = tmp_path / ".clow"
    _start(home)
    _runs_into_death(_commit_once, home, step)
    dataset = Datasets(Context.open(home))["d-1"]
    assert (dataset.version, dataset.keys) == (1, ["round", "text"])
    after = dataset.append([{"late": 7}, {"text": None}])  # the same key as the dead one's, of another type
    assert (after.version, after.keys, len(after)) == (2, ["round", "text", "late"], ROWS + 2)
    assert after.scan().select("late").collect()["late"].drop_nulls().to_list() == [7]
    assert _check_after(home, 0) == 3


@pytest.mark.parametrize(("step", "known"), [("it was committed", 1), ("it was linked", 1)])
def test_what_was_committed_is_told_by_the_log(tmp_path: Path, step: str, known: int) -> None:
    home = tmp_path / ".clow"
    _start(home)
    _runs_into_death(_commit_once, home, step)
    ctx = Context.open(home)
    assert len(ctx.catalog.versions("dataset", "d-1")) == known  # what the catalog knew before it was repaired
    dataset = Datasets(ctx)["d-1"]
    assert dataset.versions().select("version", "author", "message", "added", "updated").row(-1) == (2, "dead", "never told", 5, 1)
    assert len(dataset) == ROWS + 5
    assert [(edge.source, edge.target) for edge in ctx.catalog.edges()] == [("dataset:d-1@1", "dataset:d-1@2")]
    assert {event.payload["ref"] for event in ctx.events.since()} == {"dataset:d-1@1", "dataset:d-1@2"}
    assert _check_after(home, 0) == 3


def test_a_handle_from_before_takes_up_what_a_dead_process_committed(tmp_path: Path) -> None:
    home = tmp_path / ".clow"
    handle = _start(home)
    _runs_into_death(_commit_once, home, "it was committed")
    after = handle.append([{"late": 7}])
    assert after.versions()["version"].to_list() == [1, 2, 3]
    assert after.at(2).versions()["author"].to_list()[1] == "dead"
    assert after.diff()["change"].to_list() == ["added"]


def test_a_full_catalog_leaves_all_readable_and_takes_up_later(tmp_path: Path) -> None:
    dataset = _start(tmp_path / ".clow")
    ctx = dataset.ctx
    engine, full = ctx.catalog.engine, lambda connection, _: connection.execute("PRAGMA max_page_count = 1")
    sa.event.listen(engine, "connect", full)
    engine.dispose()
    edit = dataset.edit()
    edit.set("r0", "text", "새 문장")
    with pytest.raises(DatabaseError, match=r"dataset:d-1@2 is written, but the catalog can't take it up .*disk is full"):
        edit.commit("long " * 20_000)
    assert [Datasets(ctx)["d-1"].version, len(_documents(Datasets(ctx)["d-1"]))] == [1, ROWS]
    sa.event.remove(engine, "connect", full)
    engine.dispose()
    again = Datasets(ctx)["d-1"]
    assert [again.version, _documents(again)["r0"]["text"]] == [2, "새 문장"]


def test_a_dead_import_leaves_the_name_free(tmp_path: Path) -> None:
    home = tmp_path / ".clow"
    _start(home)
    _runs_into_death(_create_once, home, "")
    datasets = Datasets(Context.open(home))
    assert "half" not in datasets
    assert len(datasets.create("half", [{"y": 1}, {"y": 2}])) == 2


# --- many writers on one dataset


def _count(home: Path, worker: int, commits: int) -> None:
    """Commits of two kinds in turn: one more on the counter that all share, and one cell of one's own."""
    dataset = Datasets(Context.open(home))["d-1"]
    for number in range(commits):
        while True:
            edit = dataset.edit(author=f"w{worker}")
            if number % 2:
                [counter] = dataset.documents({"_id": "r0"})
                edit.set("r0", "round", counter["round"] + 1)
            edit.set(f"r{worker + 1}", f"mine {worker}", number)
            try:
                dataset = edit.commit(f"{worker}-{number}")
                break
            except ConflictError as error:
                assert "r0.round" in str(error)
                dataset = dataset.at("latest")


@pytest.mark.parametrize(("workers", "commits"), [(4, 6), pytest.param(8, 50, marks=pytest.mark.slow)])
def test_no_update_of_many_writers_is_lost(tmp_path: Path, workers: int, commits: int) -> None:
    home = tmp_path / ".clow"
    _start(home)
    jobs = [SERVER.Process(target=_count, args=(home, worker, commits)) for worker in range(workers)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0] * workers
    dataset = Datasets(Context.open(home))["d-1"]
    versions = dataset.versions()
    assert versions["version"].to_list() == list(range(1, workers * commits + 2))
    assert sorted(versions["message"].to_list()[1:]) == sorted(f"{w}-{n}" for w in range(workers) for n in range(commits))
    documents = _documents(dataset)
    assert documents["r0"]["round"] == -1 + workers * (commits // 2)
    for worker in range(workers):
        assert documents[f"r{worker + 1}"][f"mine {worker}"] == commits - 1
    cells = sum(dataset.diff(v, v + 1).height for v in range(1, dataset.version))
    assert cells == workers * (commits + commits // 2)


# --- a disk that is full


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small tmpfs can only be mounted by root")
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", 12) as disk:
        home = tmp_path / ".clow"
        datasets = Datasets(Context.open(home, data=str(disk)))
        dataset = datasets.create("d-1", [{"_id": f"r{i}", "n": i} for i in range(100)])
        ballast = disk / "ballast"
        for spare in (0, 3_000, 30_000, 200_000):  # the space ends at another step of the commit each time
            _fill(disk, ballast, spare)
            edit = dataset.edit()
            edit.set("r0", "n", spare)
            edit.set("r1", f"new {spare}", os.urandom(300_000).hex())
            with pytest.raises(FileError, match=r"cannot be written.*No space left"):
                edit.commit()
            with pytest.raises(FileError, match=r"cannot be written.*No space left"):
                datasets.create("d-2", [{"big": os.urandom(300_000).hex()}])
            assert "d-2" not in datasets
            now = datasets["d-1"]
            assert (now.version, now.keys, _documents(now)["r0"]) == (dataset.version, dataset.keys, _documents(dataset)["r0"])
            ballast.unlink()
            dataset = edit.commit("now there is room")  # the edit that failed is still good
            assert dataset.keys == ["n", *(f"new {s}" for s in (0, 3_000, 30_000, 200_000) if s <= spare)]
            shutil.rmtree(ballast, ignore_errors=True)
        assert [len(_documents(dataset.at(v))) for v in range(1, dataset.version + 1)] == [100] * 5


def _fill(disk: Path, ballast: Path, spare: int) -> None:
    """Fill the disk but for `spare` bytes."""
    free = os.statvfs(disk)
    with open(ballast, "wb") as file:
        file.write(bytes(max(free.f_bavail * free.f_frsize - spare, 0)))


# --- files that are damaged or gone


def _change(dataset: Dataset) -> None:
    edit = dataset.edit()
    edit.set("r0", "text", "x")
    edit.commit()


def _damage(path: Path, how: str) -> None:
    if how == "deleted":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(os.urandom(path.stat().st_size))


@pytest.mark.parametrize("how", ["deleted", "cut", "overwritten"])
def test_a_damaged_file_names_the_version_and_spares_the_others(tmp_path: Path, how: str) -> None:
    home = tmp_path / ".clow"
    dataset = _start(home)
    files = set(Path(dataset.location, "data").iterdir())
    dataset.append([{"batch": i, "text": "새 글"} for i in range(BATCH)])
    [new] = set(Path(dataset.location, "data").iterdir()) - files
    _damage(new, how)
    for act in (
        lambda d: list(d.documents()),
        lambda d: d.find({"batch": {"$gt": 3}}),
        lambda d: d.count({"batch": {"$gt": 3}}),
        lambda d: list(d.documents(sort=[("batch", -1)], limit=3)),
        lambda d: d.scan().collect(),
        lambda d: d.statistics(),
        lambda d: d.diff(1, 2),
        lambda d: d.edit().set({"batch": 3}, "text", "x"),
        lambda d: d.restore(1),
        lambda d: d.split(stratify="text"),
        lambda d: d.append([{"_id": "new"}]),
        lambda d: d.append([{"text": "새 글"}]),
        lambda d: _change(d.at(1)),
    ):
        fresh = Datasets(Context.open(home))["d-1"]
        with pytest.raises(FileError, match=r"Version 2 of .*/d-1-\w+ can.t be read"):
            act(fresh)
    assert len(_documents(fresh.at(1))) == ROWS
    assert len(Datasets(fresh.ctx).create("rescued", fresh.at(1))) == ROWS
