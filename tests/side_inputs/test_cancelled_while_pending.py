"""What if a run ends while a side input is still to come? S1 and L2 of the contract."""

from __future__ import annotations

import asyncio

import pytest

from conveyor_rx import single_task
from conveyor_rx.testing import timed_task
from tests.side_inputs.tasks import Slow, add, needs_two


async def test_closing_while_pending() -> None:
    """L2: `aclose` while a factory is at work gives control back when that has ended."""
    slow = Slow()
    bound = add.with_inputs(slow)
    stream = bound([1])
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.5)
    await stream.aclose()
    assert (slow.started, slow.ended) == (1, 1)
    assert await reader == []


async def test_cancelled_consumer_while_pending() -> None:
    """L7/L2: a cancelled consumer: a factory's coroutine has ended when control is back."""
    slow = Slow()
    reader = asyncio.create_task(add.with_inputs(slow)([1]).collect())
    await asyncio.sleep(0.5)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert (slow.started, slow.ended) == (1, 1)


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_one_of_two_runs_is_cancelled_while_pending(cancelled: int) -> None:
    """S1: two runs share a pending coroutine: cancelling one leaves it to the other."""
    slow = Slow()
    bound = add.with_inputs(slow())
    readers = [asyncio.create_task(bound([n]).collect()) for n in (1, 2)]
    await asyncio.sleep(0.5)
    readers[cancelled].cancel()
    await asyncio.wait({readers[cancelled]})
    other = 1 - cancelled
    assert await readers[other] == [other + 11]
    assert (slow.started, slow.ended) == (1, 1)


async def test_closing_while_a_stream_is_pending() -> None:
    """L2: a stream that is waited for is closed: calls cancelled and awaited."""
    work = timed_task(lambda x: 1000)
    stream = add.with_inputs(single_task(work)([1, 2]))([1])
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.5)
    await stream.aclose()
    await asyncio.wait({reader})
    assert work.running == 0
    assert [call.outcome for call in work.calls] == ["cancelled", "cancelled"]


async def test_two_pending_inputs_are_resolved_once_each() -> None:
    """S1: several pending inputs of one task; each once, all before the first call."""
    a, b = Slow(10), Slow(100)
    bound = single_task(needs_two).with_inputs(a(), b=b())
    assert await bound([1, 2]).collect() == [(1, 10, 100), (2, 10, 100)]
    assert (a.started, b.started) == (1, 1)
