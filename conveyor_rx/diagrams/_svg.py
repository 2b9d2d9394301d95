"""How is a laid out diagram written as SVG?

Colours stand in attributes, and there is no id that could clash with another diagram's. The style
sheet of a picture that follows its reader's light or dark knows no names but those of its classes.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._text.labels import xml
from ._colours import ROLES, Choice, Theme, in_theme
from ._shapes import Text
from ._svg_bars import bars, retry, wait
from ._svg_legend import legend
from ._svg_shapes import (
    DRAINED,
    WATERMARK,
    area,
    box,
    capsule,
    disc,
    end,
    held,
    links,
    num,
    ring,
    text,
    ticks,
)
from ._views import LaneView, Picture

__all__ = ["svg"]

SANS = "ui-sans-serif,system-ui,'DejaVu Sans',sans-serif"


def svg(picture: Picture, theme: Choice, *, tips: bool = True) -> str:
    """Write `picture` in the colours of `theme`; with `tips` shapes have titles for the pointer."""
    return in_theme("".join(_parts(picture, ROLES, tips)), theme)


def _parts(picture: Picture, theme: Theme, tips: bool) -> Iterator[str]:
    width, height = num(picture.width), num(picture.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{xml(picture.title)}: {xml(picture.summary)}"'
        f' font-family="{SANS}" fill="none">'
    )
    yield f'<rect width="{width}" height="{height}" fill="{theme.ground}"/>'
    for lane in picture.lanes:
        yield (
            f'<rect x="8" y="{num(lane.top)}" width="{num(picture.width - 16)}"'
            f' height="{num(lane.height)}" rx="8" fill="{theme.panel}"/>'
        )
    strokes = "".join(
        f"M{num(x)} {num(picture.grid_top)}V{num(picture.grid_bottom)}" for x in picture.grid
    )
    yield f'<path d="{strokes}" stroke="{theme.grid}"/>'
    if picture.drained is not None:
        line = f"M{num(picture.drained)} {num(picture.grid_top)}V{num(picture.grid_bottom)}"
        yield f'<path d="{line}" stroke="{theme.muted}" {DRAINED}/>'
    for lane in picture.lanes:
        yield from (area(one, theme, tips) for one in lane.areas)
    yield from links(picture.links)
    for lane in picture.lanes:
        yield from _lane(lane, theme, tips)
    for one in picture.texts:
        yield text(one, theme, tips)
    for entry in picture.legend:
        yield from legend(entry, theme)
    if picture.settled is not None:
        source = picture.lanes[0]
        line = f"M{num(picture.settled)} {num(source.top + 2)}v{num(source.height - 4)}"
        yield f'<path d="{line}" stroke="{theme.ink}" {WATERMARK}/>'
    if picture.watermark is not None:
        yield text(picture.watermark, theme, tips=False)
    if picture.live is not None:
        yield from _live(picture, picture.live, theme)
    yield "</svg>"


def _lane(lane: LaneView, theme: Theme, tips: bool) -> Iterator[str]:
    """Write a lane, from what lies lowest to what lies on top."""
    yield from bars(lane.bars, theme, tips)
    yield from (wait(one, theme, tips) for one in lane.waits)
    yield from (retry(one, theme) for one in lane.retries)
    yield from (box(one, theme) for one in lane.boxes)
    yield from (text(one.text, theme, tips) for one in lane.boxes)
    if lane.line_to > lane.line_from:
        yield from end(lane, theme)
    yield from (capsule(one, theme) for one in lane.capsules)
    yield from (ticks(one, theme) for one in lane.ticks)
    yield from (held(one) for one in lane.held)
    yield from (ring(one, theme, tips) for one in lane.rings)
    for one in lane.discs:
        yield from disc(one, theme, tips)
    yield from (text(one, theme, tips) for one in lane.texts)


def _live(picture: Picture, live: Text, theme: Theme) -> Iterator[str]:
    """Write the line of a run that goes on, and the instant on top of it."""
    left, top, right, bottom = live.box
    yield (
        f'<path d="M{num(live.x)} {num(bottom)}V{num(picture.grid_bottom)}" stroke="{theme.error}"'
        ' stroke-width="1.4"/>'
    )
    yield (
        f'<rect x="{num(left - 7)}" y="{num(top - 4)}" width="{num(right - left + 14)}"'
        f' height="{num(bottom - top + 8)}" rx="8" fill="{theme.error}"/>'
    )
    yield text(live, theme, tips=False)
