"""Scores equal scikit-learn's, and what can't be scored says so."""

import warnings

import numpy as np
import polars as pl
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import DataError
from clow_nb.evals.calibration import ece
from clow_nb.evals.metrics import classification_metrics, confusion, measure, per_class
from clow_nb.evals.probabilities import log_loss, top_k

LABELS = ["alarm", "music", "news", "weather", "날씨", "음악"]


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[str], list[str], np.ndarray]:
    labels = st.lists(st.sampled_from(LABELS), min_size=1, max_size=40)
    actual = draw(labels)
    predicted = draw(st.lists(st.sampled_from(LABELS), min_size=len(actual), max_size=len(actual)))
    cells = st.lists(st.integers(0, 4), min_size=len(LABELS), max_size=len(LABELS)).filter(any)
    counts = draw(st.lists(cells, min_size=len(actual), max_size=len(actual)))
    weights = np.array(counts, dtype=float)
    return actual, predicted, weights / weights.sum(axis=1, keepdims=True)


@given(judged())
@settings(deadline=None, max_examples=40)
def test_scores_equal_scikit_learn(case: tuple[list[str], list[str], np.ndarray]) -> None:
    actual, predicted, chances = case
    found = classification_metrics(actual, predicted, chances, LABELS)
    sk = sklearn.metrics
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": sk.accuracy_score(actual, predicted),
            "mcc": sk.matthews_corrcoef(actual, predicted),
            "top_3": sk.top_k_accuracy_score(actual, chances, k=3, labels=LABELS),
            "log_loss": sk.log_loss(actual, chances, labels=LABELS),
            "brier_score": sk.brier_score_loss(actual, chances, labels=LABELS),
        }
        for average in ("macro", "micro", "weighted"):
            shares = sk.precision_recall_fscore_support(actual, predicted, average=average, zero_division=0)
            expected |= {f"{name}_{average}": value for name, value in zip(("precision", "recall", "f1"), shares, strict=False)}
    marks, there = np.array(actual)[:, None] == LABELS, [LABELS.index(name) for name in {*actual}]
    if len(there) > 1:
        expected["roc_auc"] = sk.roc_auc_score(marks[:, there], chances[:, there], average="macro")
        expected["average_precision"] = sk.average_precision_score(marks[:, there], chances[:, there], average="macro")
    assert ("roc_auc" in found) == (len(there) > 1)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    assert found["documents"] == len(actual)


@given(judged())
@settings(deadline=None, max_examples=30)
def test_classes_and_cells_equal_scikit_learn(case: tuple[list[str], list[str], np.ndarray]) -> None:
    actual, predicted, _ = case
    names = sorted({*actual, *predicted})
    table = per_class(actual, predicted)
    shares = sklearn.metrics.precision_recall_fscore_support(actual, predicted, labels=names, zero_division=0)
    assert table["label"].to_list() == names
    for column, values in zip(("precision", "recall", "f1", "support"), shares, strict=True):
        assert np.allclose(table[column], values, atol=1e-12, rtol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = sklearn.metrics.confusion_matrix(actual, predicted, labels=names)
    cells = {(a, p): n for a, p, n in confusion(actual, predicted).rows()}
    assert cells == {(a, p): matrix[i, j] for i, a in enumerate(names) for j, p in enumerate(names) if matrix[i, j]}


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 20))
@settings(deadline=None, max_examples=100)
def test_ece_is_its_definition(pairs: list[tuple[float, bool]], bins: int) -> None:
    total = 0.0
    for number in range(bins):
        inside = [
            (sure, right) for sure, right in pairs
            if min(max(int(np.ceil(sure * bins)) - 1, 0), bins - 1) == number
        ]
        if inside:
            gap = np.mean([right for _, right in inside]) - np.mean([sure for sure, _ in inside])
            total += abs(gap) * len(inside) / len(pairs)
    assert ece([s for s, _ in pairs], [r for _, r in pairs], bins) == pytest.approx(total, abs=1e-12)


def test_a_label_the_model_never_saw_is_wrong_at_any_k() -> None:
    chances = np.array([[0.6, 0.4], [0.5, 0.5]])
    found = classification_metrics(["hotel", "a"], ["a", "a"], chances, ["a", "b"])
    assert found["top_3"] == 0.5
    assert np.isfinite(found["log_loss"]) and found["log_loss"] > 15
    assert top_k(["hotel"], chances[:1], ["a", "b"], 9) == 0.0


def test_a_predicted_label_without_a_column_has_no_confidence() -> None:
    found = classification_metrics(["a"], ["rule"], [[1.0, 0.0]], ["a", "b"])
    assert found["accuracy"] == 0.0 and found["ece"] == 0.0


def test_one_class_and_a_constant_prediction_are_answers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = classification_metrics(["a"] * 3, ["a"] * 3, [[1.0]] * 3, ["a"])
        constant = classification_metrics(["a", "b", "c"], ["a"] * 3)
    assert one["accuracy"] == one["f1_macro"] == one["top_3"] == 1.0 and one["mcc"] == 0.0
    assert one["log_loss"] == pytest.approx(0, abs=1e-12)
    assert constant["recall_macro"] == pytest.approx(1 / 3) and constant["mcc"] == 0.0


@pytest.mark.parametrize(
    ("chances", "words"),
    [
        ([[0.5, 0.5]], "1 × 2"),
        ([[0.5], [0.5]], "2 × 1"),
        ([[0.5, float("nan")], [0.5, 0.5]], "number 1"),
        ([[0.5, 0.5], [1.5, -0.5]], "number 2"),
        ([[0.5, 0.5], [float("inf"), 0.0]], "number 2"),
    ],
)
def test_numbers_that_are_no_probabilities_are_refused(chances: list[list[float]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        classification_metrics(["a", "b"], ["a", "b"], chances, ["a", "b"])


def test_nothing_to_judge_is_said() -> None:
    for judge in (classification_metrics, per_class, confusion):
        with pytest.raises(DataError, match="nothing to judge"):
            judge([], [])
        with pytest.raises(DataError, match="1 labels but 2"):
            judge(["a"], ["a", "b"])


def test_the_stored_table_gives_the_same_scores() -> None:
    chances = np.array([[0.75, 0.25], [0.5, 0.5]])
    table = pl.DataFrame({"actual": ["a", "b"], "predicted": ["a", "a"], "confidence": [0.75, 0.5]})
    structs = pl.DataFrame(chances, ["a", "b"]).cast(pl.Float32).to_struct("probabilities")
    assert measure(table.with_columns(structs)) == classification_metrics(["a", "b"], ["a", "a"], chances, ["a", "b"])
    assert "log_loss" not in measure(table) and "ece" in measure(table)
    assert log_loss(["a"], chances[:1], ["a", "b"]) == pytest.approx(-np.log(0.75))
