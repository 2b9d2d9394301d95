"""How is a call ended that takes too long? T1 and T7 of the contract."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import ErrorHandler, batch_task, single_task
from tests.kit import Boom, in_both_modes, now

SLOW = 9


async def work(item: float) -> float:
    """Take as many seconds as the item says."""
    await asyncio.sleep(item)
    return item


async def generate(item: float) -> AsyncIterator[float]:
    await asyncio.sleep(item)
    yield item


async def work_with(item: float, side: Any) -> float:
    return await work(item)


class Callable:
    """An object that is an async function, and one with a method that is a task."""

    async def __call__(self, item: float) -> float:
        return await work(item)

    @single_task(timeout=2, on_error="skip_item")
    async def method(self, item: float) -> float:
        return await work(item)


async def sides() -> AsyncIterator[int]:
    for number in range(100):
        yield number


def skipping(kind: str) -> Any:
    """Make a task of `kind` that skips what takes longer than 2 s."""
    make = single_task(timeout=2, on_error="skip_item")
    if kind == "method":
        return Callable().method
    if kind == "batch":

        @batch_task(max_size=1, timeout=2, on_error="skip_item")
        async def batch(items: list[float]) -> list[float]:
            return [await work(items[0])]

        return batch
    if kind == "side input":
        return make(work_with).with_inputs(1)
    if kind == "generator as side input":
        return make(work_with).with_inputs(sides())
    functions: dict[str, Any] = {
        "async": work,
        "async generator": generate,
        "object": Callable(),
        "partial": functools.partial(work),
    }
    return make(functions[kind])


KINDS = (
    *("async", "async generator", "object", "partial", "method", "batch", "side input"),
    "generator as side input",
)


@in_both_modes
@pytest.mark.parametrize("kind", KINDS)
async def test_what_takes_too_long_has_failed(kind: str, mode: Any) -> None:
    """T1: in every kind of task; what is in time goes on, in the tasks that made other calls."""
    stream = skipping(kind).with_execution_mode(mode)([1, SLOW, 1.5, SLOW, 0, 1.9])
    assert sorted(await stream.collect()) == [0, 1, 1.5, 1.9]
    assert (stream.stats[0].skipped, stream.stats[0].completed) == (2, 4)


async def test_the_call_is_cancelled_and_awaited() -> None:
    """T1: the failure comes when it has cleaned up, with a note, and says where it hung."""
    ended: list[float] = []

    @single_task(timeout=2)
    async def slow(item: int) -> None:
        try:
            await asyncio.sleep(SLOW)
        finally:
            await asyncio.sleep(1)
            ended.append(now())

    with pytest.raises(TimeoutError, match="longer than timeout=2 s") as caught:
        await slow([7]).collect()
    assert (ended, now()) == ([3], 3)
    assert caught.value.__notes__ == ["in task 'slow', input 0, attempt 1"]
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


async def test_each_attempt_has_its_time() -> None:
    """T1: and the handler is asked after the last."""
    begun: list[float] = []
    asked: list[tuple[type[Any], float]] = []

    class Handler(ErrorHandler):
        async def handle_error(self, error: Any, item: Any, task: str, attempt: int) -> Any:
            asked.append((type(error), now()))
            return True, "instead"

    @single_task(
        timeout=2,
        retry_attempts=3,
        retry_delay=1,
        retry_exponential_backoff=False,
        error_handler=Handler(),
    )
    async def slow(item: int) -> str:
        begun.append(now())
        await asyncio.sleep(SLOW)
        return "done"

    assert await slow([1]).collect() == ["instead"]
    assert begun == [0, 3, 6]
    assert asked == [(TimeoutError, 8)]


@pytest.mark.parametrize("kind", ["function", "generator"])
async def test_what_suppresses_its_end_has_failed_all_the_same(kind: str) -> None:
    """T1: what it returns then comes too late."""

    async def stubborn(item: int) -> str:
        try:
            await asyncio.sleep(SLOW)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        return "too late"

    async def stubborn_generator(item: int) -> AsyncIterator[str]:
        yield await stubborn(item)

    function: Any = stubborn if kind == "function" else stubborn_generator
    stream = single_task(timeout=2, on_error="skip_item")(function)([1])
    assert await stream.collect() == []
    assert (stream.stats[0].skipped, now()) == (1, 3)


async def test_another_exception_at_the_end_is_the_failure() -> None:
    """T1: as a task that is cancelled may end with one."""

    @single_task(timeout=2)
    async def work(item: int) -> None:
        try:
            await asyncio.sleep(SLOW)
        finally:
            raise Boom

    with pytest.raises(Boom):
        await work([1]).collect()


async def test_a_timeout_of_the_functions_own_is_left_alone() -> None:
    """E2: the original exception."""
    own = TimeoutError("of a socket")

    @single_task(timeout=2)
    async def work(item: int) -> None:
        await asyncio.sleep(1)
        raise own

    with pytest.raises(TimeoutError) as caught:
        await work([1]).collect()
    assert caught.value is own


@in_both_modes
@pytest.mark.parametrize("seconds", [1, 2])
async def test_a_cancellation_from_outside_stays_one(mode: Any, seconds: int) -> None:
    """T1, L2: also one of the same moment; nothing is skipped for it."""
    ends: list[type[BaseException]] = []

    @single_task(timeout=2, on_error="skip_item")
    async def slow(item: int) -> None:
        try:
            await asyncio.sleep(SLOW)
        except BaseException as error:
            ends.append(type(error))
            raise

    stream = slow.with_execution_mode(mode)(range(3))
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(seconds):
            await stream.collect()
    assert "timeout=" not in str(caught.value)
    assert ends == [asyncio.CancelledError] * 3
    assert stream.stats[0].skipped + stream.stats[0].cancelled == 3
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_failure_elsewhere_ends_calls_within_their_time() -> None:
    """E5: they are cancelled at once, not at their timeout."""

    @single_task(timeout=5, on_error="skip_item")
    async def work(item: int) -> int:
        await asyncio.sleep(SLOW if item else 1)
        return item

    @single_task
    async def fail(item: int) -> None:
        raise Boom

    with pytest.raises(Boom):
        await (work | fail)(range(4)).collect()
    assert now() == 1
    loop: Any = asyncio.get_running_loop()
    assert not [timer for timer in loop._scheduled if not timer.cancelled()]


async def test_of_a_generator_only_its_own_time_counts() -> None:
    """T1: a slow consumer is not its fault; many short steps add up."""

    @single_task(timeout=2)
    async def count(item: int) -> AsyncIterator[int]:
        for number in range(40):
            await asyncio.sleep(0.06)
            yield number

    got: list[int] = []

    async def read() -> None:
        async for number in count.with_context(max_in_flight=1)([1]):
            got.append(number)
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await read()
    assert got == [*range(33)]  # 33 steps of 0.06 s are within 2 s


async def test_a_batch_is_halved_for_it() -> None:
    """T1, E8: until the slow item stands alone."""

    @batch_task(max_size=4, timeout=2, on_error="skip_item")
    async def work(items: list[int]) -> list[int]:
        await asyncio.sleep(SLOW if 2 in items else 1)
        return items

    stream = work(range(4))
    assert await stream.collect() == [0, 1, 3]
    assert stream.stats[0].skipped == 1


def plain(item: int) -> int:
    return item


def plain_generator(item: int) -> Iterator[int]:
    yield item


@pytest.mark.parametrize("function", [plain, plain_generator, lambda item: item, abs])
def test_nothing_interrupts_a_plain_function(function: Any) -> None:
    """T7: said where it is decorated."""
    with pytest.raises(ValueError, match=r"timeout doesn't fit .*asyncio\.to_thread"):
        single_task(timeout=2)(function)
    with pytest.raises(ValueError, match="timeout doesn't fit"):
        batch_task(max_size=2, timeout=2)(function)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", True])
def test_what_is_no_time_is_refused(value: Any) -> None:
    """The error names the option."""
    with pytest.raises((TypeError, ValueError), match="timeout"):
        single_task(timeout=value)


def test_it_is_an_attribute() -> None:
    """And None without one."""
    assert single_task(timeout=2)(work).timeout == 2
    assert single_task(work).timeout is None


@in_both_modes
async def test_attempts_that_were_ended_are_counted(mode: Any) -> None:
    """T1, T2: each one; not a TimeoutError of the function's own, nor one that a run within has."""

    @single_task(timeout=1)
    async def inner(item: int) -> int:
        await asyncio.sleep(9)
        return item

    @single_task(timeout=2, retry_attempts=2, retry_delay=0, on_error="skip_item")
    async def late(item: int) -> int:
        if item == 1:
            raise TimeoutError
        await asyncio.sleep(9 if item == 0 else 0)
        return item

    @single_task(total_timeout=3, on_error="skip_item")
    async def later(item: int) -> int:
        await asyncio.sleep(9)
        return item

    @single_task(on_error="skip_item")
    async def outer(item: int) -> int:
        (only,) = await inner([item]).collect()
        return only

    for task, expected in ((late, 2), (later, 3), (outer, 0)):
        stream = task.with_execution_mode(mode)(range(3))
        await stream.collect()
        assert stream.stats[0].timed_out == expected
