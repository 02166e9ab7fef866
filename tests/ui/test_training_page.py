"""A modeller's afternoon in Voilà: a training is described on three pages, run, followed by its curve, and compared with another."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from test_browser import ROOT, TALK, TOKEN, environment, free_port, serving
from test_story import KOREAN

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.ui.servers import voila_command

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    documents = [{"text": f"{text} {i}", "topic": topic} for i in range(12) for topic, texts in TALK.items() for text in texts]
    Datasets(ctx).create("talk", documents, label="topic", title="대화 주제").split(train=8, valid=1, test=1, stratify="topic")
    yield ctx
    stop_worker(ctx)


@pytest.fixture(scope="module")
def voila(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any, str], None]]:
    folder, home, port = tmp_path_factory.mktemp("voila"), tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(ROOT / "dashboards/20_training.ipynb", folder)
    settings = environment(workspace, home, "en")
    settings.pop("CLOW_LANG")
    with serving(voila_command(folder, port, TOKEN), settings, f"http://127.0.0.1:{port}/", home / "voila.log"):

        def open_(page: Any, language: str) -> None:
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"http://127.0.0.1:{port}/voila/render/20_training.ipynb?token={TOKEN}", wait_until="commit")

        yield open_


@pytest.mark.parametrize(("language", "width"), [("ko", 1280), pytest.param("en", 800, marks=pytest.mark.slow)])
def test_a_training_is_described_run_and_compared(voila: Any, workspace: Context, page: Any, picture: Any, language: str, width: int) -> None:
    def word(text: str) -> str:
        return KOREAN[text] if language == "ko" else text

    def button(text: str) -> Any:
        return page.locator(f"button:visible:text-is('{word(text)}')").first

    def typed(label: str) -> Any:
        return page.locator(".widget-vbox:visible", has=page.locator(f".clow-input-name:text-is('{word(label)}')")).last.locator("input, textarea, select")

    def shot(name: str) -> None:
        picture(page, f"training-{language}-{width}-{name}")

    page.set_viewport_size({"width": width, "height": 800})
    voila(page, language)
    button("New training …").click()
    typed("Title").fill(f"주제 {language}")
    button("Next").click()
    page.get_by_text((KOREAN["{what} is empty. Fill it in."] if language == "ko" else "{what} is empty. Fill it in.").format(what=word("Dataset"))).wait_for()
    typed("Dataset").fill("talk")
    typed("Dataset").press("Tab")
    page.get_by_text("180").first.wait_for()
    shot("general")
    button("Next").click()
    button("A git repository").click()
    typed("Repository").wait_for()
    shot("git")
    button("A solution").click()
    epochs = page.locator(".widget-vbox:visible", has=page.locator(".clow-key:text-is('epochs')")).last.locator("input")
    epochs.fill("3")
    epochs.press("Tab")
    shot("code")
    button("Next").click()
    typed("Command").wait_for()
    assert typed("Command").is_disabled()
    typed("Memory (MB)").fill("2048")
    shot("infra")
    button("Create").click()
    button("Run the training").click()
    page.locator(".clow-status[data-status=SUCCEEDED]").wait_for()
    page.locator("svg text", has_text="valid_loss").first.wait_for()
    shot("run")
    page.locator("button.clow-back:visible").click()
    row = page.locator(".clow-listing:visible tbody tr", has_text=f"주제 {language}")
    row.locator("input").check()
    page.locator(".vega-embed svg, .vega-embed canvas").first.wait_for()
    shot("table")
    assert "Traceback" not in page.inner_text("body")
