"""Notebooks that do harm: each comes to a clear end, its file can be opened, and whoever executed it lives on."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest

from clow_nb.core.errors import ParameterError, RunError
from clow_nb.runs import supervision
from clow_nb.runs.engine import execute_notebook

pytestmark = pytest.mark.usefixtures("bare_pool")


@pytest.fixture
def failure(write: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """The sentence with which a notebook of these cells fails; it stands in the notebook too."""

    def run(*sources: str, **options: Any) -> str:
        with pytest.raises(RunError) as caught:
            execute_notebook(write(*sources), tmp_path / "out.ipynb", **options)
        failed = [cell for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells if cell.metadata.papermill.status == "failed"]
        assert len(failed) == 1 and failed[0].outputs[-1].output_type == "error"
        return caught.value.message

    return run


def outputs(tmp_path: Path) -> list[Any]:
    return nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs


ENDLESS = {
    "print": "while True: print('x' * 100)",
    "print, flushed": "while True: print('x', flush=True)",
    "display": "while True: display('x' * 1000)",
    "past Jupyter": "import os\nwhile True: os.write(1, b'x' * 1000)",
    "from a child": "import subprocess; subprocess.run(['yes'])",
}


@pytest.mark.parametrize("what", ENDLESS)
def test_endless_output_is_ended(failure: Callable[..., str], tmp_path: Path, what: str) -> None:
    message = failure(ENDLESS[what], limits={"output_mb": 3})
    assert message.startswith("The notebook printed or showed more than 3 MB and was ended.")
    assert (tmp_path / "out.ipynb").stat().st_size < 20_000_000


HUNGRY = {
    "step by step": "kept = []\nwhile True: kept.append(bytearray(10 * 2**20))",
    "holding the lock": "x = [0] * (100 * 2**20)\nsum(range(10**14))",
    "in children": "import subprocess, sys\n"
    "run = [subprocess.Popen([sys.executable, '-c', 'x = bytearray(200 * 2**20); input()'], stdin=-1) for _ in range(2)]\n"
    "run[0].wait()",
    "in shared memory": "import mmap\nx = mmap.mmap(-1, 400 * 2**20)\nfor i in range(0, len(x), 4096): x[i] = 1\n"
    "import time; time.sleep(60)",
}


@pytest.mark.parametrize("what", HUNGRY)
def test_memory_is_limited(failure: Callable[..., str], what: str) -> None:
    message = failure("print('before')", HUNGRY[what], limits={"memory_mb": 300})
    assert message.startswith("The notebook used more than 300 MB of memory and was ended.")


@pytest.mark.parametrize("asks", ["bytearray(4 * 2**30)", "zeros((2**16, 2**16))"])
def test_memory_that_can_not_be_had_is_refused_in_the_line_that_asks(failure: Callable[..., str], tmp_path: Path, asks: str) -> None:
    assert failure(f"from numpy import zeros\nx = {asks}", limits={"memory_mb": 300}).startswith("The notebook used more than 300 MB of memory and was ended.")
    assert asks.partition("(")[0] in "".join(outputs(tmp_path)[-1].traceback)
    assert failure("raise MemoryError('none')") == "MemoryError: none"


def test_processor_time_is_limited(failure: Callable[..., str]) -> None:
    for source in ("sum(range(10**14))", "import subprocess\nsubprocess.run(['sh', '-c', 'while :; do :; done'])"):
        message = failure(source, limits={"cpu_seconds": 0.5})
        assert message.startswith("The notebook used more than 0.5 seconds of processor time and was ended.")


def test_open_files_are_limited(failure: Callable[..., str]) -> None:
    message = failure("kept = [open('/dev/null') for _ in range(200)]", limits={"open_files": 100})
    assert message.startswith("OSError: [Errno 24] Too many open files")


def test_limits_are_checked_before_a_kernel_is_taken(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="The limit memory='1 GB' is not understood"):
        execute_notebook(write("1"), tmp_path / "out.ipynb", limits={"memory": "1 GB"})
    options = {"engine_name": "clow", "progress_bar": False, "output_mb": 1}
    with pytest.raises(RunError, match="more than 1 MB"):
        papermill.execute_notebook(write(ENDLESS["print"]), tmp_path / "out.ipynb", **options)


WAITING = {
    "input('name?')": "StdinNotImplementedError",
    "import getpass; getpass.getpass()": "StdinNotImplementedError",
    "import sys; assert sys.stdin.read()": "AssertionError",
    "open('/dev/tty').read()": "OSError",
}


@pytest.mark.parametrize("source", WAITING)
def test_nobody_is_there_to_answer(failure: Callable[..., str], source: str) -> None:
    assert failure(source).startswith(WAITING[source])


def test_a_line_is_seen_while_its_cell_holds_the_lock(failure: Callable[..., str], tmp_path: Path) -> None:
    cancel, seen = threading.Event(), list[str]()

    def hear(text: str) -> None:
        seen.append(text)
        if "두 번째" in "".join(seen):
            cancel.set()

    message = failure("print('first')\nprint('두 번째')\nsum(range(10**14))", on_text=hear, cancel=cancel)
    assert message == "The run was cancelled." and "".join(seen).startswith("first\n두 번째\n")
    assert outputs(tmp_path)[0].text == "first\n두 번째\n"


def test_the_last_line_before_a_crash_is_kept(failure: Callable[..., str], tmp_path: Path) -> None:
    text: list[str] = []
    failure("print('last words')\nimport ctypes; ctypes.string_at(0)", on_text=text.append)
    assert "last words\n" in [out.get("text") for out in outputs(tmp_path)] and "last words\n" in "".join(text)


def test_a_line_is_seen_while_its_cell_runs(write: Callable[..., Path], tmp_path: Path) -> None:
    gate, text = tmp_path / "gate", list[str]()
    source = f"import os, time\nprint('open it')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\nprint('thanks')"

    def hear(piece: str) -> None:
        text.append(piece)
        if "open it" in piece:
            gate.touch()

    execute_notebook(write(source), tmp_path / "out.ipynb", on_text=hear, timeout=240)
    assert "".join(text) == outputs(tmp_path)[0].text == "open it\nthanks\n"


def test_a_stopped_kernel_is_ended(failure: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_SILENCE", 5.0)
    message = failure("print('before')", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    assert message.startswith("The kernel has not answered for 5 seconds in cell 2 of 2 and was ended.")


def test_a_kernel_without_its_connections_is_ended(failure: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_SILENCE", 5.0)
    message = failure("import os; os.closerange(3, 4000); print('never heard')")
    assert message.startswith(("The kernel died in cell 1 of 1", "The kernel has not answered for 5 seconds"))


def print_much(write: Callable[..., Path], tmp_path: Path, megabytes: int) -> None:
    before = psutil.Process().memory_info().rss
    size = [0]

    def hear(text: str) -> None:
        size[0] += len(text)

    execute_notebook(write(f"print('0123456789' * {megabytes * 100_000})", "print('after')"), tmp_path / "out.ipynb", on_text=hear)
    first = nbformat.read(tmp_path / "out.ipynb", 4).cells[0].outputs
    assert [out.output_type for out in first] == ["stream", "display_data", "stream"]
    assert first[1].data["text/markdown"] == f"[All of this output: {megabytes}.0 MB](out_outputs/cell-1.txt)"
    assert (tmp_path / "out_outputs" / "cell-1.txt").stat().st_size == megabytes * 10**6 + 1
    assert size[0] == megabytes * 10**6 + 1 + len("after\n")
    assert (tmp_path / "out.ipynb").stat().st_size < 3_000_000 and outputs(tmp_path)[0].text == "after\n"
    assert psutil.Process().memory_info().rss - before < 400 * 2**20


def test_much_text_goes_to_a_file_beside(write: Callable[..., Path], tmp_path: Path) -> None:
    print_much(write, tmp_path, 20)
    execute_notebook(tmp_path / "out.ipynb", tmp_path / "again.ipynb")
    assert (tmp_path / "again_outputs" / "cell-1.txt").stat().st_size == 20 * 10**6 + 1


@pytest.mark.slow
def test_two_hundred_megabytes_at_once(write: Callable[..., Path], tmp_path: Path) -> None:
    print_much(write, tmp_path, 200)


def test_large_pictures_and_pages_go_to_files_beside(write: Callable[..., Path], tmp_path: Path) -> None:
    source = (
        "from IPython.display import HTML, Image\n"
        "display(Image(bytes(5_000_000), format='png'), HTML('<b>' * 2_000_000), HTML('<i>small</i>'))\n"
        "shown = display('a', display_id=True); shown.update(HTML('<u>' * 2_000_000))"
    )
    execute_notebook(write(source), tmp_path / "out.ipynb")
    picture, page, small, changed = outputs(tmp_path)
    folder = tmp_path / "out_outputs"
    assert picture.data["text/html"] == '<img src="out_outputs/cell-1-1.png">' and "image/png" not in picture.data
    assert (folder / "cell-1-1.png").read_bytes() == bytes(5_000_000)
    assert "(out_outputs/cell-1-2.html)" in page.data["text/markdown"] and (folder / "cell-1-2.html").read_text()[:3] == "<b>"
    assert small.data["text/html"] == "<i>small</i>" and "out_outputs" in changed.data["text/markdown"]


def test_an_error_of_many_megabytes_is_cut(failure: Callable[..., str], tmp_path: Path) -> None:
    assert len(failure("raise ValueError('x' * 20_000_000)")) < 1000
    assert (tmp_path / "out.ipynb").stat().st_size < 1_000_000


def test_output_that_is_taken_back_is_not_counted(write: Callable[..., Path], tmp_path: Path) -> None:
    source = "from IPython.display import clear_output\nfor i in range(40):\n    clear_output(wait=True); print(str(i) * 100_000)"
    execute_notebook(write(source), tmp_path / "out.ipynb")
    assert [len(out.text) for out in outputs(tmp_path)] == [200_001] and not (tmp_path / "out_outputs").exists()


def test_a_progress_bar_stays_small(write: Callable[..., Path], tmp_path: Path) -> None:
    execute_notebook(write("for i in range(40_000): print(f'\\r{i:0100}', end='')"), tmp_path / "out.ipynb")
    assert [out.text.lstrip("\r") for out in outputs(tmp_path)] == [f"{39_999:0100}"]


def start_many(write: Callable[..., Path], tmp_path: Path, at_once: int, rounds: int) -> None:
    path = write("import os; print(os.getpid())")

    def run(number: int) -> int:
        target = tmp_path / f"out-{number}.ipynb"
        execute_notebook(path, target)
        return int(nbformat.read(target, 4).cells[0].outputs[0].text)

    with ThreadPoolExecutor(at_once) as threads:
        pids = list(threads.map(run, range(at_once * rounds)))
    assert len(set(pids)) == at_once * rounds and os.getpid() not in pids


def test_many_at_once_all_start(write: Callable[..., Path], tmp_path: Path) -> None:
    start_many(write, tmp_path, 8, 2)


@pytest.mark.slow
def test_twenty_at_once_five_times_all_start(write: Callable[..., Path], tmp_path: Path) -> None:
    start_many(write, tmp_path, 20, 5)
