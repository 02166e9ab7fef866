"""The README is true: its blocks run, in order, in an empty folder; the Korean one has the same blocks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH, KOREAN = ROOT / "README.md", ROOT / "README.ko.md"


def _blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.S)


def test_both_languages_show_the_same_code() -> None:
    assert _blocks(ENGLISH, "python") == _blocks(KOREAN, "python")
    assert _blocks(ENGLISH, "bash") == _blocks(KOREAN, "bash")


@pytest.mark.parametrize("path", [ENGLISH, KOREAN], ids=["en", "ko"])
def test_it_is_short_and_its_pictures_are_there(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < 120
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", text)
    assert any(link.endswith(".png") for link in links)
    assert not [link for link in links if not (ROOT / link).exists()]


def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import polars as pl

    from clow_nb import Workspace
    from clow_nb.cli.story import CONVERTER, conversations
    from clow_nb.runs.launch import stop_worker

    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    exec(CONVERTER.format(text="text", label="topic"), namespace)
    kept: list[dict] = []
    namespace["convert"](conversations(), "talks", kept.append)
    pl.DataFrame(kept[::2]).write_csv("talks.csv")
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
