"""Which event loop does a limit serve? R3 of the contract."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from conveyor_rx import AdaptiveLimit, Limit, RateLimit
from conveyor_rx._limits.request import Request
from conveyor_rx.testing import VirtualLoop
from tests.limits.kit import Caller, asking, end, is_idle


@contextmanager
def two_loops() -> Iterator[tuple[VirtualLoop, VirtualLoop]]:
    loops = VirtualLoop(), VirtualLoop()
    try:
        yield loops
    finally:
        for loop in loops:
            loop.close()


async def ask(limit: Any, item: Any = None) -> Caller:
    return asking([limit], [item])[0]


async def starts(*limits: Any) -> list[float | None]:
    """Ask each limit for a call that ends at once, and say when they were granted."""
    callers = [Caller([limit]) for limit in limits]
    for caller in callers:
        caller.ask()
    await asyncio.sleep(100)
    end(*callers)
    return [caller.granted for caller in callers]


MAKE = [lambda: Limit(2), lambda: RateLimit(2), lambda: AdaptiveLimit(2)]


@pytest.mark.parametrize("make", MAKE)
def test_a_second_loop_at_the_same_time_is_refused(make: Any) -> None:
    """R3: while calls run or wait on the first, with what to do; afterwards it may be used."""
    with two_loops() as (one, other):
        limit = make()
        caller = one.run_until_complete(ask(limit))
        with pytest.raises(
            RuntimeError, match=r"of 2.* in use on another event loop.*one for each"
        ):
            other.run_until_complete(ask(limit))
        one.run_until_complete(_end(caller))
        caller = other.run_until_complete(ask(limit))
        with pytest.raises(RuntimeError, match="in use on another event loop"):
            one.run_until_complete(ask(limit))
        other.run_until_complete(_end(caller))
        assert is_idle(limit)


def test_a_request_that_waits_holds_the_loop() -> None:
    """R3: also if no call runs there."""
    with two_loops() as (one, other):
        limit = RateLimit(1, per=1000)
        one.run_until_complete(starts(limit))
        waiting = one.run_until_complete(ask(limit))
        assert waiting.granted is None
        with pytest.raises(RuntimeError, match="1 request waits"):
            other.run_until_complete(ask(limit))
        with pytest.raises(RuntimeError, match="in use on another event loop"):
            other.run_until_complete(_charge(limit))
        one.run_until_complete(_withdraw(waiting))
        other.run_until_complete(_charge(limit))


def test_the_window_goes_on_from_loop_to_loop() -> None:
    """R3, R1: the log is moved to the clock of the next loop, and so are pauses and spacing."""
    with two_loops() as (one, other):
        limit, spaced = RateLimit(1, per=110), RateLimit(2, per=220, smooth=True)
        paused = RateLimit(9, per=1)
        one.run_until_complete(asyncio.sleep(1000))
        assert one.run_until_complete(starts(limit, spaced)) == [1000, 1000]
        one.run_until_complete(_pause(paused, 7))  # at 1100
        other.run_until_complete(asyncio.sleep(50))
        assert other.run_until_complete(starts(limit, spaced, paused)) == [60, 60, 57]


def test_what_a_closed_loop_held_is_free() -> None:
    """R3: permits and requests of a loop that was closed are forgotten, whenever they end."""
    with two_loops() as (one, other):
        limits: list[Any] = [Limit(1), RateLimit(1, per=5), AdaptiveLimit(1)]
        held = [one.run_until_complete(ask(limit)) for limit in limits]
        waiting = [one.run_until_complete(ask(limit)) for limit in limits]
        one.close()
        for limit in limits:
            caller = other.run_until_complete(ask(limit))
            other.run_until_complete(asyncio.sleep(10))
            assert caller.granted is not None
        for caller in held:
            caller.request.release()
        held[0].request.withdraw()
        for caller in waiting:
            caller.request.withdraw()
        assert [limit._out for limit in limits] == [1, 1, 1]


def test_late_ends_on_a_closed_loop_wake_nobody() -> None:
    """R3: who waits on a loop that was closed can't go."""
    with two_loops() as (one, _):
        limit = Limit(1)
        held, waiting = (one.run_until_complete(ask(limit)) for _ in range(2))
        one.close()
        held.request.release()
        assert waiting.woken == 0


async def many(limit: Any, count: int) -> list[float]:
    """Make calls that end at once, one after the other, and give their starts."""
    times: list[float] = []
    for _ in range(count):
        ready = asyncio.Event()
        request = Request([limit], None, ready.set)
        while not request.take():
            await ready.wait()
            ready.clear()
        times.append(time.monotonic())
        request.release()
    return times


def test_one_run_after_another() -> None:
    """R3: of `asyncio.run`, in real time; the window holds over both."""
    limit = RateLimit(1, per=0.2)
    times = [asyncio.run(many(limit, 1))[0] for _ in range(3)]
    assert 0.4 <= times[2] - times[0] + 1e-6 < 2


def test_on_uvloop() -> None:
    """R1, R3: whose timers come early, and whose clock stands still once it is closed."""
    uvloop = pytest.importorskip("uvloop")
    limit = RateLimit(1, per=0.0107)
    looks: list[float] = []
    look = limit._look
    limit._look = lambda now: (looks.append(now), look(now))  # type: ignore[method-assign]
    for _ in range(2):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            times = runner.run(many(limit, 5))
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(0.0097 <= gap < 0.5 for gap in gaps)  # uvloop's clock counts milliseconds
    assert len(looks) < 60


def test_corrections_need_the_loop() -> None:
    """R5: a charge without a loop, as in a thread, says what to do."""
    with pytest.raises(RuntimeError, match=r"RateLimit.charge\(\).*call_soon_threadsafe"):
        RateLimit(1).charge(1)
    with pytest.raises(RuntimeError, match=r"RateLimit.pause\(\)"):
        RateLimit(1).pause(1)


async def _end(caller: Caller) -> None:
    end(caller)


async def _withdraw(caller: Caller) -> None:
    caller.request.withdraw()


async def _charge(limit: RateLimit[Any]) -> None:
    limit.charge(1)


async def _pause(limit: RateLimit[Any], seconds: float) -> None:
    limit.pause(seconds)
