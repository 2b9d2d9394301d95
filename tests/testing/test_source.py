"""`source`: items at written instants, and what was made of them."""

import asyncio

import pytest

from conveyor_rx.testing import MarbleError, source, timeline


async def test_items_come_at_the_instants_of_the_string() -> None:
    """Each reading starts its own clock at its first `__anext__`."""
    letters = source("-a--(b,c)|", tick=0.1)
    first = await timeline(letters)
    assert first == [(0.1, "a"), (0.4, "b"), (0.4, "c")]
    assert await timeline(letters) == first
    assert (letters.opened, letters.pulled) == (2, 6)


async def test_who_asks_late_gets_at_once_what_is_due() -> None:
    """The source doesn't wait for its consumer, nor does it lose an item."""
    clock = asyncio.get_running_loop().time
    seen: list[tuple[float, int]] = []
    async for item in source("1-2-3----4|"):
        seen.append((clock(), item))
        await asyncio.sleep(3)
    assert seen == [(0, 1), (3, 2), (6, 3), (9, 4)]


async def test_an_error_ends_it() -> None:
    """`#` raises `error`, a MarbleError by default; after it there is nothing."""
    reading = aiter(source("1#"))
    assert await anext(reading) == 1
    with pytest.raises(MarbleError):
        await anext(reading)
    with pytest.raises(StopAsyncIteration):
        await anext(reading)


async def test_without_an_end_it_never_ends() -> None:
    """As in Rx; and who was cancelled while waiting may ask again."""
    reading = aiter(source("--1"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(reading)
    assert await anext(reading) == 1
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await anext(reading)


@pytest.mark.virtual_time(seed=None)  # about the order of ready callbacks
async def test_it_sees_overlapping_demand_and_close() -> None:
    """F5, L2: `__anext__` never overlaps itself; `aclose` is counted once."""
    numbers = source("1--2--3|")
    reading = aiter(numbers)
    await anext(reading)
    waiting = asyncio.ensure_future(anext(reading))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="overlaps itself"):
        await anext(reading)
    assert await waiting == 2
    await reading.aclose()
    await reading.aclose()
    assert numbers.closed == 1
    with pytest.raises(StopAsyncIteration):
        await anext(reading)


def test_no_marble_string_is_refused_at_once() -> None:
    """A slip of the pen raises where it stands."""
    with pytest.raises(ValueError, match="goes on after its end"):
        source("1|2")
