"""Reading a version: the same documents, in the same order, as filtering and sorting them one by one in Python gives."""

import math
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import FileError, QueryError
from clow_nb.data.dataset import Datasets
from clow_nb.data.documents import shred
from clow_nb.data.layout import BASE, POS
from clow_nb.data.matching import row_numbers
from clow_nb.data.order import sort_documents
from clow_nb.data.query import compile_query
from clow_nb.data.reading import count, documents_by_id, matching_ids, read_documents, scan
from clow_nb.data.snapshot import Snapshot
from clow_nb.data.table import Change, Stamp, Table, create_table
from clow_nb.data.values import same

NAN = float("nan")
MAIN: dict[str, list[Any]] = {
    "int": [5, -3, 7, 2**63 - 1, -(2**63), 0],
    "float": [1.5, -0.0, 0.0, NAN, math.inf, -math.inf, 2.0, 1e308],
    "text": ["", "a", "나", "B", "\U0001f600", "\uffff", "a\x00", "ab"],
    "bool": [True, False],
    "time": [datetime(2026, 1, 1), datetime(1969, 7, 20), datetime(2026, 1, 1, 0, 0, 0, 5)],
    "utc": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)],
    "date": [date(2026, 1, 1), date(1960, 2, 29)],
    "bytes": [b"", b"b", b"aa", b"\xff"],
    "list": [["b"], ["c", "a"], [], ["a", None], [None]],
    "floats": [[1.5], [NAN, 2.5], [], [math.inf]],
    "object": [{"x": 1, "y": "a"}, {"x": 3}, {"y": "b"}, {}],
    "objects": [[{"x": 2}, {"x": 5}], [{"x": 1}], []],
}
ODD: list[Any] = [
    None, 7, 10**30, -(10**30), 5.5, 7.0, 2**53 + 1, NAN, "a", "\ud800", True, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 12), b"b", [], [5, 9], ["a", 3], [None], {"x": 2}, {"x": [4, 0]}, {"x": None}, {"y": {"z": 1}},
]  # fmt: skip
PATHS = st.sampled_from([*MAIN, "object.x", "object.y", "objects.x", "objects.0.x", "list.0", "nothing", "mixed", "_id", "int.x"])
ROW = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) | st.sampled_from(values) | st.sampled_from(values) | st.sampled_from(ODD) for key, values in MAIN.items()}
)
ROWS = st.lists(st.tuples(ROW, st.sampled_from(ODD)).map(lambda pair: pair[0] | {"mixed": pair[1]}), min_size=1, max_size=14)
SORTS = st.lists(st.tuples(PATHS, st.sampled_from([1, -1])), min_size=1, max_size=2)
QUERIES = st.none() | st.builds(
    lambda path, asked: {path: asked},
    PATHS,
    st.sampled_from([{"$exists": True}, {"$gt": 1}, {"$ne": None}, {"$lte": "b"}, {"$type": "number"}, {"$regex": "a|b"}, {"$regex": r"\w"}, {"$size": 0}]),
)


def _rows_of(documents: list[dict[str, Any]], start: int = 0, schema: pa.Schema = BASE) -> pa.Table:
    table = shred(documents, schema)
    return table.set_column(1, BASE.field(POS), pa.array(range(start, start + len(table)), pa.int64()))


def _made(folder: str | Path, documents: list[dict[str, Any]], moved: int = 0) -> Snapshot:
    """A table of the documents, some of the first of which were updated and so lie behind the others."""
    uri = str(Path(folder) / "t.lance")
    commit = create_table(uri, Stamp("create"), _rows_of(documents))
    for place in range(min(moved, len(documents))):
        rows = [documents[place]]
        made = Table(uri).commit(Stamp("edit"), lambda head, last: Change(_rows_of(rows, place, head.schema), updated=1), commit)  # noqa: B023
        commit = made or commit
    return Snapshot(Table(uri).at(commit.lance), commit)


def _same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> bool:
    return len(ours) == len(theirs) and all(map(same, ours, theirs))


@settings(max_examples=settings.default.max_examples * 3 // 5, deadline=None)
@given(rows=ROWS, asked=st.lists(st.tuples(QUERIES, SORTS | st.just([])), min_size=1, max_size=8), moved=st.integers(0, 2))
def test_any_page_is_the_one_that_python_finds(rows: list[dict[str, Any]], asked: list[tuple[Any, Any]], moved: int) -> None:
    documents = [{"_id": str(number)} | row for number, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        snapshot = _made(folder, documents, moved)
        for query, sort in asked:
            expected = sort_documents(filter(compile_query(query), documents), sort)
            assert _same(list(read_documents(snapshot, query, sort)), expected), (query, sort)
            for skip, limit in ((0, 2), (1, 3), (2, 100)):
                assert _same(list(read_documents(snapshot, query, sort, skip, limit)), expected[skip : skip + limit])
            assert count(snapshot, query) == len(expected)
            assert matching_ids(snapshot, query or {}) == [row["_id"] for row in filter(compile_query(query), documents)]


def _sorted_ids(snapshot: Snapshot, *sort: tuple[str, int]) -> list[str]:
    return [row["_id"] for row in read_documents(snapshot, sort=list(sort), fields=[])]


def test_values_of_other_types_come_in_mongodbs_order(tmp_path: Path) -> None:
    values = [5, "text", None, 2.5, 10**30, [], {"a": 1}, True, datetime(2026, 1, 1), b"x", NAN, -(10**30), 5]
    documents = [{"_id": str(n), "a": value} for n, value in enumerate(values)] + [{"_id": "13"}, {"_id": "14", "a": 6}, {"_id": "15", "a": 5}]
    snapshot = _made(tmp_path, documents)
    assert _sorted_ids(snapshot, ("a", 1)) == "5 2 13 10 11 3 0 12 15 14 4 1 6 9 7 8".split()
    assert _sorted_ids(snapshot, ("a", -1)) == "8 7 9 6 1 4 14 0 12 15 3 11 10 2 13 5".split()


def test_many_odd_values_among_many(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = [int(n) if n % 3 else [float(n) + 0.5, f"t{n}", 10**20 + int(n), None][n % 4] for n in random.integers(0, 500, 5000)]
    documents = [{"_id": str(n), "a": value, "b": n % 7} for n, value in enumerate(values)]
    snapshot = _made(tmp_path, documents)
    for sort in ([("a", 1)], [("a", -1)], [("b", -1), ("a", 1)], [("a", -1), ("b", 1)]):
        assert _sorted_ids(snapshot, *sort) == [row["_id"] for row in sort_documents(documents, sort)]
    found = [row["_id"] for row in read_documents(snapshot, {"b": {"$gt": 2}}, [("a", 1)], skip=100, limit=50)]
    assert found == [row["_id"] for row in sort_documents([d for d in documents if d["b"] > 2], [("a", 1)])][100:150]


def test_rows_of_a_query_are_found_once_by_many_threads(tmp_path: Path) -> None:
    snapshot = _made(tmp_path, [{"_id": str(n), "a": n} for n in range(100)])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: row_numbers(snapshot, {"a": {"$gte": 50}}, (("a", -1),)), range(32)))
    assert all(one is found[0] for one in found) and found[0].tolist() == list(range(99, 49, -1))


def test_a_table_made_again_under_its_name_is_read_anew(tmp_path: Path) -> None:
    first = _made(tmp_path / "one", [{"_id": "a", "n": 1}, {"_id": "b", "n": 2}])
    assert count(first, {"n": 2}) == 1
    (tmp_path / "one").rename(tmp_path / "old")
    again = _made(tmp_path / "one", [{"_id": "a", "n": 2}, {"_id": "b", "n": 2}])
    assert again.table.uri == first.table.uri and again.table.version == first.table.version
    assert count(again, {"n": 2}) == 2 and _sorted_ids(again, ("n", -1)) == ["a", "b"]


def test_thousands_of_documents_by_id(tmp_path: Path) -> None:
    snapshot = _made(tmp_path, [{"_id": f"d'{n}", "a": n} for n in range(6000)])
    found = documents_by_id(snapshot, [f"d'{n}" for n in range(1000, 9000)])
    assert len(found) == 5000 and found["d'1000"] == {"_id": "d'1000", "a": 1000}
    assert documents_by_id(snapshot, []) == {}


def test_fields_and_scan_read_what_they_need(tmp_path: Path) -> None:
    snapshot = _made(tmp_path, [{"_id": str(n), "a": n if n % 4 else "odd", "b": {"c": n}, "d": [n]} for n in range(20)], moved=3)
    assert list(read_documents(snapshot, {"a": "odd"}, [("b.c", -1)], limit=2, fields=["b.c"])) == [
        {"_id": "16", "b": {"c": 16}}, {"_id": "12", "b": {"c": 12}},
    ]  # fmt: skip
    assert list(read_documents(snapshot, {"a": "odd"}, limit=1, fields={"_id": 0, "d": 1})) == [{"d": [0]}]
    import polars as pl

    frame = scan(snapshot).filter(pl.col("a") > 10).select("_id").head(3).collect()
    assert frame["_id"].to_list() == ["11", "13", "14"]


@pytest.mark.parametrize("damage", ["deleted", "cut", "noise"])
def test_a_damaged_file_is_told_with_table_and_version(tmp_path: Path, damage: str) -> None:
    documents = [{"_id": str(n), "a": n, "t": [str(n)]} for n in range(100)]
    uri = str(tmp_path / "t.lance")
    one = create_table(uri, Stamp("create"), _rows_of(documents))
    before = set(Path(uri, "data").iterdir())
    two = Table(uri).commit(Stamp("append"), lambda head, last: Change(_rows_of([{"_id": "new", "a": 1}], 100, head.schema), added=1), one)
    assert two
    [file] = set(Path(uri, "data").iterdir()) - before
    raw = file.read_bytes()
    file.unlink() if damage == "deleted" else file.write_bytes(raw[: len(raw) // 2] if damage == "cut" else bytes(len(raw)))
    broken, whole = (Snapshot(Table(uri).at(commit.lance), commit) for commit in (two, one))
    for read in (
        lambda: list(read_documents(broken)), lambda: list(read_documents(broken, sort="a")), lambda: count(broken, {"a": {"$gt": 5}}),
        lambda: list(read_documents(broken, {"t.0": "5"})), lambda: documents_by_id(broken, ["5"]), lambda: scan(broken).collect(),
        lambda: list(read_documents(broken, skip=100, limit=1)), lambda: list(read_documents(broken, {"a": 1}, skip=1, limit=1)),
    ):  # fmt: skip
        with pytest.raises(FileError, match=r"Version 2 of .*t\.lance can't be read .* another version"):
            read()
    assert list(read_documents(whole)) == documents


@pytest.mark.parametrize("page", [{"skip": -1}, {"skip": "x"}, {"skip": 1.5}, {"skip": None}, {"limit": -1}, {"limit": "x"}, {"limit": 1.5}])
def test_a_page_that_is_none_is_refused(ctx: Context, page: dict[str, Any]) -> None:
    dataset = Datasets(ctx).create("d-1", [{"n": n} for n in range(3)])
    with pytest.raises(QueryError, match="is no number of documents"):
        dataset.find(**page)
    assert dataset.find(skip=10**30, limit=10**30).height == 0
    assert dataset.find(sort="n", limit=10**30).height == 3


def test_moments_at_the_ends_of_time_are_asked_for(ctx: Context) -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))
    dataset = Datasets(ctx).create("d-1", [{"at": early}, {"at": datetime(2026, 1, 1, tzinfo=UTC)}])
    assert dataset.count({"at": {"$lte": early}}) == 1
    assert dataset.find(sort=[("at", -1)])["_id"].to_list() == ["1-1", "1-0"]
