"""Folders, zips, compressed files, pictures: joined, or refused; nothing escapes."""

import bz2
import gzip
import io
import lzma
import tempfile
import tracemalloc
import warnings
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ClowError, FileError
from clow_nb.data import archives
from clow_nb.data.encoding import FileNotice
from clow_nb.data.files import read_file
from clow_nb.data.objects import FileDocuments, Objects, stored
from clow_nb.data.shaping import as_documents

pytestmark = pytest.mark.filterwarnings("ignore::clow_nb.data.encoding.FileNotice")


def _rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    return list(as_documents(read_file(path, **options)))


def _zip(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _cp949(path: Path, names: dict[str, str]) -> Path:
    """A zip as Korean Windows makes it: names in CP949, and no flag that says so."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, text in enumerate(names.values()):
            archive.writestr(f"{number:07}", text)
    data = path.read_bytes()
    for number, name in enumerate(names):
        raw = name.encode("cp949")
        assert len(raw) == 7, "as long as what it replaces"
        data = data.replace(f"{number:07}".encode(), raw)
    path.write_bytes(data)
    return path


def test_names_of_korean_windows(tmp_path: Path) -> None:
    path = _cp949(tmp_path / "x.zip", {"가a.csv": "a\n1\n", "나b.csv": "a\n2\n"})
    assert _rows(path) == [{"a": 1, "file": "가a.csv"}, {"a": 2, "file": "나b.csv"}]


def test_one_file_of_a_zip_is_as_if_it_were_alone(tmp_path: Path) -> None:
    members = {"data/x.csv": "a;b\n1;2\n", "__MACOSX/data/._x.csv": b"\0\5", ".DS_Store": b"\0", "README.txt": "read me"}
    with pytest.warns(FileNotice, match=r"were left out: README.txt"):
        assert _rows(_zip(tmp_path / "x.zip", members)) == [{"a": 1, "b": 2}]
    assert _rows(tmp_path / "x.zip", delimiter=",") == [{"a;b": "1;2"}]


def test_files_are_joined_in_their_order_with_their_own_columns(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"day10.csv": "a,b\n3,x\n", "day2.csv": "a\n2\n", "day1.jsonl": '{"a": 1}'})
    assert _rows(path, files="*.csv") == [{"a": 2, "file": "day2.csv"}, {"a": 3, "b": "x", "file": "day10.csv"}]
    with pytest.raises(FileError, match=r"several formats: csv \(2\), jsonl \(1\)"):
        _rows(path)
    mixed = _zip(tmp_path / "y.zip", {"1.csv": "a\n1\n", "2.csv": "a\nx\n"})
    assert [row["a"] for row in _rows(mixed)] == [1, "x"]
    lines = _zip(tmp_path / "z.zip", {"1.jsonl": '{"a": 1, "file": "own"}', "2.jsonl": '{"a": 2}'})
    assert _rows(lines) == [{"a": 1, "file": "own", "from_file": "1.jsonl"}, {"a": 2, "file": "2.jsonl"}]


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.csv.gz").write_bytes(gzip.compress(b"n\n1\n"))
    (tmp_path / "in" / "sub" / "b.csv").write_text("n\n2\n")
    (tmp_path / "in" / "sub" / "empty.csv").write_text("")
    (tmp_path / "in" / "inner.zip").write_bytes(_zip(tmp_path / "y.zip", {"c.csv": "n\n3\n"}).read_bytes())
    with pytest.warns(FileNotice, match="were left out: inner.zip, sub/empty.csv"):
        assert _rows(tmp_path / "in") == [{"n": 1, "file": "a.csv.gz"}, {"n": 2, "file": "sub/b.csv"}]
    with pytest.raises(FileError, match="holds no file that can be imported"):
        _rows(tmp_path / "in", files="*.parquet")


@pytest.mark.parametrize("name", ["../evil.csv", "/evil.csv", "..\\..\\evil.csv", "a/../../../evil.csv", "C:\\evil.csv"])
def test_nothing_is_unpacked_outside(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch" / "deep").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch" / "deep"))
    found = read_file(_zip(tmp_path / "x.zip", {name: "a\n1\n"}))
    written = list(tmp_path.rglob("evil.csv"))
    assert len(written) == 1 and (tmp_path / "scratch" / "deep") in written[0].parents
    assert list(as_documents(found)) == [{"a": 1}]
    del found
    assert not list((tmp_path / "scratch" / "deep").iterdir())


def test_bombs_are_left_alone(tmp_path: Path) -> None:
    bomb = _zip(tmp_path / "x.zip", {"x.csv": b"a\n" + b"0\n" * 100_000})
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a\n" + b"0\n" * 100_000))
    for path in (bomb, tmp_path / "x.csv.gz"):
        with pytest.raises(FileError, match=r"unpacks to more than 0.0001 GB.*pass max_gb="):
            _rows(path, max_gb=0.0001)
        assert len(_rows(path)) == 100_000


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_GB", 4 * archives.shutil.disk_usage(tmp_path).free)
    with pytest.raises(FileError, match="no room to unpack"):
        _rows(_zip(tmp_path / "x.zip", {"x.csv": "a\n1\n"}))


def test_a_locked_zip_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "x.zip", {"x.csv": "a\n1\n"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FileError, match="locked by a password"):
        _rows(path)


def test_broken_archives_are_refused(tmp_path: Path) -> None:
    whole = _zip(tmp_path / "x.zip", {"x.csv": "a\n" + "1\n" * 500}).read_bytes()
    for name, data in {
        "cut.zip": whole[:60], "crc.zip": whole.replace(whole[40:44], b"\0\1\2\3"), "cut.csv.gz": gzip.compress(b"a\n1\n" * 99)[:20],
        "cut.csv.bz2": bz2.compress(b"a\n1\n" * 99)[:20], "cut.csv.xz": lzma.compress(b"a\n1\n" * 99)[:40],
        "twice.gz": gzip.compress(gzip.compress(b"a")), "tar.gz": gzip.compress(b"\0" * 1024), "empty.csv.gz": gzip.compress(b""),
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ClowError) as caught:
            _rows(tmp_path / name)
        assert str(caught.value).endswith("."), str(caught.value)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_each_compression(tmp_path: Path, ending: str, pack: Any) -> None:
    for name, text in (("x.csv", "a\n1\n"), ("x.json", '[{"a": 1}]'), ("x.jsonl", '{"a": 1}')):
        (tmp_path / f"{name}.{ending}").write_bytes(pack(text.encode()))
        assert _rows(tmp_path / f"{name}.{ending}") == [{"a": 1}]
        assert _rows(tmp_path / f"{name}.{ending}", format=name[2:]) == [{"a": 1}]
    (tmp_path / "plain.csv").write_bytes(pack(b"a\n1\n"))
    assert _rows(tmp_path / "plain.csv") == [{"a": 1}]


def _png(value: int) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_images_by_class(tmp_path: Path, ctx: Context) -> None:
    path = _zip(tmp_path / "pets.zip", {"pets/train/고양이/1.png": _png(1), "pets/test/개/2.PNG": _png(2), "pets/.x/3.png": _png(3)})
    found = read_file(path)
    assert isinstance(found, FileDocuments)
    rows = list(stored(ctx, found))
    assert [(row["label"], row["split"], row["image"]["name"]) for row in rows] == [("개", "test", "2.PNG"), ("고양이", "train", "1.png")]
    assert Objects(ctx).read(rows[1]["image"]) == _png(1)
    mixed = _zip(tmp_path / "x.zip", {"a/1.png": _png(1), "labels.csv": "file,label\n1.png,a\n"})
    with pytest.raises(FileError, match=r"holds 1 images and also files of data \(labels.csv\)"):
        _rows(mixed)
    assert len(_rows(mixed, format="images")) == 1 and _rows(mixed, files="*.csv") == [{"file": "1.png", "label": "a"}]


def _idx(values: Any, dtype: int = 8) -> bytes:
    values = np.asarray(values, {8: ">u1", 13: ">f4"}[dtype])
    return bytes([0, 0, dtype, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape) + values.tobytes()


def test_idx_pairs_alone_and_in_a_folder(tmp_path: Path, ctx: Context) -> None:
    from PIL import Image

    pictures = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(_idx(pictures)))
    (tmp_path / "d" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(_idx([7, 2])))
    for path in (tmp_path / "d", tmp_path / "d" / "t10k-images-idx3-ubyte.gz"):
        rows = list(stored(ctx, read_file(path)))
        assert [row["label"] for row in rows] == [7, 2]
        assert np.array_equal(np.asarray(Image.open(Objects(ctx).path(rows[1]["image"]))), pictures[1])
    (tmp_path / "x.idx").write_bytes(_idx([[1.5, 2.5]], 13))
    assert _rows(tmp_path / "x.idx") == [{"values": [1.5, 2.5]}]
    (tmp_path / "x.idx").write_bytes(_idx([[1.5, 2.5]], 13)[:-1])
    with pytest.raises(FileError, match="19 bytes instead of 20"):
        _rows(tmp_path / "x.idx")
    (tmp_path / "huge.idx").write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(FileError, match="can't be read as IDX"):
        _rows(tmp_path / "huge.idx")


def test_mnist(shared_data: Path) -> None:
    rows = read_file(shared_data / "mnist-t10k")
    assert [row["label"] for row in islice(rows, 4)] == [7, 2, 1, 0]


def test_clothing(shared_data: Path) -> None:
    rows = list(read_file(shared_data / "clothing-small"))
    assert len(rows) == 713 and {row["split"] for row in rows} <= {"train", "valid", "test"}
    assert {"dress", "hat", "pants"} <= {row["label"] for row in rows}


def test_sixty_files_of_one_folder(shared_data: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FileNotice)
        rows = _rows(shared_data / "sroie-receipts-60" / "key")
    assert len(rows) == len({row["file"] for row in rows}) == 60


def test_a_long_json_list_is_not_held_in_memory(tmp_path: Path) -> None:
    item = '{"text": "' + "x" * 1000 + '"}'
    (tmp_path / "x.json").write_text("[" + ",\n".join([item] * 30_000) + "]")
    tracemalloc.start()
    assert sum(1 for _ in read_file(tmp_path / "x.json")) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6, peak  # the file has 30 MB


def test_a_json_list_that_breaks_far_inside(tmp_path: Path) -> None:
    lines = ['{"a": "' + "x" * 90 + '"}'] * 40_000
    lines[39_990] = '{"a" 1}'
    (tmp_path / "x.json").write_text("[\n" + ",\n".join(lines) + "\n]")
    with pytest.raises(FileError, match="line 39992: this is not JSON"):
        _rows(tmp_path / "x.json")


def test_tables_are_batches(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("line\n" * 120_000)
    found = read_file(tmp_path / "x.txt")
    assert isinstance(found, pa.RecordBatchReader) and [len(batch) for batch in found] == [50_000, 50_000, 20_000]


def test_files_of_one_name_in_a_zip_are_all_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for number, name in enumerate(("A.csv", "a.csv", "b/c.csv", "b/c.csv")):
            archive.writestr(name, f"n\n{number}\n")
    assert [row["n"] for row in _rows(tmp_path / "x.zip")] == [0, 1, 2, 3]


def test_a_link_that_leads_nowhere_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    assert _rows(tmp_path) == [{"n": 1}]
