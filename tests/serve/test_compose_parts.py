"""What caches and rules promise whatever documents come, and what a flow does when its parts fail."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError
from clow_nb.data.query import compile_query
from clow_nb.serve.batcher import Batcher
from clow_nb.serve.cache import AnswerCache, Kept
from clow_nb.serve.compose import Decision, make_flow
from clow_nb.serve.conditions import Pattern, compile_condition
from clow_nb.serve.protocol import Refused
from clow_nb.serve.results import ResultStore
from clow_nb.serve.spec import ModelSpec, ServiceSpec, service_folder

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, -0.5]) | st.text("ab1한 ", max_size=3)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2), max_leaves=4)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=3)
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def typed(value: Any) -> str:
    """A text that tells apart whatever a client can tell apart."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{typed(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(typed, value)) + "]" if isinstance(value, list) else f"{type(value).__name__} {value!r}"


@QUIET
@given(st.lists(DOCUMENTS, max_size=30))
def test_a_cache_never_gives_anothers_answer(documents: list[dict[str, Any]]) -> None:
    cache = AnswerCache(60, 10, 0.02)
    for document in documents:
        found = cache.get(cache.key(document))
        assert found is None or found.answer == {"of": typed(document)}
        cache.put(cache.key(document), Kept({"of": typed(document)}, "", ""))
        assert cache.get(cache.key(dict(reversed(document.items())))) is not None
    assert len(cache) <= 10


@QUIET
@given(DOCUMENTS, st.sampled_from("abcd"), SCALARS, st.sampled_from(["$eq", "$ne", "$gt", "$lte"]), st.sampled_from(["a", "^1", "한$", "a|b", "[ab]+1?", "(a b)*"]))
def test_a_rule_holds_where_the_query_of_a_dataset_does(document: dict[str, Any], key: str, value: Any, operator: str, pattern: str) -> None:
    for query in ({key: {operator: value}}, {key: {"$regex": pattern}}, {"$nor": [{key: {"$regex": pattern, "$options": "i"}}, {"a.b": value}]}):
        assert compile_condition(query)(document) == compile_query(query)(document), query


@QUIET
@given(st.text("ab1 \n한글", max_size=8), st.sampled_from(["a+b", "(a|b)*1", "^한", "글$", r"\s+", r"\w{2,3}", "(?i)A", "[^a]b?", "a.b", "(a|ab)(c|bcd)?"]))
def test_both_engines_find_the_same(text: str, pattern: str) -> None:
    one = Pattern(pattern)
    quick, one._python = one.search(text), None
    assert quick == one.search(text)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*x", "a*a*a*a*a*b", "((a{1,9}){1,9}){1,9}b"])
def test_no_pattern_keeps_a_server_busy(pattern: str) -> None:
    started = time.process_time()
    compile_condition({"t": {"$regex": pattern}})({"t": "a" * 20_000 + "!"})
    assert time.process_time() - started < 20  # Python's re would take years


def fast(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for document in documents:
        if document.get("text") == "unreadable":
            raise DataError("no text")
        if document.get("text") == "crash":
            raise RuntimeError("boom")
    return [{"label": "long" if len(str(document.get("text"))) > 5 else "short", "confidence": 0.8} for document in documents]


def sleepy(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    time.sleep(0.4)
    return [{"label": "late", "confidence": 1.0} for _ in documents]


def decide(home: Path, steps: list[Any], documents: list[dict[str, Any]], seconds: float = 5, times: int = 1, **more: Any) -> list[Decision]:
    """What a flow over two real batchers says to the documents, the last of `times` times."""

    async def run() -> list[Decision]:
        batchers = {"fast": Batcher(fast), "sleepy": Batcher(sleepy)}

        async def ask(name: str, documents: list[dict[str, Any]], seconds: float, probabilities: bool) -> Any:
            return await batchers[name].run(documents, seconds, probabilities)

        models = (ModelSpec("model:fast@1", "fast"), ModelSpec("model:sleepy@1", "sleepy"))
        flow = make_flow(ServiceSpec("s", "v1", models, flow={"steps": steps, **more}), ask, home)
        assert flow is not None
        try:
            for _ in range(times):
                found = await flow.answer(documents, seconds, "fast")
            return found
        finally:
            flow.close()
            for batcher in batchers.values():
                batcher.close()

    return asyncio.run(run())


def test_a_fallback_answers_in_time_and_says_why(tmp_path: Path) -> None:
    ResultStore(service_folder(tmp_path, "s")).put([("u1", {"label": "stored"})], ref="model:fast@1", version="v0")
    steps = [{"fallback": ["sleepy", {"stored": {"by": "user"}}, {"answer": {"label": "unknown"}}]}]
    one, other = decide(tmp_path, steps, [{"user": "u1"}, {"user": "u2"}], seconds=0.2)
    assert (one.output, one.decided_by, one.ref) == ({"label": "stored"}, "stored", "model:fast@1")
    assert (other.output, other.decided_by) == ({"label": "unknown"}, "default") and "model sleepy" in other.reason
    # the document's own fault is told, not covered; a crash of the model is covered
    bad, crash = decide(tmp_path, [{"fallback": ["fast", {"answer": {"label": "?"}}]}], [{"text": "unreadable"}, {"text": "crash"}])
    assert isinstance(bad.outcome, DataError) and "model fast" in str(bad.outcome)
    assert crash.output == {"label": "?"} and "boom" in crash.reason
    (tmp_path / "services" / "s" / "results.sqlite").write_bytes(b"no database at all" * 100)
    [broken] = decide(tmp_path, steps, [{"user": "u1"}], seconds=0.2)
    assert broken.output == {"label": "unknown"} and "stored" in broken.reason


def test_what_fails_says_which_step_and_leaves_the_others_alone(tmp_path: Path) -> None:
    good, crash, late = decide(tmp_path, ["fast"], [{"text": "a"}, {"text": "crash"}, {"text": "abcdefg"}])
    assert (good.output["label"], late.output["label"]) == ("short", "long")
    assert re.search("step model fast failed.*boom", str(crash.outcome))
    started = time.monotonic()
    [slow] = decide(tmp_path, [{"model": "sleepy", "name": "the slow one"}], [{"text": "a"}], seconds=0.05)
    assert isinstance(slow.outcome, Refused) and slow.outcome.status == 504 and "the slow one" in str(slow.outcome)
    assert time.monotonic() - started < 5


def test_chain_route_ensemble_and_cache(tmp_path: Path) -> None:
    chain = [{"model": "fast", "put": {"size": "label"}}, {"route": {"by": "size", "to": {"long": {"answer": {"label": "essay"}}}, "otherwise": "$asked"}}]
    assert [one.output["label"] for one in decide(tmp_path, chain, [{"text": "abcdefgh"}, {"text": "a"}])] == ["essay", "short"]
    together = [{"ensemble": {"of": ["fast", {"answer": {"label": "b", "confidence": 0.9}}, "sleepy"], "how": "best", "seconds": 0.1}}]
    [best] = decide(tmp_path, together, [{"text": "a"}], seconds=3)
    assert (best.output["label"], best.decided_by) == ("b", "ensemble:best") and "model sleepy" in best.reason
    cached = [{"cache": {"keys": ["text"]}}, "fast", {"finish": [{"set": {"seen": True}}]}]
    first, second = decide(tmp_path, cached, [{"text": "a", "at": 1}, {"text": "crash"}], times=2)
    assert first.cached and first.output["seen"] and first.ref == "model:fast@1"
    assert not second.cached and isinstance(second.outcome, Exception)
