"""The rooms and the one arrow between them, and the rules that keep notebooks and modules together."""

import ast
import inspect
import io
import json
import re
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "clow_nb"
ROOMS = [
    *("core", "data", "runs", "train", "evals", "serve", "monitor", "pipelines", "workspace", "ui", "api", "cli"),
]
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.name not in ("__init__.py", "_modidx.py"))
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if not p.name.startswith("_"))
FORBIDDEN_NAMES = {"utils", "helpers", "misc", "legacy", "common"}


@cache
def _sources(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _imports(path: Path) -> list[tuple[str, int]]:
    """All modules of this package that `path` imports, absolute names, with their lines."""
    package = ["clow_nb", *path.relative_to(PACKAGE).parent.parts]
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.append((module, node.lineno))
            found += [(f"{module}.{alias.name}", node.lineno) for alias in node.names if module == "clow_nb"]
    return [(name, line) for name, line in found if name.split(".")[0] == "clow_nb"]


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrow(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts[0]
    assert here in ROOMS, f"{here} is not a room"
    for module, line in _imports(path):
        room = _room(module)
        if room in ROOMS:
            assert ROOMS.index(room) <= ROOMS.index(here), f"{path}:{line}: {here} must not import {room}"


def test_the_arrow_test_sees_relative_imports() -> None:
    assert ("clow_nb.core.errors", 1) in [
        (name, 1) for name, _ in _imports(PACKAGE / "core" / "refs.py")
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_has_its_notebook(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    owners = [nb for nb in NOTEBOOKS if re.match(rf"#\s*\|\s*default_exp {re.escape(module)}\s*$", _sources(nb)[0])]
    assert len(owners) == 1, f"{module}: {owners}"
    notebook = owners[0]
    assert re.sub(r"^\d+[a-z]?_", "", notebook.stem) == path.stem
    assert notebook.parent.relative_to(ROOT / "nbs") == path.parent.relative_to(PACKAGE)
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_are_small_typed_and_explained(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path} has no docstring"
    assert text.count("\n") <= 400, f"{path} has {text.count(chr(10))} lines; make two of it"
    assert "import *" not in text
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    for node in public:
        assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: str(p.relative_to(ROOT)))
def test_notebooks_open_the_same_way_and_hide_nothing(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    exports = any(re.match(r"#\s*\|\s*export", source) for source in _sources(path))
    assert bool(re.match(r"#\s*\|\s*default_exp ", "".join(cells[0]["source"]))) == exports  # a story exports nothing
    opening = "".join(cells[1 if exports else 0]["source"])
    assert re.search(r"^# \S+", opening) and re.search(r"^> .+", opening, re.M), opening[:80]
    for source in _sources(path):
        assert not re.search(r"#\|\s*eval:\s*false", source)
    errors = [o for c in cells for o in c.get("outputs", []) if o["output_type"] == "error"]
    assert not errors


def _exported(folder: Path, *, formatted: bool) -> list[Path]:
    """The modules of this checkout, exported anew from its notebooks into a folder."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in files:
        if name.startswith(("nbs/", "clow_nb/")) or name in ("settings.ini", "setup.py", "pyproject.toml", "README.md"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).exists():
                target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    code = f"from nbdev.doclinks import nbdev_export; nbdev_export(procs={['black_format'] if formatted else []})"
    exported = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert exported.returncode == 0, exported.stderr
    return sorted((folder / "clow_nb").rglob("*.py"))


def _meaning(cell: str, package: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """A cell of a module without its formatting: what it does, and what its comments say."""
    tree = ast.parse(cell)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = inspect.cleandoc(node.value.value).strip()
        if isinstance(node, ast.ImportFrom) and node.level:  # nbdev leaves imports over several lines as they are
            base = package[: len(package) - node.level + 1]
            node.module, node.level = ".".join([*base, *filter(None, [node.module])]), 0
    head, _, body = cell.partition("\n")
    words = tokenize.generate_tokens(io.StringIO(cell if "#" in body or not head.startswith("#") else head).readline)
    return ast.dump(tree), [word.string.lstrip("# ").rstrip() for word in words if word.type == tokenize.COMMENT]


def test_exported_files_say_what_their_notebooks_say(tmp_path: Path) -> None:
    for path in _exported(tmp_path, formatted=False):
        here, package = ROOT / path.relative_to(tmp_path), path.parent.relative_to(tmp_path).parts
        cells, ours = (re.split(r"^(?=# %%)", file.read_text("utf-8"), flags=re.M) for file in (path, here))
        pairs = zip(ours, cells, strict=False)
        differ = [(mine, its) for mine, its in pairs if mine != its and _meaning(mine, package) != _meaning(its, package)]
        shown = [cell[:500] for cell in differ[0]] if differ else []
        assert len(ours) == len(cells) and not shown, f"{here} differs from its notebook: run nbdev_export. {shown}"


def test_a_cell_that_was_changed_by_hand_is_seen() -> None:
    assert _meaning("f(a,'b')  #x") == _meaning('f(\n    a,\n    "b",\n)  # x')
    for other in ("f(a, 'c')  # x", "f(a, 'b')  # y", "f(a, 'b')", "g(a, 'b')  # x"):
        assert _meaning(other) != _meaning("f(a, 'b')  # x"), other
    assert _meaning("from .b import c", ("a",)) == _meaning("from a.b import (c)") != _meaning("from .b import c", ("d",))


@pytest.mark.slow
def test_exported_files_are_in_sync(tmp_path: Path) -> None:
    """To the letter, as `make check` finds it before each commit."""
    for path in _exported(tmp_path, formatted=True):
        here = ROOT / path.relative_to(tmp_path)
        assert path.read_text("utf-8") == here.read_text("utf-8"), f"{here} differs from its notebook: run nbdev_export"


@pytest.mark.parametrize("path", sorted((ROOT / "dashboards").glob("*.ipynb")), ids=lambda p: p.name)
def test_dashboards_are_thin(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    assert len(cells) <= 8
    for source in _sources(path):
        tree = ast.parse(source)
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        names += [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
        assert all(name.split(".")[0] == "clow_nb" for name in names), names


@pytest.mark.parametrize("path", sorted((PACKAGE / "runs" / "notebooks").glob("*.ipynb")), ids=lambda p: p.name)
def test_step_notebooks_begin_with_typed_parameters(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    tagged = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1 and len(cells) <= 14
    body = ast.parse("".join(tagged[0]["source"])).body
    assert all(isinstance(node, ast.AnnAssign | ast.ImportFrom) for node in body)
    assert any(isinstance(n, ast.AnnAssign) and ast.unparse(n.target) == "home" for n in body)
    assert not any(c.get("outputs") for c in cells)


def test_nothing_loads_code_or_calls_out() -> None:
    for path in MODULES:
        text = path.read_text("utf-8")
        assert not re.search(r"^\s*import pickle|pickle\.loads?\(|joblib\.load", text, re.M), path
        assert not re.search(r"torch\.load\((?!.*weights_only=True)", text), path
        assert not re.search(r"https?://(?!127\.0\.0\.1|localhost|www\.w3\.org)[\w.]*(cdn|unpkg|jsdelivr)", text), path


def test_what_is_typed_is_told_before_the_next_click() -> None:
    """Boxes that tell each letter hold letters back while the kernel is busy, but no click: the last word would be cut."""
    own = {"controls.py", "picking.py"}  # the first makes those that tell all at once, the second searches letter by letter
    for path in (PACKAGE / "ui").glob("*.py"):
        if path.name not in own:
            assert not re.search(r"ipywidgets\.(Text|Textarea|Combobox)\b", path.read_text("utf-8")), f"{path}: use clow_nb.ui.controls"
