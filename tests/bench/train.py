"""The solution `nlp-intent` against the baseline on the same documents.

    python tests/bench/train.py [--data FOLDER] [--seeds 5] [demo] [clinc150] [ko-3i4k]

`demo` are the first utterances of the package `chatterbot-corpus`, split 8:1:1 anew for each seed; the others are folders
below `--data` with their own test splits. Both are fitted to `train` and judged on `test`.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import torch

from clow_nb.train.baseline import tfidf_baseline
from clow_nb.train.solution import solution
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


def ko_3i4k(seed: int, data: Path) -> pl.DataFrame:
    """Seven intentions of Korean utterances; a tenth of `train_val` becomes `valid`."""
    frames = []
    for name in ("train_val", "test"):
        lines = (data / f"ko-3i4k/train_val_test/fci_{name}.txt").read_text("utf-8").splitlines()
        rows = [line.split("\t")[::-1] for line in lines if line.count("\t") == 1 and line.split("\t")[1].strip()]
        frames.append(pl.DataFrame(rows, ["text", "label"], orient="row").with_columns(split=pl.lit(name)))
    frame = pl.concat(frames)
    valid = pl.int_range(pl.len()).shuffle(seed) < pl.len() // 10
    part = pl.when(pl.col("split") == "test").then(pl.lit("test")).when(valid).then(pl.lit("valid"))
    return frame.with_columns(split=part.otherwise(pl.lit("train")))


CORPORA = {"demo": demo, "clinc150": clinc150, "ko-3i4k": ko_3i4k}


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


def main() -> None:
    """Print each row as it comes, then the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", default=[], choices=[*CORPORA, []])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--params", type=json.loads, default={})
    args = parser.parse_args()
    done = []
    for row in rows(args.corpora or list(CORPORA), args.seeds, args.data, args.params):
        done.append(row)
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, flush=True)
    with pl.Config(tbl_cols=-1, tbl_width_chars=140, float_precision=4):
        print(pl.DataFrame(done).drop("seed").group_by("corpus", maintain_order=True).mean())


if __name__ == "__main__":
    main()
