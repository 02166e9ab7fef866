"""Batches never change an answer, and never lose one."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.serve.batcher import Batcher, Job
from clow_nb.serve.protocol import Refused

Documents = list[dict[str, Any]]


def half(documents: Documents) -> Documents:
    """Fails for the whole batch if one document is bad."""
    return [{"value": 10 / document["x"]} for document in documents]


async def ask_all(predict: Callable[[Documents], Documents], requests: list[Documents], **limits: Any) -> list[Any]:
    batcher = Batcher(predict, **limits)
    answers = await asyncio.gather(*[batcher.run(documents) for documents in requests], return_exceptions=True)
    batcher.close()
    return answers


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 3), max_size=9), max_size=30),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.001]),
)
def test_every_document_gets_its_own_outcome(requests: list[list[int]], max_batch: int, window_s: float) -> None:
    documents = [[{"x": x} for x in xs] for xs in requests]
    answers = asyncio.run(ask_all(half, documents, max_batch=max_batch, window_s=window_s))
    for xs, jobs in zip(requests, answers, strict=True):
        assert len(jobs) == len(xs)
        for x, job in zip(xs, jobs, strict=True):
            assert isinstance(job.outcome, ZeroDivisionError) if x == 0 else job.outcome == {"value": 10 / x}
            assert 1 <= job.batch <= max_batch and job.queue_ms >= 0 and job.compute_ms >= 0


def test_a_batch_of_a_real_model_answers_as_one_by_one(model_folder: Path) -> None:
    from clow_nb.train.predictor import load_predictor

    predictor = load_predictor(model_folder)
    documents = [{"text": ("내일 알람 " * (n % 9)) + "play" * (n % 4) + " 날씨?"} for n in range(50)]
    alone = [predictor.predict([document])[0] for document in documents]
    answers = asyncio.run(ask_all(predictor.predict, [[document] for document in documents], max_batch=32))
    assert 1 < max(job.batch for [job] in answers) <= 32
    for single, [job] in zip(alone, answers, strict=True):
        assert job.outcome["label"] == single["label"]
        assert abs(job.outcome["confidence"] - single["confidence"]) < 1e-6


def test_the_event_loop_lives_while_the_model_computes() -> None:
    gate = threading.Event()

    async def main() -> list[Job]:
        batcher = Batcher(lambda documents: [gate.wait(60) and document for document in documents], window_s=0)
        asking = asyncio.create_task(batcher.run([{"x": 1}]))
        await asyncio.sleep(0.05)
        assert not asking.done()
        gate.set()
        return await asking

    assert asyncio.run(main())[0].outcome == {"x": 1}


def test_a_request_that_was_given_up_makes_room() -> None:
    gate = threading.Event()

    async def main() -> None:
        batcher = Batcher(lambda documents: [gate.wait(60) and document for document in documents], window_s=0, max_batch=1, capacity=2)
        first = asyncio.create_task(batcher.run([{"x": 0}]))
        await asyncio.sleep(0.01)
        late = [asyncio.create_task(batcher.run([{"x": x}], timeout_s=0.05)) for x in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as caught:
            await batcher.run([{"x": 3}])
        assert caught.value.status == 429 and caught.value.retry_after >= 1
        assert [error.status for error in await asyncio.gather(*late, return_exceptions=True)] == [504, 504]  # type: ignore[union-attr]
        after = asyncio.create_task(batcher.run([{"x": 4}, {"x": 5}]))
        await asyncio.sleep(0)
        gate.set()
        assert [job.outcome for job in [*await first, *await after]] == [{"x": 0}, {"x": 4}, {"x": 5}]

    asyncio.run(main())


def test_a_cancelled_request_harms_nobody() -> None:
    async def main() -> None:
        batcher = Batcher(half, window_s=0.02)
        gone = asyncio.create_task(batcher.run([{"x": 1}]))
        here = asyncio.create_task(batcher.run([{"x": 2}]))
        await asyncio.sleep(0)
        gone.cancel()
        [job] = await here
        assert job.outcome == {"value": 5.0} and job.batch == 1

    asyncio.run(main())


def test_who_would_wait_too_long_is_refused_at_once() -> None:
    """By the time that documents took lately; one request's own documents don't count against it."""
    import time

    def slow(documents: Documents) -> Documents:
        time.sleep(0.02)
        return documents

    async def main() -> None:
        batcher = Batcher(slow, window_s=0, max_batch=4, most_s=0.1)
        await batcher.run([{"x": x} for x in range(60)])
        asked = [asyncio.create_task(batcher.run([{"x": x}])) for x in range(200)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert {refusal.status for refusal in refused} == {429} and 0 < len(refused) < 195
        assert [job.outcome for answer in answers if isinstance(answer, list) for job in answer] == [
            {"x": x} for x, answer in enumerate(answers) if isinstance(answer, list)
        ]
        assert len(await batcher.run([{"x": x} for x in range(60)])) == 60
        batcher.close()

    asyncio.run(main())
