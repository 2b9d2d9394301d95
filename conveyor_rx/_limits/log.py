"""How much has started within the last seconds? A log of starts, of what each costs until when."""

from __future__ import annotations

from collections import deque

__all__ = ["HAIR", "Log"]

HAIR = 1e-9
"""Seconds by which a moment may be missed: event loops count in nanoseconds, or a bit worse."""

LONGEST = 20_000  # entries
GRAIN = 1e-4  # of the span: entries as close as that become one when there are too many


class Log:
    """What was started in the last `span` seconds, each start with its cost.

    A cost counts from its start until it *ends*, `span` seconds later. The sum is kept up to date
    with the rounding error of each step beside it (Neumaier 1974), so that it does not drift
    however long the log is in use. Each step takes constant time, seen over many.

    The log has at most 20,000 entries. Where costs are so small, or `n` so large, that there are
    more, those within 0.01 % of the span are put together, and count until the last of them ends.
    """

    __slots__ = ("_costs", "_ends", "_error", "_span", "_sum")

    def __init__(self, span: float) -> None:
        self._span = span
        self._ends: deque[float] = deque()  # in order
        self._costs: deque[float] = deque()
        self._sum = 0.0
        self._error = 0.0  # what the sum lacks

    @property
    def used(self) -> float:
        """The sum of all costs that had not ended when `expire` was called."""
        return self._sum + self._error

    def used_at(self, now: float) -> float:
        """Give the sum of the costs that have not ended at `now`, and change nothing."""
        entries = zip(tuple(self._ends), tuple(self._costs), strict=False)
        return sum(cost for end, cost in entries if end > now + HAIR)

    def expire(self, now: float) -> float:
        """Forget what has ended, and give the sum of the rest."""
        ends, now = self._ends, now + HAIR
        while ends and ends[0] <= now:
            ends.popleft()
            self._count(-self._costs.popleft())
        return self._sum + self._error

    def add(self, now: float, cost: float) -> float:
        """Write down a start, and give its end."""
        end, ends, costs = now + self._span, self._ends, self._costs
        if ends and ends[-1] >= end:
            end = ends[-1]
            self._count(-costs[-1])
            costs[-1] += cost
        else:
            ends.append(end)
            costs.append(cost)
            if len(ends) > LONGEST:
                self._put_together()
        self._count(costs[-1])
        return end

    def take_back(self, end: float, cost: float) -> None:
        """Forget a start: of the entry that ends at `end`, as far as it is there."""
        for behind, other in enumerate(reversed(self._ends)):
            if other <= end:
                if other == end:
                    self._lower(-1 - behind, cost)
                return

    def take_off(self, amount: float) -> None:
        """Take this much off the oldest entries: they would have ended first anyway."""
        while self._ends and amount > 0:
            cost = self._costs[0]
            if cost > amount:
                self._lower(0, amount)
                return
            self._ends.popleft()
            self._count(-self._costs.popleft())
            amount -= cost

    def falls_to(self, most: float) -> float:
        """Give the time from which on no more than `most` is used, if nothing is added."""
        used = self.used
        for end, cost in zip(self._ends, self._costs, strict=True):
            used -= cost
            if used <= most:
                return end
        return self._ends[-1]  # but for rounding, nothing is used then

    def shift(self, seconds: float) -> None:
        """Move all entries, to the clock of another loop."""
        self._ends = deque(end + seconds for end in self._ends)

    def _lower(self, index: int, amount: float) -> None:
        cost = self._costs[index]
        self._costs[index] = max(cost - amount, 0.0)
        self._count(-cost)
        self._count(self._costs[index])

    def _count(self, cost: float) -> None:
        if not self._ends:
            self._sum = self._error = 0.0
            return
        old = self._sum
        self._sum = new = old + cost
        got = new - old
        self._error += (old - (new - got)) + (cost - got)

    def _put_together(self) -> None:
        ends: deque[float] = deque()
        costs: deque[float] = deque()
        full = -float("inf")  # when the last group takes no more
        for end, cost in zip(self._ends, self._costs, strict=True):
            if end <= full:
                ends[-1] = end
                costs[-1] += cost
            else:
                ends.append(end)
                costs.append(cost)
                full = end + self._span * GRAIN
        self._ends, self._costs = ends, costs
