"""The converter tab as a person meets it, in JupyterLab, in English and in Korean."""

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from test_browser import TOKEN, Screenshots, _run_all, environment, free_port, serving

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets, Rawdatas
from clow_nb.runs.converter import Converters
from clow_nb.runs.launch import stop_worker
from clow_nb.ui.servers import lab_command

CODE = """PARALLEL = True  # a document has nothing to do with the others


def convert(json_input, raw_dataset_name, output):
    print(json_input.count(), "documents of", raw_dataset_name)
    for document in json_input:
        won = document["price"].replace(",", "")
        output({"fruit": document["fruit"].strip(), "won": int(won)})
"""
WORDS = {
    "en": {"new": "New", "tab": "Converter", "test": "Test", "dry": "Dry run", "run": "Run", "from": "Chat logs", "done": "Succeeded"},
    "ko": {"new": "새로 만들기", "tab": "변환기", "test": "시험", "dry": "모의 실행", "run": "실행", "from": "대화 기록", "done": "성공"},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Context]:
    """A workspace with raw data of which one document is odd."""
    ctx = Context.open(tmp_path_factory.mktemp("work") / ".clow")
    fruit = ["사과 ", "배", " 감", "귤", "포도"]
    documents = [{"fruit": fruit[n % 5], "price": f"{n % 7},500"} for n in range(40)]
    Rawdatas(ctx).create("shop", [*documents, {"fruit": "수박", "price": "시가"}], title="과일 가게", description="가게에서 온 그대로")
    yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture(scope="module")
def lab(shop: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab with a notebook of the rawdata in each language."""
    folder = tmp_path_factory.mktemp("lab")
    for language in ("en", "ko"):
        cells = [
            f"import os\nos.environ['CLOW_LANG'] = {language!r}\nfrom clow_nb import Workspace\nws = Workspace()",
            'ws.rawdata["shop"].view()',
        ]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{language}.ipynb")
    port = free_port()
    command = [*lab_command(folder, port, TOKEN), "--allow-root"]
    with serving(command, environment(shop, tmp_path_factory.mktemp("home"), "en"), f"http://127.0.0.1:{port}/api", folder.parent / "lab.log"):
        yield f"http://127.0.0.1:{port}"


def _type(page: Any, bench: Any, text: str) -> None:
    editor = bench.locator(".cm-content:visible")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", pytest.param("ko", marks=pytest.mark.slow)])
def test_the_tab_from_nothing_to_a_dataset(lab: str, shop: Context, page: Any, picture: Screenshots, language: str) -> None:
    words, name = WORDS[language], f"fruit-{language}"
    page.set_viewport_size({"width": 1280, "height": 1500})
    _run_all(page, lab, f"{language}.ipynb")
    page.locator(".lm-TabBar-tab", has_text=words["tab"]).click()
    bench = page.locator(".clow-workbench")
    bench.wait_for()
    if Converters(shop).list().height:
        bench.locator(".clow-bench-row button").filter(has_text=words["new"]).click()
    form = bench.locator(".clow-bench-form")
    form.wait_for()  # where there is no converter yet, one is asked for
    picture(page, f"converter-new-{language}")
    bench.locator(".clow-bench-form input").fill(name)
    bench.locator(".clow-bench-form select").select_option(label=words["from"])
    bench.locator(".clow-bench-form .clow-primary").click()
    bench.locator(".cm-content:visible", has_text="messages_of").wait_for()
    picture(page, f"converter-example-{language}")

    _type(page, bench, CODE.replace("convert(", "konvert("))
    button = bench.locator(".clow-bench-row button")
    button.filter(has_text=words["test"]).first.click()
    bench.locator(".clow-error:visible", has_text="convert.py").wait_for()
    _type(page, bench, CODE)
    button.filter(has_text=words["test"]).first.click()
    page.locator(".ag-row:visible").nth(3).wait_for()
    picture(page, f"converter-test-{language}")
    button.filter(has_text=words["dry"]).first.click()
    page.locator(".clow-fault", has_text="int(won)").wait_for()
    bench.locator(".cm-faulty", has_text="int(won)").wait_for()
    page.locator(".clow-fault summary").click()
    page.locator(".clow-fault", has_text="시가").wait_for()
    picture(page, f"converter-dry-run-{language}")
    page.locator(f".clow-code:has-text('ws.converters[\"{name}\"].dry_run(\"shop@1\")')").wait_for(state="attached")

    button.filter(has_text=words["run"]).last.click()
    form.locator("input").first.fill(f"d-{language}")
    form.locator("select").select_option("skip")
    picture(page, f"converter-run-form-{language}")
    form.locator("button").click()
    page.locator(".clow-status", has_text=words["done"]).wait_for()
    picture(page, f"converter-run-{language}")
    assert len(Datasets(shop)[f"d-{language}"]) == 40 and Converters(shop)[name].version == 2
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()
