"""What do tasks do under limits that they share? R1 to R7 of the contract, on the engine's side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from conveyor_rx import (
    AdaptiveLimit,
    AsyncStream,
    Limit,
    RateLimit,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.events import Event, observe
from tests.kit import Boom, Endless, drain, in_both_modes, now, others, watched_or_not

VARIABLE: ContextVar[int] = ContextVar("VARIABLE", default=0)


class Work:
    """Functions of a second that note when they begin."""

    def __init__(self, *, bad: Callable[[Any], bool] = lambda _: False) -> None:
        self.begun: list[tuple[float, Any]] = []
        self.now = self.most = 0
        self.bad = bad

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.begun]

    def begin(self, item: Any) -> None:
        self.begun.append((now(), item))

    async def call(self, item: Any) -> Any:
        self.begin(item)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(1)
        finally:
            self.now -= 1
        if self.bad(item):
            raise Boom
        return item

    def plain(self, item: Any) -> Any:
        self.begin(item)
        if self.bad(item):
            raise Boom
        return item

    def lazily(self, item: Any) -> Any:
        return self.call(item)

    async def generate(self, item: Any) -> AsyncIterator[Any]:
        yield await self.call(item)
        yield item

    def generate_now(self, item: Any) -> Iterator[Any]:
        yield self.plain(item)
        yield item


KINDS = ("call", "plain", "lazily", "generate", "generate_now")


def idle(limit: Any) -> bool:
    return not limit._queue and limit._out == 0


@watched_or_not
@in_both_modes
@pytest.mark.parametrize("kind", KINDS)
async def test_at_most_so_many_start_in_any_window(kind: str, mode: Any, watched: bool) -> None:
    """R1: for every kind of function; they start as early as that allows."""
    work, limit = Work(), RateLimit(2, per=5)
    task = single_task(rate_limit=limit)(getattr(work, kind))
    with observe(*([lambda _: None] if watched else [])):
        got = await task.with_execution_mode(mode)(range(6)).collect()
    assert sorted({*got}) == [0, 1, 2, 3, 4, 5]
    assert work.times == [0, 0, 5, 5, 10, 10]
    assert idle(limit)
    assert not others()


@in_both_modes
async def test_retries_count(mode: Any) -> None:
    """R1: each attempt costs, and waits for its turn."""
    failed: Counter[int] = Counter()

    def bad(item: int) -> bool:
        failed[item] += 1
        return failed[item] == 1

    work, limit = Work(bad=bad), RateLimit(2, per=10)
    task = single_task(rate_limit=limit, retry_attempts=2, retry_delay=0)(work.call)
    assert sorted(await task.with_execution_mode(mode)(range(3)).collect()) == [0, 1, 2]
    assert work.times == [0, 0, 10, 10, 20, 20]
    assert idle(limit)


async def test_halves_of_a_batch_count() -> None:
    """R1, E3: each is an attempt of its own."""
    work = Work(bad=lambda batch: 3 in batch)
    task = batch_task(max_size=4, rate_limit=RateLimit(1, per=10), on_error="skip_item")(work.call)
    assert await task(range(4)).collect() == [0, 1, 2]
    assert work.begun == [(0, [0, 1, 2, 3]), (10, [0, 1]), (20, [2, 3]), (30, [2]), (40, [3])]


async def test_a_half_that_waits_is_not_forgotten_when_another_batch_comes() -> None:
    """R1, E3: a sequential call keeps its slot, and its place in the queue of the limit."""
    work = Work(bad=lambda batch: 1 in batch)
    task = batch_task(max_size=2, rate_limit=RateLimit(1, per=10), on_error="skip_item")(work.call)

    async def slowly() -> AsyncIterator[int]:
        for number in range(4):
            yield number
            await asyncio.sleep(2)

    assert await task(slowly()).collect() == [0, 2, 3]
    assert work.times == [2, 12, 22, 32]


async def test_a_cost_is_that_of_the_item() -> None:
    """R2: for a batch task that of the list; several limits are taken together."""
    work = Work()
    requests = RateLimit(10, per=10)
    tokens: RateLimit[list[str]] = RateLimit(10, per=10, cost=lambda batch: len("".join(batch)))
    task = batch_task(max_size=2, rate_limit=[requests, tokens], concurrency_limit=9)(work.call)
    await task(["aaa", "bbb", "cc", "dd", "eeeee", "f"]).collect()
    assert work.times == [0, 0, 10]


@in_both_modes
@pytest.mark.parametrize("cost", ["raises", "too much", "negative", "no number"])
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
async def test_a_cost_that_cannot_be_had_is_a_failure_of_the_item(
    on_error: Any, cost: str, mode: Any
) -> None:
    """R2: it is not tried again, holds nothing, and the others go on."""

    def cost_of(item: int) -> Any:
        if item != 1:
            return 1
        if cost == "raises":
            raise Boom
        return {"too much": 11, "negative": -1, "no number": "many"}[cost]

    work, limit = Work(), RateLimit(10, cost=cost_of)
    task = SingleTask(work.call, rate_limit=limit, on_error=on_error, task_name="f")
    stream = task.with_execution_mode(mode)(range(3))
    if on_error == "fail":
        with pytest.raises((Boom, ValueError, TypeError)) as info:
            await stream.collect()
        assert "in task 'f', input 1" in info.value.__notes__[0]
    else:
        assert await stream.collect() == [0, 2]
        assert [item for _, item in work.begun] == [0, 2]
        assert stream.stats[0].skipped == 1
    assert idle(limit)


async def test_tasks_and_runs_share_a_limit() -> None:
    """R3: over two stages and two runs no more starts than one alone may."""
    work, limit = Work(), RateLimit(2, per=5)
    one = single_task(rate_limit=limit)(work.call)
    pipeline = one | single_task(rate_limit=limit)(work.lazily)
    await asyncio.gather(pipeline(range(2)).collect(), pipeline(range(2)).collect())
    assert work.times == [0, 0, 5, 5, 10, 10, 15, 15]
    assert idle(limit)


async def test_a_heavy_item_is_not_overtaken_by_another_task() -> None:
    """R3: light calls of another run wait behind it."""
    work, limit = Work(), RateLimit(10, per=10, cost=lambda item: item)
    heavy = single_task(rate_limit=limit)(work.call)
    light = single_task(rate_limit=limit)(work.call)

    async def later() -> list[int]:
        await asyncio.sleep(1)
        return await light([1, 1]).collect()

    await asyncio.gather(heavy([5, 10]).collect(), later())
    assert work.begun == [(0, 5), (10, 10), (20, 1), (20, 1)]


async def test_who_waits_holds_no_slot() -> None:
    """R4: another stage has what max_parallelism allows."""
    work, other = Work(), Work()
    pipeline = single_task(rate_limit=RateLimit(1, per=10))(work.call) | single_task(other.call)
    stream = pipeline.with_context(max_parallelism=1)(range(3))
    assert await stream.collect() == [0, 1, 2]
    assert work.times == [0, 10, 20]
    assert other.times == [1, 11, 21]


async def test_who_waits_stands_in_the_window() -> None:
    """R4: what is pulled ahead is bounded, and counts as waiting."""
    source, work = Endless(), Work()
    task = single_task(rate_limit=RateLimit(1, per=10))(work.call)
    async with task.with_context(max_in_flight=4)(source) as stream:
        assert await anext(stream) == 0
        await asyncio.sleep(1)
        assert source.pulled == 5
        assert (stream.stats[0].running, stream.stats[0].waiting) == (0, 4)


@in_both_modes
async def test_a_run_that_is_closed_waits_no_more(mode: Any) -> None:
    """R4: what waits is free at once, and leaves its place to others."""
    work, limit = Work(), RateLimit(1, per=10)
    task = single_task(rate_limit=limit).__call__(work.call).with_execution_mode(mode)
    async with task(range(5)) as stream:
        assert await anext(stream) == 0
        other = asyncio.ensure_future(task(["other"]).collect())
        await asyncio.sleep(1)
    assert stream.stats[0].cancelled == 4
    assert await other == ["other"]
    assert work.begun == [(0, 0), (10, "other")]
    assert idle(limit)


async def test_a_run_whose_consumer_is_away_stops_no_other() -> None:
    """R4, L4: it steps aside, and asks again when it is read."""
    work, limit = Work(), RateLimit(1, per=10)
    task = single_task(rate_limit=limit)(work.call)
    stream = task(range(3))
    async for _ in stream:
        break
    assert await task(["other"]).collect() == ["other"]
    assert work.begun == [(0, 0), (10, "other")]
    assert [item async for item in stream] == [1, 2]
    assert work.times == [0, 10, 20, 30]


async def test_a_failure_of_the_run_gives_all_back() -> None:
    """R4, E1: with retries that wait for the limit as well."""
    attempts: Counter[int] = Counter()

    def bad(item: int) -> bool:
        attempts[item] += 1
        return item < 2 or item == 3

    work, limit = Work(bad=bad), RateLimit(4, per=10)
    task = SingleTask(work.call, rate_limit=limit, task_name="f")
    retrying = single_task(rate_limit=limit, retry_attempts=5, retry_delay=0)(work.call)
    one = asyncio.ensure_future(retrying([0, 1, 2]).collect())
    await asyncio.sleep(2)
    with pytest.raises(Boom):
        await task([5, 6, 3]).collect()
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    assert idle(limit)
    assert not others()


async def test_retry_after_pauses_the_limits_of_the_task() -> None:
    """R5: one answer "come again in 20 s" holds for all calls."""
    work = Work(bad=lambda item: item == 0 and len(work.begun) < 3)
    limit = RateLimit(1, per=2)
    task = single_task(
        rate_limit=limit, retry_attempts=2, retry_after=lambda _: 20.0, retry_delay=0
    )(work.call)
    await task(range(3)).collect()
    assert work.times == [0, 21, 23, 25]


async def test_a_call_may_charge_what_it_has_used() -> None:
    """R5: the next one waits until there is room for it again."""
    limit = RateLimit(10, per=10, cost=lambda _: 5)
    begun: list[float] = []

    @single_task(rate_limit=limit, concurrency_limit=1)
    async def call(item: int) -> int:
        begun.append(now())
        if item == 0:
            limit.charge(5)
        return item

    await call(range(3)).collect()
    assert begun == [0, 10, 10]


@in_both_modes
@pytest.mark.parametrize("kind", ["call", "lazily", "generate"])
async def test_calls_at_once_are_counted_over_all(kind: str, mode: Any) -> None:
    """R6: over two stages and two runs that share the limit; it is used up while there is work."""
    work, limit = Work(), Limit(3)
    stage = single_task(concurrency_limit=limit)(getattr(work, kind))
    other = single_task(concurrency_limit=limit)(work.call)
    pipeline = (stage | other).with_execution_mode(mode)
    await asyncio.gather(pipeline(range(4)).collect(), pipeline(range(4)).collect())
    assert work.most == 3
    assert now() == (6 if kind != "generate" else 8)
    assert idle(limit)


@in_both_modes
@pytest.mark.parametrize("end", ["fails", "skipped", "none", "list", "handled", "cancelled"])
async def test_a_permit_comes_back_after_any_end(end: str, mode: Any) -> None:
    """R6: once, and when the call has really ended."""
    limit = Limit(1)

    class Handler:
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            return True, None

    async def call(item: int) -> Any:
        try:
            await asyncio.sleep(1)
        finally:
            if end == "cancelled":
                await asyncio.sleep(1)
        if end in ("fails", "skipped", "handled"):
            raise Boom
        return {"none": None, "list": [item, item]}.get(end, item)

    options: dict[str, Any] = {"on_error": "skip_item"} if end == "skipped" else {}
    if end == "handled":
        options["error_handler"] = Handler()
    stream = single_task(concurrency_limit=limit, **options)(call).with_execution_mode(mode)(
        range(3)
    )
    if end == "cancelled":
        async with stream:
            reading = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.5)
        await asyncio.gather(reading, return_exceptions=True)
        assert now() == 1.5
    elif end == "fails":
        with pytest.raises(Boom):
            await stream.collect()
    else:
        await stream.collect()
    assert idle(limit)


async def test_a_call_that_waits_for_its_next_attempt_holds_no_permit() -> None:
    """R6, T6: nor while it waits for the permit of that."""
    work = Work(bad=lambda item: item == 0 and len(work.begun) == 1)
    task = single_task(concurrency_limit=Limit(1), retry_attempts=2, retry_delay=0.5)(work.call)
    assert await task(range(3)).collect() == [0, 1, 2]
    assert work.begun == [(0, 0), (1, 1), (2, 2), (3, 0)]


async def test_an_adaptive_limit_learns() -> None:
    """R7: it grows while it is used up, and is cut once for a burst of failures."""
    limit = AdaptiveLimit(start=2, maximum=50, back_off=0.5, slow_down_on=Boom)
    work = Work(bad=lambda _: work.now + 1 > 10)
    task = single_task(concurrency_limit=limit, retry_attempts=50, retry_delay=0)(work.call)
    assert await task(range(200)).collect() == [*range(200)]
    assert 10 < work.most <= 13
    assert limit.limit >= 5
    assert idle(limit)


async def test_a_cut_answers_for_all_that_had_started() -> None:
    """R7: fifty failures at once are one cut."""
    limit = AdaptiveLimit(start=50, back_off=0.5)
    work = Work(bad=lambda _: now() < 2)
    task = single_task(concurrency_limit=limit, on_error="skip_item")(work.call)
    stream = task(range(50))
    assert await stream.collect() == []
    assert limit.limit == 25


async def test_a_rule_that_raises_fails_the_run() -> None:
    """R7: nothing is left behind, and the failure of the call is its cause."""

    def rule(_: Exception) -> bool:
        raise KeyError("rule")

    limit = AdaptiveLimit(slow_down_on=rule)
    work = Work(bad=lambda item: item == 1)
    with pytest.raises(KeyError, match="rule") as info:
        await single_task(concurrency_limit=limit, on_error="skip_item")(work.call)(
            range(3)
        ).collect()
    assert isinstance(info.value.__cause__, Boom)
    assert idle(limit)


async def test_keys_and_rates_together() -> None:
    """K1, R1: an item whose key is busy asks for nothing; a retry asks with its key."""
    failed: Counter[int] = Counter()

    def bad(item: int) -> bool:
        failed[item] += 1
        return item == 0 and failed[0] == 1

    work, limit = Work(bad=bad), RateLimit(1, per=2)
    task = single_task(
        key=lambda item: item % 2, rate_limit=limit, retry_attempts=2, retry_delay=0
    )(work.call)
    assert await task(range(4)).collect() == [0, 1, 2, 3]
    assert work.begun == [(0, 0), (2, 1), (4, 0), (6, 3), (8, 2)]


async def test_a_deadline_cuts_the_wait_for_a_permit() -> None:
    """T2, R4: a retry that could start only after it is not made."""
    work = Work(bad=lambda _: True)
    limit = RateLimit(1, per=10)
    task = single_task(
        rate_limit=limit, total_timeout=5, retry_attempts=3, retry_delay=1, on_error="skip_item"
    )(work.call)
    stream = task([0])
    assert await stream.collect() == []
    assert (work.times, now()) == ([0], 5)
    assert idle(limit)


async def test_after_such_a_cut_the_limit_of_calls_still_holds() -> None:
    """T2, F3: who was cut while it waited without a slot has neither given nor taken one."""
    running = most = 0

    @single_task(
        concurrency_limit=2,
        rate_limit=RateLimit(3, per=10),
        total_timeout=5,
        retry_attempts=3,
        retry_delay=1,
        on_error="skip_item",
    )
    async def call(item: int) -> int:
        nonlocal running, most
        if item < 3:
            raise Boom
        running += 1
        most = max(most, running)
        await asyncio.sleep(4)
        running -= 1
        return item

    stream = call(range(9))
    assert await stream.collect() == [3, 4, 5, 6, 7, 8]
    assert (most, stream.stats[0].skipped) == (2, 3)


async def test_a_due_batch_is_cut_when_the_one_before_has_got_its_permit() -> None:
    """B4, R4: until then it grows, though there is a slot; and no longer, though calls go on."""

    @batch_task(max_size=9, max_wait=1, concurrency_limit=3, rate_limit=RateLimit(1, per=10))
    async def call(batch: list[int]) -> tuple[int, ...]:
        await asyncio.sleep(5)
        return tuple(batch)

    async def items() -> AsyncIterator[int]:
        for item, pause in enumerate([0, 2, 2, 2, 6]):  # at 0, 2, 4, 6 and 12
            await asyncio.sleep(pause)
            yield item

    assert await call(items()).collect() == [(0,), (1,), (2, 3), (4,)]


async def test_side_inputs_are_loaded_before_anything_is_taken() -> None:
    """R1, S1: the window begins when the call does."""
    work = Work()

    async def later() -> AsyncIterator[int]:
        await asyncio.sleep(7)
        yield 1

    @single_task(rate_limit=RateLimit(2, per=5))
    async def call(item: int, side: int) -> int:
        work.begin(item)
        return item + side

    assert await call.with_inputs(AsyncStream(later()))(range(4)).collect() == [1, 2, 3, 4]
    assert work.times == [7, 7, 12, 12]


async def test_probes_are_told_that_an_item_waits_for_a_rate() -> None:
    """R4: once for each item."""
    told: list[tuple[int, str]] = []

    def note(event: Event) -> None:
        if event.kind == "waiting":
            told.append((event.inputs[0], event.reason))

    with observe(note):
        await single_task(rate_limit=RateLimit(2, per=5))(Work().call)(range(4)).collect()
    assert told == [(2, "rate"), (3, "rate")]


def test_a_second_loop_at_the_same_time_is_refused() -> None:
    """R3: the run fails with a RuntimeError that says so."""
    limit = Limit(1)
    work: list[int] = []

    @single_task(concurrency_limit=limit)
    async def call(item: int) -> int:
        work.append(item)
        if item == 0:
            await asyncio.to_thread(other)
        return item

    def other() -> None:
        with pytest.raises(RuntimeError, match="in use on another event loop"):
            asyncio.run(call([1]).collect())  # type: ignore[arg-type]

    async def main() -> list[int]:
        return await call([0]).collect()

    assert asyncio.run(main()) == [0]
    assert work == [0]


BAD: list[tuple[str, Any]] = [
    ("rate_limit", 5),
    ("rate_limit", [RateLimit(1), 5]),
    ("rate_limit", Limit(1)),
    ("rate_limit", [*[RateLimit(1)] * 2]),
    ("concurrency_limit", RateLimit(1)),
    ("concurrency_limit", 0),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_limits_are_named(name: str, value: Any) -> None:
    """E10: when the task is made."""
    with pytest.raises((TypeError, ValueError), match=name):
        single_task(**{name: value})
    with pytest.raises((TypeError, ValueError), match=name):
        batch_task(max_size=2, **{name: value})


def test_what_a_task_shares_is_seen() -> None:
    """R3: in its repr."""
    task = single_task(rate_limit=RateLimit(10, per=60), concurrency_limit=Limit(3))(Work().call)
    assert repr(task) == (
        "<single_task call: up to 1,024 calls at once, RateLimit of 10 in 60 s, Limit of 3>"
    )


@in_both_modes
@pytest.mark.parametrize("way", ["close", "cancelled", "context"])
@pytest.mark.parametrize("which", ["key", "cost"])
async def test_what_a_key_or_a_cost_may_do(which: str, way: str, mode: Any) -> None:
    """K4, R2, E8, L3: close the run, raise a CancelledError, set a variable; all is counted."""
    streams: list[AsyncStream[Any]] = []
    seen: list[int] = []

    def ask(item: int) -> int:
        seen.append(VARIABLE.get())
        VARIABLE.set(item + 1)
        if item == 1 and way == "cancelled":
            raise asyncio.CancelledError
        if item == 1 and way == "close":
            closing.append(asyncio.ensure_future(streams[0].aclose()))
            streams[0]._reading.reader.close()  # type: ignore[union-attr]
        return 1

    closing: list[asyncio.Future[None]] = []
    limit = RateLimit(10, cost=ask)
    options: dict[str, Any] = {"key": ask} if which == "key" else {"rate_limit": limit}
    task = single_task(on_error="skip_item", **options)(Work().call)
    streams.append(task.with_execution_mode(mode)(range(4)))
    got = await streams[0].collect()
    await asyncio.gather(*closing)
    (stats,) = streams[0].stats
    assert stats.in_ == stats.completed + stats.skipped + stats.cancelled
    assert (stats.running, stats.waiting) == (0, 0)
    assert {*seen} == {0}
    assert idle(limit)
    if way != "close":
        assert sorted(got) == ([0, 2, 3] if way == "cancelled" else [0, 1, 2, 3])
    assert not others()


@pytest.mark.parametrize("in_wait", ["first attempt", "retry"])
async def test_a_failure_lets_go_on_who_is_in_front_of_it(in_wait: str) -> None:
    """E1, R1: though the one for which the rate was asked stood behind the failure."""
    failed: set[int] = set()

    async def arrive(item: int) -> int:
        await asyncio.sleep(3 if item == 0 else 0)  # so it comes last, and stands first
        return item

    @single_task(
        rate_limit=RateLimit(1 if in_wait == "first attempt" else 4, per=10),
        retry_attempts=2,
        retry_delay=4,
    )
    async def ask(item: int) -> int:
        if in_wait == "retry" and item in (0, 2) and item not in failed:
            failed.add(item)
            raise Boom
        return item

    async def check(item: int) -> int:
        if item == 1:
            await asyncio.sleep(8)
            raise Boom("the failure")
        return item

    got: list[int] = []
    with pytest.raises(Boom, match="the failure"):
        await drain((single_task(arrive) | ask | single_task(check))(range(4)), got)
    assert (got, now()) == ([0], 10)
