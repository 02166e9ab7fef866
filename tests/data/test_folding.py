"""`$contains` finds what Python's own comparison of folded texts finds, by the table as in memory."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clow_nb import Workspace
from clow_nb.data.dataset import Dataset
from clow_nb.data.folding import fold, is_simple
from clow_nb.data.query import compile_query

LETTERS = "aAbßsſSkK\u212aiIİıéÉe\u0301\u0323\u030c배백송백가각갃\u1100\u1161\u11a8\u11ba豈\uf900\ud55c\U0002f800ﬁΣσς\u0345\u09c7\u09be\u0e01\u0e48.+*('\"\\ \n0😀"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=6)


def _alike(value: object, words: Sequence[str]) -> bool:
    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())

    return isinstance(value, str) and all(plain(word) in plain(value) for word in words)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Pairs of letters, some words decomposed, a key that holds other things too, and words in lists and in objects."""
    words = [first + second for first in LETTERS for second in LETTERS][::4] + ["배송"]
    words += [unicodedata.normalize("NFD", word) for word in ("배송이 늦어요", "백", "Café Étoile", "각오")] + ["배송이 늦어요", ""]
    documents = [
        {"text": word, "mixed": number if number % 7 == 0 else word, "tags": [word, "x"], "in": {"side": word, "other": number}, "odd": word.upper()}
        for number, word in enumerate(words)
    ]
    return Workspace(tmp_path_factory.mktemp("texts")).datasets.create("texts", documents)


@settings(max_examples=25, deadline=None)
@given(words=st.lists(TEXTS, min_size=1, max_size=2), key=st.sampled_from(["text", "mixed", "tags", "in.side", "in"]), negated=st.booleans())
def test_the_table_finds_what_python_finds(texts: Dataset, words: list[str], key: str, negated: bool) -> None:
    condition = {"$contains": words if len(words) > 1 else words[0]}
    query = {key: {"$not": condition} if negated else condition}
    documents = list(texts.documents())

    def holds(document: dict) -> bool:
        value = list(document["in"].values()) if key.startswith("in") else document[key]
        found = any(_alike(item, words) for item in value) if isinstance(value, list) else _alike(value, words)
        return found is not negated

    wanted = [document["_id"] for document in documents if holds(document)]
    assert [document["_id"] for document in documents if compile_query(query)(document)] == wanted
    assert [document["_id"] for document in texts.documents(query)] == wanted
    assert [document["_id"] for document in texts.documents(query, limit=5)] == wanted[:5]
    assert texts.count({**query, "odd": {"$exists": True}}) == len(wanted)


@given(text=st.text(), form=st.sampled_from(["NFC", "NFD"]))
def test_composition_and_case_are_forgotten(text: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, text)) == fold(text)
    assert fold(text) == unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@given(text=st.text(), letter=st.characters())
def test_a_simple_letter_is_folded_by_itself(text: str, letter: str) -> None:
    if all(map(is_simple, text)) and is_simple(letter):
        assert fold(text + letter) == fold(text) + letter.casefold()


def test_letters_beyond_the_basic_planes_are_simple_but_for_one_block() -> None:
    strange = [code for code in range(0x20000, 0x110000) if not is_simple(chr(code))]
    assert min(strange) >= 0x2F800 and max(strange) < 0x2FA20


def test_words_are_found_in_any_form(texts: Dataset) -> None:
    for typed in ("배송", unicodedata.normalize("NFD", "배송")):
        assert texts.count({"text": {"$contains": typed}}) == 3, ascii(typed)
    assert texts.count({"text": {"$contains": ["늦어", "배송"]}}) == 2
    assert texts.count({"text": {"$contains": "café"}}) == texts.count({"text": {"$contains": "CAFÉ"}}) == 1
    assert texts.count({"text": {"$contains": "cafe"}}) == 0
