"""The catalog under many writers, and on PostgreSQL."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, DatabaseError, NotFound, ParameterError


def _add_versions(home: str, db: str | None, count: int) -> None:
    context = Context.open(home, db=db)
    for _ in range(count):
        context.catalog.add_version("dataset", "books", {})


def _hammer(home: Path, db: str | None = None) -> list[int]:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_add_versions, args=(str(home), db, 15)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    return [row.version for row in Context.open(home, db=db).catalog.versions("dataset", "books")]


def test_many_processes_lose_no_version(ctx: Context) -> None:
    ctx.catalog.create("dataset", "books")
    assert _hammer(ctx.home) == list(range(1, 46))


def test_the_same_story_on_postgres(tmp_path: Path, postgres: str) -> None:
    ctx = Context.open(tmp_path / ".clow", db=postgres)
    ctx.catalog.create("dataset", "books", title="도서", spec={"label": "Genre"})
    with pytest.raises(AlreadyExists):
        ctx.catalog.create("dataset", "books")
    assert _hammer(tmp_path / ".clow", postgres) == list(range(1, 46))
    ctx.catalog.set_stage("dataset", "books", 3, "production", by="lee")
    assert ctx.catalog.resolve("books@production", "dataset").version == 3
    ctx.catalog.link("dataset:books@3", "model:genre@1", "dataset")
    ctx.catalog.link("dataset:books@3", "model:genre@1", "dataset")
    assert [edge.target for edge in ctx.catalog.edges("dataset:books@3")] == ["model:genre@1"]
    assert ctx.events.publish("dataset.version", ref="dataset:books@3") < ctx.events.publish("x")
    assert not list((tmp_path / ".clow").glob("db/*"))


def test_a_token_adds_one_version(ctx: Context) -> None:
    ctx.catalog.create("model", "intent")
    rows = [ctx.catalog.add_version("model", "intent", {"n": n}, token="run-7") for n in range(3)]
    assert {row.version for row in rows} == {1}
    assert ctx.catalog.version("model", "intent", 1).data == {"n": 0}


def test_one_production_version_and_many_archived(ctx: Context) -> None:
    ctx.catalog.create("model", "intent")
    for _ in range(4):
        ctx.catalog.add_version("model", "intent", {})
    for version in (1, 2, 3):
        ctx.catalog.set_stage("model", "intent", version, "production")
    ctx.catalog.set_stage("model", "intent", 4, "staging")
    assert ctx.catalog.stages("model", "intent") == {1: "archived", 2: "archived", 3: "production", 4: "staging"}
    with pytest.raises(NotFound, match="1-4"):
        ctx.catalog.set_stage("model", "intent", 9, "production")


def test_delete_forgets_versions_but_not_history(ctx: Context) -> None:
    ctx.catalog.create("model", "intent")
    ctx.catalog.add_version("model", "intent", {})
    ctx.catalog.link("dataset:books@1", "model:intent@1")
    ctx.catalog.delete("model", "intent")
    with pytest.raises(NotFound):
        ctx.catalog.delete("model", "intent")
    ctx.catalog.create("model", "intent")
    assert ctx.catalog.versions("model", "intent") == []
    assert len(ctx.catalog.edges("model:intent@1")) == 1


def test_a_failed_transaction_leaves_nothing(ctx: Context) -> None:
    from clow_nb.core.records import TAGS

    with pytest.raises(RuntimeError), ctx.catalog.begin() as connection:
        connection.execute(TAGS.insert().values(kind="model", name="ab", tag="x", version=1))
        raise RuntimeError
    assert ctx.catalog.tags("model", "ab") == {}


def test_a_stage_is_moved_by_one_at_a_time(ctx: Context, postgres: str, tmp_path: Path) -> None:
    for context in (ctx, Context.open(tmp_path / "team", db=postgres)):
        context.catalog.create("model", "stages")
        for _ in range(8):
            context.catalog.add_version("model", "stages", {})
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda version, moved=context: moved.catalog.set_stage("model", "stages", version, "production"), range(1, 9)))
        assert sorted(context.catalog.stages("model", "stages").values()) == ["archived"] * 7 + ["production"]


def test_a_catalog_that_cannot_be_written_says_so_and_is_read(ctx: Context) -> None:
    ctx.catalog.create("model", "intent")
    with ctx.catalog.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = 1")
    with pytest.raises(DatabaseError, match=r"catalog.sqlite can't be read or written \(attempt to write a readonly database\)"):
        ctx.catalog.create("model", "other")
    assert [item.name for item in ctx.catalog.items("model")] == ["intent"]


def test_what_no_database_holds_is_refused(ctx: Context) -> None:
    ctx.catalog.create("model", "intent", description=None)
    with pytest.raises(ParameterError, match="can't be kept"):
        ctx.catalog.update("model", "intent", title="half a pair \ud83d")
    with pytest.raises(ParameterError, match="beyond 64 bits"):
        ctx.catalog.version("model", "intent", 10**30)
    assert ctx.catalog.get("model", "intent").description == ""
