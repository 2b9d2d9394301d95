"""What if a run is closed from inside of it? L2 and L3 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BaseTask, BatchTask, Pipeline, SingleTask
from conveyor_rx.testing import source
from tests.kit import in_both_modes, now, others
from tests.lifetime.pipelines import Numbers, Work, identity, is_over


@pytest.mark.parametrize("kind", ["async", "generator", "batch", "own", "source"])
@in_both_modes
async def test_close_from_inside_of_the_run(kind: str, mode: Any) -> None:
    """L3: a call that closes its own run is neither cancelled nor waited for, and nothing hangs."""
    after: list[Any] = []
    streams: list[AsyncStream[Any]] = []

    async def close(item: Any) -> None:
        if item in (2, [2]):
            await streams[0].aclose()
            await asyncio.sleep(5)
            after.append(item)

    async def call(item: Any) -> Any:
        await close(item)
        return item

    async def generate(item: Any) -> AsyncIterator[Any]:
        yield item
        await close(item)
        yield item

    async def pull() -> AsyncIterator[int]:
        for n in range(4):
            if kind == "source":
                await close(n)
            yield n

    class Closing(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                await close(item)
                yield item

    closing: dict[str, Any] = {
        "async": SingleTask(call),
        "generator": SingleTask(generate),
        "batch": BatchTask(call, 1, 1),
        "own": Closing(),
        "source": SingleTask(identity),
    }
    other = Work(50)
    pipeline = Pipeline().add(closing[kind], SingleTask(other)).with_execution_mode(mode)
    streams.append(pipeline(pull()))
    assert await streams[0].collect() == []
    assert after in ([2], [[2]])
    assert now() == 5  # the consumer waits for the call that has closed the run
    assert sorted(map(str, other.ended)) == sorted(map(str, other.started))
    await streams[0].aclose()
    assert not others()


async def test_close_from_inside_of_a_sync_call() -> None:
    """L3: a plain function can only start a task that closes; the same holds."""
    closers: list[asyncio.Task[None]] = []
    called: list[int] = []
    got: list[int] = []

    def work(item: int) -> int:
        called.append(item)
        if item == 2:
            closers.append(asyncio.ensure_future(stream.aclose()))
        return item

    stream = (SingleTask(Work(1), concurrency_limit=1) | SingleTask(work))(Numbers(end=9))
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails
    await closers[0]
    assert called == [0, 1, 2]
    assert got[:2] == [0, 1]
    assert now() == 3
    assert await is_over(stream)


@in_both_modes
async def test_what_collect_has_is_not_lost_when_the_stream_is_closed(mode: Any) -> None:
    """L3: `collect` returns what `async for` would have given until then."""
    stream = SingleTask(identity).with_execution_mode(mode)(source("0-1-2-3-4|"))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(3)
    await stream.aclose()
    assert await reading == [0, 1]


async def test_two_calls_close_their_run_at_once() -> None:
    """L3: neither waits for the other for ever."""
    after: list[int] = []

    async def work(item: int) -> int:
        await asyncio.sleep(1)
        await stream.aclose()
        after.append(item)
        return item

    stream = SingleTask(work)(range(2))
    assert await stream.collect() == []
    assert 0 in after
    assert not others()


async def test_calls_that_close_their_own_run_do_not_wait_for_each_other() -> None:
    """L3: the first of them goes on as soon as all the others are closing, too."""
    closed = asyncio.Event()
    after: list[int] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(1 if item == 0 else 50)
        finally:
            await stream.aclose()
            if item == 0:
                closed.set()
            await closed.wait()
            after.append(item)

    stream = SingleTask(work)(range(3))
    assert await stream.collect() == []
    assert sorted(after) == [0, 1, 2]
    assert now() == 1
    assert not others()


async def test_a_call_that_consumes_its_own_stream_gets_an_error() -> None:
    """L1, L3: a stream read from inside of its own run is a second consumer: no deadlock."""

    async def work(item: int) -> int:
        return await anext(stream)

    stream = SingleTask(work)(range(2))
    with pytest.raises(RuntimeError, match="another consumer"):
        await stream.collect()
