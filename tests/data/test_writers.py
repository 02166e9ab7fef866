"""Files that are whole or not there, and hold what the documents hold."""

import csv
import json
import os
import stat
import tracemalloc
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError
from clow_nb.core.plugins import registry
from clow_nb.data import exports
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file
from clow_nb.data.shaping import as_documents
from clow_nb.data.writers import write_file

BOOKS: list[dict[str, Any]] = [
    {"_id": "1-0", "이름": "채식주의자", "price": 12, "big": 2**70, "when": datetime(2026, 1, 1, 9, tzinfo=UTC), "tags": ["소설", {"a": None}]},
    {"_id": "1-1", "이름": 'say "hi",\nbye', "price": 9.5, "none": None, "bytes": b"\x00\xff", "day": date(2026, 1, 1), "ok": True},
    {"_id": "1-2"},
]


def test_jsonl_and_json_keep_documents(tmp_path: Path) -> None:
    for name in ("x.jsonl", "x.json"):
        found = list(read_file(write_file(tmp_path / name, BOOKS)))
        assert found[2] == {"_id": "1-2"}
        assert found[0] == {**BOOKS[0], "when": "2026-01-01T09:00:00+00:00"}
        assert found[1] == {**BOOKS[1], "bytes": "AP8=", "day": "2026-01-01"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=4))
def test_any_json_comes_back(tmp_path: Path, documents: list[dict[str, Any]]) -> None:
    found = list(read_file(write_file(tmp_path / "x.json", documents)))
    assert found == documents and repr(found) == repr(documents)


def test_broken_surrogates_and_what_json_lacks(tmp_path: Path) -> None:
    odd = [{"a": "\ud800", "b": float("nan"), "c": [float("inf")]}]
    assert list(read_file(write_file(tmp_path / "x.jsonl", odd))) == [{"a": "\ud800", "b": None, "c": [None]}]
    for format in ("csv", "parquet"):
        write_file(tmp_path / f"x.{format}", odd)


def test_csv_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    path = write_file(tmp_path / "x.csv", BOOKS)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.open(encoding="utf-8-sig", newline="")))
    assert rows[0] == ["_id", "이름", "price", "big", "when", "tags", "none", "bytes", "day", "ok"]
    assert rows[2] == ["1-1", 'say "hi",\nbye', "9.5", "", "", "", "", "AP8=", "2026-01-01", "true"]
    assert json.loads(rows[1][5]) == ["소설", {"a": None}]


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\n=1", " =1", "=", "＝1", "-", "--5"])
def test_no_cell_nor_key_is_a_formula(tmp_path: Path, text: str) -> None:
    [header, row] = csv.reader(write_file(tmp_path / "x.csv", [{text: text}]).open(encoding="utf-8-sig", newline=""))
    assert header == row == ["'" + text]


@pytest.mark.parametrize("value", [-5, -0.5, "-5", "+3.5%", "-1,234", "a=b", "1-2", "", "가=나"])
def test_numbers_and_harmless_text_stay(tmp_path: Path, value: Any) -> None:
    rows = list(csv.reader(write_file(tmp_path / "x.csv", [{"a": value, "b": 1}]).open(encoding="utf-8-sig", newline="")))
    assert rows[1] == [str(value), "1"]


def test_parquet_has_types_and_mixtures_as_text(tmp_path: Path) -> None:
    rows = read_file(write_file(tmp_path / "x.parquet", [*BOOKS, {"price": "free", "big": 1}])).read_all().to_pylist()
    assert [row["price"] for row in rows] == ["12", "9.5", None, "free"]
    assert [row["big"] for row in rows] == [str(2**70), None, None, "1"]
    assert rows[0]["when"] == BOOKS[0]["when"] and rows[1]["bytes"] == b"\x00\xff" and rows[1]["day"] == date(2026, 1, 1)


def test_keys_choose_and_order(tmp_path: Path) -> None:
    for format in ("csv", "tsv", "parquet"):
        table = read_file(write_file(tmp_path / f"x.{format}", BOOKS, keys=["price", "_id"])).read_all()
        assert table.column_names == ["price", "_id"] and len(table) == 3
    assert list(read_file(write_file(tmp_path / "x.jsonl", BOOKS, keys=["price"]))) == [{"price": 12}, {"price": 9.5}, {}]


def test_no_documents_make_a_file_that_can_be_read(tmp_path: Path) -> None:
    assert list(read_file(write_file(tmp_path / "x.json", []))) == []
    assert len(read_file(write_file(tmp_path / "x.csv", [], keys=["a"])).read_all()) == 0
    assert len(read_file(write_file(tmp_path / "x.parquet", [], keys=["a"])).read_all()) == 0
    assert write_file(tmp_path / "x.jsonl", []).read_bytes() == b""


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    def documents() -> Iterator[dict[str, Any]]:
        yield {"a": 2, "text": "y"}
        raise RuntimeError("the source breaks off")

    for format in registry("writer").names():
        path = write_file(tmp_path / f"x.{format}", [{"a": 1, "text": "x"}])
        before = path.read_bytes()
        with pytest.raises(RuntimeError):
            write_file(path, documents())
        assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == len(registry("writer").names())


def test_folders_are_made_and_rights_are_the_usual(tmp_path: Path) -> None:
    path = write_file(tmp_path / "new" / "folder" / "x.jsonl", BOOKS)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "x.csv").mkdir()
    for path, words in (
        (tmp_path / "x.docx", "'docx' can't be written. There is: arrow, csv, json"),
        (tmp_path / "x", "can't be written. There is"),
        (tmp_path / "file" / "x.csv", "can't be written"),
        (tmp_path / "x.csv", "is a folder"),
    ):
        with pytest.raises(FileError) as caught:
            write_file(path, BOOKS)
        assert words in str(caught.value)


KEYS = st.sampled_from(["text", "이름", "a b", "=x", "n"])
TEXTS = st.text(alphabet=st.sampled_from("ab가 ,;\t\"'\n\r=+-@#\\0"), max_size=8)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), st.sampled_from(["csv", "tsv"]))
def test_texts_come_back_from_a_table(tmp_path: Path, rows: list[tuple[str, str]], format: str) -> None:
    """Also formulas, apostrophes before them, empty texts, blanks and line breaks; typed where all cells are numbers."""
    documents = [{"_id": f"1-{number}", "=one": one, "two": two} for number, (one, two) in enumerate(rows)]
    found = read_file(write_file(tmp_path / f"x.{format}", documents)).read_all()
    assert found.column_names == ["_id", "=one", "two"]
    for column, key in zip(found.columns, found.column_names, strict=True):
        texts = [row[key] for row in documents]
        for value, text in zip(column.to_pylist(), texts, strict=True):
            assert value == (float(text) if isinstance(value, int | float) else text)


VALUES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS | st.binary(max_size=4)
    | st.dates() | st.datetimes() | st.lists(st.integers(), max_size=2)
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=5), st.sampled_from(["parquet", "arrow", "xlsx", "csv"]))
def test_any_documents_can_be_written_from_an_iterator(tmp_path: Path, documents: list[dict[str, Any]], format: str) -> None:
    documents = [{"_id": f"1-{number}", **document} for number, document in enumerate(documents)]
    found = list(as_documents(read_file(write_file(tmp_path / f"x.{format}", iter(documents), keys=None if documents else ["_id"]))))
    assert [row["_id"] for row in found] == [document["_id"] for document in documents]
    for row, document in zip(found, documents, strict=True):
        for key, value in document.items() if format in ("parquet", "arrow") else ():
            kinds = {type(one[key]) for one in documents if one.get(key) is not None}
            if len(kinds) == 1 and kinds <= {str, bool, bytes, float, date}:
                assert row.get(key) == value


def test_columns_keep_types_however_long_the_file_is(tmp_path: Path) -> None:
    documents = [{"n": number, "when": datetime(2026, 1, 1, tzinfo=UTC), "tags": ["a"]} for number in range(9_000)]
    documents[-1] = {"n": 0.5, "late": b"x", "tags": []}
    for format in ("parquet", "arrow"):
        table = read_file(write_file(tmp_path / f"x.{format}", iter(documents))).read_all()
        assert {field.name: str(field.type) for field in table.schema} == {
            "n": "double", "when": "timestamp[us, tz=UTC]", "tags": table.schema.field("tags").type.__str__(), "late": "binary",
        }  # fmt: skip
        assert pa.types.is_list(table.schema.field("tags").type)
        assert table["n"].to_pylist()[-2:] == [8_998.0, 0.5] and table["late"].null_count == 8_999


def test_a_workbook_keeps_types(tmp_path: Path) -> None:
    document = {
        "_id": "1-0", "text": "=1+1", "n": 3, "f": 2.5, "ok": True, "day": date(2026, 1, 1), "at": datetime(2026, 1, 1, 9, 30),
        "zoned": datetime(2026, 1, 1, tzinfo=UTC), "big": 2**60, "tags": ["a"], "bytes": b"\xff", "code": "007", "none": None,
    }  # fmt: skip
    [found] = list(read_file(write_file(tmp_path / "x.xlsx", [document])))
    said = {"zoned": "2026-01-01T00:00:00+00:00", "big": str(2**60), "tags": '["a"]', "bytes": "/w=="}
    assert found == {key: said.get(key, value) for key, value in document.items() if value is not None}


def test_compressed_by_name(tmp_path: Path) -> None:
    for format in ("jsonl", "csv", "txt"):
        path = write_file(tmp_path / f"x.{format}.gz", [{"text": "안녕"}])
        assert path.read_bytes()[:2] == b"\x1f\x8b"
        assert list(as_documents(read_file(path))) == [{"text": "안녕"}]


def test_memory_stays_flat_when_keys_are_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_SIZE", 200)

    def documents() -> Iterator[dict[str, Any]]:
        for number in range(3_000):
            yield {"_id": f"1-{number}", "text": f"{number} " * 1000, f"k{number // 1_000}": number}

    tracemalloc.start()
    for format in ("csv", "parquet"):
        write_file(tmp_path / f"x.{format}", documents())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9e6, peak  # all documents together take 17 MB


def test_a_writer_can_be_added(tmp_path: Path) -> None:
    registry("writer").register("count", lambda documents, path, keys: path.write_text(str(len(list(documents)))))
    try:
        assert write_file(tmp_path / "x.count", BOOKS).read_text() == "3"
    finally:
        registry("writer")._plugins.pop("count")


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_what_json_cannot_say_is_told(tmp_path: Path, ending: str) -> None:
    documents = [{"a": float("nan"), "b": [float("inf"), 1.0]}, {"a": 2}]
    with pytest.warns(FileNotice, match="JSON has no NaN and no infinite numbers: 2 were written as null"):
        write_file(tmp_path / f"x.{ending}", documents)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FileNotice)
        write_file(tmp_path / f"x.{ending}", documents[1:])
