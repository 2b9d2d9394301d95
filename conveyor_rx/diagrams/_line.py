"""What stands on the line of a lane: marbles, what was lost, and what is held above it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from ._placing import Room, Spot, place
from ._recording import Lane, Marble
from ._scene import Scene
from ._shapes import Capsule, Disc, Held, Ring, Sign, Ticks
from ._text_size import cut, width_of
from ._words import inputs_name, loss_tip, marble_tip

__all__ = ["HELD_PITCH", "Line", "depth_of", "held_levels", "line_of", "spots_of"]

HELD_PITCH = 9.0
"""Pixels between the levels on which held results wait."""
MAX_LEVELS = 3
LEAST_HOLD = 4.0
"""Pixels; a shorter hold is not drawn."""
RING = 3.6
STRIPES = 6
LABEL_ROOM = 46.0
LETTER = 16.0
"""Pixels for the sign of a dead letter."""
TIE = 2.5
"""Pixels around marbles of one instant."""
MAX_LOSSES = 16
"""More than these are drawn as ticks."""


@dataclass(slots=True)
class Line:
    """What is drawn on a lane's line."""

    discs: list[Disc] = field(default_factory=list[Disc])
    rings: list[Ring] = field(default_factory=list[Ring])
    held: list[Held] = field(default_factory=list[Held])
    ticks: list[Ticks] = field(default_factory=list[Ticks])
    capsules: list[Capsule] = field(default_factory=list[Capsule])
    anchors: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    """Where values leave, by their numbers."""
    starts: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    """Where values come to be, by their numbers: at their rings, or at their marbles."""
    right: float = 0.0
    """The edge of the last marble."""


@dataclass(slots=True)
class _Hold:
    marble: Marble
    x1: float
    x2: float
    level: int = 0


def held_levels(shown: list[Marble], scene: Scene) -> int:
    """Give how many levels are needed for what was held."""
    return max((hold.level + 1 for hold in _holds(shown, scene)), default=0)


def spots_of(lane: Lane, shown: list[Marble], scene: Scene) -> list[Spot]:
    """Place what stands on the line of a lane; `shown` are its marbles that are drawn in full."""
    is_thinned = len(shown) < len(lane.marbles)

    def name(pile: Spot) -> None:
        if is_thinned:
            _take_in(pile, lane, scene)
        _name_pile(pile, scene)

    left = scene.axis.left - scene.marble / 2
    room = Room(left, scene.right, scene.marble, scene.levels)
    return place(_spots(lane, shown, scene), room, name)


def depth_of(spots: list[Spot], scene: Scene) -> float:
    """Give the pixels that are needed for what stands below the line."""
    return max((spot.level for spot in spots), default=0) * _pitch(scene)


def line_of(lane: Lane, shown: list[Marble], spots: list[Spot], scene: Scene, y: float) -> Line:
    """Lay out the line of a lane at `y`, on which `spots` stand."""
    line = Line()
    for _, column in groupby(spots, key=lambda spot: spot.x):
        _add_column(line, list(column), scene, y)
    line.right = max((disc.x + disc.width / 2 for disc in line.discs), default=0.0)
    _add_holds(line, shown, scene, y)
    if len(shown) < len(lane.marbles):
        drawn = {marble.item for marble in shown}
        rest = (marble for marble in lane.marbles if marble.item not in drawn)
        line.ticks += _ticks(rest, scene, y)
    if len(lane.losses) > MAX_LOSSES:
        line.ticks += _loss_ticks(lane, scene, y)
    return line


def _spots(lane: Lane, shown: list[Marble], scene: Scene) -> list[Spot]:
    """Give what is to be placed, in the order in which it happened."""
    found: list[tuple[float, float, Spot]] = []
    for marble in shown:
        if marble.left is None or (scene.axis.span > 0 and marble.left > scene.axis.span):
            continue
        text = cut(scene.name_of_marble(marble), LABEL_ROOM, _size(scene), bold=True) or "…"
        spot = _spot(scene.axis.x(marble.left), "result", marble.inputs, text, scene)
        spot.items, spot.tip = (marble.item,), marble_tip(marble)
        found.append((marble.left, marble.rank or 0, spot))
    if len(lane.losses) <= MAX_LOSSES:
        for loss in lane.losses:
            sign: Sign = loss.kind if loss.kind in ("failed", "skipped") else "dropped"
            text = "" if sign == "dropped" else inputs_name(loss.inputs)
            spot = _spot(scene.axis.x(loss.time), sign, loss.inputs, text, scene)
            spot.tip = loss_tip(loss)
            if loss.has_letter:
                spot.has_letter, spot.width = True, spot.width + LETTER
            found.append((loss.time, -1, spot))
    found.sort(key=lambda one: one[:2])
    return [spot for _, _, spot in found]


def _spot(x: float, sign: Sign, inputs: tuple[int, ...], text: str, scene: Scene) -> Spot:
    return Spot(x, _width(sign, inputs, text, scene), sign, inputs, (), text, "")


def _name_pile(pile: Spot, scene: Scene) -> None:
    """Give a pile the range of its inputs for a text, or how many marbles it stands for."""
    is_one_each = len(pile.inputs) == pile.marbles and not scene.recording.shows_labels
    text = inputs_name(pile.inputs) if is_one_each else ""
    pile.text = text if "–" in text else f"{pile.marbles:,}×"
    pile.width = _width(pile.sign, pile.inputs, pile.text, scene)
    if pile.has_letter:
        pile.width += LETTER


def _take_in(pile: Spot, lane: Lane, scene: Scene) -> None:
    """Count the marbles that are not drawn to the pile among which they are."""
    if pile.sign != "result":
        return
    drawn = set(pile.items)
    times = [marble.left for marble in lane.marbles if marble.item in drawn]
    first, last = (
        min(time for time in times if time is not None),
        max(time for time in times if time is not None),
    )
    inside = [
        marble
        for marble in lane.marbles
        if marble.left is not None and first <= marble.left <= last
    ]
    pile.marbles = len(inside)
    pile.inputs = tuple(dict.fromkeys(number for one in inside for number in one.inputs))
    pile.tip = f"{len(inside):,} marbles, {marble_tip(inside[0])}; …; {marble_tip(inside[-1])}"


def _width(sign: Sign, inputs: tuple[int, ...], text: str, scene: Scene) -> float:
    if sign == "dropped" and not text:
        return scene.marble
    width = width_of(text, _size(scene), bold=True) + 7
    if sign != "result":
        width += 13  # the cross before the number
    elif len(inputs) > 1:
        width += 6  # the stripes around
    return max(width, scene.marble)


def _size(scene: Scene) -> float:
    return min(11.0, scene.marble * 0.55)


def _add_column(line: Line, column: list[Spot], scene: Scene, y: float) -> None:
    """Draw what is at one instant, tied together if it is more than one."""
    half, pitch = scene.marble / 2, _pitch(scene)
    top, bottom = y + column[0].level * pitch - half, y + column[-1].level * pitch + half
    if len(column) > 1:
        left = min(spot.at - spot.width / 2 for spot in column) - TIE
        right = max(spot.at + spot.width / 2 for spot in column) + TIE
        line.capsules.append(Capsule(left, top - TIE, right - left, bottom - top + 2 * TIE))
    for spot in column:
        colours = scene.colours.of(spot.inputs, STRIPES)
        at = y + spot.level * pitch
        disc = Disc(spot.at, at, spot.width, scene.marble, colours, spot.sign, spot.text, spot.tip)
        disc.has_letter = spot.has_letter
        line.discs.append(disc)
        for item in spot.items:
            line.anchors[item] = (spot.at, bottom)
            line.starts[item] = (spot.at, top)


def _pitch(scene: Scene) -> float:
    return round(scene.marble * 0.9, 1)


def _holds(shown: list[Marble], scene: Scene) -> list[_Hold]:
    """Give each held result a level, no two rings on one level closer than they are wide."""
    holds: list[_Hold] = []
    edges = [-1e9] * MAX_LEVELS
    rings = [-1e9] * MAX_LEVELS
    for marble in shown:
        end = scene.now if marble.left is None else marble.left
        x1, x2 = scene.axis.x(marble.ready), scene.axis.x(end)
        if x2 - x1 < LEAST_HOLD or (scene.axis.span > 0 and marble.ready > scene.axis.span):
            continue
        free = [level for level in range(MAX_LEVELS) if edges[level] + 2 * RING <= x1]
        level = free[0] if free else rings.index(min(rings))
        x1 = max(x1, rings[level] + 2.4 * RING)
        if x1 > x2:
            continue  # as many as this stand for all
        rings[level], edges[level] = x1, max(edges[level], x2)
        holds.append(_Hold(marble, x1, x2, level))
    return holds


def _add_holds(line: Line, shown: list[Marble], scene: Scene, y: float) -> None:
    for hold in _holds(shown, scene):
        marble = hold.marble
        colour = scene.colours.of(marble.inputs, 1)[0]
        level = y - scene.marble / 2 - 5 - hold.level * HELD_PITCH
        to = line.starts.get(marble.item)
        line.rings.append(Ring(hold.x1, level, RING, colour, marble_tip(marble)))
        line.held.append(Held(hold.x1 + RING, level, hold.x2, to, colour))
        line.starts[marble.item] = (hold.x1, level - RING)


def _ticks(marbles: Iterable[Marble], scene: Scene, y: float) -> list[Ticks]:
    by_colour: dict[str, set[int]] = {}
    axis = scene.axis
    for marble in marbles:
        if marble.left is not None and (axis.span <= 0 or marble.left <= axis.span):
            colour = scene.colours.of(marble.inputs, 1)[0]
            by_colour.setdefault(colour, set()).add(round(axis.x(marble.left)))
    return [Ticks(sorted(xs), y - 5, y + 5, colour) for colour, xs in by_colour.items()]


def _loss_ticks(lane: Lane, scene: Scene, y: float) -> list[Ticks]:
    found: list[Ticks] = []
    for role, kinds in (("@error", ("failed", "skipped")), ("@muted", ("none", "rest"))):
        xs = {round(scene.axis.x(loss.time)) for loss in lane.losses if loss.kind in kinds}
        if xs:
            found.append(Ticks([float(x) for x in sorted(xs)], y + 2, y + 9, role))
    return found
