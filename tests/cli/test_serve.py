"""`clow serve`: what it says without a service, in the foreground until SIGTERM, and beside a run."""

import os
import signal
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from clow_nb.cli.main import cli
from clow_nb.core.context import Context
from clow_nb.runs.machine import birth
from clow_nb.serve.service import Service, Services

CLOW = [sys.executable, "-c", "from clow_nb.cli.main import main; main()"]
RULES = [{"rules": [{"name": "hi", "when": {"text": {"$contains": "안녕"}}, "answer": {"label": "greeting"}}]}, {"answer": {"label": "?"}}]


@pytest.fixture
def service(ctx: Context) -> Service:
    """A service that answers by rules alone."""
    made = Services(ctx).create("s-rules")
    made.create_version("v1", flow=RULES, notes="the first")
    return made


def _clow(ctx: Context, *args: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["serve", *args, "--home", str(ctx.home)])
    return done.exit_code, done.output + (f"{done.exception}" if done.exception and not isinstance(done.exception, SystemExit) else "")


def test_what_can_not_be_is_said_before_anything_starts(ctx: Context, service: Service) -> None:
    for args, words in (
        (["--status", "--foreground"], "go alone"),
        (["--stop", "--port", "9000"], "go alone"),
        (["--logs", "--notes", "x"], "go alone"),
        (["--port", "many"], "many"),
    ):
        code, said = _clow(ctx, "s-rules", *args)
        assert code == 2 and words in said, said
    assert "Missing argument" in _clow(ctx)[1]
    for args, words in (
        (["nobody"], "nobody"),
        (["s-rules", "--foreground", "--version", "v9"], "v9"),
        (["s-rules", "--foreground", "--port", "80"], "80"),
        (["s-rules", "--logs"], "has no log yet"),
    ):
        code, said = _clow(ctx, *args)
        assert code == 1 and words in said, said
    assert service.releases().is_empty() and service.url is None


def test_how_it_is_and_that_it_was_not_running(ctx: Context, service: Service) -> None:
    code, said = _clow(ctx, "s-rules", "--status")
    assert code == 0 and "STOPPED" in said and "v1" in said and "the first" in said and "no release yet" in said
    code, said = _clow(ctx, "s-rules", "--stop")
    assert code == 0 and "s-rules was not running." in said


def test_in_the_foreground_until_sigterm(ctx: Context, service: Service) -> None:
    command = [*CLOW, "serve", "s-rules", "--foreground", "--notes", "by hand", "--home", str(ctx.home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        url = next((line.strip() for line in process.stdout if line.startswith("http://")), None)
        assert url and url == service.url
        with urlopen(Request(f"{url}/predict", '{"text": "안녕하세요"}'.encode())) as answer:
            assert '"greeting"' in answer.read().decode()
        assert "RUNNING v1" in _clow(ctx, "s-rules", "--status")[1]
        pids = service.status().pids
        process.send_signal(signal.SIGTERM)
        printed, said = process.communicate(timeout=120)
        assert process.returncode == 0 and "s-rules is stopped." in printed and "Traceback" not in said, said
        assert service.url is None and pids and not any(map(birth, pids))
        assert service.releases().select("version", "status", "notes").rows() == [("v1", "ENDED", "by hand")]
        assert "serving s-rules v1" in _clow(ctx, "s-rules", "--logs", "--version", "v1")[1]
    finally:
        process.kill()
        service.stop()


@pytest.mark.slow
def test_a_deployment_is_a_run_that_is_followed(ctx: Context, service: Service) -> None:
    from clow_nb.runs.launch import stop_worker

    done = subprocess.run([*CLOW, "serve", "s-rules", "--home", str(ctx.home)], capture_output=True, text=True, timeout=200)
    try:
        assert done.returncode == 0 and "has succeeded" in done.stderr, done.stderr
        assert "RUNNING v1" in done.stdout and "ServiceSpec(" not in done.stdout
        assert service.predict({"text": "안녕"})["decided_by"] == "rule:hi" and str(service.status()) == "RUNNING v1"
        assert "s-rules is stopped." in _clow(ctx, "s-rules", "--stop")[1]
    finally:
        service.stop()
        stop_worker(ctx)
