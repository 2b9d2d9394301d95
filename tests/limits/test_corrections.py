"""What was used in truth, and when has everybody to stop? R5 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import RateLimit
from tests.limits.kit import Caller, asking, end, granted, is_idle


def cost_of(item: float) -> float:
    return item


async def test_debt_delays_later_starts() -> None:
    """R5: beyond `n`, until the window holds so little that they fit in."""
    limit = RateLimit(10, per=10, cost=cost_of)
    callers = asking([limit], [6])
    await asyncio.sleep(2)
    limit.charge(8)  # 14 of 10 now; 8 from second 10 on, 0 from second 12 on
    callers += asking([limit], [0, 1, 1, 1])
    await asyncio.sleep(100)
    assert granted(callers) == [0, 10, 10, 10, 12]


async def test_a_charge_moves_whoever_waits() -> None:
    """R5: the timer that was set for it comes to nothing, and it goes when there is room."""
    limit = RateLimit(10, per=10, cost=cost_of)
    callers = asking([limit], [10, 10])
    await asyncio.sleep(5)
    limit.charge(1)
    await asyncio.sleep(100)
    assert granted(callers) == [0, 15]
    end(*callers)
    assert is_idle(limit)


async def test_what_was_not_used_is_given_back() -> None:
    """R5: at once, to the first who waits, off the oldest starts."""
    limit = RateLimit(10, per=10, cost=cost_of)
    callers = asking([limit], [3])
    await asyncio.sleep(1)
    callers += asking([limit], [7, 4])
    limit.charge(-3)  # the first start is gone
    assert callers[2].granted is None
    limit.charge(-1)
    assert callers[2].granted == 1
    callers += asking([limit], [2])
    await asyncio.sleep(100)
    assert callers[3].granted == 11
    end(*callers)
    assert is_idle(limit)


async def test_never_below_zero() -> None:
    """R5: nothing can be saved up."""
    limit = RateLimit(2)
    limit.charge(-100)
    assert granted(asking([limit], range(3)))[2] is None
    limit.charge(-100)
    assert "1 used" in repr(limit)


async def test_a_huge_debt_leaves_no_trace() -> None:
    """R5, R1: beside it small costs are not lost in the sum, and none is left when it has ended."""
    limit = RateLimit(1, cost=cost_of)
    limit.charge(1e30)
    await asyncio.sleep(0.5)
    limit.charge(0.25)
    callers = asking([limit], [0.75, 0.25])
    await asyncio.sleep(10)
    assert granted(callers) == [1, 1.5]
    limit.charge(1.7e308)
    with pytest.raises(ValueError, match="amount must be finite, also in sum"):
        limit.charge(1.7e308)


async def test_a_charge_spaces_as_a_start_does() -> None:
    """R5: with `smooth`, on top of the spacing there is; at most until nothing of it is left."""
    limit = RateLimit(10, per=10, smooth=True)
    callers = asking([limit], range(1))
    limit.charge(2)
    callers += asking([limit], range(1))
    await asyncio.sleep(20)
    assert callers[1].granted == 3
    limit.charge(1000)
    callers += asking([limit], range(1))
    await asyncio.sleep(20)
    assert callers[2].granted == 30


async def test_nothing_starts_in_a_pause() -> None:
    """R5: neither who waits nor who comes, and a longer pause wins, whichever comes first."""
    limit = RateLimit(1)
    callers = asking([limit], range(2))
    limit.pause(5)
    limit.pause(3)
    callers += asking([limit], range(1))
    await asyncio.sleep(4)
    assert granted(callers) == [0, None, None]
    limit.pause(2)
    await asyncio.sleep(100)
    assert granted(callers) == [0, 6, 7]
    limit.pause(0)
    assert asking([limit])[0].granted == 104


async def test_a_pause_stops_whoever_was_woken() -> None:
    """R5: between being woken and taking; it stays where it is."""
    limit = RateLimit(1)
    asking([limit])
    callers = [Caller([limit], at_once=False) for _ in range(2)]
    for caller in callers:
        caller.ask()
    loop = asyncio.get_running_loop()
    loop.call_at(1.0, limit.pause, 2)  # after the limit's own timer
    await asyncio.sleep(10)
    assert granted(callers) == [3, 4]
    assert callers[0].woken == 2


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -float("inf"), "1", None, True])
async def test_what_is_no_amount_is_refused(amount: Any) -> None:
    """R5: the error names it."""
    with pytest.raises((TypeError, ValueError), match="amount must be"):
        RateLimit(1).charge(amount)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1", None, True])
async def test_what_is_no_pause_is_refused(seconds: Any) -> None:
    """R5: the error names it."""
    with pytest.raises((TypeError, ValueError), match="seconds must be"):
        RateLimit(1).pause(seconds)
