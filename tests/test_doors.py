"""The front door: cheap to open, and what is behind it is pinned."""

import subprocess
import sys

import clow_nb

HEAVY = {"torch", "polars", "lance", "sqlalchemy", "mlflow", "dbos", "altair", "papermill", "pydantic", "numpy"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import clow_nb, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_the_public_names_are_pinned() -> None:
    assert clow_nb.__all__ == ["ClowError", "Evaluate", "Serve", "Train", "Workspace"]
    for name in clow_nb.__all__:
        assert getattr(clow_nb, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    try:
        _ = clow_nb.Workspce
    except AttributeError as error:
        assert "Workspce" in str(error)
    else:
        raise AssertionError
