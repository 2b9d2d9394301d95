"""How is the line drawn on which results leave a lane?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..._text.columns import columns
from .._recording import Lane
from ._marks import Marks, inputs_of
from ._notes import Sign
from ._row import FAINT, RED, Drawing, Row, sparks, style_of
from ._scale import Scale

__all__ = ["End", "line_of"]

DRIFT = 3
"""Columns by which a mark may stand beside its instant, for want of room."""
AT_ONCE = 3
"""Columns that marks of one instant may take without brackets; in more, time seems to pass."""
MOST = 3
"""Results for each column of a line; with more it isn't tried to draw marbles."""
_LOSSES: dict[str, tuple[str, Sign]] = {
    "failed": ("X", "failed"),
    "skipped": ("x", "skipped"),
    "none": ("∅", "dropped"),
    "rest": ("∅", "dropped"),
}
_ENDS: dict[Sign, str] = {"end": "|", "failed end": "X", "closed": "/"}


@dataclass(frozen=True, slots=True)
class End:
    """When and how a line ends."""

    time: float
    sign: Sign = "end"


@dataclass(frozen=True, slots=True)
class _Mark:
    column: int
    text: str
    style: str = ""
    is_end: bool = False
    sign: Sign | None = None


def line_of(
    lane: Lane, scale: Scale, marks: Marks, origins: Mapping[int, tuple[int, ...]], end: End | None
) -> Drawing:
    """Draw the marbles of a lane, what is held, what is lost, and the end."""
    row = Row(scale.width)
    row.write(0, "─" * (scale.column(end and end.time) + 1), FAINT)
    drawing = Drawing([row])
    if len(lane.marbles) <= MOST * scale.width:
        for by_label in (True, False) if marks.are_labels else (False,):
            found = _marks(lane, scale, marks, origins, end, by_label=by_label)
            placed = _placed(found, scale.width)
            if placed is not None:
                _write_holds(drawing, lane, scale, end)
                for mark in placed:
                    row.write(mark.column, mark.text, mark.style)
                drawing.signs |= {mark.sign for mark in placed if mark.sign is not None}
                if marks.are_labels and not by_label:
                    drawing.signs.add("no label")
                return drawing
    _write_sparks(drawing, lane, scale, end)
    return drawing


def _marks(
    lane: Lane,
    scale: Scale,
    marks: Marks,
    origins: Mapping[int, tuple[int, ...]],
    end: End | None,
    *,
    by_label: bool,
) -> list[_Mark]:
    """List all that stands on the line, from left to right; losses first in their column."""
    found: list[tuple[int, float, int, _Mark]] = []
    for marble in lane.marbles:
        if marble.left is not None:
            column, name = scale.column(marble.left), marks.marble(marble, by_label=by_label)
            several: Sign | None = "several" if name.startswith("<") and not by_label else None
            mark = _Mark(column, name, style_of(marble.inputs), sign=several)
            found.append((column, marble.left, marble.rank or 0, mark))
    for loss in lane.losses:
        column, (sign_text, sign) = scale.column(loss.time), _LOSSES[loss.kind]
        inputs = inputs_of(loss.items, loss.inputs, origins)
        style = FAINT if sign == "dropped" else RED
        mark = _Mark(column, sign_text + marks.of(inputs, 4), style, sign=sign)
        found.append((column, -1.0, 0, mark))
    found.sort(key=lambda one: one[:3])
    ordered = [mark for *_, mark in found]
    if end is not None:
        column = max(scale.column(end.time), ordered[-1].column if ordered else 0)
        style = RED if end.sign == "failed end" else ""
        ordered.append(_Mark(column, _ENDS[end.sign], style, is_end=True, sign=end.sign))
    return ordered


def _placed(marks: list[_Mark], width: int) -> list[_Mark] | None:
    """Give each mark columns of its own; None if they are too many for that."""
    groups: dict[int, list[_Mark]] = {}
    for mark in marks:
        groups.setdefault(mark.column, []).append(mark)
    starts = [*groups, width]
    placed: list[_Mark] = []
    free = 0
    for index, (column, group) in enumerate(groups.items()):
        for form in _forms(group):
            taken = _laid(form, 0)
            needed = taken[-1].column + columns(taken[-1].text)
            at = min(max(column, free), width - needed)
            fits_before_next = at + needed <= starts[index + 1] + DRIFT
            if fits_before_next and at >= free and abs(at - column) <= DRIFT:
                placed += _laid(form, at)
                gap = 1 if columns(form[-1].text) > 1 else 0
                free = at + needed + gap
                break
        else:
            return None
    return placed


def _forms(group: list[_Mark]) -> Iterator[list[_Mark]]:
    """Give ways to write what stands in one column, the clearest first.

    What takes several columns is put in brackets, to be told from a sequence.
    """
    marks = [mark for mark in group if not mark.is_end]
    laid = _laid(marks, 0)
    if len(marks) < 2 or laid[-1].column + columns(laid[-1].text) <= AT_ONCE:
        yield group
        return
    after = group[len(marks) :]
    begin, end = (replace(marks[0], text=text, style="", sign=None) for text in "()")
    yield [replace(begin, sign="group"), *marks, end, *after]
    if len(marks) > 2:
        rest = replace(begin, text="…", style=FAINT, sign="shortened")
        yield [begin, marks[0], rest, marks[-1], end, *after]


def _laid(marks: list[_Mark], at: int) -> list[_Mark]:
    """Put marks side by side; those of several columns have a blank between them."""
    laid: list[_Mark] = []
    was_long = is_inside = False
    for mark in marks:
        is_long = columns(mark.text) > 1
        if (
            laid
            and (is_long or was_long)
            and mark.text not in (")", "…")
            and laid[-1].text not in ("(", "…")
        ):
            if is_inside:
                laid.append(replace(mark, column=at, text=" "))
            at += 1
        is_inside = mark.text != ")" and (is_inside or mark.text == "(")
        laid.append(replace(mark, column=at))
        at += columns(mark.text)
        was_long = is_long
    return laid


def _write_holds(drawing: Drawing, lane: Lane, scale: Scale, end: End | None) -> None:
    """Draw a ring where a result was ready, and dots while it was held."""
    [row] = drawing.rows
    last = scale.column(end and end.time)
    held: list[tuple[int, str]] = []
    for marble in lane.marbles:
        begin = scale.column(marble.ready)
        stop = last if marble.left is None else scale.column(marble.left)
        if begin < stop:
            row.write(begin, "·" * (stop - begin), FAINT)
            held.append((begin, style_of(marble.inputs)))
    for begin, style in held:
        row.write(begin, "o", style)
        drawing.signs.add("held")


def _write_sparks(drawing: Drawing, lane: Lane, scale: Scale, end: End | None) -> None:
    """Draw how many results left in each column."""
    [row] = drawing.rows
    counts = [0] * scale.width
    for marble in lane.marbles:
        if marble.left is not None:
            counts[scale.column(marble.left)] += 1
    for column, bar in enumerate(sparks(counts)):
        if bar != " ":
            row.write(column, bar)
    for loss in lane.losses:
        sign_text, sign = _LOSSES[loss.kind]
        if sign != "dropped":
            row.write(scale.column(loss.time), sign_text, RED)
            drawing.signs.add(sign)
    if end is not None:
        row.write(
            scale.column(end.time) + 1, _ENDS[end.sign], RED if end.sign == "failed end" else ""
        )
        drawing.signs.add(end.sign)
    drawing.most = max(counts, default=0)
