"""A planner's afternoon, from a file to versions of a dataset: in JupyterLab and in Voilà, in English and in Korean.

Everything is done as people do it: a file is chosen, keys are pressed, 한글 is composed, a block comes from the clipboard. Nothing waits
for a time. `test_browser` brings the servers.
"""

import csv
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_browser import ROOT, TOKEN, _run_all, environment, free_port, serving

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.ui.servers import lab_command, voila_command

pytestmark = pytest.mark.browser
KOREAN: dict[str, str] = {}
for path in sorted((ROOT / "clow_nb/locale/ko").glob("*.json")):
    KOREAN |= json.loads(path.read_text("utf-8"))
HEADS = ["Name", "Author", "User Rating", "Reviews", "Price", "Year", "Genre"]
AUTHORS = ["한강", "김영하", "J.K. Rowling", "Delia Owens", "Michelle Obama"]


def bestsellers(path: Path, rows: int = 60) -> Path:
    """A file like the one that planners mail around."""
    chance = random.Random(7)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADS)
        for number in range(rows):
            author = AUTHORS[number % 5]
            rating, reviews = round(chance.uniform(3.3, 4.9), 1), chance.randrange(37, 90_000)
            genre = "Fiction" if number % 2 else "Non Fiction"
            lines.writerow([f"책 {number}", author, rating, f"{reviews}", chance.randrange(0, 40), 2009 + number % 11, genre])
    return path


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Context:
    return Context.open(tmp_path_factory.mktemp("work") / ".clow")


@pytest.fixture(scope="module")
def lab(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any, str], None]]:
    """JupyterLab; gives what opens the dashboard in it, as a notebook, in a language."""
    folder, home, port = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("home"), free_port()
    for language in ("en", "ko"):
        notebook = json.loads((ROOT / "dashboards/10_data.ipynb").read_text("utf-8"))
        first = {"cell_type": "code", "id": "first", "metadata": {}, "outputs": [], "execution_count": None}
        notebook["cells"].insert(0, first | {"source": f"import os\nos.environ['CLOW_LANG'] = {language!r}"})
        (folder / f"{language}.ipynb").write_text(json.dumps(notebook))
    command = [*lab_command(folder, port, TOKEN), "--allow-root"]
    server = f"http://127.0.0.1:{port}"
    settings = environment(workspace, home, "en") | {"CLOW_USER": "tester"}
    with serving(command, settings, f"{server}/api", home / "lab.log"):
        yield lambda page, language: _run_all(page, server, f"{language}.ipynb")


@pytest.fixture(scope="module")
def voila(workspace: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any, str, str], None]]:
    """Voilà over the dashboard; the language is the browser's."""
    folder, home, port = tmp_path_factory.mktemp("voila"), tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(ROOT / "dashboards/10_data.ipynb", folder)  # each notebook beside it would hold a warm kernel
    (home / "voila.json").write_text('{"VoilaKernelManager": {"fill_delay": 600}}')  # the one kernel that waits has its visitor; the next is not made ready
    settings = environment(workspace, home, "en")
    settings["JUPYTER_CONFIG_PATH"] += f"{os.pathsep}{home}"
    for name in ("CLOW_LANG", "CLOW_USER"):
        settings.pop(name, None)
    with serving(voila_command(folder, port, TOKEN), settings, f"http://127.0.0.1:{port}/", home / "voila.log"):

        def open_(page: Any, language: str, theme: str) -> None:
            page.set_extra_http_headers({"Accept-Language": language})
            page.goto(f"http://127.0.0.1:{port}/voila/render/10_data.ipynb?token={TOKEN}&theme={theme}", wait_until="commit")

        yield open_


class Planner:
    """Who sits before the page."""

    def __init__(self, page: Any, language: str, picture: Callable[[str], None]) -> None:
        self.page, self.language, self.picture = page, language, picture
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack}"))
        self.typing = page.context.new_cdp_session(page)

    def word(self, text: str, **values: Any) -> str:
        """What the page says for an English text."""
        return (KOREAN[text] if self.language == "ko" else text).format(**values)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, text: str, within: Any = None) -> Any:
        """The button in sight with these words."""
        return (within or self.page).locator(f"button:visible:text-is({json.dumps(self.word(text), ensure_ascii=False)})").first

    def tab(self, text: str) -> None:
        self.page.locator(".lm-TabBar-tab:visible", has_text=self.word(text)).last.click()

    def column(self, key: str) -> str:
        """The id of a column."""
        head = self.sheet.locator(".ag-header-cell", has=self.page.locator(f".ag-header-cell-text:text-is('{key}')"))
        return str(head.get_attribute("col-id"))

    @property
    def sheet(self) -> Any:
        return self.page.locator(".clow-sheet:visible")

    def cell(self, row: int, key: str) -> Any:
        return self.sheet.locator(f'.ag-row[row-index="{row}"] .ag-cell[col-id="{self.column(key)}"]')

    def shows(self, row: int, key: str, text: str) -> None:
        """Wait until a cell shows a text."""
        self.cell(row, key).get_by_text(text, exact=True).wait_for()

    def counted(self, text: str) -> None:
        """Wait until the line under the sheet says how many rows there are."""
        self.sheet.locator(".clow-grid-count", has_text=text).wait_for()

    def changed(self, *texts: str) -> None:
        """Wait until the bar above the sheet says what has changed."""
        self.page.get_by_text(" · ".join(texts), exact=True).locator("visible=true").wait_for()

    def write(self, text: str) -> None:
        """Type; Hangul is composed letter by letter, as an input method does."""
        for letter in text:
            if "가" <= letter <= "힣":
                initial = chr(0x1100 + (ord(letter) - 0xAC00) // 588)
                for part in (initial, letter):
                    self.typing.send("Input.imeSetComposition", {"text": part, "selectionStart": 1, "selectionEnd": 1})
                self.typing.send("Input.insertText", {"text": letter})
            else:
                self.page.keyboard.type(letter)

    def paste(self, text: str) -> None:
        self.page.evaluate(
            """text => { const data = new DataTransfer(); data.setData("text/plain", text);
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }""",
            text,
        )


def receive(planner: Planner, file: Path, title: str, first: str, author: str = "") -> None:
    """A file is chosen, looked at, named, imported, and opened; on a shared page who it is is asked, here and never again."""
    page = planner.page
    planner.button("Import a dataset …").click()
    page.locator(".clow-upload input[type=file]").first.set_input_files(file)
    planner.button("Import").wait_for()
    page.locator(".ag-row").first.get_by_text(first, exact=True).wait_for()
    planner.picture("intake")
    assert page.locator(".clow-view img").count() == 0 and page.title() != "run"  # the name of a file is text
    field = page.locator(".clow-intake input[type=text]:visible").first
    field.fill(title)
    field.press("Tab")
    who = page.get_by_title(planner.word("Your name"), exact=True)
    if author:
        who.press("Enter")
        page.get_by_role("alert").get_by_text(planner.word("Write your name: each version says who made it.")).wait_for()
        planner.picture("who")
        who.fill(author)
        who.press("Enter")
    else:
        assert who.count() == 0
        planner.button("Import").click()
    planner.shows(0, "Name", first)


def correct(planner: Planner) -> None:
    """Cells are written by keyboard, a block is pasted, and steps are taken back."""
    planner.cell(0, "Price").click()
    planner.write("1,500")
    planner.press("Enter")
    planner.changed(planner.word("{count} changed", count=1))
    planner.shows(0, "Price", "1500")
    planner.press("ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    planner.write("작가 한 강")
    planner.page.locator(".clow-pen.clow-writing").wait_for()
    planner.press("Enter")
    planner.shows(0, "Author", "작가 한 강")
    planner.press("F2")
    planner.write("님")
    planner.press("Enter")
    planner.shows(1, "Author", "김영하님")
    planner.changed(planner.word("{count} changed", count=2))

    planner.cell(3, "Price").click()
    planner.paste("11\t2021\n12\t2022\n13\t2023\n")
    planner.changed(planner.word("{count} changed", count=5))
    planner.shows(5, "Year", "2023")
    planner.press("Control+z")
    planner.changed(planner.word("{count} changed", count=2))
    planner.press("Control+y")
    planner.changed(planner.word("{count} changed", count=5))
    planner.picture("edited")


def label_many(planner: Planner) -> None:
    """Those that match what is typed under a header get a label, all at once."""
    field = planner.page.get_by_label(planner.word("Filter of {name}", name="Author"), exact=True)
    field.click()
    planner.write("한강")
    planner.press("Enter")
    planner.counted("11")  # the first one has another author by now
    planner.picture("filtered")
    planner.sheet.locator('.ag-header-cell[col-id="tick"] input').click()
    planner.page.get_by_text(planner.word("{count} rows ticked", count=11)).wait_for()
    planner.picture("ticked")
    planner.button("Set …", planner.page.locator(".clow-ticks")).click()
    card = planner.page.locator(".clow-card")
    card.locator("select").first.select_option("Genre")
    card.locator("textarea").click()
    planner.write("소설")
    card.get_by_text(planner.word("Documents that get this value: {count}.", count=11)).wait_for()
    planner.picture("setting")
    planner.press("Enter")
    planner.changed(planner.word("{count} changed", count=15))  # one of them had changed before
    field.click()
    planner.press("Control+a", "Delete", "Enter")
    planner.counted("60")


def commit(planner: Planner, message: str) -> None:
    """The changes are read once more, and become a version."""
    page = planner.page
    planner.button("Review").click()
    page.locator(".clow-review").wait_for()
    assert page.get_by_placeholder(planner.word("Your name")).locator("visible=true").count() == 0
    line = page.get_by_placeholder(planner.word("What was done, and why"))
    line.fill("")
    line.click()
    planner.write(message)
    planner.picture("review")
    planner.button("Commit").click()
    planner.changed(planner.word("No changes yet"))


def go_back(planner: Planner) -> None:
    """Two versions are compared, and the older one is restored."""
    page = planner.page
    planner.tab("Versions")
    rows = page.locator(".clow-listing:visible tbody tr")
    rows.nth(1).wait_for()
    rows.nth(0).locator("input").check()
    rows.nth(1).locator("input").check()
    planner.picture("versions")
    page.locator("button:visible", has_text=planner.word("Compare")).click()
    page.locator(".ag-row:visible", has_text="작가 한 강").wait_for()
    planner.picture("diff")
    page.locator("button:visible", has_text=f"← {planner.word('Versions')}").click()
    rows.nth(0).locator("input").uncheck()
    page.locator("button:visible", has_text=f"{planner.word('Restore')} …").click()
    planner.button("Restore").wait_for()
    assert page.get_by_placeholder(planner.word("Your name")).locator("visible=true").count() == 0
    planner.picture("restoring")
    planner.button("Restore").click()
    planner.shows(0, "Author", AUTHORS[0])  # the documents, as they were


def afternoon(planner: Planner, workspace: Context, file: Path, name: str, author: str = "") -> None:
    """The whole story, and what it left in the workspace."""
    receive(planner, file, name, "책 0", author)
    planner.counted("60")
    correct(planner)
    label_many(planner)
    commit(planner, "가격과 장르를 고침")
    go_back(planner)
    books = Datasets(workspace)[name]
    versions = books.versions()
    assert versions["message"].to_list()[1] == "가격과 장르를 고침" and len(versions) == 3
    assert versions["author"].to_list() == [author or "tester"] * 3
    first, second, third = (list(books.at(number).documents()) for number in (1, 2, 3))
    assert first == third and len(second) == 60
    assert [second[0][key] for key in HEADS] == ["책 0", "작가 한 강", first[0]["User Rating"], first[0]["Reviews"], 1500, 2009, "Non Fiction"]
    assert [(row["Price"], row["Year"]) for row in second[3:6]] == [(11, 2021), (12, 2022), (13, 2023)]
    assert {row["Genre"] for row in second if row["Author"] == "한강"} == {"소설"} and second[1]["Author"] == "김영하님"
    assert planner.errors == [] and "Traceback" not in planner.page.inner_text("body")


SLOW = pytest.mark.slow


@pytest.mark.parametrize(("language", "theme", "width"), [("ko", "light", 1280), pytest.param("en", "dark", 800, marks=SLOW)])
def test_in_voila(
    voila: Any, workspace: Context, page: Any, picture: Any, tmp_path: Path, language: str, theme: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    planner = Planner(page, language, lambda name: picture(page, f"story-voila-{language}-{theme}-{width}-{name}"))
    voila(page, language, theme)
    afternoon(planner, workspace, bestsellers(tmp_path / "bestsellers.csv"), f"voila-{language}", "김 기획")


def test_cells_are_corrected_in_jupyterlab(lab: Any, workspace: Context, page: Any, picture: Any, tmp_path: Path) -> None:
    """What the page around it could take away: keys, the clipboard, what is typed. All of the story is told in Voilà above."""
    planner = Planner(page, "en", lambda name: picture(page, f"story-lab-{name}"))
    lab(page, "en")
    receive(planner, bestsellers(tmp_path / "<img src=x onerror=document.title='run'>.csv"), "lab", "책 0")
    planner.counted("60")
    correct(planner)
    commit(planner, "가격을 고침")
    books = Datasets(workspace)["lab"]
    first, second = (list(books.at(number).documents()) for number in (1, 2))
    assert books.versions()["message"].to_list()[1] == "가격을 고침" and books.versions()["author"].to_list() == ["tester"] * 2
    assert [second[0][key] for key in HEADS] == ["책 0", "작가 한 강", first[0]["User Rating"], first[0]["Reviews"], 1500, 2009, "Non Fiction"]
    assert [(row["Price"], row["Year"]) for row in second[3:6]] == [(11, 2021), (12, 2022), (13, 2023)] and second[1]["Author"] == "김영하님"
    assert planner.errors == [] and "Traceback" not in page.inner_text("body")


@SLOW  # a part of it is done above, and all of it in Voilà
@pytest.mark.parametrize("language", ["en", "ko"])
def test_in_jupyterlab(lab: Any, workspace: Context, page: Any, picture: Any, tmp_path: Path, language: str) -> None:
    planner = Planner(page, language, lambda name: picture(page, f"story-lab-{language}-{name}"))
    lab(page, language)
    afternoon(planner, workspace, bestsellers(tmp_path / "<img src=x onerror=document.title='run'>.csv"), f"lab-{language}")


@SLOW
def test_the_file_itself(voila: Any, workspace: Context, page: Any, picture: Any, shared_data: Path) -> None:
    planner = Planner(page, "en", lambda name: picture(page, f"story-bestsellers-{name}"))
    voila(page, "en", "light")
    [file] = (shared_data / "amazon-bestsellers").glob("*.csv")
    receive(planner, file, "amazon", "10-Day Green Smoothie Cleanse", "Kim")
    planner.counted("550")
    field = page.get_by_label("Filter of Author", exact=True)
    field.fill("rowling")
    field.press("Enter")
    books = Datasets(workspace)["amazon"]
    rowling = [row for row in books.documents() if "rowling" in row["Author"].lower()]
    planner.counted(f"{len(rowling)} ")
    planner.cell(0, "Price").click()
    planner.write("9")
    planner.press("Enter")
    planner.changed("1 changed")
    commit(planner, "a price")
    [row] = books.at("latest").documents({"_id": rowling[0]["_id"]})
    assert row == rowling[0] | {"Price": 9} and books.label == "Genre" and planner.errors == []
