"""Does a drained stream finish what it has pulled, and end? W1 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import (
    AsyncStream,
    BatchTask,
    ErrorHandler,
    SingleTask,
    batch_task,
    observe,
    single_task,
)
from conveyor_rx.events import Event
from tests.kit import Boom, Endless, Own, in_both_modes, nap, now, same

WAYS = ("async for", "collect", "subscribe")


async def read(stream: AsyncStream[Any], way: str) -> list[Any]:
    """Give the results of `stream`, read in one of the ways, and how it ended."""
    if way == "async for":
        return [item async for item in stream]
    if way == "collect":
        return await stream.collect()
    got: list[Any] = []
    ended = asyncio.get_running_loop().create_future()
    stream.subscribe(got.append, ended.set_exception, lambda: ended.set_result(None))
    await ended
    return got


class Clocked:
    """The numbers from 0 on, one a second; knows what it gave, and when it was closed."""

    def __init__(self, closing: float = 0) -> None:
        self.given = 0
        self.closed: list[float] = []
        self._closing = closing

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            while True:
                await asyncio.sleep(1)
                self.given += 1
                yield self.given - 1
        finally:
            await asyncio.sleep(self._closing)
            self.closed.append(now())


async def twice(item: Any) -> AsyncIterator[Any]:
    yield item
    await asyncio.sleep(2)
    yield item


def pairs(items: list[Any]) -> list[Any]:
    return items


STAGES: dict[str, Any] = {
    "none": AsyncStream,
    "def": same,
    "async": nap,
    "sequential": SingleTask(nap.func, concurrency_limit=1),
    "generator": SingleTask(twice),
    "batch": BatchTask(pairs, 1, 3),
    "own": Own(),
    "several": same | nap | BatchTask(pairs, 1, 2) | Own() | nap,
}
of_each_stage = pytest.mark.parametrize("stage", STAGES)


@of_each_stage
@pytest.mark.parametrize("way", WAYS)
@in_both_modes
async def test_what_was_pulled_is_finished(stage: str, way: str, mode: str) -> None:
    """W1: nothing more is pulled, the source is closed, and all results of what was pulled come."""
    source = Clocked()
    stream = STAGES[stage](source)
    if mode == "as_completed":
        stream = stream.as_completed()
    asyncio.get_running_loop().call_at(now() + 4.5, stream.drain)
    got = await read(stream, way)
    assert source.given == 4
    assert source.closed == [4.5]
    assert sorted(set(got)) == [0, 1, 2, 3]
    assert len(got) == (8 if stage == "generator" else 4)


@in_both_modes
@pytest.mark.parametrize("stages", ["one", "many"])
async def test_a_plain_source_is_closed(stages: str, mode: str) -> None:
    """W1: an iterator that is a generator is closed, also while there is no room for its items."""
    source = Endless()
    pipeline = same | nap if stages == "one" else same | nap | nap | Own()
    stream = pipeline.with_context(max_in_flight=3, execution_mode=mode)(source)
    got: list[int] = []
    async for item in stream:
        if not got:
            stream.drain()
            pulled = source.pulled
        got.append(item)
    assert source.pulled == pulled
    assert source.closed == 1
    assert sorted(got) == [*range(pulled)]


async def test_a_full_window_keeps_no_source_open() -> None:
    """W1: the source is closed at once, though it would have had to wait for room."""
    source = Endless()
    slow = SingleTask(nap.func, concurrency_limit=1)
    stream = slow.with_context(max_in_flight=2)(source)
    asyncio.get_running_loop().call_later(0.5, stream.drain)
    asyncio.get_running_loop().call_later(0.6, lambda: closed.append(source.closed))
    closed: list[int] = []
    assert await stream.collect() == [0, 1]
    assert closed == [1]


async def test_what_was_read_ahead_is_finished() -> None:
    """W1, P2: of a list what stands in the window was pulled, and is told of to probes."""
    events: list[Event] = []
    slow = SingleTask(nap.func, concurrency_limit=1)
    with observe(events.append):
        stream = slow.with_context(max_in_flight=10)(list(range(100)))
        asyncio.get_running_loop().call_later(2.5, stream.drain)
        got = await stream.collect()
    pulled = [event.inputs[0] for event in events if event.kind == "pulled"]
    assert got == pulled == [*range(len(got))]
    assert 10 <= len(got) <= 13


@pytest.mark.parametrize(("min_size", "expected"), [(1, [[0, 1, 2], [3]]), (2, [[0, 1, 2]])])
@pytest.mark.parametrize("max_wait", [None, 60])
async def test_an_open_batch_is_cut(
    min_size: int, expected: list[list[int]], max_wait: float | None
) -> None:
    """W1, B1, B8: as at the end of the input; a rest below `min_size` is dropped and counted."""

    @batch_task(min_size, 3, max_wait=max_wait)
    async def whole(items: list[int]) -> tuple[int, ...]:
        return tuple(items)

    stream = whole(Clocked())
    asyncio.get_running_loop().call_later(4.5, stream.drain)
    assert await stream.collect() == [*map(tuple, expected)]
    assert now() == 4.5
    assert stream.stats[0].dropped == 4 - sum(map(len, expected))


async def test_a_call_that_backs_off_is_made_again() -> None:
    """W1: a retry that is waited for is no new item."""
    tries: list[float] = []

    @single_task(retry_attempts=3, retry_delay=4)
    async def flaky(item: int) -> int:
        tries.append(now())
        if len(tries) < 3:
            raise OSError
        return item

    stream = flaky([7])
    asyncio.get_running_loop().call_later(1, stream.drain)
    assert await stream.collect() == [7]
    assert tries == [0, 4, 12]


async def test_side_inputs_that_load_are_waited_for() -> None:
    """W1: what was pulled needs them."""

    async def load() -> int:
        await asyncio.sleep(5)
        return 10

    @single_task
    async def add(item: int, side: int) -> int:
        return item + side

    source = Clocked()
    stream = add.with_inputs(load)(source)
    asyncio.get_running_loop().call_later(2.5, stream.drain)
    assert await stream.collect() == [10, 11]
    assert now() == 6


@pytest.mark.parametrize("reads", ["a stage of one's own", "a generator"])
async def test_stages_see_the_end_of_their_items(reads: str) -> None:
    """W1: a stage of one's own may give more when its items have ended."""

    class Sum(Own):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            total = 0
            async for item in items:
                total += item
            yield total

    stage = Sum() if reads != "a generator" else SingleTask(twice) | Sum()
    stream = stage(Clocked())
    asyncio.get_running_loop().call_later(4.5, stream.drain)
    assert await stream.collect() == [6 if reads != "a generator" else 12]


@pytest.mark.parametrize("place", ["call", "source", "handler", "result", "probe", "own stage"])
@in_both_modes
async def test_it_may_be_called_from_inside(place: str, mode: str) -> None:
    """W1, W2: in a call, in the source itself, in a handler, in a probe, in a stage."""
    streams: list[AsyncStream[Any]] = []
    given: list[int] = []

    def drain_at(item: Any, where: str) -> None:
        if place == where and item == 3:
            streams[0].drain()

    def source() -> Iterator[int]:
        for item in range(1000):
            given.append(item)
            drain_at(item, "source")
            yield item

    def plain(item: int) -> int:
        drain_at(item, "call")
        if item == 3 and place == "handler":
            raise Boom
        return item

    class Handler(ErrorHandler):
        async def handle_error(
            self, error: Exception, item: int, task_name: str, attempt: int
        ) -> tuple[bool, int]:
            drain_at(item, "handler")
            return True, item

    class Noting(Own):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                drain_at(item, "own stage")
                yield item

    def watch(event: Event) -> None:
        drain_at(event.value, "probe")

    pipeline = (
        SingleTask(plain, error_handler=Handler())
        | SingleTask(nap.func, concurrency_limit=2)
        | Noting()
    )
    with observe(watch):
        stream = pipeline.with_context(max_in_flight=4, execution_mode=mode)(source())
        streams.append(stream)
        got: list[int] = []
        async for item in stream:
            drain_at(item, "result")
            got.append(item)
    assert got == given
    assert len(got) < 30


async def test_a_drained_source_of_a_signal_handler_ends_exactly_there() -> None:
    """W1: a call that drains its run sees nothing more pulled than what was pulled by then."""
    source = Endless()
    seen: list[int] = []

    @single_task
    def stop(item: int) -> int:
        if item == 5:
            stream.drain()
            seen.append(source.pulled)
        return item

    stream = stop(source)
    assert await stream.collect() == [*range(6)]
    assert seen == [6]
    assert source.pulled == 6
