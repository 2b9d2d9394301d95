"""Where on a lane's line do marbles stand that come at one instant, or nearly so?

Each stands at its instant, so that a picture tells no wrong times. Those that would cover each
other stand below each other, on levels of which the first is the line. What is too much for the
levels becomes one pile with others of its sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ._shapes import Sign

__all__ = ["Room", "Spot", "place"]

OVERLAP = 0.28
"""How much of a round marble its neighbour may cover."""
LEAST_OVERLAP = 2.0
"""The pixels that it may cover of one with more than one character, which fills it."""
GAP = 1.0
SAME = 1.5
"""Pixels between what is taken to be at one instant."""
FAR = 48.0
"""Pixels between the first and the last instant of a pile."""


@dataclass(slots=True)
class Spot:
    """A marble to be placed: its instant, in pixels, how wide it is, and what it is about."""

    x: float
    width: float
    sign: Sign
    inputs: tuple[int, ...]
    items: tuple[int, ...]
    text: str
    tip: str
    marbles: int = 1
    """How many are piled up here."""
    last: float = 0.0
    """The instant of the last of a pile, in pixels."""
    at: float = 0.0
    """Where its centre stands, once it is placed: at its instant, unless it is too wide there."""
    level: int = 0
    has_letter: bool = False
    """Of what was skipped: the dead letters of all of it were accepted."""


@dataclass(frozen=True, slots=True)
class Room:
    """What there is for the marbles of a lane."""

    left: float
    right: float
    height: float
    """Of a marble."""
    levels: int


def place(spots: list[Spot], room: Room, name: Callable[[Spot], None]) -> list[Spot]:
    """Place `spots`, which are in the order of their instants.

    They come back with `at` and `level`, fewer than before if some became piles: those get their
    text and width from `name`.
    """
    for spot in spots:
        spot.last = spot.x
    levels: list[list[Spot]] = [[] for _ in range(room.levels)]
    for column in _columns(spots):
        if len(column) > room.levels:
            column = _by_sign(column, room, name)
        base = _base(column, levels, room)
        if base is None and len(column) > 1:
            column = _by_sign(column, room, name)
            base = _base(column, levels, room)
        if base is None:
            for spot in column:
                _squeeze_in(spot, levels, room, name)
        else:
            for level, spot in enumerate(column, base):
                _put(spot, level, levels, room)
    placed = [spot for level in levels for spot in level]
    return sorted(placed, key=lambda spot: (spot.x, spot.level))


def _columns(spots: Iterable[Spot]) -> Iterable[list[Spot]]:
    """Give those that are at one instant together, and set them to that of the first."""
    column: list[Spot] = []
    for spot in spots:
        if column and spot.x - column[0].x > SAME:
            yield column
            column = []
        if column:
            spot.x = column[0].x
        column.append(spot)
    if column:
        yield column


def _by_sign(column: list[Spot], room: Room, name: Callable[[Spot], None]) -> list[Spot]:
    """Make a pile of those that have the same sign."""
    found: dict[Sign, list[Spot]] = {}
    for spot in column:
        found.setdefault(spot.sign, []).append(spot)
    return [_pile(group, room, name) if len(group) > 1 else group[0] for group in found.values()]


def _base(column: list[Spot], levels: list[list[Spot]], room: Room) -> int | None:
    """Give the first level from which on there is room for all, each below the one before."""
    for base in range(len(levels) - len(column) + 1):
        if all(_fits(spot, levels[level], room) for level, spot in enumerate(column, base)):
            return base
    return None


def _fits(spot: Spot, level: list[Spot], room: Room) -> bool:
    if not level:
        return True
    before, gap = level[-1], GAP
    is_round = spot.width < room.height * 1.15 and before.width < room.height * 1.15
    if is_round:  # of longer ones the text would be hidden
        overlap = OVERLAP * room.height
        gap = -min(overlap, LEAST_OVERLAP if len(before.text) > 1 else overlap)
    return _at(spot, room) >= before.at + (before.width + spot.width) / 2 + gap


def _squeeze_in(
    spot: Spot, levels: list[list[Spot]], room: Room, name: Callable[[Spot], None]
) -> None:
    """Place what has no room: in a pile with one nearby, or else over what is least in the way."""
    free = next((level for level, ones in enumerate(levels) if _fits(spot, ones, room)), None)
    ends = [ones[-1] for ones in levels if ones]
    like = [end for end in ends if end.sign == spot.sign and spot.x - end.x < FAR]
    like.sort(key=lambda end: end.x)
    if free is not None:
        _put(spot, free, levels, room)
    elif like:
        nearest = like[-1]
        levels[nearest.level].pop()
        _put(_pile([nearest, spot], room, name), nearest.level, levels, room)
    else:
        first_to_end = min(ends, key=lambda end: end.at + end.width)
        _put(spot, first_to_end.level, levels, room)


def _put(spot: Spot, level: int, levels: list[list[Spot]], room: Room) -> None:
    spot.at, spot.level = _at(spot, room), level
    levels[level].append(spot)


def _at(spot: Spot, room: Room) -> float:
    """Give its instant, or a place beside it if there is no room for half of it on one side."""
    return max(min(spot.x, room.right - spot.width / 2), room.left + spot.width / 2)


def _pile(spots: list[Spot], room: Room, name: Callable[[Spot], None]) -> Spot:
    first, last = spots[0], spots[-1]
    pile = replace(
        first,
        width=room.height,
        inputs=tuple(dict.fromkeys(number for spot in spots for number in spot.inputs)),
        items=tuple(item for spot in spots for item in spot.items),
        text="",
        marbles=sum(spot.marbles for spot in spots),
        last=last.last,
        has_letter=all(spot.has_letter for spot in spots),
    )
    pile.tip = f"{pile.marbles:,} marbles: {first.tip.split('; …; ')[0]}; …; {last.tip}"
    name(pile)
    return pile
