"""Which timers of a loop are due?"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Iterator

__all__ = ["Timers", "instant"]

DIGITS = 9  # the clock counts nanoseconds: 0.1 + 0.1 + 0.1 is 0.3
NOISE = 1e-12  # seconds by which sums of floats may differ
PURGE_FROM = 100


class Timers:
    """Timers by their time; those of one instant in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self._purge_at = PURGE_FROM

    def add(self, when: float, handle: asyncio.TimerHandle) -> None:
        """Add a timer; drop the cancelled ones whenever the heap has doubled."""
        if len(self._heap) >= self._purge_at:
            self._heap = [timer for timer in self._heap if not timer[2].cancelled()]
            heapq.heapify(self._heap)
            self._purge_at = PURGE_FROM + 2 * len(self._heap)
        heapq.heappush(self._heap, (when, next(self._numbers), handle))

    def next(self) -> float | None:
        """Return when the next timer is due; one at infinity is none."""
        while self._heap and self._heap[0][2].cancelled():
            heapq.heappop(self._heap)
        if not self._heap or math.isinf(self._heap[0][0]):
            return None
        return self._heap[0][0]

    def take(self, now: float) -> Iterator[asyncio.TimerHandle]:
        """Take out, one by one, the timers that are due at `now`."""
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        """Forget all timers."""
        self._heap.clear()


def instant(wanted: float, now: float) -> float:
    """Return `wanted` in whole nanoseconds; rounded up, if else it would not be later than now."""
    when = round(wanted, DIGITS)
    if when <= now and wanted - now > max(NOISE, 2 * math.ulp(wanted)):
        return round(now + 10**-DIGITS, DIGITS)
    return when
