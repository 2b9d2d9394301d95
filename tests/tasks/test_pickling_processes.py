"""Do tasks get to real processes? To those that are spawned, and those of a fork server."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import ROOT

METHODS = sorted({"spawn", "forkserver"} & set(multiprocessing.get_all_start_methods()))

SCRIPT = '''
import asyncio
import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor

from conveyor_rx import single_task
from conveyor_rx._functions.pickling import dumps
from tests.tasks import sent


@single_task
def fetch(item):
    return item + 1


@single_task
def add(item, other):
    return item + other


class Service:
    @single_task
    def fetch(self, item):
        return item, plus.task_name

    @single_task
    @classmethod
    def make(cls, item):
        return cls.__name__, item


plus = add.with_inputs(5)
handle = Service().fetch
TASKS = [fetch, plus, handle, Service.make, fetch | plus | handle, sent.fetch, sent.renamed]


def results(tasks):
    """Say what tasks give here, and which of them are those of their modules."""
    here = [task is sent.fetch or task is fetch for task in tasks]
    return [asyncio.run(task([1]).collect())[0] for task in tasks], here


def back(tasks):
    """Return what came, and the name under which this module runs."""
    return tasks, __name__


def called(functions):
    return [pickle.loads(function)(1) for function in functions]


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        print(*pool.submit(results, TASKS).result(60))
        tasks, name = pool.submit(back, TASKS).result(60)
        print(name, *results(tasks))
        functions = [dumps(task.func, "t") for task in (fetch, handle, sent.shout)]
        print(pool.submit(called, functions).result(60))
'''
RESULTS = "[2, 6, (1, 'add'), ('Service', 1), (7, 'add'), 2, 2]"
SAME = "[True, False, False, False, False, True, False]"
PRINTED = f"""\
{RESULTS} {SAME}
__mp_main__ {RESULTS} {SAME}
[2, (1, 'add'), '1!']
"""


@pytest.mark.parametrize("method", METHODS)
def test_a_script_sends_its_tasks(method: str, tmp_path: Path) -> None:
    """X2: those of its `__main__` and of modules, there and back; a name gives the very task."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, script, method],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert (found.stdout, found.stderr) == (PRINTED, "")
