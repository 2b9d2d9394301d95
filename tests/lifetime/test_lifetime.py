"""How does a run begin and end? L1 to L8 of the contract, but for cancellation and garbage."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    Pipeline,
    SingleTask,
    batch_task,
    get_current_context,
    single_task,
)
from conveyor_rx.testing import MarbleError, VirtualLoop, assert_clean, source, timed_task, timeline

MODES = ("ordered", "as_completed")
in_both_modes = pytest.mark.parametrize("mode", MODES)


def now() -> float:
    return asyncio.get_running_loop().time()


def others() -> set[asyncio.Task[Any]]:
    """Give the tasks that have not ended, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def settle() -> None:
    """Let happen what can happen without waiting for anything: the virtual clock moves last."""
    await asyncio.sleep(0.001)


class Work:
    """An async function that takes `latency` and counts what it starts and ends."""

    def __init__(self, latency: float = 1.0, cleanup: float = 0.0) -> None:
        self.latency = latency
        self.cleanup = cleanup
        self.started: list[Any] = []
        self.ended: list[Any] = []

    async def __call__(self, item: Any) -> Any:
        self.started.append(item)
        try:
            await asyncio.sleep(self.latency)
            return item
        finally:
            try:
                await asyncio.sleep(self.cleanup)  # may be cancelled in its turn
            finally:
                self.ended.append(item)


class Numbers:
    """An async source without an end that counts what was pulled and closed."""

    def __init__(self, pause: float = 0.0, end: int | None = None, cleanup: float = 0.0) -> None:
        self.pause = pause
        self.end = end
        self.cleanup = cleanup
        self.opened = self.pulled = self.closed = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        self.opened += 1
        try:
            while self.end is None or self.pulled < self.end:
                if self.pause:
                    await asyncio.sleep(self.pause)
                self.pulled += 1
                yield self.pulled - 1
        finally:
            if self.cleanup:
                await asyncio.sleep(self.cleanup)
            self.closed += 1


def identity(item: Any) -> Any:
    return item


async def fans_out(item: int) -> AsyncIterator[int]:
    for n in range(3):
        await asyncio.sleep(0.25)
        yield item * 10 + n


class Own(BaseTask[Any, Any]):
    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            yield item


def stages() -> dict[str, Pipeline[Any, Any]]:
    """Give a pipeline of each kind of stage."""
    return {
        "async": Pipeline().add(SingleTask(Work())),
        "def": Pipeline().add(SingleTask(identity)),
        "generator": Pipeline().add(SingleTask(fans_out)),
        "sequential": SingleTask(Work()) | SingleTask(Work(), concurrency_limit=1),
        "batch": SingleTask(Work()) | BatchTask(Work(), 2, 3) | SingleTask(Work()),
        "rx": SingleTask(Work()) | ops.map(identity) | SingleTask(Work()),
        "own": SingleTask(Work()) | Own() | SingleTask(Work()),
        "empty": Pipeline(),
    }


KINDS = tuple(stages())
of_each_stage = pytest.mark.parametrize("kind", KINDS)


async def is_over(stream: AsyncStream[Any]) -> bool:
    """Tell whether the stream gives nothing more, and says so to who begins to read it anew."""
    for _ in range(3):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    with pytest.raises(RuntimeError, match="call the pipeline again"):
        await stream.collect()
    with pytest.raises(RuntimeError, match="call the pipeline again"):
        aiter(stream)
    return not others()


# -- L1


@of_each_stage
@in_both_modes
async def test_after_exhaustion_nothing_comes(kind: str, mode: Any) -> None:
    """L1: a stream that is exhausted stays so, and doesn't read its source again."""
    data = Numbers(end=7)
    stream = stages()[kind].with_execution_mode(mode)(data)
    assert await stream.collect()
    assert await is_over(stream)
    assert (data.opened, data.closed, data.pulled) == (1, 1, 7)


@of_each_stage
@in_both_modes
async def test_after_an_exception_nothing_comes(kind: str, mode: Any) -> None:
    """L1: the exception is raised once; then the stream is at its end."""
    stream = stages()[kind].with_execution_mode(mode)(source("0--1--#"))
    with pytest.raises(MarbleError):
        await stream.collect()
    assert await is_over(stream)


@in_both_modes
async def test_after_a_failed_call_nothing_comes(mode: Any) -> None:
    """L1: neither the exception again, nor what stood behind the failure."""

    async def work(item: int) -> int:
        await asyncio.sleep(item)
        if item == 2:
            raise ValueError("boom")
        return item

    stream = SingleTask(work).with_execution_mode(mode)(range(5))
    assert await anext(stream) == 0
    assert await anext(stream) == 1
    with pytest.raises(ValueError, match="boom"):
        await anext(stream)
    assert await is_over(stream)
    await asyncio.sleep(100)
    assert await is_over(stream)


@of_each_stage
@in_both_modes
async def test_after_close_nothing_comes(kind: str, mode: Any) -> None:
    """L1, L2: not even what was ready; the source is closed once."""
    data = Numbers()
    stream = stages()[kind].with_context(max_in_flight=8).with_execution_mode(mode)(data)
    await anext(stream)
    await stream.aclose()
    assert await is_over(stream)
    pulled = data.pulled
    await asyncio.sleep(100)
    assert (data.pulled, data.opened, data.closed) == (pulled, 1, 1)


@pytest.mark.parametrize(
    ("marbles", "expected"),
    [("0-1-2|", [0, 1, 2, "completed"]), ("0-1-#", [0, 1, "error"]), ("|", ["completed"])],
)
async def test_an_observer_hears_one_end(marbles: str, expected: list[Any]) -> None:
    """L1: on_completed or on_error, once, and nothing after it."""
    seen: list[Any] = []
    SingleTask(Work())(source(marbles)).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(100)
    assert seen == expected


async def test_an_empty_source_ends_at_once() -> None:
    """L1: no data, no call, one end."""
    for kind, pipeline in stages().items():
        assert await timeline(pipeline([])) == [], kind
        assert await timeline(pipeline(source("|"))) == [], kind
        assert now() == 0


# -- L2, L3: aclose


@of_each_stage
@in_both_modes
async def test_close_awaits_every_call(kind: str, mode: Any) -> None:
    """L2: when aclose gives control back, the cleanup of all calls and of the source is done."""
    first, second = Work(1, cleanup=2), Work(5, cleanup=3)
    data = Numbers(0.5, cleanup=4)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(second)
    stream = pipeline.with_execution_mode(mode)(data)
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(30)
    running = len(first.started) - len(first.ended), len(second.started) - len(second.ended)
    assert min(running) > 0
    await stream.aclose()
    assert now() == 34  # the longest cleanup
    assert sorted(first.started) == sorted(first.ended)
    assert sorted(second.started) == sorted(second.ended)
    assert data.closed == 1
    assert others() <= {reading}
    await reading
    started = len(first.started)
    await asyncio.sleep(100)
    assert len(first.started) == started


async def test_close_is_idempotent() -> None:
    """L3: again, after the end, before the start."""
    work = Work()
    stream = SingleTask(work)(range(3))
    assert await anext(stream) == 0
    for _ in range(3):
        await stream.aclose()
    ended = SingleTask(work)(range(3))
    assert await ended.collect() == [0, 1, 2]
    await ended.aclose()
    await ended.aclose()
    assert await is_over(ended)


async def test_close_before_the_start() -> None:
    """L3, F1: nothing was begun, nothing is begun any more, not even the source's iterator."""
    work, data = Work(), Numbers()
    stream = SingleTask(work)(data)
    await stream.aclose()
    assert await is_over(stream)
    assert (data.opened, work.started) == (0, [])


async def test_close_before_the_start_closes_no_source_that_was_not_opened() -> None:
    """L3, L6: a generator that a closed stream never touched can still be read by another."""
    numbers = iter(n for n in range(3))
    first = SingleTask(identity)(numbers)
    await first.aclose()
    assert await SingleTask(identity)(numbers).collect() == [0, 1, 2]


@in_both_modes
async def test_close_from_another_task_while_a_consumer_waits(mode: Any) -> None:
    """L3: the consumer's `__anext__` ends the iteration when all calls have ended."""
    work = Work(50, cleanup=2)
    stream = SingleTask(work).with_execution_mode(mode)(range(3))
    ends: list[float] = []

    async def consume() -> list[int]:
        got = [item async for item in stream]
        ends.append(now())
        return got

    reading = asyncio.create_task(consume())
    await asyncio.sleep(1)
    await stream.aclose()
    assert sorted(work.ended) == [0, 1, 2]
    assert await reading == []
    assert ends == [3]
    assert not reading.cancelled()


async def test_two_closes_at_once() -> None:
    """L3: close during close waits as the first does."""
    work = Work(50, cleanup=2)
    stream = SingleTask(work)(range(3))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    ends: list[float] = []

    async def close(delay: float) -> None:
        await asyncio.sleep(delay)
        await stream.aclose()
        ends.append(now())

    await asyncio.gather(close(0), close(0), close(1), close(1.5))
    assert ends == [3, 3, 3, 3]
    assert await reading == []


async def test_a_close_that_is_cancelled_still_closes() -> None:
    """L3, L7: the cancelled closer gets its CancelledError when all calls have ended."""
    work = Work(50, cleanup=4)
    stream = SingleTask(work)(range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    closing = asyncio.create_task(stream.aclose())
    await asyncio.sleep(1)
    closing.cancel()
    await asyncio.wait({closing})
    assert closing.cancelled()
    assert now() == 5
    assert sorted(work.ended) == [0, 1]
    assert await reading == []


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


async def test_async_with_closes() -> None:
    """L2: at the end of the block, by whatever way it is left."""
    for leave in ("end", "raise", "return"):
        work, data = Work(1, cleanup=1), Numbers(0.5)

        async def block(leave: str = leave, work: Work = work, data: Numbers = data) -> None:
            async with SingleTask(work)(data) as stream:
                assert isinstance(stream, AsyncStream)
                async for item in stream:
                    if item == 3:
                        if leave == "raise":
                            raise KeyError(item)
                        if leave == "return":
                            return
                        break

        if leave == "raise":
            with pytest.raises(KeyError):
                await block()
        else:
            await block()
        assert data.closed == 1
        assert sorted(work.ended) == sorted(work.started)
        assert not others()


@in_both_modes
async def test_an_iterator_of_the_stream_can_be_closed(mode: Any) -> None:
    """L2: that closes the stream, if it was read by this iterator."""
    work = Work(1, cleanup=1)
    stream = SingleTask(work).with_execution_mode(mode)(range(9))
    unread: Any = aiter(stream)
    await unread.aclose()
    reading: Any = aiter(stream)
    assert await anext(reading) == 0
    await reading.aclose()
    assert sorted(work.ended) == sorted(work.started) == [*range(9)]
    assert await is_over(stream)


async def test_async_with_around_a_stream_that_is_never_read() -> None:
    """L2, F1: nothing to close, nothing begun."""
    data = Numbers()
    async with SingleTask(identity)(data):
        pass
    assert data.opened == 0


@in_both_modes
async def test_cleanup_runs_once_and_to_its_end(mode: Any) -> None:
    """L2: finally blocks with awaits, of calls, generators and source, in full and just once."""
    log: list[str] = []

    async def cleaning(name: str) -> None:
        log.append(f"{name} begins")
        await asyncio.sleep(1)
        log.append(f"{name} ends")

    async def pull() -> AsyncIterator[int]:
        try:
            for n in range(100):
                yield n
                await asyncio.sleep(0.5)
        finally:
            await cleaning("source")

    async def generate(item: int) -> AsyncIterator[int]:
        try:
            while True:
                yield item
                await asyncio.sleep(0.5)
        finally:
            await cleaning("generator")

    async def call(item: int) -> int:
        try:
            await asyncio.sleep(100)
        finally:
            await cleaning("call")
        return item

    pipeline = SingleTask(generate, concurrency_limit=1) | SingleTask(call, concurrency_limit=1)
    stream = pipeline.with_execution_mode(mode)(pull())
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(3)
    await stream.aclose()
    assert await reading == []
    assert sorted(log) == sorted(
        f"{name} {verb}" for name in ("source", "generator", "call") for verb in ("begins", "ends")
    )
    assert now() == 4


async def test_a_sync_generator_as_source_is_closed_once() -> None:
    """L2: its finally runs when the run ends, not when it is collected; so do generator calls'."""
    log: list[str] = []

    def pull() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            log.append("source")

    def generate(item: int) -> Iterator[int]:
        try:
            while True:
                yield item
        finally:
            log.append("generator")

    numbers = pull()
    task = SingleTask(generate, concurrency_limit=1).with_context(max_in_flight=4)
    stream = task(numbers)
    assert await anext(stream) == 0
    await stream.aclose()
    assert log.count("source") == 1
    assert log.count("generator") == 1
    assert next(numbers, None) is None


# -- L4


@of_each_stage
@in_both_modes
async def test_a_break_starts_nothing_new(kind: str, mode: Any) -> None:
    """L4: from the break on nothing is pulled and no call starts, however long the stream lives."""
    first, last = Work(1), Work(1)
    data = Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)
    stream = pipeline.with_context(max_in_flight=16).with_execution_mode(mode)(data)
    async for _ in stream:
        break
    before = len(first.started), len(last.started), data.pulled
    await asyncio.sleep(1000)
    # one item may have been under way from the source
    after = len(first.started), len(last.started), data.pulled
    assert after[:2] == before[:2]
    assert after[2] <= before[2] + 1
    await stream.aclose()
    assert data.closed == 1


@of_each_stage
@in_both_modes
async def test_after_a_break_another_loop_goes_on(kind: str, mode: Any) -> None:
    """L4: the stream is still there: the next `async for` gets the next item, and none is lost."""
    expected = await stages()[kind].with_execution_mode(mode)(range(20)).collect()
    stream = stages()[kind].with_execution_mode(mode)(Numbers(0.5, end=20))
    got: list[int] = []
    while len(got) < len(expected):
        async for item in stream:
            got.append(item)
            if len(got) % 3 == 0:
                break
        await asyncio.sleep(7)
    if mode == "ordered":
        assert got == expected
    else:
        assert sorted(got) == sorted(expected)
    assert await anext(stream, None) is None


async def test_calls_that_run_at_a_break_go_on_to_their_end() -> None:
    """L4: nothing new starts, what runs is not cancelled, and its result is kept."""
    work = Work(3)
    stream = SingleTask(work)(range(4))

    async def first() -> None:
        async for item in stream:
            assert item == 0
            break

    await first()
    await asyncio.sleep(10)
    assert await stream.collect() == [1, 2, 3]
    assert work.started == [0, 1, 2, 3]
    assert now() == 13


async def test_an_exception_in_the_loop_body_is_a_break() -> None:
    """L4: the stream itself has not failed: it can be read on."""
    stream = SingleTask(Work())(range(5))

    async def read() -> None:
        async for item in stream:
            raise KeyError(item)

    with pytest.raises(KeyError):
        await read()
    assert await stream.collect() == [1, 2, 3, 4]


@of_each_stage
@in_both_modes
async def test_dropping_the_last_reference_closes_the_run(kind: str, mode: Any) -> None:
    """L4: calls are cancelled and the source is closed without anybody's asking."""
    first, last = Work(1), Work(1)
    data = Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)
    stream = pipeline.with_context(max_in_flight=16).with_execution_mode(mode)(data)
    async for _ in stream:
        break
    assert len(first.started) > len(first.ended)
    before = list(first.started), list(last.started)
    del stream
    await settle()
    assert now() < 20
    assert data.closed == 1
    assert sorted(map(str, first.ended)) == sorted(map(str, before[0]))
    assert sorted(map(str, last.ended)) == sorted(map(str, before[1]))
    assert not others()


async def test_the_bare_idiom_closes() -> None:
    """L4: `async for … in pipeline(data): break` holds no reference: the run is closed."""
    work, data = Work(1), Numbers(0.25)
    async for _ in SingleTask(work)(data):
        break
    await settle()
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()


async def test_a_stream_dropped_after_plain_anext_closes() -> None:
    """L4: it is the stream that counts, not the iterator."""
    data = Numbers(0.25)
    assert await anext(SingleTask(Work(1))(data)) == 0
    await settle()
    assert data.closed == 1
    assert not others()


async def test_an_iterator_keeps_its_stream_alive() -> None:
    """L4: `aiter(stream)` is a reference to the run."""
    iterator = aiter(SingleTask(Work(1))(range(3)))
    assert [item async for item in iterator] == [0, 1, 2]


async def test_dropping_a_derived_stream_closes_the_run() -> None:
    """L4: a stream behind Rx operators owns its run as any other."""
    data = Numbers(0.25)
    work = Work(1)
    async for _ in SingleTask(work)(data).pipe(ops.filter(lambda n: n % 2 == 1)):
        break
    await settle()
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()


# -- L6


async def test_each_subscribe_is_a_run_of_its_own() -> None:
    """L6: calls, items and counters of two subscriptions at once have nothing in common."""
    work, data = Work(1), source("0-1-2|")
    stream = SingleTask(work)(data)
    seen: dict[str, list[Any]] = {"a": [], "b": [], "c": []}
    for number, name in enumerate(seen):
        stream.subscribe(
            lambda item, name=name: seen[name].append((now(), item)),
            on_completed=lambda name=name: seen[name].append("end"),
        )
        if number < 2:
            await asyncio.sleep(0.5 if number == 0 else 20)
    await asyncio.sleep(100)
    assert seen["a"] == [(1, 0), (3, 1), (5, 2), "end"]
    assert seen["b"] == [(1.5, 0), (3.5, 1), (5.5, 2), "end"]
    assert seen["c"] == [(21.5, 0), (23.5, 1), (25.5, 2), "end"]
    assert len(work.started) == 9
    assert (data.opened, data.pulled) == (3, 9)
    assert stream.stats[0].in_ == 3


async def test_subscribing_and_iterating_do_not_mix() -> None:
    """L6: a subscription takes nothing from who iterates the same stream."""
    stream = SingleTask(Work(1))(range(3))
    seen: list[int] = []
    stream.subscribe(seen.append)
    assert await stream.collect() == [0, 1, 2]
    await asyncio.sleep(1)
    assert seen == [0, 1, 2]
    stream.subscribe(seen.append)
    await asyncio.sleep(2)
    assert seen == [0, 1, 2, 0, 1, 2]


async def test_streams_of_one_task_share_nothing() -> None:
    """L6: limits, contexts, ids and failures are those of each run."""
    ids: set[str | None] = set()

    @single_task(concurrency_limit=1)
    async def work(item: int) -> int:
        context = get_current_context()
        assert context is not None
        context.data["sum"] = context.data.get("sum", 0) + item
        ids.add(context.pipeline_id)
        await asyncio.sleep(1)
        if item == 100:
            raise ValueError("boom")
        return context.data["sum"]

    pipeline = work.with_context(sum=0)
    results = await asyncio.gather(
        pipeline([1, 2]).collect(),
        pipeline([10, 20]).collect(),
        pipeline([100, 200]).collect(),
        return_exceptions=True,
    )
    assert results[:2] == [[1, 3], [10, 30]]
    assert isinstance(results[2], ValueError)
    assert now() == 2
    assert len(ids) == 3
    assert pipeline.context.data == {"sum": 0}


async def test_a_source_that_can_be_read_once_is_read_once() -> None:
    """L6: a second run on a generator finds it exhausted (or closed), it doesn't get it again."""
    pulled: list[int] = []

    def pull() -> Iterator[int]:
        for n in range(3):
            pulled.append(n)
            yield n

    stream = SingleTask(identity)(pull())
    seen: list[Any] = []
    for _ in range(2):
        stream.subscribe(seen.append, on_completed=lambda: seen.append("end"))
        await asyncio.sleep(1)
    assert seen == [0, 1, 2, "end", "end"]
    assert pulled == [0, 1, 2]


async def test_disposing_one_subscription_leaves_the_other() -> None:
    """L6, L2: the calls of the disposed run are cancelled, the other's go on."""
    work = Work(3)
    stream = SingleTask(work)(range(2))
    seen: list[Any] = []
    first = stream.subscribe(lambda item: seen.append(("first", item)))
    stream.subscribe(lambda item: seen.append(("second", item)))
    await asyncio.sleep(1)
    assert len(others()) == 2 * 3  # each has two calls, and a task of its own
    first.dispose()
    await settle()
    assert len(work.ended) == 2
    assert len(others()) == 3
    first.dispose()  # again
    await asyncio.sleep(10)
    assert seen == [("second", 0), ("second", 1)]


@of_each_stage
async def test_dispose_ends_a_run(kind: str) -> None:
    """L2: nothing is delivered, pulled or started after dispose, and the source is closed."""
    first, data = Work(1), Numbers(0.25)
    seen: list[Any] = []
    subscription = (SingleTask(first) | stages()[kind])(data).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(10)
    assert seen
    subscription.dispose()
    before = len(seen), len(first.started), data.pulled
    await settle()
    assert not others()
    assert data.closed == 1
    await asyncio.sleep(100)
    assert (len(seen), len(first.started), data.pulled) == before
    assert sorted(first.ended) == sorted(first.started)


@of_each_stage
async def test_dispose_inside_of_on_next(kind: str) -> None:
    """L2: the observer that disposes hears nothing more, not even the end."""
    seen: list[Any] = []
    subscription: list[Any] = []

    def on_next(item: Any) -> None:
        seen.append(item)
        subscription[0].dispose()

    stream = stages()[kind](range(20))
    subscription.append(stream.subscribe(on_next, seen.append, lambda: seen.append("end")))
    await asyncio.sleep(100)
    assert len(seen) == 1
    assert not others()


async def test_dispose_before_anything_ran() -> None:
    """L2, F1: the run begins at the loop's next turn; disposed before, it never does."""
    work, data = Work(), Numbers()
    SingleTask(work)(data).subscribe(lambda _: None).dispose()
    await asyncio.sleep(10)
    assert (data.pulled, work.started) == (0, [])
    assert not others()


async def test_a_take_that_is_satisfied_closes_the_run() -> None:
    """L2, L4: what an Rx operator needs no more is closed, and nothing starts any more."""
    work, data = Work(1), Numbers(0.25)
    stream = SingleTask(work)(data).take(3)
    assert await stream.collect() == [0, 1, 2]
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()
    inside = (SingleTask(work) | ops.take(3) | SingleTask(Work(1)))(Numbers(0.25))
    assert await inside.collect() == [0, 1, 2]
    assert not others()


async def test_an_observable_source_is_unsubscribed_once() -> None:
    """L2: on close, failure and exhaustion the subscription is disposed exactly once."""
    for end in ("close", "failure", "exhaustion"):
        disposed: list[str] = []
        subject: Subject[int] = Subject()

        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            inner = subject.subscribe(observer)  # noqa: B023  # called in this turn only

            def dispose() -> None:
                disposed.append(end)  # noqa: B023
                inner.dispose()

            return Disposable(dispose)

        def work(item: int) -> int:
            if item == 2:
                raise ValueError("boom")
            return item

        stream = SingleTask(work)(reactivex.create(subscribe))
        reading = asyncio.create_task(stream.collect())
        await asyncio.sleep(1)
        subject.on_next(1)
        if end == "close":
            await stream.aclose()
        elif end == "failure":
            subject.on_next(2)
        else:
            subject.on_completed()
        await asyncio.wait({reading})
        assert disposed == [end]
        assert (reading.exception() is not None) == (end == "failure")
        assert not subject.observers
        subject.on_next(3)  # to nobody


# -- L8


@pytest.mark.parametrize("how", ["collect", "subscribe"])
@in_both_modes
@pytest.mark.real_time("threads push into the source")
async def test_items_from_four_threads(how: str, mode: Any) -> None:
    """L8: nothing is lost or doubled, the order of each thread is kept, calls run in the loop."""
    subject: Subject[tuple[int, int]] = Subject()
    here = threading.get_ident()
    count = 2000
    elsewhere: list[int] = []

    def work(item: tuple[int, int]) -> tuple[int, int]:
        if threading.get_ident() != here:
            elsewhere.append(threading.get_ident())
        return item

    stream = SingleTask(work).with_execution_mode(mode)(subject)
    got: list[tuple[int, int]] = []
    done = asyncio.Event()
    if how == "collect":
        reading = asyncio.create_task(stream.collect())
    else:
        stream.subscribe(got.append, on_completed=done.set)
    while not subject.observers:  # noqa: ASYNC110  # a Subject tells nobody
        await asyncio.sleep(0)

    def push(thread: int) -> None:
        for n in range(count):
            subject.on_next((thread, n))

    threads = [threading.Thread(target=push, args=(n,)) for n in range(4)]

    def push_all() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        subject.on_completed()

    await asyncio.to_thread(push_all)
    if how == "collect":
        got = await reading
    else:
        await done.wait()
    assert len(got) == 4 * count
    for thread in range(4):
        assert [n for who, n in got if who == thread] == list(range(count))
    assert not elsewhere


@pytest.mark.real_time("threads push into the source")
async def test_an_error_and_an_end_from_another_thread() -> None:
    """L8, E7: they are marshalled as items are, and come behind them."""
    for error in (None, ValueError("boom")):
        subject: Subject[int] = Subject()
        stream = SingleTask(Work(0.001))(subject)
        got: list[int] = []

        async def consume(stream: AsyncStream[int] = stream, got: list[int] = got) -> None:
            async for item in stream:
                got.append(item)  # noqa: PERF401  # kept if it fails

        reading = asyncio.create_task(consume())
        while not subject.observers:  # noqa: ASYNC110  # a Subject tells nobody
            await asyncio.sleep(0)

        def push(subject: Subject[int] = subject, error: Exception | None = error) -> None:
            for n in range(50):
                subject.on_next(n)
            if error is None:
                subject.on_completed()
            else:
                subject.on_error(error)

        await asyncio.to_thread(push)
        await asyncio.wait({reading})
        assert got == list(range(50))
        assert reading.exception() is error


@pytest.mark.real_time("another thread disposes")
async def test_dispose_from_another_thread() -> None:
    """L2, L8: it is handed to the loop, which ends the run and its calls."""
    work = Work(30)
    seen: list[Any] = []
    subscription = SingleTask(work)(range(4)).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(0.01)
    assert len(work.started) == 4
    await asyncio.to_thread(subscription.dispose)
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(work.ended) == [0, 1, 2, 3]
    assert not others()
    assert seen == []


@pytest.mark.real_time("another thread emits")
async def test_a_thread_that_emits_after_the_end_does_no_harm() -> None:
    """L8, L2: a hot source that outlives its run is heard no more."""
    subject: Subject[int] = Subject()
    work = Work(0)
    stream = SingleTask(work)(subject)
    stop = threading.Event()

    def push() -> None:
        n = 0
        while not stop.is_set():
            subject.on_next(n)
            n += 1
            time.sleep(0.0005)

    pushing = asyncio.create_task(asyncio.to_thread(push))
    assert isinstance(await anext(stream), int)
    await stream.aclose()
    started = len(work.started)
    await asyncio.sleep(0.02)
    stop.set()
    await pushing
    assert len(work.started) == started
    assert not subject.observers


@pytest.mark.real_time("the source emits on a thread of its own")
async def test_a_scheduler_of_another_thread_as_source() -> None:
    """L8: `observe_on`/`subscribe_on` a thread pool: everything arrives, in order."""
    from reactivex.scheduler import NewThreadScheduler

    scheduler = NewThreadScheduler()
    numbers = reactivex.from_iterable(range(300)).pipe(ops.subscribe_on(scheduler))
    assert await SingleTask(Work(0))(numbers).collect() == list(range(300))


# -- without a loop


def test_a_stream_that_is_never_read_needs_no_loop() -> None:
    """F1, L5: building and dropping a stream outside of any loop is fine."""
    work = Work()
    stream = (SingleTask(work) | batch_task(max_size=2)(list))(range(3))
    del stream
    assert work.started == []


@pytest.mark.parametrize("use", ["subscribe", "anext", "collect", "async for"])
def test_reading_without_a_loop_says_what_to_do(use: str) -> None:
    """L1: RuntimeError that speaks of the running event loop, and the stream is unharmed."""
    stream = SingleTask(identity)([1, 2])

    async def loop_over() -> None:
        async for _ in stream:
            pass

    calls: dict[str, Callable[[], Any]] = {
        "subscribe": lambda: stream.subscribe(lambda _: None),
        "anext": lambda: stream.__anext__().send(None),  # type: ignore[attr-defined]
        "collect": lambda: stream.collect().send(None),
        "async for": lambda: loop_over().send(None),
    }
    with pytest.raises(RuntimeError, match="running event loop"):
        calls[use]()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(stream.collect()) == [1, 2]


def test_a_stream_that_outlives_its_loop_is_dropped_quietly() -> None:
    """L5: no warning, no error in `__del__` when the loop is closed before the stream is gone."""
    kept: list[AsyncStream[Any]] = []

    async def main() -> None:
        kept.append(SingleTask(Work())(Numbers(0.25)))
        await anext(kept[0])

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    kept.clear()


@of_each_stage
@in_both_modes
def test_a_run_that_the_loop_ends_with_is_ended_by_it(kind: str, mode: Any) -> None:
    """L5, L7: `asyncio.run` cancels what a subscription has running: nothing pending or unseen."""
    first, last, data = Work(1, cleanup=1), Work(2, cleanup=1), Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)

    async def main() -> None:
        pipeline.with_execution_mode(mode)(data).subscribe(lambda _: None)
        await asyncio.sleep(9.1)

    with assert_clean(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    assert last.started
    assert sorted(map(str, first.ended)) == sorted(map(str, first.started))
    assert sorted(map(str, last.ended)) == sorted(map(str, last.started))
    assert data.closed == 1


@of_each_stage
@pytest.mark.parametrize("seed", [None, 1, 2, 8, 9, 10, 11])
def test_a_run_in_full_flow_that_the_loop_ends_with(kind: str, seed: int | None) -> None:
    """L5, L7: the same with full windows: no observer is told, no callback raises."""
    pipeline = (SingleTask(Work(1)) | stages()[kind] | SingleTask(Work(1))).with_context(
        max_in_flight=5
    )

    async def main() -> None:
        pipeline(Numbers()).subscribe(lambda _: None)
        await asyncio.sleep(50)

    def make_loop() -> VirtualLoop:
        return VirtualLoop(seed=seed)

    with assert_clean(), asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())


async def test_timed_calls_of_a_closed_run_are_all_accounted_for() -> None:
    """L2, E9: after aclose nothing runs or waits, in any stage's counters."""
    first, second = timed_task([1.0] * 50), timed_task([3.0] * 50)
    pipeline = SingleTask(first, concurrency_limit=4) | batch_task(max_size=3)(list)
    stream = (pipeline | SingleTask(second, concurrency_limit=2))(range(50))
    assert await anext(stream) == 0
    await stream.aclose()
    for stats in stream.stats:
        ended = stats.completed + stats.failed + stats.skipped + stats.dropped + stats.cancelled
        assert (stats.running, stats.waiting) == (0, 0)
        assert stats.in_ == ended
    assert {call.outcome for call in [*first.calls, *second.calls]} <= {"done", "cancelled"}


@in_both_modes
async def test_coroutines_of_plain_functions_that_a_close_overtakes(mode: str) -> None:
    """L5: what a plain function gave, and nobody comes to await, is no "never awaited" warning."""

    async def call(item: int) -> int:
        return item

    task = SingleTask[int, int](lambda item: call(item), concurrency_limit=3)
    async with task.with_execution_mode(mode)(range(100)) as stream:
        assert await anext(stream) == 0
