"""How deep does one run work within another? Eight levels; what would be deeper comes after them.

Runs that are joined by foreign operators call each other: one emits into the next, subscribes to
it, disposes of it. So the stack would grow with the number of runs in a row. What comes at a depth
of `NESTED` waits here until the level above it is about to return, and is done from there: before
whoever is further up the stack goes on, as if it had been called.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["NESTED", "Nesting"]

NESTED = 8  # levels


class Nesting:
    """The levels of one event loop."""

    __slots__ = ("_loop", "depth", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.depth = 0  # levels at this moment
        self.waiting: deque[Callable[[], None]] = deque()  # what was to be done below the last one

    def within(self, work: Callable[..., None], *args: Any) -> None:
        """Do `work` one level deeper, or soon, if that is too deep."""
        if self.depth >= NESTED:
            self.waiting.append(partial(work, *args))
            return
        self.depth += 1
        try:
            work(*args)
            if self.waiting:
                self.catch_up()
        finally:
            self.depth -= 1
            if self.waiting and not self.depth:
                self.catch_up_later()

    def catch_up(self) -> None:
        """Do what waits, and what that leads to."""
        waiting = self.waiting
        while waiting:
            waiting.popleft()()

    def catch_up_later(self) -> None:
        """Do so at the loop's next turn, as an exception has passed through."""
        if not self._loop.is_closed():
            self._loop.call_soon(self.within, self.catch_up)
