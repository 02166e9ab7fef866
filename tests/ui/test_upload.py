"""Files on their way into a workspace: dropped on a page, sent in pieces, interrupted, imported."""

import io
import threading
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest
from harness import show

from clow_nb.core.context import Context
from clow_nb.core.errors import ReadOnly
from clow_nb.core.settings import load_settings
from clow_nb.data.dataset import Dataset, Datasets, Rawdatas
from clow_nb.data.inbox import Inbox
from clow_nb.ui.base import answer
from clow_nb.ui.intake import Intake, report


def ask(intake: Intake, type: str, **message: Any) -> dict[str, Any]:
    return answer(intake.upload.handlers(), {"type": type, "uuid": "1", **message})[0]


def until(intake: Intake, *stages: str) -> str:
    end = time.monotonic() + 150
    while intake.upload.stage not in stages:
        assert time.monotonic() < end, intake.upload.stage
        ask(intake, "state")
        time.sleep(0.01)
    return intake.upload.problem


def drop(intake: Intake, files: dict[str, bytes]) -> str:
    """Send files as a page does; what the page says when they have been looked at."""
    announced = ask(
        intake, "announce", files=[{"path": path, "size": len(data)} for path, data in files.items()]
    )
    assert "error" not in announced, announced
    contents = [list(files.values())[number] for number in announced["wanted"]]
    for number, data in enumerate(contents):
        for start in range(0, len(data), 1_000_000):
            sent = ask(
                intake,
                "pieces",
                parts=[{"file": number, "start": start}],
                buffers=[data[start : start + 1_000_000]],
            )
            assert "error" not in sent, sent
    ask(intake, "finish")
    return until(intake, "ready")


def left(ctx: Context) -> list[str]:
    return [path.name for path in (ctx.home / "tmp").glob("upload-*")]


@pytest.fixture
def made() -> list[Dataset]:
    return []


@pytest.fixture
def intake(ctx: Context, made: list[Dataset]) -> Intake:
    return Intake(ctx, on_done=made.append)


def test_a_file_is_dropped_on_the_page_and_sent_in_pieces(
    page: Any, intake: Intake, made: list[Dataset], tmp_path: Path, picture: Callable[[Any, str], None]
) -> None:
    show(page, intake.upload)
    picture(page, "upload-empty")
    large = "text,Genre\n" + "".join(f"말씀 {n},{'갑을'[n % 2]}\n" for n in range(120_000))
    file = tmp_path / "많은 말.csv"
    file.write_text(large)
    sizes: list[int] = []
    put = intake.upload.inbox.put
    intake.upload.inbox.put = lambda number, start, data: sizes.append(len(data)) or put(number, start, data)  # type: ignore
    page.locator("input[type=file]").first.set_input_files(str(file))
    page.wait_for_function("window.model.get('stage') === 'ready'")
    assert sum(sizes) == file.stat().st_size and max(sizes) <= 1_000_000 and len(sizes) >= 2
    assert page.locator(".clow-upload-summary").inner_text() == "많은 말.csv"
    assert intake.target.name.value == "maneun-mal" and intake.target.label.value == "Genre"
    picture(page, "upload-ready")
    intake.start()
    page.evaluate(
        "window.model.send({ type: 'state', uuid: 'a' })"
    )  # the harness hears of traits with an answer
    page.wait_for_function("window.model.get('stage') === 'empty'")
    assert [(len(dataset), dataset.label, dataset.title) for dataset in made] == [
        (120_000, "Genre", "많은 말")
    ]
    assert left(intake.ctx) == []


def test_a_folder_is_dropped_with_the_paths_in_it(page: Any, intake: Intake, made: list[Dataset]) -> None:
    show(page, intake.upload)
    page.locator(".clow-drop").wait_for()
    page.evaluate(
        """() => {
          const file = (name) => ({ isFile: true, name, file: (take) => take(new File(["png"], name)) });
          const folder = (name, inside) => ({ isFile: false, name, createReader: () => {
            const rest = [inside, []];
            return { readEntries: (take) => take(rest.shift()) };
          } });
          const photos = folder("photos", [folder("cats", [file("1.png"), file(".DS_Store")]), folder("dogs", [file("2.png")])]);
          const event = new Event("drop", { bubbles: true, cancelable: true });
          event.dataTransfer = { items: [{ kind: "file", webkitGetAsEntry: () => photos }], files: [] };
          document.querySelector(".clow-drop").dispatchEvent(event);
        }"""
    )
    page.wait_for_function("window.model.get('stage') === 'ready'")
    assert "2 × images" in intake.preview.options_box.children[0].value
    intake.start()
    until(intake, "empty")
    assert sorted(document["label"] for document in made[0].documents()) == ["cats", "dogs"]


def test_a_lost_piece_is_sent_again_and_a_silent_kernel_is_told(
    page: Any, intake: Intake, tmp_path: Path
) -> None:
    show(page, intake.upload)
    file = tmp_path / "a.csv"
    file.write_text("a\n" + "1\n" * 600_000)
    inbox, lost = intake.upload.inbox, list[int]()
    put = inbox.put

    def fails_at_times(number: int, start: int, data: bytes) -> int:
        if len(lost) < 2 and start:
            lost.append(put(number, start, data[:1000]))  # arrived in part, and then the line was dead
            raise OSError("broken pipe")
        return put(number, start, data)

    inbox.put = fails_at_times  # type: ignore
    page.locator("input[type=file]").first.set_input_files(str(file))
    page.wait_for_function("window.model.get('stage') === 'ready'")
    assert len(lost) == 2 and intake.path.read_bytes() == file.read_bytes()
    page.locator(".clow-upload-row button", has_text="Choose others").click()
    page.locator(".clow-drop").wait_for()
    assert left(intake.ctx) == []

    def always_fails(number: int, start: int, data: bytes) -> int:
        raise OSError("broken pipe")

    inbox.put = always_fails  # type: ignore
    page.locator("input[type=file]").first.set_input_files(str(file))
    page.get_by_role("button", name="Try again").wait_for()
    assert "broken pipe" in page.locator(".clow-error").inner_text()
    inbox.put = put  # type: ignore
    page.get_by_role("button", name="Try again").click()
    page.wait_for_function("window.model.get('stage') === 'ready'")
    assert intake.path.read_bytes() == file.read_bytes()


def test_names_do_no_harm(ctx: Context, intake: Intake) -> None:
    evil = "<img src=x onerror=alert(1)>.csv"
    names = [
        "../../../etc/cron.d/x.csv",
        "..\\..\\y.csv",
        "/abs/z.csv",
        unicodedata.normalize("NFD", "한글.csv"),
        "a\0b.csv",
        evil,
        "C:\\w.csv",
    ]
    names += ["나" * 200 + ".csv", "..", "dir/../../up.csv"]
    drop(intake, {name: b"a\n1\n" for name in names})
    (folder,) = (ctx.home / "tmp").glob("upload-*")
    files = [path for path in ctx.home.parent.rglob("*.csv")]
    assert len(files) == len(names) - 1 and all(folder in path.parents for path in files)
    assert "한글.csv" in {path.name for path in files}
    assert not Path("/etc/cron.d/x.csv").exists()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "announce", "files": None}, "no files"),
        ({"type": "announce", "files": [{"path": "a.csv", "size": "12"}]}, "no size"),
        ({"type": "announce", "files": [{"path": "a.csv", "size": 10**16}]}, "no room"),
        ({"type": "pieces", "parts": [{"file": 3, "start": 0}], "buffers": [b"x"]}, "belongs to no file"),
        ({"type": "pieces", "parts": [{"file": 0, "start": 1}], "buffers": [b"x"]}, "is missing at 0"),
        (
            {"type": "pieces", "parts": [{"file": 0, "start": 0}], "buffers": [b"xyzabc"]},
            "larger than was announced",
        ),
        ({"type": "finish"}, "0 of 4 bytes"),
        ({"type": "look", "place": "/no/such/place"}, ""),
    ],
)
def test_what_a_page_may_not_send(intake: Intake, message: dict[str, Any], words: str) -> None:
    ask(intake, "announce", files=[{"path": "a.csv", "size": 4}])
    found = ask(intake, **message)
    if words:
        assert words in found["error"]
    else:
        assert "There is no file and no folder" in until(intake, "empty")


def test_nothing_is_imported_from_a_file_that_breaks_at_its_end(
    ctx: Context, intake: Intake, made: list[Dataset]
) -> None:
    assert drop(intake, {"broken.csv": b"a,b\n" + b"1,2\n" * 60_000 + b"1,2,3\n"}).startswith(
        "broken.csv, line 60002: 3 cells"
    )
    assert drop(intake, {"late.jsonl": b'{"a": 1}\n' * 60_000 + b'{"a"\n'}) == ""
    intake.start()
    assert until(intake, "ready").startswith("late.jsonl, line 60001")
    intake.target.name.value = "two words"
    intake.start()
    assert "two words" in until(intake, "ready")
    assert made == [] and not list(Datasets(ctx)) and not (ctx.home / "data").exists()


def test_an_import_is_cancelled_and_leaves_nothing(ctx: Context, intake: Intake, made: list[Dataset]) -> None:
    drop(intake, {"many.jsonl": b'{"a": 1, "text": "word word word"}\n' * 300_000})
    intake.start()
    while not intake.upload.note:
        ask(intake, "state")
    ask(intake, "cancel")
    assert until(intake, "ready") == "Cancelled: nothing was imported."
    assert made == [] and not list(Datasets(ctx)) and intake.button.disabled is False
    intake.start()
    until(intake, "empty")
    assert len(made[0]) == 300_000


def test_of_two_imports_of_one_name_one_is_told(ctx: Context) -> None:
    made: list[Dataset] = []
    pages = [Intake(ctx, on_done=made.append) for _ in range(2)]
    for page in pages:
        drop(page, {"books.csv": b"title\nEmma\n"})
    for page in pages:
        page.target.name.value = "books"
        page.start()
    problems = sorted(until(page, "empty", "ready") for page in pages)
    assert len(made) == 1 and problems[0] == "" and "is there already" in problems[1]


def test_a_page_that_is_closed_leaves_nothing(ctx: Context, intake: Intake) -> None:
    ask(intake, "announce", files=[{"path": "a.csv", "size": 10}])
    ask(intake, "pieces", parts=[{"file": 0, "start": 0}], buffers=[b"a\n1\n"])
    assert left(ctx)
    intake.close()
    assert left(ctx) == []
    dead = ctx.folder("tmp") / "upload-999999-1-abcd"
    dead.mkdir()
    Inbox(ctx).announce([{"path": "b.csv", "size": 1}])
    assert not dead.exists()


def test_more_documents_are_added_or_updated_by_their_key(ctx: Context, made: list[Dataset]) -> None:
    books = Datasets(ctx).create("books", [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}], key="sku")
    more = Intake(ctx, "dataset", books, made.append)
    drop(more, {"more.csv": b"sku,price\na,1\nb,3\nc,4\n"})
    assert more.header.code == 'ws.datasets["books"].append("more.csv")'
    more.message.value = "새 가격"
    assert more.header.code.endswith(', message="새 가격")')
    more.start()
    until(more, "empty")
    assert report(made[0]) == "1 added · 1 updated · 1 unchanged"
    assert (
        made[0].versions()["message"].to_list()[-1] == "새 가격"
        or "새 가격" in made[0].versions()["message"].to_list()
    )


def test_rawdata_of_an_annotation_tool_is_told(ctx: Context, made: list[Dataset]) -> None:
    raw = Intake(ctx, "rawdata", on_done=made.append)
    drop(raw, {"export.json": b'[{"id": 1, "data": {"text": "hi"}, "annotations": []}]'})
    assert "label-studio" in raw.note.value and "Converter" in raw.note.value
    raw.start()
    until(raw, "empty")
    assert made[0].kind == "rawdata" and list(Rawdatas(ctx)) and not list(Datasets(ctx))


def test_a_zip_of_several_formats_asks_which(intake: Intake, made: list[Dataset], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
        archive.writestr("b.json", '[{"y": 2}]')
    assert "several formats" in drop(intake, {"all.zip": (tmp_path / "all.zip").read_bytes()})
    intake.preview.inputs["files"].value = "*.csv"
    assert until(intake, "ready") == "" and intake.look is not None
    intake.start()
    until(intake, "empty")
    assert [document["x"] for document in made[0].documents()] == [1]


def test_a_sheet_is_chosen(intake: Intake, made: list[Dataset], tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as book:
        for name, value in (("하나", 1), ("둘", 2)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["값"])
            sheet.write_row(1, 0, [value])
    drop(intake, {"b.xlsx": (tmp_path / "b.xlsx").read_bytes()})
    assert [choice for choice, _ in intake.preview.inputs["sheet"].options][1:] == ["하나", "둘"]
    intake.preview.inputs["sheet"].value = "둘"
    until(intake, "ready")
    assert intake.look is not None and intake.look.documents == [{"값": 2}]
    assert 'sheet="둘"' in intake.header.code
    intake.start()
    until(intake, "empty")
    assert [document["값"] for document in made[0].documents()] == [2]


def test_a_folder_of_the_machine_is_read_where_it_is(
    intake: Intake, made: list[Dataset], tmp_path: Path
) -> None:
    (tmp_path / "talk").mkdir()
    for name in ("1.json", "2.json"):
        (tmp_path / "talk" / name).write_text('[{"text": "안녕"}]')
    ask(intake, "look", place=str(tmp_path / "talk"))
    until(intake, "ready")
    assert "2 × json" in intake.preview.options_box.children[0].value
    assert str(tmp_path / "talk") in intake.header.code
    intake.start()
    until(intake, "empty")
    assert len(made[0]) == 2 and (tmp_path / "talk" / "1.json").exists()


def test_a_folder_of_a_bucket_is_read_where_it_is(
    page: Any, intake: Intake, made: list[Dataset], bucket: str
) -> None:
    from PIL import Image

    store, picture = fsspec.filesystem("s3"), io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
    for name in ("고양이/1.png", "고양이/2 b.png", "개/1.png"):
        store.pipe(f"{bucket}/사진/{name}", picture.getvalue())
    show(page, intake.upload)
    page.locator("input.clow-place").fill(f"{bucket}/사진")
    page.keyboard.press("Enter")
    page.wait_for_function("window.model.get('stage') === 'ready'")
    assert f"{bucket}/사진" in intake.header.code
    intake.start()
    until(intake, "empty")
    assert sorted(document["label"] for document in made[0].documents()) == ["개", "고양이", "고양이"]
    assert left(intake.ctx) == [] and len(store.find(f"{bucket}/사진")) == 3


def test_a_bucket_that_is_not_there_is_told_by_its_name(intake: Intake, bucket: str) -> None:
    ask(intake, "look", place=f"{bucket}-없음/사진")
    assert f"{bucket}-없음/사진" in until(intake, "empty")
    assert left(intake.ctx) == []


def test_where_the_workspace_is_for_looking_nothing_is_offered(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    len(ctx.catalog.items("dataset"))
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    with pytest.raises(ReadOnly):
        Intake(Context(load_settings(ctx.home)))
    Intake.__new__(Intake).close()  # what was refused while it was made is put away in silence


def test_memory_stays_bounded_for_a_large_file(ctx: Context, intake: Intake) -> None:
    """A piece goes to disk as it comes: the inbox holds none of it."""
    import tracemalloc

    piece = b"1,2\n" * 250_000
    ask(intake, "announce", files=[{"path": "large.csv", "size": 60 * len(piece)}])
    tracemalloc.start()
    for number in range(60):
        ask(intake, "pieces", parts=[{"file": 0, "start": number * len(piece)}], buffers=[piece])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert intake.upload.inbox.received == [60 * len(piece)] and peak < 8 * len(piece)


def test_the_shared_samples_are_read(ctx: Context, shared_data: Path, made: list[Dataset]) -> None:
    for name, count in (
        ("frictionless-data/sheet2.xlsx", 2),
        ("amazon-bestsellers/bestsellers with categories.csv", 550),
    ):
        intake = Intake(ctx, on_done=made.append)
        assert drop(intake, {Path(name).name: (shared_data / name).read_bytes()}) == ""
        intake.start()
        until(intake, "empty")
        assert len(made[-1]) == count
    assert threading.active_count() < 60 and isinstance(made[-1].find(), pl.DataFrame)
