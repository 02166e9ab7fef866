"""CLOW in a notebook: documents become datasets, datasets models, models services, and all of it again by itself.

`from clow_nb import Workspace` opens everything. Names are imported when they are first used, so that
`import clow_nb` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clow_nb.core.memory import prompt_polars
from clow_nb.core.postponed import postpone_grammars

if TYPE_CHECKING:
    from clow_nb.core.errors import ClowError
    from clow_nb.pipelines.steps import Evaluate, Serve, Train
    from clow_nb.workspace.workspace import Workspace

__version__ = "0.1.0"
__all__ = ["ClowError", "Evaluate", "Serve", "Train", "Workspace"]

_HOMES = {
    "ClowError": "clow_nb.core.errors",
    "Evaluate": "clow_nb.pipelines.steps",
    "Serve": "clow_nb.pipelines.steps",
    "Train": "clow_nb.pipelines.steps",
    "Workspace": "clow_nb.workspace.workspace",
}

prompt_polars()  # before anything imports it
postpone_grammars()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'clow_nb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
