"""The same spec on a local Ray cluster: the same answers and refusals as here, its status, its end."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError, ServiceError
from clow_nb.serve.rolling import table_at
from clow_nb.serve.service import Service, Services
from clow_nb.train.predictor import load_predictor

TEXTS = ["내일 알람 맞춰줘", "오늘 날씨 어때?", "play some music"]
needs_serve = pytest.mark.skipif(importlib.util.find_spec("grpc_reflection") is None, reason="Ray Serve is not installed (clow_nb[ray])")


@pytest.fixture
def intent(ctx: Context, model_folder: Path, free_port: int) -> Iterator[Service]:
    """A service with two versions; worker and servers are ended afterwards."""
    from clow_nb.runs.launch import stop_worker
    from clow_nb.train.models import register

    register(ctx, "intent", model_folder, {"accuracy": 1.0})
    service = Services(ctx).create("s-intent", port=free_port)
    for name in ("v1", "v2"):
        service.create_version(name, models=["intent@1"], shape={"cpus": 0.5})
    yield service
    service.stop()
    stop_worker(ctx)


def test_an_executor_that_is_none_is_refused_before_a_run(intent: Service) -> None:
    with pytest.raises(ParameterError, match=r"no executor 'kubernetes'.*local, ray"):
        intent.deploy("v1", executor="kubernetes")
    assert intent.releases().height == 0


@pytest.mark.slow
@needs_serve
def test_a_ray_cluster_answers_as_we_do(intent: Service) -> None:
    run = intent.deploy("v1", executor="ray", notes="on Ray")
    assert (run.status, run.outputs["url"]) == ("SUCCEEDED", intent.url)
    documents = [{"text": text} for text in TEXTS]
    expected = load_predictor(intent.spec("v1").models[0].folder).predict(documents)
    for answer, right in zip(intent.predict(documents), expected, strict=True):
        assert answer["label"] == right["label"] and answer["confidence"] == pytest.approx(right["confidence"], abs=1e-6)
        assert answer["version"] == "v1" and answer["request_id"]
    with pytest.raises(ServiceError, match="422"):
        intent.predict({"txt": "알람"})
    assert str(intent.status()) == "RUNNING v1" and intent.releases()["notes"][0] == "on Ray"
    for another in (lambda: intent.start("v2"), lambda: intent.rollout("v2")):
        with pytest.raises(ServiceError, match="serves on Ray, which has the port to itself"):
            another()
    with pytest.raises(ServiceError, match="is in service already"):
        intent.start("v2", executor="ray")
    [driver] = intent.status().pids
    cluster = psutil.Process(driver).children(recursive=True)
    assert intent.stop() and intent.status().state == "STOPPED"
    assert not psutil.wait_procs(cluster, timeout=60)[1], "what was started for it has ended with it"
    # the driver ended by itself, and rolled the log before: what was answered is in the table, and nowhere else
    assert (intent.ctx.folder("logs") / "s-intent-v1.log").read_text().endswith("ended\n")
    table = table_at(intent.folder)
    assert table is not None and table.count_rows() == len(TEXTS)
    assert intent.log()["decision"].to_list() == ["alarm", "weather", "music"]
