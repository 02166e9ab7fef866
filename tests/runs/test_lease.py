"""Who may take over from whom."""

import os
import subprocess
import time

import pytest

from clow_nb.core.context import Context
from clow_nb.runs.lease import Lease, Leases, claim_dead
from clow_nb.runs.machine import birth, kill_group


@pytest.fixture
def leases(ctx: Context) -> Leases:
    """The leases of a fresh workspace."""
    return Leases(ctx)


def elsewhere(leases: Leases, id: str, seconds: float) -> None:
    """Sign a worker of another machine, which is ready."""
    leases.sign(id, os.getpid(), seconds, host="elsewhere")
    leases.renew(id)


def test_of_two_survivors_one_claims(leases: Leases) -> None:
    elsewhere(leases, "dead", 0.01)
    for id in ("a", "b"):
        leases.sign(id, os.getpid())
    time.sleep(0.05)
    assert [lease.id for lease in claim_dead(leases, "a")] == ["dead"]
    assert claim_dead(leases, "b") == []


def test_who_dies_while_taking_over_is_taken_over_with_what_it_claimed(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(leases, "first", 0.01)
    elsewhere(leases, "second", 60)
    time.sleep(0.05)
    assert [lease.id for lease in claim_dead(leases, "second")] == ["first"]
    monkeypatch.setattr(leases, "clock", lambda connection: time.time() + 90)
    assert {lease.id for lease in claim_dead(leases, "third")} == {"first", "second"}


def test_a_process_that_is_gone_is_dead_at_once_but_only_on_this_machine(leases: Leases) -> None:
    process = subprocess.Popen(["true"])
    leases.sign("here", process.pid)
    process.wait()
    elsewhere(leases, "there", 10)
    leases.sign("gone-there", process.pid, host="elsewhere")
    assert {lease.id for lease in leases.living()} == {"there", "gone-there"}


def test_draining_is_alive_but_takes_nothing(leases: Leases) -> None:
    leases.sign("w", os.getpid())
    assert leases.renew("w", "draining")
    assert leases.living() == []
    assert claim_dead(leases, "other") == []


def test_a_number_that_is_used_again_is_another_process() -> None:
    born = birth(os.getpid())
    assert born is not None
    assert not kill_group(os.getpid(), born - 50)
    assert birth(2**22 + 1) is None


def test_a_group_is_killed_with_its_children() -> None:
    command = ["sh", "-c", "sleep 60 & echo $!; wait"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert kill_group(process.pid, birth(process.pid) or 0.0)
    process.wait()
    deadline = time.monotonic() + 120
    while birth(child) is not None:
        assert time.monotonic() < deadline


def test_a_lease_of_the_future_holds() -> None:
    lease = Lease("w", "elsewhere", 1, 0.0, "ready", 10, 0.0, 105.0, [], {}, "")
    assert lease.holds(100.0) and lease.holds(114.9) and not lease.holds(115.0)
