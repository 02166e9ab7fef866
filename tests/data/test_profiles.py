"""Statistics of versions: read from the table, kept, and counted anew for what changed."""

import random
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clow_nb.core.context import Context
from clow_nb.data import profiles
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.profiles import forget_statistics, statistics_of
from clow_nb.data.statistics import statistics

DOCS: list[dict[str, Any]] = [
    {"text": f"text {i % 70}", "label": "abc"[i % 3], "n": i % 9, "f": i / 7, "tags": ["x"] * (i % 3), "meta": {"a": i % 2}, "at": datetime(2026, 1, 1 + i % 28, tzinfo=UTC)}
    for i in range(200)
] + [
    {"text": 5, "label": 1, "n": "many", "f": 3, "tags": "x", "meta": [1], "at": "soon", "mixed": {"a": 1}},
    {"text": None, "n": 2**70, "f": float("nan"), "mixed": [1, "a"], "only null": None},
    {"n": 2.5, "mixed": {"b": [1]}, "label": None, "키 😀": 1},
]  # fmt: skip


@pytest.fixture
def dataset(ctx: Context) -> Dataset:
    return Datasets(ctx).create("d-1", DOCS, label="label")


def _profile(ctx: Context, dataset: Dataset, by_label: bool = False, previous: bool = True) -> pl.DataFrame:
    before = (lambda: dataset.at(dataset.version - 1).snapshot) if previous and dataset.version > 1 else None
    return statistics_of(ctx, dataset.snapshot, dataset.label, by_label, before)


def _afresh(ctx: Context, dataset: Dataset, by_label: bool = False) -> pl.DataFrame:
    forget_statistics(ctx, dataset.location)
    return _profile(ctx, dataset, by_label, previous=False)


@pytest.mark.parametrize("by_label", [False, True])
def test_a_version_has_the_statistics_of_its_documents(ctx: Context, dataset: Dataset, by_label: bool) -> None:
    documents = list(dataset.documents())
    expected = statistics(pl.DataFrame(), documents, label="label", by_label=by_label)
    found = _profile(ctx, dataset, by_label)
    assert set(found["key"]) == set(expected["key"])
    names = [*(["label"] if by_label else []), "key", "count", "missing", "zeros", "min", "max", "distinct", "earliest"]
    both = [table.filter(~pl.col("key").is_in(["mixed", "at"])).select(names).sort(names[:2]) for table in (found, expected)]
    assert_frame_equal(*both)
    [mixed] = _profile(ctx, dataset).filter(key="mixed").to_dicts()
    assert (mixed["type"], mixed["category"], mixed["count"], mixed["distinct"]) == ("dict, list", "object", 3, 3)


def _random_edit(dataset: Dataset, chance: random.Random) -> Dataset:
    edit = dataset.edit()
    ids = chance.sample(dataset.find()["_id"].to_list(), 3)
    values = ["text 1", "new", 7, 2.5, None, [1], ["x"], {"a": 1}, 2**70, True, datetime(2020, 1, 1)]
    for identity in ids:
        for key in chance.sample([*dataset.keys, "fresh", "mixed"], 2):
            if chance.random() < 0.3:
                edit.unset(identity, key)
            else:
                edit.set(identity, key, chance.choice(values))
    if chance.random() < 0.2:
        edit.delete(ids[:1])
    if chance.random() < 0.2:
        edit.insert({"text": "text 1", "n": 3})
    return edit.commit()


@pytest.mark.parametrize("steps", [12, pytest.param(24, marks=pytest.mark.slow)])
@pytest.mark.parametrize("by_label", [False, True])
def test_what_is_counted_for_changed_keys_is_what_is_counted_for_all(ctx: Context, dataset: Dataset, by_label: bool, steps: int) -> None:
    chance = random.Random(by_label)
    for step in range(steps):
        _profile(ctx, dataset, by_label)
        if step == steps // 2:
            dataset = dataset.split(train=8, test=2, stratify="label")
        elif step == steps * 3 // 4:
            dataset = dataset.restore(2)
        else:
            dataset = _random_edit(dataset, chance)
        found = _profile(ctx, dataset, by_label)
        whole = _afresh(ctx, dataset, by_label)
        names = [name for name in found.columns if name not in ("mean", "std")]
        assert_frame_equal(found.select(names), whole.select(names))


def test_only_changed_keys_are_read(ctx: Context, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    _profile(ctx, dataset)
    edit = dataset.edit()
    edit.set({"n": 3}, "text", "other")
    after = edit.commit()
    counted: list[list[str]] = []
    describe = profiles.describe

    def seen(columns: Any, *rest: Any) -> pl.DataFrame:
        chosen = list(columns)
        counted.append([column.key for column in chosen])
        return describe(chosen, *rest)

    monkeypatch.setattr(profiles, "describe", seen)
    _profile(ctx, after)
    _profile(ctx, after)
    split = after.split(train=1)
    _profile(ctx, split)
    _profile(ctx, split.append([{"n": 1}]))
    assert counted[:2] == [["text"], ["split"]] and len(counted) == 3 and "meta" in counted[2]


@pytest.mark.parametrize("damage", [b"", b"PAR1 no parquet PAR1" * 9, None])
def test_a_damaged_file_is_made_again(ctx: Context, dataset: Dataset, damage: bytes | None) -> None:
    found = _profile(ctx, dataset)
    [file] = ctx.folder("statistics").rglob("*.statistics")
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :] if damage is None else damage)
    assert _profile(ctx, dataset).equals(found)
    assert len(file.read_bytes()) == len(whole) and _profile(ctx, dataset).equals(found)


def test_another_label_or_table_is_no_match(ctx: Context, dataset: Dataset) -> None:
    _profile(ctx, dataset)
    table = {row["key"]: row["category"] for row in statistics_of(ctx, dataset.snapshot, "n").to_dicts()}
    assert table["n"] == "label"
    assert len(list(ctx.folder("statistics").rglob("*.statistics"))) == 1


def test_a_version_before_that_cannot_be_opened_does_no_harm(ctx: Context, dataset: Dataset) -> None:
    after = dataset.append([{"n": 1}])

    def lost() -> Any:
        return after._table.at(9999)

    assert statistics_of(ctx, after.snapshot, "label", previous=lost).equals(_afresh(ctx, after))


def test_an_empty_dataset_and_one_that_lies_out_of_order(ctx: Context, dataset: Dataset) -> None:
    empty = Datasets(ctx).create("d-2", [])
    assert len(statistics_of(ctx, empty.snapshot)) == 0 and len(statistics_of(ctx, empty.snapshot, "x", by_label=True)) == 0
    edit = dataset.edit()
    edit.set({"n": {"$lt": 4}}, "text", "same")
    edit.set("1-0", "text", "last")
    edit.delete("1-1")
    after = edit.commit()
    expected = statistics(pl.DataFrame(), after.documents(), label="label").filter(key="text")["top"]
    assert _profile(ctx, after).filter(key="text")["top"].to_list() == expected.to_list()


def test_a_place_that_cannot_be_written(ctx: Context, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert len(_profile(ctx, dataset)) > 5
    assert list(ctx.folder("statistics").rglob("*.statistics")) == []
