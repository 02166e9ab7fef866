"""Submitting: what is checked, what is kept, and what two do at the same moment."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import FileError, NotFound, ParameterError
from clow_nb.runs.launch import worker_log
from clow_nb.runs.lease import Leases
from clow_nb.runs.ledger import RunRow
from clow_nb.runs.queue import Runs, enqueue_workflow, find_notebook, new_id, shipped_notebooks

from .conftest import MakeNotebook


def test_every_shipped_notebook_has_a_home_and_descriptions() -> None:
    from clow_nb.runs.contract import signature

    for path in shipped_notebooks().values():
        parameters = {parameter.name: parameter for parameter in signature(path).parameters}
        assert parameters["home"].default == "", path
        assert all(parameter.description for parameter in parameters.values()), path


def test_bad_input_writes_nothing_and_starts_nobody(ctx: Context, notebook: MakeNotebook, tmp_path: Path) -> None:
    path = notebook("1", parameters="count: int = 1")
    (tmp_path / "broken.ipynb").write_text("{")
    runs = Runs(ctx)
    for submitted, params, resources, error in [
        (path, {"count": "x"}, None, ParameterError),
        (path, {"other": 1}, None, ParameterError),
        (path, {}, {"cpus": -1}, ParameterError),
        (path, {}, {"cpus": True}, ParameterError),
        (tmp_path / "none.ipynb", {}, None, NotFound),
        (tmp_path / "broken.ipynb", {}, None, FileError),
    ]:
        with pytest.raises(error):
            runs.submit(submitted, params, kind="k", resources=resources)
    with pytest.raises(NotFound):
        enqueue_workflow(ctx, "nothing-of-that-name")
    assert runs.list().height == 0
    assert not (ctx.home / "runs").exists()
    assert Leases(ctx).living() == []


def test_the_notebook_is_kept_as_it_was(workspace: Context, notebook: MakeNotebook) -> None:
    path = notebook("print('before')")
    run = Runs(workspace).submit(path, kind="k")
    path.write_text("{}")
    assert "before" in run.wait(150, progress=False).logs()


def test_types_survive_the_way(workspace: Context, notebook: MakeNotebook) -> None:
    parameters = "from datetime import date\nfrom pathlib import Path\nday: date = date(2026, 1, 1)\nto: Path = Path('a')\nfew: list[int] = []\nhome: str = ''"
    path = notebook("from clow_nb.runs import current\ncurrent.output('seen', f'{day!r} {to!r} {few!r} {home}')", parameters=parameters)
    values = {"day": date(2026, 7, 1), "to": Path("한글/x"), "few": [1, 2]}
    run = Runs(workspace).submit(path, values, kind="k").wait(150, progress=False)
    assert run.outputs["seen"] == f"datetime.date(2026, 7, 1) PosixPath('한글/x') [1, 2] {workspace.home}"


def test_latest_and_list(ctx: Context) -> None:
    runs = Runs(ctx)
    for number in range(3):
        runs.ledger.add(RunRow(id=f"r{number}", kind="train", target="t"))
    runs.ledger.add(RunRow(id="e0", kind="evaluate", target="t"))
    latest = runs.latest("train", "t")
    assert latest is not None and latest.id == "r2"
    assert runs.list(kind="train")["id"].to_list() == ["r2", "r1", "r0"]
    assert runs.list(target="nobody").columns == runs.list().columns
    with pytest.raises(NotFound):
        runs.get("r7")
    assert repr(runs) == "<4 × run>"


def test_ids_sort_by_time_and_shipped_names_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert new_id("train") != new_id("train")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "convert").mkdir()
    assert find_notebook("convert").name == "convert.ipynb"


SUBMIT = """
import sys
from clow_nb.core.context import Context
from clow_nb.runs.queue import Runs
Runs(Context.open()).submit(sys.argv[1], kind="k", id=sys.argv[2]).wait(200, progress=False)
"""


def test_processes_that_submit_at_once_start_one_worker(own: Context, notebook: MakeNotebook) -> None:
    path = notebook("1 + 1")
    env = os.environ | own.environment()
    processes = [
        subprocess.Popen([sys.executable, "-c", SUBMIT, str(path), f"r{number % 2}"], env=env) for number in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert Runs(own).list()["status"].to_list() == ["SUCCEEDED"] * 2
    assert len(Leases(own).all()[0]) == 1
    assert worker_log(own).read_text().count("is ready") == 1
