"""How far does a user's own stage pull, and how does it end?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import BaseTask, single_task
from conveyor_rx.testing import source, timeline
from tests.kit import Boom, Endless, in_both_modes
from tests.tasks.own import First, Pairs, PairsByStream, double, kinds, slow

# -- pressure


@in_both_modes
@kinds
async def test_infinite_source_is_pulled_as_far_as_needed(
    kind: type[BaseTask[int, int]], mode: Any
) -> None:
    """F2: with the consumer parked, `process` and by that the source are not pulled further."""
    endless = Endless()
    stream = kind().with_execution_mode(mode)(endless)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    parked = endless.pulled
    assert parked <= 1 + (4 if kind is PairsByStream else 2) * 16 + 4  # inner streams have buffers
    await asyncio.sleep(1000)
    assert endless.pulled == parked
    assert [await anext(stream) for _ in range(50)] == list(range(3, 103, 2))
    await stream.aclose()
    assert endless.closed == 1


async def test_items_are_pulled_one_ahead_at_most() -> None:
    """F2/F6: it takes an item when it asks for one; one more at most is under way to it."""
    endless = Endless()

    class Ask(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            asked = 0
            async for item in items:
                asked += 1
                assert endless.pulled <= asked + 1
                await asyncio.sleep(1)
                assert endless.pulled <= asked + 1
                yield item

    stream = Ask()(endless)
    assert [await anext(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    await stream.aclose()


async def test_parked_process_between_stages() -> None:
    """F2: between two stages, each with its window, nothing is pulled beyond the windows."""
    endless = Endless()
    chain = (slow() | Pairs() | slow()).with_context(max_in_flight=4)
    stream = chain(endless)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    assert endless.pulled <= 1 + 4 + 1 + 4 + 16 + 1
    await stream.aclose()


async def test_a_process_that_never_pulls() -> None:
    """F1/F2: what is not asked for is not pulled."""
    endless = Endless()

    class Constant(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            yield 7

    assert await Constant()(endless).collect() == [7]
    assert endless.pulled == 0


async def test_nothing_runs_before_the_first_demand() -> None:
    """F1: `process` isn't even called before the stream is read."""
    called: list[str] = []

    class Loud(Pairs):
        def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            called.append("process")
            return super().process(items)

    stream = (double | Loud())([1, 2])
    await asyncio.sleep(1)
    assert called == []
    assert await stream.collect() == [6]
    assert called == ["process"]


# -- the end


@in_both_modes
@pytest.mark.parametrize("count", [0, 1, 5])
async def test_early_return_closes_upstream(count: int, mode: Any) -> None:
    """Issue 2.4/L2: when it returns early, source and calls upstream are closed, the run ends."""
    endless = Endless()
    chain = double | First(count) | slow()
    stream = chain.with_context(max_in_flight=8).with_execution_mode(mode)(endless)
    assert await stream.collect() == [n * 2 for n in range(count)]
    assert endless.closed == (1 if endless.pulled else 0)
    assert endless.pulled <= count + 8 + 1
    assert all(stats.running == stats.waiting == 0 for stats in stream.stats)


async def test_early_return_cancels_and_awaits_the_calls_upstream() -> None:
    """L2: calls upstream are cancelled and awaited before the stream ends."""
    ended: list[float] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x == 0 else 1000)
        finally:
            if x:
                await asyncio.sleep(1)
                ended.append(asyncio.get_running_loop().time())
        return x

    assert await (work | First(1))(range(3)).collect() == [0]
    assert ended == [1, 1]


async def test_outputs_after_the_last_item() -> None:
    """Issue 2.4: what it gives after its input has ended comes, too."""

    class Total(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            total = 0
            async for item in items:
                total += item
            yield total
            await asyncio.sleep(1)
            yield -total

    assert await timeline((slow() | Total() | double)([1, 2])) == [(1, 6), (2, -6)]


class Closing(BaseTask[int, int]):
    """Passes items on, and notes when it is closed and how."""

    def __init__(self, pause: float = 0) -> None:
        super().__init__()
        self.pause = pause
        self.closed: list[str] = []

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        try:
            async for item in items:
                yield item
                await asyncio.sleep(self.pause)
        except BaseException as error:
            self.closed.append(type(error).__name__)
            raise
        finally:
            await asyncio.sleep(1)
            self.closed.append("end")


@in_both_modes
@pytest.mark.parametrize("pause", [0, 5], ids=["at yield", "within"])
@pytest.mark.parametrize("how", ["aclose", "async with", "take", "cancel", "error downstream"])
async def test_closing(how: str, pause: float, mode: Any) -> None:
    """Issue 2.4/L2: closing the run closes its iterator, once, and awaits that."""
    own = Closing(pause)
    endless = Endless()
    stream = own.with_execution_mode(mode)(endless)
    if how == "aclose":
        await anext(stream)
        await stream.aclose()
    elif how == "async with":
        async with stream:
            await anext(stream)
    elif how == "take":
        assert await stream.take(1).collect() == [0]
    elif how == "cancel":
        reader = asyncio.create_task(stream.pipe(ops.ignore_elements()).collect())
        for _ in range(20):
            await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait({reader})
    else:

        @single_task
        def bad(x: int) -> int:
            raise Boom

        with pytest.raises(Boom):
            await (own.with_execution_mode(mode) | bad)(endless).collect()
    assert own.closed in (["GeneratorExit", "end"], ["CancelledError", "end"])
    assert endless.closed == 1


async def test_closing_while_it_waits_for_an_item() -> None:
    """L2: `aclose` while `process` waits for an item ends that wait and closes it."""
    own = Closing()
    data = source("1-----2|")
    stream = own(data)
    assert await anext(stream) == 1
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(2)
    await stream.aclose()
    assert await reader == []
    assert own.closed == ["CancelledError", "end"]
    assert data.closed == 1


async def test_finally_runs_once_at_the_normal_end() -> None:
    """L1/L2: at exhaustion its `finally` has run when the stream ends."""
    own = Closing()
    assert await own([1, 2]).collect() == [1, 2]
    assert own.closed == ["end"]
