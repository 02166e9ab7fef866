"""Rows of the queue's database that were planted, lost or left behind."""

import base64
import os
import pickle
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from clow_nb.core.context import Context
from clow_nb.runs.launch import ensure_worker, stop_worker, worker_log
from clow_nb.runs.lease import Leases
from clow_nb.runs.ledger import RunRow
from clow_nb.runs.queue import Runs

from .conftest import MakeNotebook, StartWorker, until


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def plant(database: Path, path: Path) -> None:
    """Two workflows whose inputs are pickles: one that waits in the queue, one that a dead worker was at."""
    bomb = base64.b64encode(pickle.dumps(Bomb(path))).decode()
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(workflow_status)")]
        template = connection.execute("SELECT * FROM workflow_status WHERE workflow_uuid = 'good#1'").fetchone()
        for id, status, executor in (("evil-1", "ENQUEUED", "nobody"), ("evil-2", "PENDING", "dead")):
            row = dict(zip(names, template, strict=True))
            row |= {"workflow_uuid": id, "status": status, "executor_id": executor, "inputs": bomb, "output": bomb}
            row |= {"serialization": "py_pickle", "owner_xid": None, "created_at": int(time.time() * 1000)}
            row |= {"queue_name": "_dbos_internal_queue"}
            marks = ",".join("?" * len(names))
            connection.execute(f"INSERT INTO workflow_status VALUES ({marks})", list(row.values()))
        connection.commit()


def test_a_planted_pickle_is_refused_and_the_worker_lives(
    own: Context, notebook: MakeNotebook, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    path = notebook("1")
    Runs(own).submit(path, kind="k", id="good").wait(150, progress=False)
    database = own.home / "db" / "dbos.sqlite"
    assert b"py_pickle" not in database.read_bytes()
    Leases(own).sign("dead", 2**22 + 1)
    plant(database, tmp_path / "boom")
    until(lambda: "holds a pickle" in worker_log(own).read_text())
    until(lambda: "took over from dead" in worker_log(own).read_text())
    assert Runs(own).submit(path, kind="k", id="after").wait(150, progress=False).status == "SUCCEEDED"
    assert worker.poll() is None
    assert not (tmp_path / "boom").exists()
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT status FROM workflow_status WHERE workflow_uuid LIKE 'evil%' ORDER BY workflow_uuid").fetchall()
    assert rows == [("ERROR",), ("CANCELLED",)]


def test_what_was_under_way_is_known_without_the_database_of_dbos(own: Context, notebook: MakeNotebook) -> None:
    path = notebook("1 + 1")
    runs = Runs(own)
    runs.submit(path, kind="k", id="warm-up").wait(150, progress=False)
    stop_worker(own)
    for file in (own.home / "db").glob("dbos.sqlite*"):
        file.unlink()
    runs.ledger.add(RunRow(id="r1", kind="k", target="", notebook=str(path)))
    runs.ledger.add(RunRow(id="r2", kind="k", target="", notebook=str(path)))
    runs.ledger.begin("r2", "worker-of-yesterday")
    for id in ("r1", "r2"):
        (own.folder("runs", id) / "source.ipynb").write_bytes(path.read_bytes())
    assert [runs.get(id).wait(150, progress=False).status for id in ("r1", "r2")] == ["SUCCEEDED"] * 2
    assert [runs.get(id).row.attempt for id in ("r1", "r2")] == [1, 2]


@pytest.mark.slow
def test_on_postgresql_a_killed_worker_is_taken_over_too(
    postgres: str, tmp_path: Path, notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOW_PREIMPORTS", "sqlalchemy")
    ctx = Context.open(tmp_path / "team", db=postgres)
    path = notebook("import time; time.sleep(seconds)", parameters="seconds: float = 0.0")
    runs = [Runs(ctx).submit(path, {"seconds": 0.1}, kind="k", id=f"pg-{number}") for number in range(4)]
    try:
        for run in runs:
            assert run.wait(200, progress=False).status == "SUCCEEDED"
        slow = Runs(ctx).submit(path, {"seconds": 2.0}, kind="k", id="pg-slow")
        until(lambda: slow.status == "RUNNING")
        os.kill(ensure_worker(ctx).pid, signal.SIGKILL)
        assert slow.wait(200, progress=False).row.attempt == 2
        with ctx.catalog.engine.connect() as connection:
            query = sa.text("SELECT count(*) FROM clow_dbos.workflow_status WHERE serialization = 'portable_json'")
            assert connection.scalar(query) == 6
    finally:
        stop_worker(ctx, seconds=0)
