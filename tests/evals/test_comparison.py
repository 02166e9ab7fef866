"""Sides on the same documents: what one fixes and breaks, whether that is chance, and labels that were corrected in between."""

import json
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb import Workspace
from clow_nb.core.context import Context
from clow_nb.core.errors import ClowError, DataError, GateError, NotFound, ParameterError
from clow_nb.data.dataset import Dataset
from clow_nb.evals.comparison import Comparison
from clow_nb.evals.flips import agreement, flips
from clow_nb.evals.paired import mcnemar, rights
from clow_nb.evals.sides import Side, aligned
from clow_nb.runs.queue import find_notebook

Add = Callable[..., str]
labels = st.sampled_from("abc")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(labels, labels, labels), min_size=1, max_size=12))
def test_flips_are_what_the_paired_test_counts(rows: list[tuple[str, str, str]]) -> None:
    truth, said, now = (list(column) for column in zip(*rows, strict=True))
    old, new = (pl.DataFrame({"_id": [str(n) for n in range(len(rows))], "actual": truth, "predicted": side}) for side in (said, now))
    found, counts = flips(old, new), mcnemar(rights(new), rights(old))
    by_change = dict(found["change"].value_counts().iter_rows())
    assert (by_change.get("fixed", 0), by_change.get("broken", 0)) == (counts["fixed"], counts["broken"])
    pair = agreement({"old": old, "new": new}).row(1, named=True)
    assert (pair["only_other"], pair["only_name"]) == (counts["fixed"], counts["broken"])
    assert pair["agreement"] * len(rows) == pytest.approx(sum(a == b for a, b in zip(said, now, strict=True)))
    assert {row["_id"] for row in found.iter_rows(named=True)} == {str(n) for n, (_, a, b) in enumerate(rows) if a != b}


def test_labels_that_were_corrected_show_in_the_next_comparison(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ws = Workspace(ctx.home)
    add_model(6)
    ev = ws.evaluations.create("e-topic", model="topics@1", dataset="topics")
    before = ev.evaluate()
    wrong = before.predictions.row(0, named=True)
    other = "알람" if wrong["actual"] == "날씨" else "날씨"
    edit = topics.edit()
    edit.set(wrong["_id"], "topic", other)
    edit.insert([{"text": "눈 와?", "topic": "날씨", "split": "test"}])
    edit.commit("a label, a document")
    after = ev.evaluate()
    found = ws.evaluations.compare([before, after])
    assert found.names == ["evaluation:e-topic@1", "evaluation:e-topic@2"] and found.task == "classification"
    (flip,) = found.flips().rows(named=True)
    assert (flip["_id"], flip["actual_before"], flip["actual"], flip["before"]) == (wrong["_id"], wrong["actual"], other, flip["after"])
    row = found.metrics.filter(pl.col("name") == found.names[1], metric="accuracy").row(0, named=True)
    assert row["difference"] == pytest.approx(row["value"] - found.metrics.filter(metric="accuracy")["value"][0])
    assert row["whole"] == pytest.approx(after.metrics["accuracy"]) and row["p_value"] is not None
    assert found.only[found.names[1]]["text"].to_list() == ["눈 와?"] and found.about["documents"].to_list() == [12, 13]
    assert ws.evaluations.compare("topics@1", dataset=["topics@1", "topics@2"]).flips().drop("_id").equals(found.flips().drop("_id"))
    assert "e-topic@2" in repr(found) and found.check("documents == 12 and accuracy <= production.accuracy + 1").passed


def test_a_quantized_model_stands_beside_its_original(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ws = Workspace(ctx.home)
    add_model(4)
    ws.models["topics"][1].quantize("int8")
    ws.evaluations.create("e-topic", model="topics@1", dataset=topics).evaluate()
    asked = ws.evaluations.contest("topics@1", topics)
    assert (asked.names, asked.missing) == (["model:topics@1", "model:topics@2"], ["model:topics@2"])
    as_a_run(**asked.given, home=str(ctx.home))
    assert asked.missing == [] and asked.run() is None
    found = ws.evaluations.compare("topics@2", topics)
    assert found.about["precision"].to_list() == ["float32", "int8"]
    assert found.about["size_mb"][1] < found.about["size_mb"][0]
    assert found.agreement["agreement"].to_list()[0] == 1.0
    assert len(list((ctx.home / "scores").glob("*.parquet"))) == 2


def as_a_run(**params: object) -> None:
    """What a worker does: the cells of the step notebook, one after the other, with these parameters."""
    cells = json.loads(find_notebook("compare").read_text("utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
            exec("".join(cell["source"]), params)


@pytest.mark.slow
def test_what_is_missing_is_judged_in_one_run(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ws = Workspace(ctx.home)
    add_model(1), add_model(2)
    asked = ws.evaluations.contest(["topics@1", "topics@2"], topics)
    run = asked.run()
    assert run is not None and run.wait(120).status == "SUCCEEDED"
    assert asked.missing == [] and run.outputs["sentences"] == asked.compare().sentences()


def test_what_cannot_be_compared_is_said(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ws = Workspace(ctx.home)
    add_model(1), add_model(2)
    ws.datasets.create("lengths", [{"text": "abc", "size": 3.5, "guess": 3.0}, {"text": "ab", "size": 2.5, "guess": 3.0}], label="size")
    ws.evaluations.create("e-size", predictions="guess", dataset="lengths").evaluate()
    ws.evaluations.create("e-new", predictions="guess", dataset="lengths")
    compare = ws.evaluations.compare
    cases: list[tuple[Callable[[], object], type[ClowError], str]] = [
        (lambda: compare([]), ParameterError, "Two or more different things"),
        (lambda: compare(["topics@1", "topics@1"]), ParameterError, "Two or more different things"),
        (lambda: compare(["topics@1", "topics@2"]), ParameterError, "doesn't say which dataset"),
        (lambda: compare(["topics@1", "typo@2"], "topics"), NotFound, "typo"),
        (lambda: compare(["topics@1", "evaluation:e-new"]), NotFound, "no version"),
        (lambda: compare(["topics@1", "topics@2"], dataset=["topics@1", "lengths"]), ParameterError, "Several datasets are for one model"),
        (lambda: compare(["topics@1", "topics@2"], "topics", split="holdout"), DataError, "holdout"),
        (lambda: compare(["topics@1", "evaluation:e-size"], "topics"), DataError, "to one task"),
        (lambda: compare(["topics@1", "topics@2"], "topics").check('recall["없음"] > 0'), GateError, "없음"),
        (lambda: aligned([_side("old", "1"), _side("new", "2")]), DataError, "no document in common"),
    ]
    for call, kind, words in cases:
        with pytest.raises(kind, match=words):
            call()
    assert isinstance(compare(["topics@1", "topics@2"], "topics"), Comparison)


def _side(name: str, ids: str) -> Side:
    return Side(name, name, "dataset:d@1", None, pl.DataFrame({"_id": list(ids), "actual": ["a"], "predicted": ["a"]}))


@pytest.mark.slow
def test_a_service_that_is_deployed_is_judged_over_http(ctx: Context, topics: Dataset, add_model: Add) -> None:
    ws = Workspace(ctx.home)
    ref = add_model(6)
    service = ws.services.create("s-topic")
    service.create_version("v1", models=[ref])
    ev = ws.evaluations.create("e-service", service="s-topic", dataset="topics")
    with pytest.raises(ClowError, match="is not running"):
        ev.evaluate()
    service.start("v1")
    try:
        result = ev.evaluate()
        assert (result.about["service"], result.about["models"]) == ("service:s-topic@1", [ref])
        assert "service:s-topic@1" in repr(ws.lineage(str(result.ref)))
        found = ws.evaluations.compare([ref, result], "topics")
        assert found.flips().height == 0 and found.metrics.filter(metric="accuracy")["value"].n_unique() == 1
    finally:
        service.stop()
