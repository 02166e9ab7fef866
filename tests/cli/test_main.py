"""The command line: help for every command, one sentence for every error, the house in order."""

import json
import re
import subprocess
import sys
import urllib.request
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from clow_nb.cli import main as door
from clow_nb.core.context import Context
from clow_nb.core.errors import ReadOnly
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import worker_alive
from clow_nb.runs.schedules import Schedules

CLOW = [sys.executable, "-c", "from clow_nb.cli.main import main; main()"]


def _clow(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess:
    import os

    return subprocess.run([*CLOW, *args], cwd=cwd, capture_output=True, text=True, env=os.environ | env, timeout=200)


def test_every_command_explains_itself_and_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for name, command in door.cli.commands.items():
        assert command.help and all(o.help for o in command.params if isinstance(o, click.Option)), name
        assert CliRunner().invoke(door.cli, [name, "--help"]).exit_code == 0
        assert name in readme
        for below, inner in (command.commands if isinstance(command, click.Group) else {}).items():
            assert inner.help and all(o.help for o in inner.params if isinstance(o, click.Option)), below
            assert CliRunner().invoke(door.cli, [name, below, "--help"]).exit_code == 0
            assert re.search(rf"clow {name} [a-z| ]*\b{below}\b", readme), f"clow {name} {below}"


def test_a_worker_is_installed_as_a_file_and_not_switched_on(tmp_path: Path) -> None:
    home = tmp_path / ".clow"
    done = _clow("worker", "--install", "--home", str(home), cwd=tmp_path, XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert done.returncode == 0, done.stderr
    (unit,) = (tmp_path / "config" / "systemd" / "user").iterdir()
    assert f"Written: {unit}" in done.stdout and f"enable --now {unit.name}" in done.stdout
    assert f'Environment="CLOW_HOME={home}"' in unit.read_text() and "clow_nb.runs.worker" in unit.read_text()
    assert not worker_alive(Context.open(home))


def test_the_home_says_when_schedules_are_asleep(tmp_path: Path) -> None:
    home = tmp_path / ".clow"
    Schedules(Context.open(home)).create("nightly", "0 3 * * *", notebook="train", params={"training": "intent"})
    assert "Schedules are asleep" in _clow("status", "--home", str(home), cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["demo", "--data", "nothing.csv", "--text", "a", "--label", "b"], "nothing.csv"),
        (["demo", "--data", "one.csv", "--text", "text", "--label", "label"], "one value only"),
        (["demo", "--data", "one.csv", "--text", "txet", "--label", "label"], "It has: text, label"),
        (["ls", "datasets", "--home", "/proc/none/.clow"], "CLOW_HOME"),
    ],
)
def test_errors_are_one_sentence_without_a_traceback(
    args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.csv").write_text("text,label\nhello,a\nhi,a\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # the command sets its own
    with pytest.raises(SystemExit) as left:
        door.main(args)
    out, said = capsys.readouterr()
    assert left.value.code == 1
    assert words in said and "Traceback" not in said + out
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "demo").exists(), "nothing is made before the file is known to be good"


def test_an_error_is_one_sentence_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = _clow("demo", "--data", "nothing.csv", "--text", "a", "--label", "b", cwd=tmp_path)
    assert done.returncode == 1 and "nothing.csv" in done.stderr and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("more", [[], ["--share"], ["--share", "--write"]])
def test_who_only_looks_starts_nothing(more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / ".clow"
    len(Datasets(Context.open(home)))
    monkeypatch.setenv("CLOW_READ_ONLY", "1")
    done = CliRunner().invoke(door.cli, ["up", *more, "--home", str(home)])
    assert isinstance(done.exception, ReadOnly) and "Unset it" in str(done.exception)
    assert not (home / "up.json").exists()


def test_a_wrong_word_is_wrong_usage(tmp_path: Path) -> None:
    done = _clow("lss", cwd=tmp_path)
    assert done.returncode == 2 and "lss" in done.stderr


def test_it_speaks_korean(tmp_path: Path) -> None:
    done = _clow("ls", "datasets", cwd=tmp_path, CLOW_LANG="ko")
    assert "새 작업 공간" in done.stdout and "아직" in done.stdout


def test_up_starts_the_house_and_down_ends_it_and_nothing_else(tmp_path: Path) -> None:
    """No dashboard is kept warm: nobody waits for one here."""
    home = tmp_path / ".clow"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "voila.json").write_text(json.dumps({"VoilaKernelManager": {"preheat_denylist": [r".*/\d\d_\w+\.ipynb$"]}}))
    bystander = subprocess.Popen(["sleep", "300"], start_new_session=True)
    try:
        up = _clow("up", "--home", str(home), cwd=tmp_path, JUPYTER_CONFIG_PATH=str(tmp_path / "config"))
        assert up.returncode == 0, up.stderr
        urls = [line.split()[-1] for line in up.stdout.splitlines() if "http://" in line]
        assert len(urls) == 2 and all(url.startswith("http://127.0.0.1:") and "token=" in url for url in urls)
        for url in urls:
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert answer.status == 200
        again = CliRunner().invoke(door.cli, ["up", "--home", str(home)])
        assert [line.split()[-1] for line in again.stdout.splitlines() if "http://" in line] == urls
        status = CliRunner().invoke(door.cli, ["status", "--home", str(home)])
        assert "lab" in status.stdout and "running" in status.stdout
    finally:
        down = _clow("down", "--home", str(home), cwd=tmp_path)
    assert "lab" in down.stdout and "worker" in down.stdout
    assert bystander.poll() is None
    bystander.kill()
    from clow_nb.cli.house import living
    from clow_nb.runs.launch import worker_alive

    ctx = Context.open(home)
    assert living(ctx) == {} and not worker_alive(ctx)


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _clow("up", "--home", str(tmp_path / ".clow"), "--lab-port", str(taken.getsockname()[1]), cwd=tmp_path)
        assert done.returncode == 1 and "in use" in done.stderr
    _clow("down", "--home", str(tmp_path / ".clow"), cwd=tmp_path)


def test_doctor_finds_a_healthy_house(tmp_path: Path) -> None:
    done = _clow("doctor", "--home", str(tmp_path / ".clow"), cwd=tmp_path)
    assert "torch" in done.stdout and "2.13.0" in done.stdout
    assert done.returncode == 0, done.stdout


def test_a_defect_is_kept_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_HOME", str(tmp_path))
    sentence = door._defect(ValueError("secret-token"))
    assert "ValueError" in sentence and "secret-token" not in sentence
    (file,) = tmp_path.glob("error-*.txt")
    assert "secret-token" in file.read_text()
    assert json.dumps(sentence)
