"""Metrics of numbers, flags, series, spans: equal to scikit-learn's or to their definition, and what can't be judged says so."""

import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError
from clow_nb.evals.anomaly import windows_of
from clow_nb.evals.binary import pr_curve, roc_curve, threshold_sweep, truth_table
from clow_nb.evals.calibration import confidence_histogram, reliability
from clow_nb.evals.doubts import likely_wrong
from clow_nb.evals.intervals import intervals
from clow_nb.evals.metrics import confusion, measure, per_class
from clow_nb.evals.paired import difference
from clow_nb.evals.ranking import areas
from clow_nb.evals.slices import matches, slices
from clow_nb.evals.tasks import task_of

numbers = st.floats(-1000, 1000).map(lambda value: round(value, 3))
rows = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40)


@given(rows)
@settings(deadline=None, max_examples=40)
def test_scores_of_numbers_equal_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    table = pl.DataFrame(pairs, {"actual": pl.Float64, "predicted": pl.Float64}, orient="row")
    actual, predicted = table["actual"].to_numpy(), table["predicted"].to_numpy()
    found = measure(table)
    expected = {
        "mae": sk.mean_absolute_error(actual, predicted),
        "mse": sk.mean_squared_error(actual, predicted),
        "rmse": sk.root_mean_squared_error(actual, predicted),
        "mape": sk.mean_absolute_percentage_error(actual, predicted),
        "r2": sk.r2_score(actual, predicted),
    }
    for name, value in expected.items():
        if name != "r2" or np.ptp(actual):
            assert found[name] == pytest.approx(value, rel=1e-11, abs=1e-12), name
    assert found["bias"] == pytest.approx(np.mean(predicted - actual), abs=1e-9)


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=80).filter(lambda rows: len({y for _, y in rows}) == 2), st.booleans())
@settings(deadline=None, max_examples=40)
def test_areas_equal_scikit_learn_and_are_the_mean_of_their_values(rows: list[tuple[int, bool]], many: bool) -> None:
    scores, truth = (np.tile(np.array(side), 1000 if many else 1) for side in zip(*rows, strict=True))
    found = areas(scores / 4, np.flatnonzero(truth), values=True)
    assert found is not None and found.roc_values is not None and found.precision_values is not None
    assert found.roc_auc == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)
    assert found.average_precision == pytest.approx(sk.average_precision_score(truth, scores), abs=1e-12)
    assert found.roc_values.mean() == pytest.approx(found.roc_auc, abs=1e-9)
    assert found.precision_values.mean() == pytest.approx(found.average_precision, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None, max_examples=40)
def test_flags_are_judged_by_row_and_by_window(pairs: list[tuple[bool, bool]]) -> None:
    table = pl.DataFrame(pairs, ["actual", "predicted"], orient="row").with_row_index("at")
    found, (true, said) = measure(table.sample(fraction=1, shuffle=True, seed=1)), zip(*pairs, strict=True)
    for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        assert found[name] == pytest.approx(score(true, said, zero_division=0), abs=1e-12)
    noticed, windows, start = 0, 0, None
    for place, flag in enumerate([*true, False]):
        if flag and start is None:
            start = place
        elif not flag and start is not None:
            windows, noticed, start = windows + 1, noticed + any(said[start:place]), None
    assert (found["windows"], found["window_recall"]) == (windows, pytest.approx(noticed / windows if windows else 0))
    assert windows_of(table)["found"].sum() == noticed and windows_of(table)["rows"].sum() == sum(true)
    counts, matrix = truth_table(table), sk.confusion_matrix(true, said, labels=[False, True])
    assert [counts["tn"], counts["fp"], counts["fn"], counts["tp"]] == matrix.ravel().tolist()


span = st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from("ab")).map(lambda s: {"start": s[0], "end": s[0] + s[1], "label": s[2]})


@given(st.lists(st.tuples(st.lists(span, max_size=4), st.lists(span, max_size=4)), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_spans_are_counted_as_sets(documents: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> None:
    kind = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
    table = pl.DataFrame(documents, {"actual": kind, "predicted": kind}, orient="row")
    found = measure(table)
    sides = [[{(s["start"], s["end"], s["label"]) for s in side} for side in document] for document in documents]
    right = sum(len(true & said) for true, said in sides)
    true, said = (sum(len(document[side]) for document in sides) for side in (0, 1))
    assert found["f1_micro"] == pytest.approx(2 * right / (true + said) if true + said else 0, abs=1e-12)
    assert found["accuracy"] == pytest.approx(np.mean([true == said for true, said in sides]), abs=1e-12)
    assert found["f1_overlap"] >= found["f1_micro"] - 1e-12 and found["f1_boundaries"] >= found["f1_micro"] - 1e-12
    if true + said:
        table_of_labels, cells = per_class(table["actual"], table["predicted"]), confusion(table["actual"], table["predicted"])
        assert (table_of_labels["support"].sum(), table_of_labels["predicted"].sum()) == (true, said)
        assert cells.filter(pl.col("actual") == pl.col("predicted"))["count"].sum() == right


def test_intervals_are_as_wide_as_theory_has_it() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(2000) < 0.8
    table = pl.DataFrame({"actual": ["a"] * 2000, "predicted": np.where(right, "a", "b"), "correct": right})
    low, high = intervals(table, ["accuracy"], resamples=2000).row(0)[2:]
    assert (high - low) / (2 * 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 2000)) == pytest.approx(1, abs=0.08)
    worse = table.with_columns(predicted=pl.when(pl.int_range(pl.len()) < 100).then(pl.lit("b")).otherwise("predicted")).drop("correct")
    told = difference(table, worse, ["accuracy"]).row(0, named=True)
    assert told["significant"] and told["p_value"] < 1e-6 and told["low"] < told["difference"] < told["high"]
    noise = pl.Series(rng.normal(size=400))
    series = pl.DataFrame({"at": range(400), "step": 1, "actual": noise, "predicted": 0.0})
    walk = series.with_columns(actual=noise.cum_sum())
    narrow, wide = (intervals(each, ["mae"]).row(0) for each in (series, walk))
    assert (wide[3] - wide[2]) / wide[1] > 2 * (narrow[3] - narrow[2]) / narrow[1]  # neighbours in time are alike


def test_areas_of_samples_scatter_as_their_intervals_say() -> None:
    rng = np.random.default_rng(1)
    names, truth = list("abc"), rng.integers(0, 3, 600)
    chances = rng.dirichlet(np.ones(3), 600) + 0.6 * np.eye(3)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    table = pl.DataFrame({"actual": np.array(names)[truth], "predicted": np.array(names)[chances.argmax(axis=1)]})
    table = table.with_columns(pl.DataFrame(chances, names).to_struct("probabilities"))
    drawn = [measure(table[rng.integers(0, 600, 600)]) for _ in range(150)]
    for name, _, low, high in intervals(table, ["roc_auc", "average_precision", "brier_score"]).iter_rows():
        assert np.diff(np.quantile([each[name] for each in drawn], [0.05, 0.95]))[0] / (high - low) == pytest.approx(1.645 / 1.96, abs=0.25)


def test_what_confident_learning_finds_was_wrong() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 1000)
    chances = rng.dirichlet(np.ones(4), 1000) + 2 * np.eye(4)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    wrong = rng.permutation(1000)[:60]
    given = truth.copy()
    given[wrong] = (truth[wrong] + 1) % 4
    names = np.array(["날씨", "알람", "음악", "뉴스"])
    table = pl.DataFrame({"_id": [f"d{n}" for n in range(1000)], "actual": names[given], "predicted": names[truth]})
    found = likely_wrong(table.with_columns(pl.DataFrame(chances, list(names)).cast(pl.Float32).to_struct("probabilities")), limit=60)
    assert len(set(found["row"]) & set(wrong.tolist())) >= 50
    assert found["score"].is_sorted(descending=True) and found["_id"][0] == f"d{found['row'][0]}"
    assert (found["suggested"] == pl.Series(names[truth[found["row"]]])).mean() > 0.9


def test_slices_find_the_same_documents_as_the_data_room() -> None:
    from clow_nb.data.query import compile_query

    documents = [{"lang": lang, "n": n, "tags": tags} for n, (lang, tags) in enumerate([("ko", ["a"]), ("en", []), (None, ["a", "b"])] * 4)]
    table = pl.DataFrame(documents).with_columns(actual=pl.lit("x"), predicted=pl.Series(["x", "y", "x"] * 4))
    queries: list[dict[str, Any]] = [
        {"lang": "ko"}, {"n": {"$gte": 5}}, {"tags": "b"}, {"lang": None}, {"$or": [{"lang": "en"}, {"n": 0}]}, {"lang": {"$in": ["ko", "en"]}}, {"$nor": [{"n": {"$lt": 9}}]},
    ]
    for query in queries:
        expected = [compile_query(query)({k: v for k, v in each.items() if v is not None}) for each in documents]
        assert matches(table, query).tolist() == expected, query
    assert slices(table, "lang", ["accuracy"]).rows() == [("en", 4, 0.0), ("ko", 4, 1.0), ("–", 4, 1.0)]
    assert slices(table, "n", ["accuracy"], least=4).is_empty() and slices(table, {"lang": "ko"}, ["accuracy"])["slice"].to_list()[1] == '{"lang": "ko"}'


CHANCES = pl.Series([{"a": 0.7, "b": 0.3}, {"a": float("nan"), "b": 0.2}])
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"actual": [], "predicted": []}, "nothing to judge"),
    "no prediction": ({"actual": ["a"]}, "no column 'predicted'"),
    "two kinds": ({"actual": ["a"], "predicted": [0.5]}, "can't be compared"),
    "nan probability": ({"actual": ["a", "b"], "predicted": ["a", "b"], "probabilities": CHANCES}, "1 documents .first: number 2."),
    "no confidence": ({"actual": ["a", "b"], "predicted": ["a", "b"], "confidence": [0.5, None]}, "confidences of 1 documents"),
    "no number": ({"actual": [1.0, 2.0], "predicted": [1.0, float("nan")]}, "no number in 1 rows"),
    "neither yes nor no": ({"actual": [True, False], "predicted": [None, True]}, "neither yes nor no in 1 rows"),
    "no label at all": ({"actual": [[], []], "predicted": [[], ["a"][:0]]}, "No document that is judged has a label"),
    "a span that ends first": ({"actual": [[{"start": 3, "end": 1, "label": "a"}]], "predicted": [[]]}, "has a span from 3 to 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_judged_says_why(case: str) -> None:
    columns, words = BAD[case]
    with pytest.raises(DataError, match=words):
        measure(pl.DataFrame(columns))


def test_odd_predictions_are_answers_at_every_door() -> None:
    chances = pl.Series([{"a": 0.5, "b": 0.5}] * 4)
    odd = {
        "unknown labels": pl.DataFrame({"actual": ["x", "y", "x", "y"], "predicted": ["a"] * 4, "probabilities": chances}),
        "constant": pl.DataFrame({"actual": ["a", "b", "a", "b"], "predicted": ["a"] * 4, "probabilities": chances}),
        "no answers": pl.DataFrame({"actual": ["a", "b"], "predicted": pl.Series([None, None], dtype=pl.Null)}),
        "one document": pl.DataFrame({"actual": ["a"], "predicted": ["a"], "confidence": [1.0]}),
        "constant numbers": pl.DataFrame({"actual": [2.0, 2.0], "predicted": [2.0, 2.0], "step": [1, 1]}),
        "no anomaly": pl.DataFrame({"actual": [False] * 3, "predicted": [False] * 3, "score": [0.0] * 3}),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, table in odd.items():
            found = intervals(table, resamples=20)
            assert found["value"].is_finite().all() and found["low"].is_finite().all(), name
            assert set(difference(table, table)["p_value"]) == {1.0}, name
    unknown = odd["unknown labels"].with_columns(confidence=0.5, correct=False)
    assert (measure(unknown)["top_3"], likely_wrong(unknown).height, task_of(unknown)) == (0.0, 0, "classification")
    assert confidence_histogram(unknown)["wrong"].sum() == reliability(unknown)["documents"].sum() == 4
    constant = odd["constant"]
    assert threshold_sweep(constant, "a", points=3)["recall"].to_list() == [1, 1, 0]
    assert roc_curve(constant, "a").rows()[-1][:2] == (1, 1) and pr_curve(constant, "a")["precision"].to_list() == [0.5]
