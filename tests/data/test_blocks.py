"""JSON Lines by the block: what the fast reader accepts it reads as Python's does, and it never misses what is unusual."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import FileError
from clow_nb.data.blocks import block_documents, line_blocks
from clow_nb.data.encoding import FileNotice
from clow_nb.data.json_files import read_jsonl
from clow_nb.data.values import same

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
LINES = st.lists(st.dictionaries(st.text(st.characters(), max_size=3), VALUES, max_size=4), max_size=5)
ASCII, SPACES = st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])


@given(LINES, ASCII, SPACES, st.sampled_from(["\n", "\r\n", "\n\n"]))
@settings(deadline=None)
def test_it_reads_as_python_does(documents: list[dict[str, Any]], ascii: bool, spaces: tuple[str, str], end: str) -> None:
    lines = [json.dumps(document, ensure_ascii=ascii, separators=spaces) for document in documents]
    block = end.join(lines).encode("utf-8", "surrogatepass")
    found = block_documents(block)
    assert found is None or same(found, [json.loads(line) for line in lines])


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
@settings(deadline=None)
def test_numbers_are_read_alike(number: str) -> None:
    found = block_documents(b'{"n":%s}' % number.encode())
    assert found is None or same(found, [json.loads(f'{{"n":{number}}}')])


@given(st.data())
@settings(deadline=None)
def test_equal_keys_are_never_missed(data: st.DataObject) -> None:
    text = st.text('ab":\\ ', max_size=4).map(json.dumps)
    pairs = data.draw(st.lists(st.tuples(text, text), min_size=1, max_size=4))
    line = "{" + ",".join(f"{key}:{value}" for key, value in [*pairs, pairs[0]]) + "}"
    assert block_documents(f'{{"a":"b"}}\n{line}\n'.encode()) is None


def test_the_unusual_line_is_found_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [json.dumps({"n": number, "text": "x" * 50}) for number in range(20_000)]
    for at in (0, 7000, 19_999):
        odd = lines.copy()
        odd[at] = '{"a": 1, "b": "\\ud800", "big": 123456789012345678901234567890, "a": 2}'
        path.write_text("\n".join(odd))
        with pytest.warns(FileNotice, match="the key 'a' more than once"):
            read = list(read_jsonl(path))
        assert read[at] == {"a": 2, "b": "\ud800", "big": 123456789012345678901234567890} and len(read) == 20_000
        odd[at] = '{"a": NaN}'
        path.write_text("\n".join(odd))
        with pytest.raises(FileError, match=rf"x.jsonl, line {at + 1}: this is not JSON \(NaN is not JSON\)"):
            list(read_jsonl(path))


def test_lines_of_any_length_and_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    documents = [{"text": "가" * length} for length in (1, 700_000, 0, 90_000)]
    text = "\r\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp949"):
        path.write_bytes(text.encode(encoding))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FileNotice)
            assert list(read_jsonl(path)) == documents
    assert b"".join(line_blocks(path, "cp949")) == text.encode()
