"""One asyncio task makes many calls: does any of them notice?"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest
import reactivex
from reactivex import Subject
from reactivex import operators as ops

from conveyor_rx import Pipeline, batch_task, single_task
from conveyor_rx._engine.run import Run
from tests.kit import in_both_modes

seen_by: ContextVar[Any] = ContextVar("seen_by", default=None)


class Touchy:
    """A value that does not like to be compared."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


@in_both_modes
@pytest.mark.parametrize("limit", [1, 3, None])
@pytest.mark.parametrize("value", [1, Touchy()])
@pytest.mark.parametrize("nap", [None, 0, 1])
async def test_no_call_sees_what_another_set(
    mode: Any, limit: int | None, value: Any, nap: float | None
) -> None:
    """Design, section 3: each call begins in the context in which the run started."""
    found: list[Any] = []

    @single_task(concurrency_limit=limit)
    async def mark(number: int) -> int:
        found.append(seen_by.get())
        if number % 2:
            seen_by.set(value)
        if nap is not None:
            await asyncio.sleep(nap)
        return number

    seen_by.set("the caller's")
    pipeline = (mark | mark).with_execution_mode(mode)
    assert sorted(await pipeline(range(20)).collect()) == list(range(20))
    assert all(one == "the caller's" for one in found)
    assert len(found) == 40
    assert seen_by.get() == "the caller's"


@in_both_modes
@pytest.mark.parametrize("nap", [None, 0, 1])
@pytest.mark.parametrize(("at_first", "later"), [(1, True), ([], [])])
async def test_no_call_sees_an_equal_value_that_another_set(
    mode: Any, nap: float | None, at_first: Any, later: Any
) -> None:
    """Nor one that is equal to what was there: 1 is not True, and a list may grow later."""
    found: list[bool] = []

    @single_task(concurrency_limit=2)
    async def mark(number: int) -> int:
        found.append(seen_by.get() is at_first)
        seen_by.set(later)
        if nap is not None:
            await asyncio.sleep(nap)
        return number

    seen_by.set(at_first)
    pipeline = (mark | mark).with_execution_mode(mode)
    assert sorted(await pipeline(range(9)).collect()) == list(range(9))
    assert found == [True] * 18


async def test_a_value_that_cannot_be_compared_in_the_callers_context() -> None:
    """Nor does it matter what the context of the caller holds."""
    seen_by.set(Touchy())

    @single_task(concurrency_limit=2)
    async def work(number: int) -> int:
        await asyncio.sleep(1)
        return number

    assert await (work | work)(range(9)).collect() == list(range(9))


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_task_that_was_cancelled_makes_no_further_call(limit: int) -> None:
    """L7: a function that cancels its own task and returns does not hit the next call."""

    @single_task(concurrency_limit=limit)
    async def work(number: int) -> int:
        await asyncio.sleep(1)
        if number == 3:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        return number

    assert await (work | work)(range(10)).collect() == list(range(10))


async def test_a_call_cancelled_from_outside_is_the_one_that_fails() -> None:
    """E8: in a task that has made other calls before, too."""
    tasks: dict[int, asyncio.Task[Any] | None] = {}

    @single_task(concurrency_limit=2, on_error="skip_item")
    async def work(number: int) -> int:
        tasks[number] = task = asyncio.current_task()
        assert task is not None
        if number == 5:
            asyncio.get_running_loop().call_later(0.5, task.cancel)
        await asyncio.sleep(1)
        return number

    stream = work(range(8))
    with pytest.raises(asyncio.CancelledError):
        await stream.collect()
    assert len(tasks) == 6


@in_both_modes
@pytest.mark.parametrize("window", [3, 1024])
@pytest.mark.parametrize("parallelism", [None, 4])
async def test_calls_start_in_the_order_of_arrival(
    mode: Any, window: int, parallelism: int | None
) -> None:
    """O4: whether they suspend or not, in a new task or in one that has made another call."""
    starts: dict[str, list[int]] = {"first": [], "second": [], "batches": []}

    async def nap(number: int) -> None:
        if number % 3:
            await asyncio.sleep(number % 3 - 1)

    @single_task(concurrency_limit=3)
    async def first(number: int) -> int:
        starts["first"].append(number)
        await nap(number)
        return number

    @batch_task(max_size=2, concurrency_limit=2)
    async def batches(numbers: list[int]) -> list[int]:
        starts["batches"].append(numbers[0])
        await nap(numbers[0])
        return numbers

    @single_task(concurrency_limit=1)
    async def second(number: int) -> int:
        starts["second"].append(number)
        await nap(number + 1)
        return number

    pipeline = (first | batches | second).with_execution_mode(mode)
    pipeline = pipeline.with_context(max_in_flight=window, max_parallelism=parallelism)
    results = await pipeline(range(30)).collect()
    assert sorted(results) == list(range(30))
    assert starts["first"] == list(range(30))
    if mode == "ordered":
        assert results == starts["second"] == list(range(30))
        assert starts["batches"] == list(range(0, 30, 2))


@in_both_modes
@pytest.mark.parametrize("limit", [2, 5, None])
@pytest.mark.parametrize("first_naps", [True, False])
async def test_an_operator_that_emits_several_values_at_once(
    mode: Any, limit: int | None, first_naps: bool
) -> None:
    """O4, F3: the first of them is called first, in whichever task, and none gets lost."""
    starts: list[int] = []

    @single_task(concurrency_limit=3)
    async def first(number: int) -> int:
        await asyncio.sleep(1)
        return number

    @single_task(concurrency_limit=limit)
    async def second(number: int) -> int:
        starts.append(number)
        if first_naps and number % 3 == 0:
            await asyncio.sleep(1)
        return number

    @single_task
    async def third(number: int) -> int:
        return number

    three_each = ops.flat_map(lambda n: reactivex.of(3 * n, 3 * n + 1, 3 * n + 2))
    pipeline = (first | three_each | second | third).with_execution_mode(mode)
    stream = pipeline(range(20))
    assert sorted(await stream.collect()) == list(range(60))
    assert starts == list(range(60))
    assert [stage.out for stage in stream.stats] == [20, 60, 60]


@in_both_modes
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("limit", [2, 5, None])
async def test_items_that_wait_for_a_turn_together(
    mode: Any, limit: int | None, start: float
) -> None:
    """O4, F3: a task takes one of them and no other task makes its call; at time 0, too."""
    starts: list[int] = []

    @single_task(concurrency_limit=1)
    async def spread(number: int) -> list[int]:
        await asyncio.sleep(start)
        return [3 * number, 3 * number + 1, 3 * number + 2]

    @single_task(concurrency_limit=limit)
    async def second(number: int) -> int:
        starts.append(number)
        assert seen_by.get() is None
        seen_by.set(number)
        if number % 4 == 0:
            await asyncio.sleep(1)
        return number

    @single_task
    async def third(number: int) -> int:
        return number

    stream = (spread | second | third).with_execution_mode(mode)(range(20))
    assert sorted(await stream.collect()) == list(range(60))
    assert starts == list(range(60))
    assert [stage.out for stage in stream.stats] == [60, 60, 60]


@in_both_modes
async def test_a_function_that_pushes_into_a_later_operator(mode: Any) -> None:
    """O4, F3: what it pushes is called first, in the order in which it was pushed."""
    starts: list[int] = []
    side: Subject[int] = Subject()

    @single_task(concurrency_limit=2)
    async def first(number: int) -> int:
        await asyncio.sleep(1)
        return number

    @single_task
    def push(number: int) -> int:
        side.on_next(3 * number)
        side.on_next(3 * number + 1)
        return 3 * number + 2

    @single_task
    async def second(number: int) -> int:
        starts.append(number)
        return number

    @single_task
    async def third(number: int) -> int:
        return number

    merged = ops.merge(side)
    pipeline = (first | push | merged | second | third).with_execution_mode(mode)
    stream = pipeline(range(20))
    results: list[int] = []
    async for result in stream:
        results.append(result)
        if len(results) == 60:
            side.on_completed()
    assert sorted(results) == list(range(60))
    assert starts == list(range(60))
    assert [stage.out for stage in stream.stats] == [20, 20, 60, 60]


@in_both_modes
@pytest.mark.parametrize("limit", [1, 2, None])
async def test_outputs_of_a_call_that_did_not_suspend_go_on_before_the_next(
    limit: int | None, mode: Any
) -> None:
    """What is nearest to the consumer is done first, whoever could go on with another batch."""
    calls: list[Any] = []

    @batch_task(max_size=2, concurrency_limit=limit)
    async def pair(numbers: list[int]) -> list[int]:
        calls.append("pair")
        return numbers

    @single_task
    async def work(number: int) -> int:
        calls.append(number)
        return number

    pipeline = (pair | work).with_execution_mode(mode)
    assert await pipeline(range(6)).collect() == [*range(6)]
    assert calls == ["pair", 0, 1, "pair", 2, 3, "pair", 4, 5]


@in_both_modes
async def test_outputs_do_not_wait_while_their_task_makes_the_next_call(mode: Any) -> None:
    """F6: not for the end of that, if it came when the task had no turn yet for the outputs."""
    clock = 0.0
    loop = asyncio.get_running_loop()
    loop.work_clock = lambda: clock  # type: ignore[attr-defined]
    release = asyncio.Event()
    mark: ContextVar[float] = ContextVar("mark")

    @single_task
    async def first(seconds: float) -> float:
        nonlocal clock
        clock += 1  # so that the loop is to have a turn
        mark.set(seconds)  # so that this task makes no other call
        await asyncio.sleep(seconds)
        if seconds == 1:
            release.set()
        return seconds

    @single_task
    async def second(seconds: float) -> list[float]:
        await (asyncio.sleep(1000) if seconds else release.wait())
        return [seconds]

    @single_task
    def third(seconds: float) -> tuple[float, float]:
        return seconds, loop.time()

    stream = (first | second | third).with_execution_mode(mode)([0.0, 0.5, 1.0])
    assert await stream.collect() == [(0.0, 1), (0.5, 1000.5), (1.0, 1001)]


@in_both_modes
async def test_calls_that_suspend_reach_the_limit_after_others_that_did_not(mode: Any) -> None:
    """F3: those that one task made, one after the other, have given their slots back."""

    @single_task(concurrency_limit=10)
    async def work(number: int) -> int:
        if number >= 100:
            await asyncio.sleep(1)
        return number

    assert await work.with_execution_mode(mode)(range(200)).collect() == [*range(200)]
    assert asyncio.get_running_loop().time() == 10


@pytest.mark.virtual_time(seed=None)
async def test_calls_begin_within_a_few_turns_of_the_loop() -> None:
    """F3: a thousand calls need ten turns, where a task can't begin at once."""
    begun = 0

    @single_task
    async def work(number: int) -> int:
        nonlocal begun
        begun += 1
        await asyncio.sleep(1)
        return number

    reader = asyncio.ensure_future(work(range(1000)).collect())
    for _ in range(12):
        await asyncio.sleep(0)
    assert begun == 1000
    assert await reader == [*range(1000)]


async def count_tasks(pipeline: Pipeline[int, int], data: Any) -> int:
    """Return how many tasks the engine makes for the calls of `pipeline` with 1000 numbers."""
    made = 0

    class Counted(asyncio.Task[Any]):
        def __init__(self, *args: Any, **options: Any) -> None:
            nonlocal made
            made += 1
            super().__init__(*args, **options)

    def counted(run: Run, call: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        nonlocal made
        made += 1
        return start(run, call, name)

    start = Run.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conveyor_rx._engine.calls.in_tasks._Task", Counted)
        patch.setattr(Run, "start", counted)
        stream = pipeline(data)
        results = await stream.collect()
    assert sorted(results) == list(range(1000))
    assert [stage.running for stage in stream.stats] == [0] * len(stream.stats)
    return made


@in_both_modes
@pytest.mark.parametrize(("stages", "most"), [(1, 100), (3, 1100)])
@pytest.mark.parametrize("nap", [None, 0, 1])
@pytest.mark.parametrize("is_list", [False, True])
async def test_a_task_makes_many_calls(
    mode: Any, is_list: bool, nap: float | None, stages: int, most: int
) -> None:
    """A new task for each call costs more than most of the rest: stages share theirs."""

    @single_task(concurrency_limit=10)
    async def work(number: int) -> Any:
        if nap is not None:
            await asyncio.sleep(nap)
        return [number] if is_list else number

    pipeline = Pipeline().add(*[work] * stages).with_execution_mode(mode)
    made = await count_tasks(pipeline, range(1000))
    assert made < most, f"of {stages},000 calls"


@in_both_modes
@pytest.mark.parametrize("stages", [1, 3])
@pytest.mark.parametrize("naps", [1000, 10])
@pytest.mark.parametrize("nap", [0, 1])
async def test_a_task_makes_many_calls_below_a_cap(
    mode: Any, nap: float, naps: int, stages: int
) -> None:
    """Nor is one made for each call with `max_parallelism`, though only the first ones suspend."""

    @single_task
    async def work(number: int) -> int:
        if number < naps:
            await asyncio.sleep(nap)
        return number

    pipeline = Pipeline().add(*[work] * stages).with_execution_mode(mode)
    pipeline = pipeline.with_context(max_parallelism=10)
    assert await count_tasks(pipeline, range(1000)) < 100


@in_both_modes
@pytest.mark.parametrize("seconds", [0, 0.00001, 0.00005])
async def test_a_task_that_has_suspended_makes_another_call(mode: Any, seconds: float) -> None:
    """While the slice lasts. Work for longer than that costs more than a new task."""
    clock = 0.0
    asyncio.get_running_loop().work_clock = lambda: clock  # type: ignore[attr-defined]

    @single_task(concurrency_limit=10)
    async def work(number: int) -> int:
        nonlocal clock
        await asyncio.sleep(1)
        clock += seconds
        return number

    assert await count_tasks(Pipeline().add(work).with_execution_mode(mode), range(1000)) < 100


@in_both_modes
@pytest.mark.parametrize("parallelism", [None, 10])
async def test_a_task_goes_on_with_its_result(mode: Any, parallelism: int | None) -> None:
    """Items that come one by one need one task each for the calls of all stages."""

    async def one_by_one() -> AsyncIterator[int]:
        for number in range(1000):
            yield number

    @single_task
    async def work(number: int) -> int:
        return number

    pipeline = (work | work | work).with_execution_mode(mode)
    pipeline = pipeline.with_context(max_parallelism=parallelism)
    assert await count_tasks(pipeline, one_by_one()) < 1100


@in_both_modes
async def test_capped_calls_go_to_whoever_is_most_downstream(mode: Any) -> None:
    """F4, F6: with one call at a time over the run, the first result needs one call of each."""
    calls: list[str] = []

    @single_task
    async def early(number: int) -> int:
        calls.append("early")
        await asyncio.sleep(1)
        return number

    @single_task
    async def late(number: int) -> int:
        calls.append("late")
        await asyncio.sleep(1)
        return number

    pipeline = (early | late).with_context(max_parallelism=1).with_execution_mode(mode)
    async with pipeline(range(50)) as stream:
        assert await anext(stream) == 0
    assert calls[:4] == ["early", "late", "early", "late"][: len(calls)]
    assert len(calls) <= 4


async def test_the_last_result_is_not_kept_while_the_next_call_goes_on() -> None:
    """L9: a result may be large; a task that makes another call does not hold on to it."""

    class Large:
        pass

    results: list[weakref.ref[Large]] = []
    still_there: list[int] = []

    @single_task(concurrency_limit=1)
    async def make(number: int) -> Large:
        await asyncio.sleep(1)
        still_there.append(sum(ref() is not None for ref in results))
        large = Large()
        results.append(weakref.ref(large))
        return large

    async for _ in make(range(20)):
        pass
    assert max(still_there) <= 1  # the consumer's own variable
