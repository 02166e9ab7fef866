"""Any text at all becomes numbers, the same ones everywhere, alone or among others."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from clow_nb.train.reading import Cut, TextEncoder, fit_reader
from clow_nb.train.tokens import Characters, NgramTfidf, jamo_ids, ngrams, normalize

TEXTS = st.lists(st.text(st.characters(codec=None), max_size=30), min_size=1, max_size=6)
CORPUS = ["알람 맞춰줘", "what is ai?", "인공지능이 뭐야", "set an alarm for 7"]


@pytest.mark.parametrize("cut", ["word", "char", "bpe"])
@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_text_alone_gets_what_it_gets_among_others(cut: Cut, texts: list[str]) -> None:
    encoder = TextEncoder(fit_reader(CORPUS, cut, 4), NgramTfidf().fit(CORPUS))
    together = encoder.encode(texts)
    for number, text in enumerate(texts):
        alone = encoder.encode([text])
        length = int(alone["tokens"].lengths[0])
        assert torch.equal(together["tokens"].values[number, :length], alone["tokens"].values[0, :length])
        assert not together["tokens"].values[number, length:].any()
        begin, end = together["ngrams"].starts[number : number + 2]
        assert torch.equal(together["ngrams"].ids[begin:end], alone["ngrams"].ids)
        assert torch.allclose(together["ngrams"].weights[begin:end], alone["ngrams"].weights)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7A3, categories=("Lu", "Ll", "Lo", "Nd", "Zs")), max_size=40))
def test_pieces_are_those_of_scikit_learn(text: str) -> None:
    text = normalize(text)
    analyzer = CountVectorizer(analyzer="char_wb", ngram_range=(1, 4), lowercase=False).build_analyzer()
    from clow_nb.train.tokens import _pieces

    hashes = np.concatenate([np.zeros(0, np.uint64), *_pieces([text], 4)[1]])
    assert len(np.unique(hashes)) == len(set(analyzer(text)))


def test_hashes_are_the_same_in_another_process() -> None:
    code = f"from clow_nb.train.tokens import ngrams; print(*ngrams({CORPUS!r})[1])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert [int(word) for word in out.stdout.split()] == ngrams(CORPUS)[1].tolist()


def test_hashes_never_change_since_models_keep_them() -> None:
    assert int(ngrams(["알람 a"])[1].sum() % 1_000_003) == 275679


def test_nothing_at_all() -> None:
    assert len(ngrams([])[0]) == 0 == len(ngrams([""])[0])
    for cut in ("auto", "char", "bpe"):
        columns = TextEncoder(fit_reader([""], cut, 4), NgramTfidf().fit([""])).encode(["", "새 글자"])
        assert columns["ngrams"].starts.tolist() == [0, 0, 0] and len(columns["tokens"]) == 2


def test_every_syllable_is_its_jamo() -> None:
    import unicodedata

    codes = np.arange(0xAC00, 0xD7A4, dtype=np.uint32)
    ids = jamo_ids(codes)
    assert len(np.unique(ids, axis=0)) == 11_172 and ids.min() == 1 and ids.max() == 68
    for code, (initial, vowel, final) in zip(codes[::501].tolist(), ids[::501].tolist(), strict=True):
        jamo = [ord(c) for c in unicodedata.normalize("NFD", chr(code))] + [0x11A7]
        assert [initial, vowel, final] == [jamo[0] - 0x1100 + 1, jamo[1] - 0x1161 + 20, jamo[2] - 0x11A7 + 41]


def test_at_most_so_many_features_and_the_most_frequent_of_them() -> None:
    some = NgramTfidf().fit(["알람", "알람", "날씨"], max_features=3)
    assert len(some) == 3 and len(NgramTfidf().fit(["알람", "알람", "날씨"], min_df=2).encode(["날씨"]).ids) == 1
    assert len(some.encode(["알람"]).ids) == 3


def test_characters_are_cut_where_the_reader_stops() -> None:
    assert Characters(max_chars=3).fit(["abcdef"]).encode(["abcdef"]).values.shape == (1, 3, 4)
