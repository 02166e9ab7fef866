"""Diffs against a model: any two of many versions, forwards and backwards, across splits, restores and compaction."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.diff import cell_rows, changed_cells
from clow_nb.data.documents import MISSING
from clow_nb.data.values import from_json, same

IDS = st.sampled_from([f"1-{i}" for i in range(6)] + ["x", "y"])
KEYS = st.sampled_from(["a", "b", "c.d", "새"])
VALUES = st.sampled_from([0, 1, 1.0, 0.5, True, "1", "x", None, 2**70, b"\x00", [1], [1, None], {"k": 1}, {"k": None}, [], {}])
STEPS = st.one_of(
    st.tuples(st.just("edit"), st.dictionaries(IDS, st.none() | st.dictionaries(KEYS, VALUES, max_size=3), min_size=1, max_size=3)),
    st.tuples(st.just("split"), st.integers(0, 2)),
    st.tuples(st.just("restore"), st.integers(1, 9)),
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("append"), st.lists(st.dictionaries(KEYS, VALUES, max_size=3), min_size=1, max_size=3)),
)


def _model(dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {document["_id"]: document for document in dataset.documents()}


def _step(dataset: Dataset, kind: str, argument: Any) -> tuple[Dataset, dict[str, dict[str, Any]]]:
    """The dataset after a step, and what a plain dict says that it should hold."""
    model = _model(dataset)
    if kind == "edit":
        edit = dataset.edit()
        for identity, document in argument.items():
            if document is None and identity in model:
                edit.delete(identity)
                del model[identity]
            elif document is not None:
                if identity in model:
                    edit.delete(identity)
                edit.insert({"_id": identity, **document})
                model[identity] = {"_id": identity, **document}
        return edit.commit(), model
    if kind == "append":
        dataset = dataset.append(argument)
        new = [{"_id": f"{dataset.version}-{i}", **document} for i, document in enumerate(argument)]
        return dataset, model | {document["_id"]: document for document in new}
    if kind == "restore":
        version = min(argument, dataset.version)
        return dataset.restore(version), _model(dataset.at(version))
    if kind == "compact":
        dataset.snapshot.table.checkout_version(dataset.snapshot.table.latest_version).optimize.compact_files()
        return dataset.at("latest"), model
    dataset = dataset.split(train=argument, test=1)
    for document in dataset.documents(fields=["split"]):
        assert document["split"] in ("train", "test")
        model[document["_id"]]["split"] = document["split"]
    return dataset, model


@given(st.lists(STEPS, min_size=1, max_size=5))
@settings(max_examples=settings.default.max_examples * 3 // 10, deadline=None)
def test_every_version_reads_back_and_any_two_can_be_compared(tmp_path_factory: Any, steps: list[tuple[str, Any]]) -> None:
    datasets = Datasets(Context.open(tmp_path_factory.mktemp("ws") / ".clow"))
    dataset = datasets.create("d1", [{"a": i, "b": "x" * i} for i in range(6)])
    models = {1: _model(dataset)}
    for kind, argument in steps:
        before = dataset.version
        dataset, model = _step(dataset, kind, argument)
        assert dataset.version in (before, before + 1)
        models[dataset.version] = model
        assert same(_model(dataset), model), (kind, argument)
    for version, model in models.items():
        assert same(_model(dataset.at(version)), model), version
        assert len(dataset.at(version)) == len(model)
    last = max(models)
    for one, two in {(1, last), (last, 1), (max(last - 1, 1), last)}:
        _check(dataset.diff(one, two).rows(), models[one], models[two])


def _check(rows: list[tuple], before: dict[str, Any], after: dict[str, Any]) -> None:
    expected = [
        row for identity in before.keys() | after.keys() for row in cell_rows(identity, before.get(identity), after.get(identity))
    ]
    read = [(*row[:3], *(None if text is None else json.dumps(json.loads(text), sort_keys=True) for text in row[3:])) for row in rows]
    wanted = [(*row[:3], *(None if text is None else json.dumps(json.loads(text), sort_keys=True) for text in row[3:])) for row in expected]
    assert sorted(read, key=str) == sorted(wanted, key=str)


def test_cells_differ_by_type_and_by_presence() -> None:
    before = {"a": 1, "b": None, "c": [1], "d": {"x": 0.0}}
    after = {"a": True, "c": [1.0], "d": {"x": -0.0}, "e": None}
    assert changed_cells(before, after) == [
        ("a", 1, True), ("b", None, MISSING), ("c", [1], [1.0]), ("d", {"x": 0.0}, {"x": -0.0}), ("e", MISSING, None),
    ]


def test_a_diff_shows_values_exactly(ctx: Context) -> None:
    one = Datasets(ctx).create("d1", [{"n": 2**80, "raw": b"\x00"}])
    edit = one.edit()
    edit.set("1-0", "n", 2**80 + 1)
    edit.unset("1-0", "raw")
    rows = sorted(edit.commit().diff(1, 2).rows())
    assert [(row[2], row[3] and from_json(row[3]), row[4] and from_json(row[4])) for row in rows] == [
        ("n", 2**80, 2**80 + 1), ("raw", b"\x00", None),
    ]


def test_a_key_that_no_frame_can_hold_is_shown(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", [{"_id": "a"}])
    edit = dataset.edit()
    edit.set("a", "x\ud800", "\ud800")
    assert set(edit.preview().statistics["key"]) == {"x?"}
    assert edit.preview().cells["key"].to_list() == edit.commit().diff()["key"].to_list() == ["x?"]
    with pytest.raises(ParameterError, match=r"message='.ud800' can't be kept"):
        dataset.append([{"a": 1}], message="\ud800")
