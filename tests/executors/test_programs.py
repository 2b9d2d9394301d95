"""From where may a program be run whose tasks have workers? X2 and X6 of the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.executors.kit import in_real_time

pytestmark = in_real_time

PROGRAM = """
import asyncio
from conveyor_rx import single_task

@single_task(executor="processes")
def double(number):
    return 2 * number

if __name__ == "__main__":
    print(asyncio.run(double([1, 2]).collect()))
"""


def run(folder: Path, *command: str, stdin: str = "") -> tuple[str, str]:
    """Run Python in `folder`; return what it printed, and the last lines of what went wrong."""
    path = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    return done.stdout, "\n".join(done.stderr.splitlines()[-2:])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM)
    return tmp_path


def test_the_main_module_of_a_package(package: Path) -> None:
    """X2: processes don't import it; cloudpickle takes its code along."""
    pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    assert run(package, "-m", "package") == ("[2, 4]\n", "")


def test_the_main_module_of_a_package_without_cloudpickle(package: Path) -> None:
    """X2: the error names the task, and says what to do."""
    (package / "cloudpickle.py").write_text("raise ImportError")
    printed, error = run(package, "-m", "package")
    assert printed == ""
    assert "task 'double' can't be sent to a worker" in error
    assert "Give it a name of its own at the top of a module" in error


def test_a_program_on_the_standard_input(tmp_path: Path) -> None:
    """X6: it is in no file; multiprocessing looks for one on some Pythons. The error says so."""
    printed, error = run(tmp_path, "-", stdin=PROGRAM)
    if printed != "[2, 4]\n":
        assert "no worker process can begin" in error
        assert "Save the program as a file" in error
        assert "in task 'double', input 0" in error


WITH_CLASSES = """
import asyncio
from dataclasses import dataclass
from conveyor_rx import single_task

@dataclass
class Point:
    x: int

@single_task(executor="processes")
def moved(point):
    return Point(point.x + 1)

async def main():
    points = await moved([Point(1), Point(2)]).collect()
    print(points, all(isinstance(point, Point) for point in points))

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_classes_of_a_program_that_workers_can_not_import(tmp_path: Path) -> None:
    """X2: cloudpickle takes the code of items along; results are of the program's own class."""
    pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    assert run(tmp_path, "-c", WITH_CLASSES) == ("[Point(x=2), Point(x=3)] True\n", "")


ITEMS_ALONE = """
import asyncio, operator
from dataclasses import dataclass
from conveyor_rx import SingleTask

@dataclass
class Point:
    x: int

task = SingleTask(operator.attrgetter("x"), executor="processes")
print(asyncio.run(task([Point(1)]).collect()))
"""


def test_classes_without_cloudpickle(tmp_path: Path) -> None:
    """X6: the failure of the call says what is missing."""
    (tmp_path / "cloudpickle.py").write_text("raise ImportError")
    printed, error = run(tmp_path, "-c", ITEMS_ALONE)
    assert printed == ""
    assert "the item can't be unpickled" in error
