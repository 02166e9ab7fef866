"""Gates: what passes and what doesn't, in words that anybody can read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import GateError
from clow_nb.evals.gates import Gate

BETTER = {"accuracy": 0.93, "f1_macro": 0.912, "ece": 0.04, "documents": 114}
WORSE = {"accuracy": 0.91, "f1_macro": 0.905, "ece": 0.07, "documents": 114}


@pytest.mark.parametrize(
    ("gate", "passes"),
    [
        ("f1_macro >= production.f1_macro", True),
        ("production.f1_macro > f1_macro", False),
        ("f1_macro >= production.f1_macro - 0.01", True),
        ("f1_macro > production.f1_macro * 1.1", False),
        ("f1_macro - production.f1_macro > 0.005", True),
        ("ece < production.ece and accuracy > 0.95", False),
        ("ece < production.ece or accuracy > 0.95", True),
        ("0.9 < accuracy <= 0.93", True),
        ("accuracy > 0.95 or (ece <= 0.04 and documents >= 100)", True),
        ("accuracy == 0.93", True),
        ("accuracy != 0.93", False),
        ("-ece >= -0.04", True),
        ("2 * (accuracy - f1_macro) < 0.04", True),
        ("accuracy - (f1_macro - 0.1) > 0.1", True),
    ],
)
def test_gates_are_judged(gate: str, passes: bool) -> None:
    verdict = Gate.parse(gate).check(BETTER, WORSE)
    assert bool(verdict) is verdict.passed is passes
    assert verdict.sentence.startswith("Passed: " if passes else "Not passed: ")


@given(st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=200)
def test_the_sentence_never_contradicts_the_numbers(ours: float, theirs: float) -> None:
    verdict = Gate.parse("f1_macro >= production.f1_macro").check({"f1_macro": ours}, {"f1_macro": theirs})
    assert verdict.passed == (ours >= theirs)
    shown = [float(word.rstrip(".")) for word in verdict.sentence.split() if word[0].isdigit()]
    assert len(shown) == 2
    if ours == theirs or abs(ours - theirs) > 1e-15:
        assert (shown[0] > shown[1], shown[0] < shown[1]) == (ours > theirs, ours < theirs)


def test_a_model_without_a_rival_passes_and_its_metrics_are_still_checked() -> None:
    gate = Gate.parse("f1_macro >= production.f1_macro and accuracy > 0.99")
    verdict = gate.check(BETTER)
    assert not verdict and "accuracy 0.930 is not above 0.99" in verdict.sentence
    assert Gate.parse("f1_macro >= production.f1_macro").check(BETTER).sentence == (
        "Passed: there is no model in production to compare with yet (114 documents)."
    )
    for text in ("f2 >= production.f1_macro", "f1_macro >= production.f2"):
        with pytest.raises(GateError, match=r"'f2'.*There is: accuracy, documents, ece, f1_macro"):
            Gate.parse(text).check(BETTER)


def test_numbers_of_other_documents_are_never_compared() -> None:
    with pytest.raises(GateError, match="114 documents, the production model on 80"):
        Gate.parse("f1_macro > production.f1_macro").check(BETTER, {**WORSE, "documents": 80})
    assert Gate.parse("f1_macro > 0.5").check(BETTER, {**WORSE, "documents": 80})


def test_what_is_no_number_does_not_pass() -> None:
    assert not Gate.parse("f1_macro > " + "1e14 * " * 30 + "1e14").check(BETTER)
    verdict = Gate.parse("f1_macro != production.f1_macro").check({"f1_macro": float("nan")}, WORSE)
    assert not verdict and "can't be compared" in verdict.sentence


def test_only_the_reasons_that_decided_are_given() -> None:
    sentence = Gate.parse("accuracy > 0.5 and f1_macro > 0.95 and ece < 0.01").check(BETTER).sentence
    assert "accuracy" not in sentence and "f1_macro 0.912 is not above 0.95" in sentence and "ece 0.040" in sentence
    sentence = Gate.parse("accuracy > 0.5 or f1_macro > 0.95").check(BETTER).sentence
    assert "f1_macro" not in sentence


def test_verdicts_are_written_in_korean_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    gate = Gate.parse("f1_macro >= production.f1_macro")
    assert str(gate.check(BETTER, WORSE)) == "통과: f1_macro 0.912 은(는) 운영 모델의 0.905 이상입니다 (같은 문서 114개)."
    assert str(gate.check(WORSE, BETTER)).startswith("통과하지 못함: ")
    assert "운영 모델이 없습니다" in str(gate.check(BETTER))
