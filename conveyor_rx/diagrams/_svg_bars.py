"""How are calls and their attempts written as SVG?"""

from __future__ import annotations

from collections.abc import Iterator

from .._text.labels import xml
from ._bars import BAR_TEXT
from ._colours import Theme, on
from ._shapes import Bar, Retry, Wait
from ._svg_shapes import num, tooltip
from ._text_size import width_of

__all__ = ["bars", "retry", "wait"]


def bars(all_bars: list[Bar], theme: Theme, tips: bool) -> Iterator[str]:
    """Write calls; without tips those that are plain and of one colour as one path."""
    plain: dict[str, list[str]] = {}
    for one in all_bars:
        if tips or one.text or one.look != "call" or len(one.colours) != 1:
            yield from _bar(one, theme, tips)
            continue
        width, height = num(_inner(one)), num(one.height)
        path = f"M{num(one.x + one.queued)} {num(one.y)}h{width}v{height}h-{width}z"
        if one.queued:
            wait, thin = num(one.queued), num(one.height - 2 * one.head)
            path += f"M{num(one.x)} {num(one.y + one.head)}h{wait}v{thin}h-{wait}z"
        plain.setdefault(one.colours[0], []).append(path)
    for colour, paths in plain.items():
        yield f'<path d="{"".join(paths)}" fill="{colour}" fill-opacity=".88"/>'


def _inner(bar: Bar) -> float:
    """Give the width in which it runs, without the gap to the next bar."""
    width = bar.width - bar.queued
    return width - 1 if width > 4 else max(width - 0.3, 0.7)


def _bar(bar: Bar, theme: Theme, tips: bool) -> Iterator[str]:
    left = bar.x + bar.queued
    x, y, width, height = num(left), num(bar.y), _inner(bar), bar.height
    radius = num(min(4.0, height / 4, width / 3))
    frame = f'x="{x}" y="{y}" width="{num(width)}" height="{num(height)}" rx="{radius}"'
    title = tooltip(bar.tip, tips)
    yield "<g>"
    if bar.queued:
        thin = Bar(bar.x, bar.y + bar.head, bar.queued, height - 2 * bar.head, bar.colours)
        yield f"<g>{_stripes(thin, num(bar.x), bar.queued, 0.55)}{title}</g>"
    if bar.look == "failed":
        yield f'<rect {frame} fill="{theme.loss}"/>'
        if width > 9:
            yield _stripes(bar, x, 4.0, 1.0)
        yield (
            f'<rect {frame} fill="none" stroke="{theme.error}" stroke-width="1.1"'
            f' stroke-dasharray="3 2" pointer-events="all">{title}</rect>'
        )
    elif len(bar.colours) == 1 and bar.look != "batch":
        opacity = ".35" if bar.look == "cancelled" else ".88"
        yield f'<rect {frame} fill="{bar.colours[0]}" fill-opacity="{opacity}">{title}</rect>'
    else:
        yield _stripes(bar, x, width, 0.35 if bar.look == "cancelled" else 0.9)
        edge = theme.ink if bar.look == "batch" else "none"
        yield (
            f'<rect {frame} fill="none" stroke="{edge}" stroke-width="1.2"'
            f' pointer-events="all">{title}</rect>'
        )
    if bar.timed_out:
        end = f"M{num(left + width)} {num(bar.y - 1.5)}v{num(height + 3)}"
        yield f'<path d="{end}" stroke="{theme.error}" stroke-width="2.6"/>'
    if bar.text:
        yield _bar_text(bar, theme)
    yield "</g>"


def _bar_text(bar: Bar, theme: Theme) -> str:
    colour, plate, left = on(bar.colours[0]), "", bar.x + bar.queued
    if bar.look == "failed":
        colour = theme.error
    elif bar.look == "cancelled":
        colour = theme.muted
    elif len(bar.colours) > 1:  # no one colour can be read on all of its stripes
        colour = theme.ink
        width = width_of(bar.text, BAR_TEXT, bold=True) + 4
        plate = (
            f'<rect x="{num(left + 4)}" y="{num(bar.y + 2)}" width="{num(width)}"'
            f' height="{num(bar.height - 4)}" rx="3" fill="{theme.ground}" pointer-events="none"/>'
        )
    indent = 8.0 if bar.look == "failed" else 6.0
    return (
        f'{plate}<text x="{num(left + indent)}" y="{num(bar.y + bar.height / 2 + 3.4)}"'
        f' fill="{colour}" font-size="{num(BAR_TEXT)}" font-weight="600" pointer-events="none">'
        f"{xml(bar.text)}</text>"
    )


def _stripes(bar: Bar, x: str, width: float, opacity: float) -> str:
    """Write the colours from top to bottom; the outline that comes on top rounds the corners."""
    share = bar.height / len(bar.colours)
    return "".join(
        f'<rect x="{x}" y="{num(bar.y + index * share)}" width="{num(width)}"'
        f' height="{num(share + (0.2 if index + 1 < len(bar.colours) else 0))}" fill="{colour}"'
        f' fill-opacity="{opacity:g}"/>'
        for index, colour in enumerate(bar.colours)
    )


def wait(one: Wait, theme: Theme, tips: bool) -> str:
    """Write the wait of an item for its key or a rate, with what it is for if there is room."""
    middle, y, size = (one.x1 + one.x2) / 2, num(one.y), 9.0
    path, label = f"M{num(one.x1)} {y}H{num(one.x2)}", ""
    half = width_of(one.text, size) / 2 + 2
    if one.text and one.x2 - one.x1 >= 2 * half + 6:
        path = f"M{num(one.x1)} {y}H{num(middle - half)}M{num(middle + half)} {y}H{num(one.x2)}"
        label = (
            f'<text x="{num(middle)}" y="{num(one.y + 3)}" font-size="{num(size)}"'
            f' fill="{theme.muted}" text-anchor="middle">{xml(one.text)}</text>'
        )
    return (
        f'<g>{tooltip(one.tip, tips)}<path d="{path}M{num(one.x1)} {num(one.y - 3)}v6"'
        f' stroke="{theme.muted}" stroke-width="1.3" stroke-dasharray="4 2.5"/>{label}</g>'
    )


def retry(one: Retry, theme: Theme) -> str:
    """Write the wait between two attempts, with a turning arrow if there is room."""
    middle, y = (one.x1 + one.x2) / 2, num(one.y)
    if one.x2 - one.x1 < 18:
        path = f"M{num(one.x1)} {y}H{num(one.x2)}"
        arrow = ""
    else:
        path = f"M{num(one.x1)} {y}H{num(middle - 6)}M{num(middle + 6)} {y}H{num(one.x2)}"
        start = f"{num(middle + 2.4)} {num(one.y - 3.2)}"
        arrow = (
            f'<path d="M{start}A4 4 0 1 0 {num(middle + 4)} {y}" stroke="{theme.error}"'
            f' stroke-width="1.3"/>'
            f'<path d="M{num(middle + 0.6)} {num(one.y - 5.6)}l4.6 1.4-3.4 3.4z"'
            f' fill="{theme.error}"/>'
        )
    return (
        f'<path d="{path}" stroke="{theme.error}" stroke-width="1.5" stroke-dasharray="1.5 2.5"/>'
        f"{arrow}"
    )
