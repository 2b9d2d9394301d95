"""How is a CPython 3.14 had for the tests, if none is installed?"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
TREE = HERE.parents[1]
# Of what the tests need, that which is pure Python.
PACKAGES = (
    "anyio",
    "cloudpickle",
    "hypothesis",
    "opentelemetry-sdk",
    "pytest",
    "pytest-asyncio",
    "rich",
)
STACK = "--stack-size=6000"  # KB of the 8 MB that a process usually has; Node takes 1 MB


def main() -> int:
    """Install, run, and return the exit status of pytest."""
    parser = argparse.ArgumentParser(prog="python -m tests.pyodide", description=__doc__)
    parser.add_argument("--folder", type=Path, help="install there, or use what is there already")
    parser.add_argument("--minutes", type=float, default=30, help="stop after so many (30)")
    ours, options = parser.parse_known_args()
    with contextlib.ExitStack() as stack:
        folder = ours.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        install(folder)
        command = [_tool("node"), STACK, folder / "run.mjs", TREE, folder / "packages", *options]
        return subprocess.run(command, timeout=ours.minutes * 60).returncode


def install(folder: Path) -> None:
    """Install pyodide and the packages into `folder`, unless they are there."""
    (folder / "packages").mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "run.mjs"):
        shutil.copy(HERE / name, folder)
    if not (folder / "node_modules").exists():
        npm = [_tool("npm"), "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(npm, cwd=folder, check=True)
    if not any((folder / "packages").iterdir()):
        pip = f"{sys.executable} -m pip --quiet install --only-binary :all: --target".split()
        of_314 = "--python-version 3.14 --implementation py --abi none --platform any".split()
        subprocess.run([*pip, folder / "packages", *of_314, *requirements()], check=True)


def requirements() -> list[str]:
    """Return what pyproject.toml says of the packages that go along."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    tests = {_name(each): each for each in project["optional-dependencies"]["test"]}
    return [*project["dependencies"], *(tests[name] for name in PACKAGES)]


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found.group()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"tests.pyodide: no {name} on PATH; Python 3.14 runs in Node, 20 or newer")
    return found


if __name__ == "__main__":
    sys.exit(main())
