"""Models side by side on the very same documents, each version computed once."""

from collections.abc import Callable

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError, NotFound
from clow_nb.core.plugins import registry
from clow_nb.core.refs import Ref
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.evals.samples import Part
from clow_nb.evals.scoring import judge, kept_score, production_of, score_models
from clow_nb.train.models import Models

Add = Callable[..., str]


def test_it_is_the_scorer_that_promotion_asks_for(ctx: Context, topics: Dataset, add_model: Add) -> None:
    assert registry("scorer").get("default") is score_models
    add_model(1), add_model(6)
    models = Models(ctx)
    first = models["topics"].promote(1, "production")
    scores = score_models(ctx, ["topics@1", "model:topics@latest"], "topics", "test")
    assert first and set(scores) == {"topics@1", "model:topics@latest"}
    assert all(found["documents"] == 12 and 0 <= found["accuracy"] <= 1 for found in scores.values())


def test_each_version_is_asked_once(ctx: Context, topics: Dataset, add_model: Add) -> None:
    def kept() -> dict[str, int]:
        """The tables that were made, and when: a second time would write them anew."""
        return {path.name: path.stat().st_mtime_ns for path in (ctx.home / "scores").glob("*.parquet")}

    old, new = add_model(1), add_model(6)
    score_models(ctx, [old], "topics@1", "test")
    made = kept()
    first = score_models(ctx, [old, new], "topics@1", "test")
    both = kept()
    assert len(made) == 1 and len(both) == 2 and made.items() <= both.items()
    assert score_models(ctx, [new, old], "topics@1", "test") == first and kept() == both
    score_models(ctx, [old], "topics@1", "valid")
    grown = topics.append([{"text": "눈 와?", "topic": "날씨", "split": "test"}])
    assert score_models(ctx, [old], grown.ref, "test")[old]["documents"] == 13
    assert len(kept()) == 4 and both.items() <= kept().items()


def test_a_name_that_was_given_again_is_another_thing(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ref = add_model(1)
    score_models(ctx, [ref], "topics", "test")
    Models(ctx).delete("topics")
    assert add_model(6) == ref
    assert kept_score(ctx, Ref.parse(ref), Part(topics, "test")) is None


def test_the_gate_compares_with_what_is_in_production_now(ctx: Context, topics: Dataset, add_model: Add) -> None:
    old, new = add_model(1), add_model(6)
    assert production_of(ctx, new) is None
    assert "no model in production" in judge(ctx, "accuracy > production.accuracy", new, "topics").sentence
    Models(ctx)["topics"].promote(1, "production")
    assert production_of(ctx, new) == old
    verdict = judge(ctx, "accuracy >= production.accuracy and documents == 12", new, "topics")
    assert verdict.passed and "(same 12 documents)" in verdict.sentence
    assert not judge(ctx, "accuracy > 2", new, "topics", split="valid")


def test_what_is_not_there_is_named(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ref = add_model(1)
    for refs, dataset, split, error, words in [
        (["topic"], "topics", "test", NotFound, "topics"),
        (["topics@9"], "topics", "test", NotFound, "no version 9"),
        ([ref], "topic", "test", NotFound, "There is: topics"),
        ([ref], "topics@7", "test", NotFound, "no version 7"),
        ([ref], "topics", "holdout", DataError, "It has: "),
    ]:
        with pytest.raises(error, match=words):
            score_models(ctx, refs, dataset, split)
    Datasets(ctx).create("bare", [{"text": "?"}])
    with pytest.raises(DataError, match="no label key"):
        score_models(ctx, [ref], "bare", None)
    assert not list((ctx.home / "scores").glob("*"))
