"""What do the signs of a diagram mean? Only those that occur in it are explained."""

from __future__ import annotations

from collections.abc import Iterator

from ._recording import Recording
from ._shapes import Text
from ._text_size import cut, width_of
from ._thinning import Detail
from ._views import LaneView, LegendEntry, LegendSign
from ._workers import names_of

__all__ = ["legend_of"]

SIZE = 11.0
SIGN_WIDTH = 38.0
"""Pixels for a sign."""
GAP = 22.0
SEEN = 3.0
"""Pixels of a wait that is explained."""
PITCH = 24.0

MEANINGS: dict[LegendSign, str] = {
    "result": "result, in the colour of its input",
    "result of several": "result of several inputs",
    "ramp": "from the first input to the last",
    "ticks": "a result each",
    "call": "call in flight",
    "calls": "how many calls are in flight",
    "batch": "batch in flight, and why it was cut",
    "cancelled": "cancelled call",
    "queue": "items waiting",
    "held": "ready, held for order or room",
    "wait": "waits for its key or a rate",
    "queued": "waiting for worker, then at work",
    "worker": "",
    "retry": "failed attempt",
    "timed out": "its time was over",
    "failed": "item failed the run",
    "skipped": "item skipped",
    "lettered": "with a dead letter",
    "dropped": "item dropped",
    "capsule": "at one instant",
    "ended": "end of the stage",
    "closed": "closed by the consumer",
    "drained": "drained: nothing more is pulled",
    "watermark": "watermark: all before is settled",
}


def legend_of(
    recording: Recording,
    detail: Detail,
    lanes: list[LaneView],
    left: float,
    top: float,
    right: float,
    *,
    has_watermark: bool,
) -> tuple[list[LegendEntry], float]:
    """Set the entries side by side, in as many lines as they need; also give the lower edge."""
    occurring = set(_signs(lanes))
    if detail.every > 1:
        occurring.add("ramp")
    if recording.drained is not None and recording.drained <= recording.span:
        occurring.add("drained")
    if has_watermark:
        occurring.add("watermark")
    entries: list[LegendEntry] = []
    x, y = left, top + PITCH / 2
    for sign, meaning in MEANINGS.items():
        if sign not in occurring:
            continue
        meaning = meaning or cut(names_of(recording.workers), right - left - SIGN_WIDTH, SIZE)
        width = SIGN_WIDTH + width_of(meaning, SIZE)
        if x + width > right and x > left:
            x, y = left, y + PITCH
        entries.append(LegendEntry(sign, x, y, Text(x + SIGN_WIDTH, y + 4, meaning, SIZE)))
        x += width + GAP
    return entries, (y + PITCH / 2 if entries else top)


def _signs(lanes: list[LaneView]) -> Iterator[LegendSign]:
    """Give the signs that occur, some more than once."""
    for lane in lanes:
        yield from _signs_of_calls(lane)
        yield from _signs_of_line(lane)


def _signs_of_calls(lane: LaneView) -> Iterator[LegendSign]:
    for bar in lane.bars:
        yield "retry" if bar.look == "failed" else bar.look
        if bar.timed_out:
            yield "timed out"
        if bar.names_worker:
            yield "worker"
        if bar.queued >= SEEN:
            yield "queued"
    if lane.waits:
        yield "wait"
    for area in lane.areas:
        yield "queue" if area.role == "queue" else "calls"


def _signs_of_line(lane: LaneView) -> Iterator[LegendSign]:
    for disc in lane.discs:
        yield "result of several" if _is_of_several(disc) else disc.sign
        if disc.has_letter:
            yield "lettered"
    if lane.rings:
        yield "held"
    if lane.capsules:
        yield "capsule"
    of_ticks: dict[str, LegendSign] = {"@error": "skipped", "@muted": "dropped"}
    for ticks in lane.ticks:
        yield of_ticks.get(ticks.colour, "ticks")
    if lane.end == "ended" or lane.end == "closed":
        yield lane.end


def _is_of_several(disc: object) -> bool:
    return getattr(disc, "sign", "") == "result" and len(getattr(disc, "colours", ())) > 1
