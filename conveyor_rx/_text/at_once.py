"""How many calls may run at once? In words: the least of some bounds."""

from __future__ import annotations

__all__ = ["calls_at_once"]


def calls_at_once(*bounds: int | None) -> str:
    """Say how many calls these bounds allow at once; one that is None is none."""
    least = min((bound for bound in bounds if bound is not None), default=None)
    if least is None:
        return "any number of calls at once"
    return "one call at a time" if least == 1 else f"up to {least:,} calls at once"
