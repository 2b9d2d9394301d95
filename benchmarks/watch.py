"""What were the calls of one step, and does the step allow them?"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from .steps import Batch, Map, Step

__all__ = ["Call", "Watch", "WrongError"]

HAIR = 1e-9  # seconds by which a pause may be too short: loops round


class WrongError(Exception):
    """The contestant did something else than the job says."""


@dataclasses.dataclass(slots=True)
class Call:
    """One call of an async function, in seconds of its loop."""

    argument: Any
    start: float
    end: float = float("nan")
    failed: bool = True


class Watch:
    """Records the calls of a step, and checks them afterwards."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.calls: list[Call] = []  # of an async function, as they started
        self._items = 0  # of calls that did not fail
        self._running = 0
        self._most = 0
        self._largest = 0
        self._latest: dict[int, int] = {}  # item of a key
        self._busy: set[int] = set()  # keys
        self._breach: str | None = None

    def watched(self) -> Step:
        """Return the step with a function that tells."""
        func = self.step.func
        if isinstance(self.step, Map) and not self.step.is_async:
            return dataclasses.replace(self.step, func=self._plain(func))

        @functools.wraps(func)
        async def call(argument: Any) -> Any:
            clock = asyncio.get_running_loop().time
            this = Call(argument, clock())
            self.calls.append(this)
            key = self._enter(argument)
            try:
                result = await func(argument)
                this.failed = False
                self._items += self._size(argument)
                return result
            finally:
                this.end = clock()
                self._running -= 1
                self._busy.discard(key)

        return dataclasses.replace(self.step, func=call)

    def check(self, items: int) -> None:
        """Compare with what the step says; `items` went in.

        Raises:
            WrongError: something else was called.
        """
        limit = self.step.limit if isinstance(self.step, Map) else 1
        if self._most > limit:
            raise WrongError(f"{self._most} calls ran at once, {limit} were allowed")
        if self._items != items:
            raise WrongError(f"calls for {self._items} items, not {items}")
        if isinstance(self.step, Batch):
            full = min(self.step.size, items)
            if self._largest > full or (self.step.wait is None and self._largest < full):
                raise WrongError(f"the largest batch had {self._largest} items")
        elif self.step.retry is not None:
            self._check_pauses(self.step.retry.delay)
        if self._breach is not None:
            raise WrongError(self._breach)

    def _check_pauses(self, delay: float) -> None:
        of_item: defaultdict[int, list[Call]] = defaultdict(list)
        for call in self.calls:
            of_item[call.argument].append(call)
        for item, calls in of_item.items():
            for number in range(1, len(calls)):
                pause = calls[number].start - calls[number - 1].end
                if pause < delay * 2 ** (number - 1) - HAIR:
                    raise WrongError(f"{item} was tried again after {pause:.3g} s")

    def _plain(self, func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(func)
        def call(argument: Any) -> Any:
            self._enter(argument)
            self._running -= 1
            result = func(argument)
            self._items += 1
            return result

        return call

    def _enter(self, argument: Any) -> int:
        self._largest = max(self._largest, self._size(argument))
        self._running += 1
        self._most = max(self._most, self._running)
        if not isinstance(self.step, Map) or self.step.key is None:
            return -1
        key = self.step.key(argument)
        if key in self._busy:
            self._breach = f"two calls for one key at once, at {argument}"
        elif self._latest.get(key, -1) >= argument:
            self._breach = f"{argument} was called after {self._latest[key]}, of the same key"
        self._busy.add(key)
        self._latest[key] = argument
        return key

    def _size(self, argument: Any) -> int:
        return len(argument) if isinstance(self.step, Batch) else 1
