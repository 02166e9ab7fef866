"""The law: documents out equal documents in, types and all; also through Lance, and for later versions."""

import json
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError, FileError
from clow_nb.data.documents import assemble, shred
from clow_nb.data.dtypes import infer
from clow_nb.data.encoding import FileNotice
from clow_nb.data.frames import documents_frame, shred_frames
from clow_nb.data.json_files import read_json
from clow_nb.data.layout import align, columns
from clow_nb.data.sources import identified
from clow_nb.data.table import Stamp, Table, create_table
from clow_nb.data.values import from_json, plain, same, to_json

KEYS = st.sampled_from(["a", "A", "", ".", "a.b", "$set", "$date", "한글 키", "`", "'", '"', "_pos", "_rest", "_rowid", "k0", "😀", "\x00", "\ud800"])
TEXT = st.text(st.characters(), max_size=8)
TIMES = st.datetimes() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(seconds=-3723))]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10)
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | TEXT
    | st.binary(max_size=4)
    | TIMES
    | st.dates()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXT, inner, max_size=3), max_leaves=6
)
DOCUMENTS = st.lists(st.dictionaries(KEYS | TEXT, VALUES, max_size=5).map(lambda d: {k: v for k, v in d.items() if k != "_id"}), max_size=6)
REGULAR = st.lists(
    st.fixed_dictionaries({"t": TEXT, "n": st.integers() | st.floats()}, optional={"s": st.fixed_dictionaries({"x": st.integers(0, 9)}, optional={"y": TEXT}), "l": st.lists(st.integers(0, 3) | st.none())}),
    max_size=12,
)


def check(out: list[dict[str, Any]], given_: list[dict[str, Any]]) -> None:
    assert len(out) == len(given_)
    for one, two in zip(out, given_, strict=True):
        assert same({key: value for key, value in one.items() if key != "_id" or "_id" in two}, two), (one, two)


@given(st.one_of(DOCUMENTS, REGULAR), DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_documents_out_equal_documents_in(first: list[dict[str, Any]], later: list[dict[str, Any]]) -> None:
    table = shred(first)
    check(list(assemble(table)), first)
    more = shred(later, table.schema)
    check(list(assemble(more)), later)
    check(list(assemble(pa.concat_tables([align(table, more.schema), more]))), first + later)
    for text in more["_nulls"].to_pylist() + more["_rest"].to_pylist():
        assert text is None or (None not in (values := from_json(text)) and (type(values) is list or None not in values.values()))


@given(st.one_of(DOCUMENTS, REGULAR))
@settings(max_examples=25, deadline=None)
def test_the_law_holds_through_lance(tmp_path_factory: pytest.TempPathFactory, documents: list[dict[str, Any]]) -> None:
    uri = str(tmp_path_factory.mktemp("law") / "t.lance")
    create_table(uri, Stamp("create"), identified(shred(documents), 1))
    check(list(assemble(Table(uri).at().to_table())), documents)


@given(VALUES)
@settings(deadline=None)
def test_values_survive_json_text(value: Any) -> None:
    assert same(from_json(to_json(value)), value)
    assert same(plain(value, "k"), value)
    json.loads(to_json(value))  # any reader of JSON can read it
    to_json(value).encode()


@given(st.lists(SCALARS, max_size=6))
@settings(deadline=None)
def test_a_type_is_inferred_for_anything(values: list[Any]) -> None:
    dtype = infer(values)
    assert dtype is None or isinstance(dtype, pa.DataType)


@pytest.mark.parametrize(
    "documents",
    [
        [{}],
        [{"a": None}],
        [{"a": None}, {"a": {"k": None}}, {}],
        [{"a": 1}, {"a": None}, {}],
        [{"a": {}}, {"a": {"x": 1}}, {"a": {"x": None}}, {}],
        [{"a": [[]]}, {"a": []}, {"a": [None]}, {"a": [[1], None]}],
        [{"a": {"x": {"y": [{"z": 1.5}, {}]}}}, {"a": {"x": {}}}],
        [{"a": True}, {"a": 1}, {"a": 1.0}, {"a": "1"}],
        [{"a": 2**63}, {"a": -(2**63)}, {"a": 2**63 - 1}],
        [{"a": 2**53 + 1}, {"a": 0.5}, {"a": 0.5}],
        [{"a": -0.0}, {"a": 5e-324}, {"a": 1.7976931348623157e308}],
        [{"Key": 1, "key": 2, "KEY": 3}],
        [{"a": {"Key": 1, "key": 2}}, {"a": {"k.x": 1}}],
        [{"a": datetime(1, 1, 1)}, {"a": datetime(9999, 12, 31, 23, 59, 59, 999999)}],
        [{"a": date(1, 1, 1)}, {"a": datetime(2026, 1, 1)}],
        [{"a": b""}, {"a": ""}, {"a": "\x00"}],
        [{f"k{i}": i for i in range(1500)}, {"k3": "x"}],
        [{"a": {f"n{i}": i for i in range(100)}}],
        [{"_pos": 7, "_rest": "mine", "_rowid": 1}],
    ],
)
def test_the_law_in_corners(documents: list[dict[str, Any]], tmp_path: Path) -> None:
    table = shred(documents)
    check(list(assemble(table)), documents)
    create_table(str(tmp_path / "t"), Stamp("create"), identified(table, 1))
    check(list(assemble(Table(str(tmp_path / "t")).at().to_table())), documents)


def test_regular_documents_need_no_rest() -> None:
    documents = [{"text": "가", "n": i, "box": {"x": 1.5}, "tags": ["a"], "at": datetime(2026, 1, 1)} for i in range(10)]
    table = shred(documents)
    assert table["_rest"].null_count == 10
    assert {str(field.type) for field in columns(table.schema).values()} == {
        "string", "int64", "struct<x: double>", "list<item: string>", "timestamp[us]",
    }


def test_one_odd_cell_leaves_the_others_in_their_columns() -> None:
    table = shred([{"n": i} for i in range(999)] + [{"n": "x"}])
    assert table["_rest"].null_count == 999
    assert columns(table.schema)["n"].type == pa.int64()


def test_chunks_grow_the_same_table() -> None:
    documents = [{"n": i} for i in range(20_000)] + [{"n": "late", "new": 1}] * 3
    assert list(assemble(shred(iter(documents)))) == documents


@pytest.mark.parametrize("bad", [{1, 2}, 1j, object(), range(3)])
def test_what_no_document_holds_is_refused_by_key_and_type(bad: Any) -> None:
    with pytest.raises(DataError, match=f"'deep.key' holds a value of type {type(bad).__name__}"):
        shred([{"deep": {"key": [bad]}}])


@pytest.mark.parametrize("depth", [190, 450, 5000])
def test_any_depth_is_kept_or_refused(depth: int) -> None:
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    documents = [{"a": 1, "deep": 1}, {"deep": value}]
    if depth < 200:
        check(list(assemble(shred(documents))), documents)
        check(list(assemble(shred([{"deep": value}]))), [{"deep": value}])
        return
    for some in (documents, [{"deep": value}]):
        with pytest.raises(DataError, match="'deep' holds lists or objects inside each other more than 200 times"):
            shred(some)


def _of_frame(frame: Any) -> list[dict[str, Any]]:
    return [document for table in shred_frames(frame) for document in assemble(table)]


def test_frames_of_all_kinds() -> None:
    frame = pl.DataFrame(
        {
            "i8": pl.Series([1, None], dtype=pl.Int8),
            "u64": pl.Series([2**64 - 1, 0], dtype=pl.UInt64),
            "f32": pl.Series([0.5, None], dtype=pl.Float32),
            "dec": pl.Series(["1.50", None]).cast(pl.Decimal(10, 2)),
            "cat": pl.Series(["a", None], dtype=pl.Categorical),
            "enum": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
            "day": [date(2026, 1, 1), None],
            "time": pl.Series([datetime(2026, 1, 1, 9).time(), None]),
            "ns": pl.Series([datetime(2026, 1, 1), None], dtype=pl.Datetime("ns")),
            "seoul": pl.Series([datetime(2026, 1, 1, tzinfo=UTC), None]).dt.convert_time_zone("Asia/Seoul"),
            "list": [[1, None], []],
            "array": pl.Series([[1.0, 2.0], None], dtype=pl.Array(pl.Float64, 2)),
            "struct": [{"a.b": 1, "c": None}, None],
            "null": [None, None],
            "bin": [b"x", None],
        }
    )
    one, two = _of_frame(frame)
    assert one.pop("time").startswith("09:00:00")
    assert one == {
        "i8": 1, "u64": 2**64 - 1, "f32": 0.5, "dec": 1.5, "cat": "a", "enum": "x", "day": date(2026, 1, 1),
        "ns": datetime(2026, 1, 1), "seoul": datetime(2026, 1, 1, tzinfo=UTC), "list": [1, None], "array": [1.0, 2.0],
        "struct": {"a.b": 1}, "bin": b"x",
    }
    assert two == {"u64": 0, "enum": "y", "list": []}


def test_a_frame_agrees_with_its_documents() -> None:
    frame = pl.DataFrame({"_id": ["x", "y"], "a": [1, 2], "_pos": [5, 6], "b": ["k", None]})
    assert _of_frame(frame) == [{"_id": "x", "a": 1, "b": "k"}, {"_id": "y", "a": 2}]
    assert _of_frame(frame.to_pandas()) == [{"_id": "x", "a": 1, "b": "k"}, {"_id": "y", "a": 2}]


@given(DOCUMENTS)
@settings(max_examples=60, deadline=None)
def test_any_documents_can_be_shown_as_a_frame(documents: list[dict[str, Any]]) -> None:
    frame = documents_frame(documents)
    assert len(frame) == len(documents)


@pytest.mark.filterwarnings("ignore::clow_nb.data.encoding.FileNotice")
def test_messy_files_keep_the_law(shared_data: Path) -> None:
    files = sorted((shared_data / "vega-datasets").glob("*.json"))
    assert len(files) >= 13
    for path in files:
        loaded = json.loads(path.read_text("utf-8"))
        documents = loaded if isinstance(loaded, list) else [loaded]
        check(list(assemble(shred(read_json(path)))), documents)


def test_every_valid_json_text_comes_back_and_no_other_is_taken(shared_data: Path, tmp_path: Path) -> None:
    """Each file of the suite as the value of one key: valid ones come back, the others are refused with file and line."""
    refused = dict.fromkeys("yni", 0)
    for source in sorted((shared_data / "json-testsuite" / "test_parsing").glob("*.json")):
        path = tmp_path / source.name
        path.write_bytes(b'[{"first": 1},\n{"value":' + source.read_bytes() + b"}]")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FileNotice)
                rows = list(read_json(path))
        except FileError as error:
            assert source.name in error.message, error.message
            assert ", line " in error.message or "neither UTF-8" in error.message, error.message
            refused[source.name[0]] += 1
            continue
        try:
            check(list(assemble(shred(rows))), rows)
        except DataError as error:
            assert source.name == "i_structure_500_nested_arrays.json" and "'value' holds lists or objects inside" in error.message
        if source.name[0] == "y":
            assert same(rows, [{"first": 1}, {"value": json.loads(source.read_bytes())}])
    assert refused["y"] == 0 and refused["n"] > 180
