"""How is a sign of the legend written as SVG? As the shape that it explains, but small."""

from __future__ import annotations

from collections.abc import Iterator

from ._colours import APART, RAMP, Theme
from ._shapes import Area, Bar, Capsule, Disc, Held, Look, Retry, Ring, Sign, Wait
from ._svg_bars import bars, retry, wait
from ._svg_shapes import DRAINED, WATERMARK, area, capsule, disc, held, letter, num, ring, text
from ._views import LegendEntry, LegendSign

__all__ = ["legend"]

BLUE, ORANGE, GREEN, PINK = APART[:4]
OUTLINES: dict[str, list[tuple[float, float]]] = {
    "calls": [(0, 7), (0, -6), (10, -6), (27, 7)],
    "queue": [(0, 5), (0, 0), (10, 0), (10, -5), (20, -5), (20, 1), (27, 1), (27, 5)],
}
_STROKES = {
    "ended": 'stroke-width="2.6"',
    "closed": 'stroke-width="2.6" stroke-dasharray="3 2.5"',
    "drained": DRAINED,
    "watermark": WATERMARK,
}


def legend(entry: LegendEntry, theme: Theme) -> Iterator[str]:
    """Write a sign, in the 28 pixels right of `entry.x`, and its meaning."""
    yield from _sign(entry, theme)
    yield text(entry.text, theme, tips=False)


def _sign(entry: LegendEntry, theme: Theme) -> Iterator[str]:
    x, y = entry.x, entry.y
    match entry.sign:
        case "call" | "batch" | "cancelled" | "retry" | "timed out" | "wait" | "queued" | "worker":
            yield from _of_calls(entry.sign, x, y, theme)
        case "result" | "result of several" | "failed" | "skipped" | "dropped":
            sign: Sign = "result" if entry.sign.startswith("result") else entry.sign  # pyright: ignore[reportAssignmentType]
            colours = (BLUE,) if entry.sign == "result" else (ORANGE, GREEN, PINK)
            yield from disc(
                Disc(x + 13, y, 26 if sign in ("failed", "skipped") else 18, 18, colours, sign),
                theme,
                False,
            )
        case "lettered":
            yield letter(x + 14, y, theme.error)
        case "calls" | "queue":
            points = [(x + dx, y + dy) for dx, dy in OUTLINES[entry.sign]]
            yield area(Area(points, "queue" if entry.sign == "queue" else "line"), theme, False)
        case "held":
            yield held(Held(x + 8, y, x + 27, None, GREEN))
            yield ring(Ring(x + 5, y, 3.6, GREEN), theme, False)
        case "capsule":
            yield from _column(x + 14, y, theme)
        case "ended" | "closed" | "drained" | "watermark":
            colour = theme.ink if entry.sign in ("ended", "watermark") else theme.muted
            line = f"M{num(x + 20)} {num(y - 9)}v18"
            yield f'<path d="{line}" stroke="{colour}" {_STROKES[entry.sign]}/>'
        case "ticks" | "ramp":
            yield from _ramp(entry.sign, x, y)


def _of_calls(sign: LegendSign, x: float, y: float, theme: Theme) -> Iterator[str]:
    match sign:
        case "call" | "batch" | "cancelled":
            look: Look = sign
            colours = (ORANGE, GREEN, PINK) if look == "batch" else (ORANGE,)
            yield from bars([Bar(x, y - 7, 27, 14, colours, look)], theme, False)
        case "retry":
            yield from bars([Bar(x, y - 7, 14, 14, (ORANGE,), "failed")], theme, False)
            yield retry(Retry(x + 14, x + 32, y), theme)
        case "timed out":
            bar = Bar(x, y - 6, 24, 12, (ORANGE,), "failed", timed_out=True)
            yield from bars([bar], theme, False)
        case "queued":
            bar = Bar(x, y - 7, 30, 14, (ORANGE,), queued=16)
            yield from bars([bar], theme, False)
        case "worker":
            bar = Bar(x, y - 7, 30, 14, (ORANGE,), text="@1")
            yield from bars([bar], theme, False)
        case _:
            yield wait(Wait(x, x + 28, y), theme, False)


def _ramp(sign: LegendSign, x: float, y: float) -> Iterator[str]:
    if sign == "ticks":
        for index, colour in enumerate(RAMP[::9]):
            line = f"M{num(x + 3 + index * 5)} {num(y - 5)}v10"
            yield f'<path d="{line}" stroke="{colour}" stroke-width="1.2"/>'
        return
    for index in range(14):
        stripe = f"M{num(x + index * 2)} {num(y - 5)}h2.2v10h-2.2z"
        yield f'<path d="{stripe}" fill="{RAMP[index * 3]}"/>'


def _column(x: float, y: float, theme: Theme) -> Iterator[str]:
    yield capsule(Capsule(x - 6, y - 10, 12, 20), theme)
    for dy, colour in ((-4.2, BLUE), (4.2, ORANGE)):
        yield from disc(Disc(x, y + dy, 8, 8, (colour,)), theme, False)
