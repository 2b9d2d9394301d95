"""Where on a time axis does an instant lie, and how are instants written?"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Axis", "duration"]

STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
"""Of seconds and minutes; below a second the steps are 1, 2 and 5 at each power of ten."""
UNITS = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"))
DAY = 86_400.0
ROOM_OF_A_TICK = 78.0
"""Pixels that a tick and its text need."""
LIVE_ENDS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from seconds to pixels: 0 s at `left`, `span` seconds at `right`."""

    left: float
    right: float
    span: float

    @classmethod
    def of_run(cls, left: float, right: float, span: float, *, is_live: bool) -> Axis:
        """Make the axis of a run; that of a live one has some room, so that it seldom changes."""
        if is_live and span > 0:
            power = 10.0 ** math.floor(math.log10(span))
            span = next((end * power for end in LIVE_ENDS if end * power >= span), span)
        return cls(left, right, span)

    def x(self, instant: float) -> float:
        """Give the pixel of `instant`, the end of the axis for later ones."""
        if self.span <= 0:
            return self.left
        return self.left + min(max(instant / self.span, 0.0), 1.0) * (self.right - self.left)

    def ticks(self) -> list[tuple[float, str]]:
        """Give pixels and texts of the ticks, at round instants, as many as have room."""
        if self.span <= 0:
            return [(self.left, "0 s")]
        step = _step(self.span / max((self.right - self.left) / ROOM_OF_A_TICK, 1.0))
        unit, name = _unit_of_ticks(step)
        decimals = max(0, -math.floor(math.log10(step / unit) + 1e-9))
        found: list[tuple[float, str]] = []
        for number in range(math.floor(self.span / step * (1 + 1e-9)) + 1):
            instant = number * step
            found.append((self.x(instant), f"{instant / unit:,.{decimals}f} {name}"))
        return found


def duration(seconds: float) -> str:
    """Write a duration, with two or three digits that count: 1.23 s, 45 ms, 2 min 5 s.

    >>> duration(0.0421), duration(125), duration(0)
    ('42.1 ms', '2 min 5 s', '0 s')
    """
    if seconds <= 0 or not math.isfinite(seconds):
        return "0 s"
    if seconds >= 60:
        return _long(round(seconds))
    unit, name = next(
        (one for one in reversed(UNITS[:4]) if seconds >= one[0] * (1 - 5e-4)), UNITS[0]
    )
    number = f"{seconds / unit:.3g}"
    return f"{float(number):g} {name}"


def _long(seconds: int) -> str:
    days, rest = divmod(seconds, int(DAY))
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(index for index, (number, _) in enumerate(parts) if number)
    return " ".join(f"{number:,} {name}" for number, name in parts[first : first + 2] if number)


def _step(least: float) -> float:
    """Give the smallest round step that is at least `least` seconds."""
    for unit in (1.0, 60.0):
        if unit <= least <= STEPS[-1] * unit:
            return next(step * unit for step in STEPS if step * unit >= least)
    if 30.0 < least < 60.0:
        return 60.0
    if 1800.0 < least < DAY:
        return next(hours * 3600.0 for hours in (1, 2, 3, 6, 12, 24) if hours * 3600.0 >= least)
    unit = DAY if least >= DAY else 1.0
    power = 10.0 ** math.floor(math.log10(least / unit)) * unit
    return next(
        step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1 - 1e-9)
    )


def _unit_of_ticks(step: float) -> tuple[float, str]:
    """Give the unit in which multiples of `step` have few digits."""
    if step >= 1:
        return next(one for one in (*_LONG, (1.0, "s")) if step >= one[0])
    # 0.5 s rather than 500 ms only where seconds are passed: ten ticks are about the span.
    return next((one for one in reversed(UNITS[:4]) if step * 5 >= one[0] * (1 - 1e-9)), UNITS[0])


_LONG = ((DAY, "d"), *reversed(UNITS[4:]))
