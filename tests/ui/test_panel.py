"""The panel shows a run as it is, follows it while a page looks, and asks nothing of anybody else."""

import time
from datetime import timedelta
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.run import Run
from clow_nb.ui.base import answer
from clow_nb.ui.live import PULSE
from clow_nb.ui.panel import RunPanel, panel_state
from clow_nb.ui.traces import log_end


@pytest.fixture
def run(ctx: Context) -> Run:
    """A run that a worker has begun."""
    Ledger(ctx).add(RunRow("train-1", "train", "t-talk", notebook="train"))
    assert Ledger(ctx).begin("train-1", "worker-1") is not None
    ctx.folder("runs", "train-1")
    return Run(ctx, "train-1")


def _end(run: Run, status: str = "SUCCEEDED", error: str = "") -> None:
    Ledger(run.ctx).end(run.id, run.row.token, status, error)


def _ask(panel: RunPanel, type: str, **message: Any) -> dict[str, Any]:
    return answer(panel.handlers(), {"type": type, "uuid": "1", **message})[0]


def _wait(until: Any) -> None:
    end = time.monotonic() + 120
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_news_arrive_while_a_page_looks_and_the_thread_ends_with_the_run(run: Run) -> None:
    panel = RunPanel(run=run)
    _ask(panel, "here", page="a")
    (run.folder / "log.txt").write_text("hello\n")
    _wait(lambda: panel.tail == "hello\n")
    _end(run)
    _wait(lambda: not panel.active)
    _wait(lambda: panel.tick not in PULSE)
    assert (panel.status, panel.progress) == ("SUCCEEDED", 1.0)


def test_nothing_is_read_once_every_page_is_gone(run: Run) -> None:
    panel = RunPanel(run=run)
    _ask(panel, "here", page="a")
    _ask(panel, "here", page="b")
    _ask(panel, "gone", page="a")
    assert panel.tick() is not None
    _ask(panel, "gone", page="b")
    _wait(lambda: panel.tick not in PULSE)
    assert panel.active


def test_times_are_those_of_the_run(run: Run) -> None:
    _end(run)
    ledger = Ledger(run.ctx)
    ended = run.ended_at
    assert ended is not None
    ledger._change(run.id, started_at=ended - timedelta(seconds=30))
    assert panel_state(run)["seconds"] == 30


def test_a_failed_run_is_resumed_from_the_panel(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clow_nb.runs.resume.ensure_worker", lambda ctx: None)
    (run.folder / "log.txt").write_text("a\nb\n")
    _end(run, "FAILED", "DataError: 비었습니다.")
    panel = RunPanel(run=run, resumes=True)
    assert (panel.error, panel.last) == ("DataError: 비었습니다.", "a\nb")
    assert "error" not in _ask(panel, "resume")
    assert (panel.status, panel.error) == ("QUEUED", "")
    panel.close()


def test_a_long_log_is_shown_from_its_end_and_more_on_demand(run: Run) -> None:
    (run.folder / "log.txt").write_text("".join(f"line {i}\n" for i in range(20_000)))
    panel = RunPanel(run=run)
    assert len(panel.tail) <= 20_000 and panel.tail.endswith("line 19999\n") and not panel.whole
    _ask(panel, "earlier")
    _ask(panel, "earlier")
    assert panel.whole and panel.tail.startswith("line 0\n")
    assert _ask(panel, "find", words="LINE 1999")["count"] == 11


def test_a_log_of_one_endless_line_and_of_no_text(run: Run) -> None:
    log = run.folder / "log.txt"
    log.write_bytes(b"x" * 50_000)
    assert log_end(log, 1000) == ("x" * 1000, False)
    log.write_bytes(b"\xff\xfe\x00\n")
    assert log_end(log, 1000)[1]


def test_the_notebook_is_read_as_a_page_that_runs_nothing(run: Run) -> None:
    import nbformat

    evil = nbformat.v4.new_output("display_data", {"text/html": "<script>alert(1)</script><img src=x onerror=alert(1)>"})
    cell = nbformat.v4.new_code_cell("1 + 1", outputs=[evil])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), run.folder / "notebook.ipynb")
    content, (page,) = answer(RunPanel(run=run).handlers(), {"type": "read", "uuid": "1"})
    assert "error" not in content and b"<script" not in page and b"<img" not in page and b"default-src 'none'" in page


def test_a_damaged_notebook_is_a_sentence_and_the_panel_lives(run: Run) -> None:
    (run.folder / "notebook.ipynb").write_text("{")
    panel = RunPanel(run=run)
    assert panel.cells == "" and panel.status == "RUNNING"
    assert "Traceback" not in _ask(panel, "read")["error"]
