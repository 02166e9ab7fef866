"""Where a workspace is found, and what never shows."""

from pathlib import Path

import pytest

from clow_nb.core.context import Context
from clow_nb.core.errors import SettingsError
from clow_nb.core.settings import find_home, load_settings


def test_the_nearest_workspace_upward_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".clow").mkdir()
    (tmp_path / "team" / "work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "team" / "work")
    assert find_home() == tmp_path / ".clow"
    monkeypatch.setenv("CLOW_HOME", str(tmp_path / "other"))
    assert find_home() == tmp_path / "other"


def test_a_child_process_gets_the_same_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_LANG", "ko")
    monkeypatch.setenv("CLOW_TZ", "Asia/Seoul")
    settings = load_settings(tmp_path / "w", data=str(tmp_path / "bulk"))
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_a_wrong_time_zone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOW_TZ", "Seoul/Asia")
    with pytest.raises(SettingsError, match="Asia/Seoul"):
        load_settings("/tmp/x")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, db="postgres://ml:geheim@127.0.0.1:9/clow?connect_timeout=2")
    assert "geheim" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        _ = Context(settings).catalog
    assert "geheim" not in str(caught.value)


def test_looking_and_sharing_are_handed_on_to_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOW_READ_ONLY", "CLOW_SHARED"):
        monkeypatch.setenv(name, "1")
    environment = load_settings(tmp_path).environment()
    assert environment["CLOW_READ_ONLY"] == environment["CLOW_SHARED"] == "1"
    monkeypatch.setenv("CLOW_READ_ONLY", "0")
    settings = load_settings(tmp_path)
    assert not settings.read_only and settings.shared and "CLOW_READ_ONLY" not in settings.environment()


def test_a_language_that_nobody_named_is_left_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_ACCEPT_LANGUAGE", "ko")
    assert "CLOW_LANG" not in load_settings(tmp_path).environment()
    monkeypatch.setenv("CLOW_LANG", "en_US.UTF-8")
    assert load_settings(tmp_path).environment()["CLOW_LANG"] == "en"
