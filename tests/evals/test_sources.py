"""Anything that answers is judged: models of every task, a service over HTTP, files, functions; and what can't be is refused in words."""

import json
import math
import threading
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.core.errors import ClowError, DataError, FileError, NotFound, ParameterError, ServiceError
from clow_nb.evals.scoring import judge, score_models
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit


@pytest.fixture
def ws(ctx: Context) -> Workspace:
    return Workspace(ctx.home)


def learned(ws: Workspace, name: str, kind: str, dataset: str, folder: Path, params: dict[str, Any]) -> str:
    """A model that was really trained on a dataset, registered; its reference."""
    ds = ws.datasets[dataset]
    task = solution(kind, params, ws.objects)
    frame = ds.scan().sort("_pos").collect()
    label = task.target(frame, ds.label)
    splits = task.prepare(task.split(frame, label), label)
    network, progress = fit(task, splits["train"], splits["valid"])
    return str(register(ws.ctx, name, save_model(folder / name, task, network, progress.metrics), progress.metrics, [ds.ref]).ref)


def split_of(number: int) -> str:
    return "test" if number % 5 == 0 else "valid" if number % 5 == 1 else "train"


def test_numbers_of_a_table(ws: Workspace, tmp_path: Path) -> None:
    rows = [{"size": float(n % 30), "town": "ab"[n % 2], "price": 10.0 + n % 30 + 5 * (n % 2), "split": split_of(n)} for n in range(150)]
    ws.datasets.create("homes", rows, label="price")
    refs = [learned(ws, "price", "tabular", "homes", tmp_path / str(epochs), {"epochs": epochs, "leaf_size": 3}) for epochs in (1, 30)]
    ev = ws.evaluations.create("e-price", model="price@2", dataset="homes")
    result = ev.evaluate()
    table = result.predictions
    assert (ev.task, ev.preset, table.schema["actual"], table.height) == ("regression", "regression", pl.Float64, 30)
    assert result.metrics["mae"] == pytest.approx((table["predicted"] - table["actual"]).abs().mean()) and result.metrics["r2"] > 0.9
    assert result.intervals["mae"][0] <= result.metrics["mae"] <= result.intervals["mae"][1]
    assert not [card for card in ev.cards() if card.kind == "error"]
    assert ev.results()["mae"].to_list() == [result.metrics["mae"]]
    listed = ws.evaluations.list().row(0, named=True)
    assert (listed["metric"], listed["value"], listed["task"], listed["judged"]) == ("mae", result.metrics["mae"], "regression", "model:price@2")
    found = ws.evaluations.compare(refs, "homes")
    worst = found.flips().row(0, named=True)
    assert worst["change"] == "better" and worst["gain"] == pytest.approx(worst["error_before"] - worst["error_after"])
    assert found.metrics.filter(name=refs[1], metric="mae")["better"].item() and "is better than" in repr(found)
    with pytest.raises(ParameterError, match="Numbers are not right or wrong"):
        found.mcnemar()
    assert judge(ws.ctx, "mae < 3 and r2 > 0.5", "price@2", "homes").passed
    with pytest.raises(DataError, match="has no classes"):
        _ = result.per_class
    with pytest.raises(DataError, match="predicts numbers"):
        ws.evaluations.create("e-town", model="price@2", dataset="homes", label="town").evaluate()


def hours(rows: int, odd: Collection[int]) -> list[dict[str, Any]]:
    begin = datetime(2026, 1, 1)
    return [
        {"time": begin + timedelta(hours=n), "place": place, "load": math.sin(n / 4) * 10 + (30 if n in odd else 0), "broken": n in odd}
        for place in ("east", "west") for n in range(rows)
    ]


def test_forecasts_and_their_flags(ws: Workspace, tmp_path: Path) -> None:
    ws.datasets.create("loads", hours(300, odd=(280, 285, 286, 298)), label="load")
    params = {"network": "linear", "window": 12, "horizon": 3, "epochs": 8, "lr": 0.02, "series": "place", "variables": ["load"]}
    ref = learned(ws, "load", "ts-forecast", "loads", tmp_path, params)
    ev = ws.evaluations.create("e-load", model=ref, dataset="loads")
    table = ev.evaluate().predictions
    assert (ev.task, set(table["step"]), set(table["series"]), table.height) == ("forecast", {1, 2, 3}, {"east", "west"}, 2 * 28 * 3)
    truth = {(d["place"], d["time"]): d for d in ws.datasets["loads"].documents()}
    for row in table.sample(20, seed=0).iter_rows(named=True):
        document = truth[row["series"], row["at"]]
        assert (row["_id"], row["actual"]) == (document["_id"], document["load"])
        before = truth[row["series"], row["at"] - timedelta(hours=row["step"])]
        assert row["naive"] == before["load"]
    predictor = ws.models["load"][1].load()
    first = table.filter(series="east", step=1).row(0, named=True)
    window = [truth["east", first["at"] - timedelta(hours=n)]["load"] for n in range(12, 0, -1)]
    assert first["predicted"] == pytest.approx(predictor.predict([{"place": "east", "load": window}])[0]["values"][0], abs=1e-4)
    assert {"mae", "rmse", "smape", "mase"} <= ev.metrics.keys()
    assert not [card for card in ev.cards() if card.kind == "error"]

    flags = ws.evaluations.create("e-flags", model=ref, dataset="loads", label="broken").evaluate()
    assert flags.task == "anomaly" and {"at", "series", "score"} <= set(flags.predictions.columns)
    assert flags.predictions.filter("actual").height == 8 and flags.metrics["recall"] == 1.0, "what is odd hides neither itself nor its neighbours"
    again = score_models(ws.ctx, [ref], "loads")[ref]
    assert again["mae"] == ev.metrics["mae"]
    ws.datasets.create("prices", [{"time": datetime(2026, 1, 1), "price": 1.0}])
    with pytest.raises(DataError, match="'load'"):
        ws.evaluations.create("e-other", model=ref, dataset="prices").evaluate()


def test_pictures(ws: Workspace, tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    def picture(number: int) -> bytes:
        file = BytesIO()
        shade = np.random.default_rng(number).integers(0, 60, (8, 8)) + (180 if number % 2 else 0)
        Image.fromarray(shade.astype(np.uint8)).save(file, "PNG")
        return file.getvalue()

    rows = [{"image": picture(n), "kind": ("dark", "light")[n % 2], "split": split_of(n)} for n in range(60)]
    ws.datasets.create("shades", rows, label="kind")
    ref = learned(ws, "shade", "vision-cls", "shades", tmp_path, {"network": "linear", "epochs": 20, "lr": 0.02})
    ev = ws.evaluations.create("e-shade", model=ref, dataset="shades")
    assert ev.evaluate().metrics["accuracy"] > 0.9
    assert ev.predictions.schema["image"] == pl.Binary and ev.predictions.height == 12
    assert not [card for card in ev.cards() if card.kind == "error"]


class Answers(BaseHTTPRequestHandler):
    """Answers as a service does; the label is the last word."""

    def do_POST(self) -> None:
        documents = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert not any("topic" in document for document in documents)
        made = [{"label": document["text"].split()[-1], "confidence": 0.9, "version": "v7"} for document in documents]
        body = json.dumps(made).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        return None


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/predict"
    server.shutdown()
    server.server_close()


WORDS = [{"sku": n, "text": f"number {n} {'ab'[n % 2]}", "topic": "ab"[n % 3 % 2], "split": split_of(n)} for n in range(20)]


def test_an_address_that_answers(ws: Workspace, address: str) -> None:
    ws.datasets.create("words", WORDS, label="topic", key="sku")
    ev = ws.evaluations.create("e-http", service=address, dataset="words", split="")
    result = ev.evaluate()
    assert result.about["service"] == address and ev.facts()["Service"] == address
    assert result.predictions["predicted"].to_list() == ["ab"[n % 2] for n in range(20)] and "ece" in result.metrics
    gone = ws.evaluations.create("e-gone", service="http://127.0.0.1:9/predict", dataset="words")
    with pytest.raises(ServiceError, match="can't be reached"):
        gone.evaluate()
    with pytest.raises(NotFound, match="s-none"):
        ws.evaluations.create("e-none", service="s-none", dataset="words")
    assert gone.results().height == 0


def last_word(document: dict[str, Any]) -> str:
    """A rule that a worker can import."""
    return str(document["text"].split()[-1])


def test_files_and_functions_give_the_same_table(ws: Workspace, tmp_path: Path) -> None:
    ds = ws.datasets.create("words", WORDS, label="topic", key="sku")
    by_rule = ws.evaluations.create("e-rule", function=last_word, dataset="words").evaluate()
    frame = pl.DataFrame([{"sku": row["sku"], "best": last_word(row), "confidence": 0.5} for row in reversed(WORDS)])
    frame.write_csv(tmp_path / "out.csv"), frame.write_parquet(tmp_path / "out.parquet"), frame.write_ndjson(tmp_path / "out.jsonl")
    for kind in ("csv", "parquet", "jsonl"):
        ev = ws.evaluations.create(f"e-{kind}", file=tmp_path / f"out.{kind}", predictions="best", dataset="words", split="test")
        table = ev.evaluate().predictions
        assert table.drop("confidence").equals(by_rule.predictions.select(table.drop("confidence").columns))
        assert ev.result.about["digest"] and ev.facts()["File"].endswith(kind)
    assert ws.evaluations["e-csv"].clone("e-whole", split="").evaluate().metrics["documents"] == 20
    assert ws.evaluations.compare(["evaluation:e-csv", "evaluation:e-rule@1"]).flips().height == 0
    ds.append([{"sku": 99, "text": "more a", "topic": "a", "split": "test"}])
    with pytest.raises(DataError, match="no prediction for: 99"):
        ws.evaluations["e-csv"].evaluate()
    (tmp_path / "out.csv").unlink()
    with pytest.raises(FileError):
        ws.evaluations["e-csv"].evaluate()


def test_a_worker_imports_the_function_it_judges(ws: Workspace) -> None:
    ws.datasets.create("words", WORDS, label="topic")
    named = ws.evaluations.create("e-named", function=f"{last_word.__module__}:last_word", dataset="words")
    assert named.evaluate().metrics["documents"] == 4 and named.item.spec["function"].endswith(":last_word")
    local = ws.evaluations.create("e-local", function=lambda document: "a", dataset="words")
    assert local.evaluate().warnings == ["Every document was given the same answer: a."]
    with pytest.raises(ParameterError, match="no worker can import"):
        local.run()


UNJUDGED: list[tuple[Any, dict[str, str], type[ClowError], str]] = [
    ({"a": math.nan, "b": 0.1}, {}, DataError, "not between 0 and 1"),
    (None, {"task": "regression"}, DataError, "a finite number"),
    (math.inf, {"task": "regression"}, DataError, "a finite number"),
    ("zzz", {"split": "holdout"}, DataError, "no documents in the split 'holdout'"),
    ("zzz", {"task": "ranking"}, ParameterError, "no task 'ranking'"),
    ("zzz", {"label": "intent"}, DataError, "'intent'"),
]


def test_what_cannot_be_judged_is_said_and_leaves_nothing(ws: Workspace) -> None:
    ws.datasets.create("words", WORDS, label="topic")
    for number, (said, given, error, words) in enumerate(UNJUDGED):
        answer = {"label": "a", "confidence": 0.9, "probabilities": said} if isinstance(said, dict) else {"value": said} if "task" in given else said
        with pytest.raises(error, match=words):
            ws.evaluations.create(f"e-bad-{number}", function=lambda document, answer=answer: answer, dataset="words", **given).evaluate()
        assert not list((ws.home / "evaluations").rglob("result.json")), words


def test_what_a_reader_must_know_is_said_beside_the_scores(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": "x", "topic": topic, "guess": guess} for topic, guess in (("a", "z"), ("b", "b"), ("b", "z"))]
    ws.datasets.create("odd", rows, label="topic")
    ev = ws.evaluations.create("e-odd", predictions="guess", dataset="odd")
    assert ev.evaluate().warnings == ["Labels were predicted that no document of the dataset has: z (2)."]
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert ev.warnings == ["데이터셋의 어떤 문서에도 없는 라벨을 예측했습니다: z (2)."]
