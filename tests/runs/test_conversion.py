"""User code that converts: what it may do, and how it may fail."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError
from clow_nb.runs.conversion import Code, Fault, Progress, converted, own_ids, strictly
from clow_nb.runs.machine import birth
from clow_nb.runs.syntax import check_code, is_parallel
from clow_nb.runs.trial import Conversion, try_out

from .conftest import until

HEAD = "def convert(json_input, raw_dataset_name, output):\n    import os, sys, threading, time\n"
EACH = HEAD + "    for document in json_input:\n        "
BAD = {"_id": "7", "n": 0}


def tried(code: str, *documents: dict[str, Any], **how: Any) -> Conversion:
    return try_out(Code(code, **{"timeout": 30, **how}), "shop", documents)


@pytest.mark.parametrize(
    "code",
    [
        "import json\ndef convert(a, b, c): ...",
        "from elsewhere import shop as convert",
        "convert = lambda *a: 1",
        "def convert(a, b, c=1): ...",
        "def convert(*a, **k): ...",
        "@wrapped\ndef convert(d): ...",
        "def convert(d): ...\ndef convert(a, b, c): ...",
    ],
)
def test_what_defines_a_converter(code: str) -> None:
    check_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "convert",
        "def outer():\n    def convert(a, b, c): ...",
        "a\0b",
        "def convert(:",
        "def convert(d): ...",
        "def convert(a, b, c, d): ...",
        "def convert(a, b, c, *, d): ...",
        "async def convert(a, b, c): ...",
    ],
)
def test_what_does_not(code: str) -> None:
    with pytest.raises(DataError):
        check_code(code)


def test_checking_runs_nothing() -> None:
    check_code("raise SystemExit\ndef convert(a, b, c): ...")
    assert not is_parallel("if 1:\n    PARALLEL = True\n")


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("output(document['no'])", 4, "KeyError: 'no'"),
        ("output(5)", 4, "output() was given 5, of the type int"),
        ("output([document])", 4, "Give it a dict"),
        ("output({1: 2})", 4, "no text"),
        ("output({'a': {'b': {3, 4}}})", 4, "holds a value of type set"),
        ("output({'a': convert})", 4, "holds a value of type function"),
        ("yield document", None, "value of the type generator"),
        ("return document", None, "value of the type dict"),
        ("sys.exit(3)", 4, "SystemExit: 3"),
        ("raise KeyboardInterrupt", 4, "KeyboardInterrupt"),
        ("def inner():\n            return 1 / document['n']\n        inner()", 5, "ZeroDivisionError"),
        ("def deep(n): return deep(n + 1)\n        deep(0)", 4, "RecursionError"),
        ("x = [document] * 10**12", 4, "MemoryError"),
        ("class Odd(Exception):\n            def __str__(self): raise ValueError\n        raise Odd", 6, "Odd: ?"),
        ("json_input.close()", 4, "AttributeError"),
        ("input()", 4, "EOFError"),
        ("os._exit(0)", None, "ended its process with the status 0"),
        ("os.kill(os.getpid(), 9)", None, "SIGKILL"),
        ("pass", None, "without having called output()"),
    ],
)
def test_a_fault_has_its_document_and_its_line(body: str, line: int | None, words: str) -> None:
    result = tried(EACH + body, BAD)
    assert result.failed == 1 and result.documents == []
    fault = result.errors[0]
    assert words in fault.error and fault.line == line
    if "without having" not in words and "generator" not in words:
        assert (fault.place, fault.id, fault.document) == (0, "7", BAD)


def test_only_the_users_lines_are_shown() -> None:
    code = "import json\n" + EACH + "read(document)\n\ndef read(document):\n    json.loads('{')\n"
    trace = tried(code, BAD).errors[0].trace
    assert trace == "convert.py, line 5, in convert\n    read(document)\nconvert.py, line 8, in read\n    json.loads('{')"


def test_code_that_cannot_be_loaded() -> None:
    fault = tried("import nothing_of_that_name\n" + EACH + "output(document)", {}, skip=True).errors[0]
    assert (fault.line, fault.document) == (1, None) and "ModuleNotFoundError" in fault.error


@pytest.mark.parametrize("body", ["while True: pass", "import re; re.match('(a+)+$', 'a' * 60 + 'b')"])
def test_what_hangs_is_ended_with_its_line(body: str) -> None:
    result = tried(HEAD + f"    print('여기까지')\n    for document in json_input:\n        output(document)\n        {body}", BAD, timeout=1)
    assert "not done after 1 s" in result.errors[0].error and result.logs == "여기까지\n"
    assert (result.errors[0].line, result.errors[0].id) == (6, "7")


def test_a_thread_that_hangs_is_ended_too() -> None:
    code = HEAD + "    threading.Thread(target=time.sleep, args=[100]).start()"
    assert "not done after 1 s" in tried(code, BAD, timeout=1).errors[0].error


def test_it_prints_without_end() -> None:
    result = tried(EACH + "while True: print('x' * 1000)", BAD, limits={"output_mb": 2})
    assert "printed more than 2 MB" in result.errors[0].error
    assert len(result.logs) < 500_000 and "characters …" in result.logs


def test_it_eats_memory_bit_by_bit() -> None:
    result = tried(EACH + "kept = []\n        while True: kept.append(bytearray(10**7)), time.sleep(0.01)", BAD, limits={"memory_mb": 200})
    assert "more than 200 MB" in result.errors[0].error or "MemoryError" in result.errors[0].error
    assert result.errors[0].line == 5


def test_threads_share_the_input_and_the_output() -> None:
    code = HEAD + """
    def work():
        for document in json_input:
            output({"n": document["n"]})
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads: thread.start()
"""
    result = tried(code, *({"n": n} for n in range(2000)))
    made = [one["n"] for one in result.dataset.documents()]
    assert sorted(made) == list(range(2000))


def test_a_fault_in_a_thread_is_a_fault() -> None:
    code = EACH + "threading.Thread(target=lambda d: output({'n': 1 // d['n']}), args=[document]).start()"
    result = tried(code, {"n": 1}, {"n": 0, "_id": "b"}, {"n": 2}, skip=True)
    assert [one["n"] for one in result.documents] == [1, 0]
    assert [(fault.id, fault.line) for fault in result.errors] == [("b", 4)]


def test_an_executor_that_is_never_closed_ends_nothing_up() -> None:
    code = "from concurrent.futures import ThreadPoolExecutor\nPOOL = ThreadPoolExecutor(4)\n" + HEAD
    code += "    for made in POOL.map(lambda d: {'n': d['n'] + 1}, json_input): output(made)"
    assert [one["n"] for one in tried(code, {"n": 1}, {"n": 2}).documents] == [2, 3]


def test_types_go_there_and_back() -> None:
    document = {"_id": "1", "b": b"\0\xff", "t": datetime(2026, 1, 2, tzinfo=UTC), "d": date(2026, 1, 2), "n": None, "k": {"한": [1, 2.5, 10**30]}}
    odd = {"_id": "2", "half": "\ud800", "inf": float("inf"), "$oid": {"$date": 1}, "": "\u2028\n"}
    assert tried(EACH + "output(document)", document, odd).documents == [document, odd]


def test_a_document_is_a_dict_like_any_other() -> None:
    code = EACH + "import copy, json, pickle\n        assert isinstance(document, dict) and json.loads(json.dumps(document)) == document"
    code += "\n        output({'same': copy.deepcopy(document) == pickle.loads(pickle.dumps(document)) == document, 'of': raw_dataset_name, 'n': len(json_input)})"
    assert [{k: v for k, v in one.items() if k != "_id"} for one in tried(code, BAD).documents] == [{"same": True, "of": "shop", "n": 1}]


def test_it_sees_nothing_of_the_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOW_DB", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = EACH + "output({'env': dict(os.environ), 'files': [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')]})"
        made = tried(code, {}).documents[0]
    assert "PATH" in made["env"] and not [name for name in made["env"] if name.startswith("CLOW")]
    assert "secret" not in str(made) and str(tmp_path) not in str(made["files"])


def test_what_it_started_ends_with_it() -> None:
    code = EACH + "import subprocess\n        output({'pid': subprocess.Popen(['sleep', '300']).pid})"
    pid = tried(code, {}).documents[0]["pid"]
    until(lambda: birth(pid) is None)
    assert birth(os.getpid()) is not None


STARTER = """
import sys
from clow_nb.runs.conversion import Code, converted
code = "def convert(json_input, n, output):\\n    import os, re, subprocess\\n    pid = subprocess.Popen(['sleep', '300']).pid\\n"
code += "    print(os.getpid(), pid, flush=True)\\n    re.match('(a+)+$', 'a' * 60 + 'b')"
from clow_nb.runs.conversion import Progress
list(converted(Code(code), "x", [{}], progress=Progress(say=lambda text: text and print(text, flush=True))))
"""


def test_it_ends_with_whoever_started_it() -> None:
    """Also while it holds the interpreter's lock."""
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert len(pids) == 2 and all(birth(pid) for pid in pids)
        starter.kill()
    until(lambda: not any(birth(pid) for pid in pids))


REMEMBERS = HEAD + """
    seen = set()
    for document in list(json_input) if {ahead} else json_input:
        key = document["n"] % 5
        1 / document["ok"]
        if key not in seen:
            seen.add(key)
            output({{"n": document["n"], "of": json_input.count()}})
"""


@settings(max_examples=12, deadline=None)
@given(st.lists(st.booleans(), max_size=12), st.booleans())
def test_what_is_skipped_is_as_if_it_had_not_been_there(ok: list[bool], ahead: bool) -> None:
    """Also for code that remembers, and for code that reads all before it begins."""
    documents = [{"_id": str(n), "n": n, "ok": int(good)} for n, good in enumerate(ok)]
    code, kept = REMEMBERS.format(ahead=ahead), list[Fault]()
    made = list(converted(Code(code, skip=True), "shop", documents, progress=Progress(keep=kept.append)))
    assert sorted(fault.place or 0 for fault in kept) == [n for n, good in enumerate(ok) if not good]
    assert made == list(converted(Code(code), "shop", [document for document in documents if document["ok"]]))


def test_what_fails_only_with_others_is_not_skipped() -> None:
    code = HEAD + "    assert len([d for d in json_input if d['n'] == 1]) < 2\n    output({})"
    result = tried(code, {"n": 1}, {"n": 2}, {"n": 1}, skip=True)
    assert "With this document alone the code does not fail" in result.errors[0].error


def test_modules_remember_nothing_of_what_failed() -> None:
    code = "SEEN = set()\n" + EACH + "if document['n'] not in SEEN: output({'n': 1 // document['n']})\n        SEEN.add(document['n'])"
    result = tried(code, {"n": 1}, {"n": 0}, {"n": 1}, skip=True)
    assert [one["n"] for one in result.documents] == [1]


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_input(workers: int) -> None:
    code = "PARALLEL = True\n" + EACH + "time.sleep(0.2 if document['n'] == 0 else 0)\n        output({'n': document['n']})"
    made = [one["n"] for one in converted(Code(code, workers=workers), "shop", ({"n": n} for n in range(4500)))]
    assert made == list(range(4500))


def test_few_parts_are_under_way_at_a_time() -> None:
    code, drawn = "PARALLEL = True\n" + EACH + "output(document)", 0

    def documents() -> Any:
        nonlocal drawn
        for drawn in range(20_000):
            yield {"n": drawn}

    made = converted(Code(code, workers=2), "shop", documents())
    next(made)
    assert drawn < 8000
    made.close()


def test_a_consumer_that_stops_leaves_no_process() -> None:
    code = EACH + "output({'pid': os.getpid()})"
    made = converted(Code(code), "shop", ({"n": n} for n in range(10)))
    pid = next(made)["pid"]
    made.close()
    until(lambda: birth(pid) is None)
    assert threading.active_count() < 50


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc")))
def test_no_id_comes_twice(ids: list[str]) -> None:
    made = list(own_ids({"_id": id, "n": n} for n, id in enumerate(ids)))
    kept = [document["_id"] for document in made if "_id" in document]
    assert len(kept) == len(set(kept)) == len(set(ids))
    assert [document["n"] for document in made] == list(range(len(ids)))


def test_a_fault_is_told_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert "dict 하나를 주세요" in str(tried(EACH + "output(5)", BAD).errors[0])


@pytest.mark.parametrize("stop", [True, False])
def test_strictly(stop: bool) -> None:
    progress = Progress()
    made: Callable[[], Any] = lambda: list(strictly(converted(Code(EACH + ("1 / 0" if stop else "pass")), "shop", [BAD], progress=progress), progress))  # noqa: E731
    with pytest.raises(DataError, match="line 4: ZeroDivisionError" if stop else "without having called"):
        made()
