"""Checkpoints: whatever is kept comes back as it was, nothing else is kept, and a kill at any moment leaves the old value or the new."""

import json
import math
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError, RunError
from clow_nb.core.refs import Ref
from clow_nb.runs import current
from clow_nb.runs.checkpoints import Checkpoints
from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.packing import pack, read_outputs, unpack

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"]))
plain |= st.dates() | st.datetimes(timezones=st.sampled_from([None, UTC])) | st.just(Path("a/결과")) | st.just(Ref("model", "aa", 1))
keys = st.text(max_size=3) | st.integers() | st.tuples(st.integers()) | st.just("$")
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@given(values)
@settings(max_examples=200, deadline=None)
def test_what_is_packed_comes_back(value: Any) -> None:
    aside: dict[str, dict[str, Any]] = {}
    again = unpack(json.loads(json.dumps(pack(value, aside))), lambda kind, name: aside[kind][name])
    assert again == value and type(again) is type(value) and not aside


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "kept", "r1#1")


def test_tables_keep_their_types(kept: Checkpoints) -> None:
    frame = pl.DataFrame({"이름": ["가", None], "at": [datetime(2026, 1, 2), None], "in": [[1, 2], []]})
    empty = pl.DataFrame(schema={"a": pl.Int8})
    table = pa.table({"x": pa.array([1, None], pa.int16()), "s": pa.array([{"a": 1}, None])}).replace_schema_metadata({"k": "v"})
    kept.save("tables", {"frames": [frame, empty], "table": table})
    again = kept.load("tables")
    assert again["frames"][0].equals(frame) and again["frames"][1].schema == empty.schema
    assert again["table"].equals(table, check_metadata=True)


def test_the_state_of_a_training(kept: Checkpoints) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 2))
    net[1].weight = torch.nn.Parameter(net[0].weight[:2])
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    net(torch.rand(8, 4)).sum().backward()
    optimizer.step()
    kept.save("training", {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": math.inf})
    again = kept.load("training")
    assert all(torch.equal(again["net"][name], value) for name, value in net.state_dict().items())
    fresh = torch.optim.AdamW(net.parameters(), lr=0.5)
    fresh.load_state_dict(again["optimizer"])
    assert fresh.param_groups[0]["lr"] == 0.1 and torch.equal(fresh.state_dict()["state"][0]["exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"])
    assert (again["epoch"], again["best"]) == (3, math.inf)


def test_arrays_and_strange_tensors(kept: Checkpoints) -> None:
    array = np.arange(24).reshape(2, 3, 4)[:, ::2].transpose(2, 0, 1)
    tensors = [torch.tensor(3), torch.empty(0, 2), torch.rand(3, 2).T, torch.tensor([1.5], dtype=torch.bfloat16)]
    kept.save("parts", [array, *tensors])
    again = kept.load("parts")
    assert np.array_equal(again[0], array) and again[0].dtype == array.dtype
    assert all(torch.equal(*pair) and pair[0].dtype == pair[1].dtype for pair in zip(again[1:], tensors, strict=True))


@pytest.mark.parametrize("name", ["a/b", "..", "이름", "a b", ".hidden", "x" * 60])
def test_any_name_is_a_name(kept: Checkpoints, name: str) -> None:
    kept.save(name, 1)
    assert kept.names() == [name] and kept.load(name) == 1
    assert all(path.parent == kept.folder for path in kept.folder.iterdir())


@pytest.mark.parametrize("value", [object(), {1, 2}, {"a": [lambda: 1]}, b"bytes", 1j, np.array([object()])])
def test_what_can_not_be_kept_leaves_the_old_value(kept: Checkpoints, value: Any) -> None:
    kept.save("x", 1)
    with pytest.raises(ParameterError, match="The checkpoint x holds a "):
        kept.save("x", value)
    assert kept.load("x") == 1


def test_nothing_that_is_kept_can_run_code(kept: Checkpoints) -> None:
    kept.save("x", {"net": torch.rand(2), "rows": pl.DataFrame({"a": [1]}), "n": np.zeros(2)})
    names = {path.name for path in kept.folder.rglob("*") if path.is_file()}
    assert {Path(name).suffix for name in names} == {".json", ".arrow", ".safetensors"}
    assert not any(path.read_bytes()[:2] == b"\x80\x04" for path in kept.folder.rglob("*") if path.is_file())


KILLED = """
import sys
from pathlib import Path
from clow_nb.runs.checkpoints import Checkpoints
kept = Checkpoints(Path(sys.argv[1]), "r1#1")
for n in range(10**9):
    kept.save("x", {"n": n, "again": [n] * 1000})
    if n == 3:
        print("going", flush=True)
"""


def test_a_kill_at_any_moment_leaves_one_whole_value(tmp_path: Path) -> None:
    for number in range(6):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout and process.stdout.readline() == b"going\n"
        time.sleep(0.003 * number)
        process.kill()
        process.wait()
        again = Checkpoints(tmp_path, "r1#2").load("x")
        assert again["again"] == [again["n"]] * 1000 and again["n"] >= 3


@pytest.fixture
def attempt(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Begins the next attempt at the run r1, in this process; returns its environment."""
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="r1", kind="demo", target=""))

    def begin() -> dict[str, str]:
        ledger.release("this worker")
        row = ledger.begin("r1", "this worker")
        own = {"CLOW_RUN_ID": "r1", "CLOW_RUN_FOLDER": str(ctx.folder("runs", "r1")), "CLOW_RUN_TOKEN": row.token}
        for name, value in (ctx.environment() | own).items():
            monkeypatch.setenv(name, value)
        return ctx.environment() | own

    return begin


CELLS = [
    "from clow_nb.runs.current import checkpoint, folder, output, restore\nimport os, polars as pl",
    "rows = restore('rows')\nif rows is None:\n    (folder() / 'read').open('a').write('x')\n"
    "    rows = checkpoint('rows', pl.DataFrame({'a': [1, 2]}))",
    "done = restore('done', 0)\nfor n in range(done, 4):\n    (folder() / 'steps').open('a').write(str(n))\n"
    "    checkpoint('done', n + 1)\n    if n == 1 and done == 0:\n        os.kill(os.getpid(), 9)",
    "output('sum', int(rows['a'].sum()) + n)",
]


def test_a_run_that_is_taken_up_goes_on_from_its_checkpoints(ctx: Context, attempt: Any, tmp_path: Path) -> None:
    source = tmp_path / "in.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS]), source)
    folder = ctx.folder("runs", "r1")
    with pytest.raises(RunError, match="The kernel died in cell 3 of 4"):
        execute_notebook(source, folder / "notebook.ipynb", env=attempt())
    text: list[str] = []
    execute_notebook(source, folder / "notebook.ipynb", env=attempt(), on_text=text.append)
    assert (folder / "read").read_text() == "x" and (folder / "steps").read_text() == "0123"
    assert read_outputs(folder) == {"sum": 6}
    assert "The checkpoint rows is taken up again." in "".join(text)
    report = {row["name"]: row["action"] for row in Checkpoints(folder / "kept").report()}
    assert report == {"rows": "restored", "done": "kept"}


def test_an_attempt_that_was_taken_over_keeps_nothing(ctx: Context, attempt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = attempt()
    current.checkpoint("x", 1)
    attempt()
    monkeypatch.setenv("CLOW_RUN_TOKEN", old["CLOW_RUN_TOKEN"])
    with pytest.raises(RunError, match="another worker has taken over"):
        current.checkpoint("x", 2)
    assert current.restore("x") == 1
    assert current.restore("y", "none") == "none"
    with pytest.raises(NotFound, match=r"no checkpoint y\. There is: x\."):
        Checkpoints(current.folder() / "kept").load("y")


def test_outputs_come_back_with_their_types(ctx: Context, attempt: Any) -> None:
    attempt()
    given = {
        "model": Ref("model", "intent", 1),
        "since": date(2026, 1, 2),
        "where": {"best": Path("결과"), "all": [Path("a"), (1, 2)]},
        "f1": 0.5,
        "n": np.int64(3),
    }
    for name, value in given.items():
        current.output(name, value)
    folder = current.folder()
    assert read_outputs(folder) == given
    assert json.loads((folder / "outputs.json").read_text("utf-8"))["model"] == "model:intent@1"
    current.output("model", "said again")
    assert read_outputs(folder)["model"] == "said again"
