"""Who makes the calls of a stage, if not the engine? And where was the last one made?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["Elsewhere", "Ran"]


class Ran(NamedTuple):
    """Where a call was made, if not here, and how long it had to wait for that."""

    worker: str
    queued: float
    """Seconds until its worker began."""


class Elsewhere(Protocol):
    """Who makes the calls of a stage in one run, if not the engine."""

    last: Ran | None
    """Where the call was made whose result or failure the current task has just got, if that is
    known; whoever takes it puts None there."""

    def waiting_for(self) -> Mapping[str, int]:
        """Give how many items no worker has begun with."""
        ...

    def close(self) -> asyncio.Future[None] | None:
        """Let go of what has not begun, and return what ends with the rest."""
        ...
