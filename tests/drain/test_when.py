"""When may a stream be drained, how often, and what if it takes too long? W1 and W2."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, SingleTask, single_task
from conveyor_rx.events import Event, observe
from tests.kit import Boom, Endless, Own, drain, in_both_modes, nap, now, others, same


class Calls:
    """An async function that takes its time, also to be cancelled; knows what it did when."""

    def __init__(self, seconds: float, closing: float = 1) -> None:
        self._seconds = seconds
        self._closing = closing
        self.cancelled: list[float] = []

    async def __call__(self, item: int) -> int:
        try:
            await asyncio.sleep(self._seconds if item else 0)
        except asyncio.CancelledError:
            await asyncio.sleep(self._closing)
            self.cancelled.append(now())
            raise
        return item


async def forever() -> AsyncIterator[int]:
    for item in range(3):
        yield item
    await asyncio.sleep(10_000)


# -- when


@pytest.mark.parametrize("way", ["async for", "collect", "subscribe"])
@pytest.mark.parametrize("times", [1, 2])
async def test_before_the_start_it_makes_an_empty_stream(way: str, times: int) -> None:
    """W1: the source is never opened, nor is a later one."""
    source = Endless()
    stream = (nap | Own())(source)
    for _ in range(times):
        stream.drain()
    got: list[Any] = []
    if way == "async for":
        got = [item async for item in stream]
    elif way == "collect":
        got = await stream.collect()
    else:
        for _ in range(2):
            stream.subscribe(got.append, got.append, lambda: got.append("|"))
        await asyncio.sleep(1)
        assert got == ["|", "|"]
        got = []
    assert (got, source.pulled) == ([], 0)


async def test_what_is_derived_from_a_drained_stream_is_empty() -> None:
    """W1: behind Rx operators, as a source, and wrapped; the Observable is not subscribed to."""
    source = Endless()
    drained = nap(source)
    drained.drain()
    assert await drained.count().collect() == [0]
    assert await drained.start_with(5).collect() == [5]
    assert await same(drained).collect() == []
    assert await AsyncStream(drained).collect() == []
    wrapped = AsyncStream(rx.create(lambda observer, _: pytest.fail("subscribed to")))
    wrapped.drain()
    got: list[str] = []
    wrapped.subscribe(on_completed=lambda: got.append("|"))
    assert got == ["|"]
    assert source.pulled == 0


async def test_after_the_end_it_does_nothing() -> None:
    """W1, L1: read to the end, closed, or failed."""
    stream = nap([1])
    assert await stream.collect() == [1]
    stream.drain(5)
    closed = nap([1])
    await closed.aclose()
    closed.drain(5)
    for each in (stream, closed):
        with pytest.raises(RuntimeError, match="call the pipeline again"):
            await each.collect()
    assert now() == 1


async def test_a_run_that_nobody_reads_on_ends_when_somebody_does() -> None:
    """W1, L4."""
    source = Endless()
    stream = nap.with_context(max_in_flight=2)(source)
    async for _ in stream:
        break
    pulled = source.pulled
    stream.drain()
    await asyncio.sleep(10)
    assert source.pulled == pulled
    assert [item async for item in stream] == [*range(1, pulled)]
    assert source.closed == 1


@in_both_modes
async def test_a_failure_stays_one(mode: str) -> None:
    """W1, E1: of a call that was under way; what stands before it is delivered."""

    @single_task
    async def fail_late(item: int) -> int:
        await asyncio.sleep(1 + item)
        if item == 2:
            raise Boom
        return item

    got: list[int] = []
    stream = fail_late.with_context(execution_mode=mode)(forever())
    asyncio.get_running_loop().call_later(0.5, stream.drain)
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [0, 1]


async def test_during_a_failure() -> None:
    """W1, E1: a run that is failing is not disturbed."""

    @single_task
    async def fail(item: int) -> int:
        if item:
            await asyncio.sleep(3)
            return item
        try:
            raise Boom
        finally:
            stream.drain()

    slow = SingleTask(nap.func, concurrency_limit=1)
    stream = (slow | fail)([1, 1, 0, 5])
    got: list[int] = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [1, 1]


async def test_all_runs_of_a_stream_are_drained() -> None:
    """W1: each subscription is a run of its own."""
    slow = SingleTask(nap.func, concurrency_limit=1)
    stream = slow.with_context(max_in_flight=1)(range(1000))
    got: list[int] = []
    for _ in range(3):
        stream.subscribe(got.append)
    await asyncio.sleep(2.5)
    stream.drain()
    await asyncio.sleep(100)
    assert sorted(got) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


async def test_probes_are_told_once() -> None:
    """W1: by "draining", at the source; then come no more items, and the run is completed."""
    events: list[Event] = []
    with observe(events.append):
        stream = nap(forever())
        for time in (1, 2, 3):
            asyncio.get_running_loop().call_later(time / 4, stream.drain, 60 - time)
        assert await stream.collect() == [0, 1, 2]
    kinds = [event.kind for event in events]
    assert kinds.count("draining") == 1
    draining = events[kinds.index("draining")]
    assert (draining.stage, draining.items, draining.time) == (0, (), 0.25)
    assert "pulled" not in kinds[kinds.index("draining") :]
    assert (events[-1].kind, events[-1].reason) == ("run_ended", "completed")


@pytest.mark.parametrize("wrong", [-1, float("inf"), float("nan")])
def test_a_timeout_is_a_number_of_seconds(wrong: float) -> None:
    """E10: its error names it."""
    with pytest.raises(ValueError, match="timeout"):
        nap([]).drain(wrong)
    for kind in ("5", True):
        with pytest.raises(TypeError, match="timeout"):
            nap([]).drain(kind)  # type: ignore[arg-type]


# -- after the timeout


@pytest.mark.parametrize("way", ["async for", "collect", "subscribe", "behind"])
@in_both_modes
async def test_after_the_timeout_what_is_left_is_closed(way: str, mode: str) -> None:
    """W2: cancelled and awaited, then whoever waits is told the end."""
    calls = Calls(10)
    stream: AsyncStream[Any] = SingleTask(calls).with_context(execution_mode=mode)(forever())
    if way == "behind":
        stream = stream.map(lambda item: item)
    asyncio.get_running_loop().call_later(1, stream.drain, 5)
    got: list[Any] = []
    events: list[Event] = []
    with observe(events.append):
        if way in ("async for", "behind"):
            got = [item async for item in stream]
        elif way == "collect":
            got = await stream.collect()
        else:
            ended = asyncio.get_running_loop().create_future()
            stream.subscribe(got.append, ended.set_exception, lambda: ended.set_result(None))
            await ended
    assert got == [0]
    assert calls.cancelled == [7, 7]
    assert now() == 7
    if way != "behind":
        assert (events[-1].kind, events[-1].reason) == ("run_ended", "closed")


@pytest.mark.parametrize(
    ("timeouts", "end"), [((5, 3), 4.5), ((3, 5), 3.5), ((5, None), 5.5), ((None, 2), 3.5)]
)
async def test_the_earliest_timeout_counts(timeouts: tuple[Any, Any], end: float) -> None:
    """W2: a second call may set an earlier end, and no later one."""
    stream = SingleTask(Calls(100, 0))(forever())
    for number, timeout in enumerate(timeouts):
        asyncio.get_running_loop().call_later(0.5 + number, stream.drain, timeout)
    assert await stream.collect() == [0]
    assert now() == end


async def test_a_run_in_a_pause_is_closed_after_the_timeout() -> None:
    """W2, L4: nobody reads on, and nobody need."""
    calls = Calls(100, 0)
    stream = SingleTask(calls)(forever())
    async for _ in stream:
        break
    stream.drain(3)
    await asyncio.sleep(4)
    assert calls.cancelled == [3, 3]
    assert await anext(stream, None) is None
    with pytest.raises(RuntimeError, match="has been read"):
        await stream.collect()


async def test_a_source_that_does_not_end_in_time_is_awaited() -> None:
    """W2, L2: its clean-up is cancelled."""
    ends: list[float] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(1000)
        finally:
            try:
                await asyncio.sleep(1000)
            finally:
                ends.append(now())

    stream = nap(source())
    asyncio.get_running_loop().call_later(2, stream.drain, 3)
    assert await stream.collect() == [0]
    assert ends == [5]


async def test_operators_that_go_on_are_ended_by_the_timeout() -> None:
    """W2: a timer behind the stream, and one that begins again."""
    for behind in (
        nap(forever()).merge(rx.never()),
        nap([]).concat(rx.never()),
    ):
        start = now()
        asyncio.get_running_loop().call_later(2, behind.drain, 3)
        await behind.collect()
        assert now() - start == 5


async def test_a_timer_ends_with_its_run() -> None:
    """W2, L5, L9: it keeps nothing alive, and the loop does not wait for it."""
    stream = nap(forever())
    asyncio.get_running_loop().call_later(1, stream.drain, 500)
    assert await stream.collect() == [0, 1, 2]
    source = Endless()
    left = nap(source)
    async for _ in left:
        left.drain(500)
        break
    seen = weakref.ref(source)
    del left, source
    await asyncio.sleep(1)
    gc.collect()
    assert seen() is None
    assert not others()
    assert now() < 10
