"""Which callables are called for each run, and which are values? S1 of the contract."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, get_current_context, single_task
from tests.side_inputs.loads import Load, tasks
from tests.side_inputs.tasks import add, plain_add


async def method_of_a_loader() -> int:
    return 10


class Loader:
    async def load(self, value: int = 10) -> int:
        return value

    @staticmethod
    async def static() -> int:
        return 10


async def load_with(value: int) -> int:
    return value


FACTORIES: dict[str, Any] = {
    "function": method_of_a_loader,
    "with a default": Loader().load,
    "static method": Loader.static,
    "partial": functools.partial(load_with, 10),
    "object": Load(),
}


@pytest.mark.parametrize("kind", FACTORIES)
@pytest.mark.parametrize("way", ["with_inputs", "keyword", "called", "extra"])
async def test_coroutine_functions_are_factories(kind: str, way: str) -> None:
    """S1: one that needs no argument is called; so are partials, methods and callable objects."""
    factory = FACTORIES[kind]
    ways: dict[str, Callable[[], AsyncStream[int]]] = {
        "with_inputs": lambda: add.with_inputs(factory)([1, 2]),
        "keyword": lambda: add.with_inputs(other=factory)([1, 2]),
        "called": lambda: add(factory)([1, 2]),  # type: ignore[operator, misc]
        "extra": lambda: add([1, 2], factory),  # type: ignore[operator, misc, arg-type]
    }
    if way == "extra":
        assert await (add | plain_add.with_inputs(0))([1, 2], factory).collect() == [11, 12]
    else:
        assert await ways[way]().collect() == [11, 12]


@tasks
async def test_a_factory_is_called_once_a_run(task: Any) -> None:
    """S1: for all calls of a run, also of a task that stands in it twice; anew in each run."""
    load = Load()
    bound = task.with_inputs(load)
    assert await (bound | bound)([1, 2, 3]).collect() == [21, 22, 23]
    assert load.started == 1
    stream = bound([1])
    for _ in range(2):  # each subscription is a run
        ended = asyncio.Event()
        stream.subscribe(on_completed=ended.set)
        await ended.wait()
    assert load.started == 3


async def test_a_factory_is_not_called_without_items() -> None:
    """F1, S1: nor when bound, chained, called."""
    load = Load()
    assert await add.with_inputs(load)([]).collect() == []
    assert load.started == 0


async def test_a_factory_sees_the_context_of_its_run() -> None:
    """S1: it is user code of that run."""

    async def load() -> int:
        context = get_current_context()
        assert context is not None
        return int(context.data["base"])

    bound = add.with_inputs(load)
    for base in (10, 20):
        assert await bound.with_context(base=base)([1]).collect() == [base + 1]


async def lookup(key: str) -> str:
    return key.upper()


@pytest.mark.parametrize(
    "value", [lookup, lambda: 1, print, Loader, method_of_a_loader], ids=range(5)
)
async def test_other_callables_are_values(value: Any) -> None:
    """S1: plain ones, and those that need arguments, are passed as they are, uncalled."""
    seen: list[Any] = []

    @single_task
    def look(x: int, other: Any) -> int:
        seen.append(other)
        return x

    passed = value if value is not method_of_a_loader else (lambda: value)
    await look.with_inputs(passed)([1]).collect()
    assert seen == [passed]
