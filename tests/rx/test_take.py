"""What ends when an operator has enough?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import single_task
from conveyor_rx.testing import timeline
from tests.kit import Endless, in_both_modes
from tests.rx.stages import add_one, double


@in_both_modes
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_take_closes_upstream(place: str, mode: Any) -> None:
    """L2: when `take` is satisfied the source is closed, once, and the stream ends."""
    endless = Endless()
    take: Any = ops.take(3)
    chain = {"first": take | double, "middle": double | take | double, "last": double | take}[place]
    results = await chain.with_execution_mode(mode)(endless).collect()
    assert results == ([0, 4, 8] if place == "middle" else [0, 2, 4])
    assert endless.closed == 1
    assert endless.pulled <= 1024 + 16


async def test_take_cancels_and_awaits_the_calls_upstream() -> None:
    """L2: when a stream that `take` cut short ends, every call was cancelled and awaited."""
    ended: list[int] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x < 2 else 1000)
        finally:
            if x >= 2:
                await asyncio.sleep(1)
                ended.append(x)
        return x

    assert await (work | ops.take(2))(range(5)).collect() == [0, 1]
    assert sorted(ended) == [2, 3, 4]
    assert asyncio.get_running_loop().time() == 1


async def test_take_in_the_middle_lets_calls_downstream_finish() -> None:
    """E1/L1: what `take` has let through goes on to the end, though upstream is closed."""
    results = await timeline((double | ops.take(2) | add_one)(range(100)))
    assert results == [(1, 1), (1, 3)]


async def test_take_zero() -> None:
    """L1: `take(0)` ends the stream without a result, and without pulling."""
    endless = Endless()
    assert await (double | ops.take(0))(endless).collect() == []
    assert endless.pulled <= 1


async def test_take_in_front_counts_what_was_let_go() -> None:
    """E9: the counters of a stage cut short by `take` balance."""
    stream = (add_one | ops.take(2))(range(10))
    assert await stream.collect() == [1, 2]
    [stats] = stream.stats
    assert stats.in_ == stats.completed + stats.failed + stats.skipped + stats.dropped + (
        stats.cancelled
    )
    assert (stats.running, stats.waiting, stats.out) == (0, 0, stats.completed)
