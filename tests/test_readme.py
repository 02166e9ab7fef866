"""The README is true: its blocks run, in order, in an empty folder; the Korean one has the same blocks."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, KOREAN = ROOT / "README.md", ROOT / "README.ko.md"
PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.md") if ".ko" not in path.name)


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.S)


def test_both_languages_show_the_same_code() -> None:
    assert _blocks(ENGLISH, "python") == _blocks(KOREAN, "python")
    assert _blocks(ENGLISH, "bash") == _blocks(KOREAN, "bash")


@pytest.mark.parametrize("page", PAGES)
def test_each_page_has_the_same_code_in_korean(page: str) -> None:
    english, korean = (_blocks(ROOT / "docs" / f"{page}{language}.md", "(?:python|bash|yaml)") for language in ("", ".ko"))
    bare = [[re.sub(r"\s*#.*", "", block) for block in blocks] for blocks in (english, korean)]
    assert bare[0] == bare[1] != []


@pytest.mark.parametrize("path", [ENGLISH, KOREAN], ids=["en", "ko"])
def test_it_is_short_and_its_pictures_are_there(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < 120
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    assert any(link.endswith(".png") for link in links)
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.fixture
def talks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, with the file `talks.csv`."""
    import polars as pl

    from clow_nb.cli.story import CONVERTER, conversations

    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    exec(CONVERTER.format(text="text", label="topic"), namespace)
    kept: list[dict] = []
    namespace["convert"](conversations(), "talks", kept.append)
    pl.DataFrame(kept[::2]).write_csv("talks.csv")


@pytest.fixture
def trained(talks: None, as_shipped: None, tmp_path: Path) -> Iterator[Any]:
    """A workspace with the dataset `d-talks-1` and two versions of the model `talks`, and a worker."""
    from clow_nb import Workspace
    from clow_nb.runs.launch import stop_worker

    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("d-talks-1", "talks.csv", label="topic").split(train=8, valid=1, test=1, seed=0, stratify="topic")
    training = ws.trainings.create("t-talks", dataset="d-talks-1", params={"epochs": 3}, model="talks")
    training.run().wait(300, progress=False)
    training.clone("t-talks-2", params={"seed": 7}).run().wait(300, progress=False)
    try:
        yield ws
    finally:
        for service in ws.services:
            service.stop()
        stop_worker(ws.ctx)


@pytest.mark.usefixtures("talks", "as_shipped")
def test_its_code_runs(tmp_path: Path) -> None:
    from clow_nb import Workspace
    from clow_nb.runs.launch import stop_worker

    names: dict = {}
    try:
        for block in _blocks(ENGLISH, "python"):
            exec(block, names)
        assert names["ds"].version == 3 and len(names["ds"]) > 300
        assert names["evaluation"].metrics["f1_macro"] > 0.2
        assert set(names["ds"].split_counts()) == {"train", "valid", "test"}
    finally:
        ws = Workspace(tmp_path / ".clow")
        for service in ws.services:
            service.stop()
        stop_worker(ws.ctx)


CODE = """import json, os, pathlib
(pathlib.Path(os.environ["CLOW_OUTPUT"]) / "metrics.json").write_text(json.dumps({"valid_loss": 0.3}))"""


@pytest.fixture
def own_code(tmp_path: Path) -> Path:
    """A git repository and a notebook that train nothing; the repository's folder."""
    import nbformat

    repository = tmp_path / "repository"
    (repository / "src").mkdir(parents=True)
    (repository / "src" / "train.py").write_text(CODE)
    (repository / "requirements.txt").write_text("")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(repository)]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "code"]):
        subprocess.run([*git, *words], check=True)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, tmp_path / "train_talks.ipynb")
    return repository


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("talks", "as_shipped")
def test_the_page_on_training_is_true(tmp_path: Path, own_code: Path) -> None:
    from clow_nb import Workspace
    from clow_nb.runs.launch import stop_worker

    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("d-talks-1", "talks.csv", label="topic").split(train=8, valid=1, test=1, seed=0, stratify="topic")
    given = {"https://git.example.com/team/intent.git": str(own_code), "ghp_…": "ghp_0123456789", '"2026-10-27"': "today"}
    given |= {'executor="ray", ': "", '"cpus": 4, "memory_mb": 8000': '"cpus": 1', "trials=20": "trials=4"}
    names = {"ws": ws, "today": datetime.now(UTC).date()}
    try:
        for block in _blocks(ROOT / "docs" / "training.md", "python"):
            for text, own in given.items():
                block = block.replace(text, own)
            exec(block, names)
            for name in (f"t-talks{part}" for part in ("", "-2")):
                ws.trainings[name].latest().wait(300, progress=False)
        assert {ws.trainings[name].run().wait(300, progress=False).status for name in ("t-own", "t-nb")} == {"SUCCEEDED"}
        assert (tmp_path / "image" / "Dockerfile").exists() and (tmp_path / "card.html").exists()
    finally:
        stop_worker(ws.ctx)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_on_evaluation_is_true(trained: Any, tmp_path: Path) -> None:
    names: dict = {"ws": trained}
    for block in _blocks(ROOT / "docs" / "evaluation.md", "python"):
        exec(block, names)
    assert names["comparison"].metrics["name"].n_unique() == 2
    assert names["preset"].version == 2 and (tmp_path / "planners.html").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_on_serving_is_true(trained: Any, tmp_path: Path) -> None:
    """All blocks in order, those for a shell too, one shell for all of them."""
    from shutil import which

    names: dict = {"ws": trained}
    shell, said = "", ""
    for language, block in re.findall(r"```(python|bash|yaml)\n(.*?)```", (ROOT / "docs" / "serving.md").read_text("utf-8"), re.S):
        if language == "yaml":
            (tmp_path / "flow.yaml").write_text(block, "utf-8")
        elif language == "bash" and which("curl"):
            shell += block.replace("http://127.0.0.1:8080", names["service"].url)
            done = subprocess.run(["bash", "-euc", shell], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            said = done.stdout
            assert '"label"' in said and '"outputs"' in said and '"error"' not in said and '"ready"' in said, said
        elif language == "python":
            if "rollout.pause" in block:
                _wait_until(lambda: names["rollout"].status == "RUNNING")
            exec(block, names)
    rollout, night = names["rollout"], names["night"]
    assert rollout.status == "PROMOTED" and [row["what"] for row in rollout.history().to_dicts()].count("PAUSED") == 1
    assert names["answer"]["version"] == "v1" and names["review"].pairs.height >= 3
    assert len(night) == len(trained.datasets["d-talks-1"]) == len((tmp_path / "night.csv").read_text("utf-8").splitlines()) - 1
    assert (tmp_path / "out" / "Dockerfile").exists() and (tmp_path / "out" / "kubernetes" / "deployment.yaml").exists()
    assert names["service"].status().state == "STOPPED"


def _wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)
