"""Raw files: any source, stored once and whole, found by reference, never lost to a clean-up that runs beside."""

import io
import multiprocessing
import os
import pickle
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from PIL import Image

from clow_nb.core.context import Context
from clow_nb.core.errors import FileError
from clow_nb.data import storage
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.data.objects import Objects, RawFile, is_object, is_object_type, stored
from clow_nb.data.upkeep import clean

NONE = timedelta(0)


@pytest.fixture
def objects(ctx: Context) -> Objects:
    return Objects(ctx)


def _picture(colour: str = "teal", kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(made, kind)
    return made.getvalue()


def _age(objects: Objects, *references: dict[str, Any], hours: float = 48) -> None:
    for reference in references:
        os.utime(objects.path(reference), (time.time() - hours * 3600,) * 2)


def _left(objects: Objects) -> list[str]:
    return [path.name for path in Path(objects.uri).rglob(".*")] if Path(objects.uri).exists() else []


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "고양이 1.png").write_bytes(_picture())
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "web"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_every_source_gives_the_same_object(objects: Objects, tmp_path: Path, web: str) -> None:
    path = tmp_path / "고양이 1.png"
    path.write_bytes(_picture())
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(path, "deep/고양이 1.png")
    sources = [
        path, str(path), f"file://{path}", f"{web}/%EA%B3%A0%EC%96%91%EC%9D%B4%201.png", path.open("rb"),
        zipfile.Path(tmp_path / "z.zip") / "deep" / "고양이 1.png",
    ]
    references = [objects.put(source) for source in sources]
    expected = {"object": references[0]["object"], "media": "image/png", "size": len(_picture()), "name": "고양이 1.png"}
    assert references == [expected] * len(sources)
    for source in (_picture(), bytearray(_picture()), memoryview(_picture()), io.BytesIO(_picture())):
        assert objects.put(source, name="고양이 1.png") == expected
    assert objects.list()["object"].to_list() == [expected["object"]]
    assert objects.put(_picture())["name"] == expected["object"][:12] + ".png"


def test_the_content_names_the_object_not_the_file(objects: Objects) -> None:
    two = [objects.put(b"a,b\n1,2\n", name) for name in ("table.csv", "notes.txt")]
    assert two[0]["object"] == two[1]["object"] and [r["media"] for r in two] == ["text/csv", "text/plain"]
    assert objects.put(_picture(kind="JPEG"), "really a jpeg.png")["media"] == "image/jpeg"
    empty = objects.put(b"", "nothing.bin")
    assert (empty["size"], objects.read(empty)) == (0, b"")


def test_what_cannot_be_read_leaves_nothing(objects: Objects, tmp_path: Path, web: str) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("the line was cut")
            return super().read(5)

    broken = tmp_path / "z.zip"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("a.png", _picture())
    broken.write_bytes(broken.read_bytes().replace(_picture()[20:40], b"x" * 20))
    for source, why in {
        tmp_path / "none.png": "none.png cannot be stored .No such file", tmp_path: "Is a directory", f"{web}/none.png": "none.png.*404",
        Cut(b"0123456789"): "the line was cut", zipfile.Path(broken) / "a.png": "a.png cannot be stored .Bad CRC", 7: "a value of type int",
    }.items():
        with pytest.raises(FileError, match=why):
            objects.put(source)
    assert objects.list().is_empty() and not _left(objects)


def test_a_large_file_is_streamed(objects: Objects, tmp_path: Path) -> None:
    path = tmp_path / "film.bin"
    with path.open("wb") as file:
        for i in range(40):
            file.write(bytes([i]) * 1_000_000)
    tracemalloc.start()
    reference = objects.put(path)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert reference["size"] == 40_000_000 and objects.path(reference).stat().st_size == 40_000_000


def test_references_are_told_from_other_values(ctx: Context, objects: Objects) -> None:
    reference = objects.put(_picture(), "a.png")
    assert is_object(reference) and not is_object({**reference, "object": "../x"}) and not is_object({**reference, "more": 1})
    frame = Datasets(ctx).create("d-1", [{"image": reference, "n": 1, "images": [reference]}]).scan().collect()
    assert [name for name, dtype in frame.schema.items() if is_object_type(dtype)] == ["image"]
    assert is_object_type(frame.schema["images"].inner)  # type: ignore[attr-defined]
    for bad in (None, 3, {}, {"object": "x"}, "abc"):
        with pytest.raises(FileError, match="is no reference"):
            objects.read(bad)  # type: ignore[arg-type]


def test_what_is_gone_or_changed_is_named(objects: Objects) -> None:
    reference = objects.put(_picture(), "고양이.png")
    objects.path(reference).write_bytes(_picture("red"))
    with pytest.raises(FileError, match=r"고양이\.png is damaged"):
        objects.read(reference)
    objects.path(reference).unlink()
    for act in (objects.open, objects.read, objects.path, objects.thumbnail):
        with pytest.raises(FileError, match=r"고양이\.png is not there any more: .*objects/../"):
            act(reference)
    assert objects.put(_picture(), "고양이.png") == reference and objects.read(reference) == _picture()


def test_thumbnails_are_kept_by_content_and_size(objects: Objects) -> None:
    reference = objects.put(_picture(kind="TIFF"), "scan.tif")
    small = objects.thumbnail(reference, 32)
    assert Image.open(small).size == (32, 21) and Image.open(objects.thumbnail(reference)).size == (128, 85)
    objects.path(reference).unlink()
    assert objects.thumbnail(reference, 32) == small
    for content, name in ((b"%PDF-1.7 ...", "계약.pdf"), (_picture()[:80], "cut.png"), (b"", "empty.jpg")):
        with pytest.raises(FileError, match=f"{name} cannot be shown as a picture"):
            objects.thumbnail(objects.put(content, name))
    assert not [path for path in objects.ctx.folder("cache", "thumbnails").rglob(".partial*")]


def test_documents_of_files_are_imported(ctx: Context, tmp_path: Path) -> None:
    for i in range(6):
        (tmp_path / f"{i}.png").write_bytes(_picture(["red", "blue", "green"][i % 3]))
    documents = ({"label": i % 3, "image": RawFile(tmp_path / f"{i}.png", f"{i}.png"), "more": [{"x": RawFile(tmp_path / "0.png", "x")}]} for i in range(6))
    dataset = Datasets(ctx).create("d-1", stored(ctx, documents))
    objects = Objects(ctx)
    assert len(objects.list()) == 3
    for i, document in enumerate(dataset.documents()):
        assert objects.read(document["image"]) == (tmp_path / f"{i}.png").read_bytes()
        assert is_object(document["more"][0]["x"]) and document["image"]["name"] == f"{i}.png"


def test_what_any_kept_version_refers_to_stays(ctx: Context, objects: Objects) -> None:
    kept = {name: objects.put(name.encode(), name) for name in ("flat", "listed", "odd", "deep", "raw", "old")}
    lost = objects.put(b"lost", "lost")
    rows: list[dict[str, Any]] = [{"image": kept["flat"], "pages": [{"scan": kept["listed"], "n": 1}]} for _ in range(3)]
    rows += [{"image": "none", "pages": 5}, {"image": [kept["odd"]]}, {"pages": [[], {"a": [{"b": kept["deep"]}]}]}]
    dataset = Datasets(ctx).create("d-1", rows)
    Rawdatas(ctx).create("d-1", [{"file": kept["raw"]}])
    edit = dataset.edit()
    edit.insert([{"image": kept["old"]}])
    dataset = edit.commit()
    edit = dataset.edit()
    edit.delete({"image.name": "old"})
    dataset = edit.commit()
    _age(objects, lost, *kept.values())
    assert objects.unreferenced()["object"].to_list() == [lost["object"]]
    clean(ctx, "dataset", "d-1", older_than=0, dry_run=False)
    assert set(objects.unreferenced()["object"]) == {lost["object"], kept["old"]["object"]}
    assert len(objects.clean()) == 2 and len(objects.list()) == 7
    assert set(objects.clean(dry_run=False)["object"]) == {lost["object"], kept["old"]["object"]}
    assert len(objects.list()) == 5
    Datasets(ctx).delete("d-1")
    assert len(objects.unreferenced()) == 4


def test_a_version_that_cannot_be_read_stops_a_clean_up(ctx: Context, objects: Objects) -> None:
    dataset = Datasets(ctx).create("d-1", [{"image": objects.put(b"one")}])
    _age(objects, objects.put(b"two"))
    for path in Path(dataset.location, "_versions").iterdir():
        path.unlink()
    with pytest.raises(FileError, match=r"dataset:d-1@1 cannot be opened"):
        objects.clean(dry_run=False)
    assert len(objects.list()) == 2


def test_files_that_were_put_just_now_stay(objects: Objects) -> None:
    old, young = objects.put(b"old"), objects.put(b"young")
    _age(objects, old)
    dead = [Path(objects.uri, f".partial-{name}") for name in ("old", "young")]
    for path in dead:
        path.write_bytes(b"half")
    os.utime(dead[0], (1, 1))
    assert objects.clean(dry_run=False)["object"].to_list() == [old["object"]]
    assert objects.list()["object"].to_list() == [young["object"]]
    assert [path.exists() for path in dead] == [False, True]


def test_putting_again_saves_a_file_from_a_clean_up_that_looked_before(objects: Objects) -> None:
    reference = objects.put(b"wanted again")
    _age(objects, reference)
    doomed = objects.unreferenced()["object"].to_list()
    objects.put(b"wanted again")
    assert [objects.remove(name, timedelta(days=1)) for name in doomed] == [False]
    assert objects.read(reference) == b"wanted again"


def test_who_puts_waits_for_a_clean_up_that_has_looked(objects: Objects) -> None:
    reference = objects.put(b"wanted again")
    _age(objects, reference)
    other = threading.Thread(target=Objects(objects.ctx).put, args=(b"wanted again",))

    def slow(system: Any, path: str) -> timedelta | None:
        age = look(system, path)
        if threading.current_thread() is not other:
            other.start()
            other.join(0.3)
        return age

    look = storage._age
    with patch.object(storage, "_age", slow):
        assert objects.remove(reference["object"], timedelta(days=1))
    other.join()
    assert objects.read(reference) == b"wanted again"


def _put_many(objects: Objects, rounds: int) -> None:
    for number in range(rounds):
        content = str(number % 5).encode()
        reference = objects.put(content)
        assert objects.read(reference) == content  # nothing may take it away now
        os.utime(objects.path(reference), (1, 1))  # … and now it is as old as can be
        objects.put(content)
        assert objects.read(reference) == content


def _clean_often(objects: Objects, rounds: int) -> None:
    for _ in range(rounds):
        objects.clean(dry_run=False, grace=timedelta(hours=1))


def test_putting_and_cleaning_at_once_loses_nothing(objects: Objects) -> None:
    context = multiprocessing.get_context("forkserver")
    jobs = [context.Process(target=_put_many, args=(Objects(objects.ctx), 30)), context.Process(target=_clean_often, args=(objects, 30))]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    assert [job.exitcode for job in jobs] == [0, 0]


# --- an object store


def test_objects_in_an_object_store(tmp_path: Path, bucket: str) -> None:
    ctx = Context.open(tmp_path / ".clow", data=bucket)
    objects: Objects = pickle.loads(pickle.dumps(Objects(ctx)))
    assert objects.list().is_empty()
    cat, dog = objects.put(_picture("orange"), "cat.png"), objects.put(_picture("brown"), "dog.png")
    Datasets(ctx).create("d-1", [{"image": cat}])
    assert objects.list()["size"].sum() == cat["size"] + dog["size"]
    assert objects.read(cat) == _picture("orange")
    with objects.open(dog) as file:
        file.seek(1)
        assert file.read(3) == b"PNG"
    assert objects.path(cat).read_bytes() == _picture("orange") and objects.path(cat).is_relative_to(ctx.home)
    assert Image.open(objects.thumbnail(dog)).size == (128, 85)
    assert objects.put(f"{bucket}/objects/{cat['object'][:2]}/{cat['object']}", "cat.png") == cat
    assert objects.clean(dry_run=False).is_empty()
    assert objects.clean(dry_run=False, grace=NONE).select(pl.col("object")).to_series().to_list() == [dog["object"]]
    with pytest.raises(FileError, match=r"dog\.png is not there any more"):
        objects.read(dog)
    assert not list(ctx.home.rglob(".partial*"))
