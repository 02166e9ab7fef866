"""The workspace's page, empty and full, and the dashboards as files."""

import json
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.ui.app import home, list_table, page_parameters
from clow_nb.workspace.workspace import Workspace

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "dashboards").glob("*.ipynb"))


def test_an_empty_workspace_says_what_to_type(ctx: Context) -> None:
    view = Workspace(ctx.home).view()
    tabs = view.children[1]
    for place in range(len(tabs.children)):
        tabs.selected_index = place
        assert "clow-empty" in tabs.children[place].children[0].value
    assert view.header.path == str(ctx.home)


def test_a_thing_deleted_meanwhile_is_a_sentence(ctx: Context) -> None:
    ws = Workspace(ctx.home)
    ws.datasets.create("gone", [{"a": 1}])
    tabs = ws.view().children[1]
    tabs.selected_index = 2
    _, choice, place = tabs.children[2].children
    ws.datasets.delete("gone")
    choice.value = "gone"
    assert "gone" in place.children[0].header.error


def test_links_lead_to_the_dashboard_only_in_voila(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(ctx.home)
    ws.datasets.create("talk", [{"y": "a", "guess": "a"}, {"y": "b", "guess": "a"}], label="y")
    ws.evaluations.create("e-talk", dataset="talk", predictions="guess")
    place = 5
    for kernel, expected in ((None, False), ("kernel", True)):
        monkeypatch.setenv("VOILA_KERNEL_ID", kernel) if kernel else monkeypatch.delenv("VOILA_KERNEL_ID", raising=False)
        tabs = ws.view().children[1]
        tabs.selected_index = place
        assert ("30_evaluation.ipynb?evaluation=e-talk" in tabs.children[place].children[0].value) is expected


def test_the_address_gives_parameters_and_keeps_the_token_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "evaluation=e-%ED%8F%89%EA%B0%80&token=secret&empty=")
    assert page_parameters() == {"evaluation": "e-평가"}


def test_home_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_DB", "mysql://nowhere")
    assert "CLOW_DB" in home().header.error


def test_lists_leave_out_empty_columns() -> None:
    assert "Title" not in list_table([{"name": "a", "title": ""}])
    assert "Title" in list_table([{"name": "a", "title": ""}, {"name": "b", "title": "책"}])


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
