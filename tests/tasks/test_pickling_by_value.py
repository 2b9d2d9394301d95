"""What becomes of code that the other process can't import? cloudpickle takes it along."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import SingleTask, single_task
from conveyor_rx._sending import picklers
from tests.kit import ROOT
from tests.tasks import sent
from tests.tasks.sent import Service, fetch, renamed

cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")


def by_value(value: Any) -> Any:
    return pickle.loads(cloudpickle.dumps(value))


# -- modules that can be imported


async def test_what_can_be_imported_goes_by_name() -> None:
    """X2: as with pickle; also what was made of it."""
    for task in (fetch, sent.rank, sent.shout, sent.remember, Service.fetch):
        assert by_value(task) is task
        assert cloudpickle.dumps(task) == pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
    assert by_value(Service.make).func == Service.make.func
    assert by_value(Service(3).fetch).func.__func__ is Service.fetch.func
    bound = by_value(sent.add.with_inputs(5))
    assert bound.func is sent.add.func
    assert await bound([1]).collect() == [6]


async def test_a_module_that_is_registered_goes_by_value() -> None:
    """X2: what cloudpickle is told of a module holds for its tasks, too."""
    cloudpickle.register_pickle_by_value(sent)
    try:
        arrived = by_value([fetch, sent.add.with_inputs(5), renamed])
    finally:
        cloudpickle.unregister_pickle_by_value(sent)
    assert arrived[0] is not fetch
    assert arrived[0].func is not fetch.func
    results = [await task([1]).collect() for task in arrived]
    assert results == [[2], [6], [2]]


# -- code without a name


async def test_local_tasks_take_their_code_along() -> None:
    """X2: closures and lambdas, wherever a task holds them, and classes of functions."""
    by = 3

    @single_task
    def local(item: int) -> int:
        return item * by

    class Here:
        @single_task
        def again(self, item: int) -> Any:
            return item, handle.task_name, local.task_name

        @single_task
        @classmethod
        def name(cls, item: int) -> str:
            return cls.__name__

        @single_task
        @staticmethod
        def negative(item: int) -> int:
            return -item

    handle = Here().again
    for task, result in (
        (local, 3),
        (single_task(lambda item: item + by), 4),
        (SingleTask(fetch.func, key=lambda item: item * by), 2),
        (sent.add.with_inputs(local.func(1)), 4),
        (handle, (1, "again", "local")),
        (Here.name, "Here"),
        (Here.negative, -1),
        (Here().negative, -1),
    ):
        assert await by_value(task)([1]).collect() == [result]
    raw = vars(by_value(Here))["name"]
    assert isinstance(raw._descriptor, classmethod)
    assert await (fetch | by_value(local))([1]).collect() == [6]


def test_a_pickle_within_a_pickle() -> None:
    """X2: the nearest pickler counts. This object's own pickle is a plain one."""

    class Nested:
        def __reduce__(self) -> Any:
            return pickle.loads, (self.inner(),)

        def inner(self) -> bytes:
            with pytest.raises(TypeError, match="has no name of its own"):
                pickle.dumps(single_task(lambda item: item))
            return pickle.dumps(sent.double)

    assert by_value(Nested()).func is sent.double_one


@pytest.mark.parametrize(
    ("module", "takes_code"),
    [
        ("ray.cloudpickle.cloudpickle", True),
        ("joblib.externals.cloudpickle.cloudpickle", True),
        ("dill._dill", True),
        ("distributed.protocol.pickle", False),
        ("users.code", False),
        (None, False),
    ],
)
def test_picklers_are_known_by_their_modules(module: str | None, takes_code: bool) -> None:
    """X2: copies of cloudpickle do what it does; one without a name is any other pickler."""
    namespace: dict[str, Any] = {"ask": picklers.current_pickler, "__name__": module}
    exec("pickler = ask()", namespace)
    assert namespace["pickler"].takes_code is takes_code
    assert namespace["pickler"].keeps("__main__") is takes_code
    assert not namespace["pickler"].keeps("mainly")


# -- a __main__ that can't be imported

TYPED = """
import pickle, subprocess, sys

import cloudpickle

from conveyor_rx import single_task
from conveyor_rx._functions.pickling import dumps
from tests.tasks.sent import fetch


@single_task
def loop(item):
    return item, loop.task_name, plus.task_name, service.fetch.task_name


@single_task
def add(item, other):
    return item + other


class Service:
    @single_task
    def fetch(self, item):
        return item, handle.task_name, Service.parse.task_name

    @single_task
    @staticmethod
    def parse(item):
        return int(item)


def made_in_a_function():
    class Here:
        @single_task
        def again(self, item):
            return item, handle.task_name

        @single_task
        @classmethod
        def name(cls, item):
            return named.task_name

    handle, named = Here().again, Here.name
    return handle, named, Here.again.func.__get__(Here())


plus, service = add.with_inputs(5), Service()
handle = service.fetch
tasks = [loop, plus, handle, service.parse, *made_in_a_function()[:2], fetch | plus, fetch]
functions = [made_in_a_function()[2], loop.func, handle.func, fetch.func]
functions.append(lambda item: fetch.func(item) + loop.func(item)[0])
"""
SEND = """
child = subprocess.run(
    [sys.executable, "-c", CHILD],
    input=cloudpickle.dumps(tasks) + dumps(functions, "t"),
    capture_output=True,
)
print(child.stdout.decode() or child.stderr.decode())
"""
CHILD = """
import asyncio, pickle, sys
from tests.tasks import sent
tasks, functions = pickle.load(sys.stdin.buffer), pickle.load(sys.stdin.buffer)
print(*[asyncio.run(task([1]).collect())[0] for task in tasks], tasks[-1] is sent.fetch)
print(*[function(1) for function in functions], functions[3] is sent.fetch.func)
"""
NOTEBOOK = """
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import build

print(build.execute(Path(sys.argv[2])).cells[-1].outputs[0].text)
"""
PRINTED = """\
(1, 'loop', 'add', 'fetch') 6 (1, 'fetch', 'parse') 1 (1, 'again') name 7 2 True
(1, 'again') (1, 'loop', 'add', 'fetch') (1, 'fetch', 'parse') 2 3 True
"""


def run(*arguments: str, program: str = "") -> str:
    """Run a program as a user does, on this checkout, and return what it prints."""
    found = subprocess.run(
        [sys.executable, *arguments],
        input=program,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip() + "\n"


@pytest.mark.parametrize("how", ["-c", "-"])
def test_a_main_that_is_typed_goes_by_value(how: str) -> None:
    """X2: tasks that know each other by their globals arrive so, beside those of modules."""
    program = f"CHILD = {CHILD!r}\n{TYPED}{SEND}"
    arguments = ("-c", program) if how == "-c" else ("-",)
    assert run(*arguments, program=program if how == "-" else "") == PRINTED


def test_what_is_defined_in_a_notebook_goes_by_value(tmp_path: Path) -> None:
    """X2: cells are a `__main__` that nobody can import."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    new, path = nbformat.v4, tmp_path / "typed.ipynb"
    cells = [new.new_code_cell(text) for text in (f"CHILD = {CHILD!r}", TYPED, SEND)]
    nbformat.write(new.new_notebook(cells=cells), path)
    assert run("-c", NOTEBOOK, str(ROOT / "notebooks"), str(path)) == PRINTED
