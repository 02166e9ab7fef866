"""`clow up --share`: an address for others, one way at a time, ended by `clow down`."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from clow_nb import Workspace
from clow_nb.cli.house import living, residents
from clow_nb.cli.main import cli

CLOW = [sys.executable, "-c", "from clow_nb.cli.main import main; main()"]


def _clow(*args: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*CLOW, *args, "--home", str(home)]
    return subprocess.run(command, cwd=home.parent, capture_output=True, text=True, env=os.environ | env, timeout=200)


def _answers(url: str) -> int:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_write_and_ip_belong_to_share(tmp_path: Path) -> None:
    for args in (["--write"], ["--ip", "127.0.0.1"]):
        done = CliRunner().invoke(cli, ["up", *args, "--home", str(tmp_path / ".clow")])
        assert done.exit_code == 2 and "--share" in done.output
    assert not (tmp_path / ".clow").exists()


@pytest.mark.slow
def test_a_workspace_is_shared_in_one_way_at_a_time(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / ".clow")
    ws.datasets.create("books", [{"title": "Emma"}])
    try:
        done = _clow("up", "--share", "--ip", "127.0.0.1", home=ws.home, CLOW_USER="somebody")
        assert done.returncode == 0, done.stderr
        (url,) = [line for line in done.stdout.splitlines() if line.startswith("http://127.0.0.1:")]
        assert "change nothing" in done.stdout and "not encrypted" in done.stdout
        assert _answers(url) == 200 and _answers(url.partition("?")[0]) == 403
        (resident,) = residents(ws.ctx)
        environment = Path(f"/proc/{resident.pid}/environ").read_text().split("\0")
        assert {"CLOW_READ_ONLY=1", "CLOW_SHARED=1", "CLOW_USER="} <= set(environment)
        command = Path(f"/proc/{resident.pid}/cmdline").read_text()
        assert url.partition("token=")[2] not in command and "-m\0jupyterlab" not in command
        assert url in _clow("up", "--share", home=ws.home).stdout
        other = _clow("up", "--share", "--write", home=ws.home)
        assert other.returncode == 1 and "shared already" in other.stderr and "clow down" in other.stderr
        assert url in _clow("status", home=ws.home).stdout
        assert (ws.home / "up.json").stat().st_mode & 0o077 == 0
    finally:
        down = _clow("down", home=ws.home)
    assert "shared" in down.stdout and living(ws.ctx) == {}
