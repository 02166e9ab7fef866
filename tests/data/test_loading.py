"""Rows for a training: types, order, filters, memory or disk, pictures, workers."""

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from clow_nb.core.context import Context
from clow_nb.core.errors import FileError, ParameterError
from clow_nb.data.dataset import Dataset, Datasets
from clow_nb.data.loading import Samples, Shuffled
from clow_nb.data.objects import Objects
from clow_nb.data.upkeep import compact

DOCS: list[dict[str, Any]] = [
    {"text": f"문장 {i}", "n": i, "x": i / 4, "on": i % 2 == 0, "gap": i} if i % 7 else {"text": i, "n": i, "x": "odd", "on": True} for i in range(3000)
]
HELD, DISK = 1 << 40, 0


@pytest.fixture
def dataset(ctx: Context) -> Dataset:
    return Datasets(ctx).create("d-1", DOCS).split(train=8, test=2)


def _samples(dataset: Dataset, keys: list[str] | None = None, **options: Any) -> Samples:
    return Samples(dataset.ctx, dataset.snapshot, keys, **options)


@pytest.mark.parametrize("memory", [HELD, DISK])
def test_a_batch_has_one_type_a_key(dataset: Dataset, memory: int) -> None:
    samples = _samples(dataset, ["x", "n", "on", "gap", "text"], memory=memory)
    batch = samples[[8, 7, 2999]]
    assert list(batch) == ["x", "n", "on", "gap", "text"]
    assert [batch[key].dtype for key in ("x", "n", "on", "gap")] == [torch.float32, torch.int64, torch.bool, torch.float32]
    assert batch["n"].tolist() == [8, 7, 2999] and batch["text"] == ["문장 8", "7", "문장 2999"]
    assert batch["x"].isnan().tolist() == batch["gap"].isnan().tolist() == [False, True, False]
    assert samples[[1, 2]]["gap"].dtype == torch.float32  # as in every other batch
    one = samples[8]
    assert (one["n"].item(), one["x"].item(), one["text"]) == (8, 2.0, "문장 8")
    assert len(samples) == 3000


@pytest.mark.parametrize("memory", [HELD, DISK])
def test_only_what_is_asked_for_is_read(dataset: Dataset, memory: int) -> None:
    samples = _samples(dataset, ["n", "gap"], query={"gap": {"$gte": 2000}}, split="train", memory=memory)
    expected = [d["n"] for d in dataset.documents({"gap": {"$gte": 2000}, "split": "train"})]
    assert samples[np.arange(len(samples))]["n"].tolist() == expected
    assert samples[[0]]["gap"].dtype == torch.int64  # none of these lacks it
    empty = _samples(dataset, ["n"], split="none", memory=memory)
    assert len(empty) == 0 and list(empty.loader(8, shuffle=False)) == []
    assert memory or list(Shuffled(empty, 8)) == []
    with pytest.raises(ParameterError, match=r"the key 'label'.*Choose among: text, n, x"):
        _samples(dataset, ["n", "label"])


@pytest.mark.parametrize("memory", [HELD, DISK])
def test_each_pass_has_every_sample_once_in_another_order(dataset: Dataset, memory: int) -> None:
    def order(loader: Any) -> list[int]:
        return [n for batch in loader for n in batch["n"].tolist()]

    loader = _samples(dataset, ["n"], memory=memory).loader(64, seed=3)
    passes = [order(loader) for _ in range(3)]
    assert all(sorted(numbers) == list(range(3000)) for numbers in passes)
    assert len({tuple(numbers) for numbers in passes}) == 3
    again = _samples(dataset, ["n"], memory=memory).loader(64, seed=3)
    assert [order(again) for _ in range(2)] == passes[:2]
    assert order(_samples(dataset, ["n"], memory=memory).loader(64, shuffle=False)) == list(range(3000))
    assert {len(b["n"]) for b in _samples(dataset, ["n"], memory=memory).loader(64, drop_last=True)} == {64}
    far = np.abs(np.diff(passes[0])).mean()
    assert far > 300  # neighbours are torn apart


def test_the_order_is_that_of_the_documents_also_after_edits(dataset: Dataset) -> None:
    edit = dataset.edit()
    edit.set({"n": {"$lt": 5}}, "x", 99)
    edit.delete({"n": 10})
    edited = edit.commit()
    expected = [d["n"] for d in edited.documents()]
    compact(dataset.ctx, "dataset", "d-1")
    for version in (edited, Datasets(dataset.ctx)["d-1"]):
        for memory in (HELD, DISK):
            assert _samples(version, ["n"], memory=memory)[np.arange(2999)]["n"].tolist() == expected


def _length(sample: dict[str, Any]) -> tuple[int, torch.Tensor]:
    return len(sample["text"]), sample["n"]


@pytest.mark.parametrize("memory", [HELD, DISK])
def test_a_transform_makes_samples(dataset: Dataset, memory: int) -> None:
    samples = _samples(dataset, ["text", "n"], transform=_length, memory=memory)
    assert samples[1][0] == 4
    lengths, numbers = samples[[1, 10]]
    assert (lengths.tolist(), numbers.tolist()) == ([4, 5], [1, 10])
    usual = next(iter(DataLoader(samples, batch_size=5)))  # PyTorch's own way, with its own collate
    assert usual[1].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("memory", [HELD, DISK])
def test_samples_travel_to_other_processes(dataset: Dataset, memory: int) -> None:
    samples: Samples = pickle.loads(pickle.dumps(_samples(dataset, ["n", "text"], memory=memory)))
    assert samples[[5, 3]]["text"] == ["문장 5", "문장 3"]


@pytest.mark.slow
@pytest.mark.parametrize("memory", [HELD, DISK])
def test_workers_share_the_samples(dataset: Dataset, memory: int) -> None:
    loader = _samples(dataset, ["n", "text"], memory=memory).loader(100, workers=2)
    passes = [[n for batch in loader for n in batch["n"].tolist()] for _ in range(2)]
    assert [sorted(numbers) for numbers in passes] == [list(range(3000))] * 2 and passes[0] != passes[1]


def test_pictures_are_opened_and_other_files_read(ctx: Context, tmp_path: Path) -> None:
    made, objects = io.BytesIO(), Objects(ctx)
    Image.new("RGBA", (8, 6), (255, 0, 0, 255)).save(made, "PNG")
    cat, note, bad = objects.put(made.getvalue(), "cat.png"), objects.put(b"%PDF-1.7", "a.pdf"), objects.put(made.getvalue()[:50], "bad.png")
    dataset = Datasets(ctx).create("d-1", [{"image": cat, "files": [note, cat]}, {"image": cat, "files": []}, {"n": 1}, {"image": bad}])

    def pixels(sample: dict[str, Any]) -> torch.Tensor:
        return torch.from_numpy(np.asarray(sample["image"]).copy())

    batch = _samples(dataset, ["image", "files"])[[0, 2]]
    assert batch["image"][0].size == (8, 6) and batch["image"][1] is None
    assert batch["files"][0][0] == b"%PDF-1.7" and batch["files"][0][1].mode == "RGB"
    assert _samples(dataset, ["image"], transform=pixels)[[0, 1]].shape == (2, 6, 8, 3)
    with pytest.raises(FileError, match=r"bad\.png cannot be shown"):
        _samples(dataset, ["image"])[[3]]
    objects.path(cat).unlink()
    with pytest.raises(FileError, match=r"cat\.png is not there any more"):
        _samples(dataset, ["image"])[[0]]


def test_missing_numbers_are_nan(dataset: Dataset) -> None:
    value = _samples(dataset, ["gap"])[7]["gap"].item()
    assert math.isnan(value)


def test_one_key_and_no_samples(ctx: Context) -> None:
    dataset = Datasets(ctx).create("d-1", [{"text": "가"}, {"text": "나"}])
    assert dataset.samples("text")[1] == {"text": "나"}
    assert list(dataset.samples(["text"], query={"text": "다"}).loader(batch_size=2)) == []
