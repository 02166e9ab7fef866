"""Schedules fire exactly once: under several workers, through a kill, after a sleep, and beside a run that is under way."""

import signal
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.database import now
from clow_nb.core.errors import DatabaseError, NotFound, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.runs.cron import Schedule
from clow_nb.runs.firing import fire_due
from clow_nb.runs.ledger import QUEUED, Ledger, RunRow
from clow_nb.runs.schedules import Schedules

from .conftest import MakeNotebook, StartWorker, until

EVERY_MINUTE = "* * * * *"
COUNTS = """
import os
from clow_nb.runs import current
with open(current.folder().parent / "began", "a") as file:
    file.write(os.environ["CLOW_RUN_TOKEN"] + "\\n")
"""


def slept(ctx: Context, schedule: Schedule, minutes: int) -> list[str]:
    """Let the schedule have been looked at last so many minutes ago; returns the ids of the runs that are due."""
    since = now().replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    Schedules(ctx)._update(schedule.name, since=since)
    moments = (since + timedelta(minutes=number) for number in range(1, minutes + 1))
    return [f"{schedule.name}-{moment.astimezone(UTC):%y%m%d-%H%M}" for moment in moments]


def fire_under_fire(own: Context, path: Path, start_worker: StartWorker, kills: tuple[int, ...], minutes: int) -> None:
    """Kill the worker whose turn it is whenever so many runs have been handed in; each time that was missed is fired once."""
    schedules = Schedules(own)
    schedule = schedules.create("often", EVERY_MINUTE, catch_up="all", overlap="parallel", notebook=str(path))
    schedules.pause("often")
    workers = [start_worker("--seconds", "4") for _ in range(len(kills) + 1)]
    schedules.resume("often")
    ids = slept(own, schedule, minutes)
    ledger = Ledger(own)
    for worker, many in zip(workers, kills, strict=False):
        until(lambda many=many: len(ledger.find(queue=schedule.queue)) >= many)
        worker.send_signal(signal.SIGKILL)
    until(lambda: {row.id for row in ledger.find(status="SUCCEEDED")} >= set(ids), 120)
    rows = ledger.find(queue=schedule.queue)
    assert [row.id for row in rows if row.id in ids] == ids
    assert all(row.id > ids[-1] for row in rows if row.id not in ids)
    ended = [event.payload["id"] for event in own.events.since(topic="run.ended")]
    assert sorted(id for id in ended if id in ids) == ids
    tokens = (own.home / "runs" / "began").read_text().split()
    assert len(tokens) == len(set(tokens)) and {token.partition("#")[0] for token in tokens} >= set(ids)


def test_each_time_is_fired_once_though_a_worker_is_killed(
    own: Context, notebook: MakeNotebook, start_worker: StartWorker
) -> None:
    fire_under_fire(own, notebook(COUNTS), start_worker, (3,), 8)


@pytest.mark.slow
def test_each_time_is_fired_once_by_four_workers_of_which_three_are_killed(
    own: Context, notebook: MakeNotebook, start_worker: StartWorker
) -> None:
    fire_under_fire(own, notebook(COUNTS), start_worker, (5, 20, 35), 60)


BRACKETS = """
import time
from clow_nb.runs import current
place = current.folder().parent / word
with open(place, "a") as file:
    file.write("(")
wait = word == "parallel"
while wait and place.read_text().count("(") < 2:
    time.sleep(0.02)
with open(place, "a") as file:
    file.write(")")
"""


def test_runs_of_one_schedule_wait_for_each_other_or_run_side_by_side(workspace: Context, notebook: MakeNotebook) -> None:
    schedules, path = Schedules(workspace), str(notebook(BRACKETS, parameters="word: str = ''"))
    for overlap in ("queue", "parallel"):
        given = {"catch_up": "all", "overlap": overlap, "notebook": path, "params": {"word": overlap}}
        schedule = schedules.create(overlap, EVERY_MINUTE, **given)
        ids = slept(workspace, schedule, 3)
        until(lambda ids=ids: {row.id for row in Ledger(workspace).find(status="SUCCEEDED")} >= set(ids[:2]))
        schedules.delete(overlap)
        until(lambda ids=ids: {row.id for row in Ledger(workspace).find(status="SUCCEEDED")} >= set(ids))
    place = workspace.home / "runs"
    assert (place / "queue").read_text().startswith("()()()")
    assert (place / "parallel").read_text().startswith("((")


def fired(ctx: Context, schedule: Schedule, at: datetime) -> list[str]:
    """The ids of the runs of a schedule when it has been looked at."""
    fire_due(ctx, at)
    return [row.id for row in Ledger(ctx).find(queue=schedule.queue)]


@pytest.fixture
def asleep(ctx: Context) -> Context:
    """A workspace with what looks like a worker, so that none is started."""
    from clow_nb.runs.lease import Leases

    Leases(ctx).sign("w1", 1, seconds=3600, host="elsewhere")
    return ctx


@pytest.mark.parametrize(("catch_up", "made_up"), [("skip", 0), ("latest", 1), ("all", 3)])
def test_missed_times(asleep: Context, notebook: MakeNotebook, catch_up: str, made_up: int) -> None:
    given = {"catch_up": catch_up, "overlap": "parallel", "notebook": str(notebook("1"))}
    schedule = Schedules(asleep).create("hourly", "0 * * * *", **given)
    at = now().replace(minute=30, second=0, microsecond=0) + timedelta(hours=3)
    Schedules(asleep)._update("hourly", since=at - timedelta(hours=3))
    assert len(fired(asleep, schedule, at)) == made_up
    assert len(fired(asleep, schedule, at + timedelta(minutes=1))) == made_up
    assert len(fired(asleep, schedule, at + timedelta(minutes=30))) == made_up + 1


def test_a_long_sleep_is_made_up_for_in_portions(asleep: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def start(ctx: Context, id: str, queue: str) -> None:
        seen.append(id)

    monkeypatch.setitem(registry("scheduled")._plugins, "seen", start)
    schedule = Schedules(asleep).create("often", EVERY_MINUTE, "seen", catch_up="all", overlap="parallel")
    ids, at = slept(asleep, schedule, 1500), now()
    fire_due(asleep, at)
    assert seen == ids[:1000]
    fire_due(asleep, at)
    assert seen == ids


def test_a_time_at_which_the_one_before_is_under_way_is_left_out(asleep: Context, notebook: MakeNotebook) -> None:
    schedule = Schedules(asleep).create("often", EVERY_MINUTE, catch_up="all", notebook=str(notebook("1")))
    ids = slept(asleep, schedule, 3)
    assert fired(asleep, schedule, now()) == ids[:1]
    assert [event.payload["run"] for event in asleep.events.since(topic="schedule.skipped")] == ids[:1] * 2


def test_a_schedule_that_can_start_nothing_says_so_and_stands_in_no_way(asleep: Context, notebook: MakeNotebook) -> None:
    schedules, gone = Schedules(asleep), notebook("1")
    first = schedules.create("gone", EVERY_MINUTE, notebook=str(gone))
    second = schedules.create("there", EVERY_MINUTE, notebook=str(notebook("1")))
    gone.unlink()
    slept(asleep, first, 1)
    ids = slept(asleep, second, 1)
    assert fired(asleep, second, now()) == ids and not Ledger(asleep).find(queue=first.queue)
    (event,) = asleep.events.since(topic="schedule.refused")
    assert event.payload["schedule"] == "gone" and str(gone) in event.payload["reason"]


def test_a_time_is_kept_while_the_database_is_away(
    asleep: Context, notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Schedules(asleep).create("often", EVERY_MINUTE, notebook=str(notebook("1")))
    ids, add = slept(asleep, schedule, 1), Ledger.add

    def away(self: Ledger, row: RunRow) -> RunRow:
        raise DatabaseError("The database is away.")

    monkeypatch.setattr(Ledger, "add", away)
    assert fired(asleep, schedule, now()) == []
    monkeypatch.setattr(Ledger, "add", add)
    assert fired(asleep, schedule, now()) == ids


def test_what_could_never_be_started_is_refused_at_once(
    asleep: Context, notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules, path = Schedules(asleep), notebook("1", parameters="import datetime\nday: datetime.date")
    for wrong, words in (
        ({"notbook": str(path)}, "do not fit notebook.*notebook, params"),
        ({"notebook": str(path)}, "day"),
        ({"notebook": str(path), "params": {"day": "today"}}, "day"),
        ({"notebook": str(path), "params": {"day": "2026-11-21"}, "timout": 5}, "timout=5"),
    ):
        with pytest.raises(ParameterError, match=words):
            schedules.create("day", "@daily", **wrong)
    with pytest.raises(NotFound, match="No notebook"):
        schedules.create("day", "@daily", notebook="nowhere.ipynb")
    assert list(schedules) == []
    monkeypatch.chdir(path.parent)
    schedule = schedules.create("day", EVERY_MINUTE, notebook=path.name, params={"day": date(2026, 11, 21)})
    assert schedule.options["notebook"] == str(path)
    monkeypatch.chdir("/")
    ids = slept(asleep, schedule, 1)
    assert fired(asleep, schedule, now()) == ids
    assert Ledger(asleep).get(ids[0]).params == {"day": "2026-11-21"} and Ledger(asleep).get(ids[0]).status == QUEUED
