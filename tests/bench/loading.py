"""Random batches for a training: ours from memory and from disk, a list of dicts, and Lance's own `take`."""

import math
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from clow_nb.data.dataset import Dataset
from clow_nb.data.loading import Samples

BATCH, BATCHES = 256, 300


def _rate(batches: Iterator[Any], count: int = BATCHES) -> float:
    """Batches a second, the first left out."""
    next(batches)
    start = time.perf_counter()
    done = sum(1 for _ in islice(batches, count))
    return done / (time.perf_counter() - start)


def _tensors(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """What a hand-written collate does: a tensor a number, NaN where there is none or text, a list a text."""
    found: dict[str, Any] = {"text": [document.get("text") for document in documents], "label": [document.get("label") for document in documents]}
    for key in ("price", "count", "score"):
        values = (document.get(key) for document in documents)
        found[key] = torch.tensor([value if isinstance(value, int | float) else math.nan for value in values])
    return found


def _taken(dataset: Dataset, names: list[str]) -> Iterator[Any]:
    table, chance = dataset.snapshot.table, np.random.default_rng(0)
    while True:
        yield table.take(chance.integers(0, len(dataset), BATCH).tolist(), columns=names)


def compare_loading(dataset: Dataset) -> dict[str, float]:
    """Batches of 256 a second, by way of reading; printed and returned."""
    keys = [key for key in ("text", "label", "price", "count", "score") if key in dataset.keys]
    start = time.perf_counter()
    held = Samples(dataset.ctx, dataset.snapshot, keys, memory=1 << 40)
    ready = time.perf_counter() - start
    disk = Samples(dataset.ctx, dataset.snapshot, keys, memory=0)
    documents = list(dataset.documents(fields=keys))
    chance = np.random.default_rng(0)
    anywhere = (disk[chance.integers(0, len(disk), BATCH)] for _ in range(BATCHES + 1))
    rates = {
        "ours, in memory": _rate(iter(held.loader(BATCH))),
        "ours, from disk, blocks": _rate(iter(disk.loader(BATCH)), 2000),
        "ours, from disk, any rows": _rate(iter(anywhere)),
        "list of dicts": _rate(iter(DataLoader(documents, BATCH, shuffle=True, collate_fn=_tensors))),
        "Lance take": _rate(_taken(dataset, disk.rows.columns.names)),
    }
    print(f"random batches of {BATCH} out of {len(dataset):,} rows ({ready:.2f} s to hold them): " + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
    return rates
