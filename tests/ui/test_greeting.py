"""Cards that are ready while a page is being opened, in Voilà: the page shows them, however late it knows its widgets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from harness import until
from test_browser import TOKEN, environment, free_port, serving

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.evals.evaluation import Evaluations
from clow_nb.ui.servers import voila_command

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CELL = """
import time
from pathlib import Path

from clow_nb import Workspace
from clow_nb.evals.templates import template
from clow_nb.ui.evaluation import EvaluationView

@template("late", needs=[], title="Late")
def late(predictions, settings):
    while not Path({go!r}).exists():
        time.sleep(0.01)
    return "here it is"

@template("last", needs=[], title="Last")
def last(predictions, settings):
    Path({done!r}).touch()
    return "and the last"

ws = Workspace()
ws.presets.create("waiting", ["late", "last"])
EvaluationView(ws.evaluations["e-talk"], "waiting")
"""


@pytest.fixture
def address(tmp_path: Path, chromium: Any) -> Iterator[str]:
    """An evaluation in Voilà, one card of which is made when the file `go` is there; the next one writes the file `done`."""
    ctx = Context.open(tmp_path / ".clow")
    Datasets(ctx).create("talk", [{"text": f"말 {i}", "y": "ab"[i % 2], "guess": "ab"[i % 3 % 2]} for i in range(60)], label="y")
    Evaluations(ctx).create("e-talk", predictions="guess", dataset="talk").evaluate()
    folder, port = tmp_path / "voila", free_port()
    folder.mkdir()
    cell = nbformat.v4.new_code_cell(CELL.format(go=str(tmp_path / "go"), done=str(tmp_path / "done")))
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}})
    nbformat.write(notebook, folder / "page.ipynb")
    command = voila_command(folder, port, TOKEN, preheat=False)
    with serving(command, environment(ctx, tmp_path, "en"), f"http://127.0.0.1:{port}/", tmp_path / "voila.log"):
        yield f"http://127.0.0.1:{port}/voila/render/page.ipynb?token={TOKEN}"


def test_what_is_made_while_a_page_is_opened_is_on_it(page: Any, address: str, tmp_path: Path) -> None:
    go, done, held = tmp_path / "go", tmp_path / "done", []

    def between(route: Any) -> None:
        """Hold back the answer by which the page learns of its widgets, and have the cards made meanwhile."""
        server = route.connect_to_server()

        def told(message: Any) -> None:
            whole = message if isinstance(message, bytes) else message.encode()
            if b"update_states" in whole and not held:
                held.append((route, message))
                go.touch()
            else:
                route.send(message)

        server.on_message(told)

    page.route_web_socket(re.compile("/channels"), between)
    page.goto(address)
    until(page, done.exists)
    page.wait_for_timeout(500)  # what the kernel has sent about the cards has come to a page that does not know them
    [(route, message)] = held
    route.send(message)
    for words in ("here it is", "and the last"):
        page.get_by_text(words).wait_for(timeout=60_000)
    assert page.get_by_text("Being drawn").count() == 0
