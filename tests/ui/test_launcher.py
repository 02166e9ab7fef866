"""Launching calls the public methods, says what goes wrong, and shows a run as it is."""

from typing import Any

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists
from clow_nb.data.dataset import Datasets
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs
from clow_nb.train.training import Trainings
from clow_nb.ui.base import answer
from clow_nb.ui.launcher import curve_chart, free_name
from clow_nb.ui.panel import RunPanel


@pytest.fixture
def training(ctx: Context) -> Any:
    """A training that was never run."""
    Datasets(ctx).create("talk", [{"text": f"말 {i}", "topic": "ab"[i % 2]} for i in range(20)], label="topic")
    return Trainings(ctx).create("t-talk", "talk", params={"epochs": 2})


def _press(view: Any) -> dict[str, Any]:
    return answer(view.panel.handlers(), {"type": "run", "uuid": "1"})[0]


def test_the_button_runs_the_training(training: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = []
    monkeypatch.setattr(Runs, "submit", lambda self, notebook, params, **rest: submitted.append(params) or _run(training.ctx))
    assert "error" not in _press(training.view())
    assert submitted == [{"training": "t-talk", "dataset": "dataset:talk@1"}]


def test_other_values_run_a_clone(training: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runs, "submit", lambda self, notebook, params, **rest: _run(training.ctx))
    view = training.view()
    view.form.inputs["lr"].value = "0.01"
    assert view.name.value == "t-talk-2"
    assert "error" not in _press(view)
    clone = Trainings(training.ctx)["t-talk-2"]
    assert clone.params == {"epochs": 2, "lr": 0.01} and clone.model_name == "t-talk"


def test_a_name_that_is_taken_or_illegal_is_said_and_nothing_runs(training: Any) -> None:
    Trainings(training.ctx).create("t-old", "talk")
    view = training.view()
    for name, words in (("t-old", "already"), ("이름", "not allowed")):
        view.name.value = name
        assert words in _press(view)["error"]
    assert Runs(training.ctx).list().height == 0 and len(Trainings(training.ctx)) == 2
    with pytest.raises(AlreadyExists):
        Trainings(training.ctx).create("t-old", "talk")


def test_wrong_values_never_reach_the_training(training: Any) -> None:
    view = training.view()
    view.form.inputs["epochs"].value = "-1"
    assert "epochs is -1" in view.header.error and "epochs is -1" in _press(view)["error"]
    assert len(Trainings(training.ctx)) == 1


def test_a_run_that_fails_shows_its_sentence(training: Any) -> None:
    run = _run(training.ctx)
    ledger = Ledger(training.ctx)
    begun = ledger.begin(run.id, "worker")
    assert begun is not None
    ledger.end(run.id, begun.token, "FAILED", "DataError: 클래스가 하나뿐입니다.")
    panel = RunPanel(run=run)
    assert (panel.status, panel.active, panel.error) == ("FAILED", False, "DataError: 클래스가 하나뿐입니다.")


def test_free_names() -> None:
    assert free_name("t-2026", lambda _: False) == "t-2027"
    assert free_name("t", {"t-2", "t-3"}.__contains__) == "t-4"


def test_curves_without_numbers() -> None:
    empty = pl.DataFrame(schema={"step": pl.Int64, "key": pl.String, "value": pl.Float64, "time": pl.Float64})
    assert curve_chart(empty) is None
    row = {"step": 1, "key": "train_loss", "value": float("nan"), "time": 0.0}
    assert curve_chart(pl.DataFrame([row])) is None


def _run(ctx: Context) -> Any:
    Ledger(ctx).add(RunRow("train-1", "train", "t-talk", notebook="train"))
    return Runs(ctx).get("train-1")
