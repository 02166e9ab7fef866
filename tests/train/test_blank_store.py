"""A blank MLflow store from the user's cache: whatever lies there, whoever else makes one, and whenever it is killed."""

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.train import blank_store
from clow_nb.train.blank_store import blank_path, place_store
from clow_nb.train.tracking import EXPERIMENT, mlflow_client

_migrated = cache(blank_store._migrated)  # MLflow's own work, once for this file


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(blank_store, "_migrated", _migrated)


def _place(folder: Path) -> Path:
    return folder / "mlflow.sqlite"


def _tables(path: Path) -> list[tuple[object, ...]]:
    """The state of the tables, what indexes and triggers there are, and each column (the words of a check stand in any order)."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        state = db.execute("SELECT 'state', version_num FROM alembic_version").fetchall()
        things = db.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2").fetchall()
        columns = [(name, *column) for kind, name, _ in things if kind == "table" for column in db.execute("SELECT * FROM pragma_table_info(?)", (name,))]
        return state + things + columns


def test_a_copy_is_what_mlflow_makes_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = Context.open(tmp_path / "copied")
    assert mlflow_client(copied).get_experiment_by_name(EXPERIMENT) is not None
    kept = blank_path()
    assert kept.is_file() and kept.is_relative_to(tmp_path)
    monkeypatch.setattr(os, "link", lambda *_: 1 / 0)  # a disk on which nothing can be linked
    by_itself = Context.open(tmp_path / "by_itself")
    assert mlflow_client(by_itself).get_experiment_by_name(EXPERIMENT) is not None
    assert _tables(copied.home / "db" / "mlflow.sqlite") == _tables(by_itself.home / "db" / "mlflow.sqlite")
    assert [path.name for path in by_itself.home.rglob("*.partial")] == []


def _with_experiment() -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(_migrated())
        db.execute("INSERT INTO experiments (experiment_id, name, workspace) VALUES (7, 'of somebody', 'default')")
        db.commit()
        return db.serialize()


def test_what_lies_broken_in_the_cache_is_made_anew(tmp_path: Path) -> None:
    whole = gzip.compress(_migrated())
    spoilt = bytearray(whole)
    spoilt[len(whole) // 2] ^= 255
    half = gzip.compress(_migrated()[: len(_migrated()) // 2])
    for number, broken in enumerate((b"", b"no gzip", whole[:-100], bytes(spoilt), half, gzip.compress(b"no store"), gzip.compress(_with_experiment()))):
        blank_path().parent.mkdir(parents=True, exist_ok=True)
        blank_path().write_bytes(broken)
        path = _place(tmp_path).with_name(f"{number}.sqlite")
        assert place_store(f"sqlite:///{path}") and path.read_bytes() == _migrated()
        assert gzip.decompress(blank_path().read_bytes()) == _migrated()


def test_a_cache_that_can_not_be_written_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert place_store(f"sqlite:///{_place(tmp_path)}")
    assert _place(tmp_path).read_bytes() == _migrated() and (tmp_path / "cache").is_file()


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    _place(tmp_path).write_bytes(b"somebody's")
    assert not place_store(f"sqlite:///{_place(tmp_path)}")
    assert _place(tmp_path).read_bytes() == b"somebody's"


def _process(code: str, *given: Path) -> subprocess.Popen[bytes]:
    """Another process, which does not import MLflow while what it needs is kept."""
    return subprocess.Popen([sys.executable, "-c", f"import sys\nfrom clow_nb.train import blank_store\n{code}", *map(str, given)])


KILLED = "import os, signal\nos.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nblank_store.place_store('sqlite:///' + sys.argv[1])"


def test_killed_half_way_there_is_no_store_and_the_next_one_makes_it(tmp_path: Path) -> None:
    blank_store.blank_store()
    assert _process(KILLED, _place(tmp_path)).wait(120) == -signal.SIGKILL
    assert not _place(tmp_path).exists() and list(tmp_path.glob(".*.partial"))
    assert place_store(f"sqlite:///{_place(tmp_path)}")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mlflow.sqlite"]


AT_ONCE = """
import gzip
from pathlib import Path
from clow_nb.data.lock import file_lock
path, kept = Path(sys.argv[1]), blank_store.blank_path()
for number in range(15):
    store = blank_store.blank_store()
    blank_store._keep(kept, store)
    with file_lock(path / "lock"):
        blank_store.place_store(f"sqlite:///{path}/{number}.sqlite")
assert 'mlflow' not in sys.modules, 'what others were writing was not whole'
"""


def test_processes_that_make_one_at_once(tmp_path: Path) -> None:
    whole = blank_store.blank_store()
    others = [_process(AT_ONCE, tmp_path) for _ in range(3)]
    assert [other.wait(240) for other in others] == [0, 0, 0]
    assert {path.read_bytes() for path in tmp_path.glob("*.sqlite")} == {whole} and len(list(tmp_path.glob("*.sqlite"))) == 15
    assert [path.name for path in blank_path().parent.iterdir()] == [blank_path().name]
