"""What comes before an item counts as skipped? Budgets, and who gets its dead letter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, cast

from reactivex import Observable

from ..._dead_letters import DeadLetter, Failure
from ..._errors.tracebacks import without_engine
from ..._functions.calls import is_awaitable
from ..._policy import Policy
from ..counters import Counters
from ..place import Place
from ..run import Run
from .budget import Budget, Judge, Last

__all__ = ["Losses", "LossesOfRun"]


class Losses:
    """What is to be done with the items that one stage skips in one run.

    Order: the dead letters of a batch are written one by one, in its order. Errors: what the
    function raises fails the run. Cancellation: it is a part of the call, and cancelled with it.
    Pressure: the place stays in the line until all letters were accepted.
    """

    __slots__ = ("_budgets", "_counters", "_policy", "letter")

    def __init__(
        self,
        letter: DeadLetter | None,
        budgets: list[Budget],
        policy: Policy,
        counters: Counters,
    ) -> None:
        self.letter = letter
        self._budgets = budgets
        self._policy = policy
        self._counters = counters

    def exceed(self, items: int) -> str:
        """Take `items` from the budgets; say which one they exceed, or ""."""
        self._counters.skipping += items
        found = [why for budget in self._budgets if (why := budget.take(items))]
        if not found:
            return ""
        self._counters.skipping -= items
        return found[0]

    def skipped(self, items: int, error: BaseException, inputs: str, attempt: int) -> None:
        """Take note that `items` have settled. The run may have to end with their failure."""
        self._counters.skipping -= items
        for budget in self._budgets:
            if budget.is_share:
                budget.last = Last(without_engine(error), self._policy, inputs, attempt)

    async def post(self, run: Run, place: Place, failures: Iterable[Failure]) -> None:
        """Hand over the dead letters for what stands at `place`, and wait until all are accepted.

        Raises:
            asyncio.CancelledError: the place is gone.
            Exception: what the function raises; a TypeError if it returned what nobody runs.
        """
        letter = self.letter
        assert letter is not None
        for failure in failures:
            if run.pace.is_late():
                await run.pace.turn()
            await run.wait_for_pause()
            if place.dead:
                raise asyncio.CancelledError
            result = letter(failure)
            if is_awaitable(result):
                await cast("Awaitable[Any]", result)
            elif issubclass(type(result), Observable):  # of a task: it has done nothing yet
                raise TypeError(
                    f"dead_letter of task {failure.task_name!r} returned a stream, which nobody "
                    f"reads: pass a plain function of what the task does, or one that collects it"
                )
        if place.dead:  # the function may have closed its own run
            raise asyncio.CancelledError


class LossesOfRun:
    """What is to be done with the items that the stages of one run skip."""

    def __init__(
        self, dead_letter: DeadLetter | None = None, max_failures: float | None = None
    ) -> None:
        """Take what the context says: a letter of a task's own goes before, its budget beside."""
        self._letter = dead_letter
        self._budget = None if max_failures is None else Budget(max_failures, "the run")
        self._shares: list[Budget] = []  # of the tasks

    def of_stage(self, policy: Policy, counters: Counters) -> Losses | None:
        """Give what is to be done in one stage; None if that is nothing."""
        budgets: list[Budget] = []
        if policy.max_failures is not None:
            budgets.append(Budget(policy.max_failures, f"task {policy.task_name!r}"))
            budgets[0].watch(counters)
            if budgets[0].is_share:
                self._shares.append(budgets[0])
        if self._budget is not None:
            self._budget.watch(counters)
            budgets.append(self._budget)
        letter = self._letter if policy.dead_letter is None else policy.dead_letter
        if policy.on_error == "fail" or not (budgets or letter is not None):
            return None
        return Losses(letter, budgets, policy, counters)

    def judge(self) -> Judge | None:
        """Give what ends the run as the budgets say, where one is a share; else None."""
        budgets = list(self._shares)
        if self._budget is not None and self._budget.is_share:
            budgets.append(self._budget)
        return Judge(budgets) if budgets else None
