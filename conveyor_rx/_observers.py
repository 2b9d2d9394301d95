"""Who observes the runs that begin here? The probes of the blocks that this code is in."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

__all__ = ["observing", "probes_here"]

probes_here: ContextVar[tuple[Callable[[Any], None], ...]] = ContextVar(
    "conveyor_rx_probes", default=()
)
"""What each of them is called with, `events.py` says; a run that nobody observes needs none."""


def observing() -> tuple[Callable[[Any], None], ...]:
    """Return the probes of the blocks that the caller is in."""
    return probes_here.get()
