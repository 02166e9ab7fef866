"""Nothing but the small grammar of formulas gets through, whatever is thrown at it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.core.errors import GateError
from clow_nb.evals.formulas import read_formula
from clow_nb.evals.gates import Gate

BETTER = {"accuracy": 0.93, "f1_macro": 0.912, "ece": 0.04, "documents": 114}
WORSE = {"accuracy": 0.91, "f1_macro": 0.905, "ece": 0.07, "documents": 114}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "True",
        "f1_macro",
        "1",
        "f1_macro > 'a'",
        "f1_macro > None",
        "f1_macro > True",
        "f1_macro > 1j",
        "f1_macro > 1e999",
        "f1_macro in (1, 2)",
        "f1_macro is 1",
        "not f1_macro > 1",
        "f1_macro / 2 > 0.1",
        "f1_macro ** 99999999 > 1",
        "(lambda: 1)() > 0",
        "__import__('os').getpid() > 0",
        "f1_macro.__class__ > 0",
        "production.f1_macro.real > 0",
        "staging.f1_macro > 0",
        "production > 0",
        "[x for x in (1,)] > 0",
        "f1_macro > 0; accuracy > 0",
        "(f1_macro := 1) > 0",
        "f'{accuracy}' > 0",
        "recall[alarm] > 0.9",
        "recall['alarm']['clock'] > 0.9",
        "recall['alarm'].real > 0.9",
        "f1_macro > 0 if accuracy > 0 else ece > 0",
        "f1_macro > 0\x00",
        "(" * 300 + "1" + ")" * 300,
        "f1_macro > 1" + "0" * 400,
        "f1_macro > 0" + " and f1_macro > 0" * 100,
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(GateError, match="for example"):
        read_formula(text)


@given(st.text(alphabet="f1_macroproduction. ()<>=!+-*/andor0123456789'\"[]{}:,;\n\\", max_size=60))
@settings(deadline=None, max_examples=300)
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        gate = Gate.parse(text)
    except GateError:
        return
    try:
        assert gate.check(BETTER, WORSE).sentence
    except GateError as error:
        assert "There is" in error.message
