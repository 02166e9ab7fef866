"""A log of a million rows: how long pages of the log and of a review take. Run: python tests/bench/review.py FOLDER"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl

from clow_nb import Workspace
from clow_nb.monitor.review import Review
from clow_nb.serve.rolling import with_source
from clow_nb.serve.traffic import input_hash, log_schema
from clow_nb.ui.choosing import Wanted
from clow_nb.ui.reviewing import ReviewView

ROWS, PARTS = 1_000_000, 5
SERVICES = {
    "s-intent": "each request answered by v1 and, as a shadow, by v2",
    "s-late": "the same, the shadow's answers a little later and not in the order of the requests",
    "s-canary": "each request answered by one of the two, every fifth input asked before",
}


def make_log(folder: Path, service: str) -> None:
    """A million answers of a day."""
    chance, start, size = np.random.default_rng(0), datetime(2026, 11, 1, tzinfo=UTC), ROWS // PARTS
    for part in range(PARTS):
        number = np.arange(part * size, (part + 1) * size)
        if service == "s-late":  # v2's rows are shifted and shaken among the others
            number = number[np.argsort(number + np.where(number % 2, chance.integers(2, 400, size), 0), kind="stable")]
        asked, version = number // 2, np.where(number % 2, "v2", "v1")
        request, text = (number, asked % 400_000) if service == "s-canary" else (asked, asked)
        inputs = [{"text": f"알람 좀 맞춰줘 {one} 내일 아침 일곱 시에 깨워 주세요"} for one in text]
        label, sure = np.array(["alarm", "music", "weather"])[chance.integers(0, 3, size)], chance.random(size).round(4)
        columns = {
            "request_id": [f"r{one}" for one in request], "service": [service] * size, "version": version, "model": ["model:intent@1"] * size,
            "hash": [input_hash(one) for one in inputs], "input": [f'{{"text":"{one["text"]}"}}' for one in inputs],
            "output": [f'{{"label":"{a}","confidence":{b}}}' for a, b in zip(label, sure, strict=True)],
            "share": np.where((number % 2 == 1) & (service != "s-canary"), "shadow", ""),
            "queue_ms": chance.random(size), "compute_ms": chance.random(size) * 5, "status": [200] * size, "decision": label, "confidence": sure,
        }  # fmt: skip
        frame = pl.DataFrame(columns).with_columns(
            time=(pl.lit(start) + pl.duration(microseconds=pl.Series(asked) * 80_000)), probabilities=None, decided_by=pl.lit(""), reason=pl.lit(""), cached=False
        )
        frame = frame.select(pl.col(name).cast(kind) for name, kind in log_schema().items())
        rows = with_source(frame, "bench", list(range(size))).to_arrow(compat_level=pl.CompatLevel.oldest())
        lance.write_dataset(rows, str(folder / "log.lance"), mode="append" if part else "create", enable_stable_row_ids=True)


def timed(name: str, ask: Callable[[], Any], times: int = 5) -> None:
    """Say the median and the worst of some askings, and the processor time of the median."""
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        ask()
        walls.append((time.perf_counter() - wall) * 1000)
        processors.append((time.process_time() - processor) * 1000)
    print(f"{name:34} median {sorted(walls)[times // 2]:6.0f} ms, worst {max(walls):6.0f} ms, processor {sorted(processors)[times // 2]:6.0f} ms", flush=True)


def ask(ws: Workspace, name: str) -> None:
    """Ask the log and a review of it."""
    service = ws.services[name]
    kept = Review(ws.ctx, name, ["v1", "v2"])
    print(f"\n{name}: {SERVICES[name]}; {len(service.look()):,} rows")
    if name == "s-intent":
        timed("log: the newest 20", lambda: service.log(sort=[("time", -1)], limit=20))
        timed("log: a rare word", lambda: service.log({"input.text": {"$contains": "499999"}}, limit=20))
        timed("log: sorted by confidence", lambda: service.log({"version": "v2"}, sort=[("confidence", 1)], limit=20))
    timed("review: first page of a new one", lambda: Review(ws.ctx, name, ["v1", "v2"]).queries())
    timed("review: first page of a new day", lambda: Review(ws.ctx, name, ["v1", "v2"], "2026-11-01").queries())
    timed("dashboard: whole, all days", lambda: ReviewView(ws.ctx, Wanted(name, (), "all")))
    timed("dashboard: whole, newest day", lambda: ReviewView(ws.ctx, Wanted(name)))
    timed("review: another page", lambda: kept.queries(page=7))
    timed("review: search", lambda: kept.queries("1234"))
    timed("review: bins, decisions, latency", lambda: (kept.bins(), kept.decisions(), kept.latency()))


def main(home: Path, names: list[str]) -> None:
    """Make the logs where there are none, and ask."""
    ws = Workspace(home)
    for name in names:
        if name not in ws.services:
            service = ws.services.create(name)
            for version in ("v1", "v2"):
                service.create_version(version, flow={"steps": [{"answer": {"label": "alarm", "confidence": 0.5}}]})
            make_log(service.folder, name)
    for name in names:
        ask(ws, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(SERVICES))
