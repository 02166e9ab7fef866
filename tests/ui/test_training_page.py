"""A modeller's afternoon in Voilà: a training is described on three pages, run, followed by its curve, and compared with another; a tuning
finds better parameters and registers what they make; a version goes to production with a reason, and its card is answered."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from test_browser import ROOT, TALK, TOKEN, environment, free_port, serving
from test_story import KOREAN

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs
from clow_nb.train.models import Models, register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit
from clow_nb.train.training import Trainings
from clow_nb.train.tuning import Tunings
from clow_nb.ui.servers import voila_command

pytestmark = pytest.mark.browser
LANGUAGES = pytest.mark.parametrize(("language", "width"), [("ko", 1280), pytest.param("en", 800, marks=pytest.mark.slow)])
SMALL = {"epochs": 3, "embedding": 8, "channels": 4, "max_features": 500}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any, as_shipped: None) -> Iterator[Context]:
    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    documents = [{"text": f"{text} {i}", "topic": topic} for i in range(12) for topic, texts in TALK.items() for text in texts]
    talk = Datasets(ctx).create("talk", documents, label="topic", title="대화 주제").split(train=8, valid=1, test=1, stratify="topic")
    task = solution("nlp-intent", SMALL)
    splits = task.prepare(talk.scan().collect(), "topic")
    network, progress = fit(task, splits["train"], splits["valid"])
    made = save_model(tmp_path_factory.mktemp("made") / "model", task, network, progress.metrics)
    for language in ("ko", "en"):
        for token in ("first", "second"):
            register(ctx, f"intent-{language}", made, progress.metrics, [str(talk.ref)], token=f"{language}-{token}")
        Models(ctx)[f"intent-{language}"].promote(1, "production", reason="the first")
        Trainings(ctx).create(f"u-{language}", "talk", params=SMALL)
        if language == "ko":
            Ledger(ctx).add(RunRow("u-ko-1", "train", "u-ko", status="SUCCEEDED", notebook="train"))
            run = Runs(ctx).get("u-ko-1")
            run.folder.mkdir(parents=True)
            (run.folder / "metrics.jsonl").write_text("".join(f'{{"step": {n}, "key": "valid_loss", "value": {1 / n}, "time": 0.0}}\n' for n in (1, 2, 3)))
        base = Trainings(ctx).create(f"t-{language}", "talk", params=SMALL, model=f"intent-{language}")
        Tunings(ctx).create(f"h-{language}", base, {"lr": ("log", 1e-3, 1e-1)}, trials=3)
    yield ctx
    stop_worker(ctx)


@pytest.fixture(scope="module")
def voila(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any, str], None]]:
    folder, home, port = tmp_path_factory.mktemp("voila"), tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(ROOT / "dashboards/20_training.ipynb", folder)
    settings = environment(workspace, home, "en")
    settings.pop("CLOW_LANG")
    with serving(voila_command(folder, port, TOKEN, preheat=False), settings, f"http://127.0.0.1:{port}/", home / "voila.log"):

        def open_(page: Any, language: str, asked: str = "") -> None:
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"http://127.0.0.1:{port}/voila/render/20_training.ipynb?token={TOKEN}{asked}", wait_until="commit")

        yield open_


class Desk:
    """A page, the words of its language, and what a person finds on it."""

    def __init__(self, page: Any, picture: Any, language: str, width: int) -> None:
        self.page, self._picture, self.language, self.width = page, picture, language, width
        page.set_viewport_size({"width": width, "height": 800})

    def word(self, text: str) -> str:
        return KOREAN[text] if self.language == "ko" else text

    def button(self, text: str) -> Any:
        return self.page.locator(f"button:visible:text-is('{self.word(text)}')").first

    def typed(self, label: str) -> Any:
        name = self.page.locator(f".clow-input-name:text-is('{self.word(label)}')")
        return self.page.locator(".widget-vbox:visible", has=name).last.locator("input, textarea, select")

    def row(self, text: str) -> Any:
        return self.page.locator(".clow-listing:visible tbody tr", has_text=text)

    def shot(self, name: str) -> None:
        self._picture(self.page, f"training-{self.language}-{self.width}-{name}")


@pytest.fixture
def desk(page: Any, picture: Any, language: str, width: int) -> Iterator[Desk]:
    yield Desk(page, picture, language, width)
    assert "Traceback" not in page.inner_text("body")


@LANGUAGES
def test_a_training_is_described_run_and_compared(voila: Any, desk: Desk, language: str) -> None:
    page, button, typed, shot, word = desk.page, desk.button, desk.typed, desk.shot, desk.word
    voila(page, language)
    button("New training …").click()
    typed("Title").fill(f"주제 {language}")
    button("Next").click()
    page.get_by_text(word("{what} is empty. Fill it in.").format(what=word("Dataset"))).wait_for()
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
    page.locator("input:disabled, textarea:disabled").and_(typed("Command")).wait_for()
    typed("Memory (MB)").fill("2048")
    shot("infra")
    button("Create").click()
    button("Run the training").click()
    page.locator(".clow-status[data-status=SUCCEEDED]").wait_for()
    page.locator("svg text", has_text="valid_loss").first.wait_for()
    shot("run")
    page.locator("button.clow-back:visible").click()
    desk.row(f"주제 {language}").locator("input").check()
    if language == "en":  # for the Korean visitor somebody else ran it before
        desk.row("u-en").first.locator(f"button:text-is('{word('Run')}')").click()
        page.locator("button.clow-back:visible").click()
    desk.row(f"u-{language}").first.locator("input").check()
    page.locator(".vega-embed svg text", has_text=f"u-{language}").first.wait_for()
    assert page.locator(".vega-embed:visible").count() == 1
    shot("table")


@pytest.mark.slow  # the notebooks draw the same page, and a training's is walked through above
@LANGUAGES
def test_a_tuning_finds_and_registers(voila: Any, workspace: Context, desk: Desk, language: str) -> None:
    page = desk.page
    voila(page, language, f"&tuning=h-{language}")
    desk.typed("Trials").fill("2")
    desk.typed("Trials").press("Tab")
    desk.button("Run the tuning").click()
    page.locator(".clow-status[data-status=SUCCEEDED]").wait_for()
    desk.row("").nth(1).wait_for()
    page.locator(".vega-embed svg").first.wait_for()
    desk.button("Compare with production").click()
    page.get_by_text(f"model:intent-{language}@1").first.wait_for()
    desk.button("Parallel coordinates").click()
    page.locator(".vega-embed svg text", has_text="lr").first.wait_for()
    desk.shot("tuning")
    desk.button("Train and register the best").click()
    page.locator(".clow-status[data-status=SUCCEEDED]").nth(1).wait_for()
    assert len(Models(workspace)[f"intent-{language}"]) == 3
    assert Tunings(workspace)[f"h-{language}"].trials.height == 2


@pytest.mark.slow  # the notebooks of `ui` move, tag, compare and ask for the card; a page is walked through above
@LANGUAGES
def test_a_version_goes_to_production_with_a_reason(voila: Any, workspace: Context, desk: Desk, language: str) -> None:
    page, name = desk.page, f"intent-{language}"
    voila(page, language, f"&model={name}")
    newest = page.locator(".clow-listing:visible tbody tr[data-id='2']")
    newest.locator("input").check()
    page.locator(f"button:visible:text-is('{desk.word('Stage, alias, tags')} …')").click()
    desk.button("Move").click()
    page.locator(".clow-panel .clow-wait").wait_for()
    desk.shot("refused")
    desk.typed("Condition").select_option(index=0)
    why = page.locator(f".clow-panel input[placeholder='{desk.word('for whoever asks later')}']").first
    why.fill("회의에서 정함")
    why.press("Tab")
    desk.button("Move").click()
    newest.locator(".clow-status[data-status=production]").wait_for()
    desk.typed("Tag").fill("reviewed")
    desk.typed("Tag").press("Tab")
    desk.typed("Value").fill("김")
    desk.typed("Value").press("Tab")
    desk.button("Set the tag").click()
    newest.locator("td", has_text="reviewed: 김").wait_for()
    desk.shot("moved")
    page.locator(".clow-listing:visible tbody tr[data-id='1'] input").check()
    desk.button("Compare").click()
    page.locator(".clow-table td", has_text="valid_f1_macro").first.wait_for()
    desk.shot("compared")
    page.locator("button.clow-back:visible").click()
    newest.locator("td").nth(1).click()
    page.locator(".clow-card-question textarea").first.fill("상담의 첫 분류")
    page.locator(".clow-card-question textarea").first.press("Tab")
    desk.button("Keep the answers").click()
    page.locator(".clow-good", has_text="1").first.wait_for()
    desk.shot("card")
    page.locator(".lm-TabBar-tabLabel", has_text=desk.word("History")).click()
    page.locator(".clow-answer", has_text=f"model:{name}@2").wait_for()
    desk.shot("history")
    model = Models(workspace)[name]
    assert (model["production"].version, model.history()["reason"][0], model[2].tags) == (2, "회의에서 정함", {"reviewed": "김"})
    assert "use" not in model[2].card().open
