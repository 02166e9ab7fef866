"""Faults under traffic: what is killed, frozen, full or gone costs at most what was in flight there, and no answer is ever wrong."""

import math
import os
import resource
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from load import SAID, Asked, Load

from clow_nb.core.context import Context
from clow_nb.core.errors import ServiceError
from clow_nb.serve import deployment
from clow_nb.serve.client import fetch
from clow_nb.serve.heartbeat import last_beat
from clow_nb.serve.launch import take_sockets
from clow_nb.serve.process import Detached
from clow_nb.serve.releases import Release, Releases
from clow_nb.serve.restarts import Restarts
from clow_nb.serve.rollout import Rollout
from clow_nb.serve.service import Service, Services
from clow_nb.serve.spec import ModelSpec, ServiceSpec, service_folder
from clow_nb.serve.supervision import held_sockets, is_lost, start_supervisor, supervisor_of
from clow_nb.serve.traffic import read_traffic
from clow_nb.train.models import register

MakeSpec = Callable[..., ServiceSpec]
FLIPPED = {"music": "alarm", "alarm": "weather", "weather": "music"}


def wait_for(what: Callable[[], object], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def supervise(ctx: Context) -> None:
    """Have the service looked after, and wait until the supervisor holds the sockets of all its workers."""
    start_supervisor(ctx, "s-intent")
    wait_for_sockets(ctx)


def wait_for_sockets(ctx: Context) -> None:
    """Wait until a supervisor holds the sockets of all workers, without starting one."""
    current = Releases(ctx, "s-intent").current()
    assert current is not None

    def held() -> bool:
        found = held_sockets(ctx.home, "s-intent")
        for one in found:
            one.close()
        return len(found) >= len(current.processes)

    wait_for(held)


def count_sockets(ctx: Context, process: Detached) -> int:
    """On how many public sockets a worker answers."""
    found = take_sockets(ctx.home, "s-intent", process)
    for one in found:
        one.close()
    return len(found)


def kill(process: Detached) -> None:
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60), "its last thread, and so its connections, are still there"


def kill_under(load: Load, process: Detached) -> set[int]:
    """Kill a process under load: which requests it may cost, those that were asked before the last of its connections was gone."""
    kill(process)
    return {one.number for one in load.in_flight} | {one.number for one in load.failed}


def costly(load: Load, allowed: set[int]) -> list[Asked]:
    """What was lost without having been in flight in what was killed."""
    return [one for one in load.failed if one.number not in allowed]


def gone(ctx: Context, release: Release) -> Callable[[], object]:
    """Whether all processes of the release are others than they were."""
    return lambda: not {one[0] for one in Releases(ctx, "s-intent").get(release.id).processes} & {one[0] for one in release.processes}


def metric(port: int, name: str) -> float:
    lines = fetch(f"http://127.0.0.1:{port}/metrics", seconds=10)[2].decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name + "{"))


# --- workers


@pytest.mark.slow
def test_a_killed_worker_costs_what_was_in_flight_in_it(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1", workers=2))
    supervise(service)
    with Load(first.port, 80) as load:
        load.wait_for(80)
        victim = first.living()[0]
        in_flight = kill_under(load, victim)
        killed = time.monotonic()
        wait_for(lambda: Restarts(service, "s-intent").all())
        load.wait_for(80)
    assert load.wrong == []
    assert costly(load, in_flight) == [], "lost though it was asked after the worker was gone"
    assert len({one.worker for one in load.failed} - {""}) <= 1, "another worker than the killed one lost requests"
    assert load.met(killed)["v1"] == sum(load.met(killed).values())
    assert [one.pid for one in Restarts(service, "s-intent").all()] == [victim.pid]


@pytest.mark.slow
def test_a_neighbour_answers_for_a_worker_that_can_not_come_back(service: Context, make_spec: MakeSpec, model_folder: Path, tmp_path: Path) -> None:
    """The kernel goes on giving the dead one's socket its share of the connections: half of them would wait for ever."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    first = deployment.release(service, make_spec("v1", folder, workers=2))
    supervise(service)
    with Load(first.port, 40, fresh=1) as load:
        load.wait_for(40)
        folder.rename(tmp_path / "away")
        victim, neighbour = first.living()
        in_flight = kill_under(load, victim)
        wait_for(lambda: any(one.reason for one in Restarts(service, "s-intent").all()))
        load.wait_for(80)
        assert not [one for one in load.in_flight if one.due < time.monotonic() - 20]
        (tmp_path / "away").rename(folder)
        wait_for(lambda: not Restarts(service, "s-intent").all()[0].reason)
        assert neighbour.lives()
        load.wait_for(80)
    assert load.wrong == [] and costly(load, in_flight) == []
    # each has its own socket again, and only that one
    [found] = Releases(service, "s-intent").all("SERVING")
    wait_for(lambda: [count_sockets(service, process) for process in found.living()] == [1, 1])


@pytest.mark.slow
def test_a_killed_process_of_the_models_costs_what_was_in_flight_in_its_worker(service: Context, make_spec: MakeSpec) -> None:
    """Its worker ends, too, and is brought back; what it had accepted gets an error or a closed connection, nothing a wrong answer."""
    first = deployment.release(service, make_spec("v1", workers=2))
    supervise(service)
    with Load(first.port, 80) as load:
        load.wait_for(80)
        victim, neighbour = first.living()
        [models] = [child for child in psutil.Process(victim.pid).children() if "clow_nb.serve.model_host" in child.cmdline()]
        models.kill()
        assert victim.wait(60)
        in_flight = {one.number for one in load.in_flight} | {one.number for one in load.failed}
        wait_for(lambda: Restarts(service, "s-intent").all())
        load.wait_for(80)
    assert load.wrong == [] and costly(load, in_flight) == []
    assert {one.status for one in load.failed} <= {0, 503}
    assert [one.pid for one in Restarts(service, "s-intent").all()] == [victim.pid] and neighbour.lives()


@pytest.mark.slow
def test_a_frozen_worker_is_replaced_and_its_requests_are_answered(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1", workers=2))
    supervise(service)
    with Load(first.port, 40) as load:
        load.wait_for(40)
        victim = first.living()[0]
        os.kill(victim.pid, signal.SIGSTOP)
        wait_for(lambda: Restarts(service, "s-intent").all())
        load.wait_for(80)
    assert load.wrong == [] and not victim.lives()
    # who had a connection on which the frozen one never answered hears of it, long before giving up; all others are answered
    assert not [one for one in load.failed if "Timeout" in one.error]
    assert len({one.worker for one in load.failed} - {""}) <= 1 and {one.status for one in load.failed} <= {0}
    assert set(load.met(time.monotonic() - 1)) <= {"v1"}


@pytest.mark.slow
def test_a_killed_supervisor_comes_back_by_itself_and_brings_workers_back(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1", workers=2))
    supervise(service)
    victims, may_be_lost = first.living(), set[int]()
    with Load(first.port, 80) as load:
        for number, victim in enumerate(victims, 1):
            supervisor = supervisor_of(service.home, "s-intent")
            assert supervisor is not None
            load.wait_for(80)
            kill(supervisor)
            wait_for(lambda dead=supervisor: supervisor_of(service.home, "s-intent") not in (None, dead))
            wait_for_sockets(service)
            may_be_lost |= kill_under(load, victim)
            wait_for(lambda number=number: len(Restarts(service, "s-intent").all()) == number)
        load.wait_for(80)
    assert load.wrong == [] and costly(load, may_be_lost) == []
    assert [one.pid for one in Restarts(service, "s-intent").all()] == [victim.pid for victim in reversed(victims)]
    # told to end, it stays away
    assert deployment.stop(service, "s-intent") and not is_lost(service.home, "s-intent")


@pytest.mark.slow
def test_a_frozen_supervisor_is_replaced_and_there_are_never_two(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1", workers=2))
    supervise(service)
    frozen = supervisor_of(service.home, "s-intent")
    assert frozen is not None
    # one that wakes up in time goes on
    frozen.signal(signal.SIGSTOP)
    time.sleep(3)
    frozen.signal(signal.SIGCONT)
    beat = last_beat(service.home, "s-intent")
    wait_for(lambda: last_beat(service.home, "s-intent") != beat)
    assert supervisor_of(service.home, "s-intent") == frozen
    with Load(first.port, 80) as load:
        load.wait_for(80)
        frozen.signal(signal.SIGSTOP)
        wait_for(lambda: supervisor_of(service.home, "s-intent") not in (None, frozen))
        assert not frozen.lives(), "it was killed before another one came: there is nobody to wake up"
        wait_for_sockets(service)
        may_be_lost = kill_under(load, first.living()[0])
        wait_for(lambda: len(Restarts(service, "s-intent").all()) == 1)
        load.wait_for(80)
    assert load.wrong == [] and costly(load, may_be_lost) == []
    second = supervisor_of(service.home, "s-intent")
    assert second is not None and deployment.stop(service, "s-intent")
    assert not second.lives() and not is_lost(service.home, "s-intent")


# --- models


@pytest.mark.slow
def test_a_model_that_is_gone(service: Context, make_spec: MakeSpec, model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    deployment.release(service, make_spec("v0", standby_s=0))
    first = deployment.release(service, make_spec("v1", folder, standby_s=0))
    supervise(service)
    with Load(first.port, 40) as load:
        load.wait_for(40, "v1")
        shutil.rmtree(folder)
        # the running version goes on; a new one whose model is missing leaves it serving, and says so
        with pytest.raises(ServiceError, match=r"model:intent@1 can't be loaded from .*model"):
            deployment.release(service, make_spec("v2", folder))
        load.wait_for(40, "v1")
        assert load.failed == []
        # killed, it can't come back: the version before takes its place by itself, and it is written down why
        [process] = first.living()
        in_flight = kill_under(load, process)
        load.wait_for(40, "v0")
    assert load.wrong == [] and costly(load, in_flight) == []
    releases = Releases(service, "s-intent").all()
    assert [(one.version, one.status) for one in releases[:3]] == [("v0", "SERVING"), ("v2", "FAILED"), ("v1", "FAILED")]
    assert "can't be loaded" in releases[2].reason and "v1" in releases[0].notes
    [event] = service.events.since(topic="service.fell_back")
    assert (event.payload["version"], event.payload["broken"]) == ("v0", "v1")


# --- disks and databases


@pytest.mark.slow
def test_a_full_log_disk_costs_no_answer_and_logging_resumes(service: Context, make_spec: MakeSpec) -> None:
    """`RLIMIT_FSIZE` refuses what a full disk refuses: no file of the worker may grow any more."""
    first = deployment.release(service, make_spec("v1"))
    [process], folder = first.living(), service_folder(service.home, "s-intent") / "traffic"
    with Load(first.port, 100) as load:
        load.wait_for(100)
        wait_for(lambda: len(read_traffic(folder)))
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200, hard))
        wait_for(lambda: metric(first.port, "clow_log_waiting") > 0)
        load.wait_for(200)
        assert "can't be written" in deployment.status(service, "s-intent").detail
        refused = len(read_traffic(folder))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for(lambda: len(read_traffic(folder)) > refused and metric(first.port, "clow_log_waiting") == 0)
        load.wait_for(50)
    assert load.wrong == [] and load.failed == []
    assert deployment.stop(service, "s-intent")
    log = read_traffic(folder)
    assert len(log) == len(load.asked) and log["request_id"].n_unique() == len(log), "each answer is in the log, once"
    words = (service.home / "logs" / "s-intent-v1.log").read_text()
    assert "it is written again" in words


@pytest.mark.slow
def test_without_the_catalog_answers_go_on_and_a_killed_worker_is_back(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v1"))
    supervise(service)
    database = Path(str(service.catalog.engine.url.database))
    away = database.with_suffix(".away")
    with Load(first.port, 50) as load:
        load.wait_for(50)
        os.rename(database, away)
        database.mkdir()  # nobody can open it, nor make a new one in its place
        try:
            [process] = first.living()
            in_flight = kill_under(load, process)
            load.wait_for(50, "v1")
        finally:
            database.rmdir()
            os.rename(away, database)
        wait_for(lambda: Restarts(service, "s-intent").all())
    assert load.wrong == [] and costly(load, in_flight) == []
    wait_for(gone(service, first))


@pytest.mark.slow
def test_postgres_that_stops_stops_no_service(postgres: str, tmp_path: Path, model_folder: Path, free_port: int) -> None:
    import psycopg

    ctx = Context.open(tmp_path / ".clow", db=postgres)
    ctx.catalog.create("service", "s-intent", spec={"port": free_port})
    try:
        first = deployment.release(ctx, ServiceSpec("s-intent", "v1", (ModelSpec("model:intent@1", "intent", str(model_folder)),)))
        supervise(ctx)
        with psycopg.connect(postgres, autocommit=True) as admin, Load(first.port, 50) as load:
            load.wait_for(50)
            admin.execute("ALTER DATABASE postgres CONNECTION LIMIT 0")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
            load.wait_for(100)
            admin.execute("ALTER DATABASE postgres CONNECTION LIMIT -1")
        assert load.wrong == [] and load.failed == []
    finally:
        deployment.stop(ctx, "s-intent", seconds=5)


# --- deployments and rollouts


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_deployments_under_load_fail_no_request(service: Context, make_spec: MakeSpec) -> None:
    first = deployment.release(service, make_spec("v0"))
    supervise(service)
    with Load(first.port, 60) as load:
        for number in range(1, 21):
            version = f"v{number % 7}"  # every third one or so is the version before: still warm
            if number % 3 == 0:
                version = Releases(service, "s-intent").all("STANDBY", "ENDED")[0].version
            deployment.release(service, make_spec(version, workers=1 + number % 2))
            released = time.monotonic()
            load.wait_for(30, since=released)
            assert set(load.met(released)) == {version}
    assert load.failed == [] and load.wrong == []
    assert len(Releases(service, "s-intent").all()) == 21 and len(load.asked) > 1000


@pytest.fixture
def rolling(ctx: Context, model_folder: Path, flipped_folder: Path, free_port: int) -> Iterator[Service]:
    """A running service: v1 and v2 are good, `flips` takes everything for something else, `slow` is slow, `errs` finds nothing in any document."""
    for number, folder in enumerate((model_folder, flipped_folder)):
        register(ctx, "intent", folder, {"accuracy": 1.0}, token=str(number))
    service = Services(ctx).create("s-intent", port=free_port)
    service.create_version("v1", models=["intent@1"])
    service.create_version("v2", models=["intent@1"])
    service.create_version("flips", models=["intent@2"])
    service.create_version("slow", models=["intent@1"], window_ms=900.0, adaptive="fixed")
    service.create_version("errs", models=["intent@1"], tokens=["0" * 64])
    service.start("v1")
    yield service
    service.stop()


def says(version: str, text: str) -> str:
    return FLIPPED[SAID[text]] if version == "flips" else SAID[text]


def most(count: int, share: float) -> float:
    """What a share of so many requests stays below, but for one case in a million."""
    return count * share + 5 * math.sqrt(count * share * (1 - share)) + 5


def bad_version(rolling: Service, version: str, guardrails: dict[str, float], weight: float = 20) -> tuple[Load, Rollout, float, float]:
    """Roll a bad version out under traffic: what was asked, the rollout, when it began, when it was over for all workers."""
    port = Releases(rolling.ctx, "s-intent").current().port  # type: ignore[union-attr]
    with Load(port, 60, says=says) as load:
        load.wait_for(60)
        begun = time.monotonic()
        rollout = rolling.rollout(version, steps=[weight, 100], guardrails=guardrails, requests=50, minutes=0)
        rollout.wait(180)
        over = time.monotonic()
        load.wait_for(60, "v1")
    return load, rollout, begun, over


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "guardrails"), [("flips", {"flip_rate": 0.1}), ("slow", {"p99_ms": 300}), ("errs", {"error_rate": 0.05})], ids=["flips", "slow", "errs"]
)
def test_a_bad_version_goes_by_itself_and_hurts_no_more_than_its_share(rolling: Service, version: str, guardrails: dict[str, float]) -> None:
    load, rollout, begun, over = bad_version(rolling, version, guardrails)
    [rail] = guardrails
    assert rollout.status == "ROLLED_BACK" and rollout.reason.startswith(f"{rail} > ")
    assert rolling.rollouts()["reason"][0] == rollout.reason
    wait_for(lambda: rolling.releases()["reason"][0] == rollout.reason)  # noted once its processes have ended
    assert load.failed == [] and load.wrong == [], "who got a bad version's error was answered by the good one"
    asked = [one for one in load.asked if begun <= one.due < over]
    bad = [one for one in asked if one.version == version]
    assert len(bad) <= most(len(asked), 0.20)
    assert version == "errs" or bad, "the bad version was never seen: nothing was tried"
    assert all(one.version == "v1" for one in load.asked if one.due > over + 1)


@pytest.mark.slow
def test_a_rollback_has_nothing_to_load(rolling: Service) -> None:
    """Deployed, promoted or taken back: the version before is warm, and who holds a connection is with the other one from the next request on."""
    rolling.start("v2")
    warm = {one.version: [process.pid for process in one.living()] for one in Releases(rolling.ctx, "s-intent").all("STANDBY")}
    assert list(warm) == ["v1"]
    port = Releases(rolling.ctx, "s-intent").current().port  # type: ignore[union-attr]
    with Load(port, 60, fresh=1000) as load:
        load.wait_for(60)
        for version in ("v1", "v2", "v1"):
            assert rolling.rollback("a wrong one") == version
            back = time.monotonic()
            load.wait_for(30, since=back)
            assert set(load.met(back)) == {version}
    assert load.failed == [] and load.wrong == []
    assert rolling.status().version == "v1" and list(rolling.status().pids) == warm["v1"], "the processes are the same ones"
    assert {one.version: one.status for one in Releases(rolling.ctx, "s-intent").open()} == {"v1": "SERVING", "v2": "STANDBY"}
    assert rolling.releases()["notes"][0] == "rollback(): v2 → v1: a wrong one"


@pytest.mark.slow
def test_a_promoted_version_serves_with_the_processes_that_were_tried(rolling: Service) -> None:
    port = Releases(rolling.ctx, "s-intent").current().port  # type: ignore[union-attr]
    with Load(port, 60) as load:
        rollout = rolling.rollout("v2", steps=[50], guardrails={}, requests=20, minutes=0, sign_off=True)
        rollout.wait(120)
        [tried] = Releases(rolling.ctx, "s-intent").all("CANARY")
        rollout.promote()
        rollout.wait(120)
        promoted = time.monotonic()
        load.wait_for(30, since=promoted)
        assert set(load.met(promoted)) == {"v2"}
        assert rolling.rollback() == "v1"
        back = time.monotonic()
        load.wait_for(30, since=back)
        assert set(load.met(back)) == {"v1"}
    assert load.failed == [] and load.wrong == []
    assert rolling.releases()["status"].to_list() == ["SERVING", "STANDBY", "ENDED", "ENDED"]
    assert Releases(rolling.ctx, "s-intent").all("STANDBY")[0].processes == tried.processes


@pytest.mark.slow
def test_a_supervisor_that_is_killed_in_a_rollout(rolling: Service) -> None:
    """The candidate ends with it, so its weight is nothing until the next supervisor, which comes by itself, has loaded it again; then the rollout goes on where it was."""
    port, releases = Releases(rolling.ctx, "s-intent").current().port, Releases(rolling.ctx, "s-intent")  # type: ignore[union-attr]
    with Load(port, 60) as load:
        rollout = rolling.rollout("v2", steps=[30, 60], guardrails={"error_rate": 0.2}, requests=200, minutes=0)
        load.wait_for(20, "v2")
        supervisor, [canary] = supervisor_of(rolling.ctx.home, "s-intent"), releases.all("CANARY")
        assert supervisor is not None
        kill(supervisor)
        wait_for(lambda: not canary.living())
        alone = time.monotonic()
        wait_for(lambda: releases.all("CANARY", "SERVING", "STANDBY")[0].id > canary.id)
        loaded = releases.all("CANARY", "SERVING", "STANDBY")[0].at.timestamp() - time.time() + time.monotonic()
        wait_for(lambda: rollout.status == "PROMOTED")
    between = Counter(one.version for one in load.asked if alone < one.due and one.ended < loaded)
    assert set(between) == {"v1"} and between["v1"] > 20
    assert (load.failed, load.wrong) == ([], [])
    weights = [row["weight"] for row in rollout.history().to_dicts() if row["what"] == "RUNNING"]
    assert weights == sorted(weights)


@pytest.mark.slow
def test_a_bad_candidate_goes_though_the_catalog_is_locked(rolling: Service) -> None:
    port = Releases(rolling.ctx, "s-intent").current().port  # type: ignore[union-attr]
    with Load(port, 60, says=says) as load:
        rollout = rolling.rollout("flips", steps=[20], guardrails={"flip_rate": 0.1}, requests=10_000, minutes=0)
        load.wait_for(1, "flips")
        with closing(sqlite3.connect(str(rolling.ctx.catalog.engine.url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody else can write
            route = service_folder(rolling.ctx.home, "s-intent") / "route.json"
            wait_for(lambda: not route.exists())
            over = time.monotonic() + 1
            load.wait_for(60, since=over)
            assert set(load.met(over)) == {"v1"} and rollout.status == "RUNNING"
            other.execute("ROLLBACK")
        wait_for(lambda: rollout.status == "ROLLED_BACK")
    assert rollout.reason.startswith("flip_rate > ") and load.failed == [] and load.wrong == []
