"""Versions on their way into service: brought in by steps, or taken back by themselves with the reason."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ServiceError
from clow_nb.core.text import catalogue
from clow_nb.serve.judge import Counts, judge
from clow_nb.serve.ports import check_port
from clow_nb.serve.releases import Releases
from clow_nb.serve.restarts import Restarts
from clow_nb.serve.rollout import Rollout
from clow_nb.serve.rollouts import Plan, Rollouts
from clow_nb.serve.service import Service, Services
from clow_nb.serve.stepper import promotion_notes


@pytest.fixture
def rolling(ctx: Context, model_folder: Path, free_port: int) -> Iterator[Service]:
    """A running service with the versions v1 and v2 of one good model."""
    from clow_nb.train.models import register

    register(ctx, "intent", model_folder, {"accuracy": 1.0})
    service = Services(ctx).create("s-intent", port=free_port)
    for name in ("v1", "v2"):
        service.create_version(name, models=["intent@1"], notes=name)
    service.start("v1")
    yield service
    service.stop()


class Asking:
    """Somebody who asks all the time, and keeps all answers."""

    def __init__(self, service: Service) -> None:
        self.service, self.over = service, False
        self.answers: list[dict[str, object]] = []
        self.errors: list[Exception] = []
        self.thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        number = 0
        while not self.over:
            try:
                self.answers.append(self.service.predict({"text": "play some music", "_id": f"k{number}"}))
            except Exception as error:
                self.errors.append(error)
            number += 1
            time.sleep(0.002)

    def __enter__(self) -> "Asking":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self.thread.join(60)


def _wait_for(what: Callable[[], object], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_the_supervisor_wrote_is_read_in_the_language_of_the_reader(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "en")
    service = Services(ctx).create("s-intent")
    releases, rollouts = Releases(ctx, "s-intent"), Rollouts(ctx, "s-intent")
    plan = Plan((5.0, 100.0), {"flip_rate": 0.1})
    reason = judge(plan.guardrails, Counts(shadow=100, compared=100, flips=60))
    id = rollouts.add("v2", "v1", 1, plan, notes="더 빠름") or 0
    rollouts.move(id, "ROLLED_BACK", reason=reason)
    releases.change(releases.add("v2", "CANARY", 0, [], notes=promotion_notes(rollouts.get(id))[0]), "FAILED", rollouts.get(id).reason)
    with pytest.raises(ServiceError) as refused:
        check_port(ctx, "s-intent", 80)
    Restarts(ctx, "s-intent").add(1, "v1", 4711, 0.0, refused.value.sentence)
    with ctx.catalog.begin() as connection:  # what was written down before is read as it stands
        connection.exec_driver_sql("INSERT INTO service_restarts (service, release, version, at, pid, seconds, reason) SELECT service, 1, version, at, 1, 1, 'an old row' FROM service_restarts")
    read = {}
    for language in ("en", "ko"):
        monkeypatch.setenv("CLOW_LANG", language)
        history = Rollout(ctx, "s-intent", id).history()
        read[language] = [*service.releases().select("reason", "notes").row(0), service.rollouts()["reason"][0], history["reason"][-1]]
        read[language] += service.restarts()["reason"].to_list()
    assert read["en"][:4] == ["flip_rate > 0.1: 60 of 100", f"더 빠름; rollout {id}: 5 % → 100 %", *["flip_rate > 0.1: 60 of 100"] * 2]
    notes = catalogue("ko")["rollout {id}: {steps}"].format(id=id, steps="5 % → 100 %")
    assert read["ko"][:4] == ["flip_rate > 0.1: 100건 중 60건", f"더 빠름; {notes}", *["flip_rate > 0.1: 100건 중 60건"] * 2]
    assert read["en"][4] == read["ko"][4] == "an old row" and "80 can't be the port" in read["en"][5] and "80" in read["ko"][5] != read["en"][5]


def test_a_good_version_comes_in_by_steps(rolling: Service) -> None:
    with Asking(rolling) as asking:
        rollout = rolling.rollout("v2", steps=[20, 60], guardrails={"error_rate": 0.2}, requests=10, minutes=0)
        with pytest.raises(ServiceError, match="under way"):
            rolling.rollout("v2")
        rollout.wait(120)
    assert (rollout.status, asking.errors) == ("PROMOTED", [])
    assert {answer["label"] for answer in asking.answers} == {"music"}
    assert {answer["version"] for answer in asking.answers} == {"v1", "v2"}
    whats = rollout.history().select("what", "weight").rows()
    assert whats[:3] == [("LOADING", 0.0), ("RUNNING", 20.0), ("RUNNING", 60.0)] and whats[-1][0] == "PROMOTED"
    assert rolling.status().version == "v2" and rolling.predict({"text": "오늘 날씨 어때?"})["version"] == "v2"
    # the version before is still warm: taken back with the very next request
    pids = {one.version: tuple(process.pid for process in one.living()) for one in Releases(rolling.ctx, "s-intent").all("STANDBY")}
    assert rolling.rollback("after all") == "v1" and rolling.predict({"text": "오늘 날씨 어때?"})["version"] == "v1"
    assert pids == {"v1": rolling.status().pids}


@pytest.mark.slow
def test_a_person_pauses_resumes_and_signs(rolling: Service) -> None:
    with Asking(rolling) as asking:
        rollout = rolling.rollout("v2", steps=[50], guardrails={}, requests=5, minutes=0, sign_off=True)
        _wait_for(lambda: rollout.status == "WAITING")
        rollout.pause("lunch")
        time.sleep(1.5)
        assert (rollout.status, rollout.step, rollout.reason) == ("PAUSED", 50.0, "lunch")
        rollout.resume()
        rollout.wait(60)
        assert rollout.status == "WAITING" and rolling.status().version == "v1"
        rollout.promote("looks good")
        rollout.wait(120)
    assert (rollout.status, asking.errors, rolling.status().version) == ("PROMOTED", [], "v2")
    signed = [row for row in rollout.history().to_dicts() if row["what"] == "PROMOTING"]
    assert [(row["who"], row["reason"]) for row in signed] == [(rolling.ctx.user, "looks good")]
