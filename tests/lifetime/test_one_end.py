"""How often does a run end? L1 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import SingleTask
from conveyor_rx.testing import MarbleError, source, timeline
from tests.kit import in_both_modes, now
from tests.lifetime.pipelines import Numbers, Work, is_over, of_each_stage, stages


@of_each_stage
@in_both_modes
async def test_after_exhaustion_nothing_comes(kind: str, mode: Any) -> None:
    """L1: a stream that is exhausted stays so, and doesn't read its source again."""
    data = Numbers(end=7)
    stream = stages()[kind].with_execution_mode(mode)(data)
    assert await stream.collect()
    assert await is_over(stream)
    assert (data.opened, data.closed, data.pulled) == (1, 1, 7)


@of_each_stage
@in_both_modes
async def test_after_an_exception_nothing_comes(kind: str, mode: Any) -> None:
    """L1: the exception is raised once; then the stream is at its end."""
    stream = stages()[kind].with_execution_mode(mode)(source("0--1--#"))
    with pytest.raises(MarbleError):
        await stream.collect()
    assert await is_over(stream)


@in_both_modes
async def test_after_a_failed_call_nothing_comes(mode: Any) -> None:
    """L1: neither the exception again, nor what stood behind the failure."""

    async def work(item: int) -> int:
        await asyncio.sleep(item)
        if item == 2:
            raise ValueError("boom")
        return item

    stream = SingleTask(work).with_execution_mode(mode)(range(5))
    assert await anext(stream) == 0
    assert await anext(stream) == 1
    with pytest.raises(ValueError, match="boom"):
        await anext(stream)
    assert await is_over(stream)
    await asyncio.sleep(100)
    assert await is_over(stream)


@of_each_stage
@in_both_modes
async def test_after_close_nothing_comes(kind: str, mode: Any) -> None:
    """L1, L2: not even what was ready; the source is closed once."""
    data = Numbers()
    stream = stages()[kind].with_context(max_in_flight=8).with_execution_mode(mode)(data)
    await anext(stream)
    await stream.aclose()
    assert await is_over(stream)
    pulled = data.pulled
    await asyncio.sleep(100)
    assert (data.pulled, data.opened, data.closed) == (pulled, 1, 1)


@pytest.mark.parametrize(
    ("marbles", "expected"),
    [("0-1-2|", [0, 1, 2, "completed"]), ("0-1-#", [0, 1, "error"]), ("|", ["completed"])],
)
async def test_an_observer_hears_one_end(marbles: str, expected: list[Any]) -> None:
    """L1: on_completed or on_error, once, and nothing after it."""
    seen: list[Any] = []
    SingleTask(Work())(source(marbles)).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(100)
    assert seen == expected


async def test_an_empty_source_ends_at_once() -> None:
    """L1: no data, no call, one end."""
    for kind, pipeline in stages().items():
        assert await timeline(pipeline([])) == [], kind
        assert await timeline(pipeline(source("|"))) == [], kind
        assert now() == 0
