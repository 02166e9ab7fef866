"""Flows at work in a real, deployed service; what each pattern promises, with a real model."""

import json
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.serve import deployment
from clow_nb.serve.client import ask, fetch
from clow_nb.serve.results import ResultStore
from clow_nb.serve.service import Services
from clow_nb.serve.spec import service_folder

YAML = """
steps:
- prepare:
  - rename: {question: text}
  - call: "own:clean"
- lookup: {dataset: users, by: user, keys: [vip], default: {vip: false}}
- rules:
  - name: nothing
    when: {text: ""}
    answer: {label: none}
  - name: code
    when: {text: {$regex: '\\d{6}-\\d{7}'}}
    refuse: Leave personal numbers out.
- cache: {seconds: 60, keys: [text, vip]}
- fallback:
  - - model: intent@2
    - rules:
      - name: not sure
        when_answer: {confidence: {$lt: 0.4}}
        veto: not sure enough
  - stored: {by: user}
  - answer: {label: unknown}
- rules:
  - name: vip weather
    when: {vip: true}
    when_answer: {label: weather}
    set: {label: weather, desk: vip}
- finish:
  - pick: [label, desk]
level: {p95_ms: 1000}
later: {seconds: 20}
"""


@pytest.fixture(scope="module")
def served(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, str]]:
    """A workspace with a service whose flow has all of it, and the service's address."""
    from clow_nb.train.models import register

    folder = tmp_path_factory.mktemp("flow")
    ctx = Context.open(folder / ".clow")
    for token in ("first", "second"):
        register(ctx, "intent", model_folder, {}, token=token)
    Datasets(ctx).create("users", [{"user": "u1", "vip": True}, {"user": "u2", "vip": False}], key="user")
    repo = folder / "repo"
    repo.mkdir()
    (repo / "own.py").write_text("def clean(document):\n    return {**document, 'text': document['text'].replace('~', '')}\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"]):
        subprocess.run(["git", "-C", str(repo), *words], check=True)
    (folder / "flow.yaml").write_text(YAML)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        service = Services(ctx).create("s-flow", port=probe.getsockname()[1])
    ResultStore(service_folder(ctx.home, "s-flow")).put([("u2", {"label": "music"})], ref="model:intent@1", version="v0")
    with warnings.catch_warnings(record=True) as notices:
        warnings.simplefilter("always")
        service.create_version("v1", models=["intent@2"], flow=str(folder / "flow.yaml"), code={"repo": str(repo)})
    assert not notices
    deployment.release(ctx, service.spec("v1"))
    yield ctx, str(service.url)
    deployment.stop(ctx, "s-flow", seconds=5)


def test_one_request_through_all_steps(served: tuple[Context, str]) -> None:
    ctx, url = served
    many = [{"question": "오늘 날씨 어때~?", "user": "u1"}, {"text": "서울 날씨 어때?"}, {"question": "", "user": "u9"}, {"question": "ㅁㄴㅇㄹ qq zz", "user": "u2"}]
    vip, plain, empty, odd = ask(f"{url}/predict", many)
    assert (vip["label"], vip["desk"], vip["decided_by"]) == ("weather", "vip", "rule:vip weather")
    assert plain["label"] == "weather" and "decided_by" not in plain and "confidence" not in plain
    assert (empty["label"], empty["decided_by"]) == ("none", "rule:nothing")
    assert odd["version"] == "v1"
    status, _, body = fetch(f"{url}/predict", json.dumps({"text": "900101-1234567", "user": "u1"}).encode())
    assert (status, json.loads(body)["error"]) == (422, "Leave personal numbers out.")
    for path in ("predict?model=nobody", "v2/models/nobody/infer"):  # not answered by another model in its name
        status, _, body = fetch(f"{url}/{path}", json.dumps({"text": "서울 날씨 어때?"}).encode())
        assert status == 404 and "'nobody'" in json.loads(body)["error"]
    assert ask(f"{url}/predict?model=intent", many[1])["label"] == plain["label"]
    again = ask(f"{url}/predict", many[1])
    assert again["label"] == plain["label"]
    assert [edge.source for edge in ctx.catalog.edges("service:s-flow@1")] == ["model:intent@2", "dataset:users@1"]


def test_a_real_tritonclient_asks_the_flow(served: tuple[Context, str]) -> None:
    """By the service's name, in the service's version: text in, what the flow says out, as JSON and as binary tensors."""
    triton = pytest.importorskip("tritonclient.http")
    client = triton.InferenceServerClient(served[1].removeprefix("http://"), network_timeout=60)
    try:
        assert client.is_server_live() and client.is_model_ready("s-flow") and client.is_model_ready("s-flow", "v1")
        assert not client.is_model_ready("s-flow", "v2") and client.get_model_metadata("s-flow")["versions"] == ["v1"]
        columns = {"question": ["오늘 날씨 어때~?", ""], "user": ["u1", "u9"]}
        asked = [triton.InferInput(name, [2], "BYTES") for name in columns]
        for binary in (True, False):
            for tensor, values in zip(asked, columns.values(), strict=True):
                tensor.set_data_from_numpy(np.array(values, object), binary_data=binary)
            wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("label", "desk", "decided_by")]
            found = client.infer("s-flow", asked, model_version="v1", outputs=wanted)
            assert found.get_response()["model_version"] == "v1"
            said = [[one.decode() if binary else one for one in found.as_numpy(name)] for name in ("label", "desk", "decided_by")]
            assert said == [["weather", "none"], ["vip", "null"], ["rule:vip weather", "rule:nothing"]]
        with pytest.raises(Exception, match="Leave personal numbers out"):
            one = triton.InferInput("text", [1], "BYTES")
            client.infer("s-flow", [one.set_data_from_numpy(np.array(["900101-1234567"], object))])
    finally:
        client.close()


def test_who_does_not_wait_fetches_the_result(served: tuple[Context, str]) -> None:
    _, url = served
    host, _, port = url.removeprefix("http://").partition(":")

    def call(method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        client = HTTPConnection(host, int(port), timeout=120)
        client.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = client.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    body = json.dumps({"text": "제주도 날씨 어때?"}).encode()
    status, headers, _ = call("POST", "/predict", body, prefer="respond-async")
    assert (status, headers["preference-applied"]) == (202, "respond-async")
    deadline = time.monotonic() + 120
    while (found := call("GET", headers["location"]))[0] == 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found[0] == 200 and json.loads(found[2])["label"] == "weather"
    assert call("GET", "/results/nothing")[0] == 404
    assert call("POST", "/predict", body, prefer="respond-async", x_callback_url="http://169.254.169.254/")[0] == 422


def test_a_flow_that_cant_work_makes_no_version(served: tuple[Context, str]) -> None:
    ctx, _ = served
    service = Services(ctx)["s-flow"]
    for flow, kind, words in (
        ([{"modle": "intent"}], ParameterError, r"steps\[0\]"),
        (["small"], ParameterError, "not in this version"),
        ([{"use": "a"}], ParameterError, "no part 'a'"),
        ([{"lookup": {"dataset": "nobody", "by": "x"}}, "intent"], NotFound, "looks up in 'nobody'"),
        ([{"prepare": [{"replace": {"key": "text", "pattern": "(a+)+\\1", "by": ""}}]}, "intent"], ParameterError, "backreferences"),
        ([{"prepare": [{"call": "own:clean"}]}, "intent"], ParameterError, "no code"),
        ("nowhere.yaml", ParameterError, "can't be read"),
    ):
        with pytest.raises(kind, match=words):
            service.create_version("v9", models=["intent@2"], flow=flow)
    with pytest.warns(UserWarning, match="share one process"):
        service.create_version("v2", models=["intent@1", "intent@2"], flow={"template": ["$asked", {"finish": [{"round": {"confidence": "${digits}"}}]}], "values": {"digits": 2}})
    assert service.versions()["version"].to_list() == ["v1", "v2"]
    rules: dict[str, Any] = {"steps": [{"rules": [{"name": "hi", "when": {"text": {"$contains": "안녕"}}, "answer": {"label": "greeting"}}]}, {"answer": {"label": "?"}}]}
    assert service.create_version("v3", flow=rules) == "v3" and not service.spec("v3").models
