"""Where the keys of a table are."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.errors import ParameterError
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    def read(text: str, **options: Any) -> tuple[list[dict[str, Any]], str]:
        """The rows, and what was noticed."""
        (tmp_path / "x.csv").write_text(text)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = read_file(tmp_path / "x.csv", **options).read_all().to_pylist()
        assert all(one.category is FileNotice for one in caught)
        return found, " ".join(str(one.message) for one in caught)

    return read


@pytest.mark.parametrize(
    "text",
    [
        "1,안녕\n2,반가워\n3,잘 가\n",
        "5.1,3.5,setosa\n4.9,3.0,setosa\n",
        "7,0,0,0\n2,0,255,0\n",
        "2026-01-01,a\n2026-01-02,b\n",
        "켜줘,light\n꺼줘,light\n틀어줘,music\n멈춰,music\n올려,light\n내려,light\n",
        "A-001,x y\nA-002,z w\nA-003,v\n",
        "true,x\nfalse,y\n",
        "3,german\n",
    ],
)
def test_no_keys(rows: Any, text: str) -> None:
    found, notice = rows(text)
    assert len(found) == text.count("\n") and next(iter(found[0])) == "column_1"
    assert "has no line of keys" in notice and "pass header=1" in notice
    named, notice = rows(text, header=1)
    assert len(named) == len(found) - 1 and "has no line of keys" not in notice


@pytest.mark.parametrize(
    "text",
    [
        "text,label\na,x\nb,x\nc,y\n",
        "id,name\n1,a\n",
        "name\na\nb\n",
        "label\nlabel\nother\n",
        ",2019\nx,1\n",
        "id1,id2\nA-1,B-2\nA-3,B-4\n",
        "item,q1,q2\na,1,2\n",
        "v,2019 total\n1,5\n",
    ],
)
def test_keys(rows: Any, text: str) -> None:
    found, notice = rows(text)
    assert len(found) == text.count("\n") - 1 and "no line of keys" not in notice


@pytest.mark.parametrize("text", ["item,2019,2020\na,1,2\nb,3,4\n", "k,1,2,3\na,5,5,5\n"])
def test_numbers_as_keys_are_a_doubt(rows: Any, text: str) -> None:
    found, notice = rows(text)
    assert len(found) == text.count("\n") - 1 and "looks like a value. If there are no keys, pass header=False" in notice
    assert len(rows(text, header=False)[0]) == len(found) + 1
    assert rows(text, header=1) == (found, "")


def test_titles(rows: Any) -> None:
    text = "Sales of 2026\n\nshop,day,sum\nA,2026-01-01,3\nB,2026-01-02,4\n"
    found, notice = rows(text)
    assert [row["sum"] for row in found] == [3, 4] and "were left out: Sales of 2026" in notice
    assert rows(text, header=3)[0] == found
    assert rows("report,,\nunit: KRW,,\na,b,c\nx,1,2\ny,3,4\n")[0] == [{"a": "x", "b": 1, "c": 2}, {"a": "y", "b": 3, "c": 4}]


def test_a_header_row_that_is_told_needs_no_guess(rows: Any) -> None:
    assert rows("x,1\na,b\n2,3\n", header=2) == ([{"a": 2, "b": 3}], "")
    assert rows("a,b\n\n1,2\n", header=True) == ([{"a": 1, "b": 2}], "")


@pytest.mark.parametrize("header", [0, -1, "a", 1.5, 3, 99])
def test_rows_that_cannot_hold_keys(rows: Any, header: Any) -> None:
    with pytest.raises(ParameterError, match="Give the"):
        rows("a,b\n1,2\n\n", header=header)


@pytest.mark.parametrize("delimiter", ["", "::", "\n", '"', 5])
def test_delimiters_that_cut_nothing(rows: Any, delimiter: Any) -> None:
    with pytest.raises(ParameterError, match="can't cut a line"):
        rows("a,b\n1,2\n", delimiter=delimiter)


def test_a_delimiter_that_is_told(rows: Any) -> None:
    assert rows("a^b\n1,5^2\n", delimiter="^")[0] == [{"a": "1,5", "b": 2}]
    assert rows("a,b\n1,2\n", delimiter=";")[0] == [{"a,b": "1,2"}]
