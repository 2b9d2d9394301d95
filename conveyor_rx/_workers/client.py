"""Who has calls for workers? A stage in a run, which is told what becomes of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from .batch import Answer, Batch, Job
from .lanes import Lane
from .orders import Order

__all__ = ["Client"]


class Client(Protocol):
    """A stage in a run, which has calls to make."""

    loop: asyncio.AbstractEventLoop
    order: Order
    chunk: int
    """How many of its calls may go at once."""
    is_timed: bool
    """Whether it is to be told that a batch was sent."""
    waiting: deque[Job]
    sent: dict[Batch, Lane]
    done: list[tuple[Batch, Sequence[Answer | None]]]
    """What its loop has not been told yet."""

    def begun(self, lane: Lane, batch: Batch) -> None:
        """Take note, on its loop, that a batch was sent."""

    def took(self, batch: Batch, answers: Sequence[Answer | None]) -> None:
        """Take the answers of a batch, on its loop; None for a call that is to be made again."""
