"""What can't be trained ends in FAILED: one sentence that says why, and the notebook to open. By real runs of a real worker."""

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clow_nb import Workspace
from clow_nb.core.errors import ClowError, RunError
from clow_nb.runs.launch import stop_worker

from .conftest import make_documents


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of datasets with one fault each."""
    ws = Workspace(tmp_path / ".clow")
    documents, first = make_documents(8), datetime(2026, 1, 1)
    ws.datasets.create("good", documents, label="label")
    ws.datasets.create("one", [{**document, "label": "ai"} for document in documents], label="label")
    ws.datasets.create("blank", [{**document, "text": " "} for document in documents], label="label")
    new = [{**document, "split": "valid" if document["label"] == "food" else "train"} for document in documents]
    ws.datasets.create("new", new, label="label")
    ws.datasets.create("short", [{"at": first + timedelta(days=day), "load": day / 2} for day in range(20)], label="load")
    ws.datasets.create("huge", [{"size": number % 7, "price": 1e60 * (number % 5 + 0.5)} for number in range(90)], label="price")
    ws.datasets.create("photos", _photos(tmp_path / "photos"), label="label")
    yield ws
    stop_worker(ws.ctx, seconds=0)


def _photos(folder: Path) -> Path:
    for name, colour in (("red", (255, 0, 0)), ("green", (0, 255, 0))):
        (folder / name).mkdir(parents=True)
        for number in range(24):
            Image.new("RGB", (40 + number, 40), colour).save(folder / name / f"{number}.png")
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return folder


def _repository(folder: Path) -> str:
    folder.mkdir()
    who = ["-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
    (folder / "README").write_text("nothing to train")
    for words in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", "-C", folder, *words], check=True)
    return str(folder)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "the loss is NaN": (
        {"dataset": "huge", "solution": "tabular", "params": {"learner": "network"}},
        r"The loss is no longer a number in epoch 1 with lr=0\.003\. Train with a smaller lr",
    ),
    "a label is missing in train": ({"dataset": "new"}, r"The label 'food' is in the split valid \(32 documents\) and not in the split train"),
    "one class": ({"dataset": "one"}, r"The key 'label' has 1 class\(es\)"),
    "all texts are empty": ({"dataset": "blank"}, "The key 'text' is empty in all 96 documents"),
    "an image is unreadable": ({"dataset": "photos", "solution": "vision-cls"}, r"1 of \d+ images can't be read: broken\.png"),
    "the series is short": (
        {"dataset": "short", "solution": "ts-forecast"},
        "No series has 65 moments in a row .*; the longest has 20. Train with a smaller window",
    ),
    "out of memory": (
        {
            "dataset": "photos",
            "solution": "vision-cls",
            "params": {"unreadable": "skip", "size": 512, "channels": (64, 64), "batch_size": 32, "epochs": 1, "amp": "off"},
            "resources": {"memory_mb": 3000},
        },
        r"A batch of 32 does not fit into the memory \(cpu\); one of \d+ does\. Train with batch_size=\d+ and accumulate=\d+",
    ),
    "the command fails": ({"dataset": "good", "code": {"repo": "REPO", "command": "python -c 'exit(1)'"}}, "ended with the status 1"),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_training_that_cannot_be_says_why_and_where(ws: Workspace, tmp_path: Path) -> None:
    repo, runs = _repository(tmp_path / "team"), {}
    for number, (name, (spec, _)) in enumerate(BAD.items()):
        code = {"code": {**spec["code"], "repo": repo}} if "code" in spec else {}
        runs[name] = ws.trainings.create(f"t-{number}", **spec | code).run()
    skipped = ws.trainings.create("t-skip", "photos", "vision-cls", {"unreadable": "skip", "size": 8, "channels": (4,), "epochs": 1}).run()
    for name, run in runs.items():
        with pytest.raises(RunError, match=BAD[name][1]) as failed:
            run.wait(timeout=300, progress=False)
        assert str(run.notebook) in str(failed.value) and run.notebook.exists(), name
        training = ws.trainings[run.target]
        assert (training.status, training.versions()) == ("FAILED", []), name
    assert skipped.wait(timeout=300, progress=False).status == "SUCCEEDED"
    assert "are left out: broken.png" in skipped.logs()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"code": {"repo": "/nowhere", "command": "true"}}, "The repository /nowhere can't be read"),
        ({"params": {"monitor": "f7"}}, "monitor='f7' is not allowed: Input should be 'f1_macro', 'accuracy' or 'loss'"),
        ({"solution": "nlp"}, "nlp-intent"),
    ],
)
def test_what_can_be_seen_ahead_is_refused_before_anything_is_written(tmp_path: Path, spec: dict[str, Any], words: str) -> None:
    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("good", make_documents(1), label="label")
    with pytest.raises(ClowError, match=words):
        ws.trainings.create("t-bad", dataset="good", **spec)
    assert "t-bad" not in ws.trainings
