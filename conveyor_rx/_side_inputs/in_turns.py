"""How do calls share an async generator? In turns: on any loop, in any thread.

A call that begins earlier makes its first request earlier, and requests never overlap.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from .loading import tell

__all__ = ["InOrder", "Turns"]


class _Baton:
    """A lock for tasks of any loop: first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_held = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        with self._lock:
            if not self._is_held:
                self._is_held = True
                return
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            with self._lock:
                was_handed_over = waiter not in self._waiters
                if not was_handed_over:
                    self._waiters.remove(waiter)
            if was_handed_over:
                self._hand_on()
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        self._hand_on()

    def _hand_on(self) -> None:
        with self._lock:
            while self._waiters:
                if tell(self._waiters.popleft()):
                    return
            self._is_held = False


class InOrder:
    """An async generator that many calls share, and those that have not asked it yet, in order."""

    def __init__(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.generator = generator
        self.baton = _Baton()
        self.lock = threading.Lock()
        self.turns: deque[Turn] = deque()


class Turn(AsyncGenerator[Any, Any]):
    """The generator as one call sees it: its first request waits for those of earlier calls."""

    def __init__(self, shared: InOrder) -> None:
        self._shared = shared
        self._passed = False
        self._first: asyncio.Future[None] | None = None
        with shared.lock:
            shared.turns.append(self)

    async def asend(self, value: Any) -> Any:
        return await self._ask(lambda: self._shared.generator.asend(value))

    async def athrow(self, *args: Any) -> Any:
        return await self._ask(lambda: self._shared.generator.athrow(*args))

    def pass_on(self) -> None:
        """Let the next call have its turn."""
        turns = self._shared.turns
        with self._shared.lock:
            self._passed = True
            while turns and turns[0]._passed:
                turns.popleft()
            first = turns[0]._first if turns else None
        if first is not None:
            tell(first)

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        shared = self._shared
        with shared.lock:
            waits = not self._passed and shared.turns[0] is not self
            if waits:
                self._first = asyncio.get_running_loop().create_future()
        if waits and self._first is not None:
            await self._first
        self.pass_on()
        async with shared.baton:
            return await request()


class Turns:
    """The turns of one call."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    def of(self, values: tuple[Any, ...]) -> list[Any]:
        """Put a turn in the place of each shared generator."""
        return [self._turn(value) for value in values]

    def of_named(self, values: dict[str, Any]) -> dict[str, Any]:
        """Put a turn in the place of each shared generator."""
        return {name: self._turn(value) for name, value in values.items()}

    def end(self) -> None:
        """Let the next call have its turns."""
        for turn in self._turns:
            turn.pass_on()

    def _turn(self, value: Any) -> Any:
        if not isinstance(value, InOrder):
            return value
        turn = Turn(value)
        self._turns.append(turn)
        return turn
