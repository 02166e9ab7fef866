"""A real server process, and everything that clients do to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.serve import deployment
from clow_nb.serve.client import ask, fetch
from clow_nb.serve.spec import ModelSpec, ServiceSpec, service_folder, write_spec
from clow_nb.serve.traffic import read_traffic

LIMIT = 2_000_000


@pytest.fixture(scope="module")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, int]]:
    """A workspace and the port of its service, with a queue of 64 documents and bodies of 2 MB."""
    ctx = Context.open(tmp_path_factory.mktemp("server") / ("deep" * 20) / ".clow")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        ctx.catalog.create("service", "s-http", spec={"port": probe.getsockname()[1]})
    models = (ModelSpec("model:intent@1", "intent", str(model_folder)),)
    spec = ServiceSpec("s-http", "v1", models, capacity=64, max_batch=8, max_body_mb=LIMIT / 1e6, timeout_s=3)
    yield ctx, deployment.release(ctx, spec).port
    deployment.stop(ctx, "s-http", seconds=5)


@pytest.fixture
def port(server: tuple[Context, int]) -> int:
    return server[1]


def send(port: int, raw: bytes, wait: float = 20) -> tuple[int, bytes]:
    """Status and body of the answer to raw bytes; the connection is read to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as client:
        client.sendall(raw)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        return answer.status, answer.read()


def post(body: bytes, headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n{headers}\r\n".encode() + body


def test_korean_goes_in_and_out_unescaped(port: int) -> None:
    status, headers, body = fetch(f"http://127.0.0.1:{port}/predict", '{"text": "제주도 날씨 어때?", "메모": "가"}'.encode())
    answer = json.loads(body)
    assert status == 200 and answer["label"] == "weather" and answer["version"] == "v1" and answer["lat_ms"] > 0
    assert headers["content-type"] == "application/json" and headers["x-request-id"] == answer["request_id"]
    _, _, refused = fetch(f"http://127.0.0.1:{port}/predict?model=%EC%97%86%EB%8A%94", b"{}")
    assert "없는" in refused.decode()


def test_what_it_says_about_itself(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    for path, words in {"/": b"model:intent@1", "/health": b"ok", "/ready": b"ready", "/docs": b"<html>", "/openapi.json": b"/predict"}.items():
        status, _, body = fetch(url + path)
        assert (status, words in body) == (200, True), path
    ask(f"{url}/predict", [{"text": "a"}, {"text": "b"}])
    text = fetch(f"{url}/metrics")[2].decode()
    for name in ("clow_requests_total", "clow_queue_seconds_bucket", "clow_compute_seconds_bucket", "clow_ready", "process_resident_memory_bytes"):
        assert f"{name}" in text
    assert fetch(url + "/predict")[0] == 405
    assert fetch(url + "/nothing")[0] == 404


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (post(b'{"text": '), 400),
        (post(b""), 400),
        (post(b"[" * 200_000), 400),
        (post(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), 400),
        (post('{"text": "알람"}'.encode("cp949")), 400),
        (post(b"[1]"), 422),
        (post(b'{"text": null}'), 422),
        (post(json.dumps([{"text": "a"}] * 65).encode()), 413),
        (post(b"", length=100_000_000), 413),
        (post(b"", "expect: 100-continue\r\n", length=100_000_000), 413),
        (post(b'{"text": "a"}', "content-type: text/plain\r\nx-request-id: \xff\r\n"), 200),
        (b"PUT /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", 405),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n", 400),
    ],
)
def test_malformed_requests_are_refused(port: int, raw: bytes, status: int) -> None:
    if b"100000000" in raw and b"expect" not in raw:
        raw += b" " * 3_000_000
    assert send(port, raw)[0] == status
    assert ask(f"http://127.0.0.1:{port}/predict", {"text": "play"})["version"] == "v1"


def test_a_huge_body_is_refused_and_not_kept(server: tuple[Context, int]) -> None:
    """By its announced length at once; without one as soon as it is too long; the client hears it, memory stays flat."""
    import psutil

    ctx, port = server
    process = psutil.Process(deployment.status(ctx, "s-http").pids[0])
    before = process.memory_info().rss
    block = b"x" * 1_000_000
    for header in ("content-length: 100000000", "transfer-encoding: chunked"):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(f"POST /predict HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n".encode())
            for _ in range(100):
                client.sendall(block if "length" in header else b"f4240\r\n" + block + b"\r\n")
            answer = http.client.HTTPResponse(client)
            answer.begin()
            assert answer.status == 413 and b"2 MB" in answer.read()
    assert process.memory_info().rss - before < 50_000_000


def test_a_connection_is_kept_and_pipelined(port: int) -> None:
    one = post(b'{"text": "play"}')
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(one + one[:30])
        time.sleep(0.05)
        client.sendall(one[30:] + post(b"nonsense") + one)
        heard = b""
        while heard.count(b"HTTP/1.1 ") < 4 or not heard.endswith(b"}"):
            heard += client.recv(65536)
    assert [part[:3] for part in heard.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400", b"200"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body, status in ((b'{"text": "a"}', 200), (b"[", 400), (b'{"x": 1}', 422), (b'{"text": "b"}', 200)):
        connection.request("POST", "/predict", body)
        answer = connection.getresponse()
        assert answer.status == status and answer.read()
    connection.close()


def test_a_burst_is_answered_with_200_or_429(port: int) -> None:
    seen: Counter[int] = Counter()
    body = json.dumps([{"text": f"{word} music"} for word in "abcdefgh"]).encode()

    def one() -> None:
        status, headers, _ = fetch(f"http://127.0.0.1:{port}/predict", body)
        assert status == 200 or int(headers["retry-after"]) >= 1
        seen[status] += 1

    threads = [threading.Thread(target=one) for _ in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.total() == 80 and set(seen) <= {200, 429} and seen[200] >= 8, seen


def test_clients_that_go_away_or_are_slow_harm_nobody(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    for client in idle[:25]:
        client.sendall(post(b'{"text": "a"}')[:-3])
    assert ask(f"http://127.0.0.1:{port}/predict", {"text": "play"}, 10)["label"] == "music"
    for client in idle:
        client.close()
    assert send(port, post(b'{"text": "a"}')[:-3])[0] == 408


def test_the_log_has_every_document(server: tuple[Context, int]) -> None:
    ctx, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(post('[{"text": "서울 날씨"}, {"text": "play"}]'.encode(), "x-request-id: mine-7\r\n"))
        answer = http.client.HTTPResponse(client)
        answer.begin()
        labels = [prediction["label"] for prediction in json.loads(answer.read())]
    deadline = time.monotonic() + 120
    rows: list[dict[str, Any]] = []
    while len(rows) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        log = read_traffic(service_folder(ctx.home, "s-http") / "traffic")
        rows = [row for row in log.to_dicts() if row["request_id"].startswith("mine-7")]
    assert [row["request_id"] for row in rows] == ["mine-7.0", "mine-7.1"]
    assert [json.loads(row["output"])["label"] for row in rows] == labels
    assert json.loads(rows[0]["input"]) == {"text": "서울 날씨"} and rows[0]["status"] == 200
    assert rows[0]["model"] == "model:intent@1" and rows[0]["compute_ms"] > 0


def test_sigterm_finishes_what_is_under_way(server: tuple[Context, int], model_folder: Path, free_port: int) -> None:
    """An idle connection gets its last answer with `connection: close`; nothing that was sent is lost."""
    ctx, _ = server
    ctx.catalog.create("service", "s-drain", spec={"port": free_port})
    models = (ModelSpec("model:intent@1", "intent", str(model_folder)),)
    release = deployment.release(ctx, ServiceSpec("s-drain", "v1", models, window_ms=1000, max_batch=100))
    kept = http.client.HTTPConnection("127.0.0.1", release.port, timeout=60)
    kept.request("POST", "/predict", b'{"text": "play"}')
    assert kept.getresponse().read()
    under_way = http.client.HTTPConnection("127.0.0.1", release.port, timeout=60)
    under_way.request("POST", "/predict", b'{"text": "play"}')
    [private] = release.private_ports()
    while b'clow_queue_documents{service="s-drain",version="v1"} 1.0' not in fetch(f"http://127.0.0.1:{private}/metrics")[2]:
        time.sleep(0.01)
    [process] = release.living()
    os.kill(process.pid, signal.SIGTERM)
    answer = under_way.getresponse()
    assert answer.status == 200 and answer.getheader("connection") == "close" and answer.read()
    kept.request("POST", "/predict", b'{"text": "play"}')
    last = kept.getresponse()
    assert last.status == 200 and last.getheader("connection") == "close" and last.read()
    assert process.wait(60)
    log = read_traffic(service_folder(ctx.home, "s-drain") / "traffic")
    assert log["status"].to_list() == [200, 200, 200]
    deployment.stop(ctx, "s-drain")


def test_by_hand_it_lives_at_once_and_is_ready_when_warm(tmp_path: Path, model_folder: Path, free_port: int) -> None:
    models = (ModelSpec("model:intent@1", "intent", str(model_folder)),)
    write_spec(tmp_path, ServiceSpec("s-hand", "v1", models))
    port = free_port
    with socket.create_server(("127.0.0.1", port)):
        command = [sys.executable, "-m", "clow_nb.serve.server", f"--home={tmp_path}", "--service=s-hand", "--version=v1", f"--port={port}"]
        refused = subprocess.run(command, capture_output=True, text=True)
        assert refused.returncode == 1 and "can't be used" in refused.stderr and "Traceback" not in refused.stderr
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    seen = []
    while 200 not in seen:
        try:
            seen.append(fetch(f"http://127.0.0.1:{port}/ready")[0])
            assert fetch(f"http://127.0.0.1:{port}/health")[0] == 200
        except OSError:
            assert process.poll() is None
        time.sleep(0.01)
    assert set(seen) == {200, 503}
    assert ask(f"http://127.0.0.1:{port}/predict", {"text": "play"})["version"] == "v1"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    command[5] = "--version=v9"
    missing = subprocess.run(command, capture_output=True, text=True)
    assert missing.returncode == 1 and "v9" in missing.stderr and "Traceback" not in missing.stderr


def _is_ready(port: int) -> bool:
    with suppress(OSError):
        return fetch(f"http://127.0.0.1:{port}/ready")[0] == 200
    return False


def test_who_is_told_again_and_again_to_end_loses_nothing_of_the_log(tmp_path: Path, model_folder: Path, free_port: int) -> None:
    """The last second of it is written when uvicorn has ended: a signal in that moment must not end the process."""
    write_spec(tmp_path, ServiceSpec("s-hand", "v1", (ModelSpec("model:intent@1", "intent", str(model_folder)),)))
    command = [sys.executable, "-m", "clow_nb.serve.server", f"--home={tmp_path}", "--service=s-hand", "--version=v1", f"--port={free_port}"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not _is_ready(free_port):
        assert process.poll() is None
        time.sleep(0.01)
    for _ in range(40):
        ask(f"http://127.0.0.1:{free_port}/predict", {"text": "play"})
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    assert len(read_traffic(service_folder(tmp_path, "s-hand") / "traffic")) == 40
