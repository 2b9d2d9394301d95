"""Where do the calls of a lane lie, as bars in their slots?"""

from __future__ import annotations

from dataclasses import dataclass, field

from ._area import AREA_HEIGHT, areas_of
from ._bar_errors import errors_beside, short_error
from ._recording import Attempt, Call, Lane
from ._scene import Origins, Scene
from ._shapes import Area, Bar, Look, Retry, Text, Wait
from ._text_size import width_of
from ._words import attempt_tip, wait_tip
from ._workers import mark_of

__all__ = ["Bars", "Rows", "bars_of", "rows_of"]

MAX_ROWS = 120
LEAST_WIDTH = 3.0
STRIPES = 6
BAR_TEXT = 9.5
LEAST_HEIGHT = 12.0
"""Of a bar with a text."""
BEHIND = 40.0
"""Room for texts behind the end of the axis."""
CUT_TEXT = 9.5
CUT_HEIGHT = 13.0
CUT_INDENT = 12.0
"""Room for the head of the arrow that leads into the batch."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How the slots of a lane share its height."""

    count: int
    pitch: float
    bar: float
    has_cuts: bool
    """Whether there is room for why a batch was cut, above its bar."""

    @property
    def is_area(self) -> bool:
        """Whether the slots are too many for rows: then it is drawn how many are taken."""
        return self.count > MAX_ROWS

    @property
    def height(self) -> float:
        """Pixels of all rows."""
        return AREA_HEIGHT if self.is_area else self.count * self.pitch

    def y(self, slot: int) -> float:
        """Give the top of a slot's bars, from that of the first row."""
        return slot * self.pitch + (CUT_HEIGHT if self.has_cuts else 0.0)


@dataclass(slots=True)
class Bars:
    """What is drawn of a lane's calls."""

    bars: list[Bar] = field(default_factory=list[Bar])
    retries: list[Retry] = field(default_factory=list[Retry])
    waits: list[Wait] = field(default_factory=list[Wait])
    texts: list[Text] = field(default_factory=list[Text])
    areas: list[Area] = field(default_factory=list[Area])
    entries: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    """Where values come in, by their numbers."""
    exits: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    """Where calls end, by their numbers: x and the bar's lower edge."""


def rows_of(lane: Lane, room: float) -> Rows:
    """Share at most `room` pixels between the slots that were used."""
    count = max((call.slot for call in lane.calls), default=-1) + 1
    is_batch = lane.kind == "batch_task"
    if is_batch and count * 36.0 <= max(room, 36.0):
        return Rows(count, 36.0, 20.0, has_cuts=True)
    pitch = min(20.0, max(room / max(count, 1), 2.0))
    return Rows(count, pitch, pitch - min(5.0, max(pitch / 4, 0.5)), has_cuts=False)


def bars_of(lane: Lane, rows: Rows, scene: Scene, origins: Origins, top: float) -> Bars:
    """Lay out the calls of `lane` in rows from `top` on; they work on values of `origins`."""
    bars = Bars()
    axis = scene.axis
    if rows.is_area:
        bars.areas, most = areas_of(lane, axis, top, scene.now)
        x = axis.x(min(call.start for call in lane.calls)) + 8
        x = min(x, axis.right - width_of(most, BAR_TEXT, bold=True))
        bars.texts.append(Text(x, top + AREA_HEIGHT - 8, most, BAR_TEXT, "ink", bold=True))
        for call in lane.calls:
            for item in call.items:
                bars.entries[item] = (axis.x(call.start), top)
        return bars
    by_slot: list[list[Call]] = [[] for _ in range(rows.count)]
    for call in lane.calls:
        if call.start <= axis.span or axis.span <= 0:
            by_slot[call.slot].append(call)
    for slot, calls in enumerate(by_slot):
        row = _Row(lane, rows, scene, origins, top + rows.y(slot), bars)
        for call in calls:
            row.add(call)
        row.write_cuts()
        row.write_errors()
    return bars


class _Row:
    """Lays out the calls of one slot, one after the other."""

    def __init__(
        self, lane: Lane, rows: Rows, scene: Scene, origins: Origins, y: float, out: Bars
    ) -> None:
        self._lane = lane
        self._rows = rows
        self._scene = scene
        self._axis = scene.axis
        self._origins = origins
        self._y = y
        self._out = out
        self._last: Bar | None = None
        self._edge = -1e9  # the right end of what is drawn so far
        self._cuts: list[tuple[float, Call]] = []
        self._bars: list[Bar] = []
        self._waits: dict[int, Retry | Wait] = {}  # by how many bars stand before them

    def add(self, call: Call) -> None:
        """Draw all attempts of `call`."""
        bar: Bar | None = None
        if call.waits_for:
            self._hold(call)
        for attempt in call.attempts:
            x = self._axis.x(attempt.start)
            if bar is not None and bar.look == "failed":
                self._wait(x)
            is_first, bar = bar is None, self._attempt(call, attempt, x)
            if not is_first:
                continue
            entry = (bar.x + min(5.0, bar.width / 2), self._y + bar.head)
            for item in call.items:
                self._out.entries[item] = entry
            if self._rows.has_cuts and call.cut:
                self._cuts.append((bar.x, call))
        if call.end is None and call.attempts[-1].end is not None:
            self._wait(self._axis.x(self._scene.now))
        self._out.exits[call.number] = (self._edge, self._y + self._rows.bar)

    def write_cuts(self) -> None:
        """Write above the batches why they were cut, as far as there is room."""
        right = self._axis.right + BEHIND
        for index, (x, call) in enumerate(self._cuts):
            x += CUT_INDENT
            room = (self._cuts[index + 1][0] if index + 1 < len(self._cuts) else right) - x - 2
            most = self._lane.max_size
            size = f"{len(call.items)}" if most is None else f"{len(call.items)}/{most}"
            for text in (f"{size} · {call.cut}", call.cut):
                if width_of(text, CUT_TEXT) <= room:
                    self._out.texts.append(Text(x, self._y - 3.5, text, CUT_TEXT))
                    break

    def write_errors(self) -> None:
        """Write what bars that are too short for it failed with."""
        if self._rows.bar >= LEAST_HEIGHT:
            axis, y = self._axis, self._y + self._rows.bar / 2 + 3
            right = axis.right + BEHIND
            self._out.texts += errors_beside(self._bars, self._waits, axis.left, right, y)

    def _hold(self, call: Call) -> None:
        """Draw how long its item waited for a key or a rate, as far as the slot was free."""
        x1 = max(self._axis.x(call.waited_from), self._edge + 2)
        x2 = self._axis.x(call.start) - 2
        if x2 - x1 >= LEAST_WIDTH:
            text = call.waits_for if self._rows.bar >= LEAST_HEIGHT else ""
            tip = wait_tip(self._lane, call)
            wait = Wait(x1, x2, self._y + self._rows.bar / 2, text, tip)
            self._waits[len(self._bars)] = wait
            self._out.waits.append(wait)

    def _wait(self, x: float) -> None:
        if x - self._edge > 3:
            wait = Retry(self._edge + 1, x - 1, self._y + self._rows.bar / 2)
            self._waits[len(self._bars)] = wait
            self._out.retries.append(wait)

    def _attempt(self, call: Call, attempt: Attempt, x: float) -> Bar:
        end = self._scene.now if attempt.end is None else attempt.end
        right = self._axis.x(end)
        least = min(LEAST_WIDTH, max(self._rows.bar / 2, 1.0))
        if self._last is not None and right - x < least and x < self._edge - 0.1:
            return self._merge(self._last, call, attempt, right)
        x = min(max(x, min(self._edge, right)), self._axis.right - least)
        width = max(right - x, least)
        is_batch = self._lane.kind == "batch_task"
        look: Look = "failed" if attempt.error else "batch" if is_batch else "call"
        if look != "failed" and call.outcome == "cancelled":
            look = "cancelled"
        tip = attempt_tip(self._lane, call, attempt, end)
        inputs = self._inputs(call, attempt)
        colours = self._scene.colours.of(inputs, STRIPES)
        bar = Bar(x, self._y, width, self._rows.bar, colours, look, "", tip)
        if attempt.queued:
            begun = self._axis.x(attempt.start + attempt.queued)
            bar.queued = max(min(begun - x, width - least), 0.0)
        mark = mark_of(attempt.worker, self._scene.recording.workers)
        bar.text = self._text(attempt, inputs, bar, mark)
        bar.names_worker = mark in bar.text.split()
        bar.error = "" if short_error(attempt.error) in bar.text else attempt.error
        bar.timed_out = attempt.timed_out
        self._out.bars.append(bar)
        self._bars.append(bar)
        self._last, self._edge = bar, x + width
        return bar

    def _merge(self, bar: Bar, call: Call, attempt: Attempt, right: float) -> Bar:
        """Draw an attempt that is too short for a bar as part of the one before."""
        bar.calls += 1
        bar.queued = 0.0
        bar.width = max(right - bar.x, bar.width)
        if attempt.error and bar.width <= 2 * LEAST_WIDTH:
            bar.look, bar.error = "failed", bar.error or attempt.error
        if len(bar.colours) < STRIPES:
            bar.colours = tuple(dict.fromkeys(bar.colours + self._scene.colours.of(call.inputs, 1)))
        bar.tip = f"{self._lane.name}: {bar.calls} attempts at calls, most of them short"
        self._edge = bar.x + bar.width
        return bar

    def _inputs(self, call: Call, attempt: Attempt) -> tuple[int, ...]:
        """Give the inputs of an attempt, which may be one with a part of a batch."""
        if len(attempt.items) == len(call.items):
            return call.inputs
        parts = (self._origins[item].inputs for item in attempt.items if item in self._origins)
        return tuple(dict.fromkeys(number for part in parts for number in part))

    def _text(self, attempt: Attempt, inputs: tuple[int, ...], bar: Bar, mark: str) -> str:
        if bar.height < LEAST_HEIGHT or (bar.look == "batch" and not mark):
            return ""
        name = self._scene.name_of(attempt.items, inputs, self._origins)
        texts = [f"{name} {mark}", name] if mark else [name]
        if bar.look == "batch":
            texts = [mark]
        elif attempt.error:
            full, short = attempt.error, short_error(attempt.error)
            texts = [f"{texts[0]} · {full}", f"{name} · {full}", f"{name} · {short}", name]
        elif attempt.number > 1:
            texts.insert(0, f"{texts[0]} · try {attempt.number}")
        room = bar.width - bar.queued - 9
        return next((text for text in texts if width_of(text, BAR_TEXT, bold=True) <= room), "")
