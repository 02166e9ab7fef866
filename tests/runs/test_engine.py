"""Notebooks as jobs: whatever a cell does, there is an end, a whole file, and a sentence that says why."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from clow_nb.core.errors import FileError, NotFound, ParameterError, RunError
from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.kernel import spawn_kernel

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
pytestmark = pytest.mark.usefixtures("bare_pool")


@pytest.fixture
def failure(write: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """The sentence with which a notebook of these cells fails."""

    def run(*sources: str, **options: Any) -> str:
        with pytest.raises(RunError) as caught:
            execute_notebook(write(*sources), tmp_path / "out.ipynb", **options)
        return caught.value.message

    return run


def outputs(path: Path) -> list[list[Any]]:
    return [cell.outputs for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def statuses(path: Path) -> list[str]:
    return [cell.metadata.papermill.status for cell in nbformat.read(path, 4).cells]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_parameters_keep_their_types(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(
        "print([type(v).__name__ for v in (since, folder, names, rate)], 이름)",
        parameters="from datetime import date\nfrom pathlib import Path\n"
        "since: date\nfolder: Path\nnames: list[str] = []\nrate: float = 1\n이름: str = ''",
    )
    before = path.read_bytes()
    values = {"since": "2026-01-02", "folder": "결과", "names": ("a",), "이름": "상담\n'둘째' 줄"}
    execute_notebook(path, tmp_path / "out.ipynb", values)
    assert path.read_bytes() == before
    nb = nbformat.read(tmp_path / "out.ipynb", 4)
    assert nb.cells[2].outputs[0].text == "['date', 'PosixPath', 'list', 'float'] 상담\n'둘째' 줄\n"
    assert "결과" in nb.cells[1].source and "\\u" not in (tmp_path / "out.ipynb").read_text("utf-8")
    assert nb.metadata.papermill.parameters["since"] == "2026-01-02"


def test_the_result_can_be_executed_again(write: Callable[..., Path], tmp_path: Path) -> None:
    execute_notebook(write("print(n)", parameters="n: int = 1"), tmp_path / "out.ipynb", {"n": 2})
    execute_notebook(tmp_path / "out.ipynb", tmp_path / "again.ipynb", {"n": 3})
    assert len(nbformat.read(tmp_path / "again.ipynb", 4).cells) == 3
    assert outputs(tmp_path / "again.ipynb")[-1][0].text == "3\n"
    papermill.execute_notebook(tmp_path / "again.ipynb", tmp_path / "plain.ipynb", {"n": 4}, progress_bar=False)
    assert outputs(tmp_path / "plain.ipynb")[-1][0].text == "4\n"


def test_wrong_parameters_take_no_kernel(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clow_nb.runs.engine.take_kernel", lambda *_: pytest.fail("a kernel was taken"))
    path = write("n", parameters="n: int = 1")
    for values in ({"n": "two"}, {"m": 1}):
        with pytest.raises(ParameterError):
            execute_notebook(path, tmp_path / "out.ipynb", values)
    with pytest.raises(NotFound):
        execute_notebook(tmp_path / "missing.ipynb", tmp_path / "out.ipynb")
    with pytest.raises(FileError, match="overwritten by its own result"):
        execute_notebook(path, path)
    (tmp_path / "link.ipynb").symlink_to(path)
    with pytest.raises(FileError, match="overwritten by its own result"):
        execute_notebook(path, tmp_path / "link.ipynb")
    assert not (tmp_path / "out.ipynb").exists()


def test_many_threads_each_in_its_own_folder(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write("import os, time; time.sleep(0.3); print(os.getcwd(), os.environ['RUN'], n)", parameters="n: int")
    here = os.getcwd()

    def run(n: int) -> str:
        folder = tmp_path / f"folder {n}"
        folder.mkdir()
        execute_notebook(path, folder / "out.ipynb", {"n": n}, cwd=folder, env={"RUN": f"r{n}"})
        return outputs(folder / "out.ipynb")[-1][0].text

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(run, range(6))) == [f"{tmp_path}/folder {n} r{n} {n}\n" for n in range(6)]
    assert os.getcwd() == here


def test_it_may_be_called_where_a_loop_runs(write: Callable[..., Path], tmp_path: Path) -> None:
    async def notebook_in_a_notebook() -> None:
        execute_notebook(write("print('안')"), tmp_path / "out.ipynb")

    asyncio.run(notebook_in_a_notebook())
    assert outputs(tmp_path / "out.ipynb")[0][0].text == "안\n"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("raise ValueError('첫째 줄')", "ValueError: 첫째 줄"),
        ("def f(:", "SyntaxError: "),
        ("input('name?')", "StdinNotImplementedError: "),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
        ("from clow_nb.core.errors import DataError; raise DataError('한 문장이다.')", "한 문장이다."),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_the_cause_is_one_sentence(failure: Callable[..., str], tmp_path: Path, source: str, sentence: str) -> None:
    assert failure("1", source, "print('never')").startswith(sentence)
    assert statuses(tmp_path / "out.ipynb") == ["completed", "failed", "pending"]


@pytest.mark.parametrize(
    ("source", "ending", "words"),
    [
        ("import os; os._exit(3)", "ended with exit status 3", "without a word"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9, SIGKILL", "lack of memory"),
        ("import ctypes; ctypes.string_at(0)", "ended by signal 11, SIGSEGV", "Segmentation fault"),
        ("import os; os.write(2, '마지막 말'.encode()); os.abort()", "ended by signal 6, SIGABRT", "마지막 말"),
    ],
)
def test_a_dead_kernel_is_noticed(
    failure: Callable[..., str], tmp_path: Path, source: str, ending: str, words: str
) -> None:
    message = failure("print('before', flush=True)", source, "print('never')")
    assert message.startswith(f"The kernel died in cell 2 of 3 ({ending})") and words in message
    assert outputs(tmp_path / "out.ipynb")[0][0].text == "before\n"
    assert statuses(tmp_path / "out.ipynb") == ["completed", "failed", "pending"]


def test_leaving_early_is_no_success(failure: Callable[..., str], write: Callable[..., Path], tmp_path: Path) -> None:
    assert "left with sys.exit in cell 1 of 2" in failure("exit()", "print('never')")
    assert "left with sys.exit in cell 1 of 2" in failure("import sys; sys.exit()", "", "print('never')")
    execute_notebook(write("1", "import sys; sys.exit(0)"), tmp_path / "out.ipynb")
    assert statuses(tmp_path / "out.ipynb") == ["completed", "completed"]


STUBBORN = {
    "sleeping": "import time; time.sleep(600)",
    "ignoring interrupts": "import time\nwhile True:\n    try:\n        time.sleep(600)\n    except KeyboardInterrupt:\n        pass",
    "holding the interpreter": "sum(range(10**14))",
    "waiting for a child": "import subprocess; subprocess.run(['sleep', '600'])",
}


@pytest.mark.parametrize("what", STUBBORN)
def test_cancelling_ends_everything(write: Callable[..., Path], tmp_path: Path, what: str) -> None:
    child = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    cancel, pids = threading.Event(), list[int]()

    def heard(text: str) -> None:
        pids.append(int(text))
        threading.Timer(0.5, cancel.set).start()

    with pytest.raises(RunError, match="The run was cancelled"):
        execute_notebook(
            write(child, STUBBORN[what], "print('never')"),
            tmp_path / "out.ipynb",
            on_text=lambda text: heard(text) if text.strip().isdigit() else None,
            on_kernel=pids.append,
            cancel=cancel,
        )
    assert len(pids) == 2 and all(is_gone(pid) for pid in pids)
    assert statuses(tmp_path / "out.ipynb") == ["completed", "failed", "pending"]


def test_cancelled_before_it_began(failure: Callable[..., str]) -> None:
    cancel = threading.Event()
    cancel.set()
    assert failure("print('never')", cancel=cancel) == "The run was cancelled."


def test_time_is_limited(failure: Callable[..., str]) -> None:
    assert failure("import time; time.sleep(600)", timeout=2).startswith("The run took longer than 2 seconds")


def test_the_file_is_whole_at_any_moment(write: Callable[..., Path], tmp_path: Path) -> None:
    path, target = write(*["print('x' * 200_000)"] * 12), tmp_path / "out.ipynb"
    over, seen = threading.Event(), set[int]()

    def read() -> None:
        while not over.is_set():
            if target.exists():
                nb = json.loads(target.read_text("utf-8"))
                seen.add(sum(bool(cell["outputs"]) for cell in nb["cells"]))

    reader = ThreadPoolExecutor(1).submit(read)
    try:
        execute_notebook(path, target)
    finally:
        over.set()
    reader.result()
    assert len(seen) > 2
    assert {p.name for p in tmp_path.iterdir()} == {"in.ipynb", "out.ipynb"}


def test_output_is_streamed_and_kept(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(
        "import os, subprocess, sys\nprint('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\n"
        "os.write(1, b'past Jupyter\\n')\nsubprocess.run(['echo', 'a child'], check=True);",
        "from IPython.display import display, Markdown\nprint('a'); print('b'); display(Markdown('**c**')); print('d')",
        "h = display('first', display_id=True)",
        "h.update('second')\nimport time\nfor i in range(3):\n    print(f'\\r{i}', end='', flush=True); time.sleep(.3)",
    )
    text: list[str] = []
    progress: list[tuple[float, str]] = []
    execute_notebook(
        path, tmp_path / "out.ipynb", on_text=text.append, on_progress=lambda *step: progress.append(step)
    )
    first, second, third, fourth = outputs(tmp_path / "out.ipynb")
    printed = "".join(o.text for o in first if o.get("name") == "stdout")
    assert set(printed.split("\n")) == {"out", "past Jupyter", "a child", ""}
    assert [o.text for o in first if o.get("name") == "stderr"] == ["err\n"]
    assert [o.get("text") for o in second] == ["a\nb\n", None, "d\n"]
    assert third[0].data["text/plain"] == "'second'"
    assert fourth[0].text.lstrip("\r") == "2"
    whole = "".join(text)
    assert all(part in whole for part in ("out\n", "err\n", "past Jupyter\n", "a child\n", "a\nb\n", "\r2"))
    assert progress == [(0.25, "cell 1 of 4"), (0.5, "cell 2 of 4"), (0.75, "cell 3 of 4"), (1.0, "cell 4 of 4")]


def test_thousands_of_outputs_arrive(write: Callable[..., Path], tmp_path: Path) -> None:
    execute_notebook(write("for i in range(2500): display(i)", "print('한' * 1_000_000)"), tmp_path / "out.ipynb")
    many, large = outputs(tmp_path / "out.ipynb")
    assert [o.data["text/plain"] for o in many] == [str(i) for i in range(2500)]
    assert len("".join(o.text for o in large)) == 1_000_001


def test_an_answer_that_comes_while_something_is_sent_is_heard(write: Callable[..., Path], tmp_path: Path) -> None:
    """An output widget is told what it shows while its cell ends; no cell of hundreds may wait for ever for its end."""
    show = "out = ipywidgets.Output()\nwith out: print('a', end=''); print('b'); display('c')"
    result = execute_notebook(write("import ipywidgets", *[show] * 120), tmp_path / "out.ipynb", timeout=240)
    assert {cell.metadata.papermill.status for cell in result.cells} == {"completed"}


def test_text_that_is_no_unicode_does_not_spoil_the_file(write: Callable[..., Path], tmp_path: Path) -> None:
    execute_notebook(write("print('\\udc80')", "import os; os.write(1, b'\\xff\\n')"), tmp_path / "out.ipynb")
    assert len(outputs(tmp_path / "out.ipynb")) == 2


def test_an_expected_error_is_none(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write("1 / 0", "print('after')")
    nb = nbformat.read(path, 4)
    nb.cells[0].metadata.tags = ["raises-exception"]
    nb.cells.insert(1, new_markdown_cell("text"))
    nbformat.write(nb, path)
    execute_notebook(path, tmp_path / "out.ipynb")
    assert outputs(tmp_path / "out.ipynb")[1][0].text == "after\n"


def test_a_notebook_without_code_succeeds(tmp_path: Path) -> None:
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 제목"), new_code_cell("")]), tmp_path / "in.ipynb")
    execute_notebook(tmp_path / "in.ipynb", tmp_path / "deep" / "out.ipynb")
    assert (tmp_path / "deep" / "out.ipynb").exists()


def test_a_kernel_of_another_name_is_refused_in_words(tmp_path: Path) -> None:
    nb = new_notebook(cells=[new_code_cell("1")], metadata={"kernelspec": KERNELSPEC | {"name": "fortran"}})
    nbformat.write(nb, tmp_path / "in.ipynb")
    with pytest.raises(RunError, match="asks for the kernel 'fortran'"):
        execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb")


def test_an_ordinary_kernel_does_the_same(
    failure: Callable[..., str], write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clow_nb.runs.engine.take_kernel", spawn_kernel)
    message = failure("import os", "os.write(2, '마지막 말'.encode()); os.abort()")
    assert message.startswith("The kernel died in cell 2 of 2 (ended by signal 6, SIGABRT)") and "Aborted" in message
    work = tmp_path / "work"
    work.mkdir()
    source = "import os; os.system('echo past Jupyter'); print(os.getcwd(), os.environ['RUN'])\nfor i in range(1500): display(i)"
    execute_notebook(write(source), tmp_path / "out.ipynb", cwd=work, env={"RUN": "r1"})
    kept = outputs(tmp_path / "out.ipynb")[0]
    assert len(kept) > 1500 and "".join(o.get("text", "") for o in kept).count("\n") == 2


def test_a_kernel_that_does_not_start_is_replaced_once(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*place: Any) -> Any:
        kernel = spawn_kernel(*place)
        kernel.kill()
        return kernel

    monkeypatch.setattr("clow_nb.runs.engine.take_kernel", broken)
    execute_notebook(write("print('at work')"), tmp_path / "out.ipynb")
    monkeypatch.setattr("clow_nb.runs.engine.spawn_kernel", broken)
    with pytest.raises(RunError, match="The kernel did not start"):
        execute_notebook(write("print('at work')"), tmp_path / "out.ipynb")


def test_plain_papermill_has_the_engine(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write("print(since.year, n)", parameters="from datetime import date\nsince: date\nn: int = 1")
    options = {"engine_name": "clow", "progress_bar": False}
    papermill.execute_notebook(path, tmp_path / "out.ipynb", {"since": "2026-01-02"}, **options)
    assert outputs(tmp_path / "out.ipynb")[-1][0].text == "2026 1\n"
    with pytest.raises(ParameterError, match="It takes int"):
        papermill.execute_notebook(path, tmp_path / "out.ipynb", {"since": "2026-01-02", "n": "two"}, **options)
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(write("1 / 0", "2"), tmp_path / "out.ipynb", **options)
    assert "papermill-error-cell-tag" in (tmp_path / "out.ipynb").read_text()
    with pytest.raises(RunError, match="The kernel died"):
        papermill.execute_notebook(write("import os; os._exit(1)"), tmp_path / "out.ipynb", **options)
    with pytest.raises(FileError):
        papermill.execute_notebook(path, path, {"since": "2026-01-02"}, **options)


def test_it_may_be_imported_before_papermill() -> None:
    source = "import clow_nb.runs.client, papermill.engines as e; print(e.papermill_engines.get_engine('clow').__name__)"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True, text=True).stdout == "ClowEngine\n"


def test_the_engine_is_light_to_import() -> None:
    source = "import sys, clow_nb.runs.engine; print([m for m in ('papermill', 'nbclient', 'sqlalchemy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True, text=True).stdout == "[]\n"


def test_ctrl_c_ends_papermill_and_its_kernel(write: Callable[..., Path], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    # where the suite runs in the background of a shell, Ctrl-C is ignored by all that it starts
    path = write(f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))", "time.sleep(600)")
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from papermill.cli import papermill; papermill()"
    command = [sys.executable, "-c", heeding, "--engine", "clow", "--no-progress-bar", str(path), str(tmp_path / "out.ipynb")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as shell:
        while not (pid.exists() and pid.read_text()) and shell.poll() is None:
            threading.Event().wait(0.05)
        shell.send_signal(signal.SIGINT)
        try:
            assert shell.wait(120) != 0
        finally:
            shell.kill()
    assert is_gone(int(pid.read_text()))
    assert statuses(tmp_path / "out.ipynb")[-1] != "completed"
