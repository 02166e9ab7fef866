"""Small real data and small real models to judge."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.data.dataset import Dataset, Datasets

SENTENCES = {
    "날씨": ["내일 비 와?", "오늘 더워?", "will it snow"],
    "알람": ["알람 맞춰줘", "일곱 시에 깨워줘", "set an alarm"],
}
DOCUMENTS = [
    {"text": f"{text} {number}", "topic": topic, "split": "test" if number > 5 else "valid" if number > 4 else "train"}
    for number in range(8)
    for topic, texts in SENTENCES.items()
    for text in texts
]


@pytest.fixture
def topics(ctx: Context) -> Dataset:
    """A dataset of two topics, already split: 12 documents to test on."""
    return Datasets(ctx).create("topics", DOCUMENTS, label="topic")


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The folder of a model that was really trained, for a number of epochs; trained once a session."""
    from clow_nb.train.predictor import save_model
    from clow_nb.train.solution import solution
    from clow_nb.train.trainer import fit

    made: dict[int, Path] = {}

    def files(epochs: int) -> Path:
        if epochs not in made:
            task = solution("nlp-intent", {"epochs": epochs, "label": "topic"})
            splits = task.prepare(pl.DataFrame(DOCUMENTS))
            network, progress = fit(task, splits["train"], splits["valid"])
            place = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
            made[epochs] = save_model(place / "model", task, network, progress.metrics)
        return made[epochs]

    return files


@pytest.fixture
def add_model(ctx: Context, model_files: Callable[[int], Path]) -> Callable[..., str]:
    """Register such a model as the next version of `topics`; gives its reference."""
    from clow_nb.train.models import register

    def add(epochs: int = 4, name: str = "topics") -> str:
        return str(register(ctx, name, model_files(epochs), {}).ref)

    return add
