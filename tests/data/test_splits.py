"""Splits: by ratio, by seed, in every class, and for good."""

from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.data.splits import assign_splits, check_ratios

RATIOS = {"train": 8, "valid": 1, "test": 1}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=60), st.lists(st.sampled_from("abcd"), max_size=60), st.integers(0, 3))
def test_documents_that_come_later_move_nobody(first: list[str], later: list[str], seed: int) -> None:
    strata = pl.Series(first + later, dtype=pl.String)
    before = assign_splits(len(first), RATIOS, seed, strata[: len(first)])
    after = assign_splits(len(strata), RATIOS, seed, strata)
    assert after[: len(first)].to_list() == before.to_list()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.dictionaries(st.sampled_from(["train", "valid", "test", "extra"]), st.integers(0, 9), min_size=1))
def test_ratios_hold_to_within_a_block(count: int, ratios: dict[str, int]) -> None:
    if not any(ratios.values()):
        return
    splits = assign_splits(count, ratios).to_list()
    for name, ratio in ratios.items():
        share = Fraction(ratio, sum(ratios.values()))
        assert abs(splits.count(name) - share * count) <= sum(check_ratios(ratios).values()) * share
        assert ratio or name not in splits


def test_every_class_keeps_the_ratio() -> None:
    strata = pl.Series((["common"] * 9 + ["rare"]) * 1000)
    splits = assign_splits(10_000, RATIOS, strata=strata)
    for label in ("common", "rare"):
        part = splits.filter(strata == label)
        for name, share in (("train", 0.8), ("valid", 0.1), ("test", 0.1)):
            assert abs((part == name).mean() - share) < 0.01


def test_many_small_classes_keep_it_together() -> None:
    strata = pl.Series([f"class {number % 300}" for number in range(1500)])
    splits = assign_splits(1500, RATIOS, strata=strata)
    assert abs((splits == "train").mean() - 0.8) < 0.02
    assert abs((splits == "test").mean() - 0.1) < 0.02


def test_the_seed_decides_and_nothing_else() -> None:
    one = assign_splits(1000, RATIOS, seed=1)
    assert one.to_list() == assign_splits(1000, {"train": 0.8, "valid": 0.1, "test": 0.1}, seed=1).to_list()
    assert one.to_list() != assign_splits(1000, RATIOS, seed=2).to_list()
    assert one[:5].to_list() == ["train", "train", "train", "train", "train"] or set(one[:10]) == {"train", "valid", "test"}


def test_there_is_no_pattern_in_it() -> None:
    splits = assign_splits(10_000, RATIOS)
    places = [number % 10 for number, name in enumerate(splits) if name == "test"]
    assert all(60 < places.count(place) < 140 for place in range(10))


def test_who_is_assigned_stays_whatever_happens_to_others() -> None:
    strata = pl.Series(["a", "b"] * 250)
    first = assign_splits(500, RATIOS, strata=strata)
    kept = pl.Series([number % 7 != 0 for number in range(500)])
    relabelled = strata.filter(kept).to_list()
    relabelled[:40] = ["c"] * 40
    existing = pl.Series([*first.filter(kept), *[None] * 300], dtype=pl.String)
    after = assign_splits(len(existing), RATIOS, strata=pl.Series([*relabelled, *["a"] * 300]), existing=existing)
    assert after[: kept.sum()].to_list() == first.filter(kept).to_list()
    assert abs((after == "test").mean() - 0.1) < 0.02


def test_a_document_without_a_class_and_a_split_of_another_name() -> None:
    strata = pl.Series(["a", None] * 50, dtype=pl.String)
    existing = pl.Series(["holdout"] * 100)
    assert set(assign_splits(100, {"train": 9, "test": 1}, strata=strata, existing=existing)) == {"train", "test"}
    assert assign_splits(0, RATIOS).to_list() == []


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ({"train": -1, "test": 1}, "'train' is -1"),
        ({"train": float("nan")}, "nan"),
        ({"train": float("inf")}, "inf"),
        ({"train": "8"}, "'8'"),
        ({"train": True}, "True"),
        ({"train": None}, "None"),
        ({"train": 0, "test": 0}, "no split with documents"),
        ({}, "no split with documents"),
    ],
)
def test_what_is_no_ratio(ratios: Any, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        check_ratios(ratios)
    assert words in str(caught.value)


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.001, 1000), min_size=1, max_size=5))
def test_any_ratios_become_small_whole_numbers(ratios: dict[str, float]) -> None:
    weights = check_ratios(ratios)
    total = sum(ratios.values())
    assert sum(weights.values()) <= 1010
    for name, ratio in ratios.items():
        assert abs(weights[name] / sum(weights.values()) - ratio / total) < 0.005


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["train", "valid", "test", None, "other"])), min_size=1, max_size=80), st.integers(0, 9))
def test_whatever_stands_the_new_ones_make_up_for_it(rows: list[tuple[str, str | None]], seed: int) -> None:
    strata, existing = (pl.Series(values, dtype=pl.String) for values in zip(*rows, strict=True))
    after = assign_splits(len(rows), RATIOS, seed, strata, existing)
    assert all(new == old for new, old in zip(after, existing, strict=True) if old in RATIOS)
    for label in set(strata):
        mine, old = after.filter(strata == label), existing.filter(strata == label)
        for name, ratio in RATIOS.items():
            due = max(0.0, len(mine) * ratio / 10)
            assert (mine == name).sum() <= max((old == name).sum(), due + ratio) + 1


def test_going_on_from_what_stands_is_the_same_as_all_at_once() -> None:
    strata = pl.Series([f"class {number % 7}" for number in range(3000)])
    whole = assign_splits(3000, RATIOS, 5, strata)
    first = assign_splits(1234, RATIOS, 5, strata[:1234])
    existing = pl.concat([first, pl.Series([None] * 1766, dtype=pl.String)])
    assert assign_splits(3000, RATIOS, 5, strata, existing).to_list() == whole.to_list()


def test_the_same_on_every_machine() -> None:
    strata = pl.Series(["a", "b", None] * 8)
    shown = "".join(name[1] for name in assign_splits(24, RATIOS, 42, strata))
    assert shown == "rrrarrrrerrrrrrerararrrr"


def test_uneven_ratios_and_a_class_a_document() -> None:
    ratios = {"train": 0.537, "valid": 0.231, "test": 0.232}
    splits = assign_splits(20_000, ratios, strata=pl.Series([str(number) for number in range(20_000)]))
    for name, share in ratios.items():
        assert abs((splits == name).mean() - share) < 0.012


def test_a_key_that_is_not_there_names_those_that_are(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", [{"text": "a", "genre": "x"}])
    with pytest.raises(DataError, match=r"No document has the key 'zz', which stratify= names. The keys are: text, genre\."):
        dataset.split(stratify="zz")
    with pytest.raises(ParameterError, match=r"group=\['text'\] is no key"):
        dataset.split(group=["text"])  # type: ignore[arg-type]
