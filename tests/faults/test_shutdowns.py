"""A loop that is shut down in the middle of a run: nothing is pending, unseen or left open."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from reactivex import Observable
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import VirtualLoop, assert_clean
from tests.faults.references import REFERENCES
from tests.faults.shutdowns import HOWS, shut_down_at_every_step


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("how", HOWS)
def test_shut_down_at_some_steps(name: str, how: str) -> None:
    """L5, L7: as `asyncio.run` ends when main returns, is cancelled, or at a second Ctrl-C.

    At every fifth step; which ones differs from pipeline to pipeline.
    """
    number = int(name[:2])
    seed = number if number % 2 else None
    assert shut_down_at_every_step(REFERENCES[name], seed, how, 1 + number % 5, 5) > 0


def with_side_inputs(depth: int, closed: list[int]) -> AsyncStream[int]:
    """Give a stream with a stream as side input, which has one as well, and so on."""

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in count():
                await asyncio.sleep(0.002)
                yield number
        finally:
            closed.append(depth)

    async def first(item: int, side: int) -> int:
        await asyncio.sleep(0.003)
        return item

    if depth == 0:
        return AsyncStream(numbers())
    side = with_side_inputs(depth - 1, closed)
    return single_task(first).with_inputs(side)(numbers())  # type: ignore[return-value]


@pytest.mark.parametrize("seed", [None, *range(1, 6)])
@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("disposes", [True, False])
def test_a_subscription_is_ended_at_each_step(disposes: bool, depth: int, seed: int | None) -> None:
    """L5, L2: tasks that begin once the loop is being shut down end too, side inputs' as well."""
    closed: list[int] = []
    ends: list[Any] = []
    held: list[Any] = []
    steps = left_at = 0

    async def main() -> None:
        stream = with_side_inputs(depth, closed)
        subscription = stream.subscribe(lambda _: None, ends.append, lambda: ends.append(None))
        held.append(subscription)
        try:
            await asyncio.Event().wait()
        finally:
            if disposes:
                subscription.dispose()

    def on_step(loop: VirtualLoop) -> None:
        nonlocal steps
        steps += 1
        if steps == left_at:
            raise KeyboardInterrupt

    for left_at in range(1, 40):  # read in `on_step`
        steps = 0
        closed.clear()
        ends.clear()
        with (
            assert_clean(),
            pytest.raises(KeyboardInterrupt),
            asyncio.Runner(loop_factory=lambda: VirtualLoop(seed=seed, on_step=on_step)) as runner,
        ):
            runner.run(main())
        held.clear()
        assert len(set(closed)) == len(closed)
        if not disposes and left_at > 1:  # the subscription was made
            assert [type(end) for end in ends] == [asyncio.CancelledError]


async def test_a_forgotten_subscription_is_free() -> None:
    """L5: what waits for a source that is no more ends, and says nothing."""

    async def forget(source: Observable[Any]) -> None:
        single_task(asyncio.sleep)(source).subscribe(print)
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks()) == 2

    await forget(Subject[Any]())
    gc.collect()
    await asyncio.sleep(1)
    assert len(asyncio.all_tasks()) == 1
