"""What do the tests of limits share? Somebody who asks, waits and starts, as the engine does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from conveyor_rx._limits.request import Request
from conveyor_rx._limits.shared import SharedLimit
from tests.kit import now

Start = tuple[float, float]  # when, at which cost


class Caller:
    """One attempt: takes when it is woken, and notes when it was granted."""

    def __init__(self, limits: Sequence[SharedLimit], item: Any = None, *, at_once: bool = True):
        self.woken = 0
        self.granted: float | None = None
        self._at_once = at_once  # takes while it is being woken
        self.request = Request(limits, item, self._wake)

    def ask(self) -> bool:
        if self.request.take():
            self.granted = now()
        return self.granted is not None

    def _wake(self) -> None:
        self.woken += 1
        assert self.granted is None
        if self._at_once:
            assert self.ask(), "woken, and could not go"
        else:
            asyncio.get_running_loop().call_soon(self.ask)


def asking(limits: Sequence[SharedLimit], items: Iterable[Any] = (None,)) -> list[Caller]:
    """Have a caller for each item ask now."""
    callers = [Caller(limits, item) for item in items]
    for caller in callers:
        caller.ask()
    return callers


def granted(callers: Iterable[Caller]) -> list[float | None]:
    return [caller.granted for caller in callers]


def end(*callers: Caller) -> None:
    for caller in callers:
        caller.request.release()


def is_idle(limit: Any) -> bool:
    """Tell whether nothing of anybody is left in it."""
    timer = getattr(limit, "_timer", None)
    return not limit._queue and limit._out == 0 and timer is None


def fullest_window(starts: Iterable[Start], per: float) -> float:
    """Say what the starts in the fullest half-open window of `per` seconds cost, all tried."""
    starts = sorted(starts)
    return max(
        sum(cost for time, cost in starts if last - per + 2e-9 < time <= last) for last, _ in starts
    )
