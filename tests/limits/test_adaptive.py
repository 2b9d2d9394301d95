"""How many calls can a service bear? R7 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import AdaptiveLimit, RateLimit
from tests.kit import Boom
from tests.limits.kit import Caller, asking, end, granted, is_idle


def fail(caller: Caller, error: BaseException | None = None) -> None:
    caller.request.release(Boom() if error is None else error)


async def test_it_may_be_given_no_room_to_change() -> None:
    """R7: then it is a plain limit."""
    limit = AdaptiveLimit(3, minimum=3, maximum=3)
    callers = asking([limit], range(20))
    fail(callers[0])
    for caller in callers[1:12]:
        end(caller)
        assert limit.limit == 3


async def test_it_grows_by_one_per_limit_many_successes() -> None:
    """R7: while it is used up: from 2 to 3 after two, to 4 after three more, and so on."""
    limit = AdaptiveLimit(2, maximum=5)
    callers = asking([limit], range(100))
    sizes: list[int] = []
    for caller in callers[:20]:
        end(caller)
        sizes.append(limit.limit)
    assert sizes == [2, 3, 3, 3, 4, 4, 4, 4, *[5] * 12]
    assert sum(time is not None for time in granted(callers)) == 25


async def test_it_does_not_grow_unless_it_is_used_up() -> None:
    """R7: calls that always leave a permit prove nothing."""
    limit = AdaptiveLimit(3)
    for _ in range(100):
        end(*asking([limit], range(2)))
    assert limit.limit == 3
    for _ in range(3):
        end(*asking([limit], range(3)))
    assert limit.limit > 3


async def test_it_does_not_grow_where_a_rate_is_what_they_wait_for() -> None:
    """R7: there are permits left then, though others wait."""
    limit, rate = AdaptiveLimit(3), RateLimit(1)
    callers = asking([limit, rate], range(50))
    for number in range(50):
        assert callers[number].granted == number
        end(callers[number])
        await asyncio.sleep(1)
    assert limit.limit == 3


async def test_all_that_end_at_one_moment_count() -> None:
    """R7: a call counts if all permits were in use at some time while it ran."""
    limit = AdaptiveLimit(10, maximum=100)
    callers = asking([limit], range(10))
    end(*callers)
    assert limit.limit == 11


async def test_a_burst_of_failures_cuts_once() -> None:
    """R7: fifty that had started before the cut; failures of later calls cut again."""
    limit = AdaptiveLimit(50)
    callers = asking([limit], range(200))
    for caller in callers[:50]:
        fail(caller)
    assert limit.limit == 35
    running = [caller for caller in callers[50:] if caller.granted is not None]
    assert len(running) == 35
    for caller in running:
        fail(caller)
    assert limit.limit == 24


async def test_what_is_over_after_a_cut_lets_nobody_in_too_early() -> None:
    """R7: calls that run go on; others start when so many have ended that there is room."""
    limit = AdaptiveLimit(10)
    callers = asking([limit], range(20))
    fail(callers[0])
    assert limit.limit == 7
    end(*callers[1:3])
    assert sum(time is not None for time in granted(callers)) == 10
    end(callers[3])
    assert sum(time is not None for time in granted(callers)) == 11


@pytest.mark.parametrize("back_off", [0.1, 0.5, 0.7, 0.99])
async def test_it_stays_above_its_minimum_and_recovers(back_off: float) -> None:
    """R7: a cut never leads below it, each one leads lower, and it grows from there."""
    limit = AdaptiveLimit(8, 1, 8, back_off)
    callers = iter(asking([limit], range(1000)))
    running: list[Caller] = []
    while limit.limit > 1:
        before = limit.limit
        for _ in range(20):
            caller = next(callers)
            assert caller.granted is not None
            fail(caller)
            if limit.limit < before:
                break
        assert limit.limit < before
    for caller in callers:
        running.append(caller)
        if caller.granted is None:
            break
        end(caller)
        if limit.limit == 8:
            break
    assert limit.limit == 8


async def test_a_minimum_above_one() -> None:
    """R7: it is kept."""
    limit = AdaptiveLimit(5, minimum=4)
    for _ in range(5):
        fail(asking([limit])[0])
    assert limit.limit == 4


@pytest.mark.parametrize(
    ("slow_down_on", "error", "is_cut"),
    [
        (Exception, Boom(), True),
        (Exception, asyncio.CancelledError(), True),  # of the function's own: E8
        (TimeoutError, TimeoutError(), True),
        (TimeoutError, Boom(), False),
        ((TimeoutError, Boom), Boom(), True),
        ((TimeoutError, OSError), Boom(), False),
        (lambda error: error.args == (429,), Boom(429), True),
        (lambda error: error.args == (429,), Boom(404), False),
    ],
)
async def test_only_what_is_named_cuts(slow_down_on: Any, error: Any, is_cut: bool) -> None:
    """R7: other failures count neither way."""
    limit = AdaptiveLimit(1, 1, 10, slow_down_on=slow_down_on)
    while limit.limit < 3:
        end(*asking([limit], range(limit.limit)))
    for _ in range(10):
        callers = asking([limit], range(3))
        fail(callers[0], error)
        for caller in callers[1:]:
            if caller.granted is None:
                caller.request.withdraw()
            else:
                caller.request.release(cancelled=True)
    assert limit.limit == (1 if is_cut else 3)
    assert is_idle(limit)


async def test_a_cancelled_call_says_nothing() -> None:
    """R7: neither a success nor a failure, whatever it was raised with."""
    limit = AdaptiveLimit(1)
    for error in (None, Boom()):
        for _ in range(10):
            asking([limit])[0].request.release(error, cancelled=True)
    assert limit.limit == 1


async def test_a_refund_says_nothing() -> None:
    """R7: the attempt has not started."""
    limit = AdaptiveLimit(1)
    for _ in range(10):
        asking([limit])[0].request.refund()
    assert limit.limit == 1
    assert is_idle(limit)


async def test_a_predicate_that_raises() -> None:
    """R7: what it raises is raised when all permits have been given back, and others woken."""
    limit = AdaptiveLimit(1, slow_down_on=lambda error: 1 / 0 > 0)
    other = AdaptiveLimit(1)
    callers = asking([limit, other], range(2))
    with pytest.raises(ZeroDivisionError):
        fail(callers[0])
    assert callers[1].granted == 0
    end(callers[1])
    assert is_idle(limit)
    assert is_idle(other)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"start": 0}, "start must be at least 1"),
        ({"start": 1.5}, "start must be an int"),
        ({"minimum": 0}, "minimum must be at least 1"),
        ({"minimum": 20}, "start must be from minimum=20 to maximum=100, not 10"),
        ({"maximum": 5}, "start must be from minimum=1 to maximum=5, not 10"),
        ({"minimum": 9, "maximum": 5}, "minimum must be at most maximum=5, not 9"),
        ({"back_off": 1}, "back_off must be between 0 and 1, not 1"),
        ({"back_off": 0}, "back_off must be between 0 and 1"),
        ({"back_off": float("nan")}, "back_off must be between 0 and 1"),
        ({"back_off": "0.7"}, "back_off must be a number"),
        ({"slow_down_on": 429}, "slow_down_on must be .*whether to slow down"),
        ({"slow_down_on": ()}, "slow_down_on must be"),
        ({"slow_down_on": BaseException}, "slow_down_on must be"),
    ],
)
def test_bad_options(options: dict[str, Any], text: str) -> None:
    """E10: the error names the option."""
    with pytest.raises((TypeError, ValueError), match=text):
        AdaptiveLimit(**options)


async def test_it_finds_what_a_service_bears() -> None:
    """R7: of a service that fails beyond 20 calls at once, most of the time 14 to 20 run."""
    limit = AdaptiveLimit(1)
    running = failed = 0
    sizes: list[int] = []

    async def call() -> None:
        nonlocal running, failed
        ready = asyncio.Event()
        from conveyor_rx._limits.request import Request

        request = Request([limit], None, ready.set)
        while not request.take():
            await ready.wait()
            ready.clear()
        running += 1
        is_too_much = running > 20
        await asyncio.sleep(1)
        running -= 1
        failed += is_too_much
        request.release(Boom() if is_too_much else None)
        sizes.append(limit.limit)

    await asyncio.gather(*(call() for _ in range(3000)))
    settled = sizes[500:]
    assert 14 <= min(settled) <= max(settled) <= 21
    assert failed < 100
    assert is_idle(limit)
