"""Splits by groups: nothing is torn apart, and the ratios hold as well as they can."""

import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.data.groups import assign_groups

RATIOS = {"train": 8, "valid": 1, "test": 1}


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _torn(groups: pl.Series, splits: pl.Series) -> int:
    named = pl.DataFrame([groups.alias("group"), splits.alias("split")]).drop_nulls("group")
    return sum(named.group_by("group").agg(pl.col("split").n_unique())["split"] > 1)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh") | st.none(), st.sampled_from("xyz")), max_size=60), st.integers(0, 3), st.booleans())
def test_no_group_is_torn_and_nobody_moves(rows: list[tuple[str | None, str]], seed: int, stratified: bool) -> None:
    groups, classes = (pl.Series([row[place] for row in rows], dtype=pl.String) for place in (0, 1))
    half = len(rows) // 2
    first = assign_groups(groups[:half], RATIOS, seed, classes[:half] if stratified else None)
    existing = pl.concat([first, pl.Series([None] * (len(rows) - half), dtype=pl.String)])
    after = assign_groups(groups, RATIOS, seed, classes if stratified else None, existing)
    assert after[:half].to_list() == first.to_list() and after.null_count() == 0
    assert _torn(groups, after) == 0


@pytest.mark.parametrize("stratified", [False, True])
def test_ratios_hold_for_groups_of_very_different_size(stratified: bool) -> None:
    sizes = np.random.default_rng(0).pareto(1.3, 3000).astype(int) + 1
    sizes = np.minimum(sizes, sizes.sum() // 20)
    groups = pl.Series(np.repeat(np.arange(3000), sizes)).cast(pl.String)
    classes = pl.Series(np.repeat(np.arange(3000) % 5, sizes)).cast(pl.String)
    splits = assign_groups(groups, RATIOS, 1, classes if stratified else None)
    assert _torn(groups, splits) == 0
    for name, share in (("train", 0.8), ("valid", 0.1), ("test", 0.1)):
        assert abs((splits == name).mean() - share) < 0.01
    assert len(set(splits.filter(classes == "0"))) == 3


def test_every_class_gets_its_share_where_groups_allow() -> None:
    groups = pl.Series([f"user {number // 4}" for number in range(20_000)])
    classes = pl.Series(["rare" if number // 4 % 25 == 0 else "common" for number in range(20_000)])
    splits = assign_groups(groups, RATIOS, 0, classes)
    for label in ("rare", "common"):
        assert abs((splits.filter(classes == label) == "test").mean() - 0.1) < 0.01


def test_classes_of_one_group_each_share_the_splits() -> None:
    groups = pl.Series([f"user {number // 10}" for number in range(3000)])
    splits = assign_groups(groups, RATIOS, 0, groups)
    assert abs((splits == "test").mean() - 0.1) < 0.02


def test_a_document_that_joins_a_group_goes_where_that_is() -> None:
    groups = pl.Series(["a"] * 5 + ["b"] * 5)
    existing = pl.Series(["train"] * 4 + ["test"] * 6)
    assert assign_groups(groups, RATIOS, existing=existing).to_list() == ["train"] * 5 + ["test"] * 5


def test_seeds_differ_also_for_few_groups() -> None:
    groups = pl.Series([f"g{number // 10}" for number in range(100)])
    assert len({tuple(assign_groups(groups, {"train": 1, "test": 1}, seed)) for seed in range(9)}) > 3
    assert assign_groups(groups, {"train": 1, "test": 1}, 3).to_list() == assign_groups(groups, {"train": 1, "test": 1}, 3).to_list()


def test_documents_without_a_group_stand_alone() -> None:
    splits = assign_groups(pl.Series([None] * 1000, dtype=pl.String), RATIOS)
    assert splits.value_counts().sort("split")["count"].to_list() == [100, 800, 100]
    assert assign_groups(pl.Series([], dtype=pl.String), RATIOS).to_list() == []
    assert set(assign_groups(pl.Series(["a", "b", "c"]), {"train": 1, "none": 0})) == {"train"}
