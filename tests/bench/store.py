"""The document store beside what people use otherwise: the same data, the same machine, one run.

    python tests/bench/store.py [--rows 1000000] [--large 10000000] [import commit diff statistics random large pages]

The documents have ten keys of mixed shape (text, labels, numbers, dates, lists, objects, gaps and nulls), and one cell in a thousand is of the
wrong type. Peers read the same documents with these cells cleaned, since they can't read them otherwise. Each line: what was
done, how long it took (median), the same by the others, and how many times the others take.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.data.edit import Edit

WORDS = np.array("가격 알람 날씨 음악 내일 오늘 주문 취소 빠른 배송 the quick order please cancel my song weather tomorrow price".split())
LABELS = np.array(["alarm", "weather", "music", "order", "cancel", "상담", "배송"])
BLOCK = 100_000
WRONG = 0.001
QUERIES: list[dict[str, Any]] = [
    {"count": 14}, {"label": "alarm", "price": {"$gt": 60}}, {"text": {"$regex": "^알람 날씨"}}, {"user": "u77"}, {"price": -1},
]  # fmt: skip


def columns(rows: int, seed: int) -> dict[str, list[Any]]:
    """Ten columns of clean values; `None` where a document has no such key."""
    chance = np.random.default_rng(seed)
    words = WORDS[chance.integers(0, len(WORDS), (rows, 4))]
    days = np.datetime64("2020-01-01T00:00:00") + chance.integers(0, 10**8, rows)
    gap = chance.random(rows) < 0.3
    return {
        "text": [" ".join(row) for row in words.tolist()],
        "label": LABELS[chance.integers(0, len(LABELS), rows)].tolist(),
        "price": chance.gamma(2, 20, rows).round(2).tolist(),
        "count": chance.poisson(3, rows).tolist(),
        "on": (chance.random(rows) < 0.5).tolist(),
        "date": days.astype("datetime64[D]").astype(str).tolist(),
        "user": [f"u{number}" for number in chance.integers(0, rows // 5 + 1, rows).tolist()],
        "score": [None if missing else value for value, missing in zip(chance.random(rows).round(3).tolist(), gap.tolist(), strict=True)],
        "tags": [row[:number] for row, number in zip(words.tolist(), chance.integers(0, 3, rows).tolist(), strict=True)],
        "size": [{"w": w, "h": h} for w, h in chance.integers(1, 500, (rows, 2)).tolist()],
    }  # fmt: skip


def blocks(rows: int) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Clean documents and the same ones with wrong cells, a block at a time."""
    for start in range(0, rows, BLOCK):
        data = columns(min(BLOCK, rows - start), start)
        names = list(data)
        clean = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in zip(*data.values(), strict=True)
        ]
        messy = [dict(document) for document in clean]
        chance = np.random.default_rng(start + 1)
        for cell in np.flatnonzero(chance.random(len(clean) * len(names)) < WRONG).tolist():
            row, name = cell // len(names), names[cell % len(names)]
            messy[row][name] = None if cell % 5 == 0 else 7 if isinstance(messy[row].get(name), str) else "n/a"
        yield clean, messy


def write_files(rows: int, folder: Path) -> tuple[Path, Path]:
    """The clean and the messy documents as JSONL."""
    paths = folder / "clean.jsonl", folder / "messy.jsonl"
    with paths[0].open("w") as clean, paths[1].open("w") as messy:
        for parts in blocks(rows):
            for part, file in zip(parts, (clean, messy), strict=True):
                file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in part)
    return paths


def seconds(call: Callable[[], Any], times: int = 1) -> float:
    """The median of how long a call takes."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return median(taken)


def line(what: str, ours: float, bound: float | None = None, **others: float) -> None:
    """One measurement: ours, what it may take, and the others."""
    allowed = "" if bound is None else f"(at most {_spell(bound)})"
    peers = "   ".join(f"{name} {_spell(value)} = {value / ours:.2f} ×" for name, value in others.items())
    print(f"{what:42}{_spell(ours):>9} {allowed:20} {peers}", flush=True)


def _spell(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def written(folder: str | Path) -> int:
    """The bytes below a folder."""
    return sum(os.path.getsize(path) for path in Path(folder).rglob("*") if path.is_file())


class Bench:
    """One run: a workspace, the two files, and the dataset made of the messy one."""

    def __init__(self, folder: Path, rows: int, large: int) -> None:
        self.folder, self.rows, self.large = folder, rows, large
        self.ws = Workspace(folder / "home")
        self.clean, self.messy = write_files(rows, folder)
        print(f"{rows:,} documents, {self.messy.stat().st_size / 1e6:.0f} MB of JSONL; load {os.getloadavg()[0]:.1f}")
        self.parquet = folder / "clean.parquet"

    def dataset(self) -> Dataset:
        """The dataset made of the messy file."""
        if "messy" not in self.ws.datasets:
            self.ws.datasets.create("messy", self.messy, label="label")
        return self.ws.datasets["messy"]

    def bench_import(self) -> None:
        """JSONL in."""
        ours = seconds(self.dataset)
        peer = seconds(lambda: pl.read_ndjson(self.clean, infer_schema_length=None).write_parquet(self.parquet))
        line("import (4 × polars at most)", ours, 4 * peer, polars=peer)
        assert len(self.dataset()) == self.rows

    def _delta(self) -> Any:
        from deltalake import DeltaTable, write_deltalake

        path = self.folder / "delta"
        if not path.exists():
            write_deltalake(path, pl.read_parquet(self.parquet).with_row_index("_id").to_arrow())
        return DeltaTable(path)

    def bench_commit(self) -> None:
        """One cell, and ten thousand."""
        if not self.parquet.exists():
            pl.read_ndjson(self.clean, infer_schema_length=None).write_parquet(self.parquet)
        ds = self.dataset()
        ids = [document["_id"] for document in ds.documents(skip=self.rows // 2, limit=10_000, fields=["count"])]

        counter = iter(range(10**6, 10**9))

        def edited(ids: list[str]) -> Edit[Dataset]:
            edit = self.ws.datasets["messy"].edit()
            edit.set(ids, "count", next(counter))
            return edit

        delta, frame_path = self._delta(), self.folder / "rewritten.parquet"
        rewrite = lambda: (  # noqa: E731
            pl.read_parquet(self.parquet)
            .with_columns(count=pl.when(pl.int_range(pl.len()) == 5).then(1).otherwise("count"))
            .write_parquet(frame_path)
        )
        edited(ids[:1]).commit()
        size = written(ds.location)
        ours = median(seconds(edited(ids[:1]).commit) for _ in range(5))
        grown = (written(ds.location) - size) / 5
        delta_size = written(self.folder / "delta")
        others = {"Delta": seconds(lambda: delta.update({"count": "1"}, predicate="_id = 5000"), 3), "Parquet": seconds(rewrite, 3)}
        line("commit of 1 cell", ours, 0.1, **others)
        delta_grown = (written(self.folder / "delta") - delta_size) / 3
        print(f"{'  bytes written':42}{grown / 1e3:6.1f} KB (at most 64 KB)      Delta {delta_grown / 1e6:.1f} MB, Parquet {frame_path.stat().st_size / 1e6:.1f} MB")
        line("  with opening it and finding the document", seconds(lambda: edited(ids[:1]).commit(), 5))
        line("commit of 10,000 cells", median(seconds(edited(ids).commit) for _ in range(3)), 1.5)
        line("  with opening it and finding the documents", seconds(lambda: edited(ids).commit(), 3))

    def bench_diff(self) -> None:
        """Two versions a thousand cells apart."""
        ds = self.dataset()
        ids = [document["_id"] for document in ds.documents(skip=1000, limit=1000, fields=["count"])]
        edit = ds.edit()
        edit.set(ids, "count", -1)
        after = edit.commit()
        assert len(after.diff()) == 1000
        line("diff of 1,000 cells", seconds(lambda: self.ws.datasets["messy"].diff(), 5), 0.2)

    def bench_statistics(self) -> None:
        """All keys, all rows."""
        import pandas as pd

        frame = pl.read_ndjson(self.clean, infer_schema_length=None)
        flat = pd.read_json(self.clean, lines=True).drop(columns=["tags", "size"])
        ds = self.dataset()

        def anew() -> None:
            shutil.rmtree(self.ws.ctx.folder("statistics"), ignore_errors=True)
            ds.statistics()

        ours = seconds(anew, 3)
        line("statistics", ours, 3, polars=seconds(frame.describe, 3), pandas=seconds(lambda: flat.describe(include="all")))
        edit = ds.edit()
        edit.set(next(ds.documents(limit=1))["_id"], "count", -5)
        after = edit.commit()
        line("statistics of the version after one edit", seconds(after.statistics))
        line("the same again", seconds(after.statistics, 3))

    def bench_random(self) -> None:
        """Random batches for training."""
        from loading import compare_loading

        compare_loading(self.dataset())

    def bench_large(self) -> None:
        """A large file in a process of its own, for its memory."""
        path = self.folder / "large.jsonl"
        with path.open("wb") as file:
            for _ in range(max(1, self.large // self.rows)):
                with self.messy.open("rb") as part:
                    shutil.copyfileobj(part, file)
        size = path.stat().st_size / 1e9
        code = (
            "import sys, time\nfrom clow_nb import Workspace\nws = Workspace(sys.argv[1])\nbegun = time.time()\n"
            "ds = ws.datasets.create('large', sys.argv[2], label='label')\n"
            "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
            "print(len(ds), time.time() - begun, peak)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(self.folder / "home"), str(path)], capture_output=True, text=True, check=True)
        path.unlink()
        rows, taken, memory = done.stdout.split()[-3:]
        print(f"import of {int(rows):,} rows, {size:.1f} GB: {float(taken):.0f} s, {int(memory) / 1e6:.2f} GB of memory (at most 1.5 GB)", flush=True)

    def bench_pages(self) -> None:
        """The first page, any page, filtered, sorted."""
        if "large" not in self.ws.datasets:
            self.bench_large()
        page: dict[str, Any] = {"limit": 100}
        line("large: open and first page", seconds(lambda: list(self.ws.datasets["large"].documents(**page)), 5), 0.05)
        ds = self.ws.datasets["large"]
        places = np.random.default_rng(0).integers(0, len(ds) - 100, 20).tolist()
        line("large: a page anywhere", median(seconds(lambda at=at: list(ds.documents(skip=at, **page))) for at in places), 0.02)
        for query in QUERIES:
            words = json.dumps(query, ensure_ascii=False)
            line(f"large: {words}"[:41], seconds(lambda query=query: list(ds.documents(query, **page))), 0.5)
        for key in ds.keys:
            line(f"large: sort by {key}", seconds(lambda key=key: list(ds.documents(sort=[(key, -1)], **page))), 4)
            pages = [seconds(lambda at=at, key=key: list(ds.documents(sort=[(key, -1)], skip=at, **page))) for at in places]
            line(f"large: pages sorted by {key}", median(pages), 0.03)


SECTIONS = {
    "import": Bench.bench_import, "commit": Bench.bench_commit, "diff": Bench.bench_diff, "statistics": Bench.bench_statistics,
    "random": Bench.bench_random, "large": Bench.bench_large, "pages": Bench.bench_pages,
}  # fmt: skip


def main() -> None:
    """Run the sections that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=[], choices=[*SECTIONS, []])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clow-bench-") as folder:
        bench = Bench(Path(folder), args.rows, args.large)
        for name in args.sections or SECTIONS:
            SECTIONS[name](bench)
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
