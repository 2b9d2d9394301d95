"""How many calls of a lane run at once, where its slots are too many to be rows?"""

from __future__ import annotations

from collections.abc import Iterable

from ._axis import Axis
from ._colours import Role
from ._recording import Lane
from ._shapes import Area
from ._words import counted

__all__ = ["AREA_HEIGHT", "areas_of"]

AREA_HEIGHT = 90.0


def areas_of(lane: Lane, axis: Axis, top: float, now: float) -> tuple[list[Area], str]:
    """Draw how many calls run at once, with one step a pixel; also say how many at most.

    Those that wait for workers are told apart: they stand on those that run.
    """
    calls = _steps([(call.start, call.end) for call in lane.calls], axis, now)
    most = max(number for _, number in calls)
    text = f"up to {lane.most_at_once:,} calls at once"
    if not lane.workers.attempts:
        return [_area(calls, most, top, "line", f"{lane.name}: {text}")], text
    made = [
        (attempt.start + attempt.queued, attempt.end)
        for call in lane.calls
        for attempt in call.attempts
        if attempt.worker
    ]
    workers = len(lane.workers.until)
    at_work = [(x, min(number, workers)) for x, number in _steps(made, axis, now)]
    text = f"up to {lane.most_at_once:,} calls sent to {counted(workers, 'worker')}"
    areas = [_area(calls, most, top, "queue", f"{lane.name}: {text}")]
    if at_work:
        running = f"{lane.name}: calls that workers are at"
        areas.append(_area(at_work, most, top, "line", running))
    return areas, text


def _steps(
    spans: Iterable[tuple[float, float | None]], axis: Axis, now: float
) -> list[tuple[float, int]]:
    """Count how many there are at once: from each x on, the number."""
    changes: dict[int, int] = {}
    for begin, stop in spans:
        start = round(axis.x(begin))
        end = max(round(axis.x(now if stop is None else stop)), start + 1)
        changes[start] = changes.get(start, 0) + 1
        changes[end] = changes.get(end, 0) - 1
    number = 0
    steps: list[tuple[float, int]] = []
    for x in sorted(changes):
        number += changes[x]
        steps.append((float(x), number))
    return steps


def _area(steps: list[tuple[float, int]], most: int, top: float, role: Role, tip: str) -> Area:
    bottom = top + AREA_HEIGHT
    points = [(steps[0][0], bottom)]
    level = bottom
    for x, number in steps:
        points.append((x, level))
        level = bottom - AREA_HEIGHT * number / max(most, 1)
        points.append((x, level))
    return Area(points, role, tip)
