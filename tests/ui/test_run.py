"""The page of a run: whatever it was given, wherever it stands, whatever has become of its notebook."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from clow_nb.core.context import Context
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs
from clow_nb.runs.run import Run
from clow_nb.ui.base import answer
from clow_nb.ui.runs import runs_page

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook with parameters of several types."""
    source = "from datetime import date\ntopic: str\nday: date = date(2026, 1, 1)\nfast: bool = False\nseed: int | None = None\nhome: str = ''"
    path = tmp_path / "my.ipynb"
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def _run(ctx: Context, notebook: Path | str, **more: Any) -> Run:
    row = Ledger(ctx).add(RunRow("report-1", "report", notebook=str(notebook), **{"target": "t", "params": {"topic": "비"}, **more}))
    (ctx.folder("runs", row.id) / "source.ipynb").write_bytes(Path(notebook).read_bytes() if Path(notebook).exists() else b"{}")
    return Run(ctx, row.id)


def test_run_again_hands_in_what_differs_and_the_page_goes_on_with_it(ctx: Context, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clow_nb.runs.queue.ensure_worker", lambda ctx: None)
    run = _run(ctx, notebook, resources={"cpus": 1}, priority=3)
    view: Any = run.view()
    view.again.selected_index = 0
    view.again.form.inputs["topic"].value = ""
    view._submit()
    assert "topic is empty" in view.header.error and len(Ledger(ctx).find()) == 1
    view.again.form.inputs["topic"].value = "눈"
    view.again.form.inputs["day"].value = "tomorrow"
    view._submit()
    assert "day is 'tomorrow'" in view.header.error and len(Ledger(ctx).find()) == 1
    view.again.form.inputs["day"].value = "2026-11-21"
    ws = type("ws", (), {"runs": Runs(ctx)})
    line = view.header.code.splitlines()[-1]
    view._submit()
    row = view.panel.run.row
    assert (view.header.error, row.id != run.id) == ("", True)
    assert {k: v for k, v in row.params.items() if k != "home"} == {"topic": "눈", "day": "2026-11-21"}
    assert (row.resources, row.priority, row.target) == ({"cpus": 1}, 3, "t")
    assert eval(line, {"ws": ws}).row.params == row.params, "the code in the head is what the button does"
    view.close()


def test_a_notebook_that_is_gone_is_run_again_from_the_copy(ctx: Context, notebook: Path) -> None:
    run = _run(ctx, notebook)
    notebook.unlink()
    view: Any = run.view()
    view.again.selected_index = 0
    assert view.again.values() == {"topic": "비"} and view.header.error == ""


def test_whatever_it_holds_nothing_is_run(ctx: Context, notebook: Path) -> None:
    run = _run(ctx, notebook, target=EVIL, params={"topic": EVIL}, author=EVIL)
    (run.folder / "outputs.json").write_text('{"a": "' + EVIL + '"}')
    view: Any = run.view()
    assert "<img" not in view.static_html() and "<img" not in view.details.value


def test_steps_are_shown_and_follow_the_run(ctx: Context, notebook: Path) -> None:
    ledger = Ledger(ctx)
    ledger.add(RunRow("p1", "pipeline", "pl", workflow="pipeline", params=["pl"]))
    view: Any = Run(ctx, "p1").view()
    assert view.steps.children == () and len(view.children) == 4
    ledger.add(RunRow("p1-train", "train", "t", notebook="train", parent="p1"))
    view.panel.refresh()
    assert [row["id"] for row in view.steps.listing.rows] == ["p1-train"]
    ledger.cancel("p1-train")
    view.panel.refresh()
    assert "Cancelled" in view.steps.listing.static_html()
    answer(view.steps.listing.handlers(), {"type": "open", "id": "p1-train", "uuid": "1"})
    assert view.steps.children[1].children[1].header.title == "t"
    view.close()


def test_a_run_that_is_gone_is_a_sentence(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    monkeypatch.setenv("CLOW_LANG", "ko")
    assert "none-1" in runs_page({"run": "none-1"}).header.error
