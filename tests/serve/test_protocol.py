"""Whatever bytes come in: documents, or a refusal with a reason."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb.serve.client import encode
from clow_nb.serve.protocol import (
    Refused,
    check_documents,
    prediction_ids,
    read_documents,
    write_answer,
    write_refusal,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=4)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_documents_or_refused(body: bytes) -> None:
    try:
        documents, shape = read_documents(body)
    except Refused as refusal:
        assert refusal.status in (400, 422) and refusal.message
        assert json.loads(write_refusal(refusal, "r")[0])["error"]
    else:
        assert all(isinstance(document, dict) for document in documents) and shape in ("one", "list", "documents")


@settings(deadline=None, max_examples=100)
@given(st.lists(DOCUMENTS, max_size=4))
def test_documents_arrive_as_they_were_sent(documents: list[dict[str, Any]]) -> None:
    for body, shape in ((documents, "list"), ({"documents": documents}, "documents")):
        assert read_documents(encode(body)) == (documents, shape)


@settings(deadline=None)
@given(DOCUMENTS)
def test_answers_have_the_shape_of_the_question(output: dict[str, Any]) -> None:
    for shape, count in (("one", 1), ("list", 3), ("documents", 0)):
        answer = json.loads(write_answer([output] * count, prediction_ids("r", count, shape), "v1", 1.5, shape))
        predictions = [answer] if shape == "one" else answer if shape == "list" else answer["predictions"]
        assert len(predictions) == count
        for prediction in predictions:
            assert prediction == {**output, **{key: prediction[key] for key in ("request_id", "version", "lat_ms")}}


@pytest.mark.parametrize("depth", [10, 1_000, 100_000])
def test_deep_json_is_refused_cheaply(depth: int) -> None:
    with pytest.raises(Refused) as caught:
        read_documents(b'{"a":' * depth + b"[]" + b"}" * depth if depth > 10 else b"[" * depth + b"]" * depth)
    assert caught.value.status in (400, 422)


def test_a_key_called_documents_is_a_document_if_it_is_not_alone() -> None:
    body = {"documents": ["a"], "text": "b"}
    assert read_documents(encode(body)) == ([body], "one")
    assert read_documents(encode({"documents": "text"})) == ([{"documents": "text"}], "one")


def test_refusals_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    with pytest.raises(Refused, match="값이 없습니다") as caught:
        check_documents([{"text": "가"}, {}], {"text": "string"})
    assert caught.value.path == "$[1].text"
    assert "모델에는" in write_refusal(caught.value, "r")[0].decode()
