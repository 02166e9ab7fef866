"""Imports in pieces: rows lie on disk without a name, schemas grow, ids stay, memory does too."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, DataError
from clow_nb.data.dataset import Datasets


def _wide(rows: int) -> Iterator[dict[str, Any]]:
    for number in range(rows):
        yield {"n": number, "text": f"문장 {number} " + "x" * 900, **({f"late{number % 7}": True} if number > 100_000 else {})}


def test_what_does_not_fit_into_memory_lies_in_a_file_without_a_name(ctx: Context) -> None:
    folder, seen = ctx.folder("tmp"), []

    def watched() -> Iterator[dict[str, Any]]:
        for document in _wide(110_000):
            if document["n"] == 109_999:
                seen.append((list(folder.iterdir()), [str(p) for p in Path("/proc/self/fd").iterdir() if str(folder) in _target(p)]))
            yield document

    dataset = Datasets(ctx).create("wide", watched())
    [(names, opened)] = seen
    assert names == [] and opened  # it is there, and can't be left behind
    assert len(dataset) == 110_000 and dataset.keys == ["n", "text", *(f"late{(100_001 + n) % 7}" for n in range(7))]
    assert list(dataset.documents(skip=109_999)) == [{"_id": "1-109999", **list(_wide(110_000))[-1]}]
    assert not [p for p in Path("/proc/self/fd").iterdir() if str(folder) in _target(p)]


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_a_source_that_breaks_late_leaves_nothing(ctx: Context) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from _wide(90_000)
        raise OSError("the cable")

    with pytest.raises(OSError, match="the cable"):
        Datasets(ctx).create("wide", broken())
    assert "wide" not in Datasets(ctx)
    assert not list(ctx.home.glob("data/datasets/*")) and not list(ctx.folder("tmp").iterdir())


def test_ids_are_checked_across_pieces(ctx: Context) -> None:
    datasets = Datasets(ctx)
    ids = [{"_id": f"d{number}"} for number in range(90_000)]
    with pytest.raises(DataError, match="'_id' is not unique: 'd5', 'd7' come more than once"):
        datasets.create("twice", [*ids, {"_id": "d5"}, {"_id": "d7"}, {}])
    dataset = datasets.create("some", [{"a": 1}, *ids, {"_id": "1-1"}])
    assert [document["_id"] for document in dataset.documents(fields=["_id"], limit=1)] == ["1.1-0"]
    with pytest.raises(AlreadyExists, match="_id 'd1', 'd89999' are there already"):
        dataset.append([{"_id": "new"}, {"_id": "d1"}, {}, {"_id": "d89999"}])
    assert len(dataset.append([{"_id": "new"}, {}])) == 90_004


def test_streams_of_frames(ctx: Context) -> None:
    batches = [pa.record_batch({"n": [number] * 3, **({"late": ["x"] * 3} if number else {"late": pa.nulls(3)})}) for number in range(2)]
    schema = pa.schema({"n": pa.int64(), "late": pa.string()})
    stream = pa.RecordBatchReader.from_batches(schema, [batch.cast(schema) for batch in batches])
    dataset = Datasets(ctx).create("stream", stream)
    assert list(dataset.documents(fields=["n", "late"], skip=2, limit=2)) == [{"_id": "1-2", "n": 0}, {"_id": "1-3", "n": 1, "late": "x"}]
    lazy = pl.LazyFrame({"n": range(250_000)}).with_columns(pl.col("n").cast(pl.String).alias("t"))
    assert Datasets(ctx).create("lazy", lazy).find({"n": 249_999})["t"].to_list() == ["249999"]
    assert len(Datasets(ctx).create("copy", dataset)) == 6
    assert list(dataset.append(dataset.find(fields=["n"]).drop("_id")).documents(skip=11)) == [{"_id": "2-5", "n": 1}]


_IMPORT = """
import resource, sys
from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
assert len(Datasets(Context.open(sys.argv[1])).create("big", sys.argv[2])) == 1_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_a_million_documents_take_no_more_memory_than_some(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("w") as file:
        file.writelines(f'{{"n": {n}, "text": "{"x" * 300}{n}", "tags": ["a", "b"], "odd": {n if n % 99 else "null"}}}\n' for n in range(1_000_000))
    done = subprocess.run([sys.executable, "-c", _IMPORT, str(tmp_path / "home"), str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 900, f"{done.stdout} MB"
