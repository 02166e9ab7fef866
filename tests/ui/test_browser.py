"""The widgets as a person meets them: in JupyterLab and in Voilà, in English and in Korean, in a real browser.

No test here waits for a time; each waits for what a person would wait for. `page` (see `conftest.py`) makes sure that no
request leaves this machine.
"""

import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from clow_nb.core.context import Context
from clow_nb.ui.servers import jupyter_environment, lab_command, voila_command

pytestmark = pytest.mark.browser
TOKEN = "test-token"
Screenshots = Callable[[Any, str], None]
ROOT = Path(__file__).parents[2]
EVIL = '<img src=x onerror="document.title=\'run\'">'
TALK = {
    "weather": ["내일 비 와?", "what is the weather today", "우산 챙겨야 할까", "is it going to rain", "주말 날씨 알려줘"],
    "alarm": ["알람 맞춰줘", "wake me up at seven", "7시에 깨워줘", "set an alarm please", "알람 꺼줘"],
    "music": ["신나는 노래 틀어줘", "play some jazz", "조용한 음악 부탁해", "next song please", "볼륨 올려줘"],
}


def free_port() -> int:
    """A port that nobody listens on, outside the range from which connections get theirs while the server starts."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@contextmanager
def serving(command: list[str], environment: dict[str, str], address: str, log: Path) -> Iterator[None]:
    """Run a server until the block is left; it must answer, soon or on a busy machine late."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        until = time.monotonic() + 150
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def environment(ctx: Context, home: Path, language: str) -> dict[str, str]:
    """What a server of the tests runs in: the workspace, the language, and settings of nobody else."""
    own = {"HOME": str(home), "JUPYTER_PLATFORM_DIRS": "0", "IPYTHONDIR": str(home / "ipython"), "CLOW_TZ": "Asia/Seoul"}
    return {**os.environ, **ctx.environment(), **jupyter_environment(), **own, "CLOW_LANG": language}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    """A small real workspace: a dataset with a title in Korean, a training that was never run, an evaluation with a result."""
    from clow_nb.data.dataset import Datasets
    from clow_nb.evals.evaluation import Evaluations
    from clow_nb.runs.launch import stop_worker
    from clow_nb.train.training import Trainings

    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    documents = [
        {"text": f"{text} {i}", "topic": topic, "guess": topic if i % 5 else "music", "score": i / 4}
        for i in range(12)
        for topic, texts in TALK.items()
        for text in texts
    ]
    talk = Datasets(ctx).create("talk", documents, label="topic", title="대화 주제 talk", description="짧은 말과 주제")
    edit = talk.edit()
    edit.set(next(talk.documents(limit=1))["_id"], "text", EVIL)
    edit.commit("한 칸 고침").split(train=8, valid=1, test=1, stratify="topic")
    params = {"epochs": 3, "max_features": 2000, "embedding": 8, "channels": 4}
    Trainings(ctx).create("t-talk", dataset="talk", solution="nlp-intent", params=params, title="주제 학습")
    Evaluations(ctx).create("e-talk", predictions="guess", dataset="talk", title="주제 평가").evaluate()
    yield ctx
    stop_worker(ctx)


def _notebook(path: Path, language: str) -> None:
    cells = [
        f"import os\nos.environ['CLOW_LANG'] = {language!r}\nfrom clow_nb import Workspace\nws = Workspace()",
        'ws.datasets["talk"].view()',
        'ws.trainings["t-talk"].view()',
        'ws.evaluations["e-talk"].view()',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def lab(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab with a notebook of the three widgets in each language."""
    folder = tmp_path_factory.mktemp("lab")
    for language in ("en", "ko"):
        _notebook(folder / f"{language}.ipynb", language)
    port = free_port()
    command = [*lab_command(folder, port, TOKEN), "--allow-root"]
    settings = environment(workspace, tmp_path_factory.mktemp("home"), "en")
    with serving(command, settings, f"http://127.0.0.1:{port}/api", folder.parent / "lab.log"):
        yield f"http://127.0.0.1:{port}"


def _run_all(page: Any, server: str, name: str) -> None:
    page.goto(f"{server}/lab/tree/{name}?token={TOKEN}&reset", wait_until="commit")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    _wait(lambda: _kernel_is_ready(page, server, name))  # JupyterLab forgets what it was told before that
    page.click("li.lm-MenuBar-item:has-text('Run')")
    page.click("li.lm-Menu-item:has-text('Run All Cells')")


def _kernel_is_ready(page: Any, server: str, name: str) -> bool:
    sessions = page.request.get(f"{server}/api/sessions?token={TOKEN}").json()
    kernels = [session["kernel"] for session in sessions if session["path"] == name]
    return any(kernel["execution_state"] == "idle" and kernel["connections"] > 0 for kernel in kernels)


def _wait(until: Callable[[], bool], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


def _view(page: Any, kind: str) -> Any:
    """The view whose head says that it is of this kind."""
    return page.locator(".clow-view", has=page.locator(f".clow-over:text-is('{kind}')")).first


WORDS = {
    "en": {"dataset": "Dataset", "training": "Training", "evaluation": "Evaluation", "statistics": "Statistics", "rows": "180 rows",
           "top": "Distribution", "run": "Run the training", "done": "Succeeded", "copy": "Copy as code", "workspace": "Workspace"},
    "ko": {"dataset": "데이터셋", "training": "학습", "evaluation": "평가", "statistics": "통계", "rows": "180행",
           "top": "분포", "run": "학습 실행", "done": "성공", "copy": "코드로 복사", "workspace": "작업 공간"},
}  # fmt: skip


@pytest.mark.slow  # the story is told in JupyterLab, and dashboards show the same widgets
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_three_widgets_in_jupyterlab(lab: str, workspace: Context, page: Any, picture: Screenshots, language: str) -> None:
    from clow_nb.train.training import Trainings

    words = WORDS[language]
    _run_all(page, lab, f"{language}.ipynb")

    dataset = _view(page, words["dataset"])
    dataset.locator(".ag-row").nth(3).wait_for()
    dataset.locator(f".clow-grid-count:text-is('{words['rows']}')").wait_for()
    assert dataset.locator(f".ag-cell:text-is({EVIL!r})").count() <= 1 and page.title() != "run"
    assert dataset.locator(".clow-grid-box img").count() == 0
    picture(page, f"lab-dataset-{language}")
    dataset.locator(".ag-header-cell", has_text="score").click()
    dataset.get_by_role("button", name=words["copy"]).click()
    dataset.locator(".clow-code", has_text='sort=[("score", 1)]').wait_for()
    box = dataset.get_by_placeholder('{"key": "value"}')
    box.fill('{"topic": "alarm"')
    box.press("Enter")
    dataset.get_by_text("JSON").first.wait_for()
    assert "Traceback" not in dataset.inner_text()
    box.fill('{"topic": "alarm"}')
    box.press("Enter")
    dataset.locator(".clow-grid-count", has_text="60").wait_for()
    dataset.locator(".lm-TabBar-tab", has_text=words["statistics"]).click()
    dataset.locator("th", has_text=words["top"]).wait_for()
    dataset.locator(".clow-class-name", has_text="weather").wait_for()
    picture(page, f"lab-statistics-{language}")

    training = _view(page, words["training"])
    training.scroll_into_view_if_needed()
    training.locator("code", has_text="epochs").wait_for()
    if Trainings(workspace)["t-talk"].runs().is_empty():  # else the page finds the run that is there
        training.get_by_role("button", name=words["run"]).click()
    ended = training.locator(".clow-status:is([data-status=SUCCEEDED], [data-status=FAILED], [data-status=CANCELLED])")
    ended.wait_for()
    assert ended.inner_text() == words["done"], training.locator(".clow-run").inner_text()
    training.locator("svg text", has_text="train_loss").first.wait_for()
    training.locator(".clow-run").scroll_into_view_if_needed()
    picture(page, f"lab-training-{language}")

    evaluation = _view(page, words["evaluation"])
    evaluation.scroll_into_view_if_needed()
    evaluation.locator("svg text", has_text="music").first.wait_for()
    evaluation.locator(".ag-row, td").first.wait_for()
    picture(page, f"lab-evaluation-{language}")
    assert "Traceback" not in page.inner_text("body")


@pytest.fixture(scope="module", params=["ko", pytest.param("en", marks=pytest.mark.slow)])
def voila(
    workspace: Context, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[str, str]]:
    """Voilà over the dashboards that ship, in one language; all of them are kept warm for the English visitor, and none for the Korean one."""
    language, port, home = request.param, free_port(), tmp_path_factory.mktemp("home")
    settings = environment(workspace, home, language)
    before = os.environ.get("CLOW_LANG")
    os.environ["CLOW_LANG"] = language
    command = voila_command(ROOT / "dashboards", port, TOKEN, preheat=language == "en")
    os.environ.pop("CLOW_LANG") if before is None else os.environ.update(CLOW_LANG=before)
    with serving(command, settings, f"http://127.0.0.1:{port}/", home / "voila.log"):
        yield language, f"http://127.0.0.1:{port}/voila/render/{{}}token={TOKEN}"


def test_the_home_dashboard(voila: tuple[str, str], page: Any, picture: Screenshots) -> None:
    language, address = voila
    words = WORDS[language]
    page.goto(address.format("00_home.ipynb?"), wait_until="commit")
    home = _view(page, words["workspace"])
    home.locator(".clow-facts").wait_for()
    home.locator(".clow-path", has_text=".clow").wait_for()
    page.locator("#loading").wait_for(state="detached")
    assert "CLOW" in page.title()
    picture(page, f"home-{language}")
    home.locator(".lm-TabBar-tab", has_text={"en": "Evaluations", "ko": "평가"}[language]).click()
    link = home.locator("a:visible", has_text="e-talk")
    assert link.get_attribute("href") == "30_evaluation.ipynb?evaluation=e-talk"
    home.locator("tr:visible", has_text="e-talk").press("Enter")
    home.locator("svg text", has_text="music").first.wait_for()
    picture(page, f"home-opened-{language}")
    page.wait_for_function("[...document.fonts].some((font) => font.status === 'loaded' && font.family.includes('Pretendard'))")


LINES = """for number in range(2000):
    print(f"line {number}", flush=True)
    time.sleep(0.05)"""


@pytest.fixture(scope="module")
def endless(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that prints a line now and then, for longer than any test looks."""
    parameters = nbformat.v4.new_code_cell("topic: str = '날씨'  # what it is about", metadata={"tags": ["parameters"]})
    cells = [parameters, *map(nbformat.v4.new_code_cell, ("import time", LINES))]
    path = tmp_path_factory.mktemp("runs") / "endless.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_run_is_found_followed_and_ended(
    voila: tuple[str, str], workspace: Context, endless: Path, page: Any, picture: Screenshots
) -> None:
    from clow_nb.runs.queue import Runs

    language, address = voila
    words = {
        "en": {"search": "Search", "find": "Search the log", "cells": "of 4 cells done", "cancel": "Cancel", "yes": "Yes", "done": "Cancelled"},
        "ko": {"search": "검색", "find": "로그 검색", "cells": "셀 4개 중", "cancel": "취소", "yes": "예", "done": "취소됨"},
    }[language]  # fmt: skip
    page.goto(address.format("10_runs.ipynb?"), wait_until="commit")
    search = page.get_by_label(words["search"], exact=True)
    page.locator(".clow-listing, .clow-empty").first.wait_for()
    run = Runs(workspace).submit(endless, {"topic": EVIL}, kind="watch", target=f"live-{language}")  # seen without a reload
    row = page.locator("tr", has_text=f"live-{language}")
    row.locator(".clow-status[data-status=RUNNING]").wait_for()
    search.fill(f"watch live-{language}")
    page.locator(".clow-range", has_text={"en": "1 - 1 of 1", "ko": "총 1개 중 1–1"}[language]).wait_for()
    search.press("ArrowDown")
    assert row.evaluate("row => row === document.activeElement")
    page.keyboard.press("Enter")
    view = page.locator(".clow-view", has=page.locator(f".clow-title:text-is('live-{language}')")).last
    log = view.locator("pre.clow-log:visible").first
    view.locator(".clow-log", has_text="line 12").first.wait_for()
    view.locator(".clow-run-cells", has_text=words["cells"]).wait_for()
    assert page.title() != "run" and view.locator(".clow-table img").count() == 0
    page.wait_for_function("log => log.scrollHeight > 1.5 * log.clientHeight", arg=log.element_handle())
    log.evaluate("log => (log.scrollTop = 0)")  # somebody reads further up: the text stays, a button leads back
    view.locator(".clow-follow:visible").wait_for()
    picture(page, f"run-paused-{language}")
    view.locator(".clow-follow").click()
    view.locator(".clow-follow").wait_for(state="hidden")
    view.get_by_label(words["find"]).fill("LINE 12")
    view.locator(".clow-hits", has_text="line 12").wait_for()
    view.get_by_role("button", name=words["cancel"], exact=True).click()
    view.get_by_role("button", name=words["yes"], exact=True).click()
    view.locator(".clow-status[data-status=CANCELLED]").wait_for()
    view.locator(".clow-status", has_text=words["done"]).first.wait_for()
    assert run.status == "CANCELLED"
    picture(page, f"run-cancelled-{language}")
    assert "Traceback" not in page.inner_text("body")


@pytest.mark.slow  # the page is opened from the home above; each dashboard's cells run in `test_app`
def test_the_evaluation_dashboard(voila: tuple[str, str], page: Any, picture: Screenshots) -> None:
    language, address = voila
    page.goto(address.format("30_evaluation.ipynb?evaluation=e-talk&"), wait_until="commit")
    view = _view(page, WORDS[language]["evaluation"])
    view.locator("svg text", has_text="music").first.wait_for()
    view.locator(".clow-title:text-is('주제 평가')").wait_for()
    picture(page, f"evaluation-{language}")
    page.wait_for_function("[...document.fonts].some((font) => font.status === 'loaded' && font.family.includes('Pretendard'))")
