"""Where does everything of a diagram stand?"""

from __future__ import annotations

from .._text.labels import terminal
from ._axis import Axis, duration
from ._colours import InputColours
from ._lane_layout import LEFT, LaneLayout, lane_layout
from ._legend import legend_of
from ._recording import Marble, Recording
from ._scene import Scene
from ._shapes import Link, Text
from ._text_size import cut
from ._thinning import AIRY_STAGES, Detail, detail_of
from ._views import LaneView, Picture
from ._watermark import instant_of_watermark
from ._words import counted, notes, summary

__all__ = ["LEAST_WIDTH", "layout"]

LEAST_WIDTH = 640.0
AXIS_LEFT = 212.0
AXIS_RIGHT = 252.0
"""From the end of the axis to the right edge: marbles that are late, an arrow, and figures."""
SPILL = 60.0
"""How far behind the end of the axis marbles may stand."""
GAP = 12.0
TITLE = 15.0
SUBTITLE = 11.0
TICK = 10.5
ALL_ROWS = 2600.0
"""Pixels for the slots of all lanes together."""
MOST_ROWS, LEAST_ROWS = 180.0, 14.0
FOLD_HEIGHT = 26.0
FEW_STAGES = 4


def layout(recording: Recording, *, title: str | None = None, width: float = 1180.0) -> Picture:
    """Lay out a diagram of `recording` that is `width` pixels wide."""
    axis_room = width - AXIS_LEFT - AXIS_RIGHT
    detail = detail_of(recording, axis_room)
    scene = _scene(recording, detail, width)
    title = terminal(title or recording.name)
    texts, y = _head(recording, detail, title, width)
    axis_y = y + 22
    lanes, links, bottom = _lanes(scene, axis_y + 14, width)
    is_live = recording.ended is None
    live = _live(scene, axis_y) if is_live else None
    for x, text in scene.axis.ticks():
        tick = Text(x, axis_y, text, TICK, anchor="middle")
        if live is None or tick.box[2] < live.box[0] - 10 or tick.box[0] > live.box[2] + 10:
            texts.append(tick)
    watermark = _watermark(scene, lanes[0])
    settled = _settled(scene, watermark)
    legend, height = legend_of(
        recording,
        detail,
        lanes,
        LEFT,
        bottom + 20,
        width - LEFT,
        has_watermark=settled is not None,
    )
    return Picture(
        width=width,
        height=height + 8,
        title=title,
        summary=summary(recording),
        texts=texts,
        grid=[x for x, _ in scene.axis.ticks()],
        grid_top=axis_y + 6,
        grid_bottom=bottom + 6,
        lanes=lanes,
        links=links,
        legend=legend,
        drained=_drained(recording, scene),
        watermark=watermark,
        settled=settled,
        live=live,
    )


def _scene(recording: Recording, detail: Detail, width: float) -> Scene:
    is_live = recording.ended is None
    right = width - AXIS_RIGHT
    span = recording.span
    inputs = max(len(recording.source.marbles), recording.kept)
    stages = max(len(detail.lanes) - 2, 1)
    return Scene(
        recording=recording,
        detail=detail,
        axis=Axis.of_run(AXIS_LEFT, right, span, is_live=is_live),
        colours=InputColours(inputs, many=detail.every > 1),
        now=min(recording.ended if recording.ended is not None else recording.now, span),
        right=right + SPILL,
        rows_height=min(max(ALL_ROWS / stages - 60, LEAST_ROWS), MOST_ROWS),
        marble=20.0 if stages <= AIRY_STAGES else 14.0,
        levels=8 if stages <= FEW_STAGES else 5 if stages <= AIRY_STAGES else 4,
    )


def _drained(recording: Recording, scene: Scene) -> float | None:
    drained = recording.drained
    in_sight = drained is not None and drained <= recording.span
    return scene.axis.x(drained) if drained is not None and in_sight else None


def _watermark(scene: Scene, source: LaneView) -> Text | None:
    """Say in the lane of the source where a new run begins that goes on from this one."""
    instant, watermark = instant_of_watermark(scene.recording), scene.recording.watermark
    if instant is None:
        return None
    text = f"watermark {watermark:,}"
    return Text(scene.axis.x(instant), source.top - 2, text, 8.5, anchor="middle")


def _settled(scene: Scene, mark: Text | None) -> float | None:
    """Give the place of the line behind what is settled, where it would not part one instant."""
    watermark = scene.recording.watermark
    if mark is None or watermark is None:
        return None
    at_mark = [
        marble.inputs[0]
        for marble in scene.recording.source.marbles
        if marble.inputs and abs(scene.axis.x(marble.ready) - mark.x) < 0.5
    ]
    if any(number >= watermark for number in at_mark):
        return None
    return mark.x + scene.marble / 2 + 2 if at_mark else mark.x


def _head(
    recording: Recording, detail: Detail, title: str, width: float
) -> tuple[list[Text], float]:
    """Write what stands above the axis; also give the lowest baseline."""
    room = width - 2 * LEFT
    name = cut(title, room, TITLE, mono=True)
    texts = [Text(LEFT, 28, name, TITLE, "ink", bold=True, mono=True)]
    y = 47.0
    role = "error" if recording.outcome == "failed" else "muted"
    texts.append(Text(LEFT, y, cut(summary(recording), room, SUBTITLE), SUBTITLE, role))
    for note in notes(recording, detail):
        y += 15
        texts.append(Text(LEFT, y, cut(note, room, SUBTITLE), SUBTITLE))
    return texts, y


def _lanes(scene: Scene, top: float, width: float) -> tuple[list[LaneView], list[Link], float]:
    """Lay the lanes out below each other, with the ways between them; also give the lower edge."""
    views: list[LaneView] = []
    links: list[Link] = []
    before: LaneLayout | None = None
    gap = GAP if not scene.detail.is_compact else 5.0
    last = -1
    for index in scene.detail.lanes:
        if index != last + 1:
            views.append(_fold(index - last - 1, scene, top))
            top += FOLD_HEIGHT + gap
            before = None
        lanes = scene.recording.lanes
        origins = {marble.item: marble for marble in lanes[index - 1].marbles} if index else {}
        lane = lane_layout(index, scene, origins, top, width)
        links += _links_within(lane, scene, index)
        if before is not None:
            links += _links_between(before, lane, scene, origins)
        views.append(lane.view)
        top += lane.view.height + gap
        before, last = lane, index
    return views, links, top - gap


def _fold(stages: int, scene: Scene, top: float) -> LaneView:
    """Draw a strip in place of lanes."""
    view = LaneView(top, FOLD_HEIGHT, top + FOLD_HEIGHT / 2, scene.axis.left, scene.axis.left)
    text = f"⋮  {counted(stages, 'stage')} not shown"
    view.texts.append(Text(LEFT, top + FOLD_HEIGHT / 2 + 4, text, 11.0))
    return view


def _links_between(
    before: LaneLayout, lane: LaneLayout, scene: Scene, origins: dict[int, Marble]
) -> list[Link]:
    """Draw the ways of values from the marbles of one lane into the next."""
    links: dict[tuple[float, float, float, float], Link] = {}
    for item, (x, y) in before.anchors.items():
        colour = scene.colours.of(origins[item].inputs if item in origins else (), 1)[0]
        if lane.box_top is not None:
            link = Link(x, y, x, lane.box_top - 1, colour, is_flow=False)
        elif item in lane.entries:
            link = Link(x, y, *lane.entries[item], colour, is_flow=True)
        elif item in lane.starts:
            link = Link(x, y, *lane.starts[item], colour, is_flow=False)
        else:
            continue
        links[link.x1, link.y1, link.x2, link.y2] = link
    return list(links.values())


def _links_within(lane: LaneLayout, scene: Scene, index: int) -> list[Link]:
    """Draw the ways of results from the ends of their calls, or from an operator, to the line."""
    links: list[Link] = []
    box = lane.view.boxes[0] if lane.view.boxes else None
    for marble in scene.detail.shown(index, scene.recording.lanes[index]):
        to = lane.starts.get(marble.item)
        if to is None:
            continue
        colour = scene.colours.of(marble.inputs, 1)[0]
        at = scene.axis.x(marble.ready)
        if marble.call is not None and marble.call in lane.exits:
            x, y = lane.exits[marble.call]
            # Straight down to where its marble would stand if nothing stood in its way.
            links.append(Link(min(at, x) - 0.5, y, min(at, x) - 0.5, to[1], colour, is_flow=False))
        elif box is not None:
            links.append(Link(at, box.y + box.height, at, to[1], colour, is_flow=False))
    return links


def _live(scene: Scene, axis_y: float) -> Text:
    text = f"live {duration(scene.recording.now)}"
    return Text(scene.axis.x(scene.now), axis_y, text, TICK, "ground", anchor="middle", bold=True)
