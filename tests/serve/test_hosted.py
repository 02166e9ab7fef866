"""The process in which models compute: killed, frozen, left alone, and told things that can't be sent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from clow_nb.core.errors import DataError
from clow_nb.serve.batcher import Batcher
from clow_nb.serve.compute import Computed
from clow_nb.serve.hosted import Host, Hosted
from clow_nb.serve.protocol import Refused
from clow_nb.train.predictor import load_predictor

TEXTS = ["내일 알람 맞춰줘", "오늘 날씨 어때?", "play calm music", "a", "😀" * 300]


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    """One process for those who leave it alive."""
    host = Host()
    yield host
    host.close()


def run(host: Host, folder: Path, work: Callable[[Hosted], Awaitable[None]]) -> None:
    """Do something with the model in `folder`, loaded there."""

    async def main() -> None:
        model, _ = await host.open(str(folder))
        await work(model)
        model.close()

    asyncio.run(main())


@contextmanager
def alone(**options: float) -> Iterator[Host]:
    """A process for one test."""
    host = Host(**options)
    try:
        yield host
    finally:
        host.close()


async def ask(model: Hosted, documents: list[Any]) -> Computed:
    """The outcomes of a batch."""
    heard: asyncio.Future[Computed] = asyncio.get_running_loop().create_future()
    model.submit(documents, False, heard.set_result)
    return await heard


def test_answers_are_those_of_the_model_whatever_is_beside_them(model_folder: Path, shared: Host) -> None:
    expected = load_predictor(model_folder).predict([{"text": text} for text in TEXTS])
    strange = [object(), 2**80, {1, 2}, "x" * 3_000_000, np.arange(3), None, 1.5]

    async def work(model: Hosted) -> None:
        assert (await ask(model, [{"text": text} for text in TEXTS])).outcomes == expected
        mixed = [one for text, more in zip(TEXTS, strange, strict=False) for one in ({"text": text, "n": 1}, {"text": text, "other": more})]
        outcomes = (await ask(model, mixed)).outcomes
        assert outcomes[0::2] == expected
        failed = [isinstance(outcome, Exception) for outcome in outcomes[1::2]]
        assert failed == [True, False, False, False, False] and outcomes[3::2] == expected[1:]
        [nothing] = (await ask(model, [{"text": None}])).outcomes
        assert isinstance(nothing, DataError)

    run(shared, model_folder, work)


def test_many_batches_at_once_keep_their_order(model_folder: Path, shared: Host) -> None:
    expected = {text: one for text, one in zip(TEXTS, load_predictor(model_folder).predict([{"text": text} for text in TEXTS]), strict=True)}

    async def work(model: Hosted) -> None:
        batcher = Batcher(model, max_batch=7, capacity=10_000)
        asked = [TEXTS[number % 5] for number in range(2000)]
        answers = await asyncio.gather(*[batcher.run([{"text": text}]) for text in asked])
        assert [job.outcome["label"] for [job] in answers] == [expected[text]["label"] for text in asked]
        assert all(job.queue_ms >= 0 and job.compute_ms > 0 for [job] in answers)
        assert batcher.idle

    run(shared, model_folder, work)


def wait_for(said: Callable[[], bool]) -> None:
    """Return when something is so; fail if it isn't within a minute."""
    until = time.monotonic() + 60
    while not said():
        assert time.monotonic() < until
        time.sleep(0.02)


def stop(process: psutil.Process) -> None:
    """Stop a process, with all of its threads."""
    process.suspend()
    threads = Path(f"/proc/{process.pid}/task")
    wait_for(lambda: all(") T " in (thread / "stat").read_text() for thread in threads.iterdir()))


def test_a_killed_process_refuses_what_it_had_and_what_comes(model_folder: Path) -> None:
    async def work(model: Hosted) -> None:
        batcher = Batcher(model, max_batch=4)
        asked = [asyncio.create_task(batcher.run([{"text": "x" * 100_000}])) for _ in range(40)]
        await asyncio.sleep(0)
        host.process.send_signal(signal.SIGKILL)
        jobs = [job for task in asked for job in await task]
        refused = [job.outcome for job in jobs if isinstance(job.outcome, Exception)]
        assert refused and all(isinstance(one, Refused) and one.status == 503 and one.retry_after for one in refused)
        assert await host.watch()
        [[job]] = [await batcher.run([{"text": "알람"}])]
        assert isinstance(job.outcome, Refused) and job.outcome.status == 503

    with alone() as host:
        run(host, model_folder, work)


def test_a_model_that_never_answers_is_ended_and_signals_to_drain_are_not_for_it(model_folder: Path) -> None:
    async def work(model: Hosted) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            host.process.send_signal(number)
        assert isinstance((await ask(model, [{"text": "알람"}])).outcomes[0], dict)
        stop(psutil.Process(host.process.pid))
        asked = asyncio.create_task(ask(model, [{"text": "알람"}]))
        assert await asyncio.wait_for(host.watch(), 60)
        [refused] = (await asked).outcomes
        assert isinstance(refused, Refused) and refused.status == 503

    with alone(stuck_s=0.5) as host:
        run(host, model_folder, work)


@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills what is stopped"))])
def test_it_ends_with_the_process_that_started_it(stopped: bool) -> None:
    script = "from clow_nb.serve.hosted import Host; import time; print(Host().process.pid, flush=True); time.sleep(600)"
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    models = psutil.Process(int(server.stdout.readline()))
    if stopped:
        ignored = 1 << signal.SIGTERM - 1
        wait_for(lambda: bool(int(Path(f"/proc/{models.pid}/status").read_text().partition("SigIgn:")[2].split()[0], 16) & ignored))
        stop(models)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_for(lambda: not models.is_running() or models.status() == psutil.STATUS_ZOMBIE)
