"""The ledger under many hands: each change happens once, whoever asks for it."""

import threading
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.runs.ledger import ENDED, Ledger, RunRow


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """The results of `act(0)`, `act(1)` … called by as many threads at the same moment."""
    results: list[object] = [None] * count
    barrier = threading.Barrier(count)

    def call(number: int) -> None:
        barrier.wait()
        results[number] = act(number)

    threads = [threading.Thread(target=call, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_id_is_one_run(ctx: Context) -> None:
    rows = at_once(6, lambda number: Ledger(ctx).add(RunRow(id="r1", kind="k", target=str(number))))
    assert len({row.target for row in rows}) == 1
    assert len(Ledger(ctx).find()) == 1


def test_of_those_that_begin_at_once_one_does(ctx: Context) -> None:
    Ledger(ctx).add(RunRow(id="r1", kind="k", target=""))
    for attempt in (1, 2):
        begun = [row for row in at_once(4, lambda number: Ledger(ctx).begin("r1", f"w{number}")) if isinstance(row, RunRow)]
        row = Ledger(ctx).get("r1")
        assert [row] == begun and (row.attempt, row.token) == (attempt, f"r1#{attempt}")
        assert Ledger(ctx).release(row.worker) == ["r1"]
        assert Ledger(ctx).get("r1").token == ""


def test_of_cancel_and_end_one_wins(ctx: Context) -> None:
    ledger = Ledger(ctx)
    for number in range(10):
        id = f"r{number}"
        ledger.add(RunRow(id=id, kind="k", target=""))
        token = ledger.begin(id, "w").token
        ends = [lambda id=id: ledger.cancel(id), lambda id=id, token=token: ledger.end(id, token, "SUCCEEDED")]
        at_once(2, lambda which, ends=ends: ends[which]())
        assert ledger.get(id).status == "SUCCEEDED"
    assert len(ctx.events.since(topic="run.ended")) == 10


def test_an_orderly_end_is_no_strike(ctx: Context) -> None:
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="r1", kind="k", target=""))
    for _ in range(12):
        assert ledger.begin("r1", "w1")
        assert ledger.release("w1", blame=False) == ["r1"]
    assert ledger.get("r1").strikes == 0


def test_an_event_that_was_not_announced_is_announced_later(ctx: Context) -> None:
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="r1", kind="k", target="", status="SUCCEEDED"))
    ledger.announce(ledger.get("r1"))
    ledger.announce(ledger.get("r1"))
    assert [event.payload["id"] for event in ctx.events.since(topic="run.ended")] == ["r1"]


def test_a_step_that_is_done_clears_the_name_of_its_pipeline(ctx: Context) -> None:
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="p", kind="pipeline", target="", workflow="w"))
    for number in range(8):
        step = f"p-{number}"
        ledger.add(RunRow(id=step, kind="k", target="", parent="p"))
        for _ in range(2):
            ledger.begin("p", "w1")
            assert ledger.release("w1") == ["p"]
        ledger.end(step, ledger.begin(step, "w2").token, "SUCCEEDED")
    assert (ledger.get("p").status, ledger.get("p").strikes) == ("QUEUED", 0)


def test_who_is_cancelled_while_its_worker_dies_is_cancelled(ctx: Context) -> None:
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="r1", kind="k", target=""))
    ledger.begin("r1", "w1")
    assert ledger.cancel("r1")
    assert not ledger.retry("r1", "r1#1", "why")
    ledger.release("w1")
    assert ledger.get("r1").status == "CANCELLED"
    assert len(ctx.events.since(topic="run.ended")) == 1


ACTIONS = ["begin", "cancel", "again", "end", "end-old", "release", "retry"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_whatever_happens_only_the_last_token_ends_a_run(ctx: Context, actions: list[str]) -> None:
    ledger = Ledger(ctx)
    id = f"r{len(ledger.find())}"
    ledger.add(RunRow(id=id, kind="k", target="", retries=1))
    tokens: list[str] = []
    for action in actions:
        before = ledger.get(id)
        if action == "begin" and (row := ledger.begin(id, f"w-{id}")):
            assert row.token not in tokens and before.status == "QUEUED"
            tokens.append(row.token)
        elif action == "end" and tokens:
            assert ledger.end(id, tokens[-1], "FAILED", "why") == (before.status == "RUNNING")
        elif action == "retry" and tokens:
            may = before.status == "RUNNING" and not before.cancelled and before.failures < before.retries
            assert ledger.retry(id, tokens[-1], "why") == may
        elif action == "end-old" and len(tokens) > 1:
            assert not ledger.end(id, tokens[-2], "SUCCEEDED")
        elif action == "cancel":
            assert ledger.cancel(id) == (before.status not in ENDED)
        elif action == "again":
            assert ledger.again(id) == (before.status in ("FAILED", "CANCELLED"))
        elif action == "release":
            assert (ledger.release(f"w-{id}") == [id]) == (before.status == "RUNNING")
        row = ledger.get(id)
        assert row.ended == (row.ended_at is not None)
