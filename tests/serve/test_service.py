"""The whole way of a person: a registered model, a service, deployments as runs, answers, the log, the end."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, NotFound, ParameterError, RunError, ServiceError
from clow_nb.evals.cards import make_card
from clow_nb.evals.logged import predictions_of_log
from clow_nb.evals.templates import offered
from clow_nb.runs.machine import birth
from clow_nb.serve.service import Service, Services


@pytest.fixture
def intent(ctx: Context, model_folder: Path, free_port: int) -> Iterator[Service]:
    """A service in a workspace with two versions of a model; worker and servers are ended afterwards."""
    from clow_nb.runs.launch import stop_worker
    from clow_nb.train.models import register

    for token in ("first", "second"):
        register(ctx, "intent", model_folder, {"accuracy": 1.0}, token=token)
    service = Services(ctx).create("s-intent", title="의도 분류", port=free_port)
    yield service
    if "s-intent" in Services(ctx):
        service.stop()
    stop_worker(ctx)


def test_from_a_model_to_answers_and_back(ctx: Context, intent: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert intent.create_version("v1", models=["intent@1"], notes="the first") == "v1"
    assert intent.create_version(models=["intent@2"], token="pipeline-1") == "v2"
    run = intent.deploy("v1")
    assert (run.status, run.outputs["url"], run.kind, run.target) == ("SUCCEEDED", intent.url, "serve", "s-intent")
    assert intent.predict({"text": "제주도 날씨"})["label"] == "weather"
    answers = intent.predict({"text": f"play {number} music"} for number in range(600))
    assert len(answers) == 600 and {answer["label"] for answer in answers} == {"music"}
    with pytest.raises(ServiceError, match=r"422.*\$\[1\]\.text"):
        intent.predict([{"text": "a"}, {"txt": "b"}])
    [event] = ctx.events.since(topic="service.deployed")
    assert event.payload["ref"] == "service:s-intent@1" and event.payload["url"] == intent.url

    # another process sees it, the second version can't be loaded, the first goes on
    code = "import sys; from clow_nb import Workspace; print(Workspace(sys.argv[1]).services['s-intent'].status())"
    seen = subprocess.run([sys.executable, "-c", code, str(ctx.home)], capture_output=True, text=True, check=True)
    assert seen.stdout.strip().endswith("RUNNING v1")
    weights = Path(intent.spec("v2").models[0].folder) / "model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ServiceError, match=r"model:intent@2 can't be loaded.*was changed"):
        intent.start("v2")
    assert intent.predict({"text": "알람 맞춰줘"})["version"] == "v1"
    assert intent.releases()["status"].to_list() == ["FAILED", "SERVING"]
    assert "was changed" in intent.releases()["reason"][0]
    monkeypatch.setenv("CLOW_LANG", "ko")  # also what the process of the models said is in the reader's language
    assert "다시 학습" in intent.releases()["reason"][0] and "was changed" not in intent.releases()["reason"][0]
    monkeypatch.setenv("CLOW_LANG", "en")

    # mended, it takes over the same address
    weights.write_bytes(good)
    before = intent.url
    intent.start("v2", notes="better")
    assert intent.url == before and intent.predict({"text": "알람 맞춰줘"})["version"] == "v2"
    assert intent.versions()["current"].to_list() == [False, True]
    assert Services(ctx).list()["status"].to_list() == ["RUNNING"]
    # what was answered a moment ago is in the log of whoever looks, and can be judged
    answered = intent.predict({"text": "새 노래 play"})
    assert len(intent.log()) == 604
    intent.feedback(answered["request_id"], {"label": "music"})
    assert intent.log({"feedback.label": "music"})["request_id"].to_list() == [answered["request_id"]]
    log = intent.log(version="v2")
    assert json.loads(log["output"][0])["label"] == "alarm" and log["model"][0] == "model:intent@2"
    table = predictions_of_log(log)
    assert "confidences" in offered(table) and make_card("confidences", table).kind == "chart"
    with pytest.raises(ServiceError, match=r"stop\(\) it first"):
        Services(ctx).delete("s-intent")
    pids = intent.status().pids
    assert intent.stop() and not intent.stop()
    assert intent.status().state == "STOPPED" and intent.url is None
    assert pids and not any(map(birth, pids))
    with pytest.raises(ServiceError, match="not running"):
        intent.predict({"text": "a"})
    Services(ctx).delete("s-intent")
    with pytest.raises(NotFound):
        intent.status()


@pytest.mark.slow
def test_a_deployment_that_fails_says_so_in_its_run(intent: Service) -> None:
    intent.create_version("v1", models=["intent@1"])
    (Path(intent.spec("v1").models[0].folder) / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"model:intent@1 can't be loaded.*was changed"):
        intent.deploy("v1")
    assert intent.status().state == "STOPPED"


def test_versions_never_change_and_name_their_models_for_good(ctx: Context, intent: Service) -> None:
    ctx.catalog.set_stage("model", "intent", 1, "production")
    intent.create_version("v1", models=["intent@production"])
    ctx.catalog.set_stage("model", "intent", 2, "production")
    assert [model.ref for model in intent.spec("v1").models] == ["model:intent@1"]
    assert [edge.source for edge in ctx.catalog.edges("service:s-intent@1")] == ["model:intent@1"]
    both = intent.create_version(models=["intent@1", "intent@2"])
    assert [model.name for model in intent.spec(both).models] == ["intent@1", "intent@2"]
    for wrong, error in (
        (lambda: intent.create_version("v1", models=["intent@2"]), AlreadyExists),
        (lambda: intent.create_version("v9", models=["intent@9"]), NotFound),
        (lambda: intent.create_version("v9", models=["nothing@1"]), NotFound),
        (lambda: intent.create_version("latest", models=["intent@1"]), ParameterError),
        (lambda: intent.create_version("v9", models=["intent@1", "intent"], workers=0), ParameterError),
        (lambda: intent.create_version("v9", models=["intent@1"], workers=2.5), ParameterError),
        (lambda: intent.deploy("v9"), NotFound),
        (lambda: Services(ctx).create("s-intent"), AlreadyExists),
        (lambda: Services(ctx).create("s-other", port=80), ServiceError),
    ):
        with pytest.raises(error):
            wrong()
    assert intent.versions()["version"].to_list() == ["v1", "v2"] and len(Services(ctx)) == 1


def test_versions_made_at_once_get_numbers_of_their_own(ctx: Context, intent: Service) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def make(number: int) -> str:
        try:
            return Service(ctx, "s-intent").create_version(f"r{number % 4}", models=["intent@1"])
        except AlreadyExists:
            return "taken"

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))
    assert sorted(made) == ["r0", "r1", "r2", "r3", *["taken"] * 4]
    assert sorted(intent.versions()["number"].to_list()) == [1, 2, 3, 4]
    assert all(ctx.catalog.resolve(f"service:s-intent@r{number}", "service") for number in range(4))
