"""Who may read a stream, how often, and on which loop? L1, L4 and L6 of the contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BatchTask, Pipeline, SingleTask, single_task
from conveyor_rx.testing import VirtualLoop, source
from tests.kit import Own, in_both_modes, nap, same


async def generate(item: Any) -> AsyncIterator[Any]:
    yield item


def stages() -> dict[str, Pipeline[Any, Any]]:
    """Give a pipeline of each kind of stage, from numbers to the same numbers."""
    return {
        "async": Pipeline().add(nap),
        "def": Pipeline().add(same),
        "generator": Pipeline().add(SingleTask(generate)),
        "batch": same | BatchTask(list[Any], 1, 2),
        "own": same | Own(),
        "rx": same | ops.map(lambda item: item),
        "empty": Pipeline(),
    }


of_each_stage = pytest.mark.parametrize("kind", list(stages()))


async def numbers(end: int | None = None, pause: float = 0.5) -> AsyncIterator[int]:
    n = 0
    while end is None or n < end:
        await asyncio.sleep(pause)
        yield n
        n += 1


async def loop_over(stream: AsyncStream[Any], got: list[Any], pause: float = 0) -> None:
    async for item in stream:
        got.append(item)
        await asyncio.sleep(pause)


async def refuses(read: Awaitable[Any]) -> bool:
    with pytest.raises(RuntimeError, match=r"another consumer; call the pipeline again"):
        await read
    return True


# -- one task


@of_each_stage
async def test_a_loop_that_reads_on_in_its_body(kind: str) -> None:
    """L1: `anext(stream, default)` in an `async for`, as with a generator: each item once."""
    stream = stages()[kind](range(5))
    got = [(head, await anext(stream, None)) async for head in stream]
    assert got == [(0, 1), (2, 3), (4, None)]


@of_each_stage
@in_both_modes
async def test_iterators_of_one_task_take_turns(kind: str, mode: Any) -> None:
    """L1: no item is lost or doubled, and all of them get the end."""
    stream = stages()[kind].with_execution_mode(mode)(range(6))
    a, b = aiter(stream), aiter(stream)
    got = [await anext(which) for which in (a, b, stream, b, a, a)]
    assert got == [0, 1, 2, 3, 4, 5]
    assert [await anext(which, "end") for which in (b, a, stream, a)] == ["end"] * 4


async def test_nested_loops_share_the_items() -> None:
    """L1: the inner loop reads what is left; then the outer one ends."""
    stream = nap(range(4))
    got: list[Any] = []
    async for outer in stream:
        got.append(outer)
        got.append([inner async for inner in stream])
    assert got == [0, [1, 2, 3]]


async def test_the_rest_collected_in_a_loop() -> None:
    """L1: so may `collect`, and the loop ends behind it."""
    stream = nap(range(4))
    got = [(head, await stream.collect()) async for head in stream]
    assert got == [(0, [1, 2, 3])]


@pytest.mark.parametrize("way", ["anext", "iterator", "collect"])
async def test_a_timeout_in_a_loop_is_no_other_task(way: str) -> None:
    """L1: on Python 3.11 `wait_for` makes a task; it is the caller's read all the same."""
    stream = nap(range(4))
    ways: dict[str, Callable[[], Any]] = {
        "anext": lambda: anext(stream),
        "iterator": lambda: anext(aiter(stream)),
        "collect": stream.collect,
    }
    got = [(head, await asyncio.wait_for(ways[way](), 9)) async for head in stream]
    assert got == [(0, [1, 2, 3])] if way == "collect" else [(0, 1), (2, 3)]


async def test_one_reader_after_the_other() -> None:
    """L1, L4: who comes after a `break` reads on, in whichever task; nothing is lost."""
    stream = same(range(9))
    got: list[int] = []

    async def read_two() -> None:
        async for item in stream:
            got.append(item)
            if item % 2:
                return

    await read_two()
    await asyncio.create_task(read_two())
    got.append(await asyncio.create_task(_anext(stream)))
    await read_two()
    assert got + await asyncio.create_task(_collect(stream)) == list(range(9))


async def _anext(stream: AsyncStream[Any]) -> Any:
    return await anext(stream)


async def _collect(stream: AsyncStream[Any]) -> Any:
    return await stream.collect()


async def _loop(stream: AsyncStream[Any]) -> Any:
    return [item async for item in stream]


# -- two tasks


@pytest.mark.parametrize("intrude", [_anext, _collect, _loop])
@pytest.mark.parametrize("first", [_collect, _loop])
@in_both_modes
async def test_two_tasks_at_once(first: Any, intrude: Any, mode: Any) -> None:
    """L1, L6: the second gets a RuntimeError that says so, the first loses nothing."""
    stream = nap.with_execution_mode(mode)(numbers(6))
    reading = asyncio.create_task(first(stream))
    for wait in (0.1, 1.0, 0.75):
        await asyncio.sleep(wait)
        assert await refuses(intrude(stream))
    assert await reading == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("intrude", [_anext, _collect, _loop])
async def test_a_task_is_refused_between_the_reads_of_another(intrude: Any) -> None:
    """L1: results that are ready go to the loop that is reading, not to who happens to ask."""
    stream = same(range(6))
    got: list[int] = []
    reading = asyncio.create_task(loop_over(stream, got, pause=1))
    for _ in range(4):
        await asyncio.sleep(0.6)
        assert await refuses(intrude(stream))
    await reading
    assert got == [0, 1, 2, 3, 4, 5]


async def test_a_refused_anext_with_a_default() -> None:
    """L1: the error is the awaitable's; CPython crashes if `__anext__` itself raises."""
    stream = nap(range(3))
    reading = asyncio.create_task(_collect(stream))
    await asyncio.sleep(0)
    refused: list[Awaitable[Any]] = [anext(stream, None), anext(aiter(stream), None)]
    for read in refused:
        assert await refuses(read)
    assert await reading == [0, 1, 2]


async def test_two_reads_of_one_iterator_at_once() -> None:
    """L1: one waits, the other gets the error, and no item is lost."""
    for which in (lambda stream: stream, aiter):
        stream = nap(range(4))
        iterator: Any = which(stream)
        results = await asyncio.gather(anext(iterator), anext(iterator), return_exceptions=True)
        assert results[0] == 0
        assert isinstance(results[1], RuntimeError)
        assert await stream.collect() == [1, 2, 3]


async def test_two_loops_share_nothing_by_accident() -> None:
    """L1: each item goes to the one task that was first, ready or not."""
    for stage in (nap, same):
        stream = stage(range(6))
        got: dict[str, list[int]] = {"a": [], "b": []}
        results = await asyncio.gather(
            *(loop_over(stream, got[name], pause=1) for name in got), return_exceptions=True
        )
        assert results[0] is None
        assert isinstance(results[1], RuntimeError)
        assert got == {"a": [0, 1, 2, 3, 4, 5], "b": []}


async def test_an_iterator_of_a_task_that_has_ended_keeps_nobody_out() -> None:
    """L1: what it holds is read on by whom it is given to, and by others."""
    stream = same(range(4))

    async def begin() -> AsyncIterator[int]:
        iterator = aiter(stream)
        assert await anext(iterator) == 0
        return iterator

    iterator = await asyncio.create_task(begin())
    assert [await anext(stream), await anext(iterator), await anext(stream)] == [1, 2, 3]


async def test_a_call_that_reads_its_own_stream() -> None:
    """L1, L3: a stream read from inside of its own run is another consumer: no deadlock."""

    async def work(item: int) -> int:
        return await anext(stream)

    stream = SingleTask(work)(range(2))
    assert await refuses(stream.collect())


# -- a break


async def test_the_break_of_an_inner_loop_is_no_break() -> None:
    """L4: calls go on to start while the outer loop is there; after its break none does."""
    started: list[int] = []

    async def work(item: int) -> int:
        started.append(item)
        await asyncio.sleep(1)
        return item

    stream = SingleTask(work, concurrency_limit=1)(range(100))
    async for _ in stream:
        async for _ in stream:
            break
        before = len(started)
        await asyncio.sleep(4.5)
        assert len(started) == before + 4
        break
    before = len(started)
    await asyncio.sleep(5)
    assert len(started) == before


async def test_a_break_leaves_a_read_alone_that_waits() -> None:
    """L4: there is still somebody who reads, and gets the next item."""
    stream = nap(numbers(5))
    reading: asyncio.Task[Any] | None = None
    async for _ in stream:
        reading = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        break
    assert reading is not None
    assert await asyncio.wait_for(reading, 10) == 1
    assert await stream.collect() == [2, 3, 4]


# -- again


def _fails(item: int) -> int:
    raise ValueError(item)


@of_each_stage
@pytest.mark.parametrize("how", [_collect, _loop, _anext])
@in_both_modes
async def test_a_stream_is_read_once(how: Any, kind: str, mode: Any) -> None:
    """L1: a new iterator and `collect` say that it has been read, they don't give nothing."""
    data = source("0-1|")
    stream = stages()[kind].with_execution_mode(mode)(data)
    early = aiter(stream)
    while await how(stream) == 0:
        pass
    if how is _anext:
        assert await anext(stream, "end") == "end"
    for again in (_collect, _loop):
        with pytest.raises(RuntimeError, match=r"has been read; call the pipeline again"):
            await again(stream)
    for iterator in (early, stream, early):
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)
    assert data.opened == 1


async def test_what_a_break_leaves_is_read_on_to_the_end() -> None:
    """L1, L4: the end is told once, also if a loop was left at the last item."""
    stream = nap(range(3))
    async for item in stream:
        if item == 2:
            break
    assert await stream.collect() == []
    with pytest.raises(RuntimeError, match="has been read"):
        await stream.collect()


@pytest.mark.parametrize("end", ["failure", "cancellation", "close", "block"])
async def test_a_stream_that_ended_early_is_not_read_again(end: str) -> None:
    """L1: nor is one that has failed, was closed, or whose consumer was cancelled."""
    stream = (nap | _fail_at_two)(range(5))
    if end == "failure":
        with pytest.raises(ValueError, match="2"):
            await stream.collect()
    elif end == "cancellation":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.collect(), 0.5)
    else:
        async with stream:
            assert await anext(stream) == 0
            if end == "close":
                await stream.aclose()
    for again in (_collect, _loop):
        with pytest.raises(RuntimeError, match="has been read"):
            await again(stream)
    assert await anext(stream, None) is None


@single_task
def _fail_at_two(item: int) -> int:
    if item == 2:
        raise ValueError(item)
    return item


async def test_a_stream_that_was_closed_unread() -> None:
    """L1, F1: it is not read any more, and who was there already gets the end."""
    data = source("0-1|")
    stream = same(data)
    early = aiter(stream)
    async with stream:
        pass
    for again in (_collect, _loop):
        with pytest.raises(RuntimeError, match=r"closed unread; call the pipeline again"):
            await again(stream)
    assert await anext(early, None) is None
    assert await anext(stream, None) is None
    assert data.opened == 0


async def test_a_stream_that_was_read_as_a_source() -> None:
    """L1, E7: the pipeline behind it fails; it has lost all of its data."""
    stream = same(range(3))
    assert await stream.collect() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="has been read"):
        await nap(stream).collect()
    begun = same(range(3))
    assert await anext(begun) == 0
    assert await nap(begun).collect() == [1, 2]


async def test_a_stream_that_was_read_can_be_subscribed_to() -> None:
    """L6: that is a run of its own; so is what stands behind an Rx operator, once."""
    stream = same(range(3))
    assert await stream.collect() == [0, 1, 2]
    got: list[int] = []
    stream.subscribe(got.append)
    derived = stream.map(str)
    assert await derived.collect() == ["0", "1", "2"]
    assert got == [0, 1, 2]
    with pytest.raises(RuntimeError, match="has been read"):
        await derived.collect()
    assert await stream.as_completed().collect() == [0, 1, 2]


# -- await and run


async def test_awaiting_a_pipelines_stream() -> None:
    """L6: it would give the last item only: a TypeError that says what is meant."""
    streams: list[Any] = [
        same([1, 2]),
        (same | nap)([1, 2]),
        same(reactivex.of(1, 2)),
        same.as_completed([1]),
        same([1]).as_completed(),
        AsyncStream([1, 2]),
    ]
    for stream in streams:
        with pytest.raises(TypeError, match=r"use `await stream\.collect\(\)`"):
            await stream
        with pytest.raises(TypeError, match="collect"):
            await asyncio.gather(stream)


async def test_awaiting_behind_an_operator() -> None:
    """L6: what Rx promises stays: the last item."""
    assert await nap([1, 2]).pipe(ops.to_list()) == [1, 2]
    assert await nap([1, 2]).map(str) == "2"
    assert await AsyncStream(reactivex.of(1, 2)) == 2
    assert await nap([1, 2]).to_future() == 2


@pytest.mark.parametrize("derive", [lambda stream: stream, lambda stream: stream.map(str)])
async def test_run_within_a_loop(derive: Any) -> None:
    """L6: it would wait for a loop that waits for it: a RuntimeError that says what to do."""
    with pytest.raises(RuntimeError, match=r"would block the event loop.*await stream\.collect"):
        derive(nap([1])).run()


def test_run_of_an_observable_needs_no_loop() -> None:
    """L6: a stream that only wraps an Observable runs as that does, where no loop runs."""
    assert AsyncStream(reactivex.of(1, 2)).run() == 2
    assert AsyncStream(reactivex.of(1, 2)).map(str).run() == "2"


# -- loops and threads


def begun(stream: AsyncStream[Any], *, keep: bool) -> tuple[Any, Any]:
    """Read one item of `stream` on a loop of its own; return that, and the iterator."""
    runner = asyncio.Runner(loop_factory=VirtualLoop)
    iterator: Any = aiter(stream) if keep else stream
    assert runner.run(_anext(iterator)) == 0
    return runner, iterator


@pytest.mark.parametrize("thread", [False, True], ids=["here", "thread"])
@pytest.mark.parametrize("keep", [False, True], ids=["stream", "iterator"])
@pytest.mark.parametrize("stage", [same, nap], ids=["ready", "waits"])
def test_a_read_on_another_loop(stage: Any, keep: bool, thread: bool) -> None:
    """L6: RuntimeError, whether a result is ready or not; on its own loop the run goes on."""
    stream = stage(range(4))
    runner, iterator = begun(stream, keep=keep)
    errors: list[BaseException] = []

    def elsewhere() -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as other:
            for read in (_anext(iterator), _loop(stream), stream.collect()):
                with pytest.raises(RuntimeError, match="another event loop") as caught:
                    other.run(read)
                errors.append(caught.value)

    if thread:
        worker = threading.Thread(target=elsewhere)
        worker.start()
        worker.join()
    else:
        elsewhere()
    assert len(errors) == 3
    with runner:
        assert runner.run(_collect(stream)) == [1, 2, 3]


def test_a_close_on_another_loop() -> None:
    """L3, L6: while its own loop lives, nobody else can wait for the calls: RuntimeError."""
    stream = nap(range(4))
    runner, _ = begun(stream, keep=False)
    with (
        asyncio.Runner(loop_factory=VirtualLoop) as other,
        pytest.raises(RuntimeError, match="another event loop"),
    ):
        other.run(stream.aclose())
    with runner:
        runner.run(stream.aclose())


def test_a_close_after_its_loop() -> None:
    """L3: a stream whose loop is closed is closed, wherever it is said so, and nothing hangs."""
    stream = nap(range(4))
    runner, _ = begun(stream, keep=False)
    runner.close()
    with asyncio.Runner(loop_factory=VirtualLoop) as other:
        other.run(stream.aclose())
        with pytest.raises(RuntimeError, match="has been read"):
            other.run(stream.collect())


@pytest.mark.parametrize("which", ["stream", "iterator"])
def test_an_anext_with_a_default_outside_of_any_loop(which: str) -> None:
    """L1: the missing loop is the awaitable's error; CPython crashes if `__anext__` raises."""
    stream = same([1])
    read: Any = anext(stream if which == "stream" else aiter(stream), None)
    with pytest.raises(RuntimeError, match="running event loop"):
        read.__await__().send(None)


async def test_reads_that_are_never_awaited_begin_nothing() -> None:
    """F1: an awaitable of `__anext__` or `collect` that is thrown away pulls nothing."""
    data = source("0-1|")
    stream = same(data)
    for read in (stream.__anext__, aiter(stream).__anext__, stream.collect):
        with pytest.warns(RuntimeWarning, match="never awaited"):
            read()
    await asyncio.sleep(1)
    assert data.opened == 0
    assert await stream.collect() == [0, 1]
