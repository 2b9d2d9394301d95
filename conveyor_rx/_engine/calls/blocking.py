"""How long does a plain function hold the event loop? Measured while it is new, or not short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["BLOCKING", "LOOKS", "SHORT", "Look"]

LOOKS = 100  # calls that are looked at, until so many in a row were short; each look costs time
SHORT = 0.0002  # seconds; as many stages as call each other directly then take less than 5 ms
BLOCKING = 0.1  # seconds that a call may take without a word


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
