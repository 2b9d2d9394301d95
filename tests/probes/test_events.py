"""What does a probe hear of a run? `conveyor_rx.events`."""

from __future__ import annotations

import asyncio
import logging
import operator
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx.events import Event, Probe, RunInfo, StageInfo, observe
from conveyor_rx.testing import run
from tests.kit import in_both_modes
from tests.probes.event_rules import EventRules
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans

EAGER = sys.version_info >= (3, 12)  # before that a call begins at the loop's next turn


@single_task(concurrency_limit=2)
async def slow(n: int) -> int:
    await asyncio.sleep(n)
    return n


@batch_task(max_size=2)
async def pair(batch: list[int]) -> list[int]:
    await asyncio.sleep(1)
    return batch


async def observed(stream: AsyncStream[Any]) -> tuple[list[Any] | Exception, EventRules]:
    """Collect `stream`; return its results, or what it raised, and what was heard of it."""
    rules = EventRules()
    with observe(rules):
        try:
            results: list[Any] | Exception = await stream.collect()
        except Exception as error:
            results = error
    rules.check_end()
    assert not rules.broken, "\n".join(rules.broken)
    rules.check_counters(stream.stats)
    return results, rules


def brief(event: Event) -> tuple[Any, ...]:
    return event.time, event.kind, event.stage, event.inputs


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_the_events_of_a_random_run_fit_together(plan: Plan) -> None:
    """P1, P3: whatever the stages, the failures and the consumer; the run is as it is without."""
    heard: dict[int, EventRules] = {}

    def probe(event: Event) -> None:
        heard.setdefault(id(event.run), EventRules())(event)

    with observe(probe):
        check(plan)
    for rules in heard.values():
        rules.check_end()
        assert not rules.broken, "\n".join(rules.broken)


async def test_every_step_of_a_run_is_told_in_order() -> None:
    """Pulled, started, ended, ready, held for order, emitted, batched, delivered, ended."""
    results, rules = await observed((slow | pair)([2, 1, 0]))
    assert results == [2, 1, 0]
    told = [
        (0, "run_started", 0, ()),
        (0, "pulled", 0, (0,)),
        (0, "call_started", 1, (0,)),
        (0, "pulled", 0, (1,)),
        (0, "call_started", 1, (1,)),
        (0, "pulled", 0, (2,)),
        (0, "waiting", 1, (2,)),
        (0, "stage_ended", 0, ()),
        (1, "call_ended", 1, (1,)),
        (1, "ready", 1, (1,)),
        (1, "call_started", 1, (2,)),
        (1, "call_ended", 1, (2,)),
        (1, "ready", 1, (2,)),
        (2, "call_ended", 1, (0,)),
        (2, "ready", 1, (0,)),
        (2, "emitted", 1, (0,)),
        (2, "waiting", 2, (0,)),
        (2, "emitted", 1, (1,)),
        (2, "waiting", 2, (1,)),
        (2, "batch_formed", 2, (0, 1)),
        (2, "call_started", 2, (0, 1)),
        (2, "emitted", 1, (2,)),
        (2, "stage_ended", 1, ()),
        (2, "waiting", 2, (2,)),
        (2, "batch_formed", 2, (2,)),
        (2, "waiting", 2, (2,)),
        (3, "call_ended", 2, (0, 1)),
        (3, "ready", 2, (0,)),
        (3, "emitted", 2, (0,)),
        (3, "delivered", 3, (0,)),
        (3, "ready", 2, (1,)),
        (3, "emitted", 2, (1,)),
        (3, "delivered", 3, (1,)),
        (3, "call_started", 2, (2,)),
        (4, "call_ended", 2, (2,)),
        (4, "ready", 2, (2,)),
        (4, "emitted", 2, (2,)),
        (4, "delivered", 3, (2,)),
        (4, "stage_ended", 2, ()),
        (4, "run_ended", 3, ()),
    ]
    heard = [brief(event) for event in rules.events]
    assert sorted(heard) == sorted(told)
    if EAGER:
        assert heard == told
    assert [event.reason for event in rules.of("batch_formed")] == ["full", "flush"]
    assert [event.value for event in rules.of("pulled")] == [2, 1, 0]
    assert [event.value for event in rules.of("ready", 1)] == [1, 0, 2]


async def test_the_run_says_what_it_is() -> None:
    """P3: its stages with their options and joints, its mode and bounds; one object for all."""

    @single_task(concurrency_limit=4, retry_attempts=3, retry_delay=0.5, on_error="skip_item")
    async def fetch(n: int) -> int:
        return n

    class Own(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            async for item in items:
                yield item

    pipeline = fetch | pair | Own() | ops.map(lambda n: n)
    pipeline = pipeline.with_context(max_in_flight=8, max_parallelism=3)
    _, rules = await observed(pipeline(range(5)))
    assert rules.run is not None
    assert [(stage.id, stage.fed_by, stage.feeds) for stage in rules.run.stages] == [
        (0, (), (1,)),
        (1, (0,), (2,)),
        (2, (1,), (3,)),
        (3, (2,), (4,)),
        (4, (3,), (5,)),
        (5, (4,), ()),
    ]
    assert [stage._replace(id=0, fed_by=(), feeds=()) for stage in rules.run.stages] == [
        StageInfo("source", "source"),
        StageInfo(
            "fetch",
            "single_task",
            {
                "concurrency_limit": 4,
                "retry_attempts": 3,
                "retry_delay": 0.5,
                "on_error": "skip_item",
            },
            4,
            overlaps=True,
        ),
        StageInfo("pair", "batch_task", {"max_size": 2}, 1, 2, overlaps=True),
        StageInfo("Own", "own"),
        StageInfo("ops.map", "operator"),
        StageInfo("output", "output"),
    ]
    assert rules.run == RunInfo(rules.run.id, rules.run.stages, True, "iterable", 5, 8, 3, "pulled")
    assert rules.run.name == "fetch | pair | Own | ops.map"


async def test_bounds_that_were_not_set_are_none() -> None:
    """And the window is the default one; a batch task's options are told if they were given."""

    @batch_task(min_size=2, max_size=5, concurrency_limit=3)
    async def total(batch: list[int]) -> int:
        return sum(batch)

    _, rules = await observed(total(range(5)))
    assert rules.run is not None
    options = {"min_size": 2, "max_size": 5, "concurrency_limit": 3}
    total_info = StageInfo("total", "batch_task", options, 3, 5, True, 1, (0,), (2,))
    assert rules.run.stages[1:-1] == (total_info,)
    assert (rules.run.max_in_flight, rules.run.max_parallelism) == (1024, None)
    _, rules = await observed(total.with_context(max_in_flight=None)(range(5)))
    assert rules.run is not None
    assert rules.run.max_in_flight is None


async def test_lineage_goes_through_fan_out_batches_and_foreign_operators() -> None:
    """`inputs` are the source's items that a value comes from."""

    @single_task
    def twice(n: int) -> list[int]:
        return [n, n]

    @batch_task(max_size=4)
    def total(batch: list[int]) -> int:
        return sum(batch)

    _, rules = await observed((twice | ops.map(lambda n: n + 1) | total)(range(4)))
    assert [event.inputs for event in rules.of("emitted", 1)] == [(n // 2,) for n in range(8)]
    assert [event.inputs for event in rules.of("emitted", 2)] == [(n // 2,) for n in range(8)]
    assert [event.inputs for event in rules.of("delivered")] == [(0, 1), (2, 3)]


@pytest.mark.parametrize("copies", [0.5, 2])
async def test_outputs_of_a_batch_come_from_all_its_items_otherwise(copies: float) -> None:
    """E9: fewer or more outputs than items: none of them can be told to be that of one item."""

    @batch_task(max_size=4)
    def resize(batch: list[int]) -> list[int]:
        return batch[:2] if copies < 1 else [*batch, *batch]

    results, rules = await observed(resize(range(4)))
    assert len(results) == 4 * copies
    assert {event.inputs for event in rules.of("delivered")} == {(0, 1, 2, 3)}


async def test_outputs_of_a_batch_come_from_their_items_if_there_are_as_many() -> None:
    """After a retry and in the halves of a batch, too."""
    attempts: list[int] = []

    @batch_task(max_size=4, on_error="skip_item", retry_attempts=2, retry_delay=0.1)
    async def check_rows(batch: list[int]) -> list[int]:
        attempts.append(len(batch))
        if 2 in batch:
            raise ValueError(batch)
        return batch

    results, rules = await observed(check_rows(range(4)))
    assert results == [0, 1, 3]
    assert attempts == [4, 4, 2, 2, 2, 1, 1, 1]
    assert [event.inputs for event in rules.of("delivered")] == [(0,), (1,), (3,)]
    assert [(event.items, event.inputs) for event in rules.of("skipped")] == [((2,), (2,))]
    assert [(event.items, event.attempt) for event in rules.of("retried")] == [
        ((0, 1, 2, 3), 2),
        ((0, 1), 1),
        ((2, 3), 1),
        ((2, 3), 2),
        ((2,), 1),
        ((2,), 2),
        ((3,), 1),
    ]
    assert [event.reason for event in rules.of("call_ended")] == ["completed"]


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "def", "generator"])
async def test_attempts_and_what_becomes_of_a_failing_call(kind: str, mode: Any) -> None:
    """Each attempt is told, with its error; then what became of the call, and of the run."""

    def fail(n: int) -> int:
        if n == 1:
            raise ValueError(n)
        return n

    async def fail_later(n: int) -> int:
        await asyncio.sleep(n)
        return fail(n)

    def generate(n: int) -> Iterator[int]:
        yield fail(n)

    function: Any = {"async": fail_later, "def": fail, "generator": generate}[kind]
    for on_error, attempts in [("skip_item", 3), ("skip_item", 1), ("fail", 2), ("fail", 1)]:
        task: Any = SingleTask(function, on_error=on_error, retry_config=RetryConfig(attempts, 0.1))
        results, rules = await observed(task.with_execution_mode(mode)([0, 1]))
        assert [event.attempt for event in rules.of("attempt_failed")] == [*range(1, attempts + 1)]
        assert [event.attempt for event in rules.of("retried")] == [*range(2, attempts + 1)]
        failed = on_error == "fail"
        ends = {event.inputs: event.reason for event in rules.of("call_ended")}
        assert ends[1,] == ("failed" if failed else "skipped")
        end = rules.events[-1]
        assert end.reason == ("failed" if failed else "completed")
        assert end.error is (results if failed else None)
        assert isinstance(results, ValueError) == failed


@in_both_modes
async def test_attempts_that_are_ended_by_a_limit_of_time_say_so(mode: Any) -> None:
    """T1, T2: by the reason, as `timed_out` counts; a TimeoutError of the user's has none."""

    async def call(n: int) -> int:
        if n == 0:
            raise TimeoutError
        await asyncio.sleep(n)
        return n

    limits: list[dict[str, Any]] = [
        {"timeout": 2},
        {"retry_config": RetryConfig(1, total_timeout=2)},
    ]
    for limit in limits:
        task: Any = SingleTask(call, on_error="skip_item", **limit)
        stream = task.with_execution_mode(mode)([0, 1, 5])
        _, rules = await observed(stream)
        failed = {event.inputs: event.reason for event in rules.of("attempt_failed")}
        assert failed == {(0,): "", (2,): "timed out"}
        assert stream.stats[0].timed_out == 1


@in_both_modes
async def test_the_end_of_a_run_tells_the_watermark(mode: Any) -> None:
    """W3: what `stream.watermark` says after it, however it ended."""

    @single_task(concurrency_limit=1)
    async def work(n: int) -> int:
        await asyncio.sleep(1)
        if n == 3:
            raise ValueError
        return n

    for data, settled in ((range(3), 3), (range(5), 0)):  # to collect and fail delivers nothing
        stream = work.with_execution_mode(mode)(data)
        _, rules = await observed(stream)
        assert rules.events[-1].value == stream.watermark == settled
    early = work.with_execution_mode(mode)(range(5))
    rules = EventRules()
    with observe(rules):
        async for n in early:
            if n == 1:
                break
        await early.aclose()
    assert rules.events[-1].value == early.watermark == 1


@in_both_modes
async def test_a_stage_that_fails_the_run_has_no_end_of_its_own(mode: Any) -> None:
    """P2: a stage ends with its last result; the end of one that fails is that of the run."""

    @single_task(concurrency_limit=3)
    async def fails_at_two(n: int) -> int:
        await asyncio.sleep(3 - n)
        if n == 2:
            raise KeyError(n)
        return n

    stream = fails_at_two.with_execution_mode(mode)(range(4))
    results, rules = await observed(stream)
    assert isinstance(results, KeyError)
    assert [event.stage for event in rules.of("stage_ended")] == [0]


async def test_a_run_that_is_closed_early_tells_of_the_calls_that_it_cancels() -> None:
    """Each open call ends, then the run, and nothing is told after that."""
    rules = EventRules()
    with observe(rules):
        async with slow([0, 5, 5, 5]) as stream:
            assert await anext(stream) == 0
    rules.check_end()
    assert not rules.broken
    reasons = [event.reason for event in rules.of("call_ended")]
    assert reasons == ["completed", "cancelled", "cancelled"]
    assert rules.events[-1].reason == "closed"


async def test_a_subscription_is_observed_as_well() -> None:
    """An observer that is pushed to gets each result at once."""
    rules = EventRules()
    done = asyncio.get_running_loop().create_future()
    with observe(rules):
        slow([0, 1]).subscribe(on_completed=lambda: done.set_result(None))
        await done
    rules.check_end()
    assert not rules.broken
    assert [(e.time, e.inputs) for e in rules.of("delivered")] == [(0, (0,)), (1, (1,))]
    assert rules.run is not None
    assert rules.run.outlet == "pushed"


async def test_several_probes_hear_the_same_and_only_within_their_block() -> None:
    """Blocks nest; a run hears those that were there when it began, to its end."""
    outer, inner = EventRules(), EventRules()
    with observe(outer):
        with observe(inner):
            stream = slow([0, 0])
            await anext(stream)
        await slow([0]).collect()
        assert await stream.collect() == [0]
    await slow([0]).collect()
    assert inner.events == [e for e in outer.events if e.run is inner.run]
    assert inner.events[-1].kind == "run_ended"
    assert {e.run.id for e in outer.events} > {e.run.id for e in inner.events}


async def test_a_probe_that_raises_is_logged_once_and_detached(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The run and the other probes go on; what it raised is named by its type alone."""
    rules = EventRules()

    def broken(event: Event) -> None:
        raise ValueError("secret")

    with caplog.at_level(logging.ERROR, "conveyor_rx"), observe(broken, rules):
        assert await slow([0, 1]).collect() == [0, 1]
    assert len(caplog.records) == 1
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
    rules.check_end()
    assert not rules.broken


@pytest.mark.parametrize("kind", ["a function called by it", "not written in Python"])
async def test_the_log_says_where_a_probe_raised(
    caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """The innermost place that is known, and the run goes on, whatever callable a probe is."""

    def inner(event: Event) -> None:
        raise ValueError

    def outer(event: Event) -> None:
        inner(event)

    is_python = kind == "a function called by it"
    probe: Probe = outer if is_python else operator.attrgetter("missing")
    with caplog.at_level(logging.ERROR, "conveyor_rx"), observe(probe):
        assert await slow([0, 1]).collect() == [0, 1]
    where = f"ValueError in {__file__}, line {inner.__code__.co_firstlineno + 1}"
    assert len(caplog.records) == 1
    assert (where if is_python else "AttributeError in ") in caplog.text


def test_what_is_no_probe_is_refused() -> None:
    """A clear TypeError, before anything runs."""
    with (
        pytest.raises(TypeError, match="a probe must be callable with an Event, not 3"),
        observe(3),
    ):  # type: ignore[arg-type]
        pass


def test_inner_runs_are_told_apart() -> None:
    """A stream as source is a run of its own, heard by the same probe."""
    ids: list[str] = []

    async def main() -> list[int]:
        with observe(lambda event: ids.append(event.run.id)):
            return await slow(slow([1, 0])).collect()

    assert run(main) == [1, 0]
    assert len(set(ids)) == 2


async def test_a_probe_may_set_variables_for_the_call_that_starts() -> None:
    """`call_started` and `retried` are told in the context in which the function is called."""
    current: ContextVar[Any] = ContextVar("current", default=None)

    def probe(event: Event) -> None:
        if event.kind in ("call_started", "retried"):
            current.set((event.stage, event.call))

    @single_task
    async def slow(_: int) -> list[Any]:
        await asyncio.sleep(0)
        return [(current.get(),)]

    @single_task
    def plain(seen: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*seen, current.get())

    @single_task
    def many(seen: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield (*seen, current.get())

    @batch_task(max_size=1)
    def batch(seen: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return (*seen[0], current.get())

    with observe(probe):
        results = await (slow | plain | many | batch)([1, 2]).collect()
    assert results == [tuple((stage, call) for stage in range(1, 5)) for call in range(2)]
    assert current.get() is None
