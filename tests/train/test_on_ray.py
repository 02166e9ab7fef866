"""Trainings and tunings on a real Ray cluster on this machine: the same numbers as here, the log as it comes, and an end in every case."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError, RunError
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import ensure_worker, stop_worker, worker_alive
from clow_nb.runs.run import Run
from clow_nb.train.models import Models
from clow_nb.train.ray_cluster import check_executor
from clow_nb.train.search import Search
from clow_nb.train.tracking import mlflow_client
from clow_nb.train.training import Training, Trainings
from clow_nb.train.tuning import Tunings

from .conftest import make_documents
from .test_own_code import make_repo

pytest.importorskip("ray")
pytestmark = pytest.mark.timeout(600)
RAY = Path(sys.executable).with_name("ray")
SMALL = {"epochs": 2, "embedding": 8, "channels": 8, "lr": 2e-3, "kernels": [2, 3]}
CODE = """
import json, os, pathlib, subprocess, sys, time
out = pathlib.Path(os.environ["CLOW_OUTPUT"])
params = json.loads(pathlib.Path(os.environ["CLOW_PARAMS"]).read_text())
print("at work in", os.getcwd(), "threads", os.environ.get("OMP_NUM_THREADS"), "home", "CLOW_HOME" in os.environ)
with (out / "metrics.jsonl").open("a") as file:
    print(json.dumps({"step": 1, "valid_loss": 0.5}), file=file, flush=True)
if params.get("child"):
    subprocess.Popen([sys.executable, "-c", f"import time; {params['child']!r}; time.sleep(300)"])
    time.sleep(300)
if params.get("broken"):
    sys.exit("no label in line 7")
(out / "model").mkdir()
(out / "model" / "weights.bin").write_bytes(b"w")
(out / "notes.txt").write_text("done")
"""
NOTEBOOK = """
import json, os, pathlib, subprocess, sys, time
if child:
    subprocess.Popen([sys.executable, "-c", f"import time; {child!r}; time.sleep(300)"], start_new_session=True)
    print("at work in", os.getcwd(), flush=True)
    time.sleep(300)
(pathlib.Path(os.environ["CLOW_OUTPUT"]) / "metrics.json").write_text(json.dumps({"valid_loss": 0.25}))
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class _Head:
    """A cluster with 2 processors for clients, on 127.0.0.1: `start` it until it answers, `end` all its processes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))

    def start(self) -> bool:
        """Whether it answers: its node gives up where its helpers need more than 15 s."""
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
        quiet |= {"RAY_raylet_start_wait_time_s": "60", "RAY_LOG_TO_STDERR": "1"}
        command = [str(RAY), "start", "--head", "--block", "--no-monitor", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
        self.port, self.log = _free_port(), self.folder / f"log-{_free_port()}"
        where = [f"--port={_free_port()}", f"--ray-client-server-port={self.port}", "--node-ip-address=127.0.0.1", f"--temp-dir={self.folder}"]
        with self.log.open("wb") as log:
            env = os.environ | quiet
            env.pop("OMP_NUM_THREADS", None)
            self.process = subprocess.Popen([*command, *where], env=env, stdout=log, stderr=log, start_new_session=True)
        while self.process.poll() is None:
            if "Ray runtime started" in self.log.read_text(errors="replace"):
                return True
            time.sleep(0.2)
        return False

    def end(self) -> None:
        """Kill it, as if the machine of the head were gone: what its node has started is left alone."""
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.process.pid)
            family = [one for one in own.children(recursive=True) if not any(parent.name() == "raylet" for parent in one.parents())]
            for process in [own, *family]:
                process.kill()
        self.process.wait()


@contextmanager
def _started() -> Iterator[_Head]:
    head = _Head()
    try:
        while not head.start():
            head.end()
            assert len(list(head.folder.glob("log-*"))) < 5, head.log.read_text()
        yield head
    finally:
        head.end()
        subprocess.run(["rm", "-rf", head.folder], check=True)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster; its processes are ended in the end."""
    with _started() as head:
        yield f"ray://127.0.0.1:{head.port}"


@pytest.fixture
def workspace(ctx: Context) -> Iterator[Context]:
    """A workspace with the dataset `intents`; its workers are stopped in the end."""
    Datasets(ctx).create("intents", make_documents(3), label="label").split(stratify="label", train=8, valid=2, test=2)
    yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repo(tmp_path / "team", CODE)


def _code(ctx: Context, name: str, repo: Path, cluster: str, **more: object) -> Training:
    code = {"repo": str(repo), "command": "python train.py"}
    return Trainings(ctx).create(name, dataset="intents", code=code, executor=cluster, **more)  # type: ignore[arg-type]


def _until(what: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _wait_for(run: Run, words: str) -> None:
    def is_said() -> bool:
        assert not run.row.ended, run.row.error
        return words in run.logs()

    _until(is_said)


def _processes(mark: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if any(mark in word for word in one.info["cmdline"] or ())]


def _inside(mark: str) -> list[psutil.Process]:
    """The processes that are at work in a folder of such a name."""
    return [one for one in psutil.process_iter(["cwd"]) if mark in (one.info["cwd"] or "")]


def test_an_executor_is_checked_when_a_training_is_created(workspace: Context) -> None:
    assert check_executor("ray") == "ray"
    trainings = Trainings(workspace)
    for wrong in ("http://head:8265", "ray://head", "Ray"):
        with pytest.raises(ParameterError, match="There is: local, ray, ray://head:10001"):
            trainings.create("t-1", dataset="intents", executor=wrong)
    assert "t-1" not in trainings
    training = trainings.create("t-1", dataset="intents", params=SMALL, executor="ray://head:10001", resources={"cpus": 64})
    assert training.clone("t-2").executor == "ray://head:10001"


@pytest.mark.slow
def test_a_solution_has_the_numbers_on_the_cluster_that_it_has_here(workspace: Context, cluster: str) -> None:
    trainings = Trainings(workspace)
    here = trainings.create("t-here", dataset="intents", params=SMALL, resources={"cpus": 1}).run()
    there = trainings.create("t-there", dataset="intents", params=SMALL, executor=cluster, resources={"cpus": 1, "memory_mb": 500}).run()
    here.wait(timeout=200, progress=False)
    there.wait(timeout=200, progress=False)
    ours, theirs = (Models(workspace).version(run.outputs["model"]) for run in (here, there))
    assert theirs.metrics == pytest.approx(ours.metrics, abs=1e-5)
    assert [label["label"] for label in theirs.predict([{"text": "알람 켜줘"}])]
    assert there.metrics().filter(key="valid_loss").height == 2 and "epoch 2" in there.logs()
    assert trainings["t-there"].status == "EXTRACTED" and there.row.resources == {}


@pytest.mark.slow
def test_code_from_git_runs_there_and_fails_there(workspace: Context, cluster: str, repo: Path) -> None:
    training = _code(workspace, "t-git", repo, cluster, resources={"cpus": 2})
    run = training.run().wait(timeout=200, progress=False)
    assert "/clow-job-" in run.logs() and "threads 2 home False" in run.logs()
    assert run.outputs["artifacts"] == ["notes.txt"] and Models(workspace).version(run.outputs["model"]).metrics == {"valid_loss": 0.5}
    assert not list(Path(tempfile.gettempdir()).glob("clow-job-*")), "nothing is left on the node"
    told = json.loads(next(workspace.home.rglob("environment/environment.json")).read_text())
    assert training.versions()[0].data["environment"] == told and told["threads"] == "2", "that of the node"

    failed = _code(workspace, "t-broken", repo, cluster, params={"broken": True}).run()
    with pytest.raises(RunError, match=r"ended with the status 1\. Its last line: no label in line 7"):
        failed.wait(timeout=200, progress=False)
    assert failed.metrics().filter(key="valid_loss").height == 1

    greedy = _code(workspace, "t-greedy", repo, cluster, resources={"cpus": 64}).run()
    with pytest.raises(RunError, match=r"No node of the Ray cluster has what is asked for \(cpus 64\). There is: cpus 2, gpus 0"):
        greedy.wait(timeout=200, progress=False)


@pytest.mark.slow
def test_what_is_cancelled_or_killed_is_gone_from_the_cluster(workspace: Context, cluster: str, repo: Path) -> None:
    training = _code(workspace, "t-long", repo, cluster, params={"child": "mark-1"}, resources={"cpus": 2})
    run = training.run()
    _wait_for(run, "at work in")
    _until(lambda: run.metrics().filter(key="valid_loss").height)
    training.cancel()
    _until(lambda: not _processes("mark-1"), 40)
    assert run.wait(timeout=20, progress=False, check=False).status == "CANCELLED"

    again = training.run()
    _wait_for(again, "at work in")
    (desk,) = _processes("ray::Desk")
    desk.suspend()
    _wait_for(again, "does not answer just now")
    desk.kill()
    with pytest.raises(RunError, match=r"that was at work is lost: .* Run the training again"):
        again.wait(timeout=120, progress=False)
    _until(lambda: not _processes("mark-1"), 40)


@pytest.mark.slow
def test_a_notebook_runs_there_and_is_gone_when_it_is_cancelled(workspace: Context, cluster: str, tmp_path: Path) -> None:
    parameters = nbformat.v4.new_code_cell("child: str = ''", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(NOTEBOOK)]), tmp_path / "mine.ipynb")
    code = {"notebook": str(tmp_path / "mine.ipynb")}
    training = Trainings(workspace).create("t-mine", dataset="intents", code=code, executor=cluster, resources={"cpus": 2})
    run = training.run().wait(timeout=200, progress=False)
    assert "notebook.ipynb" in run.outputs["artifacts"] and training.versions()[0].data["metrics"] == {"valid_loss": 0.25}

    long = training.clone("t-long", params={"child": "mark-4"})
    _wait_for(long.run(), "at work in")
    assert _processes("mark-4") and len(_inside("clow-job-")) > 1, "what the notebook has started, and its kernel"
    long.cancel()
    _until(lambda: not _processes("mark-4") and not _inside("clow-job-"), 40)


@pytest.mark.slow
def test_a_run_that_is_taken_over_ends_what_its_first_attempt_has_left(workspace: Context, cluster: str, repo: Path) -> None:
    training = _code(workspace, "t-taken", repo, cluster, params={"child": "mark-2"}, resources={"cpus": 2})
    run = training.run()
    _wait_for(run, "at work in")
    (first,), driving = _processes("ray::Desk"), _processes("clow_nb.train.on_ray")
    try:
        for process in driving:
            process.suspend()
        worker = ensure_worker(workspace)
        os.kill(worker.pid, signal.SIGKILL)
        _until(lambda: not worker_alive(workspace))
        ensure_worker(workspace)
        _until(lambda: not first.is_running())
        _until(lambda: _processes("ray::Desk"))
        _wait_for(run, "at work in")
    finally:
        for process in driving:
            with suppress(psutil.NoSuchProcess):
                process.resume()
    training.cancel()
    _until(lambda: not _processes("mark-2") and not _processes("clow_nb.train.on_ray"), 40)


@pytest.mark.slow
def test_a_training_ends_with_its_cluster(workspace: Context, repo: Path) -> None:
    with _started() as head:
        run = _code(workspace, "t-lost", repo, f"ray://127.0.0.1:{head.port}", params={"child": "mark-3"}).run()
        _wait_for(run, "at work in")
        head.end()
        with pytest.raises(RunError, match=r"The connection to the Ray cluster was lost \(.*\)\. Run it again"):
            run.wait(timeout=200, progress=False)
        _until(lambda: not _processes("mark-3"), 60)


@pytest.mark.slow
def test_a_tuning_goes_on_by_ray_tune_in_the_same_study(workspace: Context) -> None:
    Trainings(workspace).create("t-intent", dataset="intents", params=SMALL, model="intent", resources={"cpus": 1})
    how = {"base": "t-intent", "space": {"lr": ("log", 1e-4, 1e-1)}, "metric": "valid_loss", "executor": "ray"}
    tuning = Tunings(workspace).create("h-ray", trials=7, **how)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="can't be led through ray://head:10001"):
        Tunings(workspace).create("h-far", **how | {"executor": "ray://head:10001"})  # type: ignore[arg-type]
    dataset = Datasets(workspace)["intents"]
    here = Search(workspace, tuning.study_name(dataset.ref), tuning.spec, dataset, 4)
    for lr in (7e-3, 1e-3, 9e-3):
        here.study.enqueue_trial({"lr": lr})
    here.run(lambda words: None)
    for lr in (2e-3, 2e-3, 1e-1):
        here.study.enqueue_trial({"lr": lr})
    run = tuning.run(workers=2).wait(timeout=500, progress=False)
    trials = here.study.trials
    states = [trial.state.name for trial in trials]
    assert "COMPLETE" in states[4:6] and states[6:] == ["PRUNED"], "it takes five whole trials to give one up"
    assert trials[6].intermediate_values.keys() == {1} and "trial 6: given up after epoch 1" in run.logs()
    made = 4 + states[4:6].index("COMPLETE")
    assert trials[made].user_attrs["metrics"] == pytest.approx(trials[0].user_attrs["metrics"], abs=1e-5)
    assert run.outputs["best"] == tuning.best.number

    client = mlflow_client(workspace)
    told = client.search_runs([client.get_experiment_by_name("clow").experiment_id])
    ends = {one.data.tags["trial"]: one.info.status for one in told if "trial" in one.data.tags}
    assert ends.keys() == set(map(str, range(7))) and (ends[str(made)], ends["6"]) == ("FINISHED", "KILLED")
    assert [one.info.status for one in told if "tuning" in one.data.tags] == ["FINISHED"]
