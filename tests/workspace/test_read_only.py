"""A workspace that is open for looking: all of it is read, and nothing that a page can ask for changes a file."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clow_nb import Workspace
from clow_nb.core.errors import ReadOnly
from clow_nb.runs.launch import ensure_worker, stop_worker
from clow_nb.runs.lease import Leases
from clow_nb.runs.ledger import Ledger
from clow_nb.serve.releases import Releases

_CODE = "def convert(json_input, raw_dataset_name, output):\n    output(json_input)\n"


def _files(home: Path) -> dict[str, str]:
    """What lies in a workspace, its caches and SQLite's own working files apart."""
    paths = [path for path in home.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    places = {path.relative_to(home).as_posix(): path for path in paths}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in places.items()
        if not name.startswith(("cache/", "statistics/"))
    }


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a little of everything, opened again for looking."""
    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("books", [{"title": "Emma", "price": 9}, {"title": "소나기", "price": 7}], label="title")
    ws.datasets["books"].tag("v1.0")
    ws.rawdata.create("talk", [{"text": "안녕"}])
    ws.converters.create("same", code=_CODE)
    ws.services.create("s-books")
    ws.secrets["KEY"] = "geheim!"
    for part in (Ledger, Leases):
        part(ws.ctx)
    Releases(ws.ctx, "s-books")
    len(list(ws.schedules))
    ws.ctx.catalog.engine.dispose()
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    return Workspace(tmp_path / ".clow")


CHANGES: dict[str, Callable[[Any], Any]] = {
    "create": lambda ws: ws.datasets.create("pears", [{"a": 1}]),
    "create rawdata": lambda ws: ws.rawdata.create("pears", None),
    "append": lambda ws: ws.datasets["books"].append([{"title": "Dune"}]),
    "commit": lambda ws: _edited(ws.datasets["books"]).commit("cheaper"),
    "restore": lambda ws: ws.datasets["books"].restore(1),
    "split": lambda ws: ws.datasets["books"].split(train=1, test=1),
    "tag": lambda ws: ws.datasets["books"].tag("v2.0"),
    "delete": lambda ws: ws.datasets.delete("books"),
    "compact": lambda ws: ws.datasets["books"].compact(),
    "clean": lambda ws: ws.datasets["books"].clean(0, dry_run=False),
    "object": lambda ws: ws.objects.put(b"bytes", "a.txt"),
    "clean objects": lambda ws: ws.objects.clean(dry_run=False),
    "converter": lambda ws: ws.converters.create("other", code=_CODE),
    "converter version": lambda ws: ws.converters["same"].update(code=_CODE + "\n"),
    "code of a converter": lambda ws: ws.converters["same"].test(ws.rawdata["talk"]),
    "conversion": lambda ws: ws.converters["same"].run(ws.rawdata["talk"], to="d-talk"),
    "run": lambda ws: ws.runs.submit("convert", {}, kind="convert"),
    "limit": lambda ws: ws.runs.limit("gpu", 1),
    "worker": lambda ws: ensure_worker(ws.ctx),
    "stop worker": lambda ws: stop_worker(ws.ctx),
    "secret": lambda ws: ws.secrets.set("KEY", "another"),
    "rotate": lambda ws: ws.secrets.rotate(),
    "forget secret": lambda ws: ws.secrets.delete("KEY"),
    "service": lambda ws: ws.services.create("s-other"),
    "stop service": lambda ws: ws.services["s-books"].stop(),
    "delete service": lambda ws: ws.services.delete("s-books"),
    "event": lambda ws: ws.ctx.events.publish("dataset.version", ref="dataset:books@1"),
}


def _edited(dataset: Any) -> Any:
    edit = dataset.edit()
    edit.set(dataset.find().item(0, "_id"), "price", 1)
    return edit


def test_nothing_can_be_changed_and_each_refusal_says_so(looking: Workspace) -> None:
    before = _files(looking.home)
    for what, change in CHANGES.items():
        with pytest.raises(ReadOnly) as caught:
            change(looking)
        assert "looking" in str(caught.value) or "who only looks" in str(caught.value), what
        assert _files(looking.home) == before, what


def test_all_of_it_is_read(looking: Workspace) -> None:
    before, books = _files(looking.home), looking.datasets["books"]
    assert books.find({"price": {"$gt": 8}})["title"].to_list() == ["Emma"]
    assert books.statistics().height and len(books.versions()) == 1 and books.at("v1.0").version == 1
    assert looking.datasets.list().height == 1 and looking.runs.list().is_empty() and len(looking.secrets) == 1
    assert books.check() is not None
    assert _edited(books).preview() is not None
    assert isinstance(looking.services.list(), pl.DataFrame)
    assert _files(looking.home) == before


def test_a_workspace_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    with pytest.raises(ReadOnly):
        len(Workspace(tmp_path / ".clow").datasets)
    assert not (tmp_path / ".clow").exists()


def test_what_must_be_repaired_is_told_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("books", [{"title": "Emma"}])
    before = _files(ws.home)
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    looking = Workspace(tmp_path / ".clow")
    with pytest.raises(ReadOnly, match="lacks runs"):
        looking.runs.list()
    assert looking.datasets["books"].find()["title"].to_list() == ["Emma"]
    assert _files(ws.home) == before


def test_a_version_that_the_catalog_missed_is_left_to_who_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(tmp_path / ".clow")
    books = ws.datasets.create("books", [{"title": "Emma"}])
    with monkeypatch.context() as broken:
        broken.setattr("clow_nb.data.dataset.record", lambda *_: None)
        books.append([{"title": "Dune"}])
    with ws.ctx.catalog.begin() as connection:
        connection.exec_driver_sql("DELETE FROM versions WHERE version = 2")
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    assert len(Workspace(tmp_path / ".clow").datasets["books"]) == 1
    monkeypatch.delenv("CLOW_READ_ONLY")
    assert len(Workspace(tmp_path / ".clow").datasets["books"]) == 2


def test_a_shared_page_takes_no_code_and_writes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(tmp_path / ".clow")
    ws.rawdata.create("talk", [{"text": "안녕"}])
    ws.converters.create("same", code=_CODE)
    monkeypatch.setenv("CLOW_SHARED", "1")
    shared = Workspace(tmp_path / ".clow")
    for change in (
        lambda: shared.converters.create("other", code=_CODE),
        lambda: shared.converters["same"].update(code=_CODE + "\nimport os\n"),
        lambda: shared.converters["same"].export(shared.rawdata["talk"], tmp_path / "out"),
    ):
        with pytest.raises(ReadOnly, match="shared"):
            change()
    assert not (tmp_path / "out").exists() and len(shared.converters) == 1
    assert len(shared.datasets.create("books", [{"title": "Emma"}])) == 1  # with --write, data can be changed
