"""Pictures of folders: trained, kept, asked in every form that a picture can be sent in, and served."""

import asyncio
import base64
import io
import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import polars as pl
import pytest
from PIL import Image, ImageDraw

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.core.errors import ClowError, DataError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.objects import Objects
from clow_nb.runs.launch import stop_worker
from clow_nb.serve.batcher import Job
from clow_nb.serve.hosted import Host
from clow_nb.serve.loading import load_model
from clow_nb.serve.spec import ModelSpec, ServiceSpec
from clow_nb.serve.state import Loaded
from clow_nb.train.models import Models, ModelVersion, register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

PARAMS = {"epochs": 4, "channels": (4, 8), "lr": 0.02, "batch_size": 16}


def drawn(shape: str, number: int, mode: str = "RGB", size: int = 20) -> bytes:
    image = Image.new(mode, (size, size))
    x, y, side = number % 5, number % 7, 9 + number % 4
    getattr(ImageDraw.Draw(image), shape)((x, y, x + side, y + side), fill="white")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def shapes(ctx: Context, tmp_path: Path) -> Dataset:
    """A folder with a folder for each class, imported."""
    for name, shape in (("round", "ellipse"), ("square", "rectangle")):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for number in range(30):
            (tmp_path / "shapes" / name / f"{number}.png").write_bytes(drawn(shape, number))
    return Datasets(ctx).create("shapes", tmp_path / "shapes", label="label").split(train=8, valid=1, test=1)


@pytest.fixture
def trained(ctx: Context, shapes: Dataset, tmp_path: Path) -> ModelVersion:
    task = solution("vision-cls", PARAMS, Objects(ctx))
    parts = task.prepare(shapes.scan().sort("_pos").collect(), "label")
    model, progress = fit(task, parts["train"], parts["valid"])
    return register(ctx, "shapes", save_model(tmp_path / "model", task, model), progress.metrics, [shapes.ref])


def test_however_a_picture_is_sent_the_answer_is_the_same(ctx: Context, shapes: Dataset, trained: ModelVersion) -> None:
    document = next(shapes.documents({"label": "round"}))
    raw = Objects(ctx).read(document["image"])
    text = base64.b64encode(raw).decode()
    forms = [document, *({"image": value} for value in (document["image"], raw, text, f"data:image/png;base64,{text}"))]
    answers = trained.predict(forms)
    same = {"label": answers[0]["label"], "confidence": pytest.approx(answers[0]["confidence"], abs=1e-5)}
    assert all(answer == same for answer in answers)
    assert trained.load().signature["inputs"] == {"image": "image"}


def served(model: ModelSpec, ctx: Context, documents: list[dict[str, Any]]) -> tuple[Loaded, list[Job]]:
    """What a server's process makes of documents."""

    async def ask() -> tuple[Loaded, list[Job]]:
        host = Host()
        loaded = await load_model(model, ServiceSpec("s", "v1", (model,)), host, ctx.home)
        jobs = await loaded.batcher.run(documents)
        host.close()
        return loaded, jobs

    return asyncio.run(ask())


def test_a_server_opens_references_and_refuses_what_is_no_picture(ctx: Context, shapes: Dataset, trained: ModelVersion) -> None:
    model = ModelSpec("model:shapes@1", "shapes", str(trained.folder))
    documents = list(shapes.documents(limit=3))
    sent = [json.loads(json.dumps({"image": document["image"]})) for document in documents] + [{"image": "no picture"}]
    loaded, jobs = served(model, ctx, sent)
    for job, answer in zip(jobs, trained.predict(documents), strict=False):
        assert job.outcome == {"label": answer["label"], "confidence": pytest.approx(answer["confidence"], abs=1e-5)}
    assert isinstance(jobs[3].outcome, DataError)
    assert loaded.fields == {"image": "image"}


def test_colours_and_sizes_are_those_of_the_training(ctx: Context, shapes: Dataset, trained: ModelVersion) -> None:
    large = trained.predict([{"image": drawn("ellipse", 3, "RGB", 400)}, {"image": drawn("ellipse", 3, "L", 20)}])
    assert {answer["label"] for answer in large} <= {"round", "square"}
    task = solution("vision-cls", {"size": 12}, Objects(ctx))
    parts = task.prepare(shapes.scan().collect(), "label")
    assert {parts[split].tensor("image").shape[1:] for split in parts} == {(1, 12, 12)}


def test_a_raw_file_that_is_gone_is_named_or_left_out(ctx: Context, shapes: Dataset) -> None:
    frame = shapes.scan().sort("_pos").collect()
    gone = Path(Objects(ctx).path(frame["image"][0]))
    gone.unlink()
    names = frame.filter(pl.col("image").struct.field("object") == gone.name)["image"].struct.field("name")
    with pytest.raises(ClowError, match=f"images can't be read: {names[0]}"):
        solution("vision-cls", PARAMS, Objects(ctx)).prepare(frame, "label")
    with pytest.warns(UserWarning, match="are left out"):
        parts = solution("vision-cls", PARAMS | {"unreadable": "skip"}, Objects(ctx)).prepare(frame, "label")
    assert sum(len(part) for part in parts.values()) == len(frame) - len(names)


@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_fewer_bits_are_served_by_the_same_predictor(ctx: Context, shapes: Dataset, trained: ModelVersion, precision: str) -> None:
    less = trained.quantize(precision)
    documents = list(shapes.documents())
    same = [a["label"] == b["label"] for a, b in zip(less.predict(documents), trained.predict(documents), strict=True)]
    assert sum(same) >= 0.95 * len(same)
    model = ModelSpec(str(less.ref), "shapes", str(less.folder))
    _, jobs = served(model, ctx, [{"image": documents[0]["image"]}])
    assert [job.outcome for job in jobs] == less.predict(documents[:1])
    assert Models(ctx)["shapes"].versions()["version"].to_list() == [1, 2]


def _post(url: str, document: object) -> tuple[int, dict[str, Any]]:
    request = Request(f"{url}/predict", json.dumps(document).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_from_a_folder_of_pictures_to_answers_over_http(ctx: Context, shapes: Dataset) -> None:
    ws = Workspace(ctx.home)
    training = ws.trainings.create("t-shapes", "shapes", "vision-cls", {**PARAMS, "epochs": 8}, model="shapes")
    assert training.run().wait(timeout=200, progress=False).status == "SUCCEEDED"
    service = ws.services.create("s-shapes")
    service.create_version("v1", models=["shapes@1"])
    try:
        service.deploy("v1")
        document = next(shapes.documents({"label": "square"}))
        reference = json.loads(json.dumps(document["image"]))
        text = base64.b64encode(ws.objects.read(document["image"])).decode()
        expected = training.model.predict({"image": document["image"]})
        for image in (reference, text, f"data:image/png;base64,{text}"):
            status, answer = _post(service.url, {"image": image})
            assert (status, answer["label"]) == (200, expected["label"])
            assert answer["confidence"] == pytest.approx(expected["confidence"], abs=1e-4)
        broken = base64.b64encode(b"no picture").decode()
        for image, words in (("no picture", "no image as base64"), (broken, "cannot be shown as a picture"), (3, "needs image"), ({"a": 1}, "is no image")):
            status, answer = _post(service.url, {"image": image})
            assert status == 422 and words in json.dumps(answer), answer
        assert _post(service.url, {"picture": text})[0] == 422
    finally:
        service.stop()
        stop_worker(ctx)
