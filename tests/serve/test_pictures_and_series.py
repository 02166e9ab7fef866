"""Pictures and series over HTTP, to models that were really trained: every way to send one, the same answer; whatever is none is refused."""

import asyncio
import base64
import io
import json
import math
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw

from clow_nb.serve.app import make_app
from clow_nb.serve.compose import make_flow
from clow_nb.serve.hosted import Host
from clow_nb.serve.loading import load_model, warm_up
from clow_nb.serve.spec import ModelSpec, ServiceSpec
from clow_nb.serve.state import Serving
from clow_nb.serve.traffic import TrafficWriter
from clow_nb.train.predictor import load_predictor, save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

Asking = Callable[[httpx.AsyncClient], Awaitable[None]]


def drawn(shape: str, number: int) -> bytes:
    """A small picture of a white shape, as PNG."""
    image = Image.new("RGB", (20, 20))
    x, y, side = number % 5, number % 7, 9 + number % 4
    getattr(ImageDraw.Draw(image), shape)((x, y, x + side, y + side), fill="white")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def trained(folder: Path, name: str, params: dict[str, Any], frame: pl.DataFrame, label: str) -> str:
    """The folder of a model that was trained on a frame."""
    task = solution(name, params)
    frame = task.split(frame, label) if name == "ts-forecast" else frame.with_columns(split=pl.Series(["train", "train", "valid"] * frame.height)[: frame.height])
    parts = task.prepare(frame, label)
    model, _ = fit(task, parts["train"], parts["valid"])
    return str(save_model(folder, task, model))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelSpec, ...]:
    """One that tells round from square, one that looks back on six numbers and forecasts three."""
    folder = tmp_path_factory.mktemp("kinds")
    pictures = pl.DataFrame([{"image": base64.b64encode(drawn(shape, number)).decode(), "label": shape} for number in range(30) for shape in ("ellipse", "rectangle")])
    series = pl.DataFrame([{"at": datetime(2026, 1, 1) + timedelta(hours=n), "load": 50 + 10 * math.sin(n / 4)} for n in range(150)])
    shapes = trained(folder / "shapes", "vision-cls", {"image": "image", "epochs": 4, "channels": (4, 8), "lr": 0.02, "batch_size": 16}, pictures, "label")
    load = trained(folder / "load", "ts-forecast", {"window": 6, "horizon": 3, "hidden": 8, "layers": 1, "epochs": 2, "batch_size": 32, "lr": 1e-2}, series, "load")
    return ModelSpec("model:shapes@4", "shapes", shapes), ModelSpec("model:load@2", "load", load)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """The process of the models."""
    host = Host()
    yield host
    host.close()


@pytest.fixture
def talk(models: tuple[ModelSpec, ...], host: Host, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Ask the app of a version with these models, or with a flow before them."""

    def run(asking: Asking, **limits: Any) -> None:
        async def main() -> None:
            spec = ServiceSpec("s-kinds", "v1", models, **limits)
            serving = Serving(spec, TrafficWriter(tmp_path))
            for model in models:
                serving.models[model.name] = loaded = await load_model(model, spec, host)
                await warm_up(loaded, 4)
            serving.flow = make_flow(spec, serving.ask, tmp_path, serving.fields)
            serving.set_state("ready")
            transport = httpx.ASGITransport(make_app(serving), raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
                await asking(client)
            for loaded in serving.models.values():
                loaded.batcher.close()
            serving.log.close()

        asyncio.run(main())

    yield run


def test_however_a_picture_is_sent_the_answer_is_the_same(talk: Callable[..., None], models: tuple[ModelSpec, ...]) -> None:
    raw, other = drawn("ellipse", 3), drawn("rectangle", 8)
    text = base64.b64encode(raw).decode()
    expected = [{"label": one["label"], "confidence": pytest.approx(one["confidence"], abs=1e-5)} for one in load_predictor(Path(models[0].folder)).predict([{"image": raw}, {"image": other}])]

    async def asking(client: httpx.AsyncClient) -> None:
        ways = [
            {"json": {"image_base64": text}}, {"json": {"image": text}}, {"json": {"image": f"data:image/png;base64,{text}"}},
            {"files": {"any": ("a.png", raw, "image/png")}}, {"content": raw, "headers": {"content-type": "image/png"}},
        ]  # fmt: skip
        for way in ways:
            answer = (await client.post("/predict", **way)).json()
            assert {key: answer[key] for key in ("label", "confidence")} == expected[0], way
        many = (await client.post("/predict?probabilities=1", files=[("a", ("a.png", raw)), ("b", ("b.png", other))])).json()
        assert [{key: answer[key] for key in ("label", "confidence")} for answer in many] == expected
        assert all(sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4) for answer in many)
        tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [text]}
        said = (await client.post("/v2/models/shapes/versions/4/infer", json={"inputs": [tensor]})).json()
        assert said["outputs"][0]["data"] == [expected[0]["label"]] and said["model_version"] == "4"

    talk(asking)


def test_a_series_is_forecast_under_any_name(talk: Callable[..., None], models: tuple[ModelSpec, ...]) -> None:
    values = [50 + 10 * math.sin(n / 4) for n in range(150, 160)]
    expected = pytest.approx(load_predictor(Path(models[1].folder)).predict([{"load": values}])[0]["values"], abs=1e-4)

    async def asking(client: httpx.AsyncClient) -> None:
        for document in ({"values": values}, {"load": values}, {"values": {"load": values}}):
            answer = (await client.post("/forecast", json=document)).json()
            assert answer["values"] == expected and len(answer["values"]) == 3
        assert [one["values"] for one in (await client.post("/forecast", json=[{"values": values}] * 2)).json()] == [expected] * 2
        assert (await client.post("/predict?model=load", json={"load": values})).json()["values"] == expected
        body = np.array([values], "<f4").tobytes()
        head = json.dumps({"inputs": [{"name": "load", "datatype": "FP32", "shape": [1, 10], "parameters": {"binary_data_size": len(body)}}]}).encode()
        said = (await client.post("/v2/models/load/infer", content=head + body, headers={"inference-header-content-length": str(len(head))})).json()
        assert said["outputs"][0]["data"] == pytest.approx(answer["values"], abs=1e-3) and said["outputs"][0]["shape"] == [1, 3]

    talk(asking)


def test_what_is_no_picture_and_no_series_is_refused(talk: Callable[..., None]) -> None:
    sizes = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)  # ten gigabytes, says its head
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\r" + sizes + struct.pack(">I", zlib.crc32(sizes)) + b"\0\0\0\0IDAT"
    junk = [drawn("ellipse", 3)[:60], b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"", bomb]
    series = [[1], [], None, "12345678", [1, 2, 3, 4, 5, None], [True] * 6, [10**400] * 6, [[1]] * 6, {"a": 1}, {"load": "x"}, {"load": [1]}]

    async def asking(client: httpx.AsyncClient) -> None:
        for raw in junk:
            for way in ({"json": {"image_base64": base64.b64encode(raw).decode()}}, {"files": {"a": ("a.png", raw)}}, {"content": raw, "headers": {"content-type": "image/png"}}):
                answer = await client.post("/predict", **way)
                assert answer.status_code == 422, (raw[:20], answer.text)
        for text in ("not base64!", "data:image/png;base64,", "가"):
            assert (await client.post("/predict", json={"image_base64": text})).status_code == 422
        for values in series:
            answer = await client.post("/forecast", content=json.dumps({"values": values}))
            assert answer.status_code in (400, 422), (str(values)[:40], answer.text)
        large = await client.post("/forecast", json={"values": [1e308] * 6})  # whatever comes of it, it is JSON
        assert large.status_code in (200, 422) and large.json()

    talk(asking)


def test_a_flow_gives_probabilities_to_who_asks(talk: Callable[..., None]) -> None:
    """Of the model, or the mean of several; from its cache too, which keeps the two kinds of answers apart. A rule has none."""
    steps = [{"rules": [{"name": "empty", "when": {"image": ""}, "answer": {"label": "none"}}]}, {"cache": {}}, {"ensemble": {"of": ["shapes", "shapes"], "how": "mean"}}]
    text = base64.b64encode(drawn("rectangle", 4)).decode()

    async def asking(client: httpx.AsyncClient) -> None:
        for _ in range(2):
            plain = (await client.post("/predict", json={"image": text})).json()
            sure = (await client.post("/predict?probabilities=1", json=[{"image": text}, {"image": ""}])).json()
            assert "probabilities" not in plain and "probabilities" not in sure[1]
            assert sure[0]["label"] == plain["label"] == max(sure[0]["probabilities"], key=sure[0]["probabilities"].__getitem__)

    talk(asking, flow={"steps": steps})
