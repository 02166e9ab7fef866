"""The same seed gives the same numbers, also to a training that was killed in between."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from clow_nb.core.errors import DataError
from clow_nb.train.checkpoints import read_tensors
from clow_nb.train.solution import Solution, solution
from clow_nb.train.trainer import fit, score

PARAMS = {"epochs": 5, "patience": 5, "embedding": 16, "channels": 8, "batch_size": 16}
SCRIPT = """
import os, signal, sys
from pathlib import Path
import polars as pl, torch
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

torch.set_num_threads(1)
task = solution("nlp-intent", {params})
splits = task.prepare(pl.read_ndjson(sys.argv[1]))
kill = lambda epoch, metrics: os.kill(os.getpid(), signal.SIGKILL) if epoch == 3 else None
fit(task, splits["train"], splits["valid"], Path(sys.argv[2]), kill)
"""


def _run(frame: pl.DataFrame, folder: Path | None = None, **params: object) -> tuple[Solution, torch.nn.Module, list]:
    task = solution("nlp-intent", PARAMS | params)
    splits = task.prepare(frame)
    model, progress = fit(task, splits["train"], splits["valid"], folder)
    return task, model, progress.history


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_the_same_seed_gives_the_same_weights(frame: pl.DataFrame) -> None:
    torch.manual_seed(1)
    _, one, history = _run(frame, seed=3)
    torch.manual_seed(2)
    _, two, again = _run(frame, seed=3)
    assert history == again
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert _run(frame, seed=4)[2] != history


def test_a_training_leaves_the_random_numbers_of_others_alone(frame: pl.DataFrame) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    _run(frame)
    assert torch.equal(torch.rand(1), expected)


def test_a_killed_process_is_taken_up_with_the_same_numbers(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_ndjson(tmp_path / "frame.jsonl")
    script = SCRIPT.replace("{params}", repr(PARAMS))
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "frame.jsonl"), str(tmp_path / "run")])
    assert killed.returncode == -signal.SIGKILL
    assert read_tensors(tmp_path / "run" / "last.safetensors")[1]["progress"]["epoch"] == 3
    _, straight, history = _run(frame)
    _, resumed, continued = _run(frame, tmp_path / "run")
    assert json.dumps(continued) == json.dumps(history)
    assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("vision-cls", {"epochs": 20, "batch_size": 128, "lr": 3e-4, "weight_decay": 1e-4, "patience": 5, "channels": (32, 64, 128), "seed": 42}),
        ("nlp-intent", {"model": "textcnn", "embedding": 128, "kernels": (3, 4, 5), "channels": 64, "dropout": 0.2, "min_freq": 2, "vocabulary": 30_000}),
        ("nlp-intent", {"max_len": 32, "epochs": 10, "batch_size": 256, "lr": 2e-3, "patience": 3, "seed": 42}),
        ("ts-forecast", {"hidden": 128, "layers": 2, "window": 64, "horizon": 1, "epochs": 12, "batch_size": 256, "lr": 3e-4, "patience": 5}),
    ],
)
def test_what_is_left_out_is_what_was_agreed(name: str, defaults: dict[str, object]) -> None:
    params = solution(name).params
    assert {key: getattr(params, key) for key in defaults} == defaults


MIDDLE = {"checkpoint_s": 0.0, "accumulate": 2, "ema": 0.9}
KILLED_IN_AN_EPOCH = """
from clow_nb.train.solutions.nlp_intent import NlpIntent

calls = 0
original = NlpIntent.loss

def loss(self, model, batch):
    global calls
    calls += 1
    if calls == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, model, batch)

NlpIntent.loss = loss
fit("""


def test_a_process_killed_within_an_epoch_is_taken_up_at_its_step(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_ndjson(tmp_path / "frame.jsonl")
    script = SCRIPT.replace("{params}", repr(PARAMS | MIDDLE)).replace("fit(", KILLED_IN_AN_EPOCH, 1)
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "frame.jsonl"), str(tmp_path / "run")])
    assert killed.returncode == -signal.SIGKILL
    state = read_tensors(tmp_path / "run" / "last.safetensors")[1]
    assert (state["progress"]["epoch"], state["step"]) == (1, 1)  # six batches, so three steps, an epoch
    _, straight, history = _run(frame, **MIDDLE)
    _, resumed, continued = _run(frame, tmp_path / "run", **MIDDLE)
    assert json.dumps(continued) == json.dumps(history)
    assert all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True))


def test_batches_that_make_one_step_are_the_step_of_one_batch(frame: pl.DataFrame) -> None:
    still = {"dropout": 0.0, "wide_dropout": 0.0, "epochs": 1}
    _, whole, _ = _run(frame, batch_size=84, **still)
    _, parts, _ = _run(frame, batch_size=21, accumulate=4, **still)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, atol=2e-4, rtol=1e-3)


def test_the_averaged_weights_are_those_that_are_judged(frame: pl.DataFrame) -> None:
    task, model, history = _run(frame, ema=0.99, epochs=3)
    metrics, _ = score(task, model, task.prepare(frame)["valid"])
    best = min(history, key=lambda row: (-row["valid_f1_macro"], row["valid_loss"]))
    assert metrics["loss"] == pytest.approx(best["valid_loss"], abs=1e-6)
    assert _run(frame, epochs=3)[2] != history


def test_half_precision_learns_the_same(frame: pl.DataFrame) -> None:
    _, model, history = _run(frame, amp="bf16")
    assert history[-1]["valid_accuracy"] > 0.9
    assert all(tensor.dtype != torch.bfloat16 for tensor in model.state_dict().values())


def test_a_finished_training_is_not_trained_again(frame: pl.DataFrame, tmp_path: Path) -> None:
    _, one, history = _run(frame, tmp_path)
    changed = (tmp_path / "last.safetensors").stat().st_mtime_ns
    _, two, again = _run(frame, tmp_path)
    assert again == history and (tmp_path / "last.safetensors").stat().st_mtime_ns == changed
    assert torch.equal(one.get_parameter("wide.weight"), two.get_parameter("wide.weight"))


def test_the_best_weights_are_kept_and_patience_ends(frame: pl.DataFrame) -> None:
    puzzling = frame.with_columns(text=pl.when(pl.col("_id").cast(pl.Int64) % 3 == 0).then(pl.lit("?")).otherwise("text"))
    task, model, history = _run(puzzling, epochs=60, patience=2)
    assert len(history) < 60
    best = min((-row["valid_f1_macro"], row["valid_loss"], row["epoch"]) for row in history)
    metrics, _ = score(task, model, task.prepare(puzzling)["valid"])
    assert metrics["f1_macro"] == -best[0] and metrics["loss"] == pytest.approx(best[1], abs=1e-6)


def test_a_damaged_checkpoint_is_said(frame: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(DataError, match="is no safetensors file"):
        _run(frame, tmp_path)
