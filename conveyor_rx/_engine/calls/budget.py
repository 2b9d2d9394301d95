"""How many items may a run skip, and when are they too many? A budget of a task, or of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..._policy import Policy
from ..counters import Counters
from ..subscriber import Subscriber

__all__ = ["ENOUGH", "Budget", "Judge", "Last"]

ENOUGH = 100
"""Before so many items have settled, a share says nothing yet: the first failure would be 100 %."""


class Last(NamedTuple):
    """A failure for which an item was skipped, with what a note says of it."""

    error: BaseException
    policy: Policy
    inputs: str
    attempt: int


class Budget:
    """What is left of one `max_failures` in one run; `of` says in messages whose it is.

    An int is a number of items, a float is a share: of the items of the stage that has settled
    most, among those that are watched.
    """

    __slots__ = ("_limit", "_of", "_taken", "_watched", "last")

    def __init__(self, limit: float, of: str) -> None:
        self._limit = limit
        self._of = of
        self._taken = 0
        self._watched: list[Counters] = []
        self.last: Last | None = None  # of those that were skipped, if this is a share

    @property
    def is_share(self) -> bool:
        """Whether it is to be judged at the end of the run as well."""
        return isinstance(self._limit, float)

    def watch(self, counters: Counters) -> None:
        """Count the items of a stage, too, where a share is asked for."""
        self._watched.append(counters)

    def take(self, items: int) -> str:
        """Take so many items from the budget; say which one it is if they are too many, else "".

        They are taken before they have settled, so that those whose dead letters take time count.
        """
        self._taken += items
        if not self.is_share:
            return self._name() if self._taken > self._limit else ""
        settled = self._settled()
        return self._share_of(settled) if settled >= ENOUGH else ""

    def verdict(self) -> BaseException | None:
        """Return what a run that has come to its end is to end with, if too many were skipped."""
        last, self.last = self.last, None
        why = self._share_of(self._settled()) if last is not None else ""
        if last is None or not why:
            return None
        return last.policy.blame(last.error, last.inputs, last.attempt, why)

    def _settled(self) -> int:
        return max(
            stage.settled - stage.cancelled + stage.skipping  # none was cancelled, but by an end
            for stage in self._watched
        )

    def _share_of(self, settled: int) -> str:
        # (Divided, as it was written: 0.29 * 100 is less than 29.)
        if self._taken / settled <= self._limit:
            return ""
        return f"{self._name()}: {self._taken} of {settled} items"

    def _name(self) -> str:
        return f"beyond max_failures={self._limit} of {self._of}"


class Judge(Subscriber):
    """Before the outlet: ends a run that has come to its end as `budgets` say.

    Errors: where a share of too many items was skipped, the run fails behind all results.
    """

    def __init__(self, budgets: Sequence[Budget]) -> None:
        self._budgets = budgets

    def on_completed(self) -> None:
        found = [error for budget in self._budgets if (error := budget.verdict()) is not None]
        if found:
            error: Any = found[0]  # Rx says Exception; a CancelledError passes as well
            self.out.on_error(error)
        else:
            self.out.on_completed()

    def cut(self) -> None:
        for budget in self._budgets:
            budget.last = None  # its traceback leads to an item
