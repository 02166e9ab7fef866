"""Every sentence that a user reads is there in Korean, with the same placeholders."""

import ast
import json
import string
from pathlib import Path

import pytest

from clow_nb.core import errors
from clow_nb.core.text import catalogue

ROOT = Path(__file__).parents[1]
ERRORS = {name for name in dir(errors) if isinstance(getattr(errors, name), type)}
SPEAKERS = {"t", "Sentence", *ERRORS}


def _messages(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if name in SPEAKERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append(first.value)
    return found


def _all_messages() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (ROOT / "clow_nb").rglob("*.py"):
        if "runs/notebooks" not in str(path):
            found |= {message: str(path.relative_to(ROOT)) for message in _messages(path.read_text("utf-8"))}
    for path in [*(ROOT / "clow_nb/runs/notebooks").glob("*.ipynb"), *(ROOT / "dashboards").glob("*.ipynb")]:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                found |= {message: path.name for message in _messages("".join(cell["source"]))}
    return found


def _fields(text: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_scan_finds_sentences() -> None:
    assert len(_all_messages()) > 20
    assert _messages('raise NotFound("No {kind}.", kind=1)') == ["No {kind}."]


def test_no_sentence_is_missing_in_korean() -> None:
    korean = catalogue("ko")
    missing = {m: where for m, where in _all_messages().items() if m not in korean and any(map(str.isalpha, m))}
    assert not missing, json.dumps(missing, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("path", sorted((ROOT / "clow_nb/locale/ko").glob("*.json")), ids=lambda p: p.name)
def test_translations_keep_the_placeholders(path: Path) -> None:
    for english, korean in json.loads(path.read_text("utf-8")).items():
        assert _fields(korean) <= _fields(english), english
