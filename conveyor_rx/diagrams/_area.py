"""How many calls of a lane run at once, where its slots are too many to be rows?"""

from __future__ import annotations

from ._axis import Axis
from ._recording import Lane
from ._shapes import Area

__all__ = ["AREA_HEIGHT", "area_of"]

AREA_HEIGHT = 90.0


def area_of(lane: Lane, axis: Axis, top: float, now: float) -> Area:
    """Draw how many calls run at once, with one step a pixel."""
    changes: dict[int, int] = {}
    for call in lane.calls:
        start = round(axis.x(call.start))
        end = max(round(axis.x(now if call.end is None else call.end)), start + 1)
        changes[start] = changes.get(start, 0) + 1
        changes[end] = changes.get(end, 0) - 1
    most = running = 0
    steps: list[tuple[float, int]] = []
    for x in sorted(changes):
        running += changes[x]
        most = max(most, running)
        steps.append((float(x), running))
    bottom = top + AREA_HEIGHT
    points = [(steps[0][0], bottom)]
    level = bottom
    for x, running in steps:
        points.append((x, level))
        level = bottom - AREA_HEIGHT * running / max(most, 1)
        points.append((x, level))
    return Area(points, "line", f"{lane.name}: up to {lane.most_at_once:,} calls at once")
