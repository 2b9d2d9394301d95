"""Does a run that starts again at the watermark of one that was killed lose nothing? W4."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BatchTask,
    ErrorHandler,
    RetryConfig,
    SingleTask,
    Stage,
    observe,
)
from conveyor_rx.testing import VirtualLoop, run
from tests.kit import Boom, Own, in_both_modes

ITEMS = 7
Token = tuple[int, ...]  # what a result carries of a source's item, its number first


class Copy(NamedTuple):
    """One of two outputs for an item."""

    item: int
    number: int


class World:
    """What outlives a run: what was tried before, and in which run it is."""

    def __init__(self) -> None:
        self.tried: set[Any] = set()
        self.is_second = False

    def first_time(self, what: Any) -> bool:
        is_first = what not in self.tried
        self.tried.add(what)
        return is_first


async def _slow(item: Any) -> Any:
    """Take longer for each third item."""
    await asyncio.sleep(0.5 + (_number(item) % 3 == 0))
    return item


def _number(item: Any) -> int:
    return item if isinstance(item, int) else _number(item[0])


def _copies(item: int) -> list[Copy]:
    return [Copy(item, n) for n in range(2)]


def _generate(item: int) -> Iterator[Copy]:
    yield from _copies(item)


async def _generate_async(item: int) -> AsyncIterator[Copy]:
    for token in _copies(item):
        await asyncio.sleep(0.25)
        yield token


async def _store(batch: list[Any]) -> Any:
    await asyncio.sleep(0.5)
    return tuple(batch)


async def _store_each(batch: list[Any]) -> list[Any]:
    await asyncio.sleep(0.5)
    return list(batch)


def _bad(world: World) -> Callable[[Any], Any]:
    """Fail with item 4, in the first run alone: a failure that a new start gets over."""

    async def work(item: int) -> int:
        await asyncio.sleep(0.5)
        if item == 4 and not world.is_second:
            raise Boom
        return item

    return work


def _flaky(world: World) -> Callable[[Any], Any]:
    async def work(item: int) -> int:
        await asyncio.sleep(0.25)
        if world.first_time(("flaky", item)):
            raise Boom
        return item

    return work


def _without(*bad: int) -> Callable[[Any], Any]:
    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep(0.5)
        if set(bad) & set(batch):
            raise Boom
        return batch

    return work


class _Patient(ErrorHandler):
    async def handle_error(self, error: Exception, item: Any, *args: Any) -> Any:
        await asyncio.sleep(0.5)
        return True, item


slow = SingleTask(_slow)
Make = Callable[[World], Stage[Any, Any]]
REFERENCES: dict[str, Make] = {
    "two async": lambda world: slow | slow,
    "def and async": lambda world: SingleTask(lambda n: n) | slow | SingleTask(lambda n: n),
    "list": lambda world: slow | SingleTask(_copies) | slow,
    "generator": lambda world: slow | SingleTask(_generate) | slow,
    "async generator": lambda world: SingleTask(_generate_async) | slow,
    "batches": lambda world: slow | BatchTask(_store, 1, 3) | slow,
    "batches in time": lambda world: slow | BatchTask(_store, 1, 3, max_wait=0.25) | slow,
    "a result for each item": lambda world: slow | BatchTask(_store_each, 1, 3) | slow,
    "batches of batches": lambda world: BatchTask(_store, 1, 2) | BatchTask(_store, 1, 2) | slow,
    "fan-out into batches": lambda world: SingleTask(_copies) | BatchTask(_store, 1, 3) | slow,
    "drops": lambda world: SingleTask(lambda n: n if n % 3 else None) | slow,
    "skip_item": lambda world: SingleTask(_bad(world), on_error="skip_item") | slow,
    "halving": lambda world: BatchTask(_without(1, 4), 1, 3, on_error="skip_item") | slow,
    "retries": lambda world: SingleTask(_flaky(world), retry_config=RetryConfig(2, 0.25)) | slow,
    "handler": lambda world: SingleTask(_flaky(world), error_handler=_Patient()) | slow,
    "failing": lambda world: SingleTask(_bad(world)) | slow,
    "failing behind a batch": lambda world: (
        BatchTask(_store_each, 1, 3) | SingleTask(_bad(world)) | BatchTask(_store, 1, 2) | slow
    ),
    "small windows": lambda world: (
        SingleTask(_generate) | slow | BatchTask(_store, 1, 2)
    ).with_context(max_in_flight=2),
    "own": lambda world: slow | Own() | slow,
    "rx": lambda world: slow | ops.buffer_with_count(2) | slow,
}
GONE = {"drops": {0, 3, 6}, "skip_item": {4}, "halving": {1, 4}}  # these give nothing
DOUBLE = ("list", "generator", "async generator", "fan-out into batches", "small windows")
# For these not more is done again than has to be: the watermark is exact.
EXACT = ("two async", "def and async", "list", "batches", "a result for each item", "retries")
ACTS = ("close", "cancel", "leave", "raise", "drain", "drain in time", "drop")


def tokens(result: Any) -> Iterator[Token]:
    """Take a result apart into what it carries."""
    if isinstance(result, int):
        yield (result,)
    elif isinstance(result, Copy):
        yield tuple(result)
    else:
        for each in result:
            yield from tokens(each)


def expected(name: str) -> set[Token]:
    numbers = set(range(ITEMS)) - GONE.get(name, set())
    if name in DOUBLE:
        return {(number, copy) for number in numbers for copy in range(2)}
    return {(number,) for number in numbers}


class Case:
    """One run in which somebody does something at one step, and another from its watermark."""

    def __init__(self, name: str, mode: str, act: str, step: int, seed: int | None = None) -> None:
        self.world = World()
        self.handled: list[Any] = []  # results that the consumer was done with
        self.marks: list[int] = []
        self.steps = 0
        self._name, self._mode, self._act, self._step = name, mode, act, step
        self._stream: AsyncStream[Any] | None = None
        self._consumer: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._leaves = False
        run(self._main, on_step=self._on_step, seed=seed)

    def _on_step(self, loop: VirtualLoop) -> None:
        stream, consumer = self._stream, self._consumer
        if stream is None or consumer is None or consumer.done():
            return
        self.marks.append(stream.watermark)
        self.steps += 1
        if self.steps != self._step:
            return
        match self._act:
            case "close":
                self._tasks.append(loop.create_task(stream.aclose()))
            case "cancel" | "drop":
                consumer.cancel()
            case "drain":
                stream.drain()
            case "drain in time":
                stream.drain(0.75)
            case _:
                self._leaves = True

    def _make(self, first: int) -> AsyncStream[Any]:
        stage = REFERENCES[self._name](self.world)

        async def source() -> AsyncIterator[int]:
            for number in range(first, ITEMS):
                await asyncio.sleep(0.25 * (number % 2))
                yield number

        return stage.with_execution_mode(self._mode)(source())  # type: ignore[arg-type]

    async def _main(self) -> None:
        self._stream = self._make(0)
        self._consumer = asyncio.create_task(self._consume())
        await asyncio.wait({self._consumer})
        if self._tasks:
            await asyncio.wait(self._tasks)
        mark = self._stream.watermark
        if self._act != "drop":
            await self._stream.aclose()
        assert self._stream.watermark == mark, "a close settles nothing"
        self.marks.append(mark)
        self.world.is_second = True
        self._stream = self._consumer = None
        self.again = await self._make(mark).collect()

    async def _consume(self) -> None:
        assert self._stream is not None
        try:
            async for result in self._stream:
                await asyncio.sleep(0.1)
                if self._leaves and self._act == "raise":
                    raise Boom
                if self._leaves:
                    break
                self.handled.append(result)
        except Boom:
            pass

    def check(self) -> None:
        """Check that the two runs together miss nothing, and that the watermark never fell."""
        where = f"{self._name}, {self._mode}, {self._act} at step {self._step}: {self.marks[-1]}"
        assert self.marks == sorted(self.marks), where
        done = {token for result in self.handled for token in tokens(result)}
        rest = {token for result in self.again for token in tokens(result)}
        assert done | rest >= expected(self._name), where
        if self._mode == "ordered" and self._name in EXACT:
            undone = {token[0] for token in expected(self._name) - done}
            exact = {min(undone, default=ITEMS)}
            if self._act in ("close", "drain in time") and self.handled:
                # The consumer may have dealt with its last result after the close.
                exact.add(min(undone | {token[0] for token in tokens(self.handled[-1])}))
            assert self.marks[-1] in exact, where


@pytest.mark.no_cover
@pytest.mark.parametrize("name", REFERENCES)
@in_both_modes
def test_killed_at_every_step(name: str, mode: str) -> None:
    """W4, W3: at least once: what was dealt with, and what the next run gives, is everything."""
    whole = Case(name, mode, "close", 0)
    whole.check()
    assert whole.steps > 10
    for step in range(1, whole.steps + 1):
        Case(name, mode, ACTS[step % len(ACTS)], step).check()


@pytest.mark.parametrize("name", REFERENCES)
@in_both_modes
@pytest.mark.parametrize("seed", range(1, 5))
def test_killed_at_some_steps_of_shuffled_runs(name: str, mode: str, seed: int) -> None:
    """W4: the same wherever the loop's order of callbacks may lead, and in observed runs."""
    whole = Case(name, mode, "close", 0, seed)
    with observe(*[lambda event: None] * (seed % 2)):
        for number, act in enumerate(ACTS):
            step = 1 + (seed * len(ACTS) + number) * whole.steps // (5 * len(ACTS))
            Case(name, mode, act, step, seed).check()
