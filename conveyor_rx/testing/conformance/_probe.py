"""How is a source used? One that gives numbers, and keeps a list of what was done with it."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

__all__ = ["Probe"]

ENOUGH = 20_000
"""Items that no check needs: a stage that wants more pulls without end."""


class Probe:
    """An async iterable of `count` items (None: endless), `latency` seconds apart.

    It fails with `error` behind them, if there is one. Each `aiter` is a reading of its own.
    With `stubborn` a reading answers a cancellation with one more item.
    """

    def __init__(
        self,
        item: Callable[[int], Any],
        count: int | None,
        *,
        error: Exception | None = None,
        latency: float = 0.0,
        stubborn: bool = False,
    ) -> None:
        self._script = _Script(item, count, error, latency, stubborn)
        self.readings: list[Reading] = []

    def __aiter__(self) -> AsyncIterator[Any]:
        self.readings.append(Reading(self._script))
        return self.readings[-1]

    @property
    def opened(self) -> int:
        """How often it was iterated."""
        return len(self.readings)

    @property
    def given(self) -> int:
        """How many items it gave, in all readings."""
        return sum(reading.given for reading in self.readings)

    @property
    def closed(self) -> int:
        """How many readings are closed."""
        return sum(reading.closed > 0 for reading in self.readings)

    def misuse(self) -> list[str]:
        """Return what must never be done to any source."""
        return [complaint for reading in self.readings for complaint in reading.misuse]


@dataclasses.dataclass(frozen=True)
class _Script:
    item: Callable[[int], Any]
    count: int | None
    error: Exception | None
    latency: float
    stubborn: bool


class Reading(AsyncIterator[Any]):
    """One iteration of a probe. It doesn't hold the probe: that must die without the collector."""

    def __init__(self, script: _Script) -> None:
        self._script = script
        self._asked = False
        self._over = False
        self.given = 0
        self.closed = 0
        self.misuse: list[str] = []
        self.depths: list[int] = []

    async def __anext__(self) -> Any:
        if self._asked:
            self.misuse.append("2.7: __anext__ overlaps itself")
        if self._over:
            self.misuse.append("2.3: __anext__ after the source had ended")
        if self.closed:
            self.misuse.append("3.6: __anext__ after the source was closed")
        self._asked = True
        self.depths.append(_depth())
        try:
            return await self._give()
        finally:
            self._asked = False

    async def aclose(self) -> None:
        """Note that the iteration is over."""
        self.closed += 1
        if self.closed > 1:
            self.misuse.append("3.7: a source was closed twice")
        self._over = True

    async def _give(self) -> Any:
        script = self._script
        if script.latency:
            await self._wait()
        if self.given == script.count:
            self._over = True
            raise StopAsyncIteration if script.error is None else script.error
        if self.given == ENOUGH:
            raise AssertionError(f"2.1: the source is pulled on and on, {ENOUGH} items so far")
        self.given += 1
        return script.item(self.given - 1)

    async def _wait(self) -> None:
        sleep = asyncio.sleep(self._script.latency)
        if not self._script.stubborn:
            await sleep
            return
        try:
            await sleep
        except asyncio.CancelledError:
            return


def _depth() -> int:
    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]  # inspect.stack() reads source files
    depth = 0
    while frame := frame.f_back:
        depth += 1
    return depth
