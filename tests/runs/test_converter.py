"""Converters: versions, files, requirements, and datasets that come to be once."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import (
    AlreadyExists,
    ConflictError,
    DataError,
    FileError,
    InvalidName,
    NotFound,
    ParameterError,
)
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.runs.converter import Converter, Converters
from clow_nb.runs.deposit import convert_into, read_skipped, write_dataset
from clow_nb.runs.environments import python_for
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs

CODE = "def convert(json_input, name, output):\n    for document in json_input:\n        output({'text': document['a'].strip()})\n"


@pytest.fixture
def raw(ctx: Context) -> Any:
    return Rawdatas(ctx).create("raw-1", [{"a": f" {number} "} for number in range(5)] + [{"b": 1}])


def written(ctx: Context) -> dict[str, Any]:
    """Everything that a call which must write nothing may not change."""
    kinds = ("dataset", "rawdata", "converter")
    files = [path for path in ctx.home.rglob("*") if path.is_file() and path.parent.name not in ("db", "locks")]
    return {kind: [item.name for item in ctx.catalog.items(kind)] for kind in kinds} | {"files": sorted(map(str, files))}


def wheel(folder: Path, name: str) -> str:
    """A package made on the spot, as a requirement."""
    path, about = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "MARK = '안녕'\n")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    return f"{name} @ file://{path}"


def test_from_files_with_versions(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "convert.py").write_text("\ufeff" + CODE, "utf-8")
    (tmp_path / "requirements.txt").write_text("# 필요한 것\npolars>=1\n\n")
    converters = Converters(ctx)
    converter = converters.create("craft", tmp_path / "convert.py", str(tmp_path / "requirements.txt"), title="변환")
    assert (converter.code, converter.requirements, converter.version) == (CODE, ["polars>=1"], 1)
    newer = converter.update(requirements=[], message="없어도 된다")
    assert (newer.code, newer.requirements, newer.version) == (CODE, [], 2)
    assert str(converters["craft@1"].ref) == "converter:craft@1"
    assert converters["craft@1"].requirements == ["polars>=1"]
    assert newer.versions()["message"].to_list() == ["", "없어도 된다"]
    assert newer.update(CODE).version == 2
    assert converters["craft@1"].update(message="as it was").requirements == ["polars>=1"]
    with pytest.raises(NotFound):
        _ = converters["craft@9"].code


def test_bad_input_leaves_nothing(ctx: Context) -> None:
    converters = Converters(ctx)
    for name, given, error in [
        ("craft", {"code": "def konvert(d): ..."}, DataError),
        ("craft", {"code": "no/such/convert.py"}, FileError),
        ("나쁜 이름", {"code": CODE}, InvalidName),
        ("craft", {"code": CODE, "requirements": "polars >= = 2"}, ParameterError),
        ("craft", {"code": CODE, "example": "chat-logs"}, ParameterError),
        ("craft", {"example": "no-such"}, NotFound),
        ("craft", {}, ParameterError),
    ]:
        with pytest.raises(error):
            converters.create(name, **given)
    assert len(converters) == 0
    converters.create("craft", CODE)
    with pytest.raises(AlreadyExists):
        converters.create("craft", CODE)
    with pytest.raises(DataError):
        converters["craft"].update("x = 1\n")
    assert converters["craft"].version == 1


def test_a_frozen_version_stays(ctx: Context) -> None:
    converters = Converters(ctx)
    converter = converters.create("craft", CODE).freeze("v1.0")
    assert converter.frozen and converter.freeze().frozen and repr(converter) == "<converter:craft@1 frozen>"
    newer = converter.update(CODE + "# more\n")
    assert not newer.frozen and newer.freeze("next").at("v1.0").code == CODE
    with pytest.raises(AlreadyExists):
        newer.freeze("v1.0")
    for tag in ("latest", "3", "한 글"):
        with pytest.raises(InvalidName):
            newer.freeze(tag)
    with pytest.raises(ConflictError, match="1, 2"):
        converters.delete("craft")
    assert "craft" in converters
    converters.create("other", CODE)
    converters.delete("other")
    assert "other" not in converters


def test_nothing_is_written_by_test_and_dry_run(ctx: Context, raw: Any) -> None:
    converter = Converters(ctx).create("craft", CODE)
    before = written(ctx)
    tried, dry = converter.test(raw), converter.dry_run("raw-1")
    assert [document["text"] for document in tried.documents] == ["0", "1", "2", "3", "4"]
    assert (dry.read, dry.made, dry.failed, dry.errors[0].line) == (6, 5, 1, 3)
    assert dry.errors[0].document == {"_id": "1-5", "b": 1}
    assert dry.statistics["distinct"].to_list() == [5]
    del tried, dry
    assert written(ctx) == before


def test_what_is_tried(ctx: Context, raw: Any) -> None:
    converter = Converters(ctx).create("craft", CODE)
    texts = lambda *a, **k: [document["text"] for document in converter.test(*a, **k).documents]  # noqa: E731
    assert texts(raw, limit=2) == texts("raw-1", limit=2) == texts(raw.ref, limit=2) == ["0", "1"]
    assert texts(raw, ids=["1-3", "1-1"]) == ["3", "1"]
    assert texts([{"a": " x "}, {"a": "y"}]) == ["x", "y"]
    Datasets(ctx).create("d-1", [{"a": "z"}])
    assert texts("dataset:d-1") == ["z"]
    with pytest.raises(NotFound, match="9-9"):
        converter.test(raw, ids=["1-1", "9-9"])
    with pytest.raises(DataError, match="document 2"):
        converter.test([{"a": "x"}, {"a": object()}])
    with pytest.raises(NotFound):
        converter.test("raw-9")
    with pytest.raises(ParameterError, match="memory_gb"):
        converter.test(raw, limits={"memory_gb": 1})


def test_requirements_have_an_environment_of_their_own(ctx: Context, raw: Any, tmp_path: Path) -> None:
    code = "import greeter\ndef convert(json_input, name, output):\n    import sys\n    output({'mark': greeter.MARK, 'prefix': sys.prefix})\n"
    code += "    try:\n        import polars\n    except ImportError:\n        output({'alone': True})\n"
    line = wheel(tmp_path, "greeter")
    made = Converters(ctx).create("craft", code, [line]).test(raw).documents
    assert made[0]["mark"] == "안녕" and made[0]["prefix"].startswith(str(ctx.home)) and made[1]["alone"]
    folder = Path(made[0]["prefix"])
    (folder / "ready.json").unlink()  # as one is left that was not finished
    (folder / "bin" / "python").unlink()
    heard: list[str] = []
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: python_for(ctx, "craft", [line], heard.append), range(3)))
    assert set(found) == {str(folder / "bin" / "python")} and json.loads((folder / "ready.json").read_text()) == [line]
    assert len([text for text in heard if text.startswith("Installing greeter @")]) == 1


@pytest.mark.parametrize("format", ["csv", "jsonl.gz"])
def test_export_writes_one_file_or_nothing(ctx: Context, raw: Any, tmp_path: Path, format: str) -> None:
    converter, out = Converters(ctx).create("craft", CODE), tmp_path / "out"
    with pytest.raises(DataError, match="line 3: KeyError"):
        converter.export(raw, out, format)
    assert not out.exists() or not list(out.iterdir())
    path = converter.export(raw, out, format, on_error="skip")
    assert path == out / f"raw-1-craft.{format}" and set(out.iterdir()) == {path, out / "raw-1-craft-skipped.jsonl"}
    assert json.loads((out / "raw-1-craft-skipped.jsonl").read_text())["_id"] == "1-5"
    assert [document["text"] for document in Datasets(ctx).create("back", path).documents()] == (
        [0, 1, 2, 3, 4] if format == "csv" else ["0", "1", "2", "3", "4"]
    )


def test_a_dataset_comes_to_be_once_a_run(ctx: Context, raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run that was killed after writing finds when it begins again."""
    sources = {"rawdata": raw.ref, "converter": Converters(ctx).create("craft", CODE).ref}
    ledger = Ledger(ctx)
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))

    def attempt(id: str, append: bool = False) -> str:
        monkeypatch.setenv("CLOW_RUN_ID", id)
        ledger.release("w")
        monkeypatch.setenv("CLOW_RUN_TOKEN", ledger.begin(id, "w").token)
        return str(write_dataset(ctx, sources, "d-1", [{"text": "x"}], append=append).ref)

    for id in ("c1", "c2"):
        ledger.add(RunRow(id=id, kind="convert", target="craft"))
    assert [attempt("c1"), attempt("c1")] == ["dataset:d-1@1"] * 2
    assert len(ctx.catalog.edges("dataset:d-1@1")) == 2
    with pytest.raises(AlreadyExists):
        attempt("c2")
    assert [attempt("c2", append=True), attempt("c2", append=True)] == ["dataset:d-1@2"] * 2
    assert len(Datasets(ctx)["d-1"]) == 2


def test_skipped_documents_are_kept_once(ctx: Context, raw: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clow_nb.runs.preparation import make_code

    converter = Converters(ctx).create("craft", CODE)
    monkeypatch.setenv("CLOW_RUN_FOLDER", str(tmp_path))
    for name in ("d-1", "d-2"):
        dataset, done = convert_into(make_code(converter, on_error="skip"), raw, name, converter.ref)
        assert (len(dataset), done.skipped) == (5, 1)
    kept = read_skipped(tmp_path)
    assert kept.select("place", "_id", "line").rows() == [(5, "1-5", 3)]
    assert json.loads(kept["document"][0]) == {"_id": "1-5", "b": 1} and kept["error"].to_list() == ["KeyError: 'a'"]


def test_nothing_half_written_when_the_code_fails_late(ctx: Context, raw: Any) -> None:
    from clow_nb.runs.preparation import make_code

    converter = Converters(ctx).create("craft", CODE)
    with pytest.raises(DataError, match=r"document 5 \(1-5\), convert\.py line 3: KeyError"):
        convert_into(make_code(converter), raw, "d-1", converter.ref)
    assert not ctx.catalog.exists("dataset", "d-1")


def test_every_example_can_be_started_from(ctx: Context) -> None:
    converters = Converters(ctx)
    names = converters.examples()["name"].to_list()
    assert len(names) == 5
    for name in names:
        converter = converters.create(f"my-{name}", example=name)
        assert isinstance(converter, Converter) and "AUTOGENERATED" not in converter.code and "# %%" not in converter.code
        assert converter.description and not converter.requirements


def test_all_of_it_as_a_run(workspace: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = Rawdatas(workspace).create("shop", [{"a": " 사과 "}, {"a": "배"}, {"a": 1}, {"a": "배"}])
    code = "PARALLEL = True\ndef convert(json_input, name, output):\n    import os\n    for d in json_input:\n"
    code += "        output({**d, 'a': d['a'].strip(), 'kind': 'fruit', 'env': os.getcwd() + ' '.join(os.environ)})\n    print('끝', name)\n"
    converter = Converters(workspace).create("strip", code).freeze("v1")
    run = converter.run(raw, to="d-shop", label="kind", on_error="skip", workers=1).wait(200, progress=False)
    dataset = Datasets(workspace)["d-shop"]
    assert [str(value) for value in run.outputs.values()] == ["dataset:d-shop@1", "3", "1"]
    assert [(document["_id"], document["a"]) for document in dataset.documents()] == [("1-0", "사과"), ("1-1", "배"), ("1-3", "배")]
    assert dataset.label == "kind" and "끝 shop" in run.logs() and "CLOW" not in next(dataset.documents())["env"]
    assert str(workspace.home.parent) not in next(dataset.documents())["env"]
    assert run.params["converter"] == "converter:strip@1"
    assert {edge.source for edge in workspace.catalog.edges("dataset:d-shop@1")} == {"rawdata:shop@1", "converter:strip@1"}
    assert converter.skipped(run)["_id"].to_list() == converter.skipped(run.id)["_id"].to_list() == ["1-2"]
    failed = converter.run(raw, to="d-bad").wait(200, progress=False, check=False)
    assert failed.status == "FAILED" and "document 2 (1-2), convert.py line 5: AttributeError" in failed.error
    assert not workspace.catalog.exists("dataset", "d-bad") and converter.skipped(failed).height == 0
    with pytest.raises(AlreadyExists):
        converter.run(raw, to="d-shop")
    with pytest.raises(ParameterError):
        converter.run(raw, to="d-new", on_error="forget")
    assert Runs(workspace).list(kind="convert", target="strip").height == 2
