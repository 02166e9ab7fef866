"""The front door: cheap to open, and what is behind it is pinned."""

import json
import re
import subprocess
import sys
from pathlib import Path

import clow_nb

HEAVY = {"torch", "polars", "lance", "sqlalchemy", "mlflow", "dbos", "altair", "papermill", "pydantic", "numpy"}


def _loaded_by(*names: str) -> set[str]:
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not HEAVY & _loaded_by("clow_nb")


def test_a_server_answers_without_a_database_or_tables() -> None:
    """Numbers are on their way into it, for tensors; the models are in a process beside it."""
    assert not ((HEAVY | {"pyarrow", "pandas"}) - {"numpy"}) & _loaded_by("clow_nb.serve.server", "clow_nb.serve.lifetime")


def test_pages_are_opened_without_what_trains() -> None:
    """Each page is a process of its own; PyTorch takes two seconds of a processor to import, and is for who asks a model."""
    dashboards = [json.loads(path.read_text("utf-8")) for path in Path(__file__).parents[1].glob("dashboards/*.ipynb")]
    sources = "\n".join("".join(cell["source"]) for notebook in dashboards for cell in notebook["cells"])
    pages = sorted(set(re.findall(r"^from (clow_nb[.\w]+) import", sources, re.M)))
    assert "clow_nb.ui.judging" in pages
    assert not {"torch", "mlflow", "sklearn", "optuna", "ray", "dbos"} & _loaded_by(*pages)


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
