"""When is a batch cut, and why? The trigger of its stage says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

__all__ = ["BySize", "Cut", "Trigger"]

Cut: TypeAlias = tuple[int, Literal["full", "flush"]]
"""How many of the first open items are a batch, at least one, and why: what probes are told."""


class Trigger(Protocol):
    """What one batch stage asks, in one run, about its open items: those that are in no batch."""

    min_size: int
    """At the end of the input, fewer items than this are no batch."""
    max_size: int
    """No batch has more items than this."""
    asked_at: int
    """It is asked for a cut when so many items are open, or more."""

    def cut(self, items: Sequence[Any]) -> Cut | None:
        """Say which of `items` are a batch now, if any; the last of them has just come."""
        ...

    def cut_rest(self, items: Sequence[Any]) -> Cut | None:
        """Say which of `items` are a batch, if any, as no more will come."""
        ...


class BySize:
    """A batch is cut when it is full, and at the end of the input."""

    __slots__ = ("_full", "asked_at", "max_size", "min_size")

    def __init__(self, min_size: int, max_size: int) -> None:
        self.min_size = min_size
        self.max_size = self.asked_at = max_size
        self._full: Cut = max_size, "full"

    def cut(self, items: Sequence[Any]) -> Cut:
        return self._full

    def cut_rest(self, items: Sequence[Any]) -> Cut | None:
        return (len(items), "flush") if len(items) >= self.min_size else None
