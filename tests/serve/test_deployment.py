"""Deployments of real processes: under load, failing, killed, started again."""

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
from collections.abc import Callable
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ServiceError
from clow_nb.serve import deployment
from clow_nb.serve.client import ask
from clow_nb.serve.launch import share_out
from clow_nb.serve.releases import Releases
from clow_nb.serve.spec import ServiceSpec, service_folder, write_spec
from clow_nb.serve.traffic import read_traffic

MakeSpec = Callable[..., ServiceSpec]


class Load:
    """Clients that ask without a pause, without ever asking twice: some keep their connection, some open one each time."""

    def __init__(self, port: int, clients: int) -> None:
        self.port, self.over = port, threading.Event()
        self.told: list[tuple[float, str]] = []
        self.threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]

    def _ask(self, keep: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                connection.request("POST", "/predict", b'{"text": "play new music"}')
                answer = connection.getresponse()
                body = json.loads(answer.read())
                self.told.append((begun, body["version"] if answer.status == 200 else f"{answer.status} {body}"))
            except (OSError, http.client.HTTPException) as error:
                self.told.append((begun, repr(error)))
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    def seen(self, since: float = 0.0) -> Counter[str]:
        """How often each version (or error) was met by what was asked after a moment."""
        return Counter(met for begun, met in self.told.copy() if begun > since)

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def broken_folder(tmp_path: Path, model_folder: Path) -> Path:
    """The folder of a model whose weights are zeros."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_bytes((model_folder / "config.json").read_bytes())
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    return folder


@pytest.mark.parametrize("clients", [6, pytest.param(8, marks=pytest.mark.slow)])
def test_no_request_fails_over_deployments_under_load(service: Context, make_spec: MakeSpec, broken_folder: Path, clients: int) -> None:
    """A second version, one that can't be loaded, and back to the first, which is still warm."""
    first = deployment.release(service, make_spec("v1"))
    with Load(first.port, clients) as load:
        for version, spec in (("v2", make_spec("v2")), ("v2", make_spec("v3", broken_folder)), ("v1", make_spec("v1"))):
            if spec.version == "v3":
                with pytest.raises(ServiceError, match="model:intent@1 can't be loaded"):
                    deployment.release(service, spec)
            else:
                deployment.release(service, spec)
            released = time.monotonic()
            while (new := load.seen(released)).total() < 50:
                time.sleep(0.02)
            assert set(new) == {version}, new
    assert set(load.seen()) == {"v1", "v2"}, load.seen()
    releases = [(one.version, one.status) for one in Releases(service, "s-intent").all()]
    assert releases == [("v1", "SERVING"), ("v3", "FAILED"), ("v2", "STANDBY"), ("v1", "ENDED")]
    assert deployment.status(service, "s-intent").pids == (int(first.processes[0][0]),), "the first process is there again"
    assert deployment.stop(service, "s-intent")
    log = read_traffic(service_folder(service.home, "s-intent") / "traffic")
    assert len(log) == load.seen().total() and log["request_id"].n_unique() == len(log)


@pytest.mark.slow
def test_a_killed_service_that_nobody_looks_after_is_said_so(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1"))
    status = deployment.status(service, "s-intent")
    os.kill(status.pids[0], signal.SIGKILL)
    while (gone := deployment.status(service, "s-intent")).state != "STOPPED":
        time.sleep(0.02)
    assert "deploy() starts it again" in gone.detail
    assert deployment.release(service, make_spec("v1")).port == first.port
    assert ask(f"http://127.0.0.1:{first.port}/predict", {"text": "play some music"})["label"] == "music"


@pytest.mark.slow
def test_a_frozen_old_process_is_replaced(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1"))
    os.kill(first.living()[0].pid, signal.SIGSTOP)
    assert deployment.status(service, "s-intent").state == "UNHEALTHY"
    second = deployment.release(service, make_spec("v2", timeout_s=1))
    assert [process.pid for process in first.living()] == [], "a frozen process can't drain and is killed"
    answers = [ask(f"http://127.0.0.1:{second.port}/predict", {"text": "서울 날씨"}) for _ in range(8)]
    assert {answer["version"] for answer in answers} == {"v2"}


def test_a_deployment_that_dies_leaves_nothing_behind(service: Context, make_spec: MakeSpec, tmp_path: Path) -> None:
    write_spec(service.home, make_spec("v1"))
    code = f"""
from pathlib import Path
from clow_nb.core.context import Context
from clow_nb.serve.launch import Launch, share_out
from clow_nb.serve.spec import read_spec
home = Path({str(service.home)!r})
launch = Launch(home, read_spec(home, "s-intent", "v1"), share_out([], 1, "127.0.0.1", 0), home / "logs" / "x.log", {{}})
launch.wait("ready", 60)
print(launch.starting[0].process.pid, flush=True)
import time; time.sleep(60)
"""
    deployer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert deployer.stdout is not None
    pid = int(deployer.stdout.readline())
    os.kill(pid, 0)
    deployer.kill()
    deployer.communicate()
    deadline = time.monotonic() + 120
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_that_is_taken_is_said_so_and_nothing_starts(service: Context, make_spec: MakeSpec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service.catalog.update("service", "s-intent", spec={"port": taken.getsockname()[1]})
        with pytest.raises(ServiceError, match=r"can't be used.*deploy\(port="):
            deployment.release(service, make_spec())
    assert deployment.status(service, "s-intent").state == "STOPPED"
    assert not list((service.home / "logs").glob("*.log"))


@pytest.mark.slow
def test_a_service_moves_to_a_free_port_only(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = taken.getsockname()[1]
        with pytest.raises(ServiceError, match="can't be used"):
            deployment.release(service, make_spec("v2"), port=other)
        assert service.catalog.get("service", "s-intent").spec == {"port": first.port}
        assert deployment.status(service, "s-intent").url == f"http://127.0.0.1:{first.port}"
    moved = deployment.release(service, make_spec("v2"), port=other)
    assert moved.port == other and ask(f"http://127.0.0.1:{other}/predict", {"text": "play"})["version"] == "v2"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", first.port)) != 0


def test_after_a_restart_of_the_machine_it_is_stopped(service: Context) -> None:
    """The same process ids may be there again; the boot id tells."""
    import sqlalchemy as sa

    from clow_nb.runs.machine import birth

    releases = Releases(service, "s-intent")
    releases.add("v1", "SERVING", 8300, [[os.getpid(), birth(os.getpid()) or 0.0, 1]])
    assert deployment.status(service, "s-intent").state == "UNHEALTHY"
    for host, state in ((f"{socket.gethostname()}/before", "STOPPED"), ("elsewhere/1", "ELSEWHERE")):
        with service.catalog.begin() as connection:
            connection.execute(sa.text("UPDATE releases SET host = :host"), {"host": host})
        assert deployment.status(service, "s-intent").state == state
    with pytest.raises(ServiceError, match="runs on the machine elsewhere"):
        deployment.stop(service, "s-intent")
    releases.forget()


def test_a_lost_token_starts_no_second_server(service: Context, make_spec: MakeSpec) -> None:
    calls: list[int] = []

    def guard() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ServiceError("This attempt has lost its run.")

    with pytest.raises(ServiceError, match="lost its run"):
        deployment.release(service, make_spec(), guard=guard)
    assert len(calls) == 2
    [failed] = Releases(service, "s-intent").all()
    assert failed.status == "FAILED"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", failed.port)) != 0


def test_a_port_that_somebody_is_just_letting_go_of() -> None:
    with socket.socket() as dying:
        dying.bind(("127.0.0.1", 0))
        dying.listen()
        port = dying.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {port} can't be used"):
            share_out([], 1, "127.0.0.1", port)
        threading.Timer(0.3, dying.close).start()
        [[taken]] = share_out([], 1, "127.0.0.1", port, seconds=10)
    with taken:
        assert taken.getsockname()[1] == port
