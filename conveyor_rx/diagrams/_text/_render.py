"""What stands where in a diagram of text? A header and a few rows for each lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..._text.columns import columns, cut, fill
from ..._text.labels import terminal
from .._recording import Lane, Recording
from .._watermark import instant_of_watermark
from .._words import figures, summary
from ._calls import calls_of, queue_of
from ._line import End, line_of
from ._marks import Marks
from ._notes import Sign, notes_of
from ._row import BOLD, FAINT, Drawing, Row
from ._scale import Scale

__all__ = ["render"]

LEAST_WIDTH = 40
LEAST_ABOUT = 24
"""Columns for what a lane is, before it is said how it went."""
GUTTER = 11
"""Columns for what a row is about, left of the time axis."""
MAX_STAGES = 40
MAX_SLOTS = 8
ROWS_OF_SLOTS = 120
"""In all; with many stages each has fewer."""
_KINDS = {
    "single_task": "@single_task",
    "batch_task": "@batch_task",
    "own": "own stage",
    "operator": "Rx operator",
}
_ENDS: dict[str, Sign] = {"completed": "end", "failed": "failed end", "closed": "closed"}


def render(recording: Recording, *, width: int = 100, color: bool = False) -> str:
    """Draw `recording` in lines of at most `width` columns, with colours by ANSI codes if `color`.

    What is too much for marbles or bars becomes a row that shows how many they are. Lines at the
    end explain the signs that were used.
    """
    return "\n".join(_Text(recording, max(width, LEAST_WIDTH), color).lines())


class _Text:
    def __init__(self, recording: Recording, width: int, color: bool) -> None:
        self._recording = recording
        self._width = width
        self._color = color
        self._scale = Scale(width - GUTTER, recording.span)
        self._marks = Marks(recording)
        self._signs: set[Sign] = {"letters"} if self._marks.are_letters else set()
        stages = min(len(recording.stages), MAX_STAGES)
        self._slots = min(max(ROWS_OF_SLOTS // max(stages, 1), 2), MAX_SLOTS)

    def lines(self) -> Iterator[str]:
        """Give the lines, without line breaks."""
        recording = self._recording
        yield self._styled(cut(terminal(recording.name), self._width), BOLD)
        yield cut(terminal(summary(recording)), self._width)
        yield ""
        yield self._row("", self._scale.ticks())
        yield from self._marks_of_run()
        yield from self._outermost(recording.source, self._end(recording.source.ended))
        for index, lane in self._stages():
            yield ""
            if lane is None:
                yield f"… {len(recording.stages) - MAX_STAGES:,} more stages"
            else:
                yield from self._stage(lane, recording.lanes[index])
        yield ""
        end = self._end(recording.ended, _ENDS.get(recording.outcome, "closed"))
        yield from self._outermost(recording.output, end)
        notes = notes_of(recording, self._signs, self._width)
        if notes:
            yield ""
            yield from (self._styled(note, FAINT) for note in notes)

    def _marks_of_run(self) -> Iterator[str]:
        """Mark on the axis when it was drained, and what is settled, if there is anything."""
        drawing = Drawing([Row(self._scale.width)])
        marks: tuple[tuple[Sign, str, float | None], ...] = (
            ("drained", "D", self._recording.drained),
            ("watermark", "W", instant_of_watermark(self._recording)),
        )
        for sign, text, instant in marks:
            if instant is not None and instant <= self._recording.span:
                drawing.rows[0].write(self._scale.column(instant), text)
                drawing.signs.add(sign)
        if drawing.signs:
            yield from self._rows(drawing, ["marks"], "")

    def _stages(self) -> Iterator[tuple[int, Lane | None]]:
        """Give the stages that are shown, each with the index of the lane before it."""
        stages = list(enumerate(self._recording.stages))
        if len(stages) <= MAX_STAGES:
            yield from stages
            return
        yield from stages[: MAX_STAGES // 2]
        yield 0, None
        yield from stages[-MAX_STAGES // 2 :]

    def _outermost(self, lane: Lane, end: End | None) -> Iterator[str]:
        """Draw the source or the output."""
        options = f" · {' · '.join(lane.options)}" if lane.options else ""
        yield self._header(lane.name, options, [])
        yield from self._line(lane, {}, end)

    def _stage(self, lane: Lane, before: Lane) -> Iterator[str]:
        kind = " ".join((_KINDS.get(lane.kind, lane.kind), *lane.options))
        right = [text for text, _ in figures(lane, self._recording.span)]
        yield self._header(lane.name, f" · {kind}", right, kept=2 if lane.errors else 1)
        origins = {marble.item: marble.inputs for marble in before.marbles}
        queue = queue_of(lane, self._scale)
        yield from self._rows(queue, ["waiting"], "wait")
        calls = calls_of(lane, self._scale, self._marks, origins, self._slots)
        count = len(calls.rows)  # more than slots, if some wait for their next attempt
        row = "slot" if lane.slots is None or count <= lane.slots else "row"
        slots = [f"{row} {number}" for number in range(1, count + 1)]
        yield from self._rows(calls, slots, "busy")
        yield from self._line(lane, origins, self._end(lane.ended))

    def _line(
        self, lane: Lane, origins: Mapping[int, tuple[int, ...]], end: End | None
    ) -> Iterator[str]:
        line = line_of(lane, self._scale, self._marks, origins, end)
        yield from self._rows(line, ["out"], "out")

    def _end(self, time: float | None, sign: Sign = "end") -> End | None:
        """Give the end of a line, if it was reached within the time that is drawn."""
        return None if time is None or time > self._recording.span else End(time, sign)

    def _rows(self, drawing: Drawing, names: list[str], counted: str) -> Iterator[str]:
        self._signs |= drawing.signs
        if drawing.most:
            names = [f"{counted} ≤{drawing.most}"]
        for name, row in zip(names, drawing.rows, strict=False):
            yield self._row(name, row)

    def _header(self, name: str, about: str, right: list[str], kept: int = 1) -> str:
        """Write a lane's name, what it is and, as far as there is room, how it went.

        There is room for `kept` of the figures, which say the most, rather than for all options.
        """
        name = cut(terminal(name), self._width)
        room = self._width - columns(name)
        needed = columns(" · ".join(right[:kept])) + 2 if right else 0
        about = cut(terminal(about), max(room - needed, min(room, LEAST_ABOUT)))
        room -= columns(about) + 2
        figures = [" · ".join(right[:number]) for number in range(len(right), 0, -1)]
        shown = next((text for text in figures if columns(text) <= room), "")
        gap = " " * (room - columns(shown) + 2) if shown else ""
        return self._styled(name, BOLD) + self._styled(about + gap + shown, FAINT)

    def _row(self, name: str, row: Row) -> str:
        left = fill(name, GUTTER - 1) + " "
        text = row.text(color=self._color)
        return self._styled(left, FAINT) + text if text else self._styled(left.rstrip(), FAINT)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and text.strip() else text
