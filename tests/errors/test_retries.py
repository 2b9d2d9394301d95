"""When is a failed call tried again? E5 of the contract."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from conveyor_rx import RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx.testing import timeline
from tests.kit import in_both_modes, now

KINDS = ("async", "def", "generator", "async generator", "def that gives a coroutine")
of_each_kind = pytest.mark.parametrize("kind", KINDS)


class Failing:
    """A function of some kind that fails at its first `times` calls for item `at`."""

    def __init__(self, kind: str, times: float, at: Any = 0) -> None:
        self.left = times
        self.at = at
        self.calls: list[tuple[float, Any]] = []
        self.errors: list[ValueError] = []
        self.function = self._function(kind)

    def instants(self, item: Any = 0) -> list[float]:
        """Give when the calls for `item` began."""
        return [at for at, called in self.calls if called == item]

    def _check(self, item: Any) -> Any:
        self.calls.append((now(), item))
        if item == self.at and self.left > 0:
            self.left -= 1
            self.errors.append(ValueError(f"attempt {len(self.errors) + 1}"))
            raise self.errors[-1]
        return item

    def _function(self, kind: str) -> Callable[[Any], Any]:
        async def call(item: Any) -> Any:
            return self._check(item)

        def call_now(item: Any) -> Any:
            return self._check(item)

        def generate(item: Any) -> Iterator[Any]:
            yield self._check(item)

        async def generate_async(item: Any) -> AsyncIterator[Any]:
            yield self._check(item)

        def call_later(item: Any) -> Any:
            return call(item)

        return dict(
            zip(KINDS, (call, call_now, generate, generate_async, call_later), strict=True)
        )[kind]


@of_each_kind
@in_both_modes
async def test_the_delay_doubles_from_attempt_to_attempt(kind: str, mode: Any) -> None:
    """E5: retry_delay, then twice, four times…; the result comes when the last attempt succeeds."""
    work = Failing(kind, times=4)
    task = single_task(retry_attempts=5, retry_delay=0.5)(work.function)
    stream = task.with_execution_mode(mode)([0])
    assert await timeline(stream) == [(7.5, 0)]
    assert work.instants() == [0, 0.5, 1.5, 3.5, 7.5]
    (stats,) = stream.stats
    assert (stats.retried, stats.completed, stats.failed) == (4, 1, 0)


@of_each_kind
async def test_the_delay_is_capped(kind: str) -> None:
    """E5: no wait is longer than retry_max_delay."""
    work = Failing(kind, times=5)
    task = single_task(retry_attempts=6, retry_delay=1.0, retry_max_delay=3.0)(work.function)
    assert await timeline(task([0])) == [(12, 0)]
    assert work.instants() == [0, 1, 3, 6, 9, 12]


@pytest.mark.parametrize("backoff", [True, False])
def test_a_delay_above_the_cap_is_refused(backoff: bool) -> None:
    """E10: it would be the cap from the first wait on, without a word."""
    with pytest.raises(ValueError, match=r"base_delay must be at most max_delay=2.0, not 9.0"):
        RetryConfig(3, base_delay=9.0, exponential_backoff=backoff, max_delay=2.0)
    with pytest.raises(ValueError, match=r"retry_delay must be at most retry_max_delay=60, not 61"):
        single_task(retry_delay=61, retry_max_delay=60, retry_exponential_backoff=backoff)
    with pytest.raises(ValueError, match=r"retry_delay must be at most retry_max_delay=2, not 3"):
        batch_task(2, retry_delay=3, retry_max_delay=2, retry_exponential_backoff=backoff)


@pytest.mark.parametrize("backoff", [True, False])
async def test_a_default_gives_way_to_what_is_given(backoff: bool) -> None:
    """E5: a delay above the default cap raises that; a cap below the default delay lowers that."""
    for options, delays in (({"retry_delay": 90}, [90, 90]), ({"retry_max_delay": 0.5}, [0.5] * 2)):
        work = Failing("async", times=2)
        start = now()
        task = single_task(retry_attempts=3, retry_exponential_backoff=backoff, **options)
        await task(work.function)([0]).collect()
        waits = [at - start for at in work.instants()]
        assert waits == [0, delays[0], sum(delays)]


def test_a_changed_copy_knows_what_was_a_default() -> None:
    """E5: also one of a copy that was sent elsewhere."""
    for copied in (RetryConfig(), pickle.loads(pickle.dumps(RetryConfig())), RetryConfig(3, 70)):
        assert dataclasses.replace(copied, base_delay=90).max_delay == 90
    given = pickle.loads(pickle.dumps(RetryConfig(max_delay=60.0)))
    with pytest.raises(ValueError, match="max_delay"):
        dataclasses.replace(given, base_delay=90)
    assert repr(RetryConfig()) == (
        "RetryConfig(max_attempts=3, base_delay=1.0, exponential_backoff=True, max_delay=60.0, "
        "backoff_multiplier=2.0, retry_on=<class 'Exception'>, retry_jitter=0.0, retry_after=None, "
        "total_timeout=None)"
    )


@pytest.mark.parametrize("attempt", [1, 2, 1024, 1025, 1026, 9_999, 10**6])
def test_no_delay_stays_none_however_many_attempts(attempt: int) -> None:
    """E5: 0 times a power that is beyond all numbers is 0; a tiny delay grows as it must."""
    assert RetryConfig(max_attempts=10_000, base_delay=0).delay(attempt) == 0
    assert RetryConfig(base_delay=0, max_delay=0, backoff_multiplier=10**300).delay(attempt) == 0
    tiny = RetryConfig(base_delay=2.0**-1060, max_delay=1.0).delay(attempt)
    assert tiny == pytest.approx(min(1.0, 2.0 ** min(attempt - 1061, 0)), rel=1e-9)
    assert RetryConfig(base_delay=1, backoff_multiplier=0.5).delay(attempt) == 0.5 ** (attempt - 1)
    assert RetryConfig(base_delay=1, backoff_multiplier=0).delay(attempt) == (attempt == 1)


@of_each_kind
async def test_without_backoff_all_delays_are_the_same(kind: str) -> None:
    """E5: retry_exponential_backoff=False waits retry_delay each time."""
    work = Failing(kind, times=3)
    task = single_task(retry_attempts=4, retry_delay=1.5, retry_exponential_backoff=False)(
        work.function
    )
    assert await timeline(task([0])) == [(4.5, 0)]
    assert work.instants() == [0, 1.5, 3, 4.5]


async def test_the_multiplier_is_ours_to_set() -> None:
    """E5: RetryConfig.backoff_multiplier takes the place of doubling."""
    work = Failing("async", times=3)
    config = RetryConfig(4, base_delay=1.0, backoff_multiplier=3.0)
    assert await timeline(SingleTask(work.function, retry_config=config)([0])) == [(13, 0)]
    assert work.instants() == [0, 1, 4, 13]


async def test_no_delay_at_all() -> None:
    """E5: retry_delay=0 tries again at the same instant."""
    work = Failing("async", times=4)
    task = single_task(retry_attempts=5, retry_delay=0)(work.function)
    assert await timeline(task([0])) == [(0, 0)]


async def test_very_many_attempts_do_not_overflow() -> None:
    """E5: 2 to the power of thousands is still the cap."""
    work = Failing("async", times=1500)
    task = single_task(retry_attempts=2000, retry_delay=0.001, retry_max_delay=1.0)(work.function)
    assert await task([0]).collect() == [0]
    assert len(work.calls) == 1501
    assert RetryConfig(base_delay=1.0, max_delay=60.0).delay(10**6) == 60.0


async def test_the_defaults_are_those_of_the_documentation() -> None:
    """E5: one attempt, 1 s, doubling, 60 s for decorators; three attempts for RetryConfig."""
    work = Failing("async", times=99)
    with pytest.raises(ValueError, match="attempt 1"):
        await single_task(work.function)([0]).collect()
    assert work.instants() == [0]
    work = Failing("async", times=99)
    with pytest.raises(ValueError, match="attempt 8"):
        await single_task(retry_attempts=8)(work.function)([0]).collect()
    assert work.instants() == [0, 1, 3, 7, 15, 31, 63, 123]
    work = Failing("async", times=99)
    start = now()
    with pytest.raises(ValueError, match="attempt 3"):
        await SingleTask(work.function, retry_config=RetryConfig())([0]).collect()
    assert [at - start for at in work.instants()] == [0, 1, 3]


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
async def test_then_the_policy(kind: str, mode: Any, on_error: Any) -> None:
    """E5: retry_attempts calls in all; the last attempt's exception is what the policy gets."""
    work = Failing(kind, times=99, at=1)
    task = single_task(retry_attempts=3, retry_delay=1.0, on_error=on_error)(work.function)
    stream = task.with_execution_mode(mode)(range(2))
    if on_error == "fail":
        with pytest.raises(ValueError, match="attempt 3") as info:
            await stream.collect()
        assert info.value is work.errors[2]
        name = work.function.__name__
        assert info.value.__notes__ == [f"in task {name!r}, input 1, attempt 3"]
    else:
        assert await stream.collect() == [0]
    assert work.instants(1) == [0, 1, 3]
    (stats,) = stream.stats
    assert (stats.retried, stats.failed + stats.skipped) == (2, 1)


@of_each_kind
async def test_in_ordered_mode_the_others_go_on_and_keep_their_order(kind: str) -> None:
    """E5, O1: calls behind one that is tried again start meanwhile; results keep their place."""
    work = Failing(kind, times=2, at=0)
    task = single_task(retry_attempts=3, retry_delay=1.0)(work.function)
    assert await timeline(task(range(3))) == [(3, 0), (3, 1), (3, 2)]
    assert (work.instants(1), work.instants(2)) == ([0], [0])


@of_each_kind
async def test_as_completed_the_others_overtake(kind: str) -> None:
    """E5, O2: one that is tried again holds up nobody."""
    work = Failing(kind, times=2, at=0)
    task = single_task(retry_attempts=3, retry_delay=1.0)(work.function)
    assert await timeline(task.as_completed(range(3))) == [(0, 1), (0, 2), (3, 0)]


async def test_a_sequential_call_keeps_its_slot_until_its_last_attempt() -> None:
    """E5, F3, O4, T6: concurrency_limit=1 is sequential, retries and their delays included."""
    work = Failing("async", times=2, at=0)
    task = single_task(retry_attempts=3, retry_delay=1.0, concurrency_limit=1)(work.function)
    assert await timeline(task(range(2))) == [(3, 0), (3, 1)]
    assert work.calls == [(0, 0), (1, 0), (3, 0), (3, 1)]


@pytest.mark.parametrize("kind", ["generator", "async generator"])
@in_both_modes
async def test_a_generator_that_has_yielded_is_not_retried(kind: str, mode: Any) -> None:
    """E5: it would give its outputs twice; the failure goes to the policy after one attempt."""
    calls: list[int] = []

    def generate(item: int) -> Iterator[int]:
        calls.append(item)
        yield item
        raise ValueError("boom")

    async def generate_async(item: int) -> AsyncIterator[int]:
        for value in generate(item):
            yield value

    function = generate if kind == "generator" else generate_async
    config = RetryConfig(5, 1.0)
    task = SingleTask(function, retry_config=config, task_name="work")
    stream = task.with_execution_mode(mode)([7])
    assert await anext(stream) == 7
    with pytest.raises(ValueError, match="boom") as info:
        await anext(stream)
    assert info.value.__notes__ == ["in task 'work', input 0, attempt 1"]
    assert (calls, now()) == ([7], 0)
    skipping = SingleTask(function, retry_config=config, on_error="skip_item")
    stream = skipping.with_execution_mode(mode)([7, 8])
    assert await stream.collect() == [7, 8]
    assert calls == [7, 7, 8]
    assert stream.stats[0].skipped == 2


@pytest.mark.parametrize("kind", ["generator", "async generator"])
async def test_a_generator_that_fails_before_its_first_output_is_retried(kind: str) -> None:
    """E5: it has given nothing yet; only the attempt that succeeds is delivered, whole."""
    attempts: list[float] = []

    def generate(item: int) -> Iterator[int]:
        attempts.append(now())
        if len(attempts) < 3:
            raise ValueError("boom")
        yield item
        yield item + 1

    async def generate_async(item: int) -> AsyncIterator[int]:
        for value in generate(item):
            await asyncio.sleep(0.25)
            yield value

    function = generate if kind == "generator" else generate_async
    got = await SingleTask(function, retry_config=RetryConfig(3, 1.0))([5]).collect()
    assert got == [5, 6]
    assert attempts == [0, 1, 3]


async def test_a_generator_that_has_yielded_only_none_has_given_nothing() -> None:
    """E5, V1: None is no output, yet the generator has yielded: it is not retried."""
    calls: list[int] = []

    @single_task(retry_attempts=3, on_error="skip_item")
    def work(item: int) -> Iterator[None]:
        calls.append(item)
        yield None
        raise ValueError("boom")

    assert await work([1]).collect() == []
    assert calls == [1]


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "def", "generator", "async generator"])
async def test_a_batch_is_retried_whole(mode: Any, kind: str) -> None:
    """E5: the same list again, the counters count attempts in calls."""
    work = Failing(kind, times=2, at=[0, 1])
    task = batch_task(max_size=2, retry_attempts=3, retry_delay=1.0)(work.function)
    got = await timeline(task.with_execution_mode(mode)(range(4)))
    flat = [(3, 0), (3, 1), (3, 2), (3, 3)]
    assert got == (flat if kind in ("async", "def") else [(3, [0, 1]), (3, [2, 3])])
    assert work.calls == [(0, [0, 1]), (1, [0, 1]), (3, [0, 1]), (3, [2, 3])]


@of_each_kind
async def test_closing_ends_the_wait_for_the_next_attempt(kind: str) -> None:
    """E5, L2: a delay is cancelled with the run, no further attempt is made."""
    work = Failing(kind, times=99, at=1)
    task = single_task(retry_attempts=9, retry_delay=10.0)(work.function)
    stream = task(range(3))
    assert await anext(stream) == 0
    await asyncio.sleep(1)
    await stream.aclose()
    assert now() == 1
    await asyncio.sleep(1000)
    assert work.instants(1) == [0]


async def test_a_failure_before_it_ends_the_wait_for_the_next_attempt() -> None:
    """E5, E1: a call behind a failure is not tried again, whatever the run still has to do."""
    calls: list[tuple[float, int]] = []

    async def before(item: int) -> int:
        await asyncio.sleep((9, 3, 0)[item])
        if item == 1:
            raise KeyError(item)
        return item

    @single_task(retry_attempts=9, retry_delay=2.0)
    async def work(item: int) -> int:
        calls.append((now(), item))
        if item == 2:
            raise ValueError("boom")
        return item

    with pytest.raises(KeyError):
        await (SingleTask(before) | work)(range(3)).collect()
    assert calls == [(0, 2), (2, 2), (9, 0)]  # the next would have been at 6 s


async def test_each_run_counts_its_own_attempts() -> None:
    """E5, L6: nothing of an earlier run is left in the task."""
    for _ in range(2):
        work = Failing("async", times=99)
        task = single_task(retry_attempts=2, retry_delay=1.0)(work.function)
        for _ in range(2):
            with pytest.raises(ValueError, match="attempt"):
                await task([0]).collect()
        assert len(work.calls) == 4


async def test_retries_in_two_stages_add_up() -> None:
    """E5: each stage retries its own calls only; the first is not called again for the second."""
    first, second = Failing("async", times=1), Failing("async", times=2)
    pipeline = single_task(retry_attempts=2, retry_delay=1.0)(first.function) | single_task(
        retry_attempts=3, retry_delay=2.0
    )(second.function)
    assert await timeline(pipeline([0])) == [(7, 0)]
    assert (first.instants(), second.instants()) == ([0, 1], [1, 3, 7])


SEEN: ContextVar[str | None] = ContextVar("SEEN", default=None)


def _marking(kind: str, seen: list[str | None], attempts: int) -> Callable[[Any], Any]:
    """Give a function of `kind` that notes what an earlier call set, and fails at first."""

    def mark(item: Any) -> Any:
        seen.append(SEEN.get())
        SEEN.set(str(item))
        if len(seen) < attempts:
            raise ValueError(item)
        return item

    async def later(item: Any) -> Any:
        await asyncio.sleep(0)
        return mark(item)

    async def generate_later(item: Any) -> AsyncIterator[Any]:
        yield await later(item)

    def generate(item: Any) -> Iterator[Any]:
        yield mark(item)

    def lazily(item: Any) -> Any:
        return later(item)

    return dict(zip(KINDS, (later, mark, generate, generate_later, lazily), strict=True))[kind]


@of_each_kind
@in_both_modes
async def test_each_attempt_sees_the_context_of_the_run_and_no_other(kind: str, mode: Any) -> None:
    """Design, section 3: each call gets its own copy of the context in which the run started."""
    seen: list[str | None] = []
    SEEN.set("before")
    retry = RetryConfig(max_attempts=4, base_delay=0.1)
    task = SingleTask(_marking(kind, seen, 4), retry_config=retry)
    assert await task.with_execution_mode(mode)([1]).collect() == [1]
    assert seen == ["before"] * 4
    assert SEEN.get() == "before"


async def test_each_half_of_a_batch_is_called_in_a_context_of_its_own() -> None:
    """Design, section 3, for the calls that isolate a failing item (E3)."""
    seen: list[str | None] = []

    @batch_task(max_size=4, on_error="skip_item")
    async def check(batch: list[int]) -> list[int]:
        seen.append(SEEN.get())
        SEEN.set(str(batch))
        if 2 in batch:
            raise ValueError(batch)
        return batch

    assert await check(range(4)).collect() == [0, 1, 3]
    assert seen == [None] * 5


@pytest.mark.parametrize("kind", ["async", "async generator"])
async def test_a_call_that_closes_its_own_run_at_a_retry_is_not_cancelled(kind: str) -> None:
    """L3, for a later attempt as for the first: it goes on, and `aclose` does not wait for it."""
    went_on: list[int] = []
    attempts: list[int] = []

    async def close(item: int) -> None:
        attempts.append(item)
        if len(attempts) == 1:
            raise ValueError(item)
        await stream.aclose()
        await asyncio.sleep(1)
        went_on.append(item)

    async def generate(item: int) -> AsyncIterator[int]:
        await close(item)
        yield item

    function = generate if "generator" in kind else close
    task = SingleTask(function, retry_config=RetryConfig(max_attempts=2, base_delay=0.1))
    stream = task([1])
    assert await stream.collect() == []
    assert len(attempts) == 2
    await asyncio.sleep(2)
    assert went_on == [1]


@in_both_modes
async def test_the_result_of_a_later_attempt_waits_for_no_room(mode: Any) -> None:
    """O2: it takes the place of its item, as that of a first attempt does, in a full window too."""
    function = Failing("async", 1, at=1)

    @single_task(retry_attempts=2, retry_delay=0.5)
    async def work(item: int) -> Any:
        await asyncio.sleep(100 if item == 0 else 0.5)
        return await function.function(item)

    pipeline = work.with_context(max_in_flight=2, execution_mode=mode)
    came = [(item, now()) async for item in pipeline([0, 1])]
    in_order = mode == "ordered"
    assert came == ([(0, 100), (1, 100)] if in_order else [(1, 1.5), (0, 100)])
