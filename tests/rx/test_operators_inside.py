"""What do Rx operators do inside `|`?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import BaseTask, BatchTask, Pipeline, SingleTask, single_task
from conveyor_rx.testing import assert_marbles, source, timed_task, timeline
from tests.kit import in_both_modes
from tests.rx.stages import add_one, double, is_even, loop_clock

KEEP_EVEN: Any = ops.filter(is_even)
EVEN_IN = [2, 6, 10]
EVEN_BETWEEN = [4, 8, 12]
ALL = [2, 4, 6, 8, 10, 12]


@in_both_modes
@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (KEEP_EVEN | add_one | double, EVEN_IN),
        (add_one | KEEP_EVEN | double, EVEN_BETWEEN),
        (add_one | double | KEEP_EVEN, ALL),
        (Pipeline().add(KEEP_EVEN, add_one, double), EVEN_IN),
        (KEEP_EVEN | (add_one | double), EVEN_IN),
        ((add_one | double) | KEEP_EVEN | KEEP_EVEN, ALL),
    ],
    ids=["first", "middle", "last", "added", "before pipeline", "behind pipeline"],
)
async def test_operator_filters_at_any_place(chain: Any, expected: list[int], mode: Any) -> None:
    """Section 2: `|` takes any reactivex operator, as first, middle and last stage."""
    assert await chain.with_execution_mode(mode)(range(6)).collect() == expected


async def test_operator_first_sees_the_items_of_the_source() -> None:
    """Section 2: an operator in front of the first task gets the source's items."""
    assert await (ops.map(lambda x: x * 10) | add_one)([1, 2]).collect() == [11, 21]


@in_both_modes
async def test_operators_alone_make_a_pipeline(mode: Any) -> None:
    """Section 2: a pipeline of operators alone is a pipeline."""
    chain = Pipeline().with_execution_mode(mode) | ops.skip(1) | ops.map(lambda x: x * 2)
    assert await chain([1, 2, 3]).collect() == [4, 6]


@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_operator_sees_values_in_input_order(place: str) -> None:
    """Section 3: order is restored before a foreign operator."""
    seen: list[int] = []
    slow = single_task(timed_task("--3--2---1"))
    watch = ops.do_action(seen.append)
    chain = {"first": watch | slow, "middle": slow | watch | double, "last": slow | watch}[place]
    await chain([1, 2, 3]).collect()
    assert seen == [1, 2, 3]


async def test_operator_sees_values_as_they_complete() -> None:
    """O2: in as-completed mode a foreign operator gets what has completed."""
    slow = single_task(timed_task("--3--2---1"))
    chain = slow | ops.scan(lambda total, x: total + x, 0)
    assert await timeline(chain.as_completed([1, 2, 3])) == [(2, 3), (5, 5), (9, 6)]


@in_both_modes
async def test_operator_makes_many_of_one(mode: Any) -> None:
    """Section 3: an operator between two gates may make one into many."""
    chain = double | ops.flat_map(lambda x: rx.of(x, x, x)) | double
    assert await chain.with_execution_mode(mode)([1, 2]).collect() == [4, 4, 4, 8, 8, 8]


@in_both_modes
async def test_operator_makes_one_of_many(mode: Any) -> None:
    """Section 3: an operator between two gates may make many into one."""
    chain = add_one | ops.buffer_with_count(2) | single_task(lambda pair: sum(pair))
    assert await chain.with_execution_mode(mode)(range(5)).collect() == [3, 7, 5]


@in_both_modes
async def test_operator_that_emits_at_the_end(mode: Any) -> None:
    """Section 2: what an operator emits at completion goes on through the later stages."""
    chain = add_one | ops.to_list() | single_task(lambda rows: tuple(rows))
    assert await chain.with_execution_mode(mode)([1, 2, 3]).collect() == [(2, 3, 4)]


async def test_delaying_operator_on_the_loop() -> None:
    """Section 2: an operator that works with timers delays items, and the end, in a pipeline."""
    chain = double | ops.delay(2.0, scheduler=loop_clock()) | double
    await assert_marbles(chain(source("1-2-3|")), "--4-8-{12}|")


async def test_delay_does_not_delay_an_error() -> None:
    """As in reactivex, `delay` passes an error on at once, also in a chain."""
    chain = double | ops.delay(10, scheduler=loop_clock()) | double
    await assert_marbles(chain(source("1-2-3#")), "-----#")


@in_both_modes
@pytest.mark.real_time("reactivex's default scheduler: timers in threads")
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_delay_on_threads_in_a_chain(place: str, mode: Any) -> None:
    """L8: what an operator in the chain emits on other threads is marshalled to the loop."""
    threads: set[int] = set()

    @single_task
    def here(x: int) -> int:
        threads.add(threading.get_ident())
        return x

    delay: Any = ops.delay(0.02)
    chain = {"first": delay | here, "middle": here | delay | here, "last": here | delay}[place]
    async with asyncio.timeout(5):
        results = await chain.with_execution_mode(mode)(range(50)).collect()
    assert results == list(range(50))
    assert threads == {threading.get_ident()}


@pytest.mark.real_time("reactivex's default scheduler: timers in threads")
async def test_fluent_delay_on_threads() -> None:
    """L8: the same behind a stream, by a fluent method."""
    async with asyncio.timeout(5):
        assert await double(range(5)).delay(0.02).collect() == [0, 2, 4, 6, 8]
        assert await double(range(5)).delay(0.02).pipe(double).collect() == [0, 4, 8, 12, 16]


async def test_start_with_puts_items_in_front() -> None:
    """Section 2: `start_with` gives its values before the first result."""
    chain = add_one | ops.start_with(100, 200) | double
    assert await chain([1, 2]).collect() == [200, 400, 4, 6]


async def test_concat_in_the_chain() -> None:
    """Section 2: an operator that subscribes to something else behind the pipeline works."""
    chain = add_one | ops.concat(rx.of(7, 8)) | double
    assert await chain([1]).collect() == [4, 14, 16]


@pytest.mark.parametrize("stage", ["single", "batch", "own", "none"])
@pytest.mark.parametrize("data", ["iterable", "async iterable", "observable"])
@pytest.mark.parametrize("is_last", [True, False])
async def test_what_an_operator_subscribes_later_begins_later(
    stage: str, data: str, is_last: bool
) -> None:
    """F1: in front of it no source is opened before, and no function called."""
    begun: list[tuple[str, float]] = []

    def begins(what: str) -> None:
        begun.append((what, asyncio.get_running_loop().time()))

    def call(value: Any) -> Any:
        begins("stage")
        return value

    class Own(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            begins("stage")
            async for item in items:
                yield item

    def iterable() -> Iterator[int]:
        begins("source")
        yield 1

    async def async_iterable() -> AsyncIterator[int]:
        begins("source")
        yield 1

    def observable(*_: Any) -> Observable[int]:
        begins("source")
        return rx.of(1)

    def later(source: Observable[int]) -> Observable[int]:
        return rx.timer(5.0, scheduler=loop_clock()).pipe(ops.flat_map(lambda _: source))

    sources = {
        "iterable": iterable(),
        "async iterable": async_iterable(),
        "observable": rx.defer(observable),
    }
    stages: dict[str, list[Any]] = {
        "single": [SingleTask(call)],
        "batch": [BatchTask(call, 1, 1)],
        "own": [Own()],
        "none": [],
    }
    pipeline = Pipeline().add(*stages[stage], later, *([] if is_last else [double]))
    assert await pipeline(sources[data]).collect() == [1 if is_last else 2]
    assert sorted(begun) == [("source", 5.0), ("stage", 5.0)][: 1 if stage == "none" else 2]
