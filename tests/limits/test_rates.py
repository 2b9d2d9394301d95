"""How much may start in which time? R1 and R2 of the contract."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from time import process_time
from typing import Any

import pytest

from conveyor_rx import RateLimit
from tests.kit import Boom, now
from tests.limits.kit import Caller, Start, asking, end, fullest_window, granted, is_idle

Make = Callable[..., RateLimit[Any]]


def cost_of(item: float) -> float:
    return item


async def starts_of(limit: RateLimit[Any], costs: list[float], gaps: list[float]) -> list[Start]:
    """Ask for calls of these costs, so long after each other, and give their starts."""
    callers: list[Caller] = []
    for cost, gap in zip(costs, gaps, strict=True):
        await asyncio.sleep(gap)
        callers += asking([limit], [cost])
    await asyncio.sleep(1000)
    end(*callers)
    assert is_idle(limit)
    return [
        (caller.granted, cost)
        for caller, cost in zip(callers, costs, strict=True)
        if caller.granted is not None
    ]


async def check_windows(make: Make) -> None:
    """Try random costs and pauses; raise AssertionError where a window holds too much."""
    chance, fullest = random.Random(7), 0.0
    for _ in range(60):
        n, per = chance.choice([1, 5, 20]), chance.choice([0.5, 1, 3])
        limit = make(n, per, cost=cost_of, smooth=chance.random() < 0.2)
        costs = [chance.choice([0, 0.1, chance.random(), 1, n]) for _ in range(60)]
        gaps = [chance.choice([0, 0, 0, per * chance.random()]) for _ in costs]
        starts = await starts_of(limit, costs, gaps)
        assert len(starts) == len(costs)
        share = fullest_window(starts, per) / n
        fullest = max(fullest, share)
        assert share <= 1 + 1e-9
    assert fullest > 0.99


async def test_no_window_holds_too_much() -> None:
    """R1: with any costs, bursts and pauses, and some window is used up."""
    await check_windows(RateLimit)


async def test_a_token_bucket_would_not_do() -> None:
    """R1: it lets through nearly twice as much in some window; the check above sees that."""

    class Bucket(RateLimit[Any]):
        def _has_room(self, cost: float, now: float) -> bool:
            self.__dict__.setdefault("level", [self._n, now])
            level, since = self.level
            self.level = [min(self._n, level + (now - since) * self._n / self._per), now]
            return cost <= self.level[0] + 1e-9

        def _grant(self, cost: float, now: float) -> float:
            self.level[0] -= cost
            return super()._grant(0, now)

        def _wait(self, cost: float, now: float) -> None:
            missing = (cost - self.level[0]) * self._per / self._n
            self._stop_timer()
            self._due = now + missing + 1e-6
            self._timer = asyncio.get_running_loop().call_at(self._due, self._goes_off)

    starts = await starts_of(Bucket(10, cost=cost_of), [1] * 30, [0] * 30)
    assert fullest_window(starts, 1.0) > 18
    with pytest.raises(AssertionError):
        await check_windows(Bucket)


async def test_ten_in_any_second() -> None:
    """R1: as many at once as are allowed, and the next when these are a second old."""
    limit = RateLimit(10)
    callers = asking([limit], range(25))
    await asyncio.sleep(10)
    assert granted(callers) == [0.0] * 10 + [1.0] * 10 + [2.0] * 5


async def test_a_window_ends_where_the_next_one_begins() -> None:
    """R1: what started `per` seconds ago is out, whatever the sums of floats say."""
    limit = RateLimit(1, per=0.1)
    callers = asking([limit], range(1000))
    await asyncio.sleep(1000)
    assert granted(callers) == pytest.approx([0.1 * number for number in range(1000)], abs=1e-6)
    assert not asking([limit], [None])[0].woken


@pytest.mark.parametrize("per", [0.3, 1, 60])
async def test_smooth_spaces_starts_evenly(per: float) -> None:
    """R1: after a cost of c the next comes c * per / n later; and the window holds as well."""
    limit = RateLimit(6, per, cost=cost_of, smooth=True)
    costs: list[float] = [1, 2, 1, 0, 1, 3, 1, 1, 6, 1]
    starts = await starts_of(limit, costs, [0] * len(costs))
    assert fullest_window(starts, per) <= 6 + 1e-9
    for (time, cost), (later, _) in pairwise(starts):
        assert later - time >= cost * per / 6 - 1e-8
    assert starts[3][0] == pytest.approx(4 * per / 6)


async def test_smooth_starts_of_one_cost_lose_nothing() -> None:
    """R1: ten a second are one each tenth of a second."""
    starts = await starts_of(RateLimit(10, cost=cost_of, smooth=True), [1] * 101, [0] * 101)
    assert [time for time, _ in starts] == pytest.approx([0.1 * k for k in range(101)], abs=1e-6)


async def test_float_costs_fill_a_window() -> None:
    """R1: ten times 0.1 are 1, however often, though no sum of floats says so."""
    limit = RateLimit(1, cost=cost_of)
    for _ in range(100):
        callers = asking([limit], [0.1] * 11)
        assert all(caller.granted is not None for caller in callers[:10])
        assert callers[10].granted is None
        callers[10].request.withdraw()
        end(*callers[:10])
        await asyncio.sleep(1)


@pytest.mark.no_cover
@pytest.mark.parametrize("costs", [(0.1,), (0.1, 0.7, 1e-9, 3.3)])
async def test_sums_do_not_drift(costs: tuple[float, ...]) -> None:
    """R1: after 200,000 starts and ends, the log never empty, the sum is what the log holds."""
    limit = RateLimit(1000, per=1.0, cost=cost_of)
    log = limit._log
    time = 0.0
    for step in range(200_000):
        time += 0.001
        log.expire(time)
        log.add(time, costs[step % len(costs)])
    exact = sum(map(Fraction, log._costs))
    assert abs(Fraction(log.used) - exact) < Fraction(1, 10**12)


async def test_the_log_is_bounded() -> None:
    """R1: a million starts that are nearly free are 20,000 entries; no window holds too much."""
    limit = RateLimit(100, per=1.0, cost=cost_of)
    log, now_ = limit._log, 0.0
    for _ in range(100_000):
        now_ += 5e-6
        log.expire(now_)
        log.add(now_, 0.001)
    assert len(log._ends) <= 20_001
    assert log.used == pytest.approx(100)
    ends = list(log._ends)
    assert ends == sorted(ends)
    assert log.falls_to(50) == pytest.approx(1.25, abs=2e-4)
    log.expire(1.25)
    assert 50 <= log.used < 50.1


async def test_cost_is_asked_once_a_request() -> None:
    """R2: when the request is made; not when it takes, or takes again."""
    asked: list[str] = []

    def cost(item: str) -> int:
        asked.append(item)
        return 1

    limit = RateLimit(1, cost=cost)
    callers = asking([limit], ["a", "b"])
    await asyncio.sleep(5)
    assert asked == ["a", "b"]
    assert granted(callers) == [0, 1]


async def test_a_cost_of_nothing_is_fine() -> None:
    """R2: it goes beside a full window, and leaves nothing in it; at its turn, as all others."""
    limit = RateLimit(2, cost=cost_of)
    callers = asking([limit], [0, 2, 0, 0, 1, 0])
    await asyncio.sleep(5)
    assert granted(callers) == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("cost", "kind", "text"),
    [
        (-1, ValueError, "what cost returns must be at least 0, not -1"),
        (float("nan"), ValueError, "what cost returns must be finite, not nan"),
        (float("inf"), ValueError, "what cost returns must be finite, not inf"),
        (10**400, ValueError, "what cost returns must be finite"),
        (5.5, ValueError, "what cost returns must be at most n=5, not 5.5: .*never start"),
        (None, TypeError, "what cost returns must be a number, not None"),
        ("1", TypeError, "what cost returns must be a number, not '1'"),
        (True, TypeError, "what cost returns must be a number, not True"),
    ],
)
async def test_what_is_no_cost_is_refused(cost: Any, kind: type[Exception], text: str) -> None:
    """R2: when the request is made; nothing is left of it."""
    limit = RateLimit(5, cost=lambda item: cost)
    with pytest.raises(kind, match=text):
        Caller([limit])
    assert is_idle(limit)


async def test_what_cost_raises_is_raised() -> None:
    """R2: as it is, when the request is made."""

    def cost(item: object) -> float:
        raise Boom

    with pytest.raises(Boom):
        Caller([RateLimit(5, cost=cost)])


async def test_numbers_of_other_types_are_costs() -> None:
    """R2: whatever can be a float, as the numbers of NumPy."""

    class Number:
        def __float__(self) -> float:
            return 2.0

    limit = RateLimit(5, cost=lambda item: item)
    callers = asking([limit], [Fraction(5, 2), Number(), Fraction(1, 2)])
    assert granted(callers) == [0, 0, 0]
    assert "5 used" in repr(limit)


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        ((0,), {}, "n must be above 0"),
        ((-1,), {}, "n must be above 0"),
        (("5",), {}, "n must be a number"),
        ((True,), {}, "n must be a number"),
        ((float("inf"),), {}, "n must be finite"),
        ((0.5,), {}, r"n must be at least 1 unless there is a cost.*RateLimit\(1, per=2\)"),
        ((5, 0), {}, "per must be above 0"),
        ((5, float("nan")), {}, "per must be finite"),
        ((5, None), {}, "per must be a number"),
        ((5,), {"cost": 1}, "cost must be a plain function"),
        ((5,), {"smooth": 1}, "smooth must be a bool"),
    ],
)
def test_bad_options(arguments: tuple[Any, ...], options: dict[str, Any], text: str) -> None:
    """E10: the error names the option."""
    with pytest.raises((TypeError, ValueError), match=text):
        RateLimit(*arguments, **options)


async def test_it_says_how_it_is() -> None:
    """What is allowed, what is used, who waits, how long it is paused."""
    limit = RateLimit(2, per=60, smooth=True)
    assert repr(limit) == "<RateLimit of 2 in 60 s, smoothly: 0 used>"
    callers = asking([limit], range(3))
    assert repr(limit) == "<RateLimit of 2 in 60 s, smoothly: 1 used, 2 requests wait>"
    limit.pause(600)
    await asyncio.sleep(90.5)
    assert repr(limit).endswith("0 used, paused for 510 s, 2 requests wait>")
    for caller in callers[1:]:
        caller.request.withdraw()
    end(callers[0])
    assert now() == 90.5


@pytest.mark.no_cover
async def test_a_grant_takes_constant_time() -> None:
    """R1: beside 10,000 starts in the log much less than it would take to add them up."""
    limit = RateLimit(20_000, per=10)
    for step in range(10_000):
        limit._log.add(step * 1e-5, 1)
    await asyncio.sleep(0.1)
    began = process_time()
    for _ in range(10_000):
        end(*asking([limit]))
    assert process_time() - began < 2
    assert "20,000 used" in repr(limit)
