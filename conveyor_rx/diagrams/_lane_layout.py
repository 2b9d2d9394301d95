"""How is one lane laid out: heading, calls, line and figures?"""

from __future__ import annotations

from dataclasses import dataclass, field

from ._axis import Axis
from ._bars import Bars, bars_of, rows_of
from ._line import HELD_PITCH, depth_of, held_levels, line_of, spots_of
from ._recording import Lane
from ._scene import Origins, Scene
from ._shapes import Area, Box, Text
from ._text_size import cut, width_of
from ._views import LaneView
from ._words import figures, queue_tip

__all__ = ["LEFT", "LaneLayout", "lane_layout"]

LEFT = 20.0
"""Where headings begin."""
QUEUE_HEIGHT = 12.0
BOX_HEIGHT = 22.0
PAD = 10.0
HEADING = 13.5
DETAIL = 9.5
DETAIL_PITCH = 12.5
FIGURE = 10.5
FIGURE_PITCH = 14.0
MAX_OPTIONS = 7
ARROW = 15.0


@dataclass(slots=True)
class LaneLayout:
    """A lane, and where values come in and leave it, by their numbers."""

    view: LaneView
    entries: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    anchors: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    starts: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    exits: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    box_top: float | None = None
    """Where values go in, if there are no calls."""


def lane_layout(index: int, scene: Scene, origins: Origins, top: float, width: float) -> LaneLayout:
    """Lay out the lane of `index` from `top` on; `origins` are the marbles of the one before."""
    recording = scene.recording
    lane = recording.lanes[index]
    shown = scene.detail.shown(index, lane)
    rows = rows_of(lane, scene.rows_height)
    is_boxed = lane.kind in ("own", "operator")
    left_texts, left_height = _heading(lane, scene, top)
    right_texts, right_height = _figures(lane, scene, top, width)

    levels = held_levels(shown, scene)
    queue = QUEUE_HEIGHT + 2 if lane.queue and rows.count else 0.0
    calls = BOX_HEIGHT if is_boxed else rows.height
    spots = spots_of(lane, shown, scene)
    below = (5.0 if calls else 0.0) + levels * HELD_PITCH + scene.marble / 2
    pad = PAD if not scene.detail.is_compact else 5.0
    content = pad + queue + calls + below + scene.marble / 2 + depth_of(spots, scene) + pad - 2
    height = max(content, left_height, right_height)
    y = top + pad + (height - content) / 2
    line_y = y + queue + calls + below

    line = line_of(lane, shown, spots, scene, line_y)
    bars = bars_of(lane, rows, scene, origins, y + queue) if rows.count else Bars()
    view = LaneView(top, height, line_y, scene.axis.left - 8, scene.axis.right)
    view.texts = [*left_texts, *right_texts, *bars.texts]
    view.areas = bars.areas
    if queue:
        view.areas.append(_queue(lane, scene.axis, y + QUEUE_HEIGHT, scene.now))
    view.bars, view.retries, view.waits = bars.bars, bars.retries, bars.waits
    view.capsules, view.ticks, view.discs = line.capsules, line.ticks, line.discs
    view.held, view.rings = line.held, line.rings
    _end(view, index, lane, scene, line.right)
    layout = LaneLayout(view, bars.entries, line.anchors, line.starts, bars.exits)
    if is_boxed:
        layout.box_top = y
        view.boxes.append(_box(lane, scene, y, view.line_to))
    return layout


def _heading(lane: Lane, scene: Scene, top: float) -> tuple[list[Text], float]:
    """Write the name and the options; also give the height that they need."""
    room = scene.axis.left - 16 - LEFT - scene.marble / 2
    small = scene.detail.is_compact
    sizes = (11.0, 9.0) if small else (HEADING, 11.5, DETAIL)
    wanted = (size for size in sizes if width_of(lane.name, size, bold=True) <= room)
    size = next(wanted, sizes[1])
    name = cut(lane.name, room, size, bold=True)
    texts = [Text(LEFT, top + (16 if small else 20), name, size, "ink", bold=True, tip=lane.name)]
    kind = {"single_task": "@single_task", "batch_task": "@batch_task", "own": "own stage"}
    lines = [kind[lane.kind]] if lane.kind in kind else []
    if lane.kind == "operator":
        lines.append("Rx operator")
    lines += lane.options
    if small:
        lines = [" ".join(lines)]
    elif len(lines) > MAX_OPTIONS + 1:
        lines = [*lines[:MAX_OPTIONS], f"… {len(lines) - MAX_OPTIONS} more"]
    y = top + (29 if small else 36)
    for line in lines:
        size = 8.5 if small else DETAIL
        texts.append(Text(LEFT, y, cut(line, room, size, mono=True), size, mono=True, tip=line))
        y += DETAIL_PITCH
    return texts, y - DETAIL_PITCH + 9 - top


def _figures(lane: Lane, scene: Scene, top: float, width: float) -> tuple[list[Text], float]:
    """Write the figures, from the right edge; also give the height that they need."""
    recording = scene.recording
    lines = figures(lane, recording.span)
    if lane is recording.output and recording.outcome == "failed":
        lines.insert(0, (f"✕ {recording.failure_type}", "error"))
    if scene.detail.is_compact:
        lines = lines[:2]
    room = width - LEFT - scene.right - ARROW - 12
    texts: list[Text] = []
    y = top + (16 if scene.detail.is_compact else 20)
    for line, role in lines:
        shown = cut(line, room, FIGURE, bold=role == "error")
        texts.append(
            Text(width - LEFT, y, shown, FIGURE, role, "", "end", role == "error", tip=line)
        )
        y += FIGURE_PITCH
    return texts, (y - FIGURE_PITCH + 9 - top) if texts else 0.0


def _queue(lane: Lane, axis: Axis, bottom: float, now: float) -> Area:
    """Draw how many items wait, as steps on `bottom`."""
    most = max((depth for _, depth in lane.queue), default=0)
    points: list[tuple[float, float]] = [(axis.x(lane.queue[0][0]), bottom)]
    level, peak = bottom, bottom
    end = min(now, axis.span)
    for time, depth in lane.queue:
        if time > end:
            break
        x = axis.x(time)
        at = bottom - QUEUE_HEIGHT * depth / max(most, 1)
        if x - points[-1][0] < 0.4:  # within one pixel the highest counts
            peak = min(peak, at, level)
            level = at
            continue
        if peak < level:
            points.append((points[-1][0], peak))
        points += [(points[-1][0], level), (x, level)]
        level = peak = at
    points += [(points[-1][0], level), (axis.x(end), level), (axis.x(end), bottom)]
    return Area(points, "queue", queue_tip(lane))


def _end(view: LaneView, index: int, lane: Lane, scene: Scene, right: float) -> None:
    """Say where the line ends, and how."""
    recording, axis = scene.recording, scene.axis
    is_output = index == len(recording.lanes) - 1
    ended = recording.ended if is_output else lane.ended
    is_in_sight = ended is not None and (axis.span <= 0 or ended <= axis.span)
    if not is_in_sight:
        view.line_to = max(axis.x(scene.now), right + 4) + (ARROW if _goes_on(scene) else 0.0)
        view.has_arrow = _goes_on(scene)
        return
    assert ended is not None
    view.end = "ended"
    if is_output and recording.outcome in ("failed", "closed"):
        view.end = "failed" if recording.outcome == "failed" else "closed"
    view.end_x = max(axis.x(ended), right + (10 if view.end == "failed" else 5))
    view.has_arrow = view.end == "ended"
    view.line_to = view.end_x + (ARROW if view.has_arrow else 0.0)


def _goes_on(scene: Scene) -> bool:
    return scene.recording.ended is None or scene.recording.is_cut


def _box(lane: Lane, scene: Scene, top: float, right: float) -> Box:
    """Draw an operator as a box over the time of the run."""
    left = scene.axis.left - 8
    room = right - left - 20
    name = cut(lane.name, room, 11.0, mono=True)
    middle = (left + right) / 2
    text = Text(middle, top + BOX_HEIGHT / 2 + 4, name, 11.0, "ink", anchor="middle", mono=True)
    return Box(left, top, right - left, BOX_HEIGHT, text)
