"""What becomes of failures? E1 to E10 of the contract, but for retries."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops
from reactivex.subject import Subject

from conveyor_rx import (
    AsyncStream,
    BatchTask,
    ErrorHandler,
    LoggingErrorHandler,
    Pipeline,
    PipelineContext,
    RetryConfig,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.testing import run, source, timeline

MODES = ("ordered", "as_completed")
KINDS = ("async", "def", "generator", "async generator")
in_both_modes = pytest.mark.parametrize("mode", MODES)
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def now() -> float:
    return asyncio.get_running_loop().time()


def others() -> set[asyncio.Task[Any]]:
    """Give the tasks that have not ended, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


def function(kind: str, check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a function of `kind` that gives what `check` gives."""

    async def call(item: Any) -> Any:
        return check(item)

    def call_now(item: Any) -> Any:
        return check(item)

    def generate(item: Any) -> Iterator[Any]:
        yield check(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        yield check(item)

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "def": call_now,
        "generator": generate,
        "async generator": generate_async,
    }
    return functions[kind]


def failing(kind: str, error: BaseException, at: Any, **options: Any) -> SingleTask[Any, Any]:
    """Make a task of `kind` that fails at item `at` and gives the others as they are."""

    def check(item: Any) -> Any:
        if item == at:
            raise error
        return item

    return SingleTask(function(kind, check), task_name="work", **options)


async def ending(stream: AsyncStream[Any]) -> tuple[list[Any], BaseException | None]:
    """Read to the end: the results, and what was raised after them."""
    got: list[Any] = []
    try:
        async for value in stream:
            got.append(value)  # noqa: PERF401  # kept if it fails
    except BaseException as error:
        return got, error
    return got, None


async def timed_ending(
    stream: AsyncStream[Any],
) -> tuple[list[tuple[float, Any]], tuple[float, BaseException | None]]:
    """Read to the end: the results and the end, each with its instant."""
    got: list[tuple[float, Any]] = []
    try:
        async for value in stream:
            got.append((now(), value))  # noqa: PERF401  # kept if it fails
    except BaseException as error:
        return got, (now(), error)
    return got, (now(), None)


class Slow:
    """An async function that takes a written time and, when cancelled, some more to clean up."""

    def __init__(self, latencies: dict[Any, float], cleanup: float = 0.0) -> None:
        self.latencies = latencies
        self.cleanup = cleanup
        self.started: list[Any] = []
        self.ended: list[tuple[float, Any]] = []
        self.fails: dict[Any, BaseException] = {}

    async def __call__(self, item: Any) -> Any:
        self.started.append(item)
        try:
            await asyncio.sleep(self.latencies[item])
            if item in self.fails:
                raise self.fails[item]
            return item
        except asyncio.CancelledError:
            await asyncio.sleep(self.cleanup)
            raise
        finally:
            self.ended.append((now(), item))


# -- E1


async def test_ordered_failure_lets_what_stands_before_it_through_at_its_instants() -> None:
    """E1: results before a failure come at their instants, then it is raised, nothing after it."""
    boom = ValueError("boom")
    first = Slow({0: 1, 1: 5, 2: 2, 3: 9, 4: 1, 5: 9})
    second = Slow({0: 0.5, 1: 0.5, 2: 0.5, 4: 0.25})
    second.fails[2] = boom
    got, (at, error) = await timed_ending((SingleTask(first) | SingleTask(second))(range(6)))
    assert got == [(1.5, 0), (5.5, 1)]
    assert (at, error) == (5.5, boom)
    assert error is boom
    # 4 was through, 3 and 5 were cancelled at the instant of the failure
    assert first.ended == [(1, 0), (1, 4), (2, 2), (2.5, 3), (2.5, 5), (5, 1)]
    assert second.started == [0, 4, 2, 1]


async def test_calls_behind_a_failure_are_awaited_before_it_is_raised() -> None:
    """E1, L2: the calls behind are cancelled at once, and have ended when the failure is raised."""
    work = Slow({0: 3, 1: 1, 2: 50, 3: 60}, cleanup=10)
    work.fails[1] = boom = ValueError("boom")
    got, (at, error) = await timed_ending(SingleTask(work)(range(4)))
    assert not others()
    assert error is boom
    assert (got, at) == ([(3, 0)], 11)
    assert work.ended == [(1, 1), (3, 0), (11, 2), (11, 3)]


async def test_of_two_failures_the_earlier_place_wins() -> None:
    """E1: a later failure at an earlier place takes the place of one that waits for its turn."""
    work = Slow({0: 5, 1: 4, 2: 9, 3: 1})
    first, second = ValueError("at 1"), ValueError("at 3")
    work.fails = {1: first, 3: second}
    got, (at, error) = await timed_ending(SingleTask(work)(range(4)))
    assert got == [(5, 0)]
    assert error is first
    assert at == 5
    assert work.ended == [(1, 3), (4, 1), (4, 2), (5, 0)]


async def test_of_two_failures_in_two_stages_the_earlier_place_wins() -> None:
    """E1: places count, not stages, not even where a segment lies between."""
    early, late = Slow({0: 1, 1: 1, 2: 1, 3: 1.5}), Slow({0: 5, 1: 5})
    early.fails[3] = ValueError("stage 1")
    late.fails[1] = boom = ValueError("stage 2")
    pipeline = SingleTask(early) | SingleTask(late, concurrency_limit=1)
    got, (at, error) = await timed_ending(pipeline(range(4)))
    assert got == [(6, 0)]
    assert (at, error) == (11, boom)


async def test_a_failure_while_the_consumer_is_parked() -> None:
    """E1: while nobody asks, a failure cuts off what is behind it, and waits behind the rest."""
    work = Slow({0: 0, 1: 1, 2: 2, 3: 3, 4: 100})
    work.fails[3] = boom = ValueError("boom")
    stream = SingleTask(work)(range(5))
    assert await anext(stream) == 0
    await asyncio.sleep(50)
    assert work.ended[-2:] == [(3, 3), (3, 4)]
    got, (at, error) = await timed_ending(stream)
    assert got == [(50, 1), (50, 2)]
    assert error is boom
    assert at == 50


@in_both_modes
async def test_from_the_failure_on_nothing_is_pulled_or_started(mode: Any) -> None:
    """E1: between a failure and its delivery the source is not pulled and no call starts."""
    work = Slow(dict.fromkeys(range(50), 0.25) | {0: 20, 2: 0.75})
    work.fails[2] = ValueError("boom")
    data = source("0-1-2-3-4-5-6-7-8-9---------------------", tick=0.25)
    stream = SingleTask(work).with_execution_mode(mode)(data)
    got, (at, error) = await timed_ending(stream)
    assert isinstance(error, ValueError)
    if mode == "ordered":
        assert (got, at) == ([(20, 0), (20, 1)], 20)
    else:
        assert (got, at) == ([(0.75, 1)], 1.75)
    assert work.started == [0, 1, 2, 3]  # 2 fails at 1.75 s, 3 is cancelled then, 4 was due at 2 s
    assert (data.pulled, data.closed) == (4, 1)


@of_each_kind
async def test_a_failure_of_each_kind_keeps_its_place(kind: str) -> None:
    """E1: ordered, in the middle of a pipeline, whatever the function's kind."""
    before = Slow({n: 10 - n for n in range(8)})
    after = Slow({n: n for n in range(8)})
    boom = ValueError("boom")
    pipeline = SingleTask(before) | failing(kind, boom, 4) | SingleTask(after)
    got, error = await ending(pipeline(range(8)))
    assert got == [0, 1, 2, 3]
    assert error is boom
    assert set(after.started) <= ({0, 1, 2, 3} if "generator" in kind else set(range(8)) - {4})
    assert not others()


async def test_a_failure_behind_a_generator_keeps_the_outputs_before_it() -> None:
    """E1: the place of an output counts; the generator that gave it is closed before the end."""
    closed: list[int] = []

    async def three(item: int) -> AsyncIterator[int]:
        try:
            for n in range(3):
                await asyncio.sleep(1)
                yield item * 10 + n
        finally:
            await asyncio.sleep(0.5)
            closed.append(item)

    boom = ValueError("boom")
    pipeline = SingleTask(three) | failing("async", boom, 11)
    got, (at, error) = await timed_ending(pipeline([0, 1, 2]))
    assert got == [(1, 0), (2, 1), (3, 2), (3.5, 10)]  # 10 comes when the generator before it ended
    assert error is boom
    assert sorted(closed) == [0, 1, 2]
    assert at == 3.5
    assert not others()


@pytest.mark.parametrize("kind", ["generator", "async generator"])
@in_both_modes
async def test_a_generator_that_fails_has_given_what_it_yielded_before(
    kind: str, mode: Any
) -> None:
    """E1: what a generator yielded before it fails is delivered, in both modes."""
    boom = ValueError("boom")

    def generate(item: int) -> Iterator[int]:
        yield item
        yield item + 1
        if item == 10:
            raise boom

    async def generate_async(item: int) -> AsyncIterator[int]:
        for value in generate(item):
            yield value

    task = SingleTask({"generator": generate, "async generator": generate_async}[kind])
    stream = task.with_execution_mode(mode)([0, 10, 20])
    got, error = await ending(stream)
    assert error is boom
    assert set(got) - {20, 21} == {0, 1, 10, 11}
    assert mode == "as_completed" or got == [0, 1, 10, 11]


@in_both_modes
async def test_a_failing_batch_keeps_its_place(mode: Any) -> None:
    """E1: the batches before it are delivered, those behind it never start."""
    batches: list[list[int]] = []
    boom = ValueError("boom")

    @batch_task(max_size=3)
    async def work(batch: list[int]) -> list[int]:
        batches.append(batch)
        await asyncio.sleep(1)
        if 4 in batch:
            raise boom
        return batch

    got, error = await ending(work.with_execution_mode(mode)(range(12)))
    assert got == [0, 1, 2]
    assert error is boom
    assert batches == [[0, 1, 2], [3, 4, 5]]


async def test_failing_batches_at_once_keep_their_places() -> None:
    """E1: with a limit over 1 too, the first failing batch in order is what is raised."""
    errors = {3: ValueError("late"), 6: ValueError("early")}

    @batch_task(max_size=3, concurrency_limit=4)
    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep({0: 9, 3: 5, 6: 1, 9: 7}[batch[0]])
        if batch[0] in errors:
            raise errors[batch[0]]
        return batch

    got, (at, error) = await timed_ending(work(range(12)))
    assert got == [(9, 0), (9, 1), (9, 2)]
    assert error is errors[3]
    assert at == 9


@in_both_modes
async def test_an_open_batch_is_discarded_by_a_failure(mode: Any) -> None:
    """E1, E9: items that wait for their batch to fill are let go, and counted as cancelled."""
    batches: list[list[int]] = []

    @batch_task(min_size=1, max_size=3)
    def work(batch: list[int]) -> list[int]:
        batches.append(batch)
        return batch

    boom = ValueError("boom")
    stream = (failing("def", boom, 5) | work).with_execution_mode(mode)(range(9))
    got, error = await ending(stream)
    assert error is boom
    assert batches == [[0, 1, 2]]
    assert got == [0, 1, 2]
    assert (stream.stats[1].in_, stream.stats[1].cancelled) == (5, 2)


async def test_as_completed_delivers_what_had_completed_and_cancels_the_rest() -> None:
    """E1: completed before the failure and not yet taken: delivered; running: cancelled at once."""
    work = Slow({n: n for n in range(40)} | {41: 0.5, 42: 100}, cleanup=2)
    work.fails[39] = boom = ValueError("boom")
    stream = SingleTask(work).as_completed([41, 42, *range(40), 42])
    assert await anext(stream) == 0
    await asyncio.sleep(200)
    assert work.ended[-2:] == [(41, 42), (41, 42)]
    got, (at, error) = await timed_ending(stream)
    assert error is boom
    assert got == [(200, n) for n in [41, *range(1, 39)]]  # more than the output buffer holds
    assert at == 200


async def test_as_completed_failure_in_the_first_stage_cancels_calls_of_the_last() -> None:
    """E1: what has not come out of the last stage has not completed."""
    first, last = Slow({0: 0, 1: 0, 2: 3}), Slow({0: 1, 1: 50})
    first.fails[2] = boom = ValueError("boom")
    got, (at, error) = await timed_ending(
        (SingleTask(first) | SingleTask(last)).as_completed(range(3))
    )
    assert got == [(1, 0)]
    assert (at, error) == (3, boom)
    assert last.ended == [(1, 0), (3, 1)]


async def test_as_completed_failure_while_results_wait_for_the_next_stage() -> None:
    """E1: what waits for room in a sequential stage has not completed either: no call follows."""
    first, last = Slow({0: 0, 1: 0, 2: 0, 3: 3}), Slow({0: 50})
    first.fails[3] = boom = ValueError("boom")
    pipeline = SingleTask(first) | SingleTask(last, concurrency_limit=1)
    stream = pipeline.with_context(max_in_flight=2).as_completed(range(9))
    got, (at, error) = await timed_ending(stream)
    assert first.ended[:3] == [(0, 0), (0, 1), (0, 2)]
    assert got == []
    assert (at, error) == (3, boom)
    assert last.ended == [(3, 0)]
    assert [stage.cancelled for stage in stream.stats] == [0, 2]


@in_both_modes
async def test_as_completed_failure_across_a_batch(mode: Any) -> None:
    """E1: a failure upstream of a running batch: ordered lets it end, as completed cancels it."""
    first = Slow({0: 0, 1: 0, 2: 3})
    first.fails[2] = boom = ValueError("boom")
    batches = Slow({2: 10})

    @batch_task(max_size=2)
    async def work(batch: list[int]) -> list[int]:
        await batches(len(batch))
        return batch

    stream = (SingleTask(first) | work).with_execution_mode(mode)(range(3))
    got, (at, error) = await timed_ending(stream)
    assert error is boom
    assert (got, at) == (([(10, 0), (10, 1)], 10) if mode == "ordered" else ([], 3))


async def test_a_failure_behind_a_foreign_operator() -> None:
    """E1: with Rx operators around the failing task the results before it come first, too."""
    boom = ValueError("boom")
    work = Slow({n: 5 - n for n in range(5)})
    pipeline = (
        SingleTask(work)
        | ops.map(lambda n: n * 2)
        | failing("async", boom, 6)
        | ops.filter(lambda n: n != 2)
    )
    got, (at, error) = await timed_ending(pipeline(range(5)))
    assert got == [(5, 0), (5, 4)]
    assert (at, error) == (5, boom)


async def test_a_foreign_operator_that_fails() -> None:
    """E1, E2: an error in an Rx operator's function comes behind the results before it."""
    boom = ValueError("boom")

    def mapped(value: int) -> int:
        if value == 3:
            raise boom
        return value

    work, after = Slow({n: 5 - n for n in range(6)}), Slow(dict.fromkeys(range(6), 1))
    stream = (SingleTask(work) | ops.map(mapped) | SingleTask(after))(range(6))
    got, (at, error) = await timed_ending(stream)
    assert got == [(6, 0), (6, 1), (6, 2)]
    assert error is boom
    assert at == 6


@in_both_modes
async def test_first_and_last_item_fail(mode: Any) -> None:
    """E1: a failure at the very first item gives nothing else, one at the last gives all others."""
    for kind in KINDS:
        for at in (0, 3):
            boom = ValueError(kind)
            stream = failing(kind, boom, at).with_execution_mode(mode)(iter(range(4)))
            got, error = await ending(stream)
            assert error is boom
            assert got == list(range(at))


# -- E2


def by_subscribing(stream: AsyncStream[Any]) -> asyncio.Future[Any]:
    """Give what ends a subscription."""
    end = asyncio.get_running_loop().create_future()
    stream.subscribe(
        on_error=lambda error: end.set_result((error, others())),
        on_completed=lambda: end.set_result(None),
    )
    return end


@of_each_kind
@in_both_modes
async def test_the_same_exception_from_all_ways_to_consume(kind: str, mode: Any) -> None:
    """E2: `async for`, `collect`, `anext` and `subscribe` raise the task's own exception object."""
    boom = ValueError("boom")
    pipeline = (failing("async", ValueError(), None) | failing(kind, boom, 2)).with_execution_mode(
        mode
    )
    _, error = await ending(pipeline(range(5)))
    assert error is boom
    with pytest.raises(ValueError, match="boom") as info:
        await pipeline(range(5)).collect()
    assert info.value is boom
    stream = pipeline(range(5))
    for expected in range(2):
        assert await anext(stream) == expected
    with pytest.raises(ValueError, match="boom") as info:
        await anext(stream)
    assert info.value is boom
    stream = pipeline(range(5))
    for _ in range(2):  # each subscription is a run
        error, _ = await by_subscribing(stream)
        assert error is boom
    assert boom.__notes__ == ["in task 'work', input 2, attempt 1"]
    assert boom.__cause__ is None


@in_both_modes
async def test_the_note_counts_the_items_of_a_long_source(mode: Any) -> None:
    """E2: the number in the note is the item's place in the source, however that is read."""
    boom = ValueError("boom")
    pipeline = failing("async", boom, 500).with_execution_mode(mode)
    for data in (range(1000), (item for item in range(1000))):
        _, error = await ending(pipeline(data))
        assert error is boom
        assert boom.__notes__.pop() == "in task 'work', input 500, attempt 1"


async def test_an_observer_hears_of_the_failure_when_all_calls_have_ended() -> None:
    """E1, E2, L2: on_error comes once, after the cleanup of the calls behind the failure."""
    work = Slow({0: 1, 1: 2, 2: 9}, cleanup=5)
    work.fails[1] = boom = ValueError("boom")
    seen: list[Any] = []
    done = asyncio.Event()

    def on_error(error: Exception) -> None:
        seen.append((now(), error))
        done.set()

    SingleTask(work)(range(3)).subscribe(
        lambda value: seen.append((now(), value)), on_error, lambda: seen.append("completed")
    )
    await done.wait()
    await asyncio.sleep(10)
    assert seen == [(1, 0), (7, boom)]
    assert work.ended == [(1, 0), (2, 1), (7, 2)]


async def test_the_note_names_task_item_and_attempt() -> None:
    """E2: exactly one note, with the task's name, the item's number and the last attempt's."""
    boom = ValueError("boom")
    task = failing("async", boom, "secret", retry_config=RetryConfig(3, 1.0))
    with pytest.raises(ValueError, match="boom"):
        await task(["a", "b", "secret"]).collect()
    (note,) = boom.__notes__
    assert "'work'" in note
    assert "input 2" in note
    assert "attempt 3" in note


@pytest.mark.parametrize("raised", ["twice", "in two runs"])
async def test_an_exception_object_that_is_raised_again_has_one_note(raised: str) -> None:
    """E2: exactly one note, of the failure that is raised, even if the object was used before."""
    boom = ValueError("boom")
    work = Slow({0: 3, 1: 2, 2: 1})
    if raised == "twice":  # at item 2 first, and then at item 1, which stands before it
        work.fails = {1: boom, 2: boom}
    else:
        work.fails = {2: boom}
        await ending(SingleTask(work, task_name="work")(range(3)))
        work.fails = {1: boom}
    _, error = await ending(SingleTask(work, task_name="work")(range(3)))
    assert error is boom
    assert boom.__notes__ == ["in task 'work', input 1, attempt 1"]


async def test_notes_of_the_user_are_kept() -> None:
    """E2: the note is added to those that the exception carries already."""
    boom = ValueError("boom")
    boom.add_note("mine")
    await ending(failing("async", boom, 0)([0]))
    assert boom.__notes__ == ["mine", "in task 'work', input 0, attempt 1"]


@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
@in_both_modes
async def test_contents_of_items_stay_out_of_notes_and_logs(
    on_error: Any, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """E2: whatever is skipped, retried, dropped, handled or raised: no item in notes or logs."""
    caplog.set_level(logging.DEBUG)
    options: dict[str, Any] = {"on_error": on_error, "retry_config": RetryConfig(2, 1.0)}

    def batch(items: list[str]) -> list[str]:
        if "payload-1" in items:
            raise ValueError("boom")
        return items

    for kind in KINDS:
        single = failing(kind, ValueError("boom"), "payload-2", **options)
        handled = failing(
            kind, ValueError("boom"), "payload-0", error_handler=LoggingErrorHandler()
        )
        pipeline = handled | single | BatchTask(batch, 4, 4, **options)
        stream = pipeline.with_execution_mode(mode)(f"payload-{n}" for n in range(7))
        _, error = await ending(stream)
        assert (error is not None) == (on_error == "fail")
        assert "payload" not in " ".join(getattr(error, "__notes__", ()))
    assert len(caplog.records) >= len(KINDS)
    assert "payload" not in caplog.text
    assert "payload" not in str([record.__dict__ for record in caplog.records])


# -- E3, E4


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["skip_item", "skip_batch"])
async def test_skipping_on_a_single_task_drops_the_item(
    kind: str, mode: Any, on_error: Any
) -> None:
    """E3, E4, E9: the item is gone and counted, its neighbours get through."""
    task = failing(kind, ValueError("boom"), 2, on_error=on_error)
    stream = task.with_execution_mode(mode)(range(5))
    assert await stream.collect() == [0, 1, 3, 4]
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.skipped, stats.failed) == (5, 4, 1, 0)


class Batches:
    """A batch function that fails for the items in `bad`, and remembers its calls."""

    def __init__(self, *bad: Any) -> None:
        self.bad = set(bad)
        self.calls: list[list[Any]] = []

    async def __call__(self, batch: list[Any]) -> list[Any]:
        self.calls.append(list(batch))
        if self.bad & set(batch):
            raise ValueError("boom")
        return batch


@in_both_modes
async def test_skip_item_halves_a_batch_until_the_failing_items_stand_alone(mode: Any) -> None:
    """E3: the calls are those of a bisection; neighbours get through, in their order."""
    work = Batches(3, 6)
    task = BatchTask(work, 8, 8, on_error="skip_item")
    stream = task.with_execution_mode(mode)(range(16))
    assert await stream.collect() == [0, 1, 2, 4, 5, 7, *range(8, 16)]
    assert work.calls == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 2, 3], [0, 1], [2, 3], [2], [3],
        [4, 5, 6, 7], [4, 5], [6, 7], [6], [7],
        [8, 9, 10, 11, 12, 13, 14, 15],
    ]  # fmt: skip
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.skipped, stats.out) == (16, 14, 2, 14)


async def test_halving_of_an_odd_batch_in_which_all_fail() -> None:
    """E3: each item of a hopeless batch is tried alone once, and skipped."""
    work = Batches(*range(5))
    stream = BatchTask(work, 5, 5, on_error="skip_item")(range(5))
    assert await stream.collect() == []
    assert sorted(call[0] for call in work.calls if len(call) == 1) == [0, 1, 2, 3, 4]
    assert len(work.calls) == 2 * 5 - 1
    assert stream.stats[0].skipped == 5


async def test_halving_with_retries() -> None:
    """E3, E5: each half has its own attempts, each failing one waits its delays."""
    work = Batches(2)
    task = BatchTask(work, 4, 4, on_error="skip_item", retry_config=RetryConfig(3, 1.0))
    got = await timeline(task(range(4)))
    assert [value for _, value in got] == [0, 1, 3]
    assert work.calls == [[0, 1, 2, 3]] * 3 + [[0, 1]] + [[2, 3]] * 3 + [[2]] * 3 + [[3]]
    assert got == [(3, 0), (3, 1), (9, 3)]  # 1 s and 2 s of waiting for each that fails


@pytest.mark.parametrize("kind", ["def", "generator", "async generator"])
async def test_a_batch_of_each_kind_is_halved(kind: str) -> None:
    """E3: a function that gave nothing yet is halved, whatever its kind."""
    sizes: list[int] = []

    def check(batch: list[int]) -> int:
        sizes.append(len(batch))
        if 1 in batch:
            raise ValueError("boom")
        return sum(batch)

    stream = BatchTask(function(kind, check), 4, 4, on_error="skip_item")(range(4))
    assert await stream.collect() == [0, 5]
    assert sizes == [4, 2, 1, 1, 2]


async def test_a_batch_generator_that_has_yielded_is_not_halved() -> None:
    """E3, E5: its outputs would come twice; the batch is skipped, what it gave stays."""
    calls: list[list[int]] = []

    @batch_task(max_size=4, on_error="skip_item", retry_attempts=3)
    def work(batch: list[int]) -> Iterator[int]:
        calls.append(batch)
        for item in batch:
            if item == 2:
                raise ValueError("boom")
            yield item

    stream = work(range(8))
    assert await stream.collect() == [0, 1, 4, 5, 6, 7]
    assert calls == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stream.stats[0].skipped == 4


@in_both_modes
async def test_skip_batch_drops_the_batch(mode: Any) -> None:
    """E4, E9: one call, the whole batch is gone and counted, its neighbours get through."""
    work = Batches(4)
    stream = BatchTask(work, 3, 3, on_error="skip_batch").with_execution_mode(mode)(range(9))
    assert await stream.collect() == [0, 1, 2, 6, 7, 8]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert (stream.stats[0].skipped, stream.stats[0].completed) == (3, 6)


# -- E6


class Answer(ErrorHandler):
    """A handler that gives (or raises) `answer` and remembers what it was asked."""

    def __init__(self, answer: Any, delay: float = 0.0) -> None:
        self.answer = answer
        self.delay = delay
        self.asked: list[tuple[Any, ...]] = []

    async def handle_error(self, error: Exception, item: Any, task_name: str, attempt: int) -> Any:
        self.asked.append((error, item, task_name, attempt))
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
async def test_a_handler_replaces_a_result(kind: str, mode: Any, on_error: Any) -> None:
    """E6: (True, value) goes on with the value, before any `on_error`; it is asked once."""
    boom = ValueError("boom")
    handler = Answer((True, 20))
    task = failing(kind, boom, 2, error_handler=handler, on_error=on_error)
    stream = task.with_execution_mode(mode)(range(4))
    assert sorted(await stream.collect()) == [0, 1, 3, 20]
    assert handler.asked == [(boom, 2, "work", 1)]
    assert (stream.stats[0].completed, stream.stats[0].failed) == (4, 0)


@of_each_kind
@in_both_modes
async def test_a_handler_that_gives_none_drops_the_item(kind: str, mode: Any) -> None:
    """E6, E9: (True, None) drops the item, counted as dropped."""
    task = failing(kind, ValueError("boom"), 2, error_handler=Answer((True, None)))
    stream = task.with_execution_mode(mode)(range(4))
    assert await stream.collect() == [0, 1, 3]
    assert (stream.stats[0].completed, stream.stats[0].dropped) == (3, 1)


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
async def test_a_handler_that_refuses_fails_the_run(kind: str, mode: Any, on_error: Any) -> None:
    """E6: (False, _) fails with the original exception, even where `on_error` would skip."""
    boom = ValueError("boom")
    handler = Answer((False, "whatever"))
    task = failing(kind, boom, 2, error_handler=handler, on_error=on_error)
    got, error = await ending(task.with_execution_mode(mode)(iter(range(4))))
    assert error is boom
    assert set(got) - {3} == {0, 1}
    assert boom.__notes__ == ["in task 'work', input 2, attempt 1"]


@of_each_kind
@pytest.mark.parametrize("raised", [KeyError, asyncio.CancelledError])
async def test_a_handler_that_raises(kind: str, raised: type[BaseException]) -> None:
    """E6: what a handler raises is raised, with the original as its cause."""
    other = raised("handler")
    boom = ValueError("boom")
    task = failing(kind, boom, 2, error_handler=Answer(other))
    got, error = await ending(task(range(4)))
    assert got == [0, 1]
    assert error is other
    assert other.__cause__ is boom
    assert len(other.__notes__) == 1


async def test_a_handler_that_raises_the_original_again() -> None:
    """E6: `raise error` in a handler raises it as it is, not as its own cause."""
    boom = ValueError("boom")
    _, error = await ending(failing("async", boom, 0, error_handler=Answer(boom))([0]))
    assert error is boom
    assert boom.__cause__ is None


async def test_a_handler_that_raises_stop_iteration_does_not_end_the_stream() -> None:
    """E6, E8: it reaches the consumer as RuntimeError, no result behind it is taken for the end."""
    handler = Answer(StopAsyncIteration())
    got, error = await ending(
        failing("async", ValueError("boom"), 1, error_handler=handler)(range(3))
    )
    assert got == [0]
    assert isinstance(error, RuntimeError)
    assert error.__cause__ is handler.answer


async def test_a_handler_comes_after_the_last_attempt() -> None:
    """E6, E5: retries first; the handler is asked once and keeps the place while it thinks."""
    boom = ValueError("boom")
    handler = Answer((True, 9), delay=5)
    task = failing("async", boom, 0, error_handler=handler, retry_config=RetryConfig(3, 1.0))
    assert await timeline(task(range(3))) == [(8, 9), (8, 1), (8, 2)]  # 1 + 2 + 5
    assert handler.asked == [(boom, 0, "work", 3)]


async def test_the_handler_of_a_batch_task_gets_the_batch() -> None:
    """E6: item is the list that the function was called with; halving is not tried before it."""
    work = Batches(4)
    handler = Answer((True, ["x", None, "y"]))
    task = BatchTask(work, 3, 3, error_handler=handler, on_error="skip_item")
    stream = task(range(9))
    assert await stream.collect() == [0, 1, 2, "x", "y", 6, 7, 8]
    ((_, item, _, _),) = handler.asked
    assert item == [3, 4, 5]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert (stream.stats[0].completed, stream.stats[0].dropped_outputs) == (9, 1)


@pytest.mark.parametrize("answer", [None, True, (True,), (True, 1, 2)])
async def test_an_answer_that_is_no_pair_fails_the_run(answer: Any) -> None:
    """E6: a handler's wrong answer is a failure at that place, never taken for some value."""
    boom = ValueError("boom")
    got, error = await ending(failing("async", boom, 1, error_handler=Answer(answer))(range(3)))
    assert got == [0]
    assert isinstance(error, (TypeError, ValueError))
    assert error.__cause__ is boom


async def test_a_handler_is_cancelled_with_its_call() -> None:
    """E6, L2: a handler that is at work when the run is closed is cancelled and awaited."""
    handler = Answer((True, 1), delay=100)
    stream = failing("async", ValueError("boom"), 1, error_handler=handler)(range(3))
    assert await anext(stream) == 0
    await stream.aclose()
    assert len(handler.asked) == 1
    assert not others()
    assert now() == 0


async def test_the_logging_handler_logs_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """E6: LoggingErrorHandler logs one ERROR an item and goes on with its replacement."""
    for replacement, expected in ((None, [0, 2]), (-1, [0, -1, 2])):
        caplog.clear()
        handler = LoggingErrorHandler(replacement_value=replacement)
        task = failing("async", ValueError("boom"), 1, error_handler=handler)
        assert await task(range(3)).collect() == expected
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("conveyor_rx", "ERROR")
        assert "work" in record.getMessage()


async def test_a_handler_that_is_not_overridden_says_so() -> None:
    """E6: the abstract handler fails the run and names what is missing."""
    boom = ValueError("boom")
    _, error = await ending(failing("async", boom, 0, error_handler=ErrorHandler())([0]))
    assert isinstance(error, NotImplementedError)
    assert error.__cause__ is boom


# -- E7


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


# -- E8

ERRORS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("boom"),
    "StopIteration": lambda: StopIteration("boom"),
    "StopAsyncIteration": lambda: StopAsyncIteration("boom"),
    "CancelledError": lambda: asyncio.CancelledError("boom"),
    "ExceptionGroup": lambda: ExceptionGroup("boom", [ValueError("a"), KeyError("b")]),
    "GeneratorExit": lambda: GeneratorExit("boom"),
}
of_each_error = pytest.mark.parametrize("name", ERRORS)
DEADLY: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
}


@of_each_error
@of_each_kind
@in_both_modes
async def test_each_exception_fails_the_run(name: str, kind: str, mode: Any) -> None:
    """E8: it reaches the consumer; a StopIteration as RuntimeError with the original as cause."""
    error = ERRORS[name]()
    task = failing(kind, error, 1)
    stream = task.with_execution_mode(mode)(source("0-1-2-3|"))
    got, raised = await ending(stream)
    assert got == [0]
    if name.startswith("Stop"):
        assert type(raised) is RuntimeError
        assert raised.__cause__ is error
    else:
        assert raised is error
    assert raised is not None
    assert len(raised.__notes__) == 1
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.failed) == (2, 1, 1)
    assert not others()


@of_each_error
@of_each_kind
@in_both_modes
async def test_each_exception_can_be_skipped(name: str, kind: str, mode: Any) -> None:
    """E8, E3: what counts as a failure is skipped like any other; GeneratorExit is none."""
    error = ERRORS[name]()
    task = failing(kind, error, 1, on_error="skip_item")
    stream = task.with_execution_mode(mode)(source("0-1-2-3|"))
    got, raised = await ending(stream)
    if name == "GeneratorExit":
        assert (got, raised) == ([0], error)
    else:
        assert (got, raised) == ([0, 2, 3], None)
        assert stream.stats[0].skipped == 1
    assert not others()


@of_each_error
@of_each_kind
async def test_each_exception_is_retried_and_handled(name: str, kind: str) -> None:
    """E8, E5, E6: what counts as a failure is retried, then the handler is asked."""
    handler = Answer((True, "handled"))
    error = ERRORS[name]()
    calls: list[int] = []

    def check(item: int) -> int:
        calls.append(item)
        raise error

    task = SingleTask(
        function(kind, check), retry_config=RetryConfig(2, 1.0), error_handler=handler
    )
    got, raised = await ending(task([0]))
    if name == "GeneratorExit":
        assert (got, raised, calls) == ([], error, [0])
    else:
        assert (got, raised, calls) == (["handled"], None, [0, 0])
        assert now() == 1


@of_each_error
async def test_each_exception_in_a_batch(name: str) -> None:
    """E8, E3: batches are halved for each exception that counts as a failure."""
    error = ERRORS[name]()

    async def work(batch: list[int]) -> list[int]:
        if 1 in batch:
            raise error
        return batch

    got, raised = await ending(BatchTask(work, 4, 4, on_error="skip_item")(range(4)))
    if name == "GeneratorExit":
        assert (got, raised) == ([], error)
    else:
        assert (got, raised) == ([0, 2, 3], None)


async def test_a_cancelled_error_of_the_users_own_is_no_cancellation() -> None:
    """E8, L7: awaiting something that was cancelled elsewhere fails the call, and only that."""
    other = asyncio.get_running_loop().create_future()
    other.cancel()

    async def work(item: int) -> int:
        if item == 1:
            await other
        return item

    assert await SingleTask(work, on_error="skip_item")(range(3)).collect() == [0, 2]
    with pytest.raises(asyncio.CancelledError):
        await SingleTask(work)(range(3)).collect()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


@pytest.mark.parametrize("name", DEADLY)
@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
def test_the_end_of_the_process_is_no_failure(
    name: str, kind: str, mode: Any, on_error: Any
) -> None:
    """E8: KeyboardInterrupt and SystemExit end the run and propagate, never skipped or retried."""
    error = DEADLY[name]()
    calls: list[int] = []
    ended: list[str] = []
    slow = Slow({0: 5, 1: 1, 2: 5})

    def check(item: int) -> int:
        calls.append(item)
        if item == 1:
            raise error
        return item

    handler = Answer((True, None))
    task = SingleTask(
        function(kind, check),
        on_error=on_error,
        retry_config=RetryConfig(3, 1.0),
        error_handler=handler if on_error == "fail" else None,
    )

    async def main() -> None:
        try:
            await (SingleTask(slow) | task).with_execution_mode(mode)(range(3)).collect()
        finally:
            ended.append("main")

    with pytest.raises(DEADLY[name]) as info:
        run(main)
    assert info.value is error
    assert not [note for note in getattr(error, "__notes__", ()) if "left behind" in note]
    assert calls == ([0, 1] if "generator" in kind and mode == "ordered" else [1])
    assert ended == ["main"]
    assert {item for _, item in slow.ended} == {0, 1, 2}
    assert not handler.asked


PROGRAM = """
import asyncio, sys
from conveyor_rx import single_task

async def main():
    done = []
    has_got_one = asyncio.Event()
    @single_task
    async def slow(item):
        try:
            if item == 2:
                await has_got_one.wait()
            else:
                await asyncio.sleep(0.01 * item if item < 2 else 60)
        finally:
            done.append(item)
        return item
    @single_task(on_error="skip_item", retry_attempts=3)
    {code}
    try:
        async for value in (slow | work){call}(range(6)):
            print("got", value, flush=True)
            if value == 1:
                has_got_one.set()
    finally:
        print("cleaned", sorted(done), flush=True)
asyncio.run(main())
"""
CODES = {
    "async": "async def work(item):\n        if item == 2: raise {error}\n        return item",
    "def": "def work(item):\n        if item == 2: raise {error}\n        return item",
    "generator": "def work(item):\n        if item == 2: raise {error}\n        yield item",
    "async generator": (
        "async def work(item):\n        if item == 2: raise {error}\n        yield item"
    ),
}


@pytest.mark.parametrize("name", DEADLY)
@of_each_kind
@in_both_modes
def test_the_end_of_a_real_process(name: str, kind: str, mode: str) -> None:
    """E8, L5: on a real loop the process ends at once, with nothing pending or unseen on stderr."""
    error = "KeyboardInterrupt" if name == "KeyboardInterrupt" else "SystemExit(7)"
    call = ".as_completed" if mode == "as_completed" else ""
    program = PROGRAM.format(code=CODES[kind].format(error=error), call=call)
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.stdout.startswith("got 0\ngot 1\ncleaned ")
    for complaint in ("never retrieved", "pending", "never awaited", "ResourceWarning", "ignored"):
        assert complaint not in ended.stderr
    if name == "SystemExit":
        assert (ended.returncode, ended.stderr) == (7, "")
    else:
        assert ended.stderr.rstrip().endswith("KeyboardInterrupt")
        assert ended.returncode != 0


# -- E9


@in_both_modes
async def test_everything_that_disappears_is_counted(mode: Any) -> None:
    """E9: of ten items each is somewhere: completed, skipped, dropped; Nones in lists are, too."""

    async def work(item: int) -> Any:
        if item % 5 == 1:
            raise ValueError("boom")
        return None if item % 5 == 2 else [item, None]

    task = SingleTask(work, on_error="skip_item", retry_config=RetryConfig(2, 1.0))
    stream = (task | BatchTask(list, 4, 4)).with_execution_mode(mode)(range(10))
    assert await stream.collect() == [0, 3, 4, 5]
    first, second = stream.stats
    assert (first.in_, first.completed, first.skipped, first.dropped) == (10, 6, 2, 2)
    assert (first.retried, first.dropped_outputs, first.out) == (2, 6, 6)
    assert (second.in_, second.completed, second.dropped, second.out) == (6, 4, 2, 4)


@in_both_modes
async def test_the_counters_of_a_failed_run_balance(mode: Any) -> None:
    """E9: in a run that fails what was let go is counted as cancelled."""
    work = Slow({0: 1, 1: 9, 2: 2, 3: 9, 4: 9})
    work.fails[2] = ValueError("boom")
    stream = SingleTask(work).with_execution_mode(mode)(range(5))
    _, error = await ending(stream)
    assert isinstance(error, ValueError)
    (stats,) = stream.stats
    cancelled = 2 if mode == "ordered" else 3
    assert (stats.in_, stats.completed, stats.failed) == (5, 4 - cancelled, 1)
    assert (stats.cancelled, stats.running, stats.waiting) == (cancelled, 0, 0)


# -- E10

TASK_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"on_error": "ignore"}, ValueError, "on_error"),
    ({"on_error": None}, ValueError, "on_error"),
    ({"on_error": ["fail"]}, ValueError, "on_error"),
    ({"error_handler": "log"}, TypeError, "error_handler"),
    ({"error_handler": lambda *_: None}, TypeError, "error_handler"),
    ({"task_name": 5}, TypeError, "task_name"),
    ({"concurrency_limit": 0}, ValueError, "concurrency_limit"),
    ({"concurrency_limit": -1}, ValueError, "concurrency_limit"),
    ({"concurrency_limit": 1.5}, TypeError, "concurrency_limit"),
    ({"concurrency_limit": True}, TypeError, "concurrency_limit"),
    ({"concurrency_limit": "4"}, TypeError, "concurrency_limit"),
    ({"concurency_limit": 4}, TypeError, "concurency_limit"),
]
RETRY_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"retry_attempts": 0}, ValueError, "retry_attempts"),
    ({"retry_attempts": 2.0}, TypeError, "retry_attempts"),
    ({"retry_attempts": True}, TypeError, "retry_attempts"),
    ({"retry_attempts": None}, TypeError, "retry_attempts"),
    ({"retry_delay": -0.5}, ValueError, "retry_delay"),
    ({"retry_delay": float("nan")}, ValueError, "retry_delay"),
    ({"retry_delay": float("inf")}, ValueError, "retry_delay"),
    ({"retry_delay": "1"}, TypeError, "retry_delay"),
    ({"retry_exponential_backoff": 1}, TypeError, "retry_exponential_backoff"),
    ({"retry_exponential_backoff": "no"}, TypeError, "retry_exponential_backoff"),
    ({"retry_max_delay": -1}, ValueError, "retry_max_delay"),
    ({"retry_max_delay": None}, TypeError, "retry_max_delay"),
]
SIZES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"min_size": 0}, ValueError, "min_size"),
    ({"min_size": "2"}, TypeError, "min_size"),
    ({"min_size": True}, TypeError, "min_size"),
    ({"max_size": 0}, ValueError, "max_size"),
    ({"max_size": 2.5}, TypeError, "max_size"),
    ({"min_size": 3, "max_size": 2}, ValueError, "max_size"),
]
CONFIG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"max_attempts": 0}, ValueError, "max_attempts"),
    ({"max_attempts": "3"}, TypeError, "max_attempts"),
    ({"base_delay": -1}, ValueError, "base_delay"),
    ({"base_delay": None}, TypeError, "base_delay"),
    ({"max_delay": float("nan")}, ValueError, "max_delay"),
    ({"max_delay": "1"}, TypeError, "max_delay"),
    ({"exponential_backoff": 0}, TypeError, "exponential_backoff"),
    ({"backoff_multiplier": -2}, ValueError, "backoff_multiplier"),
    ({"backoff_multiplier": "2"}, TypeError, "backoff_multiplier"),
    ({"jitter": True}, TypeError, "jitter"),
]
CONTEXT: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"execution_mode": "sideways"}, ValueError, "execution_mode"),
    ({"execution_mode": None}, ValueError, "execution_mode"),
    ({"max_parallelism": 0}, ValueError, "max_parallelism"),
    ({"max_parallelism": 2.5}, TypeError, "max_parallelism"),
    ({"max_parallelism": True}, TypeError, "max_parallelism"),
    ({"max_in_flight": 0}, ValueError, "max_in_flight"),
    ({"max_in_flight": "many"}, TypeError, "max_in_flight"),
    ({"data": 5}, TypeError, "data"),
    ({"pipeline_id": 5}, TypeError, "pipeline_id"),
]


def _double(item: Any) -> Any:
    return item


MAKERS: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("single_task", lambda **o: single_task(**o)(_double), [*TASK_OPTIONS, *RETRY_OPTIONS]),
    ("batch_task", lambda **o: batch_task(**o)(_double), [*TASK_OPTIONS, *RETRY_OPTIONS, *SIZES]),
    ("SingleTask", lambda **o: SingleTask(_double, **o), TASK_OPTIONS),
    ("BatchTask", lambda **o: BatchTask(_double, **o), [*TASK_OPTIONS, *SIZES]),
    ("RetryConfig", RetryConfig, CONFIG),
    ("PipelineContext", PipelineContext, CONTEXT),
    ("Pipeline.with_context", lambda **o: Pipeline().with_context(**o), CONTEXT),
    ("SingleTask.with_context", lambda **o: SingleTask(_double).with_context(**o), CONTEXT),
]


@pytest.mark.parametrize(
    ("make", "options", "kind", "name"),
    [
        pytest.param(make, *case, id=f"{label}-{case[0]}")
        for label, make, cases in MAKERS
        for case in cases
    ],
)
def test_a_bad_option_is_refused_by_name(
    make: Callable[..., Any], options: dict[str, Any], kind: type[Exception], name: str
) -> None:
    """E10: ValueError (out of range) or TypeError when it is made, naming the option."""
    with pytest.raises(kind, match=rf"\b{name}\b"):
        make(**options)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: SingleTask(_double, retry_config={"max_attempts": 3}), "retry_config"),  # type: ignore[arg-type]
        (lambda: BatchTask(_double, 2, retry_config=3), "retry_config"),  # type: ignore[arg-type]
        (lambda: Pipeline({"max_parallelism": 3}), "context"),  # type: ignore[arg-type]
        (lambda: SingleTask(_double, "fail"), "positional"),  # type: ignore[misc]
        (lambda: single_task(5), "5"),  # type: ignore[call-overload]
        (lambda: batch_task(_double), "batch_task"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_argument_is_refused_by_name(make: Callable[[], Any], name: str) -> None:
    """E10: so is what is no option but stands where something else belongs."""
    with pytest.raises(TypeError, match=name):
        make()


@pytest.mark.parametrize("mode", ["Ordered", None, 3])
def test_a_bad_execution_mode_is_refused(mode: Any) -> None:
    """E10: `with_execution_mode` names the option and what is allowed."""
    with pytest.raises(ValueError, match=r"execution_mode.*ordered.*as_completed"):
        SingleTask(_double).with_execution_mode(mode)


def test_options_that_are_just_in_range() -> None:
    """E10: the bounds themselves are allowed."""
    single_task(concurrency_limit=1, retry_attempts=1, retry_delay=0, retry_max_delay=0)(_double)
    batch_task(min_size=1, max_size=1)(_double)
    RetryConfig(1, 0, False, 0, 0)
    PipelineContext(max_parallelism=1, max_in_flight=1)
    PipelineContext(max_parallelism=None, max_in_flight=None)


async def test_a_failure_downstream_reaches_a_generator_that_is_to_wait_for_room() -> None:
    """E1, L1: it happens while the generator lends its slot of `max_parallelism`."""

    @single_task
    async def twice(item: int) -> AsyncIterator[int]:
        yield item
        yield item

    @single_task
    def fail(item: int) -> int:
        raise ValueError(item)

    ended = asyncio.get_running_loop().create_future()
    pipeline = (twice | fail).with_context(max_in_flight=1, max_parallelism=1)
    pipeline([1]).subscribe(None, ended.set_result, lambda: ended.set_result(None))
    assert isinstance(await ended, ValueError)


async def test_a_failure_behind_a_list_is_what_is_raised() -> None:
    """E1: the call behind it starts when the list has been put out, and not in the middle."""

    @single_task
    async def spread(item: int) -> int | list[int]:
        await asyncio.sleep(item)
        return item if item < 3 else [item, item]

    @single_task
    async def check(item: int) -> int:
        if item == 3:
            raise ValueError("boom")
        return item

    with pytest.raises(ValueError, match="boom"):
        await (spread | check)([1, 2, 3, 4]).collect()


def test_a_paused_run_does_not_keep_the_loop_from_being_shut_down() -> None:
    """L5, L7: its calls are cancelled by the loop, and take that for no failure to wait with."""
    kept: list[Any] = []

    @single_task
    async def work(item: int) -> int:
        await asyncio.sleep(0 if item == 0 else 60)
        return item

    async def main() -> None:
        kept.append(work(range(3)))
        async for _ in kept[0]:
            break

    async def in_time() -> None:
        await asyncio.wait_for(asyncio.to_thread(lambda: asyncio.run(main())), 20)

    asyncio.run(in_time())
