"""One real server, asked by everything that people ask with: a `tritonclient`, forms, tokens, and nonsense."""

import asyncio
import hashlib
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.serve import deployment
from clow_nb.serve.client import fetch
from clow_nb.serve.spec import ModelSpec, ServiceSpec

TOKEN = b"open sesame"


@pytest.fixture(scope="module")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, int, Path]]:
    """A service with a token; each of its forty models is loaded when it is first asked, three fit."""
    ctx = Context.open(tmp_path_factory.mktemp("dialects") / ".clow")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        ctx.catalog.create("service", "s-many", spec={"port": probe.getsockname()[1]})
    models = tuple(ModelSpec(f"model:intent{number}@{number + 1}", f"intent{number}", str(model_folder)) for number in range(40))
    limits: dict[str, Any] = {"on_demand": True, "memory_mb": 1, "idle_s": 1.0, "adaptive": "adaptive", "max_body_mb": 1.0}
    spec = ServiceSpec("s-many", "v1", models, tokens=(hashlib.sha256(TOKEN).hexdigest(),), **limits)
    log = Path(ctx.home) / "logs" / "s-many-v1.log"
    yield ctx, deployment.release(ctx, spec).port, log
    deployment.stop(ctx, "s-many", seconds=5)
    assert b"sesame" not in log.read_bytes()


def send(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"x-api-key": TOKEN, **named})  # type: ignore[dict-item]
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_real_tritonclient_talks_to_it(server: tuple[Context, int, Path]) -> None:
    import numpy as np

    triton = pytest.importorskip("tritonclient.http")

    texts = np.array(["내일 아침 알람 맞춰줘", "play some music"], object)
    headers = {"X-API-Key": TOKEN.decode("latin-1")}
    client = triton.InferenceServerClient(f"127.0.0.1:{server[1]}", network_timeout=60)
    try:
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("intent0", "1", headers)
        assert not client.is_model_ready("intent0", "9", headers) and not client.is_model_ready("nobody", headers=headers)
        asked = triton.InferInput("text", [2], "BYTES")
        for binary in (True, False):
            asked.set_data_from_numpy(texts, binary_data=binary)
            found = client.infer("intent0", [asked], headers=dict(headers))
            assert found.as_numpy("label").tolist() == [b"alarm", b"music"]
            assert found.as_numpy("confidence").dtype == np.float32
        wanted = [triton.InferRequestedOutput("label", binary_data=False)]
        one = client.infer("s-many", [asked], outputs=wanted, model_version="1", request_id="mine", headers=dict(headers)).get_response()
        assert (one["id"], one["model_version"], [output["name"] for output in one["outputs"]]) == ("mine", "1", ["label"])
        assert client.get_model_metadata("intent0", headers=headers)["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
        with pytest.raises(triton.InferenceServerException if hasattr(triton, "InferenceServerException") else Exception, match="no model"):
            client.infer("nobody", [asked], headers=headers)
    finally:
        client.close()


def test_first_requests_wait_for_one_load_and_the_idle_go(server: tuple[Context, int, Path]) -> None:
    seen: list[int] = []

    def one(number: int) -> None:
        status, answer = send(server[1], "POST", f"/predict?model=intent{number % 20}&probabilities=1", b'{"text": "play music"}')
        assert status != 200 or abs(sum(answer["probabilities"].values()) - 1) < 1e-4
        seen.append(status)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [200] * 60
    until = time.monotonic() + 120
    while (loaded := gauge(server[1])) and time.monotonic() < until:
        time.sleep(0.1)
    assert loaded == 0


def gauge(port: int) -> float:
    text = fetch(f"http://127.0.0.1:{port}/metrics")[2].decode()
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("clow_models_loaded"))


def test_without_its_token_nobody_gets_in(server: tuple[Context, int, Path]) -> None:
    port = server[1]
    for path in ("/predict", "/forecast", "/v2/models/intent0/infer", "/feedback/r", "/", "/docs", "/openapi.json", "/v2", "/v2/models/intent0"):
        method = "POST" if path.count("/") == 1 and path[1:2] in ("p", "f") and "v2" not in path else "GET"
        for given_token in ("", "guess"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("POST" if "infer" in path or "feedback" in path else method, path, b"{}", {"authorization": f"Bearer {given_token}"})
            assert connection.getresponse().status == 401, path
            connection.close()
    assert [fetch(f"http://127.0.0.1:{port}{path}")[0] for path in ("/livez", "/readyz", "/health", "/ready", "/metrics", "/v2/health/live")] == [200] * 6


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/predict", "text/xml", b"<a/>", 415),
        ("/predict", "image/png", b"\x89PNG", 415),
        ("/predict", "multipart/form-data; boundary=b", b"--b--\r\n", 415),
        ("/predict?model=nobody", "application/json", b"{}", 404),
        ("/predict?probabilities=%00&model=", "application/json", b'{"text": "a"}', 200),
        ("/forecast", "application/json", b'{"values": [1]}', 422),
        ("/v2/models/intent0/infer", "application/json", b"{}", 400),
        ("/v2/models/intent0/versions/7/infer", "application/json", b"{}", 404),
        ("/v2/models/intent0/infer", "application/octet-stream", b"\0" * 1_000_001, 413),
        ("/v2/models/a/b/c/d/infer", "application/json", b"{}", 404),
    ],
)
def test_what_is_no_request_is_refused(server: tuple[Context, int, Path], path: str, kind: str, body: bytes, status: int) -> None:
    found, answer = send(server[1], "POST", path, body, content_type=kind)
    assert found == status and (status == 200 or answer.get("error") or answer.get("detail"))


def test_texts_that_lie_about_their_length(server: tuple[Context, int, Path]) -> None:
    head = json.dumps({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 8}}]}).encode()
    for tail in (struct.pack("<I", 2**31) + b"abcd", b"\x01", b""):
        status, answer = send(server[1], "POST", "/v2/models/intent0/infer", head + tail, inference_header_content_length=str(len(head)))
        assert status == 400 and answer["path"] == "$.inputs[0]"


def test_documents_of_a_client_that_has_gone_are_not_computed(tmp_path: Path) -> None:
    """Those that still wait; counted as 499."""
    import uvicorn

    from clow_nb.serve.app import make_app
    from clow_nb.serve.batcher import Batcher
    from clow_nb.serve.state import Loaded, Serving
    from clow_nb.serve.traffic import TrafficWriter, read_traffic

    gate, computed = threading.Event(), []

    def slow(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gate.wait(30)
        computed.extend(document["x"] for document in documents)
        return [{"label": "a"} for _ in documents]

    async def main() -> str:
        serving = Serving(ServiceSpec("s-gone", "v1", (ModelSpec("model:a@1", "a"),)), TrafficWriter(tmp_path))
        serving.models["a"] = Loaded("model:a@1", {}, Batcher(slow, max_batch=1, window_s=0))
        serving.set_state("ready")
        server = uvicorn.Server(uvicorn.Config(make_app(serving), log_config=None, lifespan="off"))
        door = socket.create_server(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[door]))
        doors = []
        for x in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.getsockname()[1])
            body = b'{"x": %d}' % x
            writer.write(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            doors.append((reader, writer))
            await asyncio.sleep(0.1)
        for _, writer in doors[1:3]:
            writer.close()
        while serving.in_flight > 2:
            await asyncio.sleep(0.01)
        gate.set()
        for reader, writer in (doors[0], doors[3]):
            assert b"200" in await reader.readline()
            writer.close()
        text = serving.metrics.text().decode()
        server.should_exit = True
        await task
        serving.log.close()
        return text

    text = asyncio.run(asyncio.wait_for(main(), 60))
    assert computed == [0, 3]
    assert 'outcome="499"' in text and read_traffic(tmp_path)["status"].to_list().count(499) == 2
