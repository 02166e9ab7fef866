"""Converters: versions, files, requirements, and datasets that come to be once."""

from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import AlreadyExists, DataError, FileError, InvalidName, NotFound, ParameterError
from clow_nb.core.refs import Ref
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.runs.converter import Converters, read_requirements, write_dataset
from clow_nb.runs.ledger import Ledger, RunRow
from clow_nb.runs.queue import Runs

CODE = "def convert(document):\n    return {'text': document['a'].strip()}\n"


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
    with pytest.raises(NotFound):
        _ = converters["craft@9"].code


def test_bad_input_leaves_nothing(ctx: Context) -> None:
    converters = Converters(ctx)
    for arguments, error in [
        (("craft", "def konvert(d): ..."), DataError),
        (("craft", "no/such/convert.py"), FileError),
        (("나쁜 이름", CODE), InvalidName),
        (("craft", CODE, "polars >= = 2"), ParameterError),
    ]:
        with pytest.raises(error):
            converters.create(*arguments)
    assert len(converters) == 0
    converters.create("craft", CODE)
    with pytest.raises(AlreadyExists):
        converters.create("craft", CODE)
    with pytest.raises(DataError):
        converters["craft"].update("x = 1\n")
    assert converters["craft"].version == 1


def test_requirements_are_checked_before_anything_runs(ctx: Context) -> None:
    converter = Converters(ctx).create("craft", CODE, ["no-such-package"])
    Rawdatas(ctx).create("raw-1", [{"a": "x"}])
    for act in (lambda: converter.test("raw-1"), lambda: converter.run("raw-1", to="d-1")):
        with pytest.raises(ParameterError, match="no-such-package"):
            act()
    assert Runs(ctx).list().height == 0
    assert read_requirements("a\nb==1 # why") == ["a", "b==1"]


def test_testing_takes_raw_data_or_documents(ctx: Context) -> None:
    converter = Converters(ctx).create("craft", CODE)
    raw = Rawdatas(ctx).create("raw-1", [{"a": f" {number} "} for number in range(5)])
    assert [document["text"] for document in converter.test(raw, limit=2).documents] == ["0", "1"]
    assert converter.test([{"a": " x "}]).documents == [{"text": "x"}]


def test_a_dataset_comes_to_be_once_a_run(ctx: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a run that was killed after writing finds when it begins again."""
    converter = Converters(ctx).create("craft", CODE)
    raw = Rawdatas(ctx).create("raw-1", [{"a": "x"}])
    ledger = Ledger(ctx)
    ledger.add(RunRow(id="c1", kind="convert", target="craft"))
    monkeypatch.setenv("CLOW_HOME", str(ctx.home))
    monkeypatch.setenv("CLOW_RUN_ID", "c1")
    for _ in range(2):
        ledger.release("w")
        monkeypatch.setenv("CLOW_RUN_TOKEN", ledger.begin("c1", "w").token)
        dataset = write_dataset(converter, raw, "d-1", [{"text": "x"}])
    assert str(dataset.ref) == "dataset:d-1@1"
    assert len(ctx.catalog.edges("dataset:d-1@1")) == 2
    monkeypatch.setenv("CLOW_RUN_ID", "c2")
    ledger.add(RunRow(id="c2", kind="convert", target="craft"))
    monkeypatch.setenv("CLOW_RUN_TOKEN", ledger.begin("c2", "w").token)
    with pytest.raises(AlreadyExists):
        write_dataset(converter, raw, "d-1", [{"text": "x"}])


def test_all_of_it_as_a_run(workspace: Context) -> None:
    raw = Rawdatas(workspace).create("shop", [{"a": " 사과 "}, {"a": "배"}, {"a": "배"}])
    code = "def convert_all(documents):\n    seen = set()\n    for d in documents:\n        if d['a'] not in seen:\n            seen.add(d['a'])\n            yield {**d, 'kind': 'fruit'}\n    print('끝')\n"
    converter = Converters(workspace).create("unique", code)
    run = converter.run(raw, to="d-shop", label="kind").wait(120, progress=False)
    dataset = Datasets(workspace)["d-shop"]
    assert run.outputs == {"dataset": Ref("dataset", "d-shop", 1), "documents": 2}
    assert [document["a"] for document in dataset.documents()] == [" 사과 ", "배"]
    assert dataset.label == "kind" and "끝" in run.logs()
    assert {edge.source for edge in workspace.catalog.edges("dataset:d-shop@1")} == {"rawdata:shop@1", "converter:unique@1"}
    failing = Converters(workspace).create("failing", "def convert(d):\n    return {'n': int(d['a'])}\n")
    failed = failing.run(raw, to="d-bad").wait(120, progress=False, check=False)
    assert failed.status == "FAILED" and "convert.py line 2: ValueError" in failed.error
    assert not workspace.catalog.exists("dataset", "d-bad")
