"""How many calls at once can a service bear? As many as it has answered well, found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from .._checks import check_count, check_errors, check_share
from .concurrency import Limit

__all__ = ["AdaptiveLimit", "SlowDownOn"]

SlowDownOn: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


class AdaptiveLimit(Limit):
    """Let as many calls run at once as a service can bear, found by trying.

    `limit` is how many that are now, `start` at first. It grows by one when as many calls as it
    allows have succeeded, not counting those during which there were always permits left: a limit
    that nobody reaches proves nothing. It is cut to `back_off` times as many, rounded down, when a
    call fails that `slow_down_on` names: a type of exception, a tuple of these, or a function that
    tells of an exception whether the service has too much to do. A cut answers for all calls that
    had started before it, so that a burst of failures cuts once. Other failures, and calls that are
    cancelled, count neither way. It stays between `minimum` and `maximum`, and grows from `minimum`
    as from anywhere.

    This is additive increase, multiplicative decrease, as in the congestion avoidance of TCP (Chiu
    and Jain 1989; RFC 5681, which cuts once for a window as well) and in `AIMDLimit` of Netflix's
    concurrency-limits.

    Calls share it as a `Limit`. Read `limit` on the event loop that it serves. Pickled, it arrives
    as it was at first.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range; named in the message.

    >>> limit = AdaptiveLimit(start=4, maximum=20)
    >>> limit, limit.limit
    (<AdaptiveLimit of 4, from 1 to 20: 0 in use>, 4)
    """

    def __init__(
        self,
        start: int = 10,
        minimum: int = 1,
        maximum: int = 100,
        back_off: float = 0.7,
        slow_down_on: SlowDownOn = Exception,
    ) -> None:
        check_count("start", start)
        check_count("minimum", minimum)
        check_count("maximum", maximum)
        if minimum > maximum:
            raise ValueError(f"minimum must be at most maximum={maximum}, not {minimum}")
        if not minimum <= start <= maximum:
            raise ValueError(
                f"start must be from minimum={minimum} to maximum={maximum}, not {start}"
            )
        check_share("back_off", back_off)
        check_errors("slow_down_on", slow_down_on, tells="whether to slow down")
        super().__init__(start)
        self._start = start
        self._minimum = minimum
        self._maximum = maximum
        self._back_off = back_off
        self._slow_down_on = slow_down_on
        self._successes = 0  # since the limit has changed
        # Grants are numbered from 1; these are the numbers of the latest one at some moment.
        self._grants = 0  # now
        self._grants_when_full = 0  # when the last permit was taken
        self._grants_when_cut = 0

    @property
    def limit(self) -> int:
        """How many calls may run at once now."""
        return self._size

    def _settings(self) -> dict[str, Any]:
        return {
            "start": self._start,
            "minimum": self._minimum,
            "maximum": self._maximum,
            "back_off": self._back_off,
            "slow_down_on": self._slow_down_on,
        }

    def _state(self) -> list[str]:
        range_ = f"{self._size}, from {self._minimum} to {self._maximum}"
        return [range_, f"{self._out} in use"]

    def _grant(self, cost: float, now: float) -> float:
        self._out += 1
        self._grants += 1
        if self._out >= self._size:
            self._grants_when_full = self._grants
        return self._grants

    def _learn(self, ticket: float, error: BaseException | None) -> None:
        if error is None:
            self._succeeded(ticket)
        elif ticket > self._grants_when_cut and self._is_too_much(error):
            self._cut()

    def _succeeded(self, ticket: float) -> None:
        if ticket > self._grants_when_full or self._size >= self._maximum:
            return  # there were permits left from the start of this call to its end
        self._successes += 1
        if self._successes >= self._size:
            self._successes = 0
            self._size += 1

    def _cut(self) -> None:
        self._size = max(self._minimum, math.floor(self._size * self._back_off))
        self._successes = 0
        self._grants_when_cut = self._grants
        if self._out >= self._size:
            self._grants_when_full = self._grants

    def _is_too_much(self, error: BaseException) -> bool:
        wanted = self._slow_down_on
        if wanted is Exception:  # any failure: a CancelledError of the function's own, too
            return True
        if isinstance(wanted, (type, tuple)):
            return issubclass(type(error), wanted)
        return bool(wanted(cast("Exception", error)))
