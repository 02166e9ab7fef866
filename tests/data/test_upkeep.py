"""Compaction and cleaning: versions, ids, order and diffs stay; what is needed is never removed, what is gone says so."""

import os
import shutil
import subprocess
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lance.fragment import write_fragments
from lance.optimize import Compaction

from clow_nb.core.context import Context
from clow_nb.core.errors import ConflictError, FileError, InvalidName, NotFound, ParameterError
from clow_nb.data import upkeep
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.history import newest, recorded, table_of
from clow_nb.data.listing import as_of
from clow_nb.data.upkeep import clean, compact

DOCS: list[dict[str, Any]] = [{"text": f"문장 {i}", "label": "ab"[i % 2], "n": i} for i in range(60)]


def _edited(datasets: Datasets, name: str = "d-1", edits: int = 6) -> Dataset:
    """A dataset whose versions 2, 3, … each change, remove and add a row, and bring an odd value and a new key."""
    dataset = datasets.create(name, DOCS, label="label")
    for i in range(edits):
        edit = dataset.edit()
        edit.set(f"1-{i}", "n", "odd" if i % 2 else -i)
        edit.delete([f"1-{40 + i}"])
        edit.insert([{"text": "neu", "n": 1000 + i, f"key {i % 3}": i}])
        dataset = edit.commit(f"edit {i}")
    return dataset


@pytest.fixture
def datasets(ctx: Context) -> Datasets:
    return Datasets(ctx)


def _everything(dataset: Dataset) -> list[Any]:
    """All versions, and what lies between them."""
    last = dataset.at("latest").version
    whole = [list(dataset.at(version).documents()) for version in range(1, last + 1)]
    diffs = [dataset.diff(*pair).rows() for one in range(1, last) for pair in ((one, last), (last, one), (one, one + 1))]
    return [whole, diffs]


def _row_ids(dataset: Dataset) -> dict[str, int]:
    rows = dataset.snapshot.table.scanner(columns=["_id"], with_row_id=True).to_table()
    return dict(zip(rows["_id"].to_pylist(), rows["_rowid"].to_pylist(), strict=True))


def _files(dataset: Dataset) -> set[Path]:
    return {path for path in Path(dataset.location).rglob("*") if path.is_file()}


def test_compaction_changes_nothing_but_files(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets)
    before, row_ids, versions = _everything(dataset), _row_ids(dataset), dataset.versions()
    assert compact(ctx, "dataset", "d-1").row(0, named=True)["into"] == 1
    assert _everything(datasets["d-1"]) == before
    assert _row_ids(datasets["d-1"]) == row_ids
    assert datasets["d-1"].versions().equals(versions)
    assert len(datasets["d-1"].snapshot.table.get_fragments()) == 1
    assert len(ctx.events.since(0, "dataset.version")) == 7


def test_a_dry_run_writes_nothing(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets)
    files = _files(dataset)
    assert compact(ctx, "dataset", "d-1", dry_run=True).row(0) == (7, 7, 1, 11)
    assert clean(ctx, "dataset", "d-1", older_than=0)["state"][:7].to_list() == ["goes"] * 6 + ["stays"]
    assert _files(dataset) == files


def test_work_goes_on_across_a_compaction(datasets: Datasets, ctx: Context) -> None:
    stale = _edited(datasets)
    pending = stale.edit()
    pending.set("1-30", "n", "before")
    first = list(stale.at(1).documents())
    compact(ctx, "dataset", "d-1")
    assert pending.commit().version == 8
    assert stale.append([{"text": "late"}]).version == 9  # its object knows nothing of the compaction
    compact(ctx, "dataset", "d-1")
    dataset = datasets["d-1"].restore(1)
    assert list(dataset.documents()) == first
    assert {row[0] for row in dataset.diff(9, 10).rows()} == {row[0] for row in dataset.diff(10, 9).rows()}
    assert dataset.diff(1, 10).is_empty() and dataset.diff(10, 1).is_empty()
    assert dataset.diff(7, 9).rows() == [("1-30", "updated", "n", "30", '"before"'), *dataset.diff(8, 9).rows()]


def test_somebody_commits_while_files_are_put_together(datasets: Datasets, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, rewritten, made = _edited(datasets), upkeep._rewritten, []

    def disturbed(*args: Any) -> list[Any]:
        files = rewritten(*args)
        if not made:
            edit = dataset.edit()
            edit.set("1-20", "n", "meanwhile")
            made.append(edit.commit())
        return files

    monkeypatch.setattr(upkeep, "_rewritten", disturbed)
    compact(ctx, "dataset", "d-1")
    assert datasets["d-1"].version == 8
    assert datasets["d-1"].diff(7, 8).rows() == [("1-20", "updated", "n", "20", '"meanwhile"')]
    assert len(datasets["d-1"].snapshot.table.get_fragments()) == 1


def test_a_compaction_that_died_half_way_is_finished_by_the_next(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets)
    before = _everything(dataset)
    Compaction.execute(dataset.snapshot.table, {})  # and nobody stamped it
    assert _everything(datasets["d-1"]) == before
    compact(ctx, "dataset", "d-1")
    known = newest(ctx, "dataset", "d-1")
    assert known and known["commit"].lance == table_of(ctx, "dataset", "d-1").at().version
    assert _everything(datasets["d-1"]) == before


def test_columns_of_a_dead_commit_do_not_survive_a_compaction(datasets: Datasets, ctx: Context) -> None:
    keys = _edited(datasets).keys
    table_of(ctx, "dataset", "d-1").at().add_columns(pa.schema([pa.field("k9", pa.string(), metadata={b"key": b"ghost"})]))
    compact(ctx, "dataset", "d-1")
    assert datasets["d-1"].keys == keys


def test_the_catalog_is_rebuilt_from_the_log_also_after_cleaning(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets)
    dataset.at(3).tag("v1.0")
    compact(ctx, "dataset", "d-1")
    clean(ctx, "dataset", "d-1", older_than=0, dry_run=False)
    kept = [(k["commit"], k["splits"], k["size"]) for k in recorded(ctx, "dataset", "d-1") if not k["cleaned"]]
    item = ctx.catalog.get("dataset", "d-1")
    ctx.catalog.delete("dataset", "d-1")
    ctx.catalog.create("dataset", "d-1", spec=item.spec)
    assert datasets["d-1"].version == 7
    assert [(k["commit"], k["splits"], k["size"]) for k in recorded(ctx, "dataset", "d-1")] == kept


def test_only_what_nobody_needs_is_cleaned(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets, edits=8)
    dataset.at(2).tag("v1.0")
    ctx.catalog.link("dataset:d-1@4", "model:intent@1", "dataset")
    ctx.catalog.create("training", "t-1", spec={"dataset": "d-1@6"})
    datasets.create("d-2", dataset.at(7))
    before = {version: list(dataset.at(version).documents()) for version in (2, 4, 6, 7, 9)}
    diffs = {pair: dataset.diff(*pair).rows() for pair in ((2, 9), (9, 2), (4, 6), (6, 7))}
    compact(ctx, "dataset", "d-1")
    prospect = clean(ctx, "dataset", "d-1", older_than=0)
    assert prospect["why"].to_list()[1:7:2] == ["tagged: v1.0", "used by model:intent@1", "used by training:t-1"]
    assert prospect.filter(version=7)["why"].item() == "used by dataset:d-2@1"
    files = sum(path.stat().st_size for path in _files(dataset))
    done = clean(ctx, "dataset", "d-1", older_than=0, dry_run=False)
    assert files - sum(path.stat().st_size for path in _files(dataset)) == done["bytes"].sum() == prospect["bytes"].sum() > 0
    again = datasets["d-1"]
    assert {version: list(again.at(version).documents()) for version in before} == before
    assert {pair: again.diff(*pair).rows() for pair in diffs} == diffs
    assert again.versions().filter(version=3).select("message", "rows").row(0) == ("edit 1", 60)
    assert again.versions()["cleaned"].is_null().to_list() == [False, True, False, True, False, True, True, False, True]
    for act in (lambda: list(again.at(3).documents()), lambda: again.diff(1, 2), lambda: again.restore(5)):
        with pytest.raises(NotFound, match=r"dataset:d-1@[135] is gone: tester cleaned it on 20\d\d-"):
            act()
    assert again.restore(4).diff(4, 10).is_empty()


def test_statistics_outlive_the_versions_before(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets, edits=2)
    dataset.clean(0, dry_run=False)
    assert dataset.versions()["cleaned"].is_not_null().to_list() == [True, True, False]
    assert dataset.statistics().height == len(dataset.keys)


def test_a_second_cleaning_takes_what_the_first_left(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets)
    dataset.at(3).tag("v1.0")
    clean(ctx, "dataset", "d-1", older_than=0, dry_run=False)
    assert clean(ctx, "dataset", "d-1", older_than=0)["bytes"].sum() == 0
    dataset.untag("v1.0")
    assert clean(ctx, "dataset", "d-1", older_than=0, dry_run=False).filter(version=3)["state"].item() == "cleaned"
    with pytest.raises(NotFound, match="is gone"):
        dataset.at(3).documents()
    stale = dataset.append([{"text": "after"}])
    assert (stale.version, len(stale)) == (8, 61)


def test_the_age_of_versions_decides(datasets: Datasets, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    ctx = Context.open(ctx.home)
    dataset = _edited(Datasets(ctx), edits=2)
    assert clean(ctx, "dataset", "d-1")["state"].to_list() == ["stays"] * 3
    assert "made after" in clean(ctx, "dataset", "d-1", older_than=timedelta(hours=1))["why"][0]
    commits = [known["commit"] for known in recorded(ctx, "dataset", "d-1")]
    here = (commits[1].at + timedelta(hours=9)).replace(tzinfo=None)  # the clock on a wall in Seoul
    assert clean(ctx, "dataset", "d-1", older_than=here)["state"][:3].to_list() == ["goes", "stays", "stays"]
    assert [as_of(commits, at, ctx.settings.tz) for at in (here, commits[2].at, datetime.max)] == [2, 3, 3]
    with pytest.raises(NotFound, match="There was no version yet"):
        as_of(commits, here - timedelta(days=1), ctx.settings.tz)
    with pytest.raises(ParameterError, match="older_than is 'old'"):
        clean(ctx, "dataset", "d-1", older_than="old")  # type: ignore[arg-type]
    assert dataset.version == 3


def test_files_of_dead_writes_go_after_a_day(datasets: Datasets, ctx: Context) -> None:
    dataset = _edited(datasets, edits=1)
    files = _files(dataset)
    for _ in range(2):
        write_fragments(dataset.snapshot.table.to_table(), dataset.snapshot.table, mode="append")
    old, young = sorted(_files(dataset) - files)
    os.utime(old, (time.time() - 90_000,) * 2)
    assert clean(ctx, "dataset", "d-1")["bytes"].to_list() == [0, 0, old.stat().st_size]
    clean(ctx, "dataset", "d-1", dry_run=False)
    assert _files(dataset) == files | {young}
    assert len(list(datasets["d-1"].documents())) == 60


def test_a_held_lock_is_waited_for_and_said(datasets: Datasets, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from clow_nb.data import history
    from clow_nb.data.lock import file_lock

    _edited(datasets, edits=1)
    path = ctx.folder("locks") / "dataset-d-1.lock"
    monkeypatch.setattr(history, "commit_lock", lambda *_: file_lock(path, 0.05))
    with file_lock(path), pytest.raises(ConflictError, match="has been writing"):
        compact(ctx, "dataset", "d-1")


def test_no_space_for_a_compaction_says_so(datasets: Datasets, ctx: Context) -> None:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("needs the right to mount")
    dataset = _edited(datasets, edits=2)
    data = Path(dataset.location, "data")
    if subprocess.run(["mount", "--bind", "-o", "ro", str(data), str(data)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(data)], check=True)
        with pytest.raises(FileError, match=r"dataset:d-1 cannot be compacted \(.*Nothing was changed"):
            compact(ctx, "dataset", "d-1")
    finally:
        subprocess.run(["umount", str(data)], check=True)
    compact(ctx, "dataset", "d-1")


# --- opening what is damaged


@pytest.mark.parametrize("how", ["deleted", "overwritten"])
def test_a_damaged_manifest_names_the_version_and_spares_the_others(tmp_path: Path, datasets: Datasets, ctx: Context, how: str) -> None:
    dataset = _edited(datasets, edits=2)
    lances = [known["commit"].lance for known in recorded(ctx, "dataset", "d-1")]
    for version in (2, 3):
        manifest = Path(dataset.location, "_versions", f"{2**64 - 1 - lances[version - 1]:020d}.manifest")
        if how == "deleted":
            manifest.unlink()
        else:
            manifest.write_bytes(os.urandom(manifest.stat().st_size))
        home = shutil.copytree(ctx.home, tmp_path / f"copy-{version}")  # Lance has the manifests of the other in memory
        copied = Datasets(Context.open(home))
        assert len(list(copied["d-1"].at(1).documents())) == 60
        with pytest.raises(FileError, match=rf"^dataset:d-1@{version} cannot be opened \("):
            copied["d-1"].at(version).documents()
        assert copied.list()["version"].item() == 3
        if version == 3:
            with pytest.raises(FileError, match=r"cannot be (written: the manifest of its newest version, 3, was deleted|read \()"):
                copied["d-1"].at(1).append([{"text": "in its place?"}])


# --- an object store


def test_upkeep_in_an_object_store(tmp_path: Path, bucket: str) -> None:
    ctx = Context.open(tmp_path / ".clow", data=bucket)
    dataset = _edited(Datasets(ctx), edits=3)
    before = list(dataset.documents())
    write_fragments(dataset.snapshot.table.to_table(), dataset.snapshot.table, mode="append")
    assert compact(ctx, "dataset", "d-1")["merged"].item() == 4
    done = clean(ctx, "dataset", "d-1", older_than=0, dry_run=False)
    assert done["state"].to_list() == ["cleaned"] * 3 + ["stays", "cleaned"] and done["bytes"].sum() > 0
    assert list(Datasets(ctx)["d-1"].documents()) == before


@pytest.mark.parametrize("age", [float("nan"), float("inf"), 10**10, "30", None, True, -1])
def test_no_age_is_refused(datasets: Datasets, age: Any) -> None:
    with pytest.raises(ParameterError, match="older_than is"):
        datasets.create("d-1").clean(age)


@pytest.mark.parametrize("moment", ["yesterday", "", "2026-13-01", None, 5])
def test_no_moment_is_refused(datasets: Datasets, moment: Any) -> None:
    with pytest.raises(ParameterError, match="is no moment"):
        datasets.create("d-1").as_of(moment)


def test_a_day_is_a_moment(datasets: Datasets) -> None:
    dataset = datasets.create("d-1")
    assert dataset.as_of(date.max).version == 1
    with pytest.raises(NotFound, match="There was no version yet"):
        dataset.as_of(date(2020, 1, 1))


@pytest.mark.parametrize("tag", [None, 3, "1", "", "a b", "latest"])
def test_no_tag_is_refused(datasets: Datasets, tag: Any) -> None:
    with pytest.raises(InvalidName, match="cannot be a tag"):
        datasets.create("d-1").tag(tag)
