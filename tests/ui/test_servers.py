"""The servers listen on this machine only, and their page loads nothing from anywhere."""

import re
from pathlib import Path

import pytest

from clow_nb.ui.servers import jupyter_environment, lab_command, voila_command

ROOT = Path(__file__).parents[2]


def test_only_this_machine_and_only_with_a_token() -> None:
    for command in (lab_command(Path("x"), 1, "secret"), voila_command(Path("x"), 1, "secret")):
        text = " ".join(command)
        assert "ip=127.0.0.1" in text and "oken=secret" in text and "0.0.0.0" not in text.replace("127.0.0.1", "")


def test_the_waiting_page_speaks_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    text = " ".join(voila_command(Path("x"), 1, "secret"))
    assert "페이지를 여는 중" in text and "language_code=ko" in text


def test_what_was_set_before_stays_behind_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", "/theirs")
    assert jupyter_environment()["JUPYTER_PATH"].endswith(":/theirs")


@pytest.mark.parametrize("path", sorted((ROOT / "js/voila").rglob("*.j2")), ids=lambda path: path.name)
def test_our_pages_name_no_other_machine(path: Path) -> None:
    assert not re.search(r"https?://|//cdn", path.read_text())
