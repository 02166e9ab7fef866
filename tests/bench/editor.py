"""The editor as a person feels it, in Chromium in JupyterLab: how soon it can be used, what it sends, what it keeps in memory.

    python tests/bench/editor.py [--rows 10000000] [--peers 1000000] [--keep FOLDER] [ours peers]

`ours` takes the editor through a working day over a large dataset, `peers` sets it beside ipydatagrid and itables on the same
rows. Datasets and peers (which are installed beside this environment, not into it) are kept in a folder for the next time.
Times are from the key or the click to the end of the frame in which the answer is painted.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import psutil
from store import write_files

from clow_nb import Workspace
from clow_nb.ui.servers import jupyter_environment, lab_command

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))
from test_browser import TOKEN, _wait, free_port, serving

HERE = Path(__file__).parent
PEERS = "ipydatagrid==1.4.0 itables==2.9.1 bqplot==0.13.1 bqscales==0.3.7 py2vega==0.7.0 gast==0.7.0 traittypes==0.2.3".split()
AG = {"row": ".ag-row", "cell": ".ag-cell", "view": ".ag-grid-viewport", "head": ".ag-grid-pinned-top-rows"}
BOX = ".clow-sheet .clow-grid-box"
PATIENCE = 120_000
PLACES = 40


def kept(folder: Path, rows: int) -> Path:
    """A workspace with the dataset `large` of so many rows, made once; give a copy away with `copied`."""
    home = folder / str(rows)
    if not home.exists():
        print(f"making a dataset of {rows:,} rows in {home} ...", flush=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            part = min(rows, 1_000_000)
            _, messy = write_files(part, Path(work))
            path = Path(work, "large.jsonl")
            with path.open("wb") as file:
                for _ in range(max(1, rows // part)):
                    with messy.open("rb") as piece:
                        shutil.copyfileobj(piece, file)
            Workspace(Path(work, "home")).datasets.create("large", path, label="label")
            Path(work, "home").rename(home)
    return home


def copied(home: Path, to: Path) -> Path:
    """A copy to write in: Lance never changes a file, so the rows are links."""
    shutil.copytree(home, to, copy_function=lambda source, target: (os.link if source.endswith(".lance") else shutil.copy2)(source, target))
    return to


def peers(folder: Path) -> Path:
    """The folder in which ipydatagrid and itables lie."""
    target = folder / "peers"
    if not target.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), *PEERS]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return target


class Kernel:
    """The memory of a kernel, in MB: what is its own now, and the most it ever took since `reset`."""

    def __init__(self, pid: int) -> None:
        self.process, self.pid = psutil.Process(pid), pid
        self.reset()

    def reset(self) -> None:
        """Count from here."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        self.own, self.resident = self.process.memory_full_info().uss / 1e6, self.process.memory_info().rss / 1e6

    def more(self) -> str:
        """What it has more, and the most that it had more in between."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1e3
        return f"{self.process.memory_full_info().uss / 1e6 - self.own:.0f} MB more (at its peak {peak - self.resident:.0f} MB)"


class Desk:
    """A notebook of some cells, open in JupyterLab; the first cell has run."""

    def __init__(self, page: Any, server: str, folder: Path, name: str, cells: list[str]) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
        self.page = page
        page.goto(f"{server}/lab/tree/{name}.ipynb?token={TOKEN}&reset", wait_until="commit")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        self.sessions = f"{server}/api/sessions?token={TOKEN}"
        _wait(lambda: any(one["kernel"]["connections"] for one in self._here(name)))
        self.session = self._here(name)[0]["id"]
        page.locator(".jp-Cell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_function("document.querySelector('.jp-Cell .jp-InputPrompt').textContent.includes('[1]')", timeout=10 * PATIENCE)
        warm = page.locator(".jp-OutputArea-output").first.inner_text()
        self.kernel = Kernel(int(warm.split()[-1]))

    def _here(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.page.request.get(self.sessions).json() if one["path"] == f"{name}.ipynb"]

    def leave(self) -> None:
        """Close the page and end the kernel."""
        self.page.request.delete(f"{self.sessions.replace('?', '/' + self.session + '?')}")
        self.page.context.close()

    def time(self, what: Callable[[], Any], holds: str, argument: Any = None) -> float:
        """Seconds from the key or click of `what` until `holds` (JavaScript) is true on the screen."""
        self.page.evaluate(f"argument => {{ window.watched = clock.until(() => {holds}, {PATIENCE}); }}", argument)
        what()
        taken = self.page.evaluate("window.watched")
        return float("nan") if taken is None else taken / 1000

    def run_next(self, holds: str) -> float:
        """Run the cell that is selected."""
        return self.time(lambda: self.page.keyboard.press("Shift+Enter"), holds)


def told(what: str, taken: float, bound: float | None = None, more: str = "") -> None:
    """One line."""
    allowed = "" if bound is None else f"(at most {1000 * bound:,.0f} ms)"
    print(f"{what:52}{1000 * taken:10,.0f} ms {allowed:22}{more}", flush=True)


def text_is(selector: str, text: str) -> str:
    """JavaScript: something on the page holds this text."""
    return f"[...document.querySelectorAll({json.dumps(selector)})].some((one) => one.textContent.includes({json.dumps(text)}))"


PAINTED = f"clock.painted(document.querySelector({json.dumps(BOX)}), {json.dumps(AG)})"
FIRST = "import os, gc\nfrom clow_nb import Workspace\nimport clow_nb.ui.pages, altair\nws = Workspace({home!r})\nprint(os.getpid())"
GRID = f"document.querySelector({json.dumps(BOX)})"
CHANGED = "Number((document.querySelector('.clow-view')?.textContent.match(/([0-9,]+) changed/)?.[1] ?? '0').replace(',', ''))"
SCROLL = """async ([selector, parts, places]) => {
    const taken = [], box = document.querySelector(selector), view = box.querySelector(parts.view);
    for (const place of places) {
        clock.start();
        view.scrollTop = place * (view.scrollHeight - view.clientHeight);
        taken.push(await clock.until(() => clock.painted(box, parts), 60000));
    }
    return taken;
}"""
PASTE = """text => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    clock.start();
    document.querySelector(".clow-pen").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


class Editor(Desk):
    """The page of a dataset, as it is worked with."""

    def head(self, key: str) -> Any:
        """The head of a column."""
        return self.page.locator(f"{BOX} .ag-header-cell", has=self.page.locator(f".ag-header-cell-text:text-is('{key}')"))

    def cell(self, row: int, key: str) -> Any:
        """A cell that is on the screen."""
        return self.page.locator(f'{BOX} .ag-row[row-index="{row}"] .ag-cell[col-id="{self.head(key).get_attribute("col-id")}"]')

    def anew(self, act: Callable[[], Any]) -> float:
        """Until other rows than now are painted."""
        first = f"({GRID}.querySelector('.ag-row[row-index=\"0\"]')?.textContent + {GRID}.parentElement.querySelector('.clow-grid-count').textContent)"
        self.page.evaluate(f"window.before = {first}")
        return self.time(act, f"{first} !== window.before && {PAINTED}")

    def scrolled(self, places: int = PLACES) -> list[float]:
        """Seconds until the rows are painted, at places anywhere."""
        anywhere = [random.Random(place).random() for place in range(places)]
        return [taken / 1000 for taken in self.page.evaluate(SCROLL, [BOX, AG, anywhere])]

    def to_top(self) -> None:
        """The first rows again."""
        self.page.evaluate(SCROLL, [BOX, AG, [0]])

    def write(self, key: str, times: int) -> list[float]:
        """Numbers typed one below the other: seconds from each Enter until the kernel has counted the change."""
        self.cell(0, key).click()
        taken = []
        for number in range(times):
            self.page.keyboard.type(str(7000 + number))
            taken.append(self.time(lambda: self.page.keyboard.press("Enter"), "clock.answered.write > clock.began"))
        return taken


def say_all(what: str, taken: list[float], bound: float | None = None) -> None:
    """The median of several, and the longest."""
    told(what, median(taken), bound, f"{len(taken)} times, at most {1000 * max(taken):,.0f} ms")


def ours(open_: Callable[..., Editor], rows: int) -> None:
    """A working day over a large dataset."""
    cells = ['view = ws.datasets["large"].view()\nview']
    opened = []
    for number in range(3):
        desk = open_(f"ours-{number}", cells)
        opened.append(desk.run_next(PAINTED))
    say_all(f"{rows:,} rows: the page can be used", opened, 2)
    print(f"  kernel: {desk.kernel.more()}; {desk.page.evaluate('clock.bytes') / 1e6:.2f} MB came by websockets")

    say_all("scroll anywhere", desk.scrolled(), 0.2)
    desk.to_top()
    desk.write("count", 2)
    say_all("a cell written", desk.write("count", 10), 0.1)
    told("undo", desk.time(lambda: desk.page.keyboard.press("Control+z"), "clock.answered.undo > clock.began"))
    desk.cell(0, "text").click()
    block = "".join("빠른 배송\talarm\t1.5\t3\ttrue\n" for _ in range(200))
    told("1,000 cells pasted", desk.time(lambda: desk.page.evaluate(PASTE, block), f"{CHANGED} >= 200 && {PAINTED}"))
    print(f"  kernel: {desk.kernel.more()}")

    for name in ("price", "price", "text"):
        told(f"sorted by {name}", desk.anew(lambda name=name: desk.head(name).locator(".ag-header-cell-text").click()))
        say_all("  scroll anywhere", desk.scrolled(10), 0.2)
        desk.to_top()
        say_all("  a cell written", desk.write("count", 3), 0.1)
    print(f"  kernel: {desk.kernel.more()}")
    box = desk.page.get_by_placeholder('{"key": "value"}')
    for query in ('{"label": "alarm"}', '{"price": {"$gt": 60}}', ""):
        box.fill(query)
        told(f"filtered by {query or 'nothing'}", desk.anew(lambda: box.press("Enter")))
        say_all("  scroll anywhere", desk.scrolled(10), 0.2)
        desk.to_top()
        say_all("  a cell written", desk.write("count", 3), 0.1)
    print(f"  kernel: {desk.kernel.more()}")

    review = f"clock.painted(document.querySelector('.clow-grid:not(.clow-sheet) .clow-grid-box'), {json.dumps(AG)})"
    told("Review", desk.time(lambda: desk.page.get_by_role("button", name="Review").click(), review))
    desk.page.get_by_placeholder("What was done, and why").fill("a day's work")
    told("Commit", desk.time(lambda: desk.page.get_by_role("button", name="Commit").click(), f"{text_is('.clow-view', 'No changes yet')} && {PAINTED}"))
    say_all("  scroll anywhere", desk.scrolled(10), 0.2)
    desk.to_top()
    say_all("  a cell written", desk.write("count", 3), 0.1)
    print(f"  kernel: {desk.kernel.more()}; {desk.page.evaluate('clock.bytes') / 1e6:.2f} MB came by websockets")


FRAME = FIRST + "\nimport pandas\nframe = ws.datasets['large'].find().to_pandas()\ngc.collect()\nprint(os.getpid())"
SHOWN = {
    "ours": ('view = ws.datasets["large"].view()\nview', PAINTED),
    "ipydatagrid": (
        "from ipydatagrid import DataGrid\ngrid = DataGrid(frame)\ngrid",
        "clock.inked(document.querySelector('.jp-OutputArea .lm-DataGrid canvas, .jp-OutputArea canvas'))",
    ),
    "itables, all rows": (
        "import itables\nitables.init_notebook_mode(connected=False)\nitables.show(frame, maxBytes=0)",
        "[...document.querySelectorAll('table.dataTable tbody td')].filter((cell) => cell.textContent.trim()).length > 20",
    ),
    "itables, the 64 KB it shows by itself": (
        "import itables\nitables.init_notebook_mode(connected=False)\nitables.show(frame)",
        "[...document.querySelectorAll('table.dataTable tbody td')].filter((cell) => cell.textContent.trim()).length > 20",
    ),
}


def beside(open_: Callable[..., Editor], rows: int) -> None:
    """The same rows in ours and in what people use otherwise; theirs have the rows in memory before the clock runs."""
    for name, (cell, holds) in SHOWN.items():
        desk = open_(name.partition(",")[0], [cell], FIRST if name == "ours" else FRAME)
        before = desk.page.evaluate("clock.bytes")
        try:
            taken = desk.run_next(holds)
            sent = (desk.page.evaluate("clock.bytes") - before) / 1e6
            words = f"{sent:9.2f} MB by websockets   kernel: {desk.kernel.more()}"
        except Exception as error:  # a page that holds more than the browser can is gone
            taken, words = float("nan"), f"the page broke: {str(error).splitlines()[0]}   kernel: {desk.kernel.more()}"
        told(f"{rows:,} rows: {name}", taken, None, words)


@contextmanager
def laboratory(home: Path, folder: Path, beside: Path | None = None) -> Iterator[Callable[..., Editor]]:
    """JupyterLab with a browser before it; gives a function that opens a notebook in a kernel of its own."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(exist_ok=True)
    own = {"HOME": str(folder), "JUPYTER_PLATFORM_DIRS": "0", "IPYTHONDIR": str(folder / "ipython"), "CLOW_LANG": "en", "CLOW_USER": "bench"}
    settings = {**os.environ, **jupyter_environment(), **own}
    if beside:
        settings["PYTHONPATH"] = os.pathsep.join(filter(None, [settings.get("PYTHONPATH", ""), str(beside)]))
        settings["JUPYTER_PATH"] += os.pathsep + str(beside / "share/jupyter")
    port = free_port()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    command = [*lab_command(folder, port, TOKEN), "--allow-root", "--ServerApp.iopub_data_rate_limit=1e12"]
    with serving(command, settings, f"http://127.0.0.1:{port}/api", folder / "lab.log"), sync_playwright() as playwright:
        server, desks = f"http://127.0.0.1:{port}", []
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])

        def open_(name: str, cells: list[str], first: str = FIRST) -> Editor:
            for desk in desks:
                desk.leave()
            page = browser.new_context(viewport={"width": 1400, "height": 1200}).new_page()
            page.set_default_timeout(1.2 * PATIENCE)
            page.add_init_script(path=HERE / "stopwatch.js")
            page.on("pageerror", lambda error: print(f"  the page says: {error}"))
            desks[:] = [Editor(page, server, folder, name, [first.format(home=str(home)), *cells])]
            return desks[0]

        yield open_
        browser.close()


def main() -> None:
    """Run the sections that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=[], choices=["ours", "peers", []])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--peers", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "clow-bench-editor"))
    args = parser.parse_args()
    args.keep.mkdir(parents=True, exist_ok=True)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    sections = args.sections or ["ours", "peers"]
    with tempfile.TemporaryDirectory(prefix="run-", dir=args.keep) as work:
        if "ours" in sections:
            home = copied(kept(args.keep, args.rows), Path(work, "home"))
            with laboratory(home, Path(work, "lab")) as open_:
                ours(open_, args.rows)
        if "peers" in sections:
            with laboratory(kept(args.keep, args.peers), Path(work, "peers"), peers(args.keep)) as open_:
                beside(open_, args.peers)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
