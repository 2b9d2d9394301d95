"""How long does a plain function hold the event loop? Measured while it is new in a run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

__all__ = ["BLOCKING", "LOOKS", "Look", "report_blocking"]

LOOKS = 100  # first calls in a run that are looked at; to look at all would cost each of them
BLOCKING = 0.1  # seconds that a call may take without a word

_log = logging.getLogger("conveyor_rx")


class Look:
    """A function that notes how many seconds its call took."""

    def __init__(self, function: Callable[[Any], Any], clock: Callable[[], float]) -> None:
        self.function = function
        self.took = 0.0
        self._clock = clock

    def __call__(self, item: Any) -> Any:
        start = self._clock()
        try:
            return self.function(item)
        finally:
            self.took = self._clock() - start


def report_blocking(task_name: str, seconds: float) -> None:
    """Say what a task has done to all else that runs on the loop."""
    _log.warning(
        "task %r held the event loop for %.2f s: it is a plain `def`, and nothing else runs "
        "meanwhile. Make it an `async def`, with what blocks in `await asyncio.to_thread(...)`. "
        "(No such warnings: with_context(warn_of_blocking=False))",
        task_name,
        seconds,
    )
