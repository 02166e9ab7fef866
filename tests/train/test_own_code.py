"""Trainings by code of the user's: from git and from a notebook, with a real worker; and what must never be seen or left behind."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import NotFound, ParameterError, RunError
from clow_nb.data.dataset import Datasets
from clow_nb.runs.launch import stop_worker
from clow_nb.runs.secrets import Secrets
from clow_nb.train.models import Models
from clow_nb.train.training import Trainings

from .conftest import make_documents

TOKEN = "glpat-S3cretOfKim"
CODE = """
import json, os, pathlib, random, sys
given = pathlib.Path(os.environ["CLOW_INPUT"])
params = json.loads(pathlib.Path(os.environ["CLOW_PARAMS"]).read_text())
out = pathlib.Path(os.environ["CLOW_OUTPUT"])
random.seed(int(os.environ["CLOW_SEED"]))
train = [json.loads(line) for line in (given / "train.jsonl").open()]
print("training on", len(train), "documents", sys.argv[1:])
if params.get("broken"):
    sys.exit("the label alarm is missing")
with (out / "metrics.jsonl").open("w") as file:
    for step in (1, 2):
        print(json.dumps({"step": step, "valid_loss": random.random()}), file=file, flush=True)
(out / "model").mkdir()
(out / "model" / "weights.bin").write_bytes(bytes(random.randrange(256) for _ in range(9)))
(out / "notes.txt").write_text("done")
"""


def git(folder: Path, *arguments: str) -> str:
    """Git as somebody, in a folder."""
    who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
    return subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def make_repo(folder: Path, code: str) -> Path:
    """A repository in `folder` with one commit: `code`, as `train.py`."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "train.py").write_text(code)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repo(tmp_path / "team", CODE)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A workspace with the dataset `intents`; its worker, one for all tests, is stopped at the end."""
    ctx = Context.open(tmp_path_factory.mktemp("own") / ".clow")
    Datasets(ctx).create("intents", make_documents(2), label="label").split(train=8, valid=1, test=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOW_PREIMPORTS", "mlflow,clow_nb.workspace.workspace")
        yield ctx
    stop_worker(ctx, seconds=0)


@pytest.fixture
def guarded(repo: Path) -> Iterator[str]:
    """The repository behind HTTP, for whoever has the token."""
    expected = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            url, size = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            env = os.environ | {
                **{"GIT_PROJECT_ROOT": str(repo), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": url.path, "QUERY_STRING": url.query},
                **{"REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(size)},
                **{"GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")},
            }
            answer = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True).stdout
            head, _, rest = answer.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().split("\r\n"):
                self.send_header(*line.split(": ", 1))
            self.end_headers()
            self.wfile.write(rest)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/.git"
    server.shutdown()
    server.server_close()


def test_a_private_repository_is_trained_from_and_its_token_is_nowhere(workspace: Context, guarded: str, repo: Path) -> None:
    Secrets(workspace).set("gitlab", TOKEN)
    trainings = Trainings(workspace)
    code = {"repo": guarded, "branch": "main", "command": "python train.py", "args": ["--quick"], "token": "gitlab"}
    with pytest.raises(RunError, match="asks who you are") as refused:
        trainings.create("t-git", dataset="intents", code={key: value for key, value in code.items() if key != "token"})
    assert TOKEN not in str(refused.value) and "t-git" not in trainings

    training = trainings.create("t-git", dataset="intents", code=code, params={"seed": 7}, model="own")
    first = git(repo, "rev-parse", "HEAD")
    run = training.run().wait(timeout=200, progress=False)
    row = training.versions()[-1]
    assert training.status == "EXTRACTED" and row.data["commit"] == first and row.data["artifacts"] == ["notes.txt"]
    assert run.metrics().filter(key="valid_loss")["step"].to_list() == [1, 2]
    assert row.data["metrics"]["valid_loss"] == run.metrics()["value"][-1]
    assert "documents ['--quick']" in run.logs()
    version = Models(workspace).version("own@1")
    assert (version.folder / "artifact" / "weights.bin").stat().st_size == 9 and version.dataset == "dataset:intents@2"
    for path in workspace.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path

    (repo / "train.py").write_text("raise SystemExit('rewritten')")
    git(repo, "commit", "--quiet", "-am", "second")
    again = training.reproduce(timeout=200)
    assert again.exact and again.same_model and not again.environment.height and again["valid_loss"] == 0
    assert len(training.versions()) == 1 and training.latest().id == run.id

    Secrets(workspace).set("gitlab", "another-token")
    with pytest.raises(RunError, match="not accepted") as refused:
        training.run()
    assert "another-token" not in str(refused.value)


def test_a_command_that_fails_says_its_last_line_and_the_notebook(workspace: Context, repo: Path) -> None:
    training = Trainings(workspace).create(
        "t-broken", dataset="intents", code={"repo": str(repo), "command": "python train.py"}, params={"broken": True}
    )
    with pytest.raises(RunError, match=r"status 1\. Its last line: the label alarm is missing.*See .*notebook\.ipynb"):
        training.run().wait(timeout=200, progress=False)
    assert training.status == "FAILED" and not training.versions()
    mended = training.clone("t-mended", params={"broken": False})
    assert mended.code == training.code and mended.model_name == "t-broken"


@pytest.mark.slow
def test_a_notebook_trains_and_a_cancelled_one_leaves_nothing_alive(workspace: Context, tmp_path: Path) -> None:
    body = """
import json, os, pathlib, subprocess, sys, time
out = pathlib.Path(os.environ["CLOW_OUTPUT"])
if wait:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)
    time.sleep(600)
(out / "metrics.json").write_text(json.dumps({"valid_accuracy": lr}))
"""
    cells = [
        nbformat.v4.new_code_cell("lr: float = 0.1\nwait: bool = False", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(body),
    ]
    path = tmp_path / "mine.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    trainings = Trainings(workspace)
    training = trainings.create("t-mine", dataset="intents", code={"notebook": str(path)}, params={"lr": 0.5})
    path.unlink()  # the copy is what runs
    run = training.run().wait(timeout=200, progress=False)
    assert training.versions()[0].data["metrics"] == {"valid_accuracy": 0.5} and "notebook.ipynb" in run.outputs["artifacts"]
    with pytest.raises(NotFound, match="has no model yet"):
        _ = training.model

    run = training.clone("t-wait", params={"wait": True}).run()
    deadline = time.monotonic() + 150
    while "child " not in run.logs():
        assert time.monotonic() < deadline and not run.row.ended, run.row.error
        time.sleep(0.1)
    child = int(run.logs().split("child ")[1].split()[0])
    trainings["t-wait"].cancel()
    with pytest.raises(RunError, match="was cancelled"):
        run.wait(timeout=150, progress=False)
    assert trainings["t-wait"].status == "CANCELLED"
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline + 10, "the child of the notebook lives on"
        time.sleep(0.1)


def test_more_than_any_machine_has_is_refused(workspace: Context, repo: Path) -> None:
    code = {"repo": str(repo), "command": "python train.py"}
    training = Trainings(workspace).create("t-big", dataset="intents", code=code, resources={"memory_mb": 1e9})
    with pytest.raises(ParameterError, match="would wait forever"):
        training.run()
    assert training.status == "READY"
