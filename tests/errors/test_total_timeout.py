"""How long may all attempts at one call take? T2 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import ErrorHandler, RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx.events import Event, observe
from tests.kit import Boom, in_both_modes, now, others


class Work:
    """Fails after so many seconds, `times` times for each item; notes when attempts begin."""

    def __init__(self, seconds: float = 1, times: int = 100) -> None:
        self.seconds = seconds
        self.times = times
        self.begun: list[float] = []

    def fails(self) -> bool:
        self.times -= 1
        return self.times >= 0

    async def call(self, item: int) -> int:
        self.begun.append(now())
        await asyncio.sleep(self.seconds)
        if self.fails():
            raise Boom
        return item

    def lazily(self, item: int) -> Any:
        return self.call(item)

    async def generate(self, item: int) -> AsyncIterator[int]:
        yield await self.call(item)

    def plain(self, item: int) -> int:
        self.begun.append(now())
        if self.fails():
            raise Boom
        return item

    def generate_now(self, item: int) -> Iterator[int]:
        yield self.plain(item)


KINDS = ("call", "lazily", "generate")


@in_both_modes
@pytest.mark.parametrize("kind", KINDS)
async def test_no_attempt_begins_after_the_deadline(kind: str, mode: Any) -> None:
    """T2: the third attempt could begin at 8 only; the second one's error is raised at once."""
    work = Work()
    options: Any = {"retry_attempts": 9, "retry_delay": 2, "total_timeout": 7}
    task = single_task(task_name="f", **options)(getattr(work, kind))
    with pytest.raises(Boom) as info:
        await task.with_execution_mode(mode)([0]).collect()
    assert work.begun == [0, 3]
    assert now() == 4
    assert info.value.__notes__ == [
        "in task 'f', input 0, attempt 2, no time left of total_timeout=7 s"
    ]


@pytest.mark.parametrize("kind", ["plain", "generate_now"])
async def test_plain_functions_are_not_tried_after_it_either(kind: str) -> None:
    """T2: the pauses count."""
    work = Work()
    options: Any = {"retry_attempts": 9, "retry_delay": 2, "total_timeout": 7}
    task = single_task(on_error="skip_item", **options)(getattr(work, kind))
    stream = task([0])
    assert await stream.collect() == []
    assert work.begun == [0, 2, 6]
    assert (stream.stats[0].retried, stream.stats[0].skipped) == (2, 1)


@in_both_modes
@pytest.mark.parametrize("kind", KINDS)
async def test_a_running_attempt_is_cut(kind: str, mode: Any) -> None:
    """T2: at the deadline, and the failure before it is what is raised."""
    work = Work()
    options: Any = {"retry_attempts": 9, "retry_delay": 1, "total_timeout": 2.5}
    task = single_task(task_name="f", **options)(getattr(work, kind))
    with pytest.raises(Boom) as info:
        await task.with_execution_mode(mode)([0]).collect()
    assert (work.begun, now()) == ([0, 2], 2.5)
    assert info.value.__notes__ == [
        "in task 'f', input 0, attempt 2, no time left of total_timeout=2.5 s"
    ]
    assert not others()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_first_attempt_may_be_the_one_that_is_cut(kind: str) -> None:
    """T2: then there is no other error than TimeoutError, which is not tried again."""
    work = Work(10, 0)
    task = single_task(total_timeout=3, retry_attempts=5)(getattr(work, kind))
    with pytest.raises(TimeoutError, match=r"longer than total_timeout=3 s") as info:
        await task([0]).collect()
    assert (work.begun, now()) == ([0], 3)
    assert "attempt 1, no time left of total_timeout=3 s" in info.value.__notes__[0]


async def test_each_attempt_may_have_a_limit_of_its_own() -> None:
    """T1, T2: an attempt that was too long is tried again, as long as there is time."""
    work = Work(10)
    task = single_task(timeout=2, total_timeout=6, retry_attempts=9, retry_delay=1)(work.call)
    with pytest.raises(TimeoutError, match=r"longer than timeout=2 s"):
        await task([0]).collect()
    assert (work.begun, now()) == ([0, 3], 5)


async def test_what_is_in_time_comes_out() -> None:
    """T2: it changes nothing for calls that end before it, whatever their kind."""
    for kind in (*KINDS, "plain", "generate_now"):
        work = Work(1, 1)
        task = single_task(total_timeout=10, retry_attempts=2)(getattr(work, kind))
        assert await task(range(3)).collect() == [0, 1, 2]


async def test_each_item_has_a_deadline_of_its_own() -> None:
    """T2: it runs from the first attempt at that item, not from its arrival."""
    work = Work(2, 0)
    task = single_task(total_timeout=3, concurrency_limit=1)(work.call)
    assert await task(range(4)).collect() == [0, 1, 2, 3]
    assert work.begun == [0, 2, 4, 6]


async def test_an_attempt_that_gets_its_slot_in_time_begins() -> None:
    """T2, T6: though it had to wait for it."""
    begun: list[tuple[float, int]] = []

    @single_task(
        total_timeout=4,
        retry_attempts=2,
        retry_delay=1,
        concurrency_limit=2,
        on_error="skip_item",
        retry_on=Boom,
    )
    async def call(item: int) -> int:
        begun.append((now(), item))
        if item < 2:
            raise Boom
        await asyncio.sleep(3.5)
        return item

    stream = call.as_completed(range(6))
    got = [(item, now()) async for item in stream]
    assert got == [(2, 3.5), (3, 3.5), (4, 7), (5, 7)]
    assert begun[:6] == [(0, 0), (0, 1), (0, 2), (0, 3), (3.5, 0), (3.5, 1)]
    assert stream.stats[0].skipped == 2


async def test_there_may_be_no_slot_before_the_deadline() -> None:
    """T2, T6: then the item is given up at the deadline, and not when a slot is free."""
    failed: list[float] = []

    class Note(ErrorHandler):
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            failed.append(now())
            return True, -1

    @single_task(
        total_timeout=4,
        retry_attempts=2,
        retry_delay=1,
        concurrency_limit=2,
        error_handler=Note(),
        retry_on=Boom,
    )
    async def call(item: int) -> int:
        if item < 2:
            raise Boom
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(5)  # it holds its slot until it has ended
            raise
        return item

    assert await call(range(4)).collect() == [-1, -1, -1, -1]
    assert failed == [4, 4, 9, 9]


async def test_halves_of_a_batch_have_their_own() -> None:
    """T2, E3: each half is a new first attempt."""

    @batch_task(max_size=4, total_timeout=3, on_error="skip_item")
    async def call(batch: list[int]) -> list[int]:
        await asyncio.sleep(2)
        if 2 in batch:
            raise Boom
        return batch

    assert await call(range(4)).collect() == [0, 1, 3]
    assert now() == 10  # 0 to 3, 0 and 1, 2 and 3, 2, 3


async def test_time_in_which_outputs_wait_for_room_does_not_count() -> None:
    """T2: a slow reader lets no generator fail."""

    @single_task(total_timeout=4)
    async def call(item: int) -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(1)
            yield number

    got: list[int] = []
    async for number in call.with_context(max_in_flight=1)(range(2)):
        got.append(number)
        await asyncio.sleep(10)
    assert got == [0, 1, 2, 0, 1, 2]


async def test_a_cancellation_from_outside_is_none_of_its_own() -> None:
    """T2, L7: nor is it swallowed."""
    work = Work(10)
    stream = single_task(total_timeout=20, retry_attempts=2, retry_delay=1)(work.call)([0])
    task = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(10.5)
    task.cancel("of mine")
    with pytest.raises(asyncio.CancelledError, match="of mine"):
        await task
    assert now() == 10.5
    assert stream.stats[0].cancelled == 1


async def test_probes_are_told_of_each_attempt_that_began() -> None:
    """T2: of no other one, and of the error of each."""
    told: list[tuple[str, int, str]] = []

    def note(event: Event) -> None:
        if event.stage == 1 and event.kind in ("call_started", "attempt_failed", "retried"):
            told.append((event.kind, event.attempt, type(event.error).__name__))

    work = Work()
    task = single_task(total_timeout=2.5, retry_attempts=3, retry_delay=1)(work.call)
    with observe(note), pytest.raises(Boom):
        await task([0]).collect()
    assert told == [
        ("call_started", 1, "NoneType"),
        ("attempt_failed", 1, "Boom"),
        ("retried", 2, "NoneType"),
        ("attempt_failed", 2, "TimeoutError"),
    ]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_it_is_a_number_above_0(value: float) -> None:
    """T2, E10: a bad one is named."""
    for make in (single_task, batch_task):
        with pytest.raises(ValueError, match="total_timeout"):
            make(total_timeout=value, **({} if make is single_task else {"max_size": 2}))
    with pytest.raises(ValueError, match="total_timeout"):
        RetryConfig(total_timeout=value)
    with pytest.raises(TypeError, match="total_timeout"):
        RetryConfig(total_timeout="5")  # type: ignore[arg-type]


async def test_it_may_be_in_a_retry_config() -> None:
    """T2: as the other rules for retries."""
    work = Work(10)
    task = SingleTask(work.call, retry_config=RetryConfig(total_timeout=3))
    with pytest.raises(TimeoutError):
        await task([0]).collect()
    assert now() == 3
