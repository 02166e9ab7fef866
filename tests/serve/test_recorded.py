"""A service's log, feedback, replays and predicted datasets, with a real model, in real runs."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import ensure_worker, stop_worker
from clow_nb.serve.feedback import Feedback
from clow_nb.serve.predicting import prediction_rows
from clow_nb.serve.results import ResultStore
from clow_nb.serve.service import Service, Services
from clow_nb.serve.traffic import Entry, TrafficWriter
from clow_nb.train.models import register
from clow_nb.train.predictor import load_predictor, save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

DOCUMENTS = [
    *({"text": f"{word} 알람 맞춰줘", "label": "alarm"} for word in ("내일", "아침", "일곱 시에", "여덟 시에", "모레")),
    *({"text": f"{word} 날씨 어때?", "label": "weather"} for word in ("오늘", "서울", "제주도", "주말", "이번 주")),
    *({"text": f"play {word} music", "label": "music"} for word in ("some", "calm", "loud", "new", "old")),
]


@pytest.fixture
def recorded(ctx: Context, model_folder: Path) -> Iterator[Service]:
    """A service whose two versions answer with one model, the second behind a rule. Its log has fifteen requests of v1."""
    register(ctx, "intent", model_folder, {})
    service = Services(ctx).create("s-intent")
    service.create_version("v1", ["intent@1"])
    service.create_version("v2", ["intent@1"], flow=[{"rules": [{"name": "late", "when": {"text": {"$contains": "밤"}}, "answer": {"label": "night"}}]}, "intent"])
    writer, start = TrafficWriter(service.folder / "traffic"), datetime.now(UTC) - timedelta(minutes=5)
    for number, document in enumerate(DOCUMENTS):
        output = {"label": "alarm", "confidence": 0.5}
        entry = Entry(start + timedelta(seconds=number), f"r{number}", "s-intent", "v1", "model:intent@1", {"text": document["text"]}, output, 200, 1, 2)
        writer.add(entry)
    writer.close()
    yield service
    stop_worker(ctx)


def test_the_log_is_replayed_by_another_version_away_from_live_traffic(recorded: Service) -> None:
    found = recorded.replay("v2", limit=10)
    assert found.height == 10 and found["again"].null_count() == 0 and set(found["again"]) == {"weather", "music"}
    assert found["changed"].all() and found["time"].is_sorted(descending=True)
    assert recorded.log(version="v2").is_empty() and recorded.url is None
    assert recorded.replay("v2", limit=3)["request_id"].to_list() == ["r14", "r13", "r12"]  # known already: no run
    with pytest.raises(NotFound):
        recorded.replay("v9")


def test_feedback_joins_the_log(recorded: Service) -> None:
    recorded.feedback("r3", {"label": "music"}, "lee")
    Feedback(recorded.folder).add("r4", {"label": "weather"})
    recorded.roll_log()
    told = recorded.log({"feedback": {"$exists": True}})
    assert told.select("request_id", "feedback", "feedback_by").rows() == [("r3", '{"label":"music"}', "lee"), ("r4", '{"label":"weather"}', "")]
    assert recorded.log({"feedback.label": {"$in": ["music"]}, "output.label": "alarm"})["request_id"].to_list() == ["r3"]
    with pytest.raises(NotFound, match="no request 'r99'"):
        recorded.feedback("r99", {})


def test_a_dataset_is_predicted_into_versions_of_another(recorded: Service, tmp_path: Path) -> None:
    datasets = Datasets(recorded.ctx)
    source = datasets.create("asked", [{**document, "user": number} for number, document in enumerate(DOCUMENTS)] + [{"nothing": 1}], label="label")
    made = recorded.predict_dataset("asked", csv=str(tmp_path / "night.csv"), store_by="user")
    assert (made.name, made.version, len(made)) == ("asked-predicted", 1, 16)
    assert made.count({"pred_error": {"$exists": True}}) == 1
    by_id = {document["_id"]: document for document in made.documents()}
    assert all(by_id[document["_id"]]["text"] == document["text"] for document in source.documents({"text": {"$exists": True}}))
    assert sum(document.get("pred") == document.get("label") for document in by_id.values()) >= 14
    assert {edge.source for edge in recorded.ctx.catalog.edges(made.ref)} == {"dataset:asked@1", "service:s-intent@2"}
    lines = (tmp_path / "night.csv").read_text("utf-8").splitlines()
    assert lines[0] == "path,pred,prob" and len(lines) == 17
    assert len(ResultStore(recorded.folder).get([0, 14])) == 2
    again = recorded.predict_dataset("asked", version="v1", query={"label": "music"})
    assert (again.version, len(again)) == (2, 5) and again.documents().__next__()["_id"] in by_id
    with pytest.raises(ParameterError, match="can't go into asked"):
        recorded.predict_dataset("asked", to="asked")


def test_forecasts_of_a_night_are_a_line_each_with_their_steps(ctx: Context, tmp_path: Path) -> None:
    """What the run of `predict_dataset(csv=…)` does, here: the answers as keys, and a table `t,t+1,t+2`; what can't be forecast is an empty line."""
    task = solution("ts-forecast", {"window": 4, "horizon": 2, "hidden": 4, "layers": 1, "epochs": 1, "batch_size": 16})
    hours = [{"at": datetime(2026, 1, 1) + timedelta(hours=n), "load": 50.0 + n % 5} for n in range(80)]
    parts = task.prepare(task.split(pl.DataFrame(hours), "load"), "load")
    model, _ = fit(task, parts["train"], parts["valid"])
    register(ctx, "load", save_model(tmp_path / "load", task, model), {})
    service = Services(ctx).create("s-load")
    service.create_version("v1", ["load@1"])
    asked = {"2026-11-22": [50.0, 51.0, 52.0, 53.0], "2026-11-23": [54.0, 50.0, 51.0, 52.0], "2026-11-24": [1.0]}
    Datasets(ctx).create("nights", [{"_id": day, "load": values} for day, values in asked.items()])
    made = service.predict_here("v1", "dataset:nights@1", "", "", "", 3.0)
    prediction_rows(made.documents()).write_csv(tmp_path / "night.csv")
    table = pl.read_csv(tmp_path / "night.csv")
    assert table.columns == ["t", "t+1", "t+2"] and sorted(table["t"]) == list(asked)
    said = dict(zip(asked, load_predictor(tmp_path / "load").predict([{"load": values} for values in list(asked.values())[:2]]), strict=False))
    for day, first, second in table.iter_rows():
        assert [first, second] == (pytest.approx(said[day]["values"], abs=1e-4) if day in said else [None, None])
    assert made.count({"pred_error": {"$exists": True}}) == 1


OWN = """import os, time

def note(document):
    with open({path!r}, "a") as file:
        print(os.getpid(), document["n"], file=file)
    time.sleep(0.004)
    return document
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("killed", ["kernel", "worker"])
def test_a_killed_run_of_predictions_asks_nothing_twice_that_was_kept(recorded: Service, tmp_path: Path, killed: str) -> None:
    """Killed after the first piece of three: what was kept is not asked again, and there is one version of the answers."""
    (tmp_path / "repo").mkdir()
    asked = tmp_path / "asked"
    (tmp_path / "repo" / "own.py").write_text(OWN.format(path=str(asked)))
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"]):
        subprocess.run(["git", "-C", str(tmp_path / "repo"), *words], check=True)
    flow = [{"prepare": [{"call": "own:note"}]}, {"answer": {"label": "seen"}}]
    recorded.create_version("v3", flow=flow, code={"repo": str(tmp_path / "repo")})
    Datasets(recorded.ctx).create("many", [{"n": number} for number in range(3000)])
    run = recorded.start_predictions("many", version="v3", csv=str(tmp_path / "night.csv"))
    worker, until = ensure_worker(recorded.ctx).pid, time.monotonic() + 150
    while not asked.exists() or asked.read_text().count("\n") < 1200:
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(worker if killed == "worker" else int(asked.read_text().split()[0]), signal.SIGKILL)
    assert run.wait(250, progress=False).status == "SUCCEEDED"
    made = Datasets(recorded.ctx)["many-predicted"]
    assert (made.version, len(made), made.count({"pred": "seen"})) == (1, 3000, 3000)
    seen = Counter(line.split()[1] for line in asked.read_text().splitlines())
    assert set(seen) == {str(number) for number in range(3000)}
    again = {int(number) // 1000 for number, times in seen.items() if times > 1}
    assert len(again) <= 1 and 0 not in again and max(seen.values()) == 2, "only the piece that was under way is asked again"
    assert len((tmp_path / "night.csv").read_text().splitlines()) == 3001
