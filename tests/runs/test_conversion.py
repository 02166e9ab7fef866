"""User code that converts: what it may return, and how it may fail."""

import os
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError
from clow_nb.runs.conversion import Fault, check_code, converted, strictly, try_out
from clow_nb.runs.lease import birth

from .conftest import until

ONE = "def convert(document):\n    "


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("import json\ndef convert(d): return d", "convert"),
        ("from elsewhere import convert_all", "convert_all"),
        ("from elsewhere import shop as convert", "convert"),
        ("convert = lambda d: d", "convert"),
    ],
)
def test_what_defines_a_converter(code: str, entry: str) -> None:
    assert check_code(code) == entry


@pytest.mark.parametrize("code", ["", "convert", "def outer():\n    def convert(d): ...", "a\0b", "def convert(:"])
def test_what_does_not(code: str) -> None:
    with pytest.raises(DataError):
        check_code(code)


def test_checking_runs_nothing() -> None:
    assert check_code("raise SystemExit\ndef convert(d): ...") == "convert"


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("return document['no']", 2, "KeyError: 'no'"),
        ("return 5", None, "Return a dict"),
        ("return [document, 'x']", None, "Return a dict"),
        ("raise SystemExit(3)", 2, "SystemExit: 3"),
        ("def inner():\n        return 1 / 0\n    return inner()", 3, "ZeroDivisionError"),
    ],
)
def test_a_fault_has_its_line(body: str, line: int | None, words: str) -> None:
    faults: list[Fault] = []
    assert list(converted(ONE + body, [{"_id": "7"}], faults.append)) == []
    assert (faults[0].id, faults[0].line) == ("7", line)
    assert words in faults[0].error


def test_faults_of_code_that_cannot_be_loaded_or_sees_all() -> None:
    faults: list[Fault] = []
    assert list(converted("import nothing_of_that_name\n" + ONE + "return document", [{}, {}], faults.append)) == []
    assert [fault.line for fault in faults] == [1]
    code = "def convert_all(documents):\n    for d in documents:\n        yield {'n': 1 / d['n']}"
    made = list(converted(code, [{"n": 1}, {"n": 2, "_id": "b"}, {"n": 0, "_id": "c"}, {"n": 4}], faults.append))
    assert made == [{"n": 1.0}, {"n": 0.5}]
    assert (faults[1].document, faults[1].id, faults[1].line) == (2, "c", 3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc")))
def test_no_id_comes_twice(ids: list[str]) -> None:
    made = list(strictly("def convert_all(ds): return list(ds)", [{"_id": id, "n": n} for n, id in enumerate(ids)]))
    kept = [document["_id"] for document in made if "_id" in document]
    assert len(kept) == len(set(kept)) == len(set(ids))
    assert [document["n"] for document in made] == list(range(len(ids)))


def test_types_go_there_and_back() -> None:
    document = {"_id": "1", "b": b"\0\xff", "t": datetime(2026, 1, 2, tzinfo=UTC), "d": date(2026, 1, 2), "n": None, "k": {"한": [1, 2.5]}}
    assert try_out(ONE + "return document", [document]).documents == [document]


def test_it_sees_nothing_of_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_DB", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    result = try_out(ONE + "import os\n    return dict(os.environ)", [{}])
    assert "PATH" in result.documents[0] and "secret" not in str(result.documents)


def test_what_it_started_ends_with_it() -> None:
    code = ONE + "import subprocess\n    return {'pid': subprocess.Popen(['sleep', '300']).pid}"
    pid = try_out(code, [{}]).documents[0]["pid"]
    until(lambda: birth(pid) is None)
    assert birth(os.getpid()) is not None


def test_prints_before_the_end_of_time_are_kept() -> None:
    result = try_out(ONE + "print('여기까지')\n    while True: pass", [{}], timeout=3)
    assert result.logs == "여기까지\n" and "not done after 3 s" in result.errors[0].error
