"""The same TextCNN behind our server and behind others; then ours under a steady load, in bursts, and under far too much.

    python tests/bench/serve.py model FOLDER                         train it once (nlp-intent on the utterances of chatterbot-corpus)
    python tests/bench/serve.py race FOLDER --peers PYTHON [ours fastapi litserve bentoml ray …]     64 clients, by `wrk` (apt install wrk)
    python tests/bench/serve.py start|steady|flood FOLDER            start to ready; 1000/s with bursts of 3000/s; 640 clients who never pause

PYTHON is an interpreter with `litserve bentoml ray[serve] fastapi uvicorn uvloop httptools` and this package's requirements: all load the
model with `clow_nb.train.predictor` from the same folder, so that only the serving differs. Each peer is written as its own guide writes it, with
its own batching (32 documents, 5 ms) where it has one, one worker, on uvloop where it can. Ours runs as a deployment runs it: guard rails,
metrics and the prediction log are on. Steady and flood are asked by `_Client` below, in a process of its own, on raw sockets:
latencies count from the moment a request was due, so that a server that stalls can't hide it.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

PORT = 8999
TEXTS = ["내일 아침 일곱 시에 알람 맞춰줘", "What is the capital of France?", "tell me a joke", "오늘 서울 날씨 어때?", "who are you", "나는 배가 고파", "play some music please", "인공지능이 뭐야?"]
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def make_model(folder: Path) -> None:
    """TextCNN as `nlp-intent` makes it by default, on whole conversations' first utterances."""
    sys.path.insert(0, str(Path(__file__).parent))
    import train

    from clow_nb.train.predictor import save_model
    from clow_nb.train.solution import solution

    frame = train.demo(0, Path())
    task = solution("nlp-intent", {})
    parts = task.prepare(frame, "label")
    model = task.model()
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for batch in [batch for _ in range(5) for batch in parts["train"].batches(64)]:
        optimizer.zero_grad()
        task.loss(model, batch).backward()
        optimizer.step()
    save_model(folder, task, model)
    print(task, sum(p.numel() for p in model.parameters()), "parameters,", len(frame), "documents")


# --- the peers, each as its guide writes it

FASTAPI = """
import sys, torch, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from clow_nb.train.predictor import load_predictor

torch.set_num_threads(1)
model = load_predictor(sys.argv[1])
app = FastAPI()

class Document(BaseModel):
    text: str

@app.post("/predict")
def predict(document: Document) -> dict:
    return model.predict([document.model_dump()])[0]

uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning", loop="uvloop", http="httptools")
"""

LITSERVE = """
import sys, torch
import litserve as ls
from clow_nb.train.predictor import load_predictor

class Intent(ls.LitAPI):
    def setup(self, device):
        torch.set_num_threads(1)
        self.model = load_predictor(sys.argv[1])

    def batch(self, documents):
        return documents

    def predict(self, documents):
        return self.model.predict(documents)

    def unbatch(self, outputs):
        return outputs

if __name__ == "__main__":
    server = ls.LitServer(Intent(max_batch_size=32, batch_timeout=0.005), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False, access_log=False)
"""

BENTOML = """
import os, torch, bentoml
from clow_nb.train.predictor import load_predictor

@bentoml.service(workers=1, traffic={"timeout": 30}, logging={"access": {"enabled": False}})
class Intent:
    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.model = load_predictor(os.environ["MODEL"])

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=30000)
    def predict(self, documents: list[dict]) -> list[dict]:
        return self.model.predict(documents)
"""

RAY = """
import sys, time, torch, logging
from ray import serve
from starlette.requests import Request
from clow_nb.train.predictor import load_predictor

@serve.deployment(max_ongoing_requests=256, ray_actor_options={"num_cpus": 0.5}, logging_config={"enable_access_log": False})
class Intent:
    def __init__(self, folder):
        torch.set_num_threads(1)
        self.model = load_predictor(folder)

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.005)
    async def predict(self, documents):
        return self.model.predict(documents)

    async def __call__(self, request: Request):
        return await self.predict(await request.json())

serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])}, logging_config={"enable_access_log": False})
serve.run(Intent.bind(sys.argv[1]), route_prefix="/predict")
while True:
    time.sleep(1)
"""


def ours(folder: Path, tmp: Path, **limits: Any) -> list[str]:
    """The command of one of our server processes, its spec written."""
    from clow_nb.serve.spec import ModelSpec, ServiceSpec, write_spec

    write_spec(tmp, ServiceSpec("s-bench", "v1", (ModelSpec("model:intent@1", "intent", str(folder)),), **limits))
    return [sys.executable, "-m", "clow_nb.serve.server", f"--home={tmp}", "--service=s-bench", "--version=v1", f"--port={PORT}"]


def command(name: str, folder: Path, tmp: Path, python: str) -> list[str]:
    """How to start a server."""
    if name.startswith("ours"):
        return ours(folder, tmp, adaptive=name.partition("-")[2] or "fixed")
    script = tmp / f"{name}_service.py"
    script.write_text({"fastapi": FASTAPI, "litserve": LITSERVE, "bentoml": BENTOML, "ray": RAY}[name])
    if name == "bentoml":
        return [python, "-m", "bentoml", "serve", f"{name}_service:Intent", "--port", str(PORT), "--working-dir", str(tmp)]
    return [python, str(script), str(folder), str(PORT)]


def body(name: str, text: str) -> bytes:
    """One document, as a server wants it."""
    document = {"text": text}
    return json.dumps({"documents": [document]} if name == "bentoml" else document, ensure_ascii=False).encode()


@contextmanager
def running(name: str, start: list[str], folder: Path, tmp: Path, seconds: float = 120) -> Iterator[tuple[psutil.Process, float]]:
    """A server that answers, and the seconds until it did; it and its children are ended."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 1):
        raise SystemExit(f"The port {PORT} is taken: end what listens there, or it is measured instead of {name}.")
    log = (tmp / f"{name}.log").open("wb")
    started = time.perf_counter()
    env = {**ENV, "MODEL": str(folder), "RAY_USAGE_STATS_ENABLED": "0", "BENTOML_DO_NOT_TRACK": "true"}
    process = psutil.Process(subprocess.Popen(start, stdout=log, stderr=log, env=env, cwd=tmp, start_new_session=True).pid)
    try:
        while _ask(body(name, TEXTS[0])) != 200:
            if time.perf_counter() - started > seconds or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise SystemExit(f"{name} does not answer:\n{(tmp / f'{name}.log').read_text()[-3000:]}")
            time.sleep(0.01)
        yield process, time.perf_counter() - started
    finally:
        mine = [process, *process.children(recursive=True)] if process.is_running() else []
        for signum in (signal.SIGTERM, signal.SIGKILL):
            for one in mine:
                with suppress(psutil.Error):
                    one.send_signal(signum)
            _, mine = psutil.wait_procs(mine, 8)


def _ask(raw: bytes) -> int:
    try:
        connection = HTTPConnection("127.0.0.1", PORT, timeout=10)
        connection.request("POST", "/predict", raw, {"content-type": "application/json"})
        return connection.getresponse().status
    except OSError:
        return 0


# --- closed loop: wrk

LUA = """
local bodies = {%s}
local turn = 0
request = function()
  turn = turn + 1
  return wrk.format("POST", "/predict", {["content-type"] = "application/json"}, bodies[turn %% #bodies + 1])
end
done = function(summary, latency)
  io.write(string.format("JSON {\\"requests\\": %%d, \\"seconds\\": %%f, \\"bad\\": %%d, \\"p50\\": %%f, \\"p95\\": %%f, \\"p99\\": %%f}\\n", summary.requests,
    summary.duration / 1e6, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
"""


def wrk(name: str, tmp: Path, clients: int, seconds: int) -> dict[str, float]:
    """Requests/s and latencies (ms) of so many clients, each asking as soon as it has its answer; one thread of wrk."""
    quoted = ", ".join(json.dumps(body(name, text).decode(), ensure_ascii=False) for text in TEXTS)
    (tmp / "ask.lua").write_text(LUA % quoted)
    asked = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", str(tmp / "ask.lua"), f"http://127.0.0.1:{PORT}"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found: dict[str, float] = json.loads(re.search("JSON (.*)", said)[1])  # type: ignore[index]
    return {"per_s": found["requests"] / found["seconds"], **found}


def race(folder: Path, names: list[str], python: str, seconds: int, clients: int = 64) -> None:
    """All of `names` in turn."""
    found = {}
    for name in names:
        with tempfile.TemporaryDirectory() as place, running(name, command(name, folder, Path(place), python), folder, Path(place)) as (_, ready):
            wrk(name, Path(place), clients, 3)
            found[name] = wrk(name, Path(place), clients, seconds)
        one = found[name]
        times = next(iter(found.values()))["per_s"] / one["per_s"]
        print(f"{name:15} {one['per_s']:7.0f}/s   p50 {one['p50']:6.1f}  p95 {one['p95']:6.1f}  p99 {one['p99']:6.1f} ms   bad {one['bad']:.0f}"
              f"   ready {ready:.1f} s   {times:5.2f} x   load {os.getloadavg()[0]:.1f}", flush=True)


# --- open loop: our own

class _Client(asyncio.Protocol):
    """A connection that asks one thing at a time; `told(status, due)` hears of each answer."""

    def __init__(self, told: Callable[["_Client", int, float], None]) -> None:
        self.told, self.due, self.rest = told, 0.0, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, raw: bytes, due: float) -> None:
        self.due = due
        self.transport.write(raw)

    def data_received(self, data: bytes) -> None:
        self.rest += data
        end = self.rest.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.rest.index(b"content-length: ") + 16
        if len(self.rest) >= end + 4 + int(self.rest[at : self.rest.index(b"\r", at)]):
            status, self.rest = int(self.rest[9:12]), b""
            self.told(self, status, self.due)

    def connection_lost(self, error: Exception | None) -> None:
        if self.due:
            self.told(self, 0, self.due)


def _raw(text: str) -> bytes:
    sent = body("ours", text)
    return b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(sent) + sent


async def _open(seconds: float, rate: float, burst: float, burst_s: float, every_s: float, clients: int) -> dict[str, Any]:
    """`rate` requests/s, and `burst`/s for `burst_s` of every `every_s` seconds; a request that finds no free connection waits, its time running."""
    loop, raws = asyncio.get_running_loop(), [_raw(text) for text in TEXTS]
    statuses: Counter[int] = Counter()
    times: list[float] = []
    free: list[_Client] = []
    late: deque[tuple[bytes, float]] = deque()

    def told(client: _Client, status: int, due: float) -> None:
        statuses[status] += 1
        times.append(loop.time() - due)
        client.due = 0.0
        if late:
            client.ask(*late.popleft())
        else:
            free.append(client)

    for _ in range(clients):
        free.append((await loop.create_connection(lambda: _Client(told), "127.0.0.1", PORT))[1])
    began, due, sent = loop.time(), loop.time(), 0
    while due < began + seconds:
        while due <= loop.time():
            raw = raws[sent % len(raws)]
            free.pop().ask(raw, due) if free else late.append((raw, due))
            sent += 1
            due += 1 / (burst if (due - began) % every_s >= every_s - burst_s else rate)
        await asyncio.sleep(0.002)  # any shorter, and uvloop's timers spin: the machine has better to do
    until = loop.time() + 35
    while sum(statuses.values()) < sent and loop.time() < until:
        await asyncio.sleep(0.01)
    return {"sent": sent, "unanswered": sent - sum(statuses.values()), "statuses": dict(statuses), **_shares(times)}


async def _closed(seconds: float, clients: int) -> dict[str, Any]:
    """So many clients that never pause, whatever they hear; times of the 200s, and the longest of all."""
    loop, raws = asyncio.get_running_loop(), [_raw(text) for text in TEXTS]
    statuses: Counter[int] = Counter()
    good: list[float] = []
    worst = 0.0
    until = loop.time() + seconds

    def told(client: _Client, status: int, due: float) -> None:
        nonlocal worst
        now = loop.time()
        statuses[status] += 1
        worst = max(worst, now - due)
        if status == 200:
            good.append(now - due)
        client.due = 0.0
        if now < until and status:
            client.ask(raws[statuses[status] % len(raws)], now)

    every = [(await loop.create_connection(lambda: _Client(told), "127.0.0.1", PORT))[1] for _ in range(clients)]
    for client in every:
        client.ask(raws[0], loop.time())
    await asyncio.sleep(seconds)
    while any(client.due for client in every) and loop.time() < until + 35:
        await asyncio.sleep(0.01)
    left = sum(1 for client in every if client.due)
    return {"unanswered": left, "statuses": dict(statuses), "worst": 1000 * worst, "good_per_s": len(good) / seconds, **_shares(good)}


def _shares(times: list[float]) -> dict[str, float]:
    ranked = sorted(times)
    return {f"p{share}": round(1000 * ranked[min(len(ranked) - 1, int(len(ranked) * share / 100))], 1) for share in (50, 95, 99)} if ranked else {}


def _memory(process: psutil.Process) -> str:
    return f"rss {sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 1e6:.0f} MB"


def _load(asked: list[str]) -> dict[str, Any]:
    """What a generator in its own process found."""
    done = subprocess.run([sys.executable, __file__, *asked], capture_output=True, text=True, check=True, env=ENV)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def steady(folder: Path, seconds: int, **limits: Any) -> None:
    """1000/s with a burst of 3000/s for one second of every ten."""
    with tempfile.TemporaryDirectory() as place, running("ours", ours(folder, Path(place), **limits), folder, Path(place)) as (process, _):
        _load(["open", str(folder), "--seconds", "3"])
        print("steady", limits, _load(["open", str(folder), "--seconds", str(seconds)]), _memory(process), flush=True)


def flood(folder: Path, seconds: int, **limits: Any) -> None:
    """Ten times as many clients as a full house."""
    with tempfile.TemporaryDirectory() as place, running("ours", ours(folder, Path(place), **limits), folder, Path(place)) as (process, _):
        for clients, took in ((64, 5), (640, seconds), (640, seconds), (64, 5)):
            found = _load(["closed", str(folder), "--seconds", str(took), "--clients", str(clients)])
            print(f"{clients} clients", found, _memory(process), flush=True)


def start(folder: Path) -> None:
    """From nothing to the first answer, three times."""
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place, running("ours", ours(folder, Path(place)), folder, Path(place)) as (_, seconds):
            print(f"start to the first answer {seconds:.2f} s, load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["model", "race", "start", "steady", "flood", "open", "closed"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=["ours"])
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--limits", type=json.loads, default={}, help="JSON: limits of our spec")
    asked = parser.parse_args()
    if asked.what in ("open", "closed"):
        import uvloop

        work = _open(asked.seconds, 1000, 3000, 1, 10, 256) if asked.what == "open" else _closed(asked.seconds, asked.clients)
        print(json.dumps(uvloop.run(work)))
    elif asked.what == "race":
        race(asked.folder, asked.names, asked.peers, asked.seconds)
    elif asked.what in ("steady", "flood"):
        {"steady": steady, "flood": flood}[asked.what](asked.folder, asked.seconds, **asked.limits)
    else:
        {"model": make_model, "start": start}[asked.what](asked.folder)


if __name__ == "__main__":
    main()
