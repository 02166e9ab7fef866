"""A real, small model in a folder, and services that answer with it."""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.serve import deployment
from clow_nb.serve.spec import ModelSpec, ServiceSpec

DOCUMENTS = [
    *({"text": f"{word} 알람 맞춰줘", "label": "alarm"} for word in ("내일", "아침", "일곱 시에", "여덟 시에", "모레")),
    *({"text": f"{word} 날씨 어때?", "label": "weather"} for word in ("오늘", "서울", "제주도", "주말", "이번 주")),
    *({"text": f"play {word} music", "label": "music"} for word in ("some", "calm", "loud", "new", "old")),
]


def make_model(folder: Path, seed: int = 0, flipped: bool = False) -> Path:
    """Train a tiny model for a moment and save it; a `flipped` one takes music for alarms, and so on."""
    import polars as pl
    import torch

    from clow_nb.train.predictor import save_model
    from clow_nb.train.solution import solution

    torch.manual_seed(seed)
    task = solution("nlp-intent", {"tokenizer": "char", "channels": 8, "embedding": 8})
    documents = pl.DataFrame(DOCUMENTS)
    if flipped:
        documents = documents.with_columns(pl.col("label").replace({"music": "alarm", "alarm": "weather", "weather": "music"}))
    examples = task.prepare(documents.with_columns(split=pl.lit("train")), "label")["train"]
    model = task.model()
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    for batch in [batch for _ in range(15) for batch in examples.batches(16)]:
        optimizer.zero_grad()
        task.loss(model, batch).backward()
        optimizer.step()
    return save_model(folder, task, model)


@pytest.fixture
def free_port() -> int:
    """A port that nobody has, outside the ranges from which services and connections are given theirs."""
    for port in random.sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that tells alarms, weather and music apart."""
    return make_model(tmp_path_factory.mktemp("model") / "intent")


@pytest.fixture(scope="session")
def flipped_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that takes each of them for another one."""
    return make_model(tmp_path_factory.mktemp("flipped") / "intent", flipped=True)


@pytest.fixture
def make_spec(model_folder: Path) -> Callable[..., ServiceSpec]:
    """Specs of the service `s-intent`, by version and limits."""

    def make(version: str = "v1", folder: Path = model_folder, **limits: float) -> ServiceSpec:
        return ServiceSpec("s-intent", version, (ModelSpec("model:intent@1", "intent", str(folder)),), **limits)  # type: ignore[arg-type]

    return make


@pytest.fixture
def service(ctx: Context, free_port: int) -> Iterator[Context]:
    """A workspace with the service `s-intent`; whatever runs of it at the end is ended."""
    ctx.catalog.create("service", "s-intent", spec={"port": free_port})
    yield ctx
    deployment.stop(ctx, "s-intent", seconds=5)
