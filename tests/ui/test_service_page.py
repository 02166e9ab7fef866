"""An engineer's morning in Voilà: a service is described on three pages, taken into service, asked, and another version is deployed."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from test_browser import ROOT, TALK, TOKEN, environment, free_port, serving
from test_story import KOREAN

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.serve.service import Services
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit
from clow_nb.ui.servers import voila_command

pytestmark = pytest.mark.browser
SMALL = {"epochs": 2, "embedding": 8, "channels": 4, "max_features": 500}
LANGUAGES = pytest.mark.parametrize(("language", "theme", "width"), [("ko", "light", 1280), pytest.param("en", "dark", 800, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    documents = [{"text": f"{text} {i}", "topic": topic} for i in range(6) for topic, texts in TALK.items() for text in texts]
    talk = Datasets(ctx).create("talk", documents, label="topic").split(train=8, valid=1, test=1, stratify="topic")
    task = solution("nlp-intent", SMALL)
    splits = task.prepare(talk.scan().collect(), "topic")
    network, progress = fit(task, splits["train"], splits["valid"])
    made = save_model(tmp_path_factory.mktemp("made") / "model", task, network, progress.metrics)
    register(ctx, "intent", made, progress.metrics, [str(talk.ref)], token="first")
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
def test_a_service_is_described_deployed_and_asked(voila: Any, workspace: Context, page: Any, picture: Any, language: str, theme: str, width: int) -> None:
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
    button("Deploy").click()
    button("Yes").click()
    page.locator(".clow-listing:visible td", has_text="100 %").wait_for()
    service = next(service for service in Services(workspace) if service.title == f"상담 {language}")
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
    shot("overview")
    button("Stop").click()
    button("Yes").click()
    button("Deploy").wait_for()
    assert service.status().state == "STOPPED" and "Traceback" not in page.inner_text("body")
