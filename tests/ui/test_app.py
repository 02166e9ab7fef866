"""The workspace's page, empty and full, and the dashboards as files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import RunError
from clow_nb.runs.launch import stop_worker, worker_alive
from clow_nb.runs.schedules import Schedules
from clow_nb.ui.app import Asleep, collection_list, home, page_parameters
from clow_nb.ui.base import answer
from clow_nb.workspace.workspace import Workspace

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "dashboards").glob("*.ipynb"))


def test_an_empty_workspace_says_what_to_type(ctx: Context) -> None:
    view = Workspace(ctx.home).view()
    tabs = view.children[2]
    for place in range(len(tabs.children)):
        tabs.selected_index = place
        shown = tabs.children[place].children[0]
        assert "clow-empty" in getattr(shown, "listing", shown).static_html()
    assert view.header.path == str(ctx.home) and view.children[1].children == ()


def test_a_thing_deleted_meanwhile_is_a_sentence(ctx: Context) -> None:
    ws = Workspace(ctx.home)
    ws.datasets.create("gone", [{"a": 1}])
    browser = collection_list(ws, "dataset")
    ws.datasets.delete("gone")
    assert "error" not in answer(browser.listing.handlers(), {"type": "open", "id": "gone", "uuid": "1"})[0]
    assert "gone" in browser.children[1].header.error
    browser.leave()
    assert browser.listing.rows == []


def test_links_lead_to_the_dashboard_only_in_voila(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(ctx.home)
    ws.datasets.create("talk", [{"y": "a", "guess": "a"}, {"y": "b", "guess": "a"}], label="y")
    ws.evaluations.create("e-talk", dataset="talk", predictions="guess")
    for kernel, expected in ((None, ""), ("kernel", "30_evaluation.ipynb?evaluation=e-talk")):
        monkeypatch.setenv("VOILA_KERNEL_ID", kernel) if kernel else monkeypatch.delenv("VOILA_KERNEL_ID", raising=False)
        assert collection_list(ws, "evaluation").listing.rows[0]["href"] == expected


def test_schedules_are_awake_again_after_one_click(ctx: Context) -> None:
    Schedules(ctx).create("nightly", "0 3 * * *", notebook="train", params={"training": "intent"})
    notice = Workspace(ctx.home).view().children[1]
    assert "nightly will not start" in notice.children[0].value
    try:
        notice.button.click()
        assert worker_alive(ctx) and "awake" in notice.children[0].value
        assert Workspace(ctx.home).view().children[1].children == ()
    finally:
        stop_worker(ctx)


def test_a_worker_that_cannot_start_is_a_sentence(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(ctx: Context) -> None:
        raise RunError("The worker ends as soon as it is started.")

    Schedules(ctx).create("nightly", "0 3 * * *", notebook="train", params={"training": "intent"})
    monkeypatch.setattr("clow_nb.ui.app.ensure_worker", refuse)
    notice = Asleep(ctx)
    notice.button.click()
    assert "ends as soon" in notice.children[0].value and notice.button in notice.children


def test_the_address_gives_parameters_and_keeps_the_token_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "evaluation=e-%ED%8F%89%EA%B0%80&token=secret&empty=")
    assert page_parameters() == {"evaluation": "e-평가"}


def test_home_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_DB", "mysql://nowhere")
    assert "CLOW_DB" in home().header.error


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_dashboards_are_thin(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = [line for source in code for line in source.splitlines()]
    assert len(cells) <= 8 and not any(line.lstrip().startswith(("def ", "class ")) for line in lines)
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports and all(line.startswith("from clow_nb") for line in imports)
    waits = next(i for i, source in enumerate(code) if "page_parameters()" in source)
    assert all(source.splitlines() and all(line.startswith("from clow_nb") for line in source.splitlines()) for source in code[:waits])
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_dashboards_show_the_workspace(path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their cells, as the kernel of a page runs them; a query opens what it names."""
    ws = Workspace(ctx.home)
    ws.datasets.create("talk", [{"text": "비 와?", "y": "a", "guess": "a"}, {"text": "눈 와?", "y": "b", "guess": "a"}], label="y")
    ws.evaluations.create("e-talk", dataset="talk", predictions="guess", title="주제 평가").evaluate()
    ws.trainings.create("t-talk", dataset="talk")
    ws.services.create("s-talk")
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    asked = {"30_evaluation": "evaluation=e-talk", "60_review": "service=s-talk"}.get(path.stem, "")
    monkeypatch.setenv("QUERY_STRING", f"{asked}&token=secret")
    names: dict = {}
    *before, last = ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    exec("\n".join(before), names)
    shown = list(_within(eval(last, names)))
    said = " ".join(str(getattr(part, trait, "")) for part in shown for trait in ("title", "error", "value", "rows"))
    assert len(shown) > 3 and "secret" not in said, said
    assert not any(getattr(part, "error", "") for part in shown), said
    if path.stem == "30_evaluation":
        assert "주제 평가" in said


def _within(shown: Any) -> Iterator[Any]:
    yield shown
    for child in getattr(shown, "children", ()):
        yield from _within(child)
