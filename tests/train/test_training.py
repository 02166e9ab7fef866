"""A training from documents to a model: by plain papermill, and by a worker that is killed in between."""

import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.lease import Leases
from clow_nb.train.models import Models
from clow_nb.train.tracking import EXPERIMENT, mlflow_client
from clow_nb.train.training import Trainings

from .conftest import make_documents

NOTEBOOK = Path(str(resources.files("clow_nb"))) / "runs" / "notebooks" / "train.ipynb"


@pytest.fixture
def workspace(ctx: Context) -> Context:
    """A workspace with the dataset `intents` and the training `t-intent`."""
    Datasets(ctx).create("intents", make_documents(12), label="label").split(stratify="label", train=8, valid=1, test=1)
    params = {"epochs": 3, "embedding": 16, "channels": 8}
    Trainings(ctx).create("t-intent", dataset="intents", params=params, model="intent")
    return ctx


def _papermill(ctx: Context, training: str, folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys, papermill; papermill.execute_notebook(*sys.argv[1:3], parameters=dict(training=sys.argv[3], home=sys.argv[4]))"
    arguments = [str(NOTEBOOK), str(folder / "out.ipynb"), training, str(ctx.home)]
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.slow  # the workers of other tests run the same cells
def test_the_step_notebook_runs_under_plain_papermill(workspace: Context, tmp_path: Path) -> None:
    import papermill

    given = {"training": "t-intent", "home": str(workspace.home)}
    papermill.execute_notebook(NOTEBOOK, tmp_path / "out.ipynb", given, cwd=tmp_path, progress_bar=False)
    version = Models(workspace).version("intent")
    assert version.dataset == "dataset:intents@2" and version.metrics["valid_accuracy"] > 0.8
    assert Trainings(workspace)["t-intent"].model.ref == version.ref
    assert "<svg" in (tmp_path / "out.ipynb").read_text("utf-8")
    assert workspace.catalog.version("model", "intent", 1).data["mlflow_run"]


@pytest.mark.slow
def test_what_fails_before_the_first_epoch_has_failed_in_mlflow_too(workspace: Context, tmp_path: Path) -> None:
    Datasets(workspace).create("one", [row | {"label": "alarm"} for row in make_documents(2)], label="label")
    Trainings(workspace).create("t-one", dataset="one", model="one")
    assert "has 1 class(es)" in _papermill(workspace, "t-one", tmp_path).stderr
    client = mlflow_client(workspace)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    assert [run.info.status for run in client.search_runs([experiment])] == ["FAILED"]


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(workspace: Context) -> None:
    training = Trainings(workspace)["t-intent"].clone("t-long", params={"epochs": 300, "patience": 300})
    run = training.run()
    checkpoint = run.folder / "checkpoints" / "last.safetensors"
    deadline = time.monotonic() + 120
    try:
        while not checkpoint.exists():
            assert time.monotonic() < deadline and run.status in ("QUEUED", "RUNNING"), run.error
            time.sleep(0.05)
        assert training.status == "RUNNING"
        for lease in Leases(workspace).living():
            os.kill(lease.pid, signal.SIGKILL)
        run.wait(timeout=200, progress=False)
    finally:
        stop_worker(workspace, seconds=0)
    assert training.status == "EXTRACTED" and run.row.attempt > 1
    assert [v.version for v in Models(workspace)["intent"]] == [1]
    assert run.metrics().filter(key="valid_loss")["step"].to_list() == list(range(1, 301))
