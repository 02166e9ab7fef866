"""A planner's morning in Voilà: a day of comments went through a service, the next version is asked the same, ten disagreements are judged by
keyboard, and the votes become labelled documents."""

import csv
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from test_browser import ROOT, TOKEN, environment, free_port, serving
from test_story import Planner

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.monitor.review import Review
from clow_nb.runs.launch import stop_worker
from clow_nb.serve.service import Services
from clow_nb.train.models import register
from clow_nb.train.predictor import save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit
from clow_nb.ui.servers import voila_command

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COMMENTS = ROOT.parent / "shared/data/ko-hate-speech/labeled"
SMALL = {"epochs": 3, "embedding": 16, "channels": 16, "max_features": 3000}


def _comments(part: str, most: int) -> list[dict[str, str]]:
    with (COMMENTS / f"{part}.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:most]
    return [{"text": row["comments"], "tone": row["hate"]} for row in rows]


def _learn(ctx: Context, folder: Any, documents: list[dict[str, str]], number: int) -> None:
    """Register the next version of the model, which has learned from so many comments."""
    name = f"comments-{number}"
    talk = Datasets(ctx).create(name, documents, label="tone").split(train=8, valid=2, stratify="tone")
    task = solution("nlp-intent", SMALL)
    splits = task.prepare(talk.scan().collect(), "tone")
    network, progress = fit(task, splits["train"], splits["valid"])
    made = save_model(folder / name, task, network, progress.metrics)
    register(ctx, "tone", made, progress.metrics, [str(talk.ref)], token=name)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    """A service whose first version was asked 240 comments; its second version, better taught, was asked nothing."""
    if not COMMENTS.exists():
        pytest.skip("../shared/data/ko-hate-speech is not on this machine")
    ctx, folder = Context.open(tmp_path_factory.mktemp("work") / ".clow"), tmp_path_factory.mktemp("made")
    service = Services(ctx).create("s-tone", title="댓글 말투")
    for number, count in enumerate((300, 2000), 1):
        _learn(ctx, folder, _comments("train", count), number)
        service.create_version(f"v{number}", models=[f"tone@{number}"])
    service.deploy("v1")
    asked = [{"text": row["text"]} for row in _comments("dev", 240)]
    for start in range(0, len(asked), 60):
        service.predict(asked[start : start + 60])
    service.stop()
    yield ctx
    stop_worker(ctx)


@pytest.fixture(scope="module")
def voila(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    folder, home, port = tmp_path_factory.mktemp("voila"), tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(ROOT / "dashboards/60_review.ipynb", folder)
    settings = environment(workspace, home, "en") | {"CLOW_USER": "kim"}
    settings.pop("CLOW_LANG")
    with serving(voila_command(folder, port, TOKEN, preheat=False), settings, f"http://127.0.0.1:{port}/", home / "voila.log"):

        def open_(page: Any, language: str, theme: str, asked: str = "") -> None:
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"http://127.0.0.1:{port}/voila/render/60_review.ipynb?token={TOKEN}&theme={theme}{asked}", wait_until="commit")

        yield open_


def test_a_day_of_comments_is_reviewed_by_keyboard(voila: Any, workspace: Context, page: Any, picture: Any) -> None:
    planner = Planner(page, "ko", lambda name: picture(page, f"review-{name}"))
    word, rows = planner.word, page.locator(".clow-ballot tbody tr")
    voila(page, "ko", "light")
    rows.nth(19).wait_for()
    page.get_by_role("button", name=word("Ask {version} now", version="v2")).click()
    page.locator(".clow-differ").nth(9).wait_for()
    planner.picture("disagreements")
    review = Review(workspace, "s-tone", ["v1", "v2"])
    differing = review.standing().disagreements
    assert differing >= 10
    first = review.queries().to_dicts()
    rows.first.focus()
    for number, key in enumerate(("a", "b", "b", "n", "s", "b", "a", "b", "l", "b"), 1):
        planner.press(key)
        if key == "l":
            page.get_by_role("combobox", name=word("Another label")).wait_for()
            planner.write("비꼼")
            page.locator("input[role=combobox]:focus").wait_for()
            planner.press("Enter")
        page.locator("tbody .clow-is-vote .clow-status").nth(number - 1).wait_for()
    planner.picture("voted")
    standing = review.standing()
    assert (standing.judged, standing.skipped, standing.right) == (9, 1, 8)
    votes = {vote.request_id: (vote.choice, vote.label) for vote in review.votes.all()}
    assert [votes[row["request_id"]][0] for row in first[:10]] == ["a", "b", "b", "neither", "skip", "b", "a", "b", "label", "b"]

    planner.button("Make labelled documents").click()
    page.locator(".clow-good a", has_text="s-tone-reviewed").wait_for()
    assert page.locator(".clow-good a").get_attribute("href") == "10_data.ipynb?dataset=s-tone-reviewed"
    made = Datasets(workspace)["s-tone-reviewed"]
    truths = {document["text"]: document["label"] for document in made.documents()}
    assert made.version == 1 and len(truths) == 8 and "비꼼" in truths.values()
    assert workspace.catalog.edges(made.ref)

    here = page.url
    assert "service=s-tone" in here and "versions=v1%2Cv2" in here
    page.reload(wait_until="commit")
    page.locator("tbody .clow-is-vote .clow-status").nth(9).wait_for()
    for tab in ("Decision", "Confidence", "Latency"):
        planner.tab(tab)
        page.locator(".vega-embed svg:visible").first.wait_for()
    planner.picture("latency")
    assert planner.errors == [] and "Traceback" not in page.inner_text("body")


def test_a_day_nobody_asked_is_a_sentence(voila: Any, workspace: Context, page: Any, picture: Any) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    voila(page, "en", "dark", "&service=s-tone&date=2020-01-01")
    page.get_by_text("Nobody asked v1 or v2 on this day.").wait_for()
    picture(page, "review-nothing")
    assert page.locator(".clow-choosing select").nth(1).input_value() and not page.locator(".clow-desk").is_visible()
