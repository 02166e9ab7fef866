"""The test notebooks of papermill and nbformat: old formats, invalid ones, errors and exits; each has a clear status, none hangs."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clow_nb.core.errors import ClowError
from clow_nb.runs.engine import execute_notebook

pytestmark = pytest.mark.usefixtures("bare_pool")
DONE = "SUCCEEDED"
NO_NOTEBOOK = "FileError: .* can't be read as a notebook"
OFFLINE = "RunError: URLError: "
LEFT = r"RunError: The notebook left with sys.exit in cell 2 of 3\."

NBFORMAT = {
    "invalid": NO_NOTEBOOK,
    "invalid_cell_id": DONE,
    "invalid_unique_cell_id": DONE,
    "many_tracebacks": DONE,
    "no_min_version": NO_NOTEBOOK,
    "test2": "RunError: SyntaxError: ",
    "test3": OFFLINE,
    "test3_no_metadata": NO_NOTEBOOK,
    "test3_no_min_version": DONE,
    "test3_no_worksheets": NO_NOTEBOOK,
    "test3_worksheet_with_no_cells": NO_NOTEBOOK,
    "test4": OFFLINE,
    "test4.5": OFFLINE,
    "test4custom": DONE,
    "test4docinfo": OFFLINE,
    "test4jupyter_metadata": DONE,
    "test4jupyter_metadata_timings": "RunError: The notebook asks for the kernel 'python2', which is not installed",
    "test4plus": NO_NOTEBOOK,
    "v4_5_invalid_metadata": NO_NOTEBOOK,
    "v4_5_no_cell_id": DONE,
}
PAPERMILL = {
    "binder/cli-simple/simple_input": DONE,
    "binder/cli-simple/simple_output": DONE,
    "blank-vscode": DONE,
    "broken": "RunError: SyntaxError: ",
    "broken1": "RunError: AssertionError$",
    "broken2": "RunError: ImportError: ",
    "complex_parameters": "ParameterError: .* the cell of the parameters is no valid Python",
    "line_magic_error": "RunError: UsageError: ",
    "nb_version_4.4": DONE,
    "no_parameters": DONE,
    "notimplemented_translator": "RunError: The notebook asks for the kernel 'r', which is not installed",
    "read_check": "RunError: AssertionError$",
    "report_mode_test": DONE,
    "result_no_exec": DONE,
    "s3/s3_in/s3-simple_notebook": DONE,
    "simple_execute": DONE,
    "sysexit": LEFT,
    "sysexit0": LEFT,
    "sysexit1": "RunError: SystemExit: 1$",
    "systemexit": LEFT,
    "test_autosave": "RunError: The notebook asks for the kernel 'python', which is not installed",
    "test_logging": "RunError: ModuleNotFoundError: ",
    "test_notebooknode_io": DONE,
}
LONG = {
    "keyboard_interrupt": DONE,
    "binder/cli-simple/cli_example": DONE,
    "binder/cli-simple/pm_example": DONE,
    "binder": "RunError: CalledProcessError: ",
    "gcs/gcs_in/gcs-simple_notebook": DONE,
}


def statuses(folder: Path, target: Path, paths: dict[str, Path], timeout: float) -> dict[str, str]:
    def run(name: str) -> str:
        work = target / f"{name.replace('/', '-')}-work"
        shutil.copytree(folder, work)
        nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        source = work / paths[name].relative_to(folder)
        try:
            execute_notebook(source, work.with_suffix(".ipynb"), cwd=source.parent, env=nowhere, timeout=timeout)
        except ClowError as error:
            return f"{type(error).__name__}: {error.message}"
        return DONE

    with ThreadPoolExecutor(4) as threads:
        return dict(zip(paths, threads.map(run, paths), strict=True))


def check(expected: dict[str, str], found: dict[str, str]) -> None:
    assert found.keys() == expected.keys()
    wrong = {name: found[name] for name in expected if not re.match(expected[name], found[name], re.S)}
    assert not wrong


def papermill_paths(shared_data: Path) -> dict[str, Path]:
    folder = shared_data / "notebooks-papermill"
    tests = folder / "papermill" / "tests" / "notebooks"
    found = {str(path.relative_to(folder).with_suffix("")): path for path in (folder / "binder").rglob("*.ipynb")}
    return found | {str(path.relative_to(tests))[: -len(".ipynb")]: path for path in tests.rglob("*.ipynb")}


def test_notebooks_of_nbformat(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "notebooks-nbformat"
    paths = {path.name.removesuffix(".ipynb"): path for path in folder.rglob("*.ipynb")}
    check(NBFORMAT, statuses(folder, tmp_path, paths, 60))


def test_notebooks_of_papermill(shared_data: Path, tmp_path: Path) -> None:
    paths = papermill_paths(shared_data)
    assert paths.keys() == PAPERMILL.keys() | LONG.keys()
    quick = {name: paths[name] for name in PAPERMILL}
    check(PAPERMILL, statuses(shared_data / "notebooks-papermill", tmp_path, quick, 60))


@pytest.mark.slow
def test_long_notebooks_of_papermill(shared_data: Path, tmp_path: Path) -> None:
    paths = {name: papermill_paths(shared_data)[name] for name in LONG}
    check(LONG, statuses(shared_data / "notebooks-papermill", tmp_path, paths, 120))
