"""What becomes of an error of the source? E7 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import reactivex
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, BatchTask, SingleTask
from tests.errors.failing import Batches, Slow, by_subscribing, ending, failing, timed_ending
from tests.kit import in_both_modes, others


def raising_source(kind: str, error: BaseException, items: int) -> Any:
    """Make a source that gives `items` items and then fails."""

    def pull() -> Iterator[int]:
        yield from range(items)
        raise error

    async def pull_async() -> AsyncIterator[int]:
        for n in range(items):
            await asyncio.sleep(0.125)
            yield n
        raise error

    class Iterable:
        def __iter__(self) -> Iterator[int]:
            self.left = list(range(items))
            return self  # type: ignore[return-value]

        def __next__(self) -> int:
            if not self.left:
                raise error
            return self.left.pop(0)

    match kind:
        case "sync":
            return pull()
        case "async":
            return pull_async()
        case "iterator":
            return Iterable()
        case "stream":
            return AsyncStream(pull_async())
        case _:
            ended = reactivex.throw(error)  # type: ignore[arg-type]
            return reactivex.concat(reactivex.from_iterable(range(items)), ended)


SOURCES = ("sync", "async", "iterator", "stream", "observable")


@pytest.mark.parametrize("kind", SOURCES)
@in_both_modes
@pytest.mark.parametrize("items", [0, 1, 7])
async def test_what_was_pulled_before_the_source_failed_is_delivered(
    kind: str, mode: Any, items: int
) -> None:
    """E7: all of it, slow calls included, in both modes; then the source's own exception."""
    boom = ValueError("boom")
    work = Slow({n: 10 - n for n in range(items)})
    pipeline = SingleTask(work) | SingleTask(Slow(dict.fromkeys(range(items), 3)))
    stream = pipeline.with_execution_mode(mode)(raising_source(kind, boom, items))
    got, error = await ending(stream)
    assert error is boom
    assert sorted(got) == list(range(items))
    assert mode == "as_completed" or got == sorted(got)
    assert not others()


@pytest.mark.parametrize("kind", SOURCES)
@in_both_modes
async def test_an_open_batch_is_flushed_before_the_error_of_the_source(
    kind: str, mode: Any
) -> None:
    """E7, B1: what was pulled is delivered, so an open batch of at least min_size is called."""
    for min_size, batches in ((2, [[0, 1, 2], [3, 4]]), (3, [[0, 1, 2]])):
        boom = ValueError("boom")
        work = Batches()
        pipeline = failing("async", ValueError(), None) | BatchTask(work, min_size, 3)
        stream = pipeline.with_execution_mode(mode)(raising_source(kind, boom, 5))
        got, error = await ending(stream)
        assert error is boom
        assert work.calls == batches
        assert got == [item for batch in batches for item in batch]
        assert stream.stats[1].dropped == 5 - len(got)


@pytest.mark.parametrize("kind", SOURCES)
async def test_the_error_of_the_source_through_each_way_to_consume(kind: str) -> None:
    """E7, E2: the same object from `collect` and `subscribe`, with one note: no task failed."""
    boom = ValueError("boom")
    task = failing("async", ValueError(), None)
    with pytest.raises(ValueError, match="boom") as info:
        await task(raising_source(kind, boom, 3)).collect()
    assert info.value is boom
    error, _ = await by_subscribing(task(raising_source(kind, boom, 3)))
    assert error is boom
    assert boom.__notes__ == ["in the source, after input 2"]


async def test_a_failing_call_beats_an_error_of_the_source() -> None:
    """E7, E1: the failure of an item stands before the error of the source that gave it."""
    boom = ValueError("call")
    work = Slow({0: 1, 1: 5, 2: 9})
    work.fails[1] = boom
    got, (at, error) = await timed_ending(
        SingleTask(work)(raising_source("sync", ValueError("source"), 3))
    )
    assert got == [(1, 0)]
    assert (at, error) == (5, boom)


class Comparable(Exception):
    """An exception that takes it for granted what it is compared with."""

    code = 7

    def __eq__(self, other: object) -> bool:
        return self.code == other.code  # type: ignore[attr-defined]

    __hash__ = Exception.__hash__


@pytest.mark.parametrize("where", ["source", "task"])
@in_both_modes
async def test_exceptions_are_not_compared(where: str, mode: Any) -> None:
    """E2: those of a user may have an `__eq__` of their own, that fails; it is not asked."""
    boom = Comparable()
    data = raising_source("sync", boom, 3) if where == "source" else range(5)
    task = failing("async", boom, 3) if where == "task" else failing("async", ValueError(), None)
    stream = (task | BatchTask(Batches(), 1, 1)).with_execution_mode(mode)(data)
    got, error = await ending(stream)
    assert error is boom
    assert got == [0, 1, 2][: len(got)]


class NoIterator:
    def __iter__(self) -> Iterator[int]:
        raise ValueError("iter")


class NoAsyncIterator:
    def __aiter__(self) -> AsyncIterator[int]:
        raise ValueError("aiter")


@pytest.mark.parametrize("data", [NoIterator(), NoAsyncIterator()])
async def test_a_source_that_cannot_be_opened(data: Any) -> None:
    """E7: what `iter` or `aiter` raises is the source's error."""
    _, error = await ending(failing("async", ValueError(), None)(data))
    assert isinstance(error, ValueError)
    assert error.args[0] in ("iter", "aiter")


@pytest.mark.parametrize(
    "error",
    [StopAsyncIteration("x"), asyncio.CancelledError("x"), GeneratorExit("x")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("kind", ["iterator", "sync", "async"])
async def test_odd_exceptions_of_a_source_are_no_silent_end(
    kind: str, error: BaseException
) -> None:
    """E7, E8: only StopIteration of an iterator (StopAsyncIteration of an async one) is an end."""
    got, raised = await ending(failing("async", ValueError(), None)(raising_source(kind, error, 2)))
    assert got == [0, 1]
    assert raised is not None
    assert raised is error or raised.__cause__ is error


async def test_a_subject_that_fails_while_calls_run() -> None:
    """E7: on_error of a hot source waits for what came before it."""
    subject: Subject[int] = Subject()
    boom = ValueError("boom")
    reading = asyncio.create_task(timed_ending(SingleTask(Slow({1: 5, 2: 3}))(subject)))
    await asyncio.sleep(1)
    subject.on_next(1)
    subject.on_next(2)
    subject.on_error(boom)
    got, (at, error) = await reading
    assert got == [(6, 1), (6, 2)]
    assert (at, error) == (6, boom)
