"""What becomes of a failure in the clean-up of a run? It is raised, noted or told: never silent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable

from conveyor_rx import AsyncStream, BaseTask, BatchTask, ErrorHandler, SingleTask
from conveyor_rx._engine.closing.failures import KEPT
from tests.kit import in_both_modes
from tests.lifetime.test_closing import Reports, others


class Cleanup(Exception):
    """What the clean-up of something fails with."""


async def echo(item: Any) -> Any:
    return item


async def slow(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


async def fails_when_cancelled(item: Any) -> Any:
    try:
        await asyncio.sleep(1 if item == 0 else 50)
    except asyncio.CancelledError:
        raise Cleanup from None
    return item


async def generates(item: Any) -> AsyncIterator[Any]:
    try:
        for n in range(9):
            yield n
            await asyncio.sleep(1)
    finally:
        raise Cleanup


def generates_at_once(item: Any) -> Iterator[Any]:
    try:
        while True:
            yield item
    finally:
        raise Cleanup


async def gives_a_generator(item: Any) -> Any:
    return generates_at_once(item)


def numbers() -> Iterator[int]:
    try:
        while True:
            yield 0
    finally:
        raise Cleanup


async def async_numbers() -> AsyncIterator[int]:
    try:
        while True:
            yield 0
            await asyncio.sleep(1)
    finally:
        raise Cleanup


def subscribed() -> Observable[int]:
    def subscribe(observer: Any, scheduler: Any = None) -> Disposable:
        def dispose() -> None:
            raise Cleanup

        loop = asyncio.get_running_loop()
        handles = [loop.call_later(n, observer.on_next, n) for n in range(1, 4)]

        def dispose_all() -> None:
            for handle in handles:
                handle.cancel()
            dispose()

        return Disposable(dispose_all)

    return Observable(subscribe)


class Own(BaseTask[Any, Any]):
    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for item in items:
                yield item
        finally:
            raise Cleanup


class Handler(ErrorHandler):
    async def handle_error(self, error: Exception, item: Any, *args: Any) -> Any:
        return True, await fails_when_cancelled(item)


async def fail(item: Any) -> Any:
    raise ValueError


def streams() -> dict[str, AsyncStream[Any]]:
    """Give streams whose clean-up fails once, after a first result."""
    single = SingleTask(fails_when_cancelled)
    return {
        "async": single(range(2)),
        "plain": SingleTask(lambda item: fails_when_cancelled(item))(range(2)),
        "handler": SingleTask(fail, error_handler=Handler())(range(2)),
        "batch": BatchTask(lambda batch: fails_when_cancelled(batch[0]), 1, 1, concurrency_limit=2)(
            range(2)
        ),
        "async generator": SingleTask(generates)([0]),
        "generator": (SingleTask(generates_at_once) | SingleTask(slow))([0]),
        "returned generator": (SingleTask(gives_a_generator) | SingleTask(slow))([0]),
        "own": (SingleTask(slow, concurrency_limit=1) | Own())(range(9)),
        "source": SingleTask(slow)(numbers()),
        "async source": SingleTask(slow)(async_numbers()),
        "observable": SingleTask(echo)(subscribed()),
        "behind rx": single(range(2)).filter(lambda n: n is not None),
        "under rx": SingleTask(echo)(range(1)).pipe(ops.flat_map(lambda n: single(range(2)))),
        "behind a stream": SingleTask(echo)(single(range(2))),
    }


KINDS = (
    "async, plain, handler, batch, async generator, generator, returned generator, own, source, "
    "async source, observable, behind rx, under rx, behind a stream"
).split(", ")
of_each_kind = pytest.mark.parametrize("kind", KINDS)


async def read(stream: AsyncStream[Any], got: list[Any]) -> None:
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails


async def read_within(stream: AsyncStream[Any], error: Exception | None = None) -> None:
    async with stream:
        async for _ in stream:
            if error is not None:
                raise error
            break


def stream_of(kind: str, mode: str) -> AsyncStream[Any]:
    stream = streams()[kind]
    return stream if mode == "ordered" else stream.as_completed()


@of_each_kind
@in_both_modes
async def test_aclose_raises_it(mode: str, kind: str) -> None:
    """L2, E9: the exception itself, when all has ended; once."""
    stream = stream_of(kind, mode)
    await anext(stream)
    with pytest.raises(Cleanup):
        await stream.aclose()
    assert not others()
    await stream.aclose()


@of_each_kind
@in_both_modes
async def test_async_with_raises_it_after_a_break(mode: str, kind: str) -> None:
    """L2, E9: at the end of the block."""
    with pytest.raises(Cleanup):
        await read_within(stream_of(kind, mode))
    assert not others()


@of_each_kind
@in_both_modes
async def test_what_the_block_raises_gets_a_note(mode: str, kind: str) -> None:
    """L2, E9: it is not replaced."""
    error = KeyError("body")
    with pytest.raises(KeyError) as info:
        await read_within(stream_of(kind, mode), error)
    assert info.value is error
    assert info.value.__context__ is None
    assert "Cleanup" in "".join(error.__notes__)
    assert "while the run was being closed" in "".join(error.__notes__)


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("way", ["collect", "async with", "aclose"])
async def test_a_cancellation_is_raised_and_the_loop_is_told(
    way: str, mode: str, kind: str
) -> None:
    """L7, E9: nobody looks at the notes of a CancelledError."""
    stream = stream_of(kind, mode)

    async def consume() -> None:
        if way == "collect":
            await stream.filter(lambda n: True).collect()
        elif way == "aclose":
            async for _ in stream:
                await asyncio.sleep(50)
        else:
            async with stream:
                async for _ in stream:
                    await asyncio.sleep(50)

    with Reports() as reports:
        reading = asyncio.create_task(consume())
        await asyncio.sleep(1.5)
        reading.cancel()
        await asyncio.wait({reading})
        if way == "aclose":
            closing = asyncio.create_task(stream.aclose())
            with pytest.raises(Cleanup):
                await closing
        assert reading.cancelled()
    told = [type(context["exception"]) for context in reports.contexts]
    assert told == ([] if way == "aclose" else [Cleanup])


@of_each_kind
async def test_what_a_run_that_is_dropped_leaves_is_told_to_the_loop(kind: str) -> None:
    """L4, E9: a bare `break`, and the last reference is gone."""
    with Reports() as reports:
        async for _ in stream_of(kind, "ordered"):
            break
        await asyncio.sleep(5)
        gc.collect()
    assert [type(context["exception"]) for context in reports.contexts] == [Cleanup]


@of_each_kind
async def test_what_a_disposed_subscription_leaves_is_told_to_the_loop(kind: str) -> None:
    """L2, E9: nobody waits for its end."""
    got: list[Any] = []
    with Reports() as reports:
        disposable = stream_of(kind, "ordered").pipe(ops.take(100)).subscribe(got.append)
        await asyncio.sleep(1.5)
        assert got
        disposable.dispose()
        await asyncio.sleep(5)
        gc.collect()
    assert [type(context["exception"]) for context in reports.contexts] == [Cleanup]


@of_each_kind
@pytest.mark.parametrize("outlet", ["collect", "async for", "subscribe"])
async def test_a_run_that_ends_early_ends_with_it(outlet: str, kind: str) -> None:
    """L1, L2, E9: after all results, when `take` has what it wants."""
    stream = stream_of(kind, "ordered").pipe(ops.take(1))
    got: list[Any] = []
    if outlet == "collect":
        with pytest.raises(Cleanup):
            await stream.collect()
    elif outlet == "async for":
        with pytest.raises(Cleanup):
            await read(stream, got)
        assert len(got) == 1
    else:
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stream = SingleTask(echo)(stream)  # else `take` itself is the consumer, and disposes
        held = stream.subscribe(got.append, end.set_result, lambda: end.set_result(None))
        assert isinstance(await end, Cleanup)
        assert len(got) == 1
        held.dispose()


@pytest.mark.parametrize("outlet", ["collect", "subscribe"])
@in_both_modes
async def test_the_failure_of_the_run_gets_a_note(mode: Any, outlet: str) -> None:
    """E1, E2, E9: of the calls behind it that fail as they are cancelled; the same exception."""
    error = ValueError("boom")

    async def work(item: int) -> int:
        if item == 0:
            await asyncio.sleep(1)
            raise error
        return await fails_when_cancelled(item)

    stream = SingleTask(work).with_execution_mode(mode)(range(5))
    if outlet == "collect":
        with pytest.raises(ValueError, match="boom"):
            await stream.collect()
    else:
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stream.subscribe(on_error=end.set_result)
        assert await end is error
    first, second = error.__notes__
    assert "input 0" in first
    assert second == (
        "while the run was being closed, there was raised as well: "
        "Cleanup in task 'work' (4 in all)"
    )


async def test_an_exception_that_refuses_notes_is_raised_and_the_loop_is_told() -> None:
    """E2, E9: it is not replaced."""

    class Refuses(Exception):
        def add_note(self, note: str) -> None:
            raise TypeError

    with Reports() as reports, pytest.raises(Refuses):
        await read_within(SingleTask(fails_when_cancelled)(range(2)), Refuses())
    assert [type(context["exception"]) for context in reports.contexts] == [Cleanup]


async def test_several_are_raised_as_a_group() -> None:
    """E9: each with the note that says where."""
    stream = SingleTask(fails_when_cancelled)(range(4))
    await anext(stream)
    with pytest.raises(ExceptionGroup) as info:
        await stream.aclose()
    assert [type(error) for error in info.value.exceptions] == [Cleanup] * 3
    notes = sorted(error.__notes__[0] for error in info.value.exceptions)
    assert ["input 1" in notes[0], "input 2" in notes[1], "input 3" in notes[2]] == [True] * 3


async def test_a_call_that_has_closed_its_run_and_fails_then() -> None:
    """L3, E9: the consumer gets that."""

    async def work(item: int) -> None:
        await stream.aclose()
        raise Cleanup

    stream = SingleTask(work)(range(1))
    with pytest.raises(Cleanup):
        await stream.collect()


async def test_an_endless_row_of_inner_runs_that_fail_is_told_as_it_goes() -> None:
    """E9: no more than a bounded number are kept for the end."""
    count = KEPT + 20
    single = SingleTask(fails_when_cancelled)
    with Reports() as reports:
        stream = SingleTask(echo)(range(count)).pipe(
            ops.flat_map(lambda n: single(range(2)).pipe(ops.take(1)))
        )
        with pytest.raises(ExceptionGroup) as info:
            await stream.collect()
    assert len(info.value.exceptions) == KEPT
    assert len(reports.contexts) == 20
