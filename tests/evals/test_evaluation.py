"""Evaluations from the outside: created, run by a worker, read, shown, in English and in Korean."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.core.errors import (
    AlreadyExists,
    ClowError,
    DataError,
    InvalidName,
    NotFound,
    ParameterError,
    RunError,
)
from clow_nb.data.dataset import Dataset
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.train.models import Models

Add = Callable[..., str]


@pytest.fixture
def ws(ctx: Context, topics: Dataset) -> Iterator[Workspace]:
    workspace = Workspace(ctx.home)
    yield workspace
    stop_worker(ctx)


def test_a_worker_runs_it_on_the_versions_of_the_moment(
    ws: Workspace, topics: Dataset, add_model: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOW_PREIMPORTS", "clow_nb.evals.evaluation,altair")
    add_model(1), add_model(6)
    ws.models["topics"].promote(1, "production")
    ev = ws.evaluations.create("e-topic", model="topics@production", dataset="topics", preset="classification", title="주제")
    assert (ev.status, ws.evaluations.list()["results"].to_list()) == ("READY", [0])
    run = ev.run(id="e-topic-night-1")
    ws.models["topics"].promote(2, "production")
    topics.append([{"text": "눈 와?", "topic": "날씨", "split": "test"}])
    run.wait(timeout=200, progress=False)
    assert (run.status, ev.status) == ("SUCCEEDED", "SUCCEEDED")
    assert run.outputs == {"metrics": ev.metrics, "evaluation": ev.ref.at(1)}
    assert (ev.result.about["model"], ev.result.about["dataset"]) == ("model:topics@1", "dataset:topics@1")
    assert ev.run(id="e-topic-night-1").id == run.id and ev.results().height == 1
    assert set(run.metrics()["key"]) == set(ev.metrics)
    notebook = run.notebook.read_text("utf-8")
    assert "<svg" in notebook and "Confusion matrix" in notebook
    assert "model:topics@1" in repr(ws.lineage("evaluation:e-topic@1"))


@pytest.mark.slow  # `evaluate()` takes the same refs below, and a run that fails is one of `runs`
def test_a_worker_takes_what_it_is_given_and_says_what_it_lacks(
    ws: Workspace, topics: Dataset, add_model: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOW_PREIMPORTS", "clow_nb.evals.evaluation,altair")
    add_model(1), add_model(6)
    ev = ws.evaluations.create("e-topic", model="topics@1", dataset="topics", preset="classification", title="주제")
    ev.evaluate()
    topics.append([{"text": "눈 와?", "topic": "날씨", "split": "test"}])
    again = ev.run(model="topics@2", dataset="topics@2").wait(timeout=200, progress=False)
    assert str(again.outputs["evaluation"]) == "evaluation:e-topic@2"
    assert ev.results()["documents"].to_list() == [12, 13]
    assert ws.evaluations["e-topic@1"].metrics["documents"] == 12

    lost = ev.run(dataset=ws.datasets.create("bare", [{"text": "?", "topic": "날씨"}], label="topic"))
    with pytest.raises(RunError, match="not split yet"):
        lost.wait(timeout=200, progress=False)
    assert ev.status == "FAILED" and ev.results().height == 2


@pytest.mark.slow  # the worker above runs the same cells
def test_the_notebook_runs_under_plain_papermill(ws: Workspace, tmp_path: Path) -> None:
    import papermill

    from clow_nb.runs.queue import find_notebook

    ws.datasets.create("said", [{"text": "비 와?", "topic": "날씨", "guess": "날씨"}], label="topic")
    ws.evaluations.create("e-said", predictions="guess", dataset="said")
    values = {"evaluation": "e-said", "home": str(ws.home)}
    papermill.execute_notebook(find_notebook("evaluate"), tmp_path / "out.ipynb", values, progress_bar=False)
    assert ws.evaluations["e-said"].metrics["accuracy"] == 1.0


@pytest.fixture
def said(ctx: Context) -> Workspace:
    ws = Workspace(ctx.home)
    rows = [{"text": "비 <와?>", "topic": "날씨", "guess": "알람"}, {"text": "깨워줘", "topic": "알람", "guess": "알람"}]
    ws.datasets.create("said", rows, label="topic")
    ws.evaluations.create("e-said", predictions="guess", dataset="said", preset="classification", title="말한 것").evaluate()
    return ws


def test_the_report_opens_anywhere(said: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for lang, words in {"en": ["Summary", "Confusion matrix", "predicted"], "ko": ["요약", "혼동 행렬", "예측"]}.items():
        monkeypatch.setenv("CLOW_LANG", lang)
        path = said.evaluations["e-said"].report()
        page = path.read_text("utf-8")
        assert all(word in page for word in [*words, "말한 것", "비 &lt;와?&gt;", f'lang="{lang}"'])
        assert "<script" not in page and page.count("<svg") >= 1 and "@font-face" in page
        assert not re.search(r"(src|href)\s*=|url\((?!data:)|@import", page)
        assert said.evaluations["e-said"].report(said.home / "out" / "r.html").read_text("utf-8") == page


def test_an_evaluation_without_results_says_what_to_do(ws: Workspace) -> None:
    ev = ws.evaluations.create("e-new", predictions="guess", dataset="topics")
    for ask in (lambda: ev.metrics, lambda: ev.predictions, ev.cards, ev.report, ev.facts):
        with pytest.raises(NotFound, match=r"evaluation:e-new has no result yet. Call run\(\)"):
            ask()
    assert ev.results().height == 0 and ev.runs().height == 0
    assert "e-new" in repr(ev) and ws.evaluations.list()["status"].to_list() == ["READY"]


def test_a_model_may_be_promised_by_a_training(ws: Workspace, add_model: Add) -> None:
    ws.trainings.create("t-later", dataset="topics", solution="nlp-intent", model="later")
    ev = ws.evaluations.create("e-later", model="later@latest", dataset="topics")
    with pytest.raises(NotFound, match="later"):
        ev.run()
    ref = add_model(1, name="later")
    assert ev.evaluate().about["model"] == ref
    with pytest.raises(NotFound, match="no version 9"):
        ws.evaluations.create("e-latest", model="later@9", dataset="topics")


def test_things_in_the_hand_are_as_good_as_their_names(ws: Workspace, topics: Dataset, add_model: Add) -> None:
    add_model(1)
    model = Models(ws.ctx).version("topics@1")
    ev = ws.evaluations.create("e-hand", model=model, dataset=topics, split="valid")
    assert (ev.item.spec["model"], ev.item.spec["dataset"]) == ("model:topics@1", "dataset:topics@1")
    assert ev.evaluate(model=model, dataset=topics).about["documents"] == 6


REFUSED: list[tuple[dict[str, str], type[ClowError]]] = [
    ({"dataset": "topics"}, ParameterError),
    ({"dataset": "topics", "predictions": ""}, ParameterError),
    ({"dataset": "topics", "model": "topics", "predictions": "guess"}, ParameterError),
    ({"dataset": "topics", "model": "typo"}, NotFound),
    ({"dataset": "topics", "model": "dataset:topics"}, InvalidName),
    ({"dataset": "typo", "predictions": "guess"}, NotFound),
    ({"dataset": "topics@7", "predictions": "guess"}, NotFound),
    ({"dataset": "topics", "predictions": "guess", "preset": "gone"}, NotFound),
    ({"dataset": "bare", "predictions": "guess"}, DataError),
    ({"dataset": "topics", "predictions": "topic"}, ParameterError),
    ({"dataset": "topics", "predictions": "guess", "name": "이름"}, InvalidName),
    ({"dataset": "topics", "predictions": "guess", "name": "e-there"}, AlreadyExists),
]


def test_bad_input_is_refused_and_leaves_nothing(ws: Workspace) -> None:
    ws.datasets.create("bare", [{"text": "?"}])
    ws.evaluations.create("e-there", predictions="guess", dataset="topics")
    for given, error in REFUSED:
        with pytest.raises(error):
            ws.evaluations.create(**{"name": "e-new"} | given)
        assert [ev.name for ev in ws.evaluations] == ["e-there"], given


def test_deleting_one_deletes_its_files_and_a_new_one_starts_afresh(said: Workspace) -> None:
    folder = said.evaluations["e-said"].result.folder
    Ledger(said.ctx).add(RunRow("old-1", "evaluation", "e-said", notebook="evaluate"))
    assert said.evaluations["e-said"].status == "QUEUED"
    said.evaluations.delete("e-said")
    assert not folder.exists() and "e-said" not in said.evaluations
    ev = said.evaluations.create("e-said", predictions="guess", dataset="said")
    assert ev.status == "READY" and ev.results().height == 0
