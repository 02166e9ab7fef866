"""Files of any kind: read right, or refused with a sentence."""

import functools
import http.server
import json
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clow_nb.core.errors import FileError, ParameterError
from clow_nb.core.plugins import registry
from clow_nb.data.documents import assemble, shred
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import find_format, read_file
from clow_nb.data.frames import shred_frames


def _rows(path: Any, **options: Any) -> list[dict[str, Any]]:
    """The documents of a file; a null of a table stays one."""
    found = read_file(path, **options)
    return found.read_all().to_pylist() if isinstance(found, pa.RecordBatchReader) else list(found)


@pytest.fixture
def given(tmp_path: Path) -> Any:
    def write(name: str, data: str | bytes) -> Path:
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return tmp_path / name

    return write


def test_all_formats_are_registered_and_found() -> None:
    assert {"csv", "json", "jsonl", "parquet", "tsv"} <= set(registry("reader").names())
    assert [find_format(Path(name)) for name in ("A.CSV", "a.tab", "a.ndjson", "a.pq", "a.b.json")] == ["csv", "tsv", "jsonl", "parquet", "json"]
    assert find_format(Path("a.txt"), "CSV") == "csv"


def test_documents_of_json_in_three_shapes(given: Any) -> None:
    documents = [{"a": 1, "b": None, "c": [1, "x", {}], "": {"d.e": 2**70}}, {"a": 1.0}]
    lines = "\n".join(map(json.dumps, documents))
    assert _rows(given("x.json", json.dumps(documents))) == documents
    assert _rows(given("x.json", json.dumps(documents[0], indent=2))) == documents[:1]
    assert _rows(given("x.json", lines)) == _rows(given("x.jsonl", lines)) == documents
    assert _rows(given("x.jsonl", "\ufeff" + lines.replace("\n", "\r\n\r\n"))) == documents
    assert [type(row["a"]) for row in _rows(given("x.jsonl", lines))] == [int, float]


def test_a_separator_inside_text_is_no_line_end(given: Any) -> None:
    assert _rows(given("x.jsonl", '{"a": "x\u2028y\x85z"}\n')) == [{"a": "x\u2028y\x85z"}]


def test_equal_keys_are_said(given: Any) -> None:
    with pytest.warns(FileNotice, match="key 'a' more than once"):
        assert _rows(given("x.json", '{"b": {"a": 1, "a": 2}}')) == [{"b": {"a": 2}}]
    with pytest.warns(FileNotice):
        assert _rows(given("x.jsonl", '{"a": 1, "a": 2}')) == [{"a": 2}]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.jsonl", '{"a": 1}\n{"a": 2,}\n', "x.jsonl, line 2: this is not JSON"),
        ("x.jsonl", '{"a": 1}\n5\n', "x.jsonl, line 2: this is a number, not an object"),
        ("x.jsonl", '[\n{"a": 1}\n]\n', "x.jsonl, line 1"),
        ("x.jsonl", '{"a": NaN}', "NaN is not JSON"),
        ("x.jsonl", "\n \n", "x.jsonl is empty"),
        ("x.jsonl", '{"a": ' + "[" * 100_000, "x.jsonl, line 1"),
        ("x.json", '[{"a": 1},\n{"a": 2}\n', "x.json, line 3: this is not JSON"),
        ("x.json", '{"a": 1}\n{"a": 2', "x.json, line 2: this is not JSON"),
        ("x.json", '[{"a": 1}, null]', "item 2 of the list is null"),
        ("x.json", '{"a": 1}\n\n[1]', "x.json, line 3: this is a list"),
        ("x.json", '"text"', "x.json, line 1: this is text"),
        ("x.json", " ", "x.json is empty"),
        ("x.json", "[" * 100_000, "nested too deeply"),
        ("x.json", b'{"a": "\xff"}', "neither UTF-8"),
        ("x.json", '{"n": ' + "9" * 5000 + "}", "x.json, line 1"),
        ("x.parquet", "PAR1 no", "can't be read as Parquet"),
        ("x.csv", "", "x.csv is empty"),
        ("x.hwp", "x", "the format 'hwp' is not known. There is: arrow, bz2, csv"),
        ("x", "x", "has no ending"),
    ],
)
def test_bad_files_are_refused(given: Any, name: str, data: str | bytes, words: str) -> None:
    with pytest.raises(FileError) as caught:
        _rows(given(name, data))
    assert words in str(caught.value), str(caught.value)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "holds no file"), (tmp_path / "no.csv", "There is no file"), ("s3 bucket/x.csv", "There is no file")):
        with pytest.raises(FileError, match=words):
            read_file(path)
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(FileError, match="'docx' is not known"):
        read_file(tmp_path / "x.csv", format="docx")


def test_a_parquet_file_that_is_cut_off(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": range(1000)}), tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    assert len(_rows(tmp_path / "x.parquet")) == 1000
    for size in (4, 100, len(whole) - 5):
        (tmp_path / "x.parquet").write_bytes(whole[:size])
        with pytest.raises(FileError, match="can't be read as Parquet"):
            _rows(tmp_path / "x.parquet")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_urls_are_fetched(given: Any, server: str) -> None:
    given("x.csv", "a\n1\n")
    given("x.jsonl", '{"a": 1}\n')
    assert _rows(f"{server}/x.csv?version=2") == _rows(f"{server}/x.jsonl") == [{"a": 1}]
    with pytest.raises(FileError, match=r"can't be fetched \(.*404"):
        read_file(f"{server}/none.csv")
    with pytest.raises(FileError, match="can't be fetched"):
        read_file("http://127.0.0.1:9/x.csv")
    with pytest.raises(FileError, match="can't be fetched"):
        read_file("nonsense://x/y.csv")


def test_json_testsuite(shared_data: Path) -> None:
    """Valid JSON is parsed, as a document if it is one, and without loss; invalid JSON is refused with its line."""
    for path in sorted((shared_data / "json-testsuite" / "test_parsing").glob("*.json")):
        data = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FileNotice)
            try:
                rows = _rows(path)
            except FileError as error:
                assert path.name[0] != "y" or "not an object" in str(error), error
                assert path.name in str(error)
                continue
        assert path.name[0] != "n", path.name
        if path.name[0] == "y":
            value = json.loads(data)
            assert rows == (value if isinstance(value, list) else [value])
        assert list(assemble(shred(rows))) == rows


def test_amazon_bestsellers(shared_data: Path) -> None:
    table = read_file(shared_data / "amazon-bestsellers" / "bestsellers with categories.csv")
    assert isinstance(table, pa.RecordBatchReader)
    table = table.read_all()
    assert len(table) == 550
    types = {field.name: str(field.type).removeprefix("large_") for field in table.schema}
    assert types["User Rating"] == "double" and types["Price"] == types["Year"] == "int64" and "string" in types["Genre"]


@pytest.mark.parametrize("options", [{"encoding": 5}, {"format": 5}, {"files": 5}, {"max_gb": "x"}, {"lists": ["a"]}, {"lists": "a"}, {"spans": 5}])
def test_options_of_the_wrong_kind_are_refused(given: Any, options: dict[str, Any]) -> None:
    [(option, value)] = options.items()
    with pytest.raises(ParameterError, match=re.escape(f"{option}={value!r} can't be used")):
        read_file(given("x.csv", "a\n1\n"), **options)


@pytest.mark.filterwarnings("ignore::clow_nb.data.encoding.FileNotice")
def test_a_file_that_breaks_off_inside_is_named(given: Any) -> None:
    path = given("x.parquet", b"")
    pq.write_table(pa.table({"a": [str(n) for n in range(50_000)]}), path)
    data = path.read_bytes()
    path.write_bytes(data[:300] + bytes(200) + data[500:])
    with pytest.raises(FileError, match=r"^x\.parquet can't be read as Parquet"):
        list(shred_frames(read_file(path)))
