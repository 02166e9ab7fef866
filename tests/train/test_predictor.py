"""A model folder: same answers after loading, nothing tampered, nothing that runs code."""

import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clow_nb.core.errors import DataError
from clow_nb.train.predictor import load_predictor

DOCUMENTS = [{"text": text} for text in ("알람", "a", "i want to order a very large pizza with everything on it " * 3, "", "🎉")]


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def test_alone_or_in_a_batch_a_document_gets_the_same_answer(trained: Path) -> None:
    predictor = load_predictor(trained)
    together = predictor.predict(DOCUMENTS, probabilities=True)
    for document, expected in zip(DOCUMENTS, together, strict=True):
        alone = predictor.predict([document], probabilities=True)[0]
        assert alone["label"] == expected["label"]
        assert alone["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)


def test_threads_do_not_disturb_each_other(trained: Path) -> None:
    predictor = load_predictor(trained)
    expected = predictor.predict(DOCUMENTS)
    with ThreadPoolExecutor(4) as pool:
        assert all(answers == expected for answers in pool.map(lambda _: predictor.predict(DOCUMENTS), range(20)))


def test_examples_can_be_predicted(trained: Path) -> None:
    predictor = load_predictor(trained)
    assert len(predictor.predict(predictor.examples)) == 3 == len(predictor.labels)


@pytest.mark.parametrize("document", [{}, {"text": None}, {"text": 3}, {"body": "알람"}])
def test_a_document_without_text_is_refused(trained: Path, document: dict) -> None:
    with pytest.raises(DataError, match="Document 2 has no text under the key 'text'"):
        load_predictor(trained).predict([{"text": "알람"}, document])


def test_a_pickle_is_refused(copy: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (copy / "exploded",))

    (copy / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    config = json.loads((copy / "config.json").read_text("utf-8"))
    with pytest.raises(DataError, match="was changed since"):
        load_predictor(copy)
    import hashlib

    config["files"]["model.safetensors"] = hashlib.sha256((copy / "model.safetensors").read_bytes()).hexdigest()
    (copy / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(DataError, match="is no safetensors file"):
        load_predictor(copy)
    assert not (copy / "exploded").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {}}', '{"files": {"../../etc/passwd": "x"}}'])
def test_a_broken_configuration_is_refused(copy: Path, text: str) -> None:
    (copy / "config.json").write_text(text)
    with pytest.raises(DataError):
        load_predictor(copy)
