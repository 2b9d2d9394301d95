"""How much may start in which time, over all tasks and runs that share a limit?"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any, Generic, TypeVar, overload

from .._checks import as_number, check_flag, check_function, check_seconds
from .log import HAIR, Log
from .shared import SharedLimit

__all__ = ["RateLimit"]

In = TypeVar("In", contravariant=True)

SLACK = 1 + 1e-9
"""`n` is exceeded beyond this factor: ten costs of 0.1 are 1, whatever their sum is in floats."""

COARSE = max(0.001, 2 * time.get_clock_info("monotonic").resolution)
"""Seconds to wait after a timer came too early: uvloop rounds to milliseconds, Windows to ticks."""


class RateLimit(SharedLimit, Generic[In]):
    """Let calls start that cost at most `n` in any `per` seconds, over all that share this object.

    Any: however the seconds are laid over time, also across two bursts. So at most `n` start at
    once, and the next ones as the first are `per` seconds old. `cost(item)` says what a call costs
    (tokens, bytes), a number from 0 to `n`; without it each costs 1. With `smooth=True` starts are
    spaced as well: after one of cost c the next comes at least c * per / n seconds later. Costs are
    compared to within a billionth of `n`, and times to a nanosecond.

    Each attempt counts, retries too, and counts whether it succeeds or fails. Who comes first goes
    first, over all tasks, pipelines and runs that share the object; a heavy call at the head is not
    overtaken by light ones. It serves one event loop at a time: a task on a second one fails with a
    RuntimeError as long as calls run or wait on the first. From one loop to the next it remembers
    what has started. It holds no locks: use its methods on the loop that it serves, as calls of
    tasks do. Pickled, it arrives unused, since each process has limits of its own.

    Raises:
        TypeError, ValueError: `n` or `per` is no finite number above 0; or without `cost`, `n` is
            below 1, so that nothing could ever start.

    >>> requests = RateLimit(10)
    >>> tokens: RateLimit[str] = RateLimit(90_000, per=60, cost=len)
    >>> requests, tokens
    (<RateLimit of 10 in 1 s: 0 used>, <RateLimit of 90,000 in 60 s: 0 used>)
    """

    @overload
    def __init__(
        self: RateLimit[Any],  # whatever the item is, it costs 1
        n: float,
        per: float = 1.0,
        *,
        cost: None = None,
        smooth: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self, n: float, per: float = 1.0, *, cost: Callable[[In], float], smooth: bool = False
    ) -> None: ...
    def __init__(
        self,
        n: float,
        per: float = 1.0,
        *,
        cost: Callable[[In], float] | None = None,
        smooth: bool = False,
    ) -> None:
        super().__init__()
        self._n = _above_zero("n", n)
        self._per = _above_zero("per", per)
        check_function("cost", cost)
        check_flag("smooth", smooth)
        if cost is None and n < 1:
            raise ValueError(
                f"n must be at least 1 unless there is a cost, not {n!r}: each start costs 1. "
                f"For fewer starts, raise per: RateLimit(1, per={self._per / self._n:g})"
            )
        self._most = self._n * SLACK
        self._cost = cost
        self._spacing = self._per / self._n if smooth else 0.0  # seconds for a cost of 1
        self._log = Log(self._per)
        self._next = -math.inf  # when the next start may be, as far as they are spaced
        self._last = math.nan  # the ticket of the latest start, or the like of a charge
        self._paused_until = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # when the timer is meant to go off

    def charge(self, amount: float) -> None:
        """Correct what was used: add the actual cost of a call minus the one that it started with.

        More than was estimated counts as a start of that cost, now. It may go beyond `n`: then
        later calls wait until so much has become old that they fit in. Less (a negative `amount`)
        is taken off the oldest starts, and never leads below zero; what is spaced stays so.

        Raises:
            TypeError, ValueError: `amount` is no finite number.
            RuntimeError: it is called in a thread without an event loop, or where another loop
                uses the limit.

        >>> async def main() -> None:
        ...     tokens = RateLimit(1000, per=60)
        ...     tokens.charge(300)
        ...     tokens.charge(-100)
        ...     print(tokens)
        >>> asyncio.run(main())
        <RateLimit of 1,000 in 60 s: 200 used>
        """
        amount = as_number("amount", amount)
        now = self._now("charge")
        if not math.isfinite(self._log.expire(now) + amount):
            raise ValueError(f"amount must be finite, also in sum with the others, not {amount!r}")
        if amount > 0:
            self._add(amount, now)
        else:
            self._log.take_off(-amount)
            self._stop_timer()  # room may come earlier
        self._look(now)

    def pause(self, seconds: float) -> None:
        """Let nothing start for so many seconds from now, as a server asks for with Retry-After.

        A longer pause wins over a shorter one, whichever comes first.

        Raises:
            TypeError, ValueError: `seconds` is no finite number of at least 0.
            RuntimeError: it is called in a thread without an event loop, or where another loop
                uses the limit.

        >>> async def main() -> None:
        ...     requests = RateLimit(10)
        ...     requests.pause(3600)
        ...     print(requests)
        >>> asyncio.run(main())  # doctest: +ELLIPSIS
        <RateLimit of 10 in 1 s: 0 used, paused for ... s>
        """
        check_seconds("seconds", seconds)
        now = self._now("pause")
        self._paused_until = max(self._paused_until, now + seconds)
        self._look(now)

    # -- as all limits

    def _settings(self) -> dict[str, Any]:
        smooth = self._spacing > 0
        return {"n": self._n, "per": self._per, "cost": self._cost, "smooth": smooth}

    def _state(self) -> list[str]:
        title = f"{_shown(self._n)} in {_shown(self._per)} s{', smoothly' * bool(self._spacing)}"
        now = -math.inf if self._loop is None else self._loop.time()
        state = [title, f"{_shown(self._log.used_at(now))} used"]
        if self._paused_until > now > -math.inf:
            state.append(f"paused for {self._paused_until - now:.3g} s")
        return state

    def _cost_of(self, item: Any) -> float:  # an `In`, as type checkers have seen to
        if self._cost is None:
            return 1.0
        cost = as_number("what cost returns", self._cost(item))
        if cost < 0:
            raise ValueError(f"what cost returns must be at least 0, not {cost!r}")
        if cost > self._most:
            raise ValueError(
                f"what cost returns must be at most n={_shown(self._n)}, not {_shown(cost)}: a "
                "call of that cost could never start"
            )
        return cost

    def _has_room(self, cost: float, now: float) -> bool:
        if self._log.expire(now) + cost > self._most:
            return False
        soon = now + HAIR
        return self._next <= soon and self._paused_until <= soon

    def _grant(self, cost: float, now: float) -> float:
        self._out += 1
        return self._add(cost, now) if cost else -math.inf

    def _add(self, cost: float, now: float) -> float:
        """Write a start down, and give its end in the log."""
        if self._spacing:  # after `per` seconds nothing of it is left to be spaced from
            later = max(self._next, now) + cost * self._spacing
            self._next = min(later, now + self._per)
        self._last = self._log.add(now, cost)
        return self._last

    def _refund(self, ticket: float, cost: float, now: float) -> None:
        super()._refund(ticket, cost, now)
        if ticket == self._last:  # what has started since keeps its distance
            self._next -= cost * self._spacing
        self._log.take_back(ticket, cost)
        self._stop_timer()

    def _move(self, seconds: float) -> None:
        self._log.shift(seconds)
        self._next += seconds
        self._paused_until += seconds

    # -- the timer

    def _wait(self, cost: float, now: float) -> None:
        due = max(self._next, self._paused_until)
        if self._log.used + cost > self._most:
            due = max(due, self._log.falls_to(self._most - cost))
        if self._timer is not None:
            if self._due <= due:
                return  # it will be set again when it has gone off
            self._timer.cancel()
        assert self._loop is not None
        self._due = due
        self._timer = self._loop.call_at(due, self._goes_off, context=Context())

    def _rest(self) -> None:
        self._stop_timer()

    def _goes_off(self) -> None:
        assert self._loop is not None
        self._timer = None
        now = self._time()
        if now + HAIR < self._due:
            wait = max(self._due - now, COARSE)
            self._timer = self._loop.call_later(wait, self._goes_off, context=Context())
        else:
            self._look(now)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _above_zero(name: str, value: object) -> float:
    """Return `value` if it is a number above 0.

    Raises:
        TypeError, ValueError: it is not, or not finite.
    """
    number = as_number(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be above 0, not {value!r}")
    return number


def _shown(number: float) -> str:
    return f"{number:,.10g}"
