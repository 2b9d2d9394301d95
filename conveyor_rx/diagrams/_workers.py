"""Who has made the calls of a lane, if it was not the event loop, and how busy were they?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Workers", "enter", "mark_of", "names_of"]

MAX_WORKERS = 1000
"""Workers that are told apart."""
NAMED = 6
"""Workers whose names a picture gives."""


@dataclass(slots=True)
class Workers:
    """What the workers of a lane have done."""

    attempts: int = 0
    """That they have made."""
    queued: float = 0.0
    """Seconds that these waited for their workers, summed over them."""
    busy: float = 0.0
    """Seconds in which the workers were at them, summed over the workers."""
    until: dict[str, float] = field(default_factory=dict[str, float])
    """By the name of a worker, to when that is counted."""

    def made(self, worker: str, begun: float, end: float, queued: float) -> None:
        """Count an attempt; those that were sent together overlap."""
        self.attempts += 1
        self.queued += queued
        until = self.until.get(worker)
        if until is not None or len(self.until) < MAX_WORKERS:
            self.busy += max(end - max(begun, until or 0.0), 0.0)
            self.until[worker] = end


def enter(worker: str, numbers: dict[str, int]) -> None:
    """Give a worker of a run the next number, from 1, if it has none."""
    if worker not in numbers and len(numbers) < MAX_WORKERS:
        numbers[worker] = len(numbers) + 1


def mark_of(worker: str, numbers: Mapping[str, int]) -> str:
    """Give the short name that bars have for a worker, if there is one.

    >>> mark_of("process 4711", {"process 4711": 1}), mark_of("", {})
    ('@1', '')
    """
    return f"@{numbers[worker]}" if worker in numbers else ""


def names_of(numbers: Mapping[str, int]) -> str:
    """Say which workers the short names stand for.

    >>> names_of({"process 4711": 1, "process 4712": 2})
    '@1 process 4711, @2 process 4712'
    """
    names = [f"@{number} {worker}" for worker, number in numbers.items()]
    left_out = len(names) - NAMED
    if left_out > 1:
        names[NAMED:] = [f"and {left_out:,} more"]
    return ", ".join(names)
