"""A result is there in one piece or not at all, whoever is killed and whoever comes second."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ClowError, DataError, NotFound
from clow_nb.core.refs import Ref
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.evals.judging import evaluate
from clow_nb.evals.results import results_of
from clow_nb.evals.samples import Part
from clow_nb.evals.scoring import kept_score

SPEC = {"model": "", "predictions": "guess", "dataset": "questions", "split": "", "label": None}


@pytest.fixture
def questions(ctx: Context) -> Dataset:
    ctx.catalog.create("evaluation", "e-guess", spec=SPEC)
    rows = [{"text": str(n), "topic": "ab"[n % 2], "guess": "ab"[n % 3 % 2]} for n in range(12)]
    return Datasets(ctx).create("questions", rows, label="topic")


def test_one_that_was_cut_off_before_the_catalog_is_finished_by_the_next_attempt(
    ctx: Context, questions: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ctx.catalog, "add_version", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            evaluate(ctx, "e-guess", run="r-1")
    assert results_of(ctx, "e-guess") == []
    questions.append([{"text": "more", "topic": "a", "guess": "a"}])
    result = evaluate(ctx, "e-guess", run="r-1")
    assert (str(result.ref), result.about["dataset"], result.metrics["documents"]) == ("evaluation:e-guess@1", "dataset:questions@1", 12)


def test_one_that_was_cut_off_while_writing_leaves_nothing(
    ctx: Context, questions: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(self: pl.DataFrame, file: Path) -> None:
        Path(file).write_bytes(b"PAR1")
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", torn)
        with pytest.raises(OSError, match="No space"):
            evaluate(ctx, "e-guess", run="r-1")
    assert list((ctx.home / "evaluations" / "e-guess").iterdir()) == []
    assert evaluate(ctx, "e-guess", run="r-1").predictions.height == 12


def test_attempts_at_one_run_that_meet_make_one_result(ctx: Context, questions: Dataset) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: evaluate(Context.open(ctx.home), "e-guess", run="r-1"), range(4)))
    (result,) = results_of(ctx, "e-guess")
    assert {str(one.ref) for one in made} == {str(result.ref)}
    assert result.predictions.height == result.confusion["count"].sum() == result.per_class["support"].sum() == 12
    assert [path.name for path in result.folder.parent.iterdir()] == ["r-1"]


def test_each_run_keeps_its_own_and_names_what_it_rests_on(ctx: Context, questions: Dataset) -> None:
    first = evaluate(ctx, "e-guess")
    grown = questions.append([{"text": "more", "topic": "a", "guess": "a"}, {"text": "?", "topic": "a"}])
    second = evaluate(ctx, "e-guess")
    assert (first.metrics["documents"], second.metrics["documents"], second.about["left_out"]) == (12, 13, 1)
    assert first.predictions.height == 12 and str(second.ref) == "evaluation:e-guess@2"
    assert [(edge.source, edge.role) for edge in ctx.catalog.edges(second.ref)] == [(str(grown.ref), "dataset")]


def test_a_model_is_judged_and_its_score_kept_for_gates(
    ctx: Context, topics: Dataset, add_model: Callable[..., str]
) -> None:
    ref = add_model(4)
    ctx.catalog.create("evaluation", "e-topic", spec={**SPEC, "model": "topics@1", "predictions": "", "dataset": "topics", "split": "test"})
    heard: list[float] = []
    result = evaluate(ctx, "e-topic", progress=lambda share, words: heard.append(share))
    table = result.predictions
    assert heard == [1.0] and result.about["model"] == ref
    assert table["_id"].to_list() == [document["_id"] for document in topics.documents({"split": "test"})]
    assert {"text", "confidence", "probabilities"} <= set(table.columns) and "topic" not in table.columns
    chances = table["probabilities"].struct.unnest()
    assert chances.sum_horizontal().is_close(1.0, abs_tol=1e-5).all()
    kept = kept_score(ctx, Ref.parse(ref), Part(topics, "test"))
    assert kept is not None and kept["metrics"] == result.metrics
    assert {(edge.source, edge.role) for edge in ctx.catalog.edges(result.ref)} == {(ref, "model"), ("dataset:topics@1", "dataset")}


@pytest.mark.parametrize(
    ("model", "dataset", "error", "words"),
    [
        ("gone", "questions", NotFound, "'gone'"),
        ("", "gone", NotFound, "questions"),
        ("", "questions@5", NotFound, "no version 5"),
        ("", "silent", DataError, "the key 'guess'"),
        ("", "empty", DataError, "no documents to judge by"),
    ],
)
def test_what_cannot_be_judged_leaves_nothing(
    ctx: Context, questions: Dataset, model: str, dataset: str, error: type[ClowError], words: str
) -> None:
    Datasets(ctx).create("silent", [{"text": "?", "topic": "a"}], label="topic")
    Datasets(ctx).create("empty", label="topic")
    with pytest.raises(error, match=words):
        evaluate(ctx, "e-guess", model, dataset, run="r-1")
    assert results_of(ctx, "e-guess") == [] and not (ctx.home / "evaluations" / "e-guess" / "r-1").exists()

