"""Secrets: planted in every channel that a run has, and nowhere to be found afterwards; keys that are missing, wrong, replaced."""

import base64
import json
import os
import pty
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import InvalidName, NotFound, ParameterError, SettingsError
from clow_nb.runs.execution import Outcome, attempt
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs, keep_copy
from clow_nb.runs.run import Run
from clow_nb.runs.scrubbing import MASK, Scrubber, Stream, spellings
from clow_nb.runs.secrets import Secrets
from clow_nb.runs.vault import VARIABLE, key_file, new_key, read_keys

from .conftest import MakeNotebook, until

VALUE = 'sk-"4f9c/Zq+81 한글%키-7Ld0'
LONG = "ghp_" + "a1B2c3D4e5" * 12
PARAMETERS = "from clow_nb.runs.kinds import Secret\nkey: Secret\nspare: Secret | None = None"

# Each cell lets the value out by another door.
CHANNELS = {
    "history": "print(key.value in repr(vars(get_ipython().history_manager)), key.value in repr(globals()))",
    "print": "print('the key:', key.value, repr(key.value), [key.value])",
    "split": "import time\nprint('a', key.value[:9], sep='', end='', flush=True); time.sleep(0.3); print(key.value[9:])",
    "stderr": "import sys\nprint(key.value, file=sys.stderr); print(key.value[:5], end='', file=sys.stderr, flush=True)\n"
    "print(key.value[5:], end='', file=sys.stdout, flush=True)",
    "descriptor": "import os\nos.write(1, (key.value + chr(10)).encode()); os.write(2, key.value.encode())",
    "child": "import subprocess\nsubprocess.run(['echo', key.value], check=True)",
    "result": "{'key': key.value, 'parts': (key.value, 1)}",
    "display": "from IPython.display import HTML, JSON, Markdown, display\n"
    "display(HTML(f'<a href=\"?k={key.value}\">'), JSON({'k': [key.value], key.value: 1}), Markdown(key.value))",
    "spellings": "import base64, html, json, urllib.parse as u\n"
    "print(json.dumps(key.value), json.dumps(json.dumps({'k': key.value})), u.quote(key.value), u.quote_plus(key.value), html.escape(key.value))\n"
    "for before in ('', 'a', 'ab'): print(base64.b64encode((before + key.value).encode()), base64.urlsafe_b64encode((before + key.value).encode()))\n"
    "print(key.value.encode().hex(), base64.encodebytes(spare.value.encode()).decode())",
    "table": "import polars as pl\npl.DataFrame({'k': [key.value, spare.value]})",
    "picture": "from IPython.display import Image, display\ndisplay(Image(b'\\x89PNG....' + key.value.encode(), format='png'))",
    "widget": "import ipywidgets\nbox = ipywidgets.Text(value=key.value, description='키')\nbox.tooltip = key.value\nbox",
    "updated": "from IPython.display import display\nshown = display('-', display_id=True); shown.update(key.value)",
    "cleared": "from IPython.display import clear_output\nprint('x'); clear_output(wait=True)\n"
    "print(key.value[:7], end='', flush=True); __import__('time').sleep(0.3); print(key.value[7:])",
    "bar": "import sys\nfor n in range(3): print('\\r', n, key.value, end='')",
    "captured": "import ipywidgets\nout = ipywidgets.Output()\nwith out: print(key.value[:7], end=''); print(key.value[7:]); display(key.value)\nout",
    "handled": "try: raise KeyError(key.value)\nexcept KeyError: get_ipython().showtraceback()",
    "large": "print('x' * 1_999_990, end=''); print(key.value); print('y' * 1_000_000, key.value)",
    "page": "from IPython.display import HTML\nHTML(key.value + '<b>' * 1_500_000)",
    "reported": "from clow_nb.runs import current\ncurrent.progress(0.5, f'with {key.value}'); current.log_metrics({key.value: 1.0})\n"
    "current.output('answer', {'echo': key.value, 'n': 1}); current.output('where', __import__('pathlib').Path('/a') / spare.value)",
    "kept": "import polars as pl\ncurrent.checkpoint('rows', {'t': pl.DataFrame({'k': [key.value]}), 'k': key.value})",
    "file": "(current.folder() / 'dump.bin').write_bytes(b'\\x00' + key.value.encode() + b'\\xff')",
}


def leaks(folder: Path, *values: str) -> list[str]:
    """Where in the bytes of a folder a value is, in any spelling that a person could think of."""
    spelled = {text for value in values for text in (value, json.dumps(value)[1:-1], quote(value), value.encode().hex())}
    spelled |= {base64.b64encode(value.encode()).decode().rstrip("=")[:-1] for value in values}
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [f"{path}: {text}" for path in files for text in spelled if text.encode() in path.read_bytes()]


def plant(ctx: Context) -> None:
    secrets = Secrets(ctx)
    secrets["openai"], secrets["hub"] = VALUE, LONG


def test_no_channel_lets_it_out(workspace: Context, notebook: MakeNotebook) -> None:
    plant(workspace)
    path = notebook(*CHANNELS.values(), parameters=PARAMETERS)
    run = Runs(workspace).submit(path, {"key": "openai", "spare": "hub"}, kind="leaky").wait(200, progress=False)
    assert leaks(workspace.home, VALUE, LONG) == []
    assert leaks(run.folder, LONG[:24]) == [], "a table shows the beginning of a long text"
    cells = nbformat.read(run.notebook, 4).cells
    code = {name: json.dumps([*map(dict, cell.outputs)], ensure_ascii=False) for name, cell in zip(CHANNELS, cells[2:], strict=True)}
    assert [name for name, shown in code.items() if MASK not in shown] == ["history", "captured", "page", "reported", "file"]
    assert cells[2].outputs[0].text == "False False\n"
    assert MASK in json.dumps(dict(nbformat.read(run.notebook, 4).metadata["widgets"]), ensure_ascii=False)
    assert run.outputs["answer"] == {"echo": MASK, "n": 1} and run.message == f"with {MASK}" and MASK in run.metrics()["key"][0]
    assert (run.folder / "dump.bin").stat().st_size == len(VALUE.encode()) + 2
    assert run.params == {"key": "openai", "spare": "hub"} and "Secret('openai')" in cells[1].source
    assert run.scrubbed["openai"] > 40 and run.scrubbed["hub"] >= 4 and f"the key: {MASK} '{MASK}'" in run.logs()


def test_nothing_lies_there_while_it_runs(workspace: Context, notebook: MakeNotebook) -> None:
    """So that there is nothing to find if the worker is killed at this moment."""
    plant(workspace)
    cells = [CHANNELS[name] for name in ("print", "split", "result", "cleared", "large", "reported", "kept")]
    path = notebook(*cells, "import time; current.progress(0.9, 'waiting'); time.sleep(1.5)", parameters=PARAMETERS)
    run = Runs(workspace).submit(path, {"key": "openai", "spare": "hub"}, kind="leaky")
    until(lambda: run.message == "waiting")
    found, status = leaks(workspace.home, VALUE, LONG), run.status
    assert (found, status) == ([], "RUNNING")
    run.wait(150, progress=False)


DEATHS = {
    "error": "raise ValueError('no access with ' + key.value * 30)",
    "chain": "try: {}[key.value]\nexcept KeyError as error: raise RuntimeError(f'{key.value[:4]}') from error",
    "exit": "import os, sys\nprint(key.value, file=sys.stderr); os.write(2, key.value.encode() + b'\\n'); os._exit(3)",
    "name": "raise type('E' + 'x', (Exception,), {})(key.value)",
    "clow": "from clow_nb.core.errors import RunError\nraise RunError('The key {key} is old.', key=key.value)",
    "hook": "import warnings\nwarnings.warn(key.value)\nassert not key.value, f'{key.value!r}'",
}


def test_no_error_tells(workspace: Context, notebook: MakeNotebook) -> None:
    plant(workspace)
    runs = [
        Runs(workspace).submit(notebook(source, parameters=PARAMETERS), {"key": "openai"}, kind="failing", retries=0)
        for source in DEATHS.values()
    ]
    for run in runs:
        run.wait(200, progress=False, check=False)
    assert {run.status for run in runs} == {"FAILED"} and leaks(workspace.home, VALUE) == []
    errors = dict(zip(DEATHS, (run.error for run in runs), strict=True))
    assert errors["error"].startswith(f"ValueError: no access with {MASK}{MASK}") and errors["clow"] == f"The key {MASK} is old."
    assert MASK in errors["exit"] and all(run.scrubbed["openai"] for run in runs)
    assert MASK in runs[2].logs()


def tried(ctx: Context, id: str, path: Path) -> Outcome:
    """What becomes of a notebook that is given the secret `openai`, here and now."""
    if not Ledger(ctx).find(id=id):
        keep_copy(ctx, id, path)
        Ledger(ctx).add(RunRow(id, "k", "", str(path), params={"key": "openai"}))
    row = Ledger(ctx).begin(id, "me")
    assert row is not None
    outcome = attempt(ctx, row, threading.Event())
    Ledger(ctx).end(id, row.token, outcome.status, outcome.error)
    return outcome


def test_a_run_has_what_it_was_given_and_nothing_else(
    ctx: Context, notebook: MakeNotebook, bare_pool: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, new_key())
    plant(ctx)
    assert not key_file(ctx.home).exists()
    look = "import os\nfound = [name for name, value in os.environ.items() if 'SECRET' in name or key.value in value]\nassert found == [], found"
    assert tried(ctx, "r1", notebook(look, "print(len(key.value))", parameters=PARAMETERS)) == Outcome("SUCCEEDED")
    assert Run(ctx, "r1").logs().strip() == str(len(VALUE))
    refused = tried(ctx, "r2", notebook("Secret('hub').value", parameters=PARAMETERS))
    assert refused.error.startswith("This run was not given the secret hub.") and not refused.passing


def test_a_secret_that_is_not_there_is_noticed_first(workspace: Context, notebook: MakeNotebook) -> None:
    plant(workspace)
    runs, path, before = Runs(workspace), notebook("key.value", parameters=PARAMETERS), Runs(workspace).list().height
    for params, words in ({"key": "nothing"}, "No secret is named 'nothing'. There is: hub, openai"), ({"key": LONG[:60]}, "'ghp_…'"):
        with pytest.raises(NotFound, match=words.replace(".", r"\.")) as caught:
            runs.submit(path, params, kind="k")
        assert LONG[:30] not in str(caught.value)
    with pytest.raises(ParameterError, match=r"The parameter key is •••.*It takes Secret \(its name, never its value\)") as refused:
        runs.submit(path, {"key": VALUE}, kind="k")
    assert VALUE not in str(refused.value) and runs.list().height == before


def test_deleted_or_sealed_with_another_key_meanwhile(ctx: Context, notebook: MakeNotebook, bare_pool: None) -> None:
    plant(ctx)
    path = notebook("key.value", parameters=PARAMETERS)
    Secrets(ctx).rotate()
    assert tried(ctx, "r1", path).status == "SUCCEEDED" and Run(ctx, "r1").scrubbed == {"openai": 1}
    right = key_file(ctx.home).read_text()
    key_file(ctx.home).write_text(new_key())
    assert tried(ctx, "r2", path).error.startswith("The secret openai can't be opened with the key in ")
    key_file(ctx.home).write_text(right)
    assert Ledger(ctx).again("r2") and tried(ctx, "r2", path).status == "SUCCEEDED"
    Secrets(ctx).delete("openai")
    assert tried(ctx, "r3", path).error.startswith("No secret is named 'openai'. There is: hub.")
    assert leaks(ctx.home, VALUE, LONG) == []


def test_papermill_by_itself(own: Context, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import papermill

    monkeypatch.setenv("CLOW_HOME", str(own.home))
    plant(own)
    source = write("print(key.value)", "1/0", parameters=PARAMETERS)
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", {"key": "openai"}, engine_name="clow", progress_bar=False)
    assert MASK in (tmp_path / "out.ipynb").read_text("utf-8") and leaks(tmp_path, VALUE) == []


pieces = st.lists(st.text(st.sampled_from("sk-4fabc\n\r 키"), max_size=6) | st.sampled_from(["sk-4fab", "c키s", "k-4", "sk-"]), max_size=12)


@given(pieces, st.sampled_from(["sk-4fabc키", "abcabcab", "sk-4f\nabcabc키abcabcabcabc"]), st.integers(0, 12))
@settings(max_examples=400, deadline=None)
def test_however_it_is_cut(parts: list[str], value: str, place: int) -> None:
    parts = [*parts[:place], value[:3], value[3:], *parts[place:]]
    stream = Stream(Scrubber({"x": value}))
    passed = "".join([*map(stream.feed, parts), stream.flush()])
    assert not [text for text in spellings(value) if text in passed]
    assert passed == Scrubber({"x": value}).text("".join(parts)) and stream.scrubber.counts["x"] >= 1


@given(st.text(min_size=6, max_size=60), st.binary(max_size=5), st.binary(max_size=5))
@settings(max_examples=200, deadline=None)
def test_base64_hides_nothing(value: str, before: bytes, after: bytes) -> None:
    try:
        data = value.encode()
    except UnicodeEncodeError:
        return
    if len(value.strip()) < 6:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MASK in Scrubber({"x": value.strip()}).text(encode(before + value.strip().encode() + after).decode()), data


def test_many_at_once_make_one_key(ctx: Context) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: Secrets(Context.open(ctx.home)).set(f"s-{number % 4}", f"value-{number}"), range(24)))
    secrets = Secrets(ctx)
    assert len(read_keys(ctx.home).keys) == 1 and len(secrets.reveal("s-0", "s-1", "s-2", "s-3")) == 4
    assert secrets.list().columns == ["name", "updated", "author"] and secrets.list()["author"].unique().to_list() == ["tester"]


def test_replacing_the_key_of_a_team(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    old, fresh = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    secrets = Secrets(ctx)
    secrets["openai"] = VALUE
    monkeypatch.setenv(VARIABLE, fresh)
    with pytest.raises(SettingsError, match=f"can't be opened with the key in {VARIABLE}") as caught:
        secrets.reveal("openai")
    assert fresh not in str(caught.value)
    monkeypatch.setenv(VARIABLE, f"{fresh}, {old}")
    assert secrets.rotate() == 1
    monkeypatch.setenv(VARIABLE, fresh)
    assert secrets.reveal("openai") == {"openai": VALUE}
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(SettingsError, match=r"is not here\. Copy .*secrets\.key"):
        secrets.set("other", "a value")
    assert "other" not in secrets and not key_file(ctx.home).exists()


def test_a_crash_while_rotating_loses_nothing(ctx: Context) -> None:
    plant(ctx)
    script = "import os, sys\nimport clow_nb.runs.secrets as s\nfrom clow_nb.core.context import Context\nwrite, calls = s.write_keys, []\n"
    script += "def dying(*a):\n    calls.append(1)\n    if len(calls) == int(sys.argv[2]): os._exit(9)\n    write(*a)\n    if len(calls) == int(sys.argv[3]): os._exit(9)\n"
    script += "s.write_keys = dying\ns.Secrets(Context.open(sys.argv[1])).rotate()"
    for before, after in ("1", "0"), ("0", "1"), ("2", "0"), ("0", "2"):
        ended = subprocess.run([sys.executable, "-c", script, str(ctx.home), before, after], check=False)
        assert ended.returncode == 9 and Secrets(ctx).reveal("openai", "hub") == {"openai": VALUE, "hub": LONG}
    assert Secrets(ctx).rotate() == 2 and len(read_keys(ctx.home).keys) == 1


def test_rows_can_not_be_swapped(ctx: Context) -> None:
    plant(ctx)
    with closing(sqlite3.connect(ctx.home / "db" / "catalog.sqlite")) as database, database:
        database.execute("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'openai') WHERE name = 'hub'")
    with pytest.raises(SettingsError, match="The secret hub can't be opened"):
        Secrets(ctx).reveal("hub")


def test_names_and_values_are_checked(ctx: Context) -> None:
    for name, value, error in ("a b", VALUE, InvalidName), ("aa", "12345", ParameterError), ("aa", b"bytes-bytes", ParameterError):
        with pytest.raises(error) as caught:
            Secrets(ctx).set(name, value)  # type: ignore[arg-type]
        assert "12345" not in str(caught.value) and "bytes-bytes" not in str(caught.value)
    assert len(Secrets(ctx)) == 0 and not key_file(ctx.home).exists()


def test_it_can_be_typed_unseen(ctx: Context) -> None:
    own, theirs = pty.openpty()
    script = "import sys\nfrom clow_nb.core.context import Context\nfrom clow_nb.runs.secrets import Secrets\nprint(Secrets(Context.open(sys.argv[1])).set('openai'))"
    command = [sys.executable, "-c", f"import os; os.setsid(); import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{script}", str(ctx.home)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while b"openai: " not in seen:
        seen += os.read(own, 1000)
    os.write(own, b"sk-typed-unseen\n")
    assert process.wait(120) == 0
    until(lambda: Secrets(ctx).reveal("openai") == {"openai": "sk-typed-unseen"})
    assert b"typed" not in seen + os.read(own, 1000)
    os.close(own)
