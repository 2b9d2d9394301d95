"""When is a batch cut, and why? The trigger of its stage says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

__all__ = ["BySize", "Cut", "Trigger"]

Cut: TypeAlias = tuple[int, Literal["full", "wait", "flush"]]
"""How many of the first open items are a batch, at least one, and why: what probes are told."""


class Trigger(Protocol):
    """What one batch stage asks, in one run, about its open items: those that are in no batch."""

    min_size: int
    """At the end of the input, fewer items than this are no batch."""
    max_size: int
    """No batch has more items than this."""
    asked_at: int
    """It is asked for a cut when so many items are open, or more."""
    max_wait: float | None
    """Seconds after its first item came, a batch is due; None: never."""

    def cut(self, items: Sequence[Any]) -> Cut | None:
        """Say which of `items` are a batch now, if any; the last of them has just come."""
        ...

    def cut_due(self, items: Sequence[Any]) -> Cut | None:
        """Say which of `items` are a batch, if any, as it is due and there is a slot for it."""
        ...

    def cut_rest(self, items: Sequence[Any]) -> Cut | None:
        """Say which of `items` are a batch, if any, as no more will come."""
        ...


class BySize:
    """A batch is cut when it is full, when it is due and there is a slot, and at the end."""

    __slots__ = ("_full", "asked_at", "max_size", "max_wait", "min_size")

    def __init__(self, min_size: int, max_size: int, max_wait: float | None = None) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.max_wait = max_wait
        self.asked_at = max_size if max_wait is None else 1
        self._full: Cut = max_size, "full"

    def cut(self, items: Sequence[Any]) -> Cut | None:
        return self._full if len(items) >= self.max_size else None

    def cut_due(self, items: Sequence[Any]) -> Cut | None:
        return (len(items), "wait") if len(items) >= self.min_size else None

    def cut_rest(self, items: Sequence[Any]) -> Cut | None:
        return (len(items), "flush") if len(items) >= self.min_size else None
