"""Kernels as processes: warm, used once, and gone with everything they started when their time is over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import psutil
import pytest

from clow_nb.core.errors import RunError
from clow_nb.runs import kernel as kernel_module
from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.kernel import Kernel, socket_folder, spawn_kernel
from clow_nb.runs.kernels import KernelPool, start_pool, stop_pool, take_kernel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server is for Linux")


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def pool() -> Iterator[KernelPool]:
    with closing(KernelPool(("numpy",))) as pool:
        assert pool.wait_ready(240)
        yield pool


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Execute source in a kernel of a pool (or an ordinary one); returns what it printed."""

    def run(source: str, pool: KernelPool | None = None, **options: object) -> str:
        path = tmp_path / "in.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
        if pool:
            monkeypatch.setattr("clow_nb.runs.engine.take_kernel", lambda name, cwd, env: pool.take(cwd, env))
        text: list[str] = []
        execute_notebook(path, tmp_path / "out.ipynb", on_text=text.append, **options)
        return "".join(text).strip()

    return run


def test_a_kernel_is_used_once(pool: KernelPool, execute: Callable[..., str]) -> None:
    first, second = (execute("import os; print(os.getpid())", pool) for _ in range(2))
    assert first != second
    wait_for(lambda: is_gone(int(first)) and is_gone(int(second)))


def test_kernels_draw_different_numbers(pool: KernelPool, execute: Callable[..., str]) -> None:
    source = "import sys, random; assert 'numpy' in sys.modules; import numpy; print(random.random(), numpy.random.rand())"
    draws = [execute(source, pool).split() for _ in range(3)]
    assert len({number for draw in draws for number in draw}) == 6


def test_a_warm_kernel_sees_its_folder_and_environment(
    pool: KernelPool, execute: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOW_EXAMPLE", "from the owner")
    monkeypatch.delenv("PATH")
    work = tmp_path / "일하는 곳"
    work.mkdir()
    (work / "beside.py").write_text("word = 'imported'")
    source = "import os, beside; print(os.getcwd(), os.environ['CLOW_EXAMPLE'], os.environ['RUN'], 'PATH' in os.environ, beside.word)"
    assert execute(source, pool, cwd=work, env={"RUN": "r1"}) == f"{work} from the owner r1 False imported"


def test_nothing_is_left_in_the_namespace(pool: KernelPool, execute: Callable[..., str]) -> None:
    names = execute("print([n for n in dir() if not n.startswith('_')])", pool)
    assert names == "['In', 'Out', 'exit', 'get_ipython', 'open', 'quit']"
    assert execute("print([n for n in dir() if not n.startswith('_')])") == names


def test_open_files_are_written_when_the_run_is_over(
    pool: KernelPool, execute: Callable[..., str], tmp_path: Path
) -> None:
    for number, place in enumerate((pool, None)):
        execute(f"f = open({str(tmp_path / str(number))!r}, 'w'); f.write('all of it')", place)
        assert (tmp_path / str(number)).read_text() == "all of it"


def test_no_debugger_is_imported_and_one_can_be(pool: KernelPool, execute: Callable[..., str]) -> None:
    source = "import sys; before = 'debugpy' in sys.modules; import debugpy; print(before, debugpy.__name__)"
    assert execute(source, pool) == "False debugpy"


def test_what_a_notebook_started_ends_with_it(pool: KernelPool, execute: Callable[..., str]) -> None:
    for place in (pool, None):
        child = int(execute("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)", place))
        wait_for(lambda child=child: is_gone(child))


def test_what_a_notebook_detached_lives_on(pool: KernelPool, execute: Callable[..., str]) -> None:
    source = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    child = int(execute(source, pool))
    assert not is_gone(child)
    os.kill(child, signal.SIGKILL)


def test_a_dead_kernel_takes_its_children_along(pool: KernelPool) -> None:
    kernel = pool.take()
    wait_for(lambda: Path(f"{kernel.prefix}-1").exists())
    kernel.kill()
    wait_for(lambda: not kernel.is_alive())
    assert kernel.process.status() == -signal.SIGKILL
    kernel.close()
    assert not list(Path(kernel.prefix).parent.glob(f"{Path(kernel.prefix).name}[-.]*"))


OWNER = """
import os, sys, subprocess, threading, time
from clow_nb.runs.engine import execute_notebook
from clow_nb.runs.kernels import start_pool
pool = start_pool(())
print(pool._supply.servers[0].folder, flush=True)
execute_notebook(sys.argv[1], sys.argv[2], on_text=lambda text: print(text, flush=True), on_kernel=lambda p: print(p, flush=True))
"""


def test_kernels_die_with_their_owner(tmp_path: Path) -> None:
    source = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("sum(range(10**14))")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in.ipynb")
    command = [sys.executable, "-c", OWNER, str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        folder, kernel, child = Path(owner.stdout.readline().strip()), int(owner.stdout.readline()), int(owner.stdout.readline())
        assert not is_gone(kernel) and not is_gone(child) and folder.is_dir()
        time.sleep(0.5)
        owner.kill()
    wait_for(lambda: is_gone(kernel) and is_gone(child) and not folder.exists())


def test_a_dead_fork_server_is_replaced(execute: Callable[..., str]) -> None:
    with closing(KernelPool(())) as pool:
        first, server = pool.take(), pool._supply.servers[-1]
        server.process.kill()
        wait_for(lambda: not first.is_alive() and is_gone(first.pid))
        first.close()
        assert execute("print('at work')", pool) == "at work"
        assert pool._supply.servers[-1] is not server


def test_ordinary_kernels_take_over_from_a_fork_server_that_can_not_work(
    execute: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "suicidal.py").write_text("import os; os._exit(7)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with closing(KernelPool(("suicidal",))) as pool:
        for _ in range(3):
            wait_for(pool._supply.servers[-1].gone.is_set)
            pool.take().close(patience=0)
        assert execute("print('at work')", pool) == "at work"
        wait_for(lambda: all(server.gone.is_set() for server in pool._supply.servers))
        assert len(pool._supply.servers) == 3


@pytest.mark.slow
def test_a_fork_server_that_hangs_is_given_up(execute: Callable[..., str]) -> None:
    with closing(KernelPool((), start_timeout=1)) as pool:
        assert pool.wait_ready(240)
        server = pool._supply.servers[-1]
        wait_for(lambda: all(kernel.pid for kernel in server.kernels.values()))
        pool.take().close(patience=0)
        server.process.send_signal(signal.SIGSTOP)
        for _ in range(2):
            kernel = pool.take()
            assert kernel.is_alive()
            kernel.close(patience=0)
        assert server.process.poll() is not None


def test_a_missing_package_does_not_matter(execute: Callable[..., str]) -> None:
    with closing(KernelPool(("no_such_package",))) as pool:
        assert pool.wait_ready(240)
        assert execute("print('at work')", pool) == "at work"


def test_closing_a_pool_ends_everything() -> None:
    pool = KernelPool(())
    kernels = [pool.take(), pool.take()]
    server = pool._supply.servers[-1]
    pool.close()
    assert server.process.poll() is not None and not server.folder.exists()
    assert not any(kernel.is_alive() for kernel in kernels)
    ordinary = pool.take()
    assert ordinary.is_alive() and not ordinary.setup
    ordinary.close(patience=0)


def test_there_is_one_pool_a_process() -> None:
    try:
        assert start_pool(()) is start_pool(())
        kernel = take_kernel()
        assert kernel.setup
        kernel.close(patience=0)
    finally:
        stop_pool()
    stop_pool()


def test_a_kernel_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"'fortran', which is not installed. There is: .*python3"):
        take_kernel("fortran")


def test_paths_of_sockets_stay_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(kernel_module.tempfile, "gettempdir", lambda: str(long))
    folder = socket_folder()
    try:
        assert len(str(folder)) < 70 and folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


def test_an_ordinary_kernel_leaves_nothing_behind() -> None:
    kernel: Kernel = spawn_kernel()
    wait_for(lambda: Path(f"{kernel.prefix}-1").exists())
    kernel.close(patience=0)
    assert is_gone(kernel.pid) and not Path(kernel.prefix).parent.exists()


HEAVY = """
import sys
assert {'torch', 'polars', 'lance', 'sklearn', 'mlflow', 'altair'} <= set(sys.modules)
import polars as pl, torch, lance, pyarrow as pa, numpy as np, altair as alt
frame = pl.DataFrame({'a': np.arange(100_000) % 7, 'b': np.random.rand(100_000)})
assert frame.lazy().group_by('a').agg(pl.col('b').mean()).sort('a').collect(engine='streaming').height == 7
table = lance.write_dataset(frame.to_arrow(), 't.lance')
assert table.count_rows("a = 3") == 14286
torch.set_num_threads(2)
net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
step = torch.optim.AdamW(net.parameters(), fused=True)
for _ in range(5):
    step.zero_grad(); net(torch.rand(512, 64)).sum().backward(); step.step()
from sklearn.linear_model import LogisticRegression
LogisticRegression().fit(np.random.rand(200, 5), np.arange(200) % 2)
assert 'vconcat' not in alt.Chart(frame.head(10)).mark_point().encode(x='a:Q', y='b:Q').to_json()
import sqlalchemy as sa
assert sa.create_engine('sqlite:///x.sqlite').connect().execute(sa.text('select 1')).scalar() == 1
print('all of them work')
"""


@pytest.mark.slow  # the README and the pipelines train, evaluate and serve in kernels that have it
def test_what_is_imported_ahead_works_after_the_fork(execute: Callable[..., str], tmp_path: Path) -> None:
    with closing(KernelPool()) as pool:
        assert pool.wait_ready(240)
        assert execute(HEAVY, pool, cwd=tmp_path, timeout=120).endswith("all of them work")
