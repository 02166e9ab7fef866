"""A small corpus in two languages, and a model trained on it."""

from pathlib import Path

import polars as pl
import pytest

from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

TOPICS = {
    "alarm": ["알람 맞춰줘", "set an alarm", "알람 꺼줘", "wake me up at seven"],
    "ai": ["what is ai", "인공지능이 뭐야", "are you a robot", "너는 로봇이니"],
    "food": ["뭐 먹을까", "i am hungry", "배고파 밥 줘", "order a pizza"],
}


def make_documents(each: int = 10) -> list[dict[str, str]]:
    """`each` variants of every text."""
    return [
        {"text": f"{text} {number}", "label": topic}
        for number in range(each)
        for topic, texts in TOPICS.items()
        for text in texts
    ]


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    """The documents with ids and splits."""
    rows = pl.DataFrame(make_documents()).with_row_index("_id").with_columns(pl.col("_id").cast(pl.String))
    part = pl.when(pl.int_range(pl.len()) < 84).then(pl.lit("train")).otherwise(pl.lit("valid"))
    return rows.with_columns(split=part)


@pytest.fixture(scope="session")
def trained(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained model."""
    task = solution("nlp-intent", {"epochs": 4, "embedding": 16, "channels": 8})
    splits = task.prepare(frame)
    model, progress = fit(task, splits["train"], splits["valid"])
    return save_model(tmp_path_factory.mktemp("model") / "trained", task, model, progress.metrics)
