"""Labels in one cell, tags in a text."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.errors import DataError, ParameterError
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file
from clow_nb.data.objects import FileDocuments, RawFile
from clow_nb.data.shaping import parse_spans, shaped, split_labels


def test_labels_of_any_format(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text,tags\n가,소설; 시\n나,\n다,시\n")
    (tmp_path / "x.jsonl").write_text('{"text": "가", "tags": "소설; 시"}\n{"text": "나"}\n{"text": "다", "tags": ["시"]}\n')
    expected = [{"text": "가", "tags": ["소설", "시"]}, {"text": "나"}, {"text": "다", "tags": ["시"]}]
    for name in ("x.csv", "x.jsonl"):
        assert list(read_file(tmp_path / name, lists={"tags": ";"})) == expected
    (tmp_path / "n.csv").write_text("tags\n1\n2\n")
    assert list(read_file(tmp_path / "n.csv", lists={"tags": ";"})) == [{"tags": [1]}, {"tags": [2]}]


def test_null_stays_null() -> None:
    assert list(shaped([{"tags": None}, {}], lists={"tags": ";"})) == [{"tags": None}, {}]


def test_documents_with_raw_files_stay_such() -> None:
    found = shaped(FileDocuments([{"image": RawFile(Path("x.png"), "x.png"), "label": "a,b"}]), lists={"label": ","})
    assert isinstance(found, FileDocuments)
    assert next(iter(found))["label"] == ["a", "b"]


def test_tags_become_spans(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text('text\tn\n<artist>BTS</artist>의 <song type="live" lang=\'ko\'>봄날</song> 틀어줘\t1\n그냥\t2\n')
    rows = list(read_file(tmp_path / "x.tsv", spans="text"))
    assert rows[0] == {
        "text": "BTS의 봄날 틀어줘", "n": 1,
        "spans": [
            {"start": 0, "end": 3, "label": "artist", "text": "BTS", "attributes": {}},
            {"start": 5, "end": 7, "label": "song", "text": "봄날", "attributes": {"type": "live", "lang": "ko"}},
        ],
    }  # fmt: skip
    assert rows[1] == {"text": "그냥", "n": 2, "spans": []}


@pytest.mark.parametrize("text", ["a < b > c", "x <3 y", "<>", "1<2>1", "a<b", "< song>", "<1a>x</1a>", "AT&amp;T"])
def test_what_is_no_tag_stays(text: str) -> None:
    assert parse_spans(text) == (text, [])


def test_tags_that_do_not_match_are_told() -> None:
    rows = [{"text": "<a>x"}, {"text": "<a>y</a>"}, {"text": "z</b>"}]
    with pytest.warns(FileNotice, match=r"In 2 documents the tags of 'text' don't match \(first: document 1, <a>\)"):
        found = list(shaped(rows, spans="text"))
    assert [row["text"] for row in found] == ["<a>x", "y", "z</b>"] and "spans" not in found[0]
    assert rows[1] == {"text": "<a>y</a>"}, "what was given is not changed"


NAMES = st.sampled_from(["a", "song", "노래"])
TREES = st.recursive(
    st.text(alphabet="xy가 &'\"", max_size=4),
    lambda inner: st.lists(inner | st.tuples(NAMES, inner), max_size=3),
    max_leaves=8,
)


def _tagged(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    return f"<{tree[0]}>{_tagged(tree[1])}</{tree[0]}>" if isinstance(tree, tuple) else "".join(map(_tagged, tree))


def _bare(tree: Any) -> str:
    return tree if isinstance(tree, str) else _bare(tree[1]) if isinstance(tree, tuple) else "".join(map(_bare, tree))


@given(TREES)
def test_any_nesting(tree: Any) -> None:
    text, spans = parse_spans(_tagged(tree))
    assert text == _bare(tree)
    assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)
    assert len(spans) == _tagged(tree).count("</")


@given(st.text(alphabet="<>/a b=\"'", max_size=30))
def test_any_text_is_parsed_or_told(text: str) -> None:
    try:
        bare, spans = parse_spans(text)
    except ValueError:
        return
    assert all(bare[span["start"] : span["end"]] == span["text"] for span in spans)


@given(st.lists(st.text(alphabet="ab가 ", min_size=1).map(str.strip).filter(bool)))
def test_labels_come_back(labels: list[str]) -> None:
    assert split_labels(" ; ".join(labels), ";") == labels


def test_wrong_requests() -> None:
    table = pa.table({"a": ["x"]})
    for error, words, options in (
        (ParameterError, "No document has the key 'b'", {"lists": {"b": ";"}}),
        (ParameterError, "No document has the key 'text'", {"spans": "text"}),
        (ParameterError, "separator '' can't cut", {"lists": {"a": ""}}),
        (DataError, "has the key 'spans' already", {"spans": "a"}),
    ):
        rows = [{"a": "x", "spans": 1}] if error is DataError else table
        with pytest.raises(error, match=words):
            list(shaped(rows, **options))
