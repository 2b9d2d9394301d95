"""What does `pipe` of a stream take?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import AsyncStream, single_task
from tests.kit import Endless
from tests.rx.stages import add_one, double


@pytest.mark.parametrize("count", range(8))
async def test_pipe_takes_any_number_of_operators(count: int) -> None:
    """Section 2: `.pipe(*ops)` with 0 to 7 operators gives an AsyncStream."""
    stream = double([1, 2]).pipe(*[ops.map(lambda x: x + 1)] * count)
    assert type(stream) is AsyncStream
    assert await stream.collect() == [2 + count, 4 + count]


async def test_pipe_without_operators_is_the_stream_itself() -> None:
    """Section 2, as in reactivex: `.pipe()` gives the stream itself."""
    stream = double([1])
    assert stream.pipe() is stream


@pytest.mark.parametrize("stage", [add_one, add_one | double, ops.map(str) | single_task(int)])
async def test_pipe_with_a_stage(stage: Any) -> None:
    """Section 2: a stage stands in the `pipe` of a stream."""
    stream = double([1, 2]).pipe(ops.map(lambda x: x + 1), stage, ops.map(lambda x: (x,)))
    assert type(stream) is AsyncStream
    assert [len(item) for item in await stream.collect()] == [1, 1]


async def test_pipe_task_keeps_back_pressure() -> None:
    """F2: a stream as the source of another pipeline is pulled at that one's pace."""
    endless = Endless()
    stream = double.with_context(max_in_flight=4)(endless).pipe(add_one)
    assert await anext(stream) == 1
    await asyncio.sleep(100)
    assert endless.pulled <= 1 + 4 + 16 + 1024 + 16
    await stream.aclose()
    assert endless.closed == 1


async def test_pipe_with_something_that_gives_no_observable() -> None:
    """Section 2, as in reactivex: what an operator gives that is no Observable is returned."""
    assert await double([1, 2, 3]).pipe(ops.to_future()) == 6
