"""How is each shape written as SVG?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._text.labels import xml
from ._colours import Theme, on
from ._shapes import Area, Box, Capsule, Disc, Held, Link, Ring, Text, Ticks
from ._views import LaneView

__all__ = [
    "DRAINED",
    "WATERMARK",
    "area",
    "box",
    "capsule",
    "cross",
    "disc",
    "end",
    "held",
    "letter",
    "links",
    "num",
    "ring",
    "text",
    "ticks",
    "tooltip",
]

DRAINED = 'stroke-width="1.6" stroke-dasharray="6 3"'
"""How the line is drawn behind which nothing more is pulled."""

WATERMARK = 'stroke-width="1.8" stroke-dasharray="1 2"'
"""How the line is drawn before which all is settled."""

ROUND = 24.0
MONO = "ui-monospace,'DejaVu Sans Mono',monospace"


def num(value: float) -> str:
    """Write a length in pixels, as short as it may be."""
    written = f"{value:.1f}"
    return written[:-2] if written.endswith(".0") else written


def text(one: Text, theme: Theme, tips: bool) -> str:
    """Write a line of text."""
    if not one.text:
        return ""
    colour = one.colour or getattr(theme, one.role)
    more = "" if one.anchor == "start" else f' text-anchor="{one.anchor}"'
    more += ' font-weight="600"' if one.bold else ""
    more += f' font-family="{MONO}"' if one.mono else ""
    title = tooltip(one.tip, tips and one.tip != one.text)
    return (
        f'<text x="{num(one.x)}" y="{num(one.y)}" font-size="{num(one.size)}"'
        f' fill="{colour}"{more}>{title}{xml(one.text)}</text>'
    )


def area(one: Area, theme: Theme, tips: bool) -> str:
    """Write a filled outline."""
    points = " ".join(f"{num(x)},{num(y)}" for x, y in one.points)
    title = tooltip(one.tip, tips)
    return f'<polygon points="{points}" fill="{getattr(theme, one.role)}">{title}</polygon>'


def links(all_links: Iterable[Link]) -> Iterator[str]:
    """Write ways between lanes: those of one colour and kind as one path, and their heads."""
    flows: dict[str, list[str]] = {}
    heads: dict[str, list[str]] = {}
    straights: dict[str, list[str]] = {}
    for link in all_links:
        x1, y1, x2, y2 = num(link.x1), num(link.y1), num(link.x2), num(link.y2)
        if not link.is_flow:
            straights.setdefault(link.colour, []).append(f"M{x1} {y1}L{x2} {y2}")
            continue
        middle = num((link.y1 + link.y2) / 2)
        neck = num(link.y2 - 5)
        flows.setdefault(link.colour, []).append(
            f"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {neck}"
        )
        heads.setdefault(link.colour, []).append(
            f"M{num(link.x2 - 3.2)} {neck}h6.4L{x2} {num(link.y2 + 0.5)}z"
        )
    for colour, paths in sorted(straights.items()):  # in any order of what is at one instant
        yield (
            f'<path d="{"".join(sorted(paths))}" stroke="{colour}" stroke-opacity=".6"'
            ' stroke-width="1.2" stroke-dasharray="2 2"/>'
        )
    for colour, paths in flows.items():
        yield (
            f'<path d="{"".join(paths)}" stroke="{colour}" stroke-opacity=".65"'
            ' stroke-width="1.3"/>'
        )
    for colour, paths in heads.items():
        yield f'<path d="{"".join(paths)}" fill="{colour}"/>'


def box(one: Box, theme: Theme) -> str:
    """Write an operator."""
    return (
        f'<rect x="{num(one.x)}" y="{num(one.y)}" width="{num(one.width)}"'
        f' height="{num(one.height)}" rx="5" fill="{theme.box}" stroke="{theme.line}"/>'
    )


def capsule(one: Capsule, theme: Theme) -> str:
    """Write what ties marbles of one instant together."""
    return (
        f'<rect x="{num(one.x)}" y="{num(one.y)}" width="{num(one.width)}"'
        f' height="{num(one.height)}" rx="{num(min(one.width, one.height, ROUND) / 2)}"'
        f' fill="{theme.box}" stroke="{theme.line}" stroke-width="1.2"/>'
    )


def ticks(one: Ticks, theme: Theme) -> str:
    """Write short strokes."""
    colour = getattr(theme, one.colour[1:]) if one.colour.startswith("@") else one.colour
    strokes = "".join(f"M{num(x)} {num(one.y1)}V{num(one.y2)}" for x in one.xs)
    return f'<path d="{strokes}" stroke="{colour}" stroke-width="1.2"/>'


def held(one: Held) -> str:
    """Write the way of a result that is held."""
    path = f"M{num(one.x1)} {num(one.y1)}H{num(one.x2)}"
    if one.to is not None:
        path += f"L{num(one.to[0])} {num(one.to[1])}"
    return f'<path d="{path}" stroke="{one.colour}" stroke-width="1.4" stroke-dasharray="1.5 2.5"/>'


def ring(one: Ring, theme: Theme, tips: bool) -> str:
    """Write a result that is ready and held."""
    return (
        f'<circle cx="{num(one.x)}" cy="{num(one.y)}" r="{num(one.radius)}" fill="{theme.panel}"'
        f' stroke="{one.colour}" stroke-width="1.8">{tooltip(one.tip, tips)}</circle>'
    )


def end(lane: LaneView, theme: Theme) -> Iterator[str]:
    """Write a lane's line, and how it ends."""
    y = num(lane.line_y)
    yield (
        f'<path d="M{num(lane.line_from)} {y}H{num(lane.line_to)}" stroke="{theme.line}"'
        ' stroke-width="1.6"/>'
    )
    if lane.has_arrow:
        arrow = f"M{num(lane.line_to)} {num(lane.line_y - 4.5)}v9l8-4.5z"
        yield f'<path d="{arrow}" fill="{theme.line}"/>'
    x, top = num(lane.end_x), num(lane.line_y - 12)
    if lane.end == "ended":
        yield f'<path d="M{x} {top}v24" stroke="{theme.ink}" stroke-width="2.6"/>'
    elif lane.end == "closed":
        yield (
            f'<path d="M{x} {top}v24" stroke="{theme.muted}" stroke-width="2.6"'
            ' stroke-dasharray="3 2.5"/>'
        )
    elif lane.end == "failed":
        yield cross(lane.end_x, lane.line_y, 8.0, theme.error, 3.0)


def disc(one: Disc, theme: Theme, tips: bool) -> Iterator[str]:
    """Write a marble, or what was lost in its place."""
    title = tooltip(one.tip, tips)
    if one.sign == "dropped" and not one.text:
        yield f"<g>{title}{cross(one.x, one.y, 4.0, theme.muted, 1.8)}</g>"
        return
    yield f"<g>{title}"
    colour = theme.muted
    if one.sign == "result":
        yield from _marble(one, theme)
        colour = on(one.colours[0]) if len(one.colours) == 1 else theme.ink
    else:
        colour = theme.muted if one.sign == "dropped" else theme.error
        fill, ink = (colour, theme.ground) if one.sign == "failed" else (theme.ground, colour)
        yield _pill(one, 0.0, f'fill="{fill}" stroke="{colour}" stroke-width="1.4"')
        yield cross(one.x - one.width / 2 + 10, one.y, 3.6, ink, 2.2)
        colour = ink
    size = min(11.0, one.height * 0.55)
    shift = 6.5 if one.sign != "result" else 0.0
    if one.has_letter:
        shift = 0.0
        yield letter(one.x + one.width / 2 - 12, one.y, colour)
    yield (
        f'<text x="{num(one.x + shift)}" y="{num(one.y + size * 0.36)}" font-size="{num(size)}"'
        f' font-weight="700" text-anchor="middle" fill="{colour}">{xml(one.text)}</text></g>'
    )


def letter(x: float, y: float, colour: str) -> str:
    """Write a letter, centred."""
    path = f"M{num(x - 5)} {num(y - 3.5)}h10v7h-10zl5 4 5-4"
    return f'<path d="{path}" stroke="{colour}" stroke-width="1.1"/>'


def _marble(one: Disc, theme: Theme) -> Iterator[str]:
    edge = f'stroke="{theme.panel}" stroke-width="1.6"'
    if len(one.colours) == 1:
        yield _pill(one, 0.0, f'fill="{one.colours[0]}" {edge}')
        return
    yield _pill(one, 0.0, f'fill="{theme.ground}" {edge}')
    yield from _striped(one)
    yield _pill(one, 3.4, f'fill="{theme.ground}"')


def _pill(one: Disc, inset: float, attributes: str) -> str:
    width, height = one.width - 2 * inset, one.height - 2 * inset
    return (
        f'<rect x="{num(one.x - width / 2)}" y="{num(one.y - height / 2)}" width="{num(width)}"'
        f' height="{num(height)}" rx="{num(height / 2)}" {attributes}/>'
    )


def _striped(one: Disc) -> Iterator[str]:
    """Write a pill in stripes from top to bottom, each cut off by the round sides."""
    radius = one.height / 2 - 0.6
    left, right = one.x - one.width / 2 + radius + 0.6, one.x + one.width / 2 - radius - 0.6
    share = 2 * radius / len(one.colours)
    for index, colour in enumerate(one.colours):
        above, below = -radius + index * share, -radius + (index + 1) * share
        reach_above = (radius * radius - above * above) ** 0.5 if index else 0.0
        is_last = index + 1 == len(one.colours)
        reach_below = 0.0 if is_last else (radius * radius - below * below) ** 0.5
        arc = f"A{num(radius)} {num(radius)} 0 0 1 "
        yield (
            f'<path d="M{num(left - reach_above)} {num(one.y + above)}'
            f"H{num(right + reach_above)}{arc}{num(right + reach_below)} {num(one.y + below)}"
            f'H{num(left - reach_below)}{arc}{num(left - reach_above)} {num(one.y + above)}z"'
            f' fill="{colour}"/>'
        )


def cross(x: float, y: float, reach: float, colour: str, width: float) -> str:
    """Write an X."""
    step = num(2 * reach)
    return (
        f'<path d="M{num(x - reach)} {num(y - reach)}l{step} {step}M{num(x + reach)}'
        f' {num(y - reach)}l-{step} {step}" stroke="{colour}" stroke-width="{num(width)}"/>'
    )


def tooltip(tip: str, tips: bool) -> str:
    """Write what the pointer shows."""
    return f"<title>{xml(tip)}</title>" if tips and tip else ""
