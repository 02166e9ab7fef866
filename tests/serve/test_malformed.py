"""A thousand requests that no client should send: none gets a 500, all are refused cheaply, and the next good one is answered."""

import hashlib
import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from malformed import requests

from clow_nb.core.context import Context
from clow_nb.serve import deployment
from clow_nb.serve.client import fetch
from clow_nb.serve.spec import ModelSpec, ServiceSpec

TOKEN = b"open sesame"
FLOW = {
    "steps": [
        {"prepare": [{"set": {"seen": True}}]},
        {"rules": [{"name": "code", "when": {"text": {"$regex": r"\d{6}-\d{7}"}}, "refuse": "Leave personal numbers out."}]},
        {"cache": {"seconds": 60, "keys": ["text"]}},
        {"fallback": ["intent", {"stored": {"by": "text"}}, {"answer": {"label": "unknown"}}]},
    ],
    "later": {"seconds": 20, "callbacks": ["hooks.example.com"]},
}


@pytest.fixture(scope="module")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, psutil.Process]]:
    """A service with a token whose flow has a bit of all; its port and its process."""
    ctx = Context.open(tmp_path_factory.mktemp("malformed") / ".clow")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        ctx.catalog.create("service", "s-hard", spec={"port": probe.getsockname()[1]})
    models = (ModelSpec("model:intent@1", "intent", str(model_folder)),)
    limits: dict[str, Any] = {"flow": FLOW, "max_body_mb": 1.0, "timeout_s": 5.0, "capacity": 64}
    spec = ServiceSpec("s-hard", "v1", models, tokens=(hashlib.sha256(TOKEN).hexdigest(),), **limits)
    port = deployment.release(ctx, spec).port
    yield port, psutil.Process(deployment.status(ctx, "s-hard").pids[0])
    deployment.stop(ctx, "s-hard", seconds=5)
    log = (Path(ctx.home) / "logs" / "s-hard-v1.log").read_bytes()
    assert TOKEN not in log and b"Traceback" not in log, log[-3000:]


def say(port: int, raw: bytes) -> bytes:
    """Everything that the server says to raw bytes, until it closes; what it said before it hung up on the rest of a long body."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        try:
            client.sendall(raw)
            while part := client.recv(65536):
                heard += part
        except (ConnectionResetError, BrokenPipeError):
            assert len(raw) > 100_000, "a short request gets an answer"
            heard = heard or b"HTTP/1.1 499 "
    return heard


def good(port: int) -> dict[str, Any]:
    """The answer to a good request, with probabilities."""
    head = b"POST /predict?probabilities=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: " + TOKEN + b"\r\ncontent-length: 27\r\n\r\n"
    return json.loads(say(port, head + b'{"text": "play some music"}').partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("count", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_malformed_requests_get_no_500(server: tuple[int, psutil.Process], count: int) -> None:
    port, process = server
    good(port)
    before, seen = process.memory_info().rss, Counter[int]()
    for raw in requests(count, count, [b"intent", b"s-hard"], TOKEN):
        status = int(say(port, raw).split(b" ", 2)[1])
        assert status < 500, (status, raw[:500])
        seen[status] += 1
    assert {400, 401, 404, 405, 415, 422} <= set(seen) and seen.total() == count, seen
    assert process.memory_info().rss - before < 60_000_000
    answer = good(port)
    assert answer["label"] == "music" and answer["probabilities"]["music"] == pytest.approx(answer["confidence"], abs=1e-5)


def test_what_has_no_end_is_not_kept(server: tuple[int, psutil.Process]) -> None:
    """Bodies of 12 MB on each road, of announced and of unknown length; addresses and headers of 20 MB."""
    port, process = server
    before, block = process.memory_info().rss, b"x" * 1_000_000
    for path in (b"/predict", b"/forecast", b"/v2/models/intent/infer", b"/feedback/r"):
        for header in (b"content-length: 12000000", b"transfer-encoding: chunked"):
            head = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: " + TOKEN + b"\r\n" + header + b"\r\n\r\n"
            piece = block if b"length" in header else b"f4240\r\n" + block + b"\r\n"
            assert say(port, head + piece * 12 + (b"" if b"length" in header else b"0\r\n\r\n")).split(b" ")[1] in (b"413", b"499")
    for head in (b"GET /" + b"a" * 20_000_000, b"POST /predict HTTP/1.1\r\nhost: x\r\nx-much: " + b"a" * 20_000_000):
        assert say(port, head).split(b" ")[1] in (b"431", b"499")
    assert process.memory_info().rss - before < 60_000_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_schemathesis_finds_no_500(server: tuple[int, psutil.Process], tmp_path: Path) -> None:
    """Every operation of the OpenAPI, with the token; none is left out by a mistake in the description."""
    api = json.loads(fetch_api(server[0]))
    for path in ("/predict", "/forecast", "/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer", "/feedback/{request_id}", "/results/{id}"):
        assert path in api["paths"]
    (tmp_path / "api.json").write_text(json.dumps(api))
    asked = [str(Path(sys.executable).with_name("schemathesis")), "run", "api.json", "--url", f"http://127.0.0.1:{server[0]}", "-H", f"Authorization: Bearer {TOKEN.decode()}"]
    more = ["--checks=not_a_server_error", "--phases=examples,coverage,fuzzing", "--max-examples=40", "--suppress-health-check=all", "--no-color", "--seed=1"]
    done = subprocess.run([*asked, *more], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Authentication failed" not in done.stdout


def fetch_api(port: int) -> bytes:
    """The OpenAPI of the service, for who has the token; nobody else gets it."""
    assert fetch(f"http://127.0.0.1:{port}/openapi.json")[0] == 401
    raw = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: " + TOKEN + b"\r\n\r\n"
    return say(port, raw).partition(b"\r\n\r\n")[2]
