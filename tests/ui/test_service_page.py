"""An engineer's morning in Voilà: a service is described on three pages, taken into service and asked; another version comes in by steps, and is taken back."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
from test_browser import ROOT, TALK, TOKEN, environment, free_port, serving
from test_story import KOREAN

from clow_nb.core.context import Context
from clow_nb.runs.launch import stop_worker
from clow_nb.serve.gauges import weights
from clow_nb.serve.service import Services
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.ui.servers import voila_command

pytestmark = pytest.mark.browser
SMALL = {"tokenizer": "char", "embedding": 4, "channels": 4}
LANGUAGES = pytest.mark.parametrize(
    ("language", "theme", "width", "whole"),
    [("ko", "light", 1280, False), pytest.param("en", "dark", 800, True, marks=pytest.mark.slow)],
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    documents = [{"text": text, "topic": topic, "split": "train"} for topic, texts in TALK.items() for text in texts]
    task = solution("nlp-intent", SMALL)
    task.prepare(pl.DataFrame(documents), "topic")
    register(ctx, "intent", save_model(tmp_path_factory.mktemp("made") / "model", task, task.model()), {"accuracy": 0.5}, [], token="first")
    yield ctx
    for service in Services(ctx):
        service.stop()
    stop_worker(ctx)


@pytest.fixture(scope="module")
def voila(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    folder, home, port = tmp_path_factory.mktemp("voila"), tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(ROOT / "dashboards/40_service.ipynb", folder)
    settings = environment(workspace, home, "en")
    settings.pop("CLOW_LANG")
    with serving(voila_command(folder, port, TOKEN, preheat=False), settings, f"http://127.0.0.1:{port}/", home / "voila.log"):

        def open_(page: Any, language: str, theme: str) -> None:
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"http://127.0.0.1:{port}/voila/render/40_service.ipynb?token={TOKEN}&theme={theme}", wait_until="commit")

        yield open_


@LANGUAGES
def test_a_service_is_described_deployed_asked_and_rolled_out(voila: Any, workspace: Context, page: Any, picture: Any, language: str, theme: str, width: int, whole: bool) -> None:
    word = (lambda text: KOREAN[text]) if language == "ko" else (lambda text: text)
    shot = lambda name: picture(page, f"service-{language}-{theme}-{width}-{name}")  # noqa: E731
    button = lambda text: page.locator(f"button:visible:text-is('{word(text)}')").first  # noqa: E731

    def typed(label: str) -> Any:
        name = page.locator(f".clow-input-name:text-is('{label}')")
        return page.locator(".widget-vbox:visible", has=name).last.locator("input, textarea, select")

    page.set_viewport_size({"width": width, "height": 900})
    voila(page, language, theme)
    button("New service …").click()
    typed(word("Title")).fill(f"상담 {language}")
    button("Next").click()
    page.get_by_text(word("{what} is empty. Fill it in.").format(what=word("Model"))).wait_for()
    typed(word("Model {number}").format(number=1)).fill("intent@1")
    shot("general")
    button("Next").click()
    button("A git repository").click()
    typed(word("Repository")).wait_for()
    shot("code")
    button("None of its own").click()
    button("Next").click()
    typed(word("Memory (MB)")).fill("1024")
    page.get_by_label(word("on"), exact=True).check()
    shot("details")
    button("Create").click()
    button("Deploy").wait_for()
    service = next(service for service in Services(workspace) if service.title == f"상담 {language}")
    if whole:
        button("Deploy").click()
        button("Yes").click()
    else:  # somebody else does: the page follows
        service.start("v1")
    page.locator(".clow-listing:visible td", has_text="100 %").wait_for()
    assert service.spec("v1").shape == {"memory_mb": 1024} and service.status().version == "v1"
    page.get_by_role("tab", name=word("Try it")).click()
    text = page.locator(".widget-vbox:visible", has=page.locator(".clow-key:text-is('text')")).last.locator("input")
    text.fill("내일 알람 맞춰줘")
    text.press("Tab")
    button("Ask").click()
    page.locator(".clow-said").wait_for()
    assert page.locator(".clow-said-label").inner_text() in TALK
    assert page.locator(".clow-said .clow-bar").count() == len(TALK)
    shot("asked")
    page.get_by_role("tab", name=word("Overview")).click()
    service.predict([{"text": "알람"}] * 50)
    page.locator(".vega-embed svg").first.wait_for()
    assert page.get_by_role("link", name=word("Answer review")).get_attribute("href") == f"60_review.ipynb?service={service.name}"
    shot("overview")

    if whole:  # `serve/test_rollouts` brings one in quickly, the notebooks draw the pages of it
        service.create_version("v2", models=["intent@1"])
        page.get_by_role("tab", name=word("Rollout"), exact=True).click()
        typed(word("Steps (%)")).fill("20, 60")
        for empty in ("Minutes a step", "Errors, at most (%)", "Slow from (ms)"):
            typed(word(empty)).fill("")
        page.get_by_label(word("yes"), exact=True).check()
        button("Begin the rollout").click()
        page.get_by_text(word("All steps are done. It waits for a person who signs it off.")).wait_for()
        page.locator(".clow-share-names", has_text="60 %").wait_for()
        assert page.locator(".clow-ladder li").all_inner_texts() == ["20 %", "60 %"]
        assert weights(workspace, service.name) == {"v1": 40.0, "v2": 60.0}
        shot("waiting")
        page.get_by_placeholder(word("Why"), exact=True).fill("점심 뒤에 다시")
        button("Take back").click()
        page.locator(".clow-wait", has_text="점심 뒤에 다시").wait_for()
        page.locator(".clow-listing:visible td", has_text=word("Taken back")).click()
        page.locator(".clow-scroll td:text-is('60 %')").first.wait_for()
        shot("taken-back")
        assert service.rollouts().select("status", "reason").row(0) == ("ROLLED_BACK", "점심 뒤에 다시")
        assert weights(workspace, service.name) == {"v1": 100.0}
    page.get_by_role("tab", name=word("Overview")).click()
    button("Stop").click()
    button("Yes").click()
    page.get_by_text(word("choose Deploy at a version")).wait_for()
    assert service.status().state == "STOPPED" and "Traceback" not in page.inner_text("body")
