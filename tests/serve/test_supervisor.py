"""Workers that are killed under load, and the supervisor that brings them back."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from clow_nb.core.context import Context
from clow_nb.serve import deployment
from clow_nb.serve.client import ask
from clow_nb.serve.restarts import Restarts
from clow_nb.serve.service import Service
from clow_nb.serve.spec import ServiceSpec
from clow_nb.serve.supervision import end_supervisor, held_sockets, start_supervisor, supervisor_of

MakeSpec = Callable[..., ServiceSpec]


@pytest.fixture
def supervised(service: Context) -> Iterator[Context]:
    """The service's workspace; its supervisor is ended with it."""
    yield service
    end_supervisor(service.home, "s-intent")


def _wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_killed_worker_is_back_and_nobody_was_refused(supervised: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(supervised, make_spec("v1"))
    start_supervisor(supervised, "s-intent")
    _wait_for(lambda: held_sockets(supervised.home, "s-intent"))
    service, address = Service(supervised, "s-intent"), f"http://127.0.0.1:{first.port}"
    os.kill(first.living()[0].pid, signal.SIGKILL)
    assert service.url == address, "who asks while it is brought back is kept waiting, not sent away"
    url = f"{address}/predict"
    assert {ask(url, {"text": "play new music"}, 60)["label"] for _ in range(5)} == {"music"}
    _wait_for(lambda: deployment.status(supervised, "s-intent").restarts == 1)
    status = deployment.status(supervised, "s-intent")
    assert (status.state, status.supervised, len(status.pids)) == ("RUNNING", True, 1)
    assert [one.pid for one in Restarts(supervised, "s-intent").all()] == [first.processes[0][0]]
    # the service ends: nobody brings it back, nobody watches
    assert deployment.stop(supervised, "s-intent")
    assert supervisor_of(supervised.home, "s-intent") is None
    assert deployment.status(supervised, "s-intent").state == "STOPPED" and service.url is None
