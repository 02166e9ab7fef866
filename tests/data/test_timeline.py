"""Splits by time: boundaries that stay."""

import warnings
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import DataError, ParameterError
from clow_nb.data.dataset import Datasets
from clow_nb.data.encoding import FileNotice
from clow_nb.data.timeline import assign_by_time, boundaries, times_of

RATIOS = {"train": 8, "valid": 1, "test": 1}
ORDER = {"train": 0, "valid": 1, "test": 2}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=80), st.lists(st.integers(-10, 60), max_size=40))
def test_time_only_goes_on_and_nobody_moves(first: list[int], later: list[int]) -> None:
    times = pl.Series(first, dtype=pl.Float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        until = boundaries(times, RATIOS)
        before = assign_by_time(times, RATIOS)
        whole = pl.Series(first + later, dtype=pl.Float64)
        after = assign_by_time(whole, RATIOS, until)
    assert after[: len(first)].to_list() == before.to_list()
    ranks = [ORDER[name] for _, name in sorted(zip(whole, after, strict=True), key=lambda pair: (pair[0], ORDER[pair[1]]))]
    assert ranks == sorted(ranks)


def test_ratios_hold_where_times_differ() -> None:
    times = times_of(pl.Series([datetime(2026, 1, 1 + number % 28, number % 24, number % 60, number // 28) for number in range(1000)]), "at")
    assert assign_by_time(times, RATIOS).value_counts().sort("split")["count"].to_list() == [100, 800, 100]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([date(2026, 1, 2)], datetime(2026, 1, 2)),
        ([datetime(2026, 1, 2, 9, tzinfo=UTC)], datetime(2026, 1, 2, 9)),
        (["2026.01.02"], datetime(2026, 1, 2)),
        (["2026-01-02 09:30:01.5"], datetime(2026, 1, 2, 9, 30, 1, 500000)),
        (["2026-01-02T09:30:00Z"], datetime(2026, 1, 2, 9, 30)),
        ([3], 3.0),
    ],
)
def test_times_of_many_kinds(values: list[Any], expected: Any) -> None:
    assert times_of(pl.Series(values), "at").to_list() == [expected]


@pytest.mark.parametrize("values", [["31.01.2026"], [None, 1.0], [float("nan")], [["2026-01-01"]], [True], [""]])
def test_what_is_no_time(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"1 documents hold no date, time or number under 'at'.*2026-01-31"):
        times_of(pl.Series(values), "at")


def _by_day(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"n": number, "day": date.fromordinal(738_000 + number), "user": f"u{number // 5}"} for number in range(start, start + count)]


def test_a_dataset_keeps_its_boundaries(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", _by_day(100)).split(train=8, valid=1, test=1, time="day")
    assert dataset.split_counts() == {"train": 80, "valid": 10, "test": 10}
    assert dataset.split(train=8, valid=1, test=1, time="day").version == dataset.version
    with pytest.warns(FileNotice, match="test 18.2% of the documents in place of train 80.0%, valid 10.0%, test 10.0%: the boundaries in time stay"):
        after = dataset.append(_by_day(10, 100)).split(train=8, valid=1, test=1, time="day")
    assert after.split_counts() == {"train": 80, "valid": 10, "test": 20}
    assert set(after.diff(after.version - 1, after.version)["after"]) == {'"test"'}
    anew = after.split(train=8, valid=1, test=1, time="day", seed=1)
    assert anew.split_counts() == {"train": 88, "valid": 11, "test": 11}
    edit = anew.edit()
    edit.set({"n": 0}, "day", date(2030, 1, 1))
    moved = edit.commit().split(train=8, valid=1, test=1, time="day", seed=1)
    assert next(iter(moved.documents({"n": 0})))["split"] == "test"


def test_a_dataset_splits_by_group(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", _by_day(100)).split(train=8, test=2, group="user")
    after = dataset.append([{"user": "u0"}, *_by_day(50, 100)]).split(train=8, test=2, group="user")
    by_user: dict[str, set[str]] = {}
    for document in after.documents():
        by_user.setdefault(document["user"], set()).add(document["split"])
    assert all(len(splits) == 1 for splits in by_user.values())
    old = {document["_id"]: document["split"] for document in dataset.documents()}
    assert {document["_id"]: document["split"] for document in after.documents() if document["_id"] in old} == old


def test_keys_that_are_missing_or_too_many(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", _by_day(10))
    with pytest.raises(DataError, match="No document has the key 'nokey', which time= names"):
        dataset.split(time="nokey")
    with pytest.raises(DataError, match="No document has the key 'nokey', which group= names"):
        dataset.split(group="nokey")
    for other in ("group", "stratify"):
        with pytest.raises(ParameterError, match=f"time='day' and {other}='user' can't be kept at once"):
            dataset.split(time="day", **{other: "user"})
    with pytest.raises(DataError, match="1 documents hold no date"):
        dataset.append([{"n": 1}]).split(time="day")
    assert dataset.at("latest").version == 2
