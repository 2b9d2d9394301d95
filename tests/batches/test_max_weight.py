"""When is a batch cut whose items have weights? B5 of the contract."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from conveyor_rx import (
    BatchTask,
    Pipeline,
    PipelineContext,
    batch_task,
    current_context,
    single_task,
)
from tests.batches.cuts import arriving, cuts_of, taking, timers
from tests.kit import in_both_modes, nap


def weighed(max_weight: float = 10, **options: Any) -> BatchTask[Any, Any]:
    """Make a task that gives its batches of numbers, which weigh what they are."""
    options.setdefault("weight", lambda item: item)
    return batch_task(max_weight=max_weight, **options)(tuple)


async def reasons_of(task: Any, items: Any) -> list[tuple[int, str]]:
    """Give the sizes of the batches, and why they were cut."""
    return [(len(inputs), reason) for _, inputs, reason in await cuts_of(task(items))]


@in_both_modes
async def test_an_item_that_would_exceed_it_opens_the_next_batch(mode: Any) -> None:
    """B5: one that is heavier alone goes alone, at once; what weighs it exactly is cut at once."""
    task = weighed().with_execution_mode(mode)
    items = [4, 4, 4, 12, 1, 10, 2, 8, 3]
    assert await task(items).collect() == [(4, 4), (4,), (12,), (1,), (10,), (2, 8), (3,)]
    assert await reasons_of(task, items) == [
        *[(2, "weight"), (1, "weight"), (1, "weight"), (1, "weight"), (1, "weight")],
        *[(2, "weight"), (1, "flush")],
    ]


async def test_a_batch_is_cut_at_the_instant_that_makes_it_too_heavy() -> None:
    """B5: not with the end, and a heavy item waits for nobody."""
    task = taking(0.1, max_weight=3, weight=lambda number: [1, 1, 5, 2, 1, 1][number])
    assert await cuts_of(task(arriving([1.0, 2, 3, 4, 5, 6]))) == [
        (3.0, (0, 1), "weight"),
        (3.0, (2,), "weight"),
        (5.0, (3, 4), "weight"),
        (6.0, (5,), "flush"),
    ]


@in_both_modes
async def test_zero_weighs_nothing(mode: Any) -> None:
    """B5: such items enter any batch that is open, and make one of their own at the end."""
    task = weighed().with_execution_mode(mode)
    assert await task([0, 4, 0, 6, 0, 0]).collect() == [(0, 4, 0, 6), (0, 0)]
    assert await task([0, 0, 11, 0]).collect() == [(0, 0), (11,), (0,)]


async def test_the_size_counts_as_well() -> None:
    """B1, B5: whichever comes first; at once it is full."""
    task = weighed(max_size=3)
    assert await reasons_of(task, [1, 1, 1, 9, 2, 1, 1, 8]) == [
        *[(3, "full"), (1, "weight"), (3, "full"), (1, "flush")]
    ]
    assert await reasons_of(task, [1, 1, 8]) == [(3, "full")]


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 50])
async def test_without_a_size_the_window_bounds_a_batch(window: int, mode: Any) -> None:
    """B5: of items that weigh nothing it holds `max_in_flight`, and is cut at once then."""
    pipeline = weighed().with_context(max_in_flight=window, execution_mode=mode)
    full, rest = divmod(100, window)
    expected = [(window, "window")] * full + [(rest, "flush")] * bool(rest)
    assert await reasons_of(pipeline, [0] * 100) == expected


async def test_with_a_size_of_its_own_a_batch_may_be_larger_than_the_window() -> None:
    """B1: as without weights."""
    pipeline = weighed(max_size=50).with_context(max_in_flight=2)
    assert await reasons_of(pipeline, [0] * 100) == [(50, "full"), (50, "full")]


async def test_without_a_window_only_the_weight_bounds_a_batch() -> None:
    """B5: that is what `max_in_flight=None` means."""
    pipeline = weighed().with_context(max_in_flight=None)
    assert await reasons_of(pipeline, [0] * 5000) == [(5000, "flush")]


async def test_a_batch_that_is_due_is_cut_before_it_is_heavy() -> None:
    """B3, B5: each batch has a clock of its own; the timer of one that was cut cuts no other."""
    task = taking(0.1, max_weight=5, max_wait=1.0, weight=lambda number: [1, 4, 2, 3][number])
    assert await cuts_of(task(arriving([1.0, 1.5, 1.8, 9.0]))) == [
        (1.5, (0, 1), "weight"),
        (2.8, (2,), "wait"),
        (9.0, (3,), "flush"),
    ]


async def test_heavy_at_the_moment_at_which_it_is_due() -> None:
    """B3, B5: each item is in one batch, whichever of the two is seen first."""
    task = taking(0.1, max_weight=2, max_wait=1.0, weight=lambda number: 1)
    cuts = await cuts_of(task(arriving([1.0, 2.0, 9.0])))
    assert [inputs for _, inputs, _ in cuts] in ([(0, 1), (2,)], [(0,), (1,), (2,)])


async def test_the_weight_cuts_below_the_least_size() -> None:
    """B5: `min_size` is asked for where a batch could wait for more; a small rest is dropped."""
    task = weighed(min_size=3)
    stream = task([9, 9, 2, 1, 1, 1, 9, 1])
    assert await stream.collect() == [(9,), (9,), (2, 1, 1, 1), (9, 1)]
    stream = task([9, 9, 1, 1])
    assert await stream.collect() == [(9,), (9, 1)]
    assert stream.stats[0].dropped == 1


@pytest.mark.parametrize("number", [Decimal(4), Fraction(4), 4.0, 4, type("Int", (int,), {})(4)])
async def test_numbers_of_any_kind_are_weights(number: Any) -> None:
    """B5: what has a float of its own; one that no float can hold goes alone."""
    task = weighed(weight=lambda item: number)
    assert await task([*"abcde"]).collect() == [("a", "b"), ("c", "d"), ("e",)]
    huge = weighed(weight=lambda item: 10**400 if item else 0.5)
    assert await huge([0, 1, 0, float("inf")]).collect() == [(0,), (1,), (0,), (float("inf"),)]


@in_both_modes
async def test_weights_behind_other_stages(mode: Any) -> None:
    """B5, O4: in ordered mode they are weighed in order, and outputs stand in that order."""
    seen: list[int] = []

    def weigh(number: int) -> int:
        seen.append(number)
        return number % 4

    work = batch_task(max_weight=5, weight=weigh, concurrency_limit=3)(list)
    stream = (nap | work).with_context(execution_mode=mode, max_in_flight=7)(range(40))
    assert sorted(await stream.collect()) == [*range(40)]
    assert sorted(seen) == [*range(40)]
    if mode == "ordered":
        assert seen == [*range(40)]


@in_both_modes
async def test_each_weight_is_asked_for_once_in_a_context_of_its_own(mode: Any) -> None:
    """P1, V4: it sees the run's values, and leaves nothing in the context of a call."""
    left: ContextVar[int] = ContextVar("left", default=0)
    asked: list[int] = []

    def weigh(number: int) -> int:
        assert left.get() == 0
        left.set(number + 1)
        asked.append(number)
        return int(current_context().data["weight"])

    @single_task
    async def before(number: int) -> int:
        assert left.get() == 0
        await asyncio.sleep(number % 3)
        assert left.get() == 0
        return number

    context = PipelineContext(data={"weight": 2}, execution_mode=mode)
    pipeline = Pipeline(context).add(before, batch_task(max_weight=6, weight=weigh)(len))
    assert await pipeline(range(20)).collect() == [3, 3, 3, 3, 3, 3, 2]
    assert sorted(asked) == [*range(20)]
    assert left.get() == 0


async def test_a_slow_consumer_stops_the_source() -> None:
    """F2: what is open is bounded by the window, and what is cut by the line."""
    pulled: list[int] = []

    def numbers() -> Any:
        for number in range(10_000):
            pulled.append(number)
            yield number

    stream = weighed(weight=lambda item: 0).with_context(max_in_flight=5)(numbers())
    assert await anext(stream) == (0, 1, 2, 3, 4)
    await asyncio.sleep(10)
    assert len(pulled) <= 5 * (1 + 16 + 5 + 1)  # delivered, in the buffer, in the line, open
    await stream.aclose()


@in_both_modes
async def test_closing_with_an_open_batch(mode: Any) -> None:
    """L2: what was open counts as cancelled, and no timer is left."""
    task = taking(0.1, max_weight=9, weight=abs, max_wait=5.0).with_execution_mode(mode)
    async with task(arriving([1.0, 2.0, 100.0])) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await anext(stream)
    assert stream.stats[0].cancelled == 2
    assert timers() == 0


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", True])
def test_what_is_no_greatest_weight_is_refused(value: Any) -> None:
    """E10: the error names the option."""
    with pytest.raises((TypeError, ValueError), match="max_weight"):
        batch_task(max_weight=value, weight=len)


def test_one_without_the_other_is_refused() -> None:
    """E10: each names what it lacks."""
    with pytest.raises(ValueError, match="max_weight has no effect without weight"):
        batch_task(max_weight=10)
    with pytest.raises(ValueError, match="weight has no effect without max_weight"):
        batch_task(max_size=3, weight=len)
    with pytest.raises(ValueError, match="max_wait has no effect"):
        batch_task(max_size=1, max_wait=1, max_weight=10, weight=len)

    async def weigh(item: Any) -> int:
        return 1

    for weight in (weigh, 3, "len"):
        with pytest.raises(TypeError, match="weight must be a plain function"):
            batch_task(max_weight=10, weight=weight)  # type: ignore[arg-type]


def test_it_is_shown() -> None:
    """In the text of the task, as attributes, and in its picture."""
    task: BatchTask[Any, Any] = batch_task(max_weight=4096, weight=len)(list)
    assert (task.max_weight, task.weight, task.max_size, task.min_size) == (4096, len, None, 1)
    assert "a weight of 4,096 a batch" in repr(task)
    both: BatchTask[Any, Any] = batch_task(max_size=8, max_weight=2.5, weight=len)(list)
    assert "8 or a weight of 2.5 a batch" in repr(both)
    text = (task | both)._repr_mimebundle_()["text/plain"]
    assert "max_weight=4096" in text
    assert "weight=len" in text
    assert text.count("max_size") == 1
