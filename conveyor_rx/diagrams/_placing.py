"""Where on a lane's line do marbles stand that come at one instant, or nearly so?

Each stands at its instant if there is room, else to the right of the one before: never before its
instant, since nothing shows before it is there. Where that would take it too far from its instant,
it becomes one pile with the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ._shapes import Sign

__all__ = ["MAX_SHIFT", "OVERLAP", "Spot", "place"]

MAX_SHIFT = 48.0
"""How far to the right of its instant a marble may stand."""
MAX_ROW = 118.0
"""How far if those before it are of the same instant, which then shows."""
OVERLAP = 0.28
"""How much of a round marble its neighbour may cover where there is little room."""
LEAST_OVERLAP = 2.0
"""The pixels that it may cover of one with more than one character, which fills it."""
GAP = 1.0
SAME = 1.5
"""Pixels between what is taken to be at one instant."""


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
    """Where its centre stands, once it is placed."""


def place(
    spots: list[Spot], *, height: float, right: float, name: Callable[[Spot], None]
) -> list[Spot]:
    """Place `spots`, in the order in which they are given, the last one left of `right`.

    They come back with `at`, fewer than before if some became piles: those get their text and
    width from `name`.
    """
    for spot in spots:
        spot.last = spot.x
    for overlap in (0.0, OVERLAP * height):
        if _fits(spots, overlap, height, right):
            return spots
    return _piled(_groups(spots, height, name), height, right, name)


def _fits(spots: list[Spot], overlap: float, height: float, right: float) -> bool:
    """Set where the spots stand one after the other, and say if each is near its instant."""
    before = None
    for spot in spots:
        spot.at = _next_to(before, spot, overlap, height)
        if _is_too_far(before, spot, right):
            return False
        before = spot
    return True


def _next_to(before: Spot | None, spot: Spot, overlap: float, height: float) -> float:
    if before is None:
        return spot.x
    gap = GAP
    if overlap and spot.width < height * 1.15 and before.width < height * 1.15:
        # Round ones; of longer ones the text would be hidden.
        gap = -min(overlap, LEAST_OVERLAP if len(before.text) > 1 else overlap)
    return max(spot.x, before.at + (before.width + spot.width) / 2 + gap)


def _is_too_far(before: Spot | None, spot: Spot, right: float) -> bool:
    if spot.at + spot.width / 2 > right:
        return True
    is_same = before is not None and spot.x - before.x <= SAME
    return spot.at - spot.last > (MAX_ROW if is_same else MAX_SHIFT)


def _groups(spots: list[Spot], height: float, name: Callable[[Spot], None]) -> list[Spot]:
    """Make one of those that are of one instant and too many to stand in a row."""
    found: list[list[Spot]] = []
    for spot in spots:
        if found and found[-1][0].sign == spot.sign and spot.x - found[-1][0].x <= SAME:
            found[-1].append(spot)
        else:
            found.append([spot])
    result: list[Spot] = []
    for group in found:
        if sum(spot.width + GAP for spot in group[1:]) <= MAX_SHIFT:
            result += group
        else:
            result.append(_pile(group, height, name))
    return result


def _piled(
    spots: list[Spot], height: float, right: float, name: Callable[[Spot], None]
) -> list[Spot]:
    """Place one after the other, and pile up with the one before what would be too far away."""
    placed: list[Spot] = []
    for spot in spots:
        while True:
            before = placed[-1] if placed else None
            spot.at = _next_to(before, spot, 0.0, height)
            if before is None or before.sign != spot.sign or not _is_too_far(before, spot, right):
                break
            spot = _pile([placed.pop(), spot], height, name)
        placed.append(spot)
    return placed


def _pile(spots: list[Spot], height: float, name: Callable[[Spot], None]) -> Spot:
    first, last = spots[0], spots[-1]
    pile = replace(
        first,
        width=height,
        inputs=tuple(dict.fromkeys(number for spot in spots for number in spot.inputs)),
        items=tuple(item for spot in spots for item in spot.items),
        text="",
        marbles=sum(spot.marbles for spot in spots),
        last=last.last,
    )
    pile.tip = f"{pile.marbles:,} marbles: {first.tip.split('; …; ')[0]}; …; {last.tip}"
    name(pile)
    return pile
