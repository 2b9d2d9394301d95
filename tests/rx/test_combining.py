"""How do several streams become one?"""

from __future__ import annotations

import asyncio

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import timed_task, timeline
from tests.kit import Boom
from tests.rx.stages import add_one, double, explode_at, loop_clock


async def test_merge_of_two_streams() -> None:
    """Section 2: `merge` gives what either gives, when it gives it."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.merge(right)) == [(1, 1), (2, 3), (4, 2), (5, 4)]


async def test_zip_of_two_streams() -> None:
    """Section 2: `zip` pairs the results of two runs."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.zip(right)) == [(2, (1, 3)), (5, (2, 4))]


async def test_concat_of_two_streams() -> None:
    """L6: `concat` starts the second run when the first has ended."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.concat(right)) == [(1, 1), (4, 2), (6, 3), (9, 4)]


async def test_combining_by_functions_of_reactivex() -> None:
    """Section 2: streams go into `rx.merge`, `rx.zip` and `rx.concat` as Observables."""
    observable = rx.concat(double([1, 2]), add_one([3]))
    assert await AsyncStream(observable).collect() == [2, 4, 4]
    assert await AsyncStream(rx.zip(double([1, 2]), add_one([1, 2]))).collect() == [(2, 2), (4, 3)]


async def test_flat_map_to_inner_pipelines() -> None:
    """Section 2: `flat_map` to streams runs them inside of the outer run."""
    stream = double([1, 2]).flat_map(lambda x: add_one([x, x * 10]))
    assert sorted(await stream.collect()) == [3, 5, 21, 41]


async def test_flat_map_to_inner_pipelines_inside_a_chain() -> None:
    """Section 2: the same inside `|`."""
    chain = double | ops.flat_map(lambda x: add_one([x, x * 10])) | double
    assert sorted(await chain([1, 2]).collect()) == [6, 10, 42, 82]


async def test_closing_closes_inner_pipelines() -> None:
    """L2: `aclose` on the outer stream cancels and awaits the calls of inner runs."""
    work = timed_task(lambda x: 1 if x == 0 else 1000)
    stream = double([0, 1]).flat_map(lambda x: single_task(work)([x, x + 1]))
    assert await anext(stream) == 0
    await stream.aclose()
    assert work.running == 0
    assert [call.outcome for call in work.calls if call.item] == ["cancelled"] * 3


async def test_take_on_inner_pipelines_closes_them_before_the_end() -> None:
    """L2: when `take` ends the outer run, inner runs have ended, too."""
    ended: list[int] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x < 1 else 1000)
        finally:
            await asyncio.sleep(1)
            ended.append(x)
        return x

    stream = double([0, 1]).flat_map(lambda x: work([x, x + 1])).take(1)
    assert await stream.collect() == [0]
    assert sorted(ended) == [0, 1, 2, 3]


async def test_failing_inner_pipeline_fails_the_outer_run() -> None:
    """E2: an inner run's exception ends the outer one as it is."""
    stream = double([0, 1]).flat_map(lambda x: single_task(explode_at(2))([x]))
    with pytest.raises(Boom):
        await stream.collect()


async def test_take_until_closes_the_run() -> None:
    """L2: an operator that ends the stream from elsewhere closes the run."""
    work = timed_task(lambda x: x)
    stop = rx.timer(2.5, scheduler=loop_clock())
    stream = single_task(work)([1, 2, 3, 4]).take_until(stop)
    assert await timeline(stream) == [(1, 1), (2, 2)]
    assert [call.outcome for call in work.calls] == ["done", "done", "cancelled", "cancelled"]
    assert asyncio.get_running_loop().time() == 2.5
