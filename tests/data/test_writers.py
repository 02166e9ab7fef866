"""Files that are whole or not there, and hold what the documents hold."""

import csv
import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError
from clow_nb.core.plugins import registry
from clow_nb.data.files import read_file
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        yield {"a": 2}
        raise RuntimeError("the source breaks off")

    for format in registry("writer").names():
        path = write_file(tmp_path / f"x.{format}", [{"a": 1}])
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
        (tmp_path / "x.xlsx", "'xlsx' can't be written. There is: csv, json"),
        (tmp_path / "x", "can't be written. There is"),
        (tmp_path / "file" / "x.csv", "can't be written"),
        (tmp_path / "x.csv", "is a folder"),
    ):
        with pytest.raises(FileError) as caught:
            write_file(path, BOOKS)
        assert words in str(caught.value)


def test_a_writer_can_be_added(tmp_path: Path) -> None:
    registry("writer").register("count", lambda documents, path, keys: path.write_text(str(len(list(documents)))))
    try:
        assert write_file(tmp_path / "x.count", BOOKS).read_text() == "3"
    finally:
        registry("writer")._plugins.pop("count")
