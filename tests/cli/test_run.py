"""`clow run`: parameters are checked before anything starts, the log comes as it is printed, and the exit code says how it came out."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import nbformat
import pytest
from click.testing import CliRunner

from clow_nb.cli.main import cli
from clow_nb.core.context import Context
from clow_nb.core.text import catalogue
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.queue import Runs

CLOW = [sys.executable, "-c", "from clow_nb.cli.main import main; main()"]
PARAMETERS = """from typing import Literal
topic: str  # 무엇에 대한 것인지
max_rows: int = 3  # how many rows
style: Literal["short", "long"] = "short"
draft: bool = False
words: list[str] = []"""
WORK = """import time
for row in range(max_rows):
    print(topic, row, style, draft, words, flush=True)
if style == "long":
    time.sleep(600)
assert topic != "wrong", "주제가 틀렸습니다"
"""


def _clow(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLOW, *args], cwd=cwd, capture_output=True, text=True, env=os.environ | env, timeout=200)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a notebook and a workspace; its worker ends with the test."""
    cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(WORK)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "my.ipynb")
    yield tmp_path
    if (tmp_path / ".clow").exists():
        stop_worker(Context.open(tmp_path / ".clow"))


def test_the_notebooks_parameters_are_its_options_and_are_checked_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    help = CliRunner().invoke(cli, ["run", "my.ipynb", "--help"]).output
    for words in ("--topic str", "무엇에 대한 것인지", "(required)", "--max-rows int", "(default: 3)", "--draft / --no-draft", "Literal['short', 'long']"):
        assert words in help, help
    for args, sentence in (
        (["--topic", "a", "--max-rows", "many"], "max_rows is 'many'"),
        (["--topic", "a", "--max_rows", "many"], "max_rows is 'many'"),
        (["--topic", "a", "--words", "[1]"], "words is"),
        ([], "needs the parameter topic"),
        (["--topic", "a", "--rows", "3"], "--rows"),
    ):
        done = CliRunner().invoke(cli, ["run", "my.ipynb", *args])
        assert done.exit_code == 2 and sentence in done.output, done.output
    assert not (folder / ".clow").exists()
    assert _clow("run", "none.ipynb", cwd=folder).returncode == 1


def test_a_run_is_followed_and_its_exit_code_is_its_outcome(folder: Path) -> None:
    good = _clow("run", "--target", "오늘", "my.ipynb", "--topic", "비", "--draft", "--words", '["가"]', cwd=folder)
    assert good.returncode == 0 and "비 2 short True ['가']\n" in good.stdout and "has succeeded" in good.stderr, good.stderr
    bad = _clow("run", "my.ipynb", "--topic", "wrong", cwd=folder, CLOW_LANG="ko")
    assert bad.returncode == 1 and "실패했습니다" in bad.stderr and "주제가 틀렸습니다" in bad.stderr
    rows = {row["target"]: row for row in Runs(Context.open(folder / ".clow")).list().to_dicts()}
    assert (rows["오늘"]["status"], rows["my"]["status"]) == ("SUCCEEDED", "FAILED")
    again = _clow("runs", "log", rows["my"]["id"], "-f", cwd=folder)
    assert again.returncode == 1 and again.stdout.count("wrong 2 short") == 1


@pytest.mark.slow
def test_ctrl_c_leaves_the_run_alone_and_it_can_be_followed_and_cancelled(folder: Path) -> None:
    left = subprocess.Popen([*CLOW, "run", "my.ipynb", "--topic", "비", "--style", "long"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert left.stdout is not None
    while "비 2 long" not in (line := left.stdout.readline()):
        assert line, left.stderr and left.stderr.read()
    left.send_signal(signal.SIGINT)
    _, words = left.communicate(timeout=150)
    (row,) = Runs(Context.open(folder / ".clow")).list().to_dicts()
    assert left.returncode == 130 and f"clow runs log -f {row['id']}" in words and row["status"] == "RUNNING"
    follower = subprocess.Popen([*CLOW, "runs", "log", row["id"], "-f"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ended = _clow("runs", "cancel", row["id"], cwd=folder)
    assert "was cancelled" in ended.stdout
    printed, said = follower.communicate(timeout=150)
    assert follower.returncode == 1 and printed.count("비 0 long") == 1 and "was cancelled" in said


def _helps(command: click.Command) -> Iterator[str]:
    yield command.help or ""
    yield from (option.help for option in command.params if isinstance(option, click.Option) and option.help)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _helps(below)


def test_every_help_is_there_in_korean() -> None:
    assert [text for text in _helps(cli) if text not in catalogue("ko")] == []


def test_usage_errors_speak_korean_too(tmp_path: Path) -> None:
    for args, words in ((["lss"], "명령은 없습니다"), (["runs", "log"], "인자가 빠졌습니다"), (["ls", "--hme", "x"], "옵션은 없습니다")):
        done = _clow(*args, cwd=tmp_path, CLOW_LANG="ko")
        assert done.returncode == 2 and "사용법" in done.stderr and words in done.stderr and "Usage" not in done.stderr
