"""What does a stream give as a side input? Its first item: S1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, SingleTask, single_task
from conveyor_rx.testing import timed_task
from tests.side_inputs.tasks import add


async def test_first_item_of_a_stream() -> None:
    """S1: of an AsyncStream the first item is taken, once, for all calls and runs."""
    work = timed_task(lambda x: 1)
    bound = add.with_inputs(single_task(work)([10, 20, 30]))
    assert await bound([1, 2, 3]).collect() == [11, 12, 13]
    assert await bound([4]).collect() == [14]
    assert len(work.calls) <= 3


async def test_stream_is_closed_when_its_first_item_is_there() -> None:
    """S1/L2: the stream is closed then: calls cancelled and awaited, source closed."""
    closed: list[float] = []
    clock = asyncio.get_running_loop().time

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(10, 100):
                await asyncio.sleep(1)
                yield n
        finally:
            closed.append(clock())

    work = timed_task(lambda x: 0 if x == 10 else 1000)
    bound = add.with_inputs(single_task(work)(numbers()))
    assert await bound([1]).collect() == [11]
    assert closed == [1]
    assert work.running == 0


async def test_derived_stream_as_side_input() -> None:
    """S1: a stream with Rx operators behind it is one, too."""
    bound = add.with_inputs(single_task(abs)([1, -3, 4]).filter(lambda x: x > 2))
    assert await bound([1]).collect() == [4]


@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
async def test_empty_stream_fails_the_run(on_error: Any) -> None:
    """S4: a stream without an item is an error that says so, whatever `on_error` is."""
    task = SingleTask(lambda x, other: x, on_error=on_error)
    with pytest.raises(RuntimeError, match="ended without an item"):
        await task.with_inputs(AsyncStream([]))([1, 2]).collect()


async def test_stream_that_gives_none_only_is_empty() -> None:
    """S1/V1: what is dropped is no first item."""
    dropping = single_task(lambda x: x if x > 2 else None)
    assert await add.with_inputs(dropping([1, 2, 3]))([0]).collect() == [3]
