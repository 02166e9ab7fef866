"""Checkpoints of three kinds, made here: loaded without a network, trained further, kept with the model."""

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from clow_nb.core.errors import DataError, ParameterError
from clow_nb.train.predictor import load_predictor, save_model
from clow_nb.train.solution import solution
from clow_nb.train.trainer import fit

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"set an alarm wake me up at seven what is ai are you a robot i am hungry order pizza".split()]
SIZES = {"vocab_size": len(set(WORDS)), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
KINDS = {
    "Bert": {},
    "Electra": {"embedding_size": 16},
    "MobileBert": {"embedding_size": 8, "intra_bottleneck_size": 16, "num_feedforward_networks": 1},
}
LEARNED = {"Bert": 0.6, "Electra": 0.6, "MobileBert": 0.3}  # so small a MobileBert hardly learns


def make_checkpoint(kind: str, folder: Path) -> Path:
    """A tiny network of a kind with random weights, as `save_pretrained` writes it."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    transformers.BertTokenizer({word: n for n, word in enumerate(dict.fromkeys(WORDS))}).save_pretrained(folder)
    config = getattr(transformers, f"{kind}Config")(**SIZES, **KINDS[kind])
    getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_is_trained_further_and_needed_no_more(frame: pl.DataFrame, tmp_path: Path, kind: str) -> None:
    folder = make_checkpoint(kind, tmp_path / "checkpoint")
    english = frame.filter(pl.col("text").str.contains("[a-z]"))
    task = solution("nlp-intent", {"checkpoint": str(folder), "lr": 0.003, "epochs": 12, "patience": 12, "batch_size": 16})
    splits = task.prepare(english)
    before = task.model().state_dict()
    key = next(name for name in before if name.endswith("word_embeddings.weight"))
    pretrained = getattr(pytest.importorskip("transformers"), f"{kind}Model").from_pretrained(folder).state_dict()
    assert torch.equal(before[key], pretrained["embeddings.word_embeddings.weight"])
    model, progress = fit(task, splits["train"], splits["valid"])
    assert progress.metrics["valid_accuracy"] > LEARNED[kind] and not torch.equal(model.state_dict()[key], before[key])
    save_model(tmp_path / "model", task, model, progress.metrics)
    shutil.rmtree(folder)
    predictor = load_predictor(tmp_path / "model")
    asked = [{"text": "set an alarm 3"}, {"text": "what is ai 4"}, {"text": ""}]
    with torch.inference_mode():
        said = torch.cat([task.predict(model, batch) for batch in task.encode(asked).batches(9)])
    for answer, row in zip(predictor.predict(asked), said, strict=True):
        assert answer["confidence"] == pytest.approx(row.max().item(), abs=1e-6)


def test_what_may_not_be_loaded_is_refused(frame: pl.DataFrame, tmp_path: Path) -> None:
    folder = make_checkpoint("Bert", tmp_path / "checkpoint")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    for path, words in [(folder, "no weights as safetensors; it has config.json, pytorch_model.bin"), (tmp_path, "is no checkpoint")]:
        with pytest.raises(DataError, match=words):
            solution("nlp-intent", {"checkpoint": str(path)}).prepare(frame)


def test_weights_that_are_no_numbers_end_the_training(frame: pl.DataFrame, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = make_checkpoint("Bert", tmp_path / "checkpoint") / "model.safetensors"
    save_file({name: tensor * float("nan") for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    task = solution("nlp-intent", {"checkpoint": str(file.parent), "epochs": 1})
    splits = task.prepare(frame)
    with pytest.raises(ParameterError, match="The loss is no longer a number in epoch 1 with lr=5e-05"):
        fit(task, splits["train"], splits["valid"])


def test_without_the_extra_its_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "from clow_nb.train.solutions.text_checkpoint import read_checkpoint\n"
        "try: read_checkpoint(sys.argv[1], 8)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("ParameterError") and "Install clow_nb[hf]" in out.stdout
