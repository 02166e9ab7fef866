"""Which reader a file is for."""

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clow_nb.core.errors import FileError
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file
from clow_nb.data.formats import find_format
from clow_nb.data.shaping import as_documents


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), file)
    return file.getvalue()


def _arrow() -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_file(file, pa.schema([("a", pa.int64())])) as writer:
        writer.write(pa.table({"a": [1]}))
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.csv", "a\n1\n")
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("parquet", _parquet()), ("arrow", _arrow()), ("zip", _zip()), ("json", b'[\n{"a": 1}]'), ("json", b'{"a": 1}'),
        ("jsonl", b'{"a": 1}\n{"a": 2}\n'), ("csv", b"a,b\n1,2\n"), ("tsv", b"a\tb\n1\t2\n"), ("csv", b"a;b\n1;2\n"),
        ("jsonl", '{"a": 1}\n{"a": 2}\n'.encode("utf-16")), ("csv", "이름,나이\n한강,55\n".encode("cp949")),
    ],
)  # fmt: skip
def test_content_decides_where_the_name_says_nothing(tmp_path: Path, format: str, data: bytes) -> None:
    for name in ("data", "data.dat"):
        (tmp_path / name).write_bytes(data)
        if format == "zip" and name == "data.dat":
            continue
        assert find_format(tmp_path / name) == format
        assert list(as_documents(read_file(tmp_path / name)))


@pytest.mark.parametrize("data", [b"", b"Dear all,\nhow are you?\n", b"\x00\x01\x02\x03", b"%PDF-1.4 ..."])
def test_what_no_reader_is_for(tmp_path: Path, data: bytes) -> None:
    for name in ("letter", "letter.doc"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FileError) as caught:
            read_file(tmp_path / name)
        assert "is empty" in str(caught.value) if not data else "arrow, bz2, csv" in str(caught.value), str(caught.value)


@pytest.mark.parametrize(("name", "data", "format"), [("x.csv", _parquet(), "parquet"), ("x.xlsx", _zip(), "zip"), ("x.json", _arrow(), "arrow")])
def test_content_speaks_against_the_name(tmp_path: Path, name: str, data: bytes, format: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.warns(FileNotice, match=f"holds {format}, whatever its name says"):
        assert list(as_documents(read_file(tmp_path / name))) == [{"a": 1}]


def test_a_document_of_another_program_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(_zip())
    with pytest.raises(FileError, match="'docx' is not known"):
        read_file(tmp_path / "x.docx")
    assert list(as_documents(read_file(tmp_path / "x.docx", format="zip"))) == [{"a": 1}]


def test_text_files(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("Dear all, hello\nbye, all\n")
    assert list(as_documents(read_file(tmp_path / "x.txt"))) == [{"text": "Dear all, hello"}, {"text": "bye, all"}]
    (tmp_path / "t.txt").write_text("a\tb\n1\t2\n")
    with pytest.warns(FileNotice, match="holds tsv"):
        assert list(as_documents(read_file(tmp_path / "t.txt"))) == [{"a": 1, "b": 2}]
    assert len(list(as_documents(read_file(tmp_path / "t.txt", format="txt")))) == 2


@pytest.mark.parametrize("page", ["<!DOCTYPE html><html>", "<html>", "  <table><tr>", '<?xml version="1.0"?>'])
def test_web_pages_are_refused(tmp_path: Path, page: str) -> None:
    for name in ("x.csv", "x.xls", "x"):
        (tmp_path / name).write_text(page)
        with pytest.raises(FileError, match="is a web page or XML"):
            read_file(tmp_path / name)
