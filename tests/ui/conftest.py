"""A real browser, real servers and a small real workspace for the tests of the widgets."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clow_nb.core.context import Context

TOKEN = "test-token"
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")


def _no_browser(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and this is CI, where the browser tests must run")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; without it the browser tests skip, in CI they fail."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _no_browser("Chromium is not installed (apt-get install chromium fonts-nanum)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A fresh page of 1280 × 800. When the test is over, no request may have left this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    strangers: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else strangers.append(request.url))
    page.on("websocket", lambda socket: None if socket.url.startswith(LOCAL) else strangers.append(socket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert strangers == []
    assert [error for error in errors if "clow" in error.lower() or "ag-grid" in error.lower()] == []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], environment: dict[str, str], address: str, log: Path) -> Iterator[None]:
    """Run a server until the block is left; it must answer within a minute."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def environment(ctx: Context, home: Path, language: str) -> dict[str, str]:
    """What a server of the tests runs in: the workspace, the language, and settings of nobody else."""
    from clow_nb.ui.servers import jupyter_environment

    own = {"HOME": str(home), "JUPYTER_PLATFORM_DIRS": "0", "IPYTHONDIR": str(home / "ipython"), "CLOW_TZ": "Asia/Seoul"}
    return {**os.environ, **ctx.environment(), **jupyter_environment(), **own, "CLOW_LANG": language}


Screenshots = Callable[[Any, str], None]


@pytest.fixture
def picture(tmp_path: Path) -> Screenshots:
    """Keeps a screenshot of a page, in `$CLOW_SCREENSHOTS` if that is set, to be looked at."""
    folder = Path(os.environ.get("CLOW_SCREENSHOTS") or tmp_path)

    def take(page: Any, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(folder / f"{name}.png"))

    return take
