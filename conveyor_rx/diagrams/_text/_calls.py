"""How are the calls of a lane drawn? As bars in a row for each slot, and what waits for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from .._recording import Attempt, Call, Lane
from .._workers import mark_of
from ._marks import OF_NONE, Marks, inputs_of
from ._row import FAINT, Drawing, Row, sparks, style_of
from ._scale import Scale

__all__ = ["calls_of", "queue_of"]

DRIFT = 1
"""Columns by which a bar may begin too far to the right."""
RUNNING, BETWEEN, QUEUED, HELD = "━", "·", "╌", "~"


def calls_of(
    lane: Lane,
    scale: Scale,
    marks: Marks,
    origins: Mapping[int, tuple[int, ...]],
    most_rows: int,
) -> Drawing:
    """Draw the calls: a row for each slot, or how many run at once if that is too much.

    `origins` says of the values that come in which inputs they come from.
    """
    slots = max((call.slot for call in lane.calls), default=-1) + 1
    if slots > most_rows or len(lane.calls) > slots * scale.width:
        return _counted(lane, scale)
    drawing = Drawing([Row(scale.width) for _ in range(slots)])
    free = [0] * slots
    for call in sorted(lane.calls, key=lambda call: (call.start, call.number)):
        column = scale.column(call.start)
        begin = max(column, free[call.slot])
        end = max(scale.column(call.end), begin + 1)
        if begin - column > DRIFT or end > scale.width:
            return _counted(lane, scale)
        bar = _Bar(lane, call, scale, marks, origins)
        style = style_of(call.inputs)
        if call.waits_for:
            held = max(scale.column(call.waited_from), free[call.slot])
            if held < begin:
                drawing.rows[call.slot].write(held, HELD * (begin - held), FAINT)
                drawing.signs.add("held call")
        drawing.rows[call.slot].write(begin, bar.text(begin, end), style)
        free[call.slot] = end
        _note(drawing, lane, call)
    return drawing


def queue_of(lane: Lane, scale: Scale) -> Drawing:
    """Draw how many items wait in front of a lane, at most in each column; perhaps no row."""
    depths = [0] * scale.width
    ends = [*(instant for instant, _ in lane.queue[1:]), scale.span]
    for (instant, depth), end in zip(lane.queue, ends, strict=False):
        if end > instant:
            _raise(depths, scale.column(instant), scale.column(end), depth)
    steps: list[str] = []
    for depth, run in groupby(depths):
        length, number = len(list(run)), str(depth)
        if depth and length < len(number):
            return _sparks(depths)
        steps.append(number + QUEUED * (length - len(number)) if depth else " " * length)
    if not any(depths):
        return Drawing()
    row = Row(scale.width)
    row.write(0, "".join(steps), FAINT)
    return Drawing([row], {"queue"})


class _Bar:
    """What is written for a call from its begin to its end."""

    def __init__(
        self,
        lane: Lane,
        call: Call,
        scale: Scale,
        marks: Marks,
        origins: Mapping[int, tuple[int, ...]],
    ) -> None:
        self._is_batch = lane.kind == "batch_task"
        self._call = call
        self._scale = scale
        self._marks = marks
        self._origins = origins

    def text(self, begin: int, end: int) -> str:
        """Fill the columns from `begin` to before `end`."""
        if self._is_batch and end - begin > 2:
            return f"[{''.join(self._attempts(begin + 1, end - 1))}]"
        return "".join(self._attempts(begin, end))

    def _attempts(self, begin: int, end: int) -> Iterator[str]:
        at = begin
        attempts = self._call.attempts
        for index, attempt in enumerate(attempts):
            if index:
                start = min(max(self._scale.column(attempt.start), at), end)
                yield BETWEEN * (start - at)
                at = start
            is_last = index == len(attempts) - 1
            stop = end if is_last else min(max(self._scale.column(attempt.end), at + 1), end)
            yield self._attempt(attempt, stop - at, is_first=index == 0)
            at = stop

    def _attempt(self, attempt: Attempt, width: int, *, is_first: bool) -> str:
        if width < 1:
            return ""
        call = self._call
        name = self._marks.of(inputs_of(attempt.items, call.inputs, self._origins))
        mark = mark_of(attempt.worker, self._marks.workers)
        # Numbers must not run into each other; symbols may, each being one call.
        needed = len(name) if self._marks.are_symbols or self._is_batch else len(name) + 1
        if needed > width:
            name = name[0] if self._marks.are_symbols else OF_NONE
        if is_first and call.cut and len(name) + len(call.cut) + 2 <= width:
            name += RUNNING + call.cut
        text = name + RUNNING * (width - len(name))
        if mark:
            text = self._by_worker(attempt, name, mark, width)
        last = ("T" if attempt.timed_out else "x") if attempt.error else ""
        if call.outcome == "cancelled" and attempt is call.attempts[-1]:
            last = "/"
        return text[: width - len(last)] + last

    def _by_worker(self, attempt: Attempt, name: str, mark: str, width: int) -> str:
        """Tell the wait for the worker from the work, and name the worker if there is room."""
        begun = self._scale.column(attempt.start + attempt.queued)
        waits = min(begun - self._scale.column(attempt.start), width - 1)
        text = name + QUEUED * (waits - len(name))
        if len(text) + len(mark) < width:
            text += mark
        return text + RUNNING * (width - len(text))


def _note(drawing: Drawing, lane: Lane, call: Call) -> None:
    drawing.signs.add("batch" if lane.kind == "batch_task" else "call")
    for attempt in call.attempts:
        if attempt.error:
            drawing.signs.add("timed out" if attempt.timed_out else "failed attempt")
        if attempt.worker:
            drawing.signs.add("worker")
    if call.outcome == "cancelled":
        drawing.signs.add("cancelled")


def _counted(lane: Lane, scale: Scale) -> Drawing:
    """Draw how many calls run at once, at most in each column; not those that wait for workers."""
    spans = [(call.start, call.end) for call in lane.calls]
    most = lane.most_at_once
    if lane.workers.attempts:
        most = len(lane.workers.until)
        made = [one for call in lane.calls for one in call.attempts if one.worker]
        spans = [(one.start + one.queued, one.end) for one in made]
    changes: list[tuple[float, int, int]] = []
    for begin, stop in spans:
        end = scale.span if stop is None else stop
        # At one instant calls end, then others begin, and may end at once.
        changes += [(begin, 1, 1), (end, 2 if end == begin else 0, -1)]
    counts = [0] * scale.width
    running, since = 0, 0.0
    for instant, _, change in sorted(changes):
        _raise(counts, scale.column(since), scale.column(instant), running)
        running, since = running + change, instant
        _raise(counts, scale.column(instant), 0, running)
    return _sparks([min(count, most) for count in counts])


def _raise(counts: list[int], begin: int, end: int, least: int) -> None:
    """See that the counts from `begin` to before `end`, at least one, are at least `least`."""
    for column in range(begin, max(end, begin + 1)):
        counts[column] = max(counts[column], least)


def _sparks(counts: list[int]) -> Drawing:
    row = Row(len(counts))
    row.write(0, "".join(sparks(counts)))
    return Drawing([row], {"sparks"}, max(counts))
