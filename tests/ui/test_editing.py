"""From a correction to a version in a real JupyterLab whose kernel is killed in between, and in Voilà: nothing that was typed is lost."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from test_browser import TOKEN, _run_all, environment, free_port, serving

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.ui.servers import lab_command, voila_command

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CELL = """import os, pathlib
pathlib.Path("pid").write_text(str(os.getpid()))
from clow_nb import Workspace
Workspace().datasets["calls"].view()"""


@pytest.fixture
def workspace(tmp_path: Path) -> Context:
    ctx = Context.open(tmp_path / ".clow")
    documents = [{"_id": f"r{n}", "text": f"말씀 {n}", "topic": ["배송", "환불"][n % 2], "price": n * 10} for n in range(60)]
    Datasets(ctx).create("calls", documents, label="topic", title="상담")
    (tmp_path / "books").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "books" / "page.ipynb")
    return ctx


@pytest.fixture
def lab(workspace: Context, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [*lab_command(tmp_path / "books", port, TOKEN), "--allow-root"]
    with serving(command, environment(workspace, tmp_path, "en"), f"http://127.0.0.1:{port}/api", tmp_path / "lab.log"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def voila(workspace: Context, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    settings = environment(workspace, tmp_path, "ko")
    settings.pop("CLOW_USER")  # a dashboard that many people open
    with serving(voila_command(tmp_path / "books", port, TOKEN, preheat=False), settings, f"http://127.0.0.1:{port}/", tmp_path / "voila.log"):
        yield f"http://127.0.0.1:{port}/voila/render/page.ipynb?token={TOKEN}"


def write(page: Any, row: int, key: str, text: str) -> None:
    place = ["_id", "text", "topic", "price"].index(key)
    page.locator(f'.clow-sheet .ag-row[row-index="{row}"] .ag-cell[col-id="c{place}"]').click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def marked(page: Any, count: int) -> None:
    page.wait_for_function("count => document.querySelectorAll('.clow-sheet .ag-row .clow-changed').length === count", arg=count)


def test_a_killed_kernel_loses_nothing(lab: str, workspace: Context, page: Any, tmp_path: Path, picture: Callable[[Any, str], None]) -> None:
    calls = Datasets(workspace)["calls"]
    _run_all(page, lab, "page.ipynb")
    page.locator(".clow-sheet .ag-row").nth(3).wait_for()
    write(page, 0, "price", "1500")
    page.locator(".clow-muted", has_text="1 changed").wait_for()

    os.kill(int((tmp_path / "books" / "pid").read_text()), signal.SIGKILL)
    page.locator(".clow-kept-gone", has_text="The kernel has stopped or was restarted. Run the cell again").wait_for()
    page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    write(page, 1, "topic", "교환")
    page.locator(".clow-kept-gone", has_text="waits in this browser (cells: ").wait_for()
    picture(page, "lab-killed")
    assert calls.drafts().select("actions", "open").rows() == [(1, False)]

    page.click("li.lm-MenuBar-item:has-text('Run')")
    page.click("li.lm-Menu-item:has-text('Run All Cells')")
    page.locator(".clow-kept", has_text="1 unsaved change of").wait_for()
    page.locator(".clow-muted", has_text="2 changed").wait_for()
    marked(page, 2)
    picture(page, "lab-back")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('clow:unsent')).length") == 0

    # The cell is run once more in the living kernel: the draft moves to the new page. Then the whole page is loaded again.
    page.click("li.lm-MenuBar-item:has-text('Run')")
    page.click("li.lm-Menu-item:has-text('Run All Cells')")
    page.locator(".clow-kept", has_text="2 unsaved changes of").wait_for()
    marked(page, 2)
    write(page, 2, "text", "!")
    page.locator(".clow-muted", has_text="3 changed").wait_for()
    page.keyboard.press("Control+s")
    page.locator(".clow-review").wait_for()
    page.get_by_role("button", name="Commit").click()
    page.locator(".clow-muted", has_text="No changes yet").wait_for()
    assert calls.at("latest").version == 2 and calls.drafts().is_empty()
    found = {document["_id"]: document for document in calls.at(2).documents({"_id": {"$in": ["r0", "r1", "r2"]}})}
    assert [found["r0"]["price"], found["r1"]["topic"], found["r2"]["text"]] == [1500, "교환", "!"]


def test_a_dashboard_brings_back_what_was_not_saved(voila: str, workspace: Context, page: Any, picture: Callable[[Any, str], None]) -> None:
    calls = Datasets(workspace)["calls"]
    page.goto(voila, wait_until="commit")
    page.locator(".clow-sheet .ag-row").nth(3).wait_for()
    write(page, 0, "price", "1500")
    page.locator(".clow-muted", has_text="1건 수정").wait_for()
    page.reload(wait_until="commit")
    page.locator(".clow-kept", has_text="변경 1건을 되살렸습니다").wait_for()
    marked(page, 1)
    picture(page, "voila-back")

    # Others are faster: whose cells they changed is told, and one's own stays where one says so.
    other = calls.edit("이둘")
    other.set(["r0", "r1"], "price", 7)
    other.commit("가격")
    write(page, 1, "price", "11")
    page.locator(".clow-muted", has_text="2건 수정").wait_for()
    page.keyboard.press("Control+s")
    page.get_by_placeholder("이름").fill("김하나")
    page.get_by_role("button", name="저장").click()
    page.locator(".clow-conflicts", has_text="이둘").wait_for()
    page.locator("[role=radio]", has_text="11").click()
    picture(page, "voila-conflict")
    page.get_by_role("button", name="계속").click()
    page.locator(".clow-muted", has_text="바뀐 것이 없습니다").wait_for()
    page.wait_for_function("localStorage.getItem('clow:author') === '김하나'")
    latest = calls.at("latest")
    assert [document["price"] for document in latest.documents({"_id": {"$in": ["r0", "r1"]}})] == [7, 11]
    assert latest.versions()["author"].to_list() == ["tester", "이둘", "김하나"]
