"""A real browser for the tests of the widgets."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")
# What Playwright switches off, and the two pages under the address bar, which Chromium loads anew for each context: half of all that it computes here.
OFF = ("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay",
       "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
       "WebUIOmniboxPopup", "WebUIOmniboxAimPopup")  # fmt: skip


def _no_browser(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and this is CI, where the browser tests must run")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright; without it the browser tests skip, in CI they fail.

    For one module: Playwright runs an event loop as long as it lives, and other tests bring their own.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _no_browser("Chromium is not installed (apt-get install chromium fonts-nanum)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu", f"--disable-features={','.join(OFF)}"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A fresh page of 1280 × 800. When the test is over, no request may have left this machine."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(180_000)  # a machine with other work takes its time; a test that passes never waits for it
    page = context.new_page()
    strangers: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else strangers.append(request.url))
    page.on("websocket", lambda socket: None if socket.url.startswith(LOCAL) else strangers.append(socket.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if os.environ.get("CLOW_SCREENSHOTS"):
        page.screenshot(path=f"{os.environ['CLOW_SCREENSHOTS']}/end-of-{request.node.name}.png")
    context.close()
    assert strangers == []
    assert [error for error in errors if "clow" in error.lower() or "ag-grid" in error.lower()] == []


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
    """Keeps a screenshot of a page to be looked at, in `$CLOW_SCREENSHOTS`; without it none is taken."""
    folder = os.environ.get("CLOW_SCREENSHOTS")

    def take(page: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}.png")

    return take
