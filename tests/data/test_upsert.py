"""Re-imports by a natural key, judged by a model of plain documents."""

import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, DataError, ParameterError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.documents import assemble, shred
from clow_nb.data.encoding import FileNotice
from clow_nb.data.layout import align
from clow_nb.data.upsert import changed_rows
from clow_nb.data.values import same

CELLS = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.5, float("nan"), 2**70])
    | st.text("ab", max_size=2) | st.lists(st.integers(0, 1) | st.none(), max_size=2)
    | st.fixed_dictionaries({}, optional={"x": st.integers(0, 1), "y": st.sampled_from([0.0, -0.0]), "z": st.lists(st.just({}))})
)  # fmt: skip
DOCUMENT = st.fixed_dictionaries({}, optional={key: CELLS for key in ("a", "b", "c.d", "가")})


@given(st.lists(st.tuples(DOCUMENT, DOCUMENT), max_size=8))
@settings(max_examples=80, deadline=None)
def test_columns_are_compared_as_documents_are(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    old = [{"_id": f"d{number}", **before} for number, (before, _) in enumerate(pairs)]
    new = [{"_id": f"d{number}", **after} for number, (_, after) in enumerate(pairs)]
    first = shred(old)
    second = shred(new, first.schema)
    changed = {document["_id"]: document for document in assemble(changed_rows(align(first, second.schema), second))}
    wanted = {one["_id"]: {**one, **two} for one, two in zip(old, new, strict=True) if not same({**one, **two}, one)}
    assert same(changed, wanted)


def _counts(dataset: Dataset) -> tuple[int, ...]:
    return dataset.versions().select("rows", "added", "updated", "unchanged").row(-1)


def test_a_re_import_counts_and_keeps(ctx: Context) -> None:
    goods = [{"sku": f"B{number}", "price": number / 4, "tags": ["x"] * (number % 3)} for number in range(45_000)]
    dataset = Datasets(ctx).create("goods", goods, key="sku")
    order = [document["_id"] for document in dataset.documents(fields=["_id"])]
    frame = pl.DataFrame({"sku": [f"B{number}" for number in range(44_990, 45_005)], "price": [number / 4 for number in range(44_990, 45_005)]})
    two = dataset.append(frame.with_columns(pl.when(pl.col("sku") == "B44995").then(-1.0).otherwise("price").alias("price")))
    assert _counts(two) == (45_005, 5, 1, 9)
    with pytest.warns(FileNotice, match="All 45000 documents are there already as they are"):
        assert dataset.append(goods[:44_995] + goods[44_996:] + [{"sku": "B44995", "price": -1.0}]).version == 2
    three = two.append(goods)
    assert _counts(three) == (45_005, 0, 1, 44_999)
    four = three.append([{**document, "new": document["sku"]} for document in goods])
    assert _counts(four) == (45_005, 0, 45_000, 0)
    assert [document["_id"] for document in four.documents(fields=["_id"], limit=45_000)] == order
    assert next(four.documents({"_id": "B7"})) == {"_id": "B7", "sku": "B7", "price": 1.75, "tags": ["x"], "new": "B7"}
    assert list(four.restore(1).documents(limit=100)) == list(dataset.documents(limit=100))


def test_an_edited_document_is_changed_where_the_import_says_something(ctx: Context) -> None:
    dataset = Datasets(ctx).create("goods", [{"sku": "a", "price": 1, "note": None}, {"sku": "b"}], key="sku")
    edit = dataset.edit()
    edit.set("a", "note", "mine")
    edit.delete("b")
    edited = edit.commit()
    again = edited.append([{"sku": "a", "price": "dear"}, {"sku": "b", "price": 3}])
    assert list(again.documents()) == [
        {"_id": "a", "sku": "a", "price": "dear", "note": "mine"}, {"_id": "b", "sku": "b", "price": 3},
    ]  # fmt: skip


def test_duplicates_of_a_key_are_named_and_nothing_is_written(ctx: Context) -> None:
    dataset = Datasets(ctx).create("goods", [{"sku": "a"}], key="sku")
    with pytest.raises(DataError, match="'sku' is not unique: 'c' come more than once"):
        dataset.append([{"sku": f"x{number}"} for number in range(50_000)] + [{"sku": "c"}, {"sku": "c"}])
    with pytest.raises(DataError, match="document 50001 has no text or whole number there"):
        dataset.append([{"sku": number} for number in range(50_000)] + [{"price": 1}])
    assert dataset.at("latest").version == 1


def test_an_edit_knows_documents_by_the_natural_key_too(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", [{"sku": "a", "n": 1}], key="sku")
    edit = dataset.edit()
    assert edit.insert([{"sku": 7, "n": 2}, {"sku": "b", "_id": "zz"}]) == ["7", "b"]
    for change in (
        lambda: edit.set("a", "sku", "x"),
        lambda: edit.unset({}, "sku"),
        lambda: edit.rename_key("sku", "code"),
        lambda: edit.rename_key("n", "sku"),
        lambda: edit.retype("sku", int),
    ):
        with pytest.raises(DataError, match="'sku' cannot be edited: it is the natural key"):
            change()
    with pytest.raises(AlreadyExists, match="'a' already"):
        edit.insert({"sku": "a"})
    with pytest.raises(DataError, match="document 2 has no text or whole number"):
        edit.insert([{"sku": "c"}, {"n": 1}])
    after = edit.commit().append([{"sku": 7, "n": 3}, {"sku": "b", "n": 4}])
    assert (len(after), after.changes["updated"]) == (3, 2)


@pytest.mark.parametrize("value", ["\ud800", 10**5000], ids=["half", "huge"])
def test_what_cannot_be_an_id_is_refused(ctx: Context, value: Any) -> None:
    datasets = Datasets(ctx)
    for make in (lambda: datasets.create("d-1", [{"_id": value}]), lambda: datasets.create("d-1", [{"k": value}], key="k")):
        with pytest.raises(DataError, match="An _id can't be half of a surrogate pair"):
            make()
    assert "d-1" not in datasets


@pytest.mark.parametrize("options", [{"key": ["a", "b"]}, {"key": 3}, {"label": ["a"]}, {"label": 3}])
def test_what_is_no_key_is_refused(ctx: Context, options: dict[str, Any]) -> None:
    [(role, key)] = options.items()
    with pytest.raises(ParameterError, match=re.escape(f"{role}={key!r} is no key")):
        Datasets(ctx).create("d-1", [{"a": 1, "b": 1}], **options)
