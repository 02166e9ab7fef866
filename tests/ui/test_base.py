"""The message rule never breaks, errors never show a traceback, views never run what they show."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clow_nb.core.errors import NotFound
from clow_nb.ui import base

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(message=JSON)
def test_any_message_gets_an_answer(message: Any) -> None:
    content, buffers = base.answer({"known": lambda _: {"value": 1}}, message)
    assert buffers == [] and "uuid" in content
    json.dumps(content)


def test_a_handler_cannot_take_the_place_of_type_or_uuid() -> None:
    handlers = {"ask": lambda _: {"uuid": "other", "type": "other", "value": 1}}
    content, _ = base.answer(handlers, {"type": "ask", "uuid": "mine"})
    assert content == {"type": "ask", "uuid": "mine", "value": 1}


def test_errors_are_sentences_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: dict[str, Any]) -> None:
        raise ZeroDivisionError("division by zero\n  File secret.py, line 3")

    monkeypatch.setenv("CLOW_LANG", "ko")
    error = base.answer({"fail": fail}, {"type": "fail", "uuid": "1"})[0]["error"]
    assert "예상하지 못한 문제" in error and "ZeroDivisionError" in error
    assert "secret.py" not in error and "Traceback" not in error


def test_a_missing_bundle_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(base, "_STATIC", tmp_path)
    base.static.cache_clear()
    try:
        with pytest.raises(base.ServiceError, match="make setup"):
            base.Header(title="x")
        assert "make setup" in base.problem(_caught(base.Header))
    finally:
        base.static.cache_clear()


def _caught(call: Any) -> Exception:
    with pytest.raises(Exception) as caught:
        call()
    return caught.value


def test_static_html_escapes_everything() -> None:
    evil = "<img src=x onerror=alert(1)>"
    head = base.Header(kind=evil, title=evil, facts=[[evil, evil]], path=evil)
    assert "<img" not in base.View(head).static_html()


def test_a_fallback_that_fails_is_a_sentence() -> None:
    def fail() -> str:
        raise NotFound("gone <b>")

    html = base.View(base.Header(title="x"), fallback=fail).static_html()
    assert "gone &lt;b&gt;" in html


def test_messages_reach_the_page_through_the_widget() -> None:
    head, sent = base.Header(title="x"), []
    head.send = lambda content, buffers: sent.append((content, buffers))
    head._handle_custom_msg({"type": "font", "uuid": "9"}, [])
    (content, buffers), = sent
    assert content["uuid"] == "9" and len(buffers) == len(content["faces"]) == 2


@given(value=JSON)
def test_code_of_a_value_is_the_value(value: Any) -> None:
    assert eval(base.as_code(value)) == json.loads(json.dumps(value))
