"""What visitors from the network get of a shared page, and what they don't, at a real server."""

import asyncio
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import websockets
from test_browser import free_port, serving

from clow_nb import Workspace
from clow_nb.cli.share import complete
from clow_nb.ui.servers import jupyter_environment, share_command
from clow_nb.ui.sharing import VARIABLE

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-visitors"
KERNELSPEC = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A shared Voilà, for looking, with room for two pages; its address, and its log."""
    home = tmp_path_factory.mktemp("shared")
    ws = Workspace(home / ".clow")
    ws.datasets.create("books", [{"title": "Emma", "Genre": "Fiction"}], label="Genre", title="도서")
    complete(ws.ctx)
    port = free_port()
    own = {
        "HOME": str(home),
        "JUPYTER_PLATFORM_DIRS": "0",
        "IPYTHONDIR": str(home / "ipython"),
        "CLOW_TZ": "Asia/Seoul",
    }
    own |= {VARIABLE: TOKEN, "CLOW_SHARED": "1", "CLOW_READ_ONLY": "1", "CLOW_USER": ""}
    settings = {**os.environ, **ws.ctx.environment(), **jupyter_environment(), **own}
    folder = home / "dashboards"
    folder.mkdir()
    shutil.copy(ROOT / "dashboards/10_data.ipynb", folder)
    light = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")], metadata=KERNELSPEC)
    nbformat.write(light, folder / "light.ipynb")
    command = [*share_command(folder, port, "127.0.0.1", preheat=False), "--SharedVoila.most=2"]
    with serving(command, settings, f"http://127.0.0.1:{port}/", home / "shared.log"):
        yield f"http://127.0.0.1:{port}", home / "shared.log"


def ask(address: str, **how: Any) -> tuple[int, str]:
    try:
        with DIRECT.open(urllib.request.Request(address, **how), timeout=150) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/voila/render/10_data.ipynb",
        "/voila/static/voila.js",
        "/voila/templates/lab/static/voila-style.js",
    ]
    + [f"/voila/labextensions/anywidget/package.json?{suffix}" for suffix in ("", "token=wrong", "token=")]
    + ["/voila/files/10_data.ipynb", f"/voila/api/shutdown/{uuid.UUID(int=1)}", f"/api/kernels/{uuid.UUID(int=1)}"],
)
def test_without_the_token_there_is_nothing(shared: tuple[str, Path], path: str) -> None:
    status, text = ask(shared[0] + path)
    assert status == 403 and "lacks its token" in text


@pytest.mark.parametrize(
    "path",
    ["/api/kernels", "/api/contents", "/api/terminals", "/api/sessions", "/voila/api/contents", "/login"],
)
def test_with_the_token_there_is_no_notebook_server(shared: tuple[str, Path], path: str) -> None:
    assert ask(f"{shared[0]}{path}?token={TOKEN}")[0] == 404
    assert ask(f"{shared[0]}{path}?token={TOKEN}", method="POST", data=b"{}")[0] in (403, 404)


async def _talk(address: str, code: str) -> list[str]:
    """Ask a page's kernel to execute code, then for its name; the types of what it answers."""
    found = []
    async with websockets.connect(address) as socket:
        for kind, content in (
            ("execute_request", {"code": code, "silent": False}),
            ("kernel_info_request", {}),
        ):
            header = {
                "msg_id": uuid.uuid4().hex,
                "msg_type": kind,
                "username": "x",
                "session": "s",
                "version": "5.3",
                "date": "",
            }
            message = {
                "channel": "shell",
                "header": header,
                "parent_header": {},
                "metadata": {},
                "content": content,
            }
            await socket.send(json.dumps(message))
        while "kernel_info_reply" not in found:
            found.append(json.loads(await asyncio.wait_for(socket.recv(), 150))["msg_type"])
    return found


def test_a_visitor_runs_no_code_and_finds_a_limit(shared: tuple[str, Path], tmp_path: Path) -> None:
    server, log = shared
    status, html = ask(f"{server}/voila/render/light.ipynb?token={TOKEN}")
    kernel = re.search(r'"kernelId":\s*"([^"]+)"', html)
    assert status == 200 and kernel
    place = server.replace("http", "ws") + f"/api/kernels/{kernel[1]}/channels"
    answered = asyncio.run(_talk(f"{place}?token={TOKEN}", f"open({str(tmp_path / 'here')!r}, 'w').close()"))
    assert "execute_reply" not in answered and not (tmp_path / "here").exists()
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        asyncio.run(_talk(place, "1"))
    assert ask(f"{server}/voila/render/light.ipynb?token={TOKEN}")[0] == 200
    status, text = ask(f"{server}/voila/render/light.ipynb?token={TOKEN}")
    assert status == 503 and "as many people are here" in text.lower()
    assert TOKEN not in log.read_text()
    for page in re.findall(r"Kernel started: (\S+)", log.read_text()):
        ask(f"{server}/voila/api/shutdown/{page}?token={TOKEN}", method="POST", data=b"")
    assert ask(f"{server}/api/kernels/{kernel[1]}?token={TOKEN}")[0] == 404


def test_a_page_for_looking_speaks_the_visitors_language_and_ends_with_its_visit(
    shared: tuple[str, Path], chromium: Any, picture: Callable[[Any, str], None]
) -> None:
    server, log = shared
    context = chromium.new_context(locale="ko-KR", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(150_000)
    page = context.new_page()
    page.goto(f"{server}/?token={TOKEN}")
    assert page.locator("h1").inner_text() == "대시보드"
    picture(page, "shared-front-ko")
    page.get_by_text("데이터", exact=True).click()
    page.locator(".clow-rows").wait_for()
    page.locator(".clow-about:text-is('보기 전용 페이지입니다.')").wait_for()
    assert page.get_by_text("가져오기").count() == page.get_by_text("지우기").count() == 0
    picture(page, "shared-data-ko")
    page.locator("tr", has_text="도서").press("Enter")
    page.locator(".ag-cell", has_text="Emma").wait_for()
    picture(page, "shared-dataset-ko")
    page.close(run_before_unload=True)
    until = time.monotonic() + 150
    while (
        "Kernel shutdown" not in log.read_text().rpartition("Kernel started")[2] and time.monotonic() < until
    ):
        time.sleep(0.1)
    assert "Kernel shutdown" in log.read_text().rpartition("Kernel started")[2]
    context.close()
