"""Pipelines by the clock: a real worker starts what was missed, overlaps as told, and says what it could not start."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from clow_nb import Train, Workspace
from clow_nb.core.database import now
from clow_nb.core.errors import AlreadyExists, ClowError, NotFound, ParameterError
from clow_nb.runs.launch import ensure_worker, stop_worker


def until(condition: Callable[[], object], seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def turn_back(ws: Workspace, name: str, **ago: float) -> None:
    """Let it be so long since the schedule was last looked at, as after a night without a worker."""
    with ws.ctx.catalog.begin() as connection:
        moved = {"name": name, "since": (now() - timedelta(**ago)).replace(tzinfo=None)}
        connection.execute(sa.text("UPDATE schedules SET since = :since WHERE name = :name"), moved)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Two topics, a training, and a worker."""
    workspace = Workspace(tmp_path_factory.mktemp("clock") / ".clow")
    ensure_worker(workspace.ctx)
    documents = [{"text": f"{word} {n}", "topic": word} for word in ("알람", "점심") for n in range(20)]
    workspace.datasets.create("d-topic-1", documents, label="topic").split(train=8, valid=1, test=1, seed=0)
    workspace.trainings.create("t-topic", dataset="d-topic-1@1", model="topic", params={"epochs": 1})
    yield workspace
    stop_worker(workspace.ctx, seconds=0)


def test_a_worker_starts_it_on_the_newest_documents(ws: Workspace) -> None:
    pipeline = ws.pipelines.create("pl-night", [Train("t-topic")], schedule="0 3 * * *")
    assert [moment.hour for moment in pipeline.next_runs()] == [3, 3, 3] and "03:00" in repr(pipeline)
    assert ws.schedules.list().select("name", "starts", "catch_up", "overlap").rows() == [("pl-night", "pipeline", "latest", "skip")]
    turn_back(ws, "pl-night", days=3)
    until(pipeline.runs)
    (run,) = pipeline.runs()
    until(run.children)
    assert run.params[2] == run.children()[0].params["dataset"] == "dataset:d-topic-1@2"
    assert run.row.queue == "schedule-pl-night" and run.id.startswith("pl-night-")
    assert run.cancel().wait(150, progress=False, check=False).status == "CANCELLED"

    pipeline.pause()
    turn_back(ws, "pl-night", days=3)
    time.sleep(2.5)
    assert len(pipeline.runs()) == 1 and pipeline.next_runs() == [] and "paused" in repr(pipeline)
    ws.schedules.delete("pl-night")
    assert pipeline.schedule is None and len(ws.pipelines["pl-night"].runs()) == 1


def test_what_the_clock_can_not_start_is_said(ws: Workspace) -> None:
    pipeline = ws.pipelines.create("pl-wait", [Train("t-topic")], trigger={"dataset_prefix": "x-"}, schedule="*/5 * * * *", catch_up="latest")
    turn_back(ws, "pl-wait", hours=1)
    until(lambda: list(ws.ctx.events.since(topic="schedule.refused")))
    (event,) = ws.ctx.events.since(topic="schedule.refused")
    assert event.payload["schedule"] == "pl-wait" and "begins with 'x-'" in event.payload["reason"] and pipeline.runs() == []
    ws.pipelines.delete("pl-wait")


def test_all_that_was_missed_one_after_the_other(ws: Workspace) -> None:
    pipeline = ws.pipelines.create("pl-all", [Train("t-topic")], schedule="0 * * * *", catch_up="all", overlap="queue")
    turn_back(ws, "pl-all", hours=2)
    for other in ("QUEUED", "CANCELLED"):
        until(partial(lambda wanted: sorted(run.status for run in pipeline.runs()) == wanted, [other, "RUNNING"]))
        (busy,) = (run for run in pipeline.runs() if run.status == "RUNNING")
        busy.cancel().wait(150, progress=False, check=False)
    ws.pipelines.delete("pl-all")


def test_nothing_is_half_made_and_nothing_stays_behind(ws: Workspace) -> None:
    create = ws.pipelines.create
    for error, words, given in (
        (ParameterError, "'at noon' is no schedule", {"schedule": "at noon"}),
        (ParameterError, "catch_up= is 'some'", {"schedule": "@daily", "catch_up": "some"}),
        (ParameterError, "overlap= is 'yes'", {"schedule": "@daily", "overlap": "yes"}),
    ):
        with pytest.raises(error, match=words):
            create("pl-wrong", [Train("t-topic")], **given)  # type: ignore[arg-type]
    ws.schedules.create("report", "@daily", "pipeline", pipeline="pl-other")
    with pytest.raises(AlreadyExists, match="a schedule 'report' already"):
        create("report", [Train("t-topic")], schedule="@daily")
    assert not {"pl-wrong", "report"} & {pipeline.name for pipeline in ws.pipelines} and ws.schedules.list()["name"].to_list() == ["report"]

    create("pl-one", [Train("t-topic")], schedule="@daily")
    with pytest.raises(AlreadyExists):
        create("pl-one", [Train("t-topic")], schedule="@hourly")
    assert ws.schedules.get("pl-one").cron == "@daily"
    ws.schedules.create("also", "@weekly", "pipeline", pipeline="pl-one")
    ws.pipelines.delete("pl-one")
    assert ws.schedules.list()["name"].to_list() == ["report"]
    with pytest.raises(NotFound):
        ws.pipelines.delete("pl-one")
    with pytest.raises(ClowError, match="has no schedule"):
        create("pl-bare", [Train("t-topic")]).pause()
