"""Trainings and tunings on a real Ray cluster on this machine: the same numbers as here, the log as it comes, and an end in every case."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import ParameterError, RunError
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.run import Run
from clow_nb.train.models import Models
from clow_nb.train.ray_cluster import check_executor
from clow_nb.train.training import Training, Trainings
from clow_nb.train.tuning import Tunings

from .conftest import make_documents
from .test_own_code import git

pytest.importorskip("ray")
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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster with 2 processors for clients, on 127.0.0.1; its processes are ended in the end."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
    quiet["RAY_raylet_start_wait_time_s"] = "180"
    client = _free_port()
    command = [RAY, "start", "--head", "--block", "--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats"]
    where = [f"--port={_free_port()}", f"--ray-client-server-port={client}", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}"]
    with (folder / "log").open("wb") as log:
        head = subprocess.Popen([*command, *where], env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                socket.create_connection(("127.0.0.1", client), timeout=1).close()
                break
            except OSError:
                assert head.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.2)
        yield f"ray://127.0.0.1:{client}"
    finally:
        family = psutil.Process(head.pid).children(recursive=True) if head.poll() is None else []
        head.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs([*family, psutil.Process(head.pid)] if family else [], timeout=10)
        for process in left:
            process.kill()
        head.wait()
        subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture
def workspace(ctx: Context) -> Iterator[Context]:
    """A workspace with the dataset `intents`; its workers are stopped in the end."""
    Datasets(ctx).create("intents", make_documents(3), label="label").split(stratify="label", train=8, valid=2, test=2)
    yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "team"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "train.py").write_text(CODE)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def _code(ctx: Context, name: str, repo: Path, cluster: str, **more: object) -> Training:
    code = {"repo": str(repo), "command": "python train.py"}
    return Trainings(ctx).create(name, dataset="intents", code=code, executor=cluster, **more)  # type: ignore[arg-type]


def _wait_for(run: Run, words: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while words not in run.logs():
        assert not run.row.ended and time.monotonic() < deadline, run.logs()
        time.sleep(0.2)


def _processes(mark: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if any(mark in word for word in one.info["cmdline"] or ())]


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
    run = _code(workspace, "t-git", repo, cluster, resources={"cpus": 2}).run().wait(timeout=200, progress=False)
    assert "/clow-job-" in run.logs() and "threads 2 home False" in run.logs()
    assert run.outputs["artifacts"] == ["notes.txt"] and Models(workspace).version(run.outputs["model"]).metrics == {"valid_loss": 0.5}
    assert not list(Path(tempfile.gettempdir()).glob("clow-job-*")), "nothing is left on the node"

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
    deadline = time.monotonic() + 60
    while not run.metrics().filter(key="valid_loss").height:
        assert time.monotonic() < deadline and not run.row.ended, "metrics come while it is at work"
        time.sleep(0.2)
    training.cancel()
    begun = time.monotonic()
    while _processes("mark-1"):
        assert time.monotonic() - begun < 40, "what it has started is gone too"
        time.sleep(0.2)
    assert run.wait(timeout=20, progress=False, check=False).status == "CANCELLED"

    again = training.run()
    _wait_for(again, "at work in")
    desks = _processes("ray::Desk")
    assert len(desks) == 1, "the one of the run before holds nothing any more"
    desks[0].kill()
    with pytest.raises(RunError, match="that was at work is lost"):
        again.wait(timeout=120, progress=False)
    assert not _processes("mark-1")


@pytest.mark.slow
def test_a_tuning_by_ray_tune_is_the_same_study(workspace: Context) -> None:
    Trainings(workspace).create("t-intent", dataset="intents", params=SMALL, model="intent", resources={"cpus": 1})
    space = {"lr": ("log", 1e-4, 1e-1)}
    tuning = Tunings(workspace).create("h-ray", base="t-intent", space=space, trials=3, executor="ray")
    run = tuning.run(workers=2).wait(timeout=600, progress=False)
    assert run.outputs["best"] == tuning.best.number and "trial 0: valid_f1_macro" in run.logs()
    assert set(tuning.trials["state"]) <= {"COMPLETE", "PRUNED"} and tuning.trials.height == 3
    assert tuning.steps().filter(number=0)["epoch"].to_list() == [1, 2]
    here = Tunings(workspace).create("h-here", base="t-intent", space=space, trials=1)
    here.search().run(lambda words: None)
    assert here.best.steps == pytest.approx(dict(tuning.steps().filter(number=0).select("epoch", "value").iter_rows()), abs=1e-5)
    with pytest.raises(ParameterError, match="can't be led through ray://head:10001"):
        Tunings(workspace).create("h-far", base="t-intent", space=space, executor="ray://head:10001")
