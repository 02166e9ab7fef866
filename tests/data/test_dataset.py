"""Datasets by name: sources, versions, lists, lineage, events, and that nothing bad half-writes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lance.dataset import LanceDataset
from moto.server import ThreadedMotoServer

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, DataError, FileError, InvalidName, NotFound
from clow_nb.data.dataset import Dataset, Datasets, Rawdatas
from clow_nb.data.documents import shred
from clow_nb.data.history import table_of
from clow_nb.data.order import sort_documents
from clow_nb.data.plans import append_plan
from clow_nb.data.table import Stamp, open_table

DOCS: list[dict[str, Any]] = [{"text": f"문장 {i}", "label": "ab"[i % 2], "n": i} for i in range(40)]


@pytest.fixture
def datasets(ctx: Context) -> Datasets:
    return Datasets(ctx)


def test_every_kind_of_source_gives_the_same(datasets: Datasets, tmp_path: Path) -> None:
    frame = pl.DataFrame(DOCS)
    frame.write_parquet(tmp_path / "d.parquet")
    frame.write_ndjson(tmp_path / "d.jsonl")
    sources = {
        "dicts": DOCS, "iterator": iter(DOCS), "polars": frame, "lazy": frame.lazy(), "arrow": frame.to_arrow(),
        "pandas": frame.to_pandas(), "parquet": tmp_path / "d.parquet", "jsonl": str(tmp_path / "d.jsonl"),
    }
    for name, source in sources.items():
        dataset = datasets.create(f"d-{name}", source, label="label")
        assert [{k: v for k, v in d.items() if k != "_id"} for d in dataset.documents()] == DOCS, name
        assert dataset.find().columns == ["_id", "text", "label", "n"]
    again = datasets.create("d-again", datasets["d-dicts"])
    assert list(again.documents()) == list(datasets["d-dicts"].documents())


def test_the_same_source_gets_the_same_ids(datasets: Datasets) -> None:
    one, two = datasets.create("d-1", DOCS), datasets.create("d-2", DOCS)
    assert [d["_id"] for d in one.documents()] == [d["_id"] for d in two.documents()] == [f"1-{i}" for i in range(40)]


def test_a_source_that_fails_leaves_nothing(datasets: Datasets, ctx: Context) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from DOCS
        raise RuntimeError("the line was cut")

    for source, kind in [(broken(), RuntimeError), ([{"a": 1}, 3], DataError), ("nowhere.jsonl", FileError), (5, DataError)]:
        with pytest.raises(kind):
            datasets.create("d-bad", source)
    with pytest.raises(DataError, match="is not unique"):
        datasets.create("d-bad", [{"_id": "a"}, {"_id": "a"}])
    assert "d-bad" not in datasets and len(datasets) == 0
    assert not list(ctx.home.glob("data/datasets/*"))
    good = datasets.create("good", DOCS)
    with pytest.raises(RuntimeError):
        good.append(broken())
    with pytest.raises(AlreadyExists, match="'1-0' are there already"):
        good.append([{"_id": "1-0"}])
    assert (good.at("latest").version, len(ctx.events.since())) == (1, 1)


def test_a_second_create_says_so_and_harms_nothing(datasets: Datasets) -> None:
    datasets.create("d-1", DOCS)
    with pytest.raises(AlreadyExists, match="append"):
        datasets.create("d-1", [])
    assert len(datasets["d-1"]) == 40
    for name in ("x", "한글", "a/b"):
        with pytest.raises(InvalidName):
            datasets.create(name, DOCS)


def test_a_version_in_the_hand_never_changes(datasets: Datasets) -> None:
    one = datasets.create("d-1", DOCS[:3])
    two = one.append(DOCS[3:5])
    assert (len(one), len(two), one.version, two.version) == (3, 5, 1, 2)
    assert len(list(one.documents())) == one.scan().collect().height == 3
    assert len(one.append(DOCS[5:6])) == 6  # an append goes on top of the newest version
    assert [len(datasets[ref]) for ref in ("d-1", "d-1@1", "dataset:d-1@2", "d-1@latest")] == [6, 3, 5, 6]


def test_appends_of_nothing_and_to_nothing(datasets: Datasets) -> None:
    empty = datasets.create("d-1")
    assert (len(empty), bool(empty), list(empty.documents()), empty.find().height) == (0, True, [], 0)
    assert empty.append([]).version == 1
    assert empty.append([{"한글": 1}]).find()["한글"].to_list() == [1]


def test_a_new_key_and_a_new_type_in_later_versions(datasets: Datasets) -> None:
    dataset = datasets.create("d-1", [{"n": 1}]).append([{"n": "둘", "new.key": {"x": [1]}}]).append(pl.DataFrame({"n": [3], "f": [0.5]}))
    assert [{k: v for k, v in d.items() if k != "_id"} for d in dataset.documents()] == [
        {"n": 1}, {"n": "둘", "new.key": {"x": [1]}}, {"n": 3, "f": 0.5},
    ]
    assert dataset.scan().select("n").collect()["n"].to_list() == [1, None, 3]
    assert dataset.find({"n": {"$in": ["둘", 3]}})["n"].to_list() == ["둘", "3"]
    assert dataset.keys == ["n", "new.key", "f"]


def test_find_sort_and_page(datasets: Datasets) -> None:
    dataset = datasets.create("d-1", DOCS)
    found = dataset.find({"label": "a", "n": {"$gt": 10}}, sort=[("n", -1)], skip=1, limit=3, fields=["n", "text"])
    assert found.columns == ["_id", "text", "n"] and found["n"].to_list() == [36, 34, 32]
    assert dataset.count({"n": {"$lt": 7}}) == 7 == len(list(dataset.documents({"n": {"$lt": 7}})))
    assert dataset.find(fields={"text": 0}).columns == ["_id", "label", "n"]
    assert [d["n"] for d in dataset.documents(skip=38)] == [38, 39]
    assert list(dataset.documents(limit=0)) == []


def test_the_catalog_is_repaired_from_the_log(datasets: Datasets, ctx: Context) -> None:
    dataset = datasets.create("d-1", DOCS)
    table = table_of(ctx, "dataset", "d-1")
    plan = append_plan(shred([{"text": "died before it told"}]), None)
    table.commit(Stamp("append", "ghost", sources=("rawdata:raw@1",)), plan, table.log()[0])
    assert len(ctx.catalog.versions("dataset", "d-1")) == 1
    again = datasets["d-1"]
    assert (again.version, len(again), again.versions()["author"].to_list()) == (2, 41, ["tester", "ghost"])
    assert [event.payload["ref"] for event in ctx.events.since()] == ["dataset:d-1@1", "dataset:d-1@2"]
    assert [(edge.source, edge.target) for edge in ctx.catalog.edges()] == [
        ("dataset:d-1@1", "dataset:d-1@2"),
        ("rawdata:raw@1", "dataset:d-1@2"),
    ]
    assert dataset.append([{"text": "next"}]).version == 3


def test_lists_tags_and_repr(datasets: Datasets, ctx: Context) -> None:
    assert datasets.list().is_empty() and "splits" in datasets.list().columns
    one = datasets.create("d-1", DOCS, label="label", title="주제", description="…")
    one.tag("v1.0")
    one.append([{"text": "x"}]).tag("검수")
    row = datasets.list().row(0, named=True)
    assert {key: row[key] for key in ("name", "title", "version", "rows", "label", "author")} == {
        "name": "d-1", "title": "주제", "version": 2, "rows": 41, "label": "label", "author": "tester",
    }
    assert one.versions()["tags"].to_list() == ["v1.0", "검수"]
    assert (one.at("v1.0").version, datasets["d-1@검수"].version) == (1, 2)
    one.untag("v1.0")
    with pytest.raises(NotFound, match=r"v1\.0"):
        one.at("v1.0")
    assert "dataset:d-1@1" in repr(one) and "<table" in one._repr_html_()
    with pytest.raises(NotFound):
        datasets["nobody"]


def test_deleting_frees_the_name_and_the_files(datasets: Datasets, ctx: Context) -> None:
    old = datasets.create("d-1", DOCS)
    datasets.delete("d-1")
    assert "d-1" not in datasets and not list(ctx.home.glob("data/datasets/d-1*"))
    new = datasets.create("d-1", DOCS[:1])
    assert (new.version, len(new)) == (1, 1) and new.location != old.location
    with pytest.raises(NotFound):
        datasets.delete("nobody")


def test_rawdata_is_another_shelf(ctx: Context) -> None:
    raw = Rawdatas(ctx).create("d-1", DOCS)
    made = Datasets(ctx).create("d-1", raw)
    assert (str(raw.ref), str(made.ref)) == ("rawdata:d-1@1", "dataset:d-1@1")
    assert [(edge.source, edge.target) for edge in ctx.catalog.edges()] == [("rawdata:d-1@1", "dataset:d-1@1")]


def test_natural_keys_update_and_keep_what_was_added(datasets: Datasets) -> None:
    stock = datasets.create("d-1", [{"sku": "A", "n": 1}, {"sku": 7, "n": 2}], key="sku")
    edit = stock.edit()
    edit.set("A", "note", "checked")
    edit.commit()
    stock = stock.append([{"sku": "A", "n": 5}, {"sku": 7, "n": 2}, {"sku": "B", "n": 0}])
    assert [dict(d) for d in stock.documents()] == [
        {"_id": "A", "sku": "A", "n": 5, "note": "checked"}, {"_id": "7", "sku": 7, "n": 2}, {"_id": "B", "sku": "B", "n": 0},
    ]
    assert stock.versions().select("added", "updated").row(-1) == (1, 1)
    with pytest.raises(DataError, match="document 2 has no text"):
        stock.append([{"sku": "C"}, {"n": 1}])


def test_ids_come_along_with_documents(datasets: Datasets) -> None:
    one = datasets.create("d-1", [{"_id": "2-0", "x": 1}, {"x": 2}, {"_id": 5, "x": 3}])
    two = one.append([{"x": 4}])
    assert [d["_id"] for d in two.documents()] == ["2-0", "1-1", "5", "2.2-0"]
    assert next(two.documents({"_id": "5"}))["x"] == 3


def test_splits_stay(datasets: Datasets) -> None:
    one = datasets.create("d-1", [{"text": str(i), "label": "ab"[i % 2]} for i in range(400)], label="label")
    assert one.split_counts() == {}
    two = one.split(train=8, valid=1, test=1, stratify="label")
    counts = two.split_counts()
    assert sum(counts.values()) == 400 and set(counts) == {"train", "valid", "test"} and 290 < counts["train"] < 350
    before = {d["_id"]: d["split"] for d in two.documents()}
    three = two.append([{"text": str(i), "label": "ab"[i % 2]} for i in range(400, 600)]).split(train=8, valid=1, test=1, stratify="label")
    after = {d["_id"]: d["split"] for d in three.documents()}
    assert {identity: after[identity] for identity in before} == before
    assert set(three.diff()["change"]) == {"updated"} and len(three.diff()) == 200
    assert three.split(train=8, valid=1, test=1, stratify="label").version == three.version
    assert "train" in datasets.list()["splits"][0]
    with pytest.raises(DataError, match="'nokey'"):
        three.split(stratify="nokey")


def test_a_split_key_that_was_there_is_overwritten_exactly(datasets: Datasets) -> None:
    docs = [{"i": 0, "split": "train"}, {"i": 1, "split": None}, {"i": 2, "split": 3}, {"i": 3}]
    dataset = datasets.create("d-1", docs).split(train=1)
    assert [d["split"] for d in dataset.documents()] == ["train"] * 4
    other = datasets.create("d-2", [{"split": 1}, {"split": 2}]).split(train=1)
    assert [d["split"] for d in other.documents()] == ["train"] * 2


def test_statistics_and_export(datasets: Datasets, tmp_path: Path) -> None:
    dataset = datasets.create("d-1", DOCS, label="label")
    statistics = dataset.statistics()
    assert statistics["key"].to_list() == ["text", "label", "n"]
    path = dataset.export(tmp_path / "out", format="jsonl")
    again = datasets.create("d-2", path, label="label")
    assert list(again.documents()) == list(dataset.documents())


def test_opening_is_cheap(datasets: Datasets, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = datasets.create("d-1", DOCS)
    for i in range(5):
        dataset = dataset.append([{"n": i}])
    monkeypatch.setattr(LanceDataset, "read_transaction", lambda *_: pytest.fail("the log was read again"))
    assert datasets["d-1"].version == 6
    monkeypatch.setattr("clow_nb.data.table.open_table", lambda *_: pytest.fail("a table was opened"))
    assert datasets.list()["version"].to_list() == [6]


def test_two_workspaces_on_postgres_share_a_lock(postgres: str, tmp_path: Path) -> None:
    url = postgres.replace("postgresql://", "postgresql+psycopg://")
    one, two = (Context.open(tmp_path / f"home{i}", db=url, data=str(tmp_path / "data")) for i in range(2))
    dataset = Datasets(one).create(f"pg-{time.time_ns()}", DOCS)
    other: Dataset = Datasets(two)[dataset.name]
    assert other.append([{"n": 1}]).version == 2
    assert dataset.append([{"n": 2}]).version == 3
    assert [d["n"] for d in Datasets(two)[dataset.name].documents(skip=40)] == [1, 2]


@given(
    st.lists(st.fixed_dictionaries({}, optional={"n": st.integers(-3, 3), "f": st.floats(allow_nan=True), "t": st.text(max_size=2)}), max_size=12),
    st.lists(st.tuples(st.sampled_from(["n", "f", "t", "x"]), st.sampled_from([1, -1])), min_size=1, max_size=3),
)
@settings(max_examples=25, deadline=None)
def test_a_sorted_page_is_the_same_however_it_is_found(tmp_path_factory: Any, documents: list[dict], sort: list) -> None:
    dataset = Datasets(Context.open(tmp_path_factory.mktemp("ws") / ".clow")).create("d-1", documents)
    whole = [d["_id"] for d in sort_documents(dataset.documents(), sort)]
    assert [d["_id"] for d in dataset.documents(sort=sort, limit=100)] == whole
    assert [d["_id"] for d in dataset.documents(sort=sort, skip=2, limit=3, fields=["t"])] == whole[2:5]


def test_tables_live_in_an_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        names = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1", "AWS_ENDPOINT": endpoint}
        for name, value in {**names, "AWS_ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(name, value)
        urlopen(Request(f"{endpoint}/bucket", method="PUT"))
        datasets = Datasets(Context.open(tmp_path / ".clow", data="s3://bucket/team"))
        dataset = datasets.create("d-1", DOCS)
        edit = dataset.edit()
        edit.set("1-3", "n", "셋")
        dataset = edit.commit().append([{"new": 1}]).split()
        assert dataset.location.startswith("s3://bucket/team/datasets/d-1-")
        assert (dataset.version, len(dataset), sum(dataset.split_counts().values())) == (4, 41, 41)
        assert dataset.diff(1, 2).rows() == [("1-3", "updated", "n", "3", '"셋"')]
        datasets.delete("d-1")
        with pytest.raises(FileError):
            open_table(dataset.location)
    finally:
        server.stop()
