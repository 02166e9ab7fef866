"""The solution `nlp-intent` against the baseline on the same documents, and the trainer against loops that people write.

    python tests/bench/train.py accuracy [--data FOLDER] [--seeds 5] [demo] [clinc150] [snips] [ko-3i4k] [ko-nsmc]
    python tests/bench/train.py speed [--seeds 3] [--epochs 10] [clinc150] [nab] [mnist-t10k]    a loop over a DataLoader of single items
    python tests/bench/train.py tracking [--seeds 5] [--epochs 2]                               a bare loop over the same tensors

`demo` are the first utterances of the package `chatterbot-corpus`, split 8:1:1 anew for each seed; the others are folders
below `--data`, with their own test splits where they have some. All are fitted to `train` and judged on `test`.
`speed` races TextCNN on clinc150, the LSTM on windows of nab (taxis in New York), and the CNN on mnist-t10k: the same model,
batch, epochs and rates. What is ours is the trainer: tensors in memory, pads trimmed, the memory format and the precision that the processor is best at.
"""

import argparse
import gzip
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from PIL import Image

from clow_nb import Workspace
from clow_nb.train.baseline import tfidf_baseline
from clow_nb.train.examples import Batch, Examples, Padded, Windows, bucketed
from clow_nb.train.inputs import with_splits
from clow_nb.train.solution import Solution, solution
from clow_nb.train.stepping import rate
from clow_nb.train.tracker import Tracker
from clow_nb.train.tracking import mlflow_client
from clow_nb.train.trainer import fit, score


def demo(seed: int, _: Path) -> pl.DataFrame:
    """First utterances, Korean and English; no duplicates, no class under ten documents."""
    import chatterbot_corpus
    import yaml

    root = Path(chatterbot_corpus.__file__).parent / "data"
    rows = []
    for path in [p for language in ("english", "korean") for p in sorted((root / language).glob("*.yml"))]:
        conversations = yaml.safe_load(path.read_text("utf-8"))["conversations"]
        rows += [{"text": str(c[0]).strip(), "label": path.stem} for c in conversations if c]
    frame = pl.DataFrame(rows).unique("text", keep="first", maintain_order=True)
    frame = frame.filter(pl.len().over("label") >= 10)
    rank = (pl.int_range(pl.len()).shuffle(seed).over("label") + 0.5) / pl.len().over("label")
    part = pl.when(rank < 0.8).then(pl.lit("train")).when(rank < 0.9).then(pl.lit("valid")).otherwise(pl.lit("test"))
    return frame.with_columns(split=part)


def clinc150(_: int, data: Path) -> pl.DataFrame:
    """150 intents in scope, with the corpus's own splits."""
    parts = json.loads((data / "clinc150/data_full.json").read_text("utf-8"))
    names = {"train": "train", "val": "valid", "test": "test"}
    rows = [(text, label, name) for part, name in names.items() for text, label in parts[part]]
    return pl.DataFrame(rows, ["text", "label", "split"], orient="row")


def _held_out(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A tenth of all that is not `test` becomes `valid`, the rest `train`."""
    valid = pl.int_range(pl.len()).shuffle(seed) < pl.len() // 10
    part = pl.when(pl.col("split") == "test").then(pl.lit("test")).when(valid).then(pl.lit("valid"))
    return frame.with_columns(split=part.otherwise(pl.lit("train")))


def ko_3i4k(seed: int, data: Path) -> pl.DataFrame:
    """Seven intentions of Korean utterances; a tenth of `train_val` becomes `valid`."""
    frames = []
    for name in ("train_val", "test"):
        lines = (data / f"ko-3i4k/train_val_test/fci_{name}.txt").read_text("utf-8").splitlines()
        rows = [line.split("\t")[::-1] for line in lines if line.count("\t") == 1 and line.split("\t")[1].strip()]
        frames.append(pl.DataFrame(rows, ["text", "label"], orient="row").with_columns(split=pl.lit(name)))
    return _held_out(pl.concat(frames), seed)


def snips(seed: int, data: Path) -> pl.DataFrame:
    """Seven intents; `train_*_full` without a tenth that becomes `valid`, judged on `validate_*`."""
    rows = []
    for path in sorted((data / "snips").glob("*/*.json")):
        if path.stem.startswith("validate") or path.stem.endswith("_full"):
            utterances = json.loads(path.read_bytes().decode("utf-8", "replace"))[path.parent.name]
            split = "test" if path.stem.startswith("validate") else "train"
            rows += [("".join(part["text"] for part in one["data"]), path.parent.name, split) for one in utterances]
    return _held_out(pl.DataFrame(rows, ["text", "label", "split"], orient="row"), seed)


def ko_nsmc(seed: int, data: Path) -> pl.DataFrame:
    """Korean film reviews, good or bad; a tenth of the training file becomes `valid`."""
    frames = []
    for split in ("train", "test"):
        lines = (data / f"ko-nsmc/ratings_{split}.txt").read_text("utf-8").splitlines()[1:]
        rows = [line.split("\t")[1:] for line in lines if line.count("\t") == 2 and line.split("\t")[1].strip()]
        frames.append(pl.DataFrame(rows, ["text", "label"], orient="row").with_columns(split=pl.lit(split)))
    return _held_out(pl.concat(frames), seed)


CORPORA = {"demo": demo, "clinc150": clinc150, "snips": snips, "ko-3i4k": ko_3i4k, "ko-nsmc": ko_nsmc}


def compare(frame: pl.DataFrame, seed: int, params: dict) -> dict[str, float]:
    """Both on one split."""
    texts, labels, split = (frame[key].to_list() for key in ("text", "label", "split"))
    start = time.perf_counter()
    baseline = tfidf_baseline(texts, labels, split)
    middle = time.perf_counter()
    torch.manual_seed(seed)
    task = solution("nlp-intent", {"seed": seed, **params})
    splits = task.prepare(frame)
    model, progress = fit(task, splits["train"], splits["valid"])
    end = time.perf_counter()
    metrics, _ = score(task, model, splits["test"])
    return {
        "accuracy": metrics["accuracy"], "baseline accuracy": baseline["accuracy"],
        "f1": metrics["f1_macro"], "baseline f1": baseline["f1_macro"],
        "seconds": end - middle, "baseline seconds": middle - start, "epochs": progress.epoch,
    }  # fmt: skip


def rows(names: list[str], seeds: int, data: Path, params: dict) -> Iterator[dict]:
    """One row a corpus and seed."""
    for name in names:
        for seed in range(seeds):
            yield {"corpus": name, "seed": seed, **compare(CORPORA[name](seed, data), seed, params)}


def nab(_: int, data: Path) -> pl.DataFrame:
    """Passengers of taxis, half-hourly."""
    return pl.read_csv(data / "nab/data/realKnownCause/nyc_taxi.csv", try_parse_dates=True)


def mnist(seed: int, data: Path) -> pl.DataFrame:
    """Ten thousand handwritten digits, 28 x 28, split 8:1:1."""
    pixels, labels = (
        np.frombuffer(gzip.decompress((data / "mnist-t10k" / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8, offset=offset)
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8))
    )
    frame = pl.DataFrame({"image": [_png(picture) for picture in pixels.reshape(-1, 28, 28)], "label": labels.astype(np.int64)})
    return with_splits(frame, "label", seed)


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


class Race(NamedTuple):
    """A solution on its documents; `plain` are the parameters of its model that the other loop goes without."""

    solution: str
    params: dict[str, Any]
    read: Callable[[int, Path], pl.DataFrame]
    metric: str
    plain: dict[str, Any]


RACES = {
    "clinc150": Race("nlp-intent", {"wide": False, "tokenizer": "word", "batch_size": 256}, clinc150, "accuracy", {}),
    "nab": Race("ts-forecast", {}, nab, "mae", {"amp": "off"}),
    "mnist-t10k": Race("vision-cls", {}, mnist, "accuracy", {"amp": "off", "channels_last": False}),
}


class Items(torch.utils.data.Dataset):
    """Examples one at a time, as a tutorial's `Dataset` gives them: padded to the longest that there may be, a window cut from its series."""

    def __init__(self, examples: Examples, longest: int) -> None:
        self.examples, self.padded = examples, dict[str, torch.Tensor]()
        for name, column in examples.columns.items():
            if isinstance(column, Padded):
                self.padded[name] = torch.nn.functional.pad(column.values, (0, 0, 0, longest - column.values.shape[1]))

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, row: int) -> Batch:
        return {name: self._item(name, column, row) for name, column in self.examples.columns.items()}

    def _item(self, name: str, column: Any, row: int) -> torch.Tensor:
        if isinstance(column, Windows):
            first = int(column.starts[row])
            return column.values[first : first + column.length]
        return self.padded[name][row] if isinstance(column, Padded) else column[row]


def item_loop(task: Solution, splits: dict) -> torch.nn.Module:
    """What a tutorial shows: a `Dataset` of single items, a `DataLoader`, AdamW. Model, batch, epochs, loss and rates are the same."""
    torch.manual_seed(task.params.seed)
    items = Items(splits["train"], getattr(task.params, "max_len", 0))
    loader = torch.utils.data.DataLoader(items, batch_size=task.params.batch_size, shuffle=True)
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.params.lr, weight_decay=task.params.weight_decay)
    return _epochs(task, model, optimizer, splits, lambda epoch: loader, len(loader))


def tensor_loop(task: Solution, splits: dict) -> torch.nn.Module:
    """The bare loop over tensors in memory: length buckets, trimmed pads, fused AdamW; no checkpoints, no records."""
    params, train = task.params, splits["train"]
    torch.manual_seed(params.seed)
    model = task.model()
    optimizer = torch.optim.AdamW(task.groups(model), fused=True)
    steps = -(-len(train) // params.batch_size)

    def batches(epoch: int) -> Iterator[Batch]:
        return train.batches(params.batch_size, bucketed(train, params.batch_size, params.seed * 100_003 + epoch))

    return _epochs(task, model, optimizer, splits, batches, steps)


def _epochs(task: Solution, model: torch.nn.Module, optimizer: torch.optim.Optimizer, splits: dict, epochs: Callable, steps: int) -> torch.nn.Module:
    params = task.params
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps * params.epochs, params.warmup))
    for epoch in range(params.epochs):
        model.train()
        for batch in epochs(epoch):
            optimizer.zero_grad()
            task.loss(model, batch).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), params.clip)
            optimizer.step()
            schedule.step()
        score(task, model, splits["valid"])
    return model


def ours(task: Solution, splits: dict) -> torch.nn.Module:
    """Our trainer."""
    return fit(task, splits["train"], splits["valid"])[0]


PLACE: list[Workspace] = []


def tracked(task: Solution, splits: dict) -> torch.nn.Module:
    """Our trainer with checkpoints, told to MLflow as a run does it: environment, input, the machine's load, each step; until all is written."""
    ws = PLACE[0]
    tracker = Tracker(ws.trainings["bench"], ws.datasets["bench"])
    with tempfile.TemporaryDirectory() as folder, tracker:
        model, _ = fit(task, splits["train"], splits["valid"], Path(folder), on_epoch=tracker.epoch, on_step=tracker.log)
    tracker.finish()
    return model


def race(name: str, one: Callable, other: Callable, args: argparse.Namespace) -> None:
    """Both on the same documents for each seed, one after the other; print samples a second, the metric and the ratio of the medians."""
    what = RACES[name]
    rates: dict[Callable, list[float]] = {one: [], other: []}
    reached: dict[Callable, list[float]] = {one: [], other: []}
    for seed in range(args.seeds):
        frame = what.read(seed, args.data)
        for loop in (one, other) if seed % 2 == 0 else (other, one):
            own = what.plain if loop is item_loop else {}
            task = solution(what.solution, what.params | {"seed": seed, "epochs": args.epochs, "patience": 1000} | own | args.params)
            splits = task.prepare(task.split(frame))
            start = time.perf_counter()
            model = loop(task, splits)
            rates[loop].append(args.epochs * len(splits["train"]) / (time.perf_counter() - start))
            reached[loop].append(score(task, model.eval(), splits["test"])[0][what.metric])
            print(f"{name} seed {seed} {loop.__name__}: {rates[loop][-1]:,.0f} samples/s, {what.metric} {reached[loop][-1]:.4f}, load {os.getloadavg()[0]:.1f}", flush=True)
    for loop in rates:
        print(f"{name} {loop.__name__}: {median(rates[loop]):,.0f} samples/s (median), {what.metric} {fmean(reached[loop]):.4f} (mean of {args.seeds})")
    print(f"{name} {other.__name__} / {one.__name__}: {median(rates[other]) / median(rates[one]):.3f}", flush=True)


def track(args: argparse.Namespace) -> None:
    """The bare loop and ours with everything that a run writes down, on clinc150."""
    with tempfile.TemporaryDirectory() as home:
        PLACE.append(Workspace(Path(home) / ".clow"))
        PLACE[0].datasets.create("bench", [{"text": "a", "label": "b"}], label="label")
        PLACE[0].trainings.create("bench", dataset="bench")
        mlflow_client(PLACE[0].ctx)
        race("clinc150", tensor_loop, tracked, args)


def compare_all(args: argparse.Namespace) -> None:
    """Print each row as it comes, then the means."""
    done = []
    for row in rows(args.names or list(CORPORA), args.seeds, args.data, args.params):
        done.append(row)
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, flush=True)
    with pl.Config(tbl_cols=-1, tbl_width_chars=140, float_precision=4):
        print(pl.DataFrame(done).drop("seed").group_by("corpus", maintain_order=True).mean())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["accuracy", "speed", "tracking"])
    parser.add_argument("names", nargs="*", default=[], choices=[*CORPORA, *RACES, []])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--params", type=json.loads, default={})
    args = parser.parse_args()
    if args.what == "accuracy":
        compare_all(args)
    elif args.what == "speed":
        for name in args.names or RACES:
            race(name, item_loop, ours, args)
    else:
        track(args)


if __name__ == "__main__":
    main()
