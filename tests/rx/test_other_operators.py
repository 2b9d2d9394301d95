"""Do the other operators of Rx do what they say? One test for each that is special."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import source, timed_task, timeline
from tests.kit import drain
from tests.rx.stages import add_one, double, loop_clock


async def test_slices_and_sums_of_streams() -> None:
    """Section 2: `stream[1:3]`, `stream[2]` and `a + b`, as of any Observable."""
    assert await double(range(5))[1:3].collect() == [2, 4]
    assert await double(range(5))[2].collect() == [4]
    assert await AsyncStream(double([1, 2]) + add_one([1])).collect() == [2, 4, 2]


async def test_group_by() -> None:
    """Section 2: operators that give Observables of Observables work behind a stream."""
    grouped = double(range(6)).group_by(lambda x: x % 4)
    assert await grouped.flat_map(lambda group: group.pipe(ops.to_list())).collect() == [
        [0, 4, 8],
        [2, 6, 10],
    ]


async def test_partition() -> None:
    """Section 2: the two halves of a `partition` are one run."""
    work = timed_task(lambda x: 1)
    small, large = single_task(work)(range(4)).partition(lambda x: x < 2)
    got: list[list[int]] = [[], []]
    done = [asyncio.Event(), asyncio.Event()]
    small.subscribe(got[0].append, on_completed=done[0].set)
    large.subscribe(got[1].append, on_completed=done[1].set)
    await asyncio.gather(*[each.wait() for each in done])
    assert got == [[0, 1], [2, 3]]
    assert len(work.calls) == 4


async def test_buffer_with_time_in_a_chain() -> None:
    """Section 2: batches by time, as an operator of the chain, on the loop's clock."""
    chain = double | ops.buffer_with_time(2.5, scheduler=loop_clock()) | single_task(tuple)
    assert await timeline(chain(source("1-2-3-4|"))) == [(2.5, (2, 4)), (5, (6,)), (7, (8,))]


async def test_debounce_in_a_chain() -> None:
    """Section 2: an operator that drops by time, on the loop's clock."""
    chain = double | ops.debounce(1.5, scheduler=loop_clock()) | double
    assert await timeline(chain(source("1-{2}{3}--4|"))) == [(1.5, 4), (4.5, 12), (7, 16)]


async def test_timeout_in_a_chain() -> None:
    """E1: `ops.timeout` ends the run with its error; upstream is closed, calls are awaited."""
    work = timed_task(lambda x: 0.5 if x == 1 else 1000)
    chain = single_task(work) | ops.timeout(2, scheduler=loop_clock())
    got: list[int] = []
    with pytest.raises(Exception, match="Timeout"):
        await drain(chain([1, 2]), got)
    assert got == [1]
    assert work.running == 0
    assert asyncio.get_running_loop().time() == 2.5


async def test_combine_latest_of_two_streams() -> None:
    """Section 2: results of two runs combined as they come."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.combine_latest(right)) == [(2, (1, 3)), (4, (2, 3)), (5, (2, 4))]


async def test_switch_latest_closes_the_run_before() -> None:
    """L2: `switch_map` disposes the run before: its calls are cancelled."""
    work = timed_task(lambda x: 1000 if x < 2 else 1)
    outer = single_task(timed_task(lambda x: x))([0, 1, 2])
    stream = outer.pipe(ops.flat_map_latest(lambda x: single_task(work)([x])))
    assert await timeline(stream) == [(3, 2)]
    assert [call.outcome for call in work.calls] == ["cancelled", "cancelled", "done"]
    assert work.running == 0


async def test_finally_action_runs_once() -> None:
    """L1: `finally_action` in the chain is told the end once, however the run ends."""
    for data, take in (([1, 2], 9), (range(100), 1)):
        ends: list[str] = []
        chain = double | ops.finally_action(lambda ends=ends: ends.append("end")) | ops.take(take)
        await chain(data).collect()
        assert ends == ["end"]


async def test_materialize_tells_the_end_as_data() -> None:
    """L1: the notifications within a chain: items, one end."""
    kinds = await (double | ops.materialize() | ops.map(lambda n: n.kind))([1, 2]).collect()
    assert kinds == ["N", "N", "C"]


async def test_none_from_an_operator_passes_on() -> None:
    """V1: None is dropped where a task gives it; what an operator emits is its own affair."""
    got = await (double | ops.map(lambda x: None) | ops.map(repr))([1]).collect()
    assert got == ["None"]


async def test_list_from_an_operator_is_one_item() -> None:
    """V2: flattening is about results of tasks; a list that an operator emits is one item."""
    chain = double | ops.buffer_with_count(2) | single_task(len)
    assert await chain([1, 2, 3]).collect() == [2, 1]


async def test_fork_of_one_stream_by_share() -> None:
    """L6: two pipelines behind a shared stream, merged: one run in front of both."""
    work = timed_task(lambda x: 1)
    shared = single_task(work)([1, 2, 3]).share()
    merged = rx.merge(shared.pipe(double), shared.pipe(single_task(lambda x: -x)))
    assert sorted(await AsyncStream(merged).collect()) == [-3, -2, -1, 2, 4, 6]
    assert len(work.calls) == 3


async def test_same_operator_object_in_two_pipelines() -> None:
    """L6: an operator that keeps state keeps it for one run."""
    numbered: Any = ops.map_indexed(lambda x, index: (index, x))
    chain = double | numbered
    both = await asyncio.gather(chain([5, 6]).collect(), (add_one | numbered)([7]).collect())
    assert both == [[(0, 10), (1, 12)], [(0, 8)]]
    assert await chain([5]).collect() == [(0, 10)]


async def test_composed_operators_in_a_chain() -> None:
    """Section 2: `reactivex.compose(...)` is an operator, too, with a stage inside."""
    composed: Any = rx.compose(ops.map(lambda x: x + 1), double, ops.take(2))
    assert await (double | composed)([1, 2, 3]).collect() == [6, 10]


async def test_own_operator_with_annotations() -> None:
    """Section 2: a function `Observable -> Observable` is an operator; the annotation says so."""

    def twice(items: Observable[int]) -> Observable[int]:
        return items.pipe(ops.flat_map(lambda x: rx.of(x, x)))

    assert await (double | twice | add_one)([1]).collect() == [3, 3]
