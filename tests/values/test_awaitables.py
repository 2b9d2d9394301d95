"""Is everything awaited that can be, whoever gives it, and nothing else touched? (V2)"""

from __future__ import annotations

import asyncio
import gc
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import pytest
import reactivex

from conveyor_rx import ErrorHandler, SingleTask, batch_task, single_task
from conveyor_rx.diagrams import record
from tests.kit import in_both_modes


class Ready(Awaitable[Any]):
    """An awaitable that is no coroutine and no future."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from asyncio.sleep(1).__await__()
        return self.value


class Compiled:
    """A coroutine of another make, such as Cython's or aiohttp's."""

    open = 0

    def __init__(self, value: Any) -> None:
        self._inner = Ready(value).__await__()
        type(self).open += 1

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            return (yield from self._inner)
        finally:
            self.close()

    def send(self, value: Any) -> Any:
        return self._inner.send(value)

    def throw(self, *error: Any) -> Any:
        return self._inner.throw(*error)

    def close(self) -> None:
        type(self).open -= 1


class Slotted:
    """As little as an awaitable can be."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return Ready(self.value).__await__()


@types.coroutine
def as_before(value: Any) -> Generator[Any, Any, Any]:
    yield from asyncio.sleep(1).__await__()
    return value


async def later(value: Any) -> Any:
    await asyncio.sleep(1)
    return value


KINDS: dict[str, Callable[[Any], Any]] = {
    "awaitable": Ready,
    "compiled": Compiled,
    "slots": Slotted,
    "generator coroutine": as_before,
    "coroutine": later,
    "task": lambda value: asyncio.ensure_future(later(value)),
}


class Handler(ErrorHandler):
    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make

    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        return True, self.make(item)


async def numbers() -> AsyncIterator[int]:
    yield 0


def stages(make: Callable[[Any], Any]) -> dict[str, Any]:
    """Give a stage for each place where a result is looked at; all of them give what came in."""
    failed: set[int] = set()

    def at_second(item: int) -> Any:
        if item not in failed:
            failed.add(item)
            raise ValueError(item)
        return make(item)

    def fail(item: int) -> Any:
        raise ValueError(item)

    def with_input(item: int, given: object) -> Any:
        return make(item)

    def picky(batch: list[int]) -> Any:
        if len(batch) > 1:
            raise ValueError(batch)
        return make(batch)

    class Callee:
        def __call__(self, item: int) -> Any:
            return make(item)

    return {
        "single": single_task(make),
        "object": SingleTask(Callee()),
        "one by one": single_task(concurrency_limit=1)(make),
        "one output": single_task(flatten=False)(make),
        "batch": batch_task(max_size=2)(make),
        "halved": batch_task(max_size=2, on_error="skip_item")(picky),
        "retry": single_task(retry_attempts=2, retry_delay=0)(at_second),
        "handler": single_task(error_handler=Handler(make))(fail),
        "side input": single_task(with_input).with_inputs(numbers()),
    }


@in_both_modes
@pytest.mark.parametrize("where", stages(Ready))
@pytest.mark.parametrize("kind", KINDS)
async def test_any_awaitable_is_awaited(kind: str, where: str, mode: str) -> None:
    """V2: whatever its make, wherever results are looked at; observed or not."""
    for _ in range(2):
        stage = stages(KINDS[kind])[where].with_execution_mode(mode)
        assert sorted(await stage(range(4)).collect()) == [0, 1, 2, 3]
        with record():
            stage = stages(KINDS[kind])[where].with_execution_mode(mode)
            assert sorted(await stage(range(4)).collect()) == [0, 1, 2, 3]
    assert Compiled.open == 0


@in_both_modes
async def test_awaited_lists_are_flattened_and_none_is_dropped(mode: str) -> None:
    """V2, V1: what an awaitable gives is a result as any other."""
    stage = single_task(lambda n: Ready([n, n] if n else None)).with_execution_mode(mode)
    assert await stage([0, 1, 2]).collect() == [1, 1, 2, 2]


async def test_one_type_of_many_results_is_awaited_each_time() -> None:
    """V2: types that were met are remembered, and none is taken for another."""
    results: list[Any] = [1, "a", Ready(2), (3,), Ready(4), None, 5.0, Slotted(6), {7}, Ready(8)]
    given = [type(f"T{n}", (), {})() for n in range(200)]
    for _ in range(2):
        stream = single_task(concurrency_limit=1)(lambda item: item)([*results, *given, *results])
        expected = [1, "a", 2, (3,), 4, 5.0, 6, {7}, 8]
        assert await stream.collect() == [*expected, *given, *expected]


async def test_an_async_function_may_give_an_awaitable() -> None:
    """V2: it has been awaited already; what it gives is a value."""

    async def give(item: Any) -> Any:
        return item

    ready = Ready(1)
    assert await single_task(give)([ready]).collect() == [ready]


async def test_an_observable_is_a_value() -> None:
    """V2: it can be awaited, and is not."""
    observable = reactivex.of(1)
    assert await single_task(lambda _: observable)([1]).collect() == [observable]


class Shy:
    """A value that dislikes being looked at."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("looked at")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")

    __hash__ = None  # type: ignore[assignment]


class ShyKind(type):
    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")


class OfShyKind(metaclass=ShyKind):
    pass


@pytest.mark.parametrize("make", [Shy, lambda: OfShyKind()], ids=["value", "class"])
async def test_nothing_is_asked_but_the_type(make: Callable[[], Any]) -> None:
    """V2: no code of the user's runs to find out whether a value is to be awaited."""
    value = make()
    for stage in (single_task(lambda _: value), batch_task(1)(lambda _: value)):
        (got,) = await stage([1]).collect()
        assert got is value


async def test_failures_of_awaitables_are_those_of_the_call() -> None:
    """E1, E3: raised when it is awaited, or when it is asked for what to wait for."""

    class Broken(Ready):
        def __await__(self) -> Generator[Any, Any, Any]:
            raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await single_task(Broken)([1]).collect()
    assert await single_task(on_error="skip_item")(Broken)([1]).collect() == []


async def test_what_is_not_awaited_any_more_is_closed() -> None:
    """L5: the run is closed before a coroutine that a plain function gave was begun."""
    for make in (Compiled, later, as_before):
        stream = single_task(make)([1, 2, 3])
        reading = asyncio.ensure_future(stream.collect())
        await asyncio.sleep(0)
        await stream.aclose()
        assert await reading == []
        gc.collect()
    assert Compiled.open == 0
