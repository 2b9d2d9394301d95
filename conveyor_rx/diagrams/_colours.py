"""Which colours does a diagram have? Literal ones, alike in browsers and converters.

Where the reader's light or dark decides, the light ones stand in attributes, and a style sheet that
converters may ignore has the dark ones for classes.

Inputs have the same colours on light and dark; those of few inputs tell them apart (after Okabe
and Ito), those of many go from the first to the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

__all__ = [
    "DARK",
    "LIGHT",
    "NEUTRAL",
    "RAMP",
    "ROLES",
    "THEMES",
    "Choice",
    "InputColours",
    "Role",
    "Theme",
    "check_theme",
    "in_theme",
    "on",
]

NEUTRAL = "#7B8794"
"""Of what comes from no input that is known."""
APART = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8C6BB1",
    "#6B7F1F",
    "#B8336A",
    "#2E8FA3",
    "#A5672A",
    "#5B5EA6",
)
STOPS = ("#3B5BC4", "#1B8FB5", "#1FA37A", "#9FA32B", "#E08A39", "#D1495B", "#9B3FA0")
SHADES = 42

Role: TypeAlias = Literal[
    "ground", "panel", "grid", "ink", "muted", "line", "queue", "error", "box", "loss"
]


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of all that is not an input's."""

    ground: str
    panel: str
    """Behind a lane."""
    grid: str
    ink: str
    muted: str
    line: str
    """Of a lane's time line."""
    queue: str
    error: str
    box: str
    """Of an operator."""
    loss: str
    """Behind what failed."""


LIGHT = Theme(
    ground="#ffffff",
    panel="#f6f8fa",
    grid="#e6eaef",
    ink="#1d2733",
    muted="#5f6b79",
    line="#9aa7b5",
    queue="#bfc8d2",
    error="#c62828",
    box="#e4e9ef",
    loss="#fbe6e6",
)
DARK = Theme(
    ground="#11161d",
    panel="#171d26",
    grid="#262f3a",
    ink="#e8edf3",
    muted="#9fabb8",
    line="#5b6876",
    queue="#46515e",
    error="#ff7070",
    box="#2a3441",
    loss="#3d2226",
)
THEMES = {"light": LIGHT, "dark": DARK}
Choice: TypeAlias = Literal["auto", "light", "dark"]
"""`auto`: as the page around the picture is, or as its reader prefers."""
ROLES = Theme(**{field.name: f"@{field.name}" for field in fields(Theme)})
"""In place of colours: what is written with it is still to be put in a theme."""
_TAG = re.compile(r'<[a-z]+ [^<>]*="@[^<>]*>')
_ROLE = re.compile(r'(fill|stroke)="@([a-z]+)"')


def check_theme(theme: str) -> None:
    """Raise ValueError unless there is such a theme."""
    names = ("auto", *THEMES)
    if theme not in names:
        raise ValueError(f"theme must be one of {', '.join(names)}, not {theme!r}")


def in_theme(picture: str, theme: Choice) -> str:
    """Give the colours of `theme` to an SVG that was written with `ROLES`."""
    if theme != "auto":
        chosen = THEMES[theme]
        return _ROLE.sub(lambda found: f'{found[1]}="{getattr(chosen, found[2])}"', picture)
    used: set[tuple[str, str]] = set()

    def classed(tag: re.Match[str]) -> str:
        roles = _ROLE.findall(tag[0])
        used.update(roles)
        names = " ".join(f"cvrx-{kind}-{role}" for kind, role in roles)
        return _ROLE.sub(lambda found: f'{found[1]}="{getattr(LIGHT, found[2])}"', tag[0]).replace(
            " ", f' class="{names}" ', 1
        )

    picture = _TAG.sub(classed, picture)
    rules = "".join(
        f".cvrx-{kind}-{role}{{{kind}:{getattr(DARK, role)}}}" for kind, role in sorted(used)
    )
    head, end, body = picture.partition(">")
    return f"{head}{end}<style>@media (prefers-color-scheme:dark){{{rules}}}</style>{body}"


class InputColours:
    """From the number of an input to its colour."""

    def __init__(self, inputs: int, *, many: bool) -> None:
        self._last = max(inputs - 1, 1)
        self._many = many

    def __call__(self, number: int) -> str:
        if not self._many:
            return APART[number % len(APART)]
        return RAMP[min(number, self._last) * (SHADES - 1) // self._last]

    def of(self, inputs: tuple[int, ...], most: int) -> tuple[str, ...]:
        """Give the colours of something that comes from `inputs`, `most` of them, no run of one."""
        if not inputs:
            return (NEUTRAL,)
        if len(inputs) > most:
            inputs = tuple(inputs[index * len(inputs) // most] for index in range(most))
        found: list[str] = []
        for number in inputs:
            colour = self(number)
            if not found or found[-1] != colour:
                found.append(colour)
        return tuple(found)


def on(colour: str) -> str:
    """Give the colour of text on `colour`: white, or nearly black where it reads better."""
    return _TEXT.get(colour) or _text_on(colour)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _text_on(colour: str) -> str:
    """Choose by relative luminance, as WCAG 2 defines it; white is favoured a little."""

    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, _channels(colour))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if luminance < 0.27 else "#10161d"


def _ramp() -> tuple[str, ...]:
    """Go through `STOPS` in `SHADES` equal steps."""
    found: list[str] = []
    for index in range(SHADES):
        at = index * (len(STOPS) - 1) / (SHADES - 1)
        before = min(int(at), len(STOPS) - 2)
        mixed = (
            round(one + (other - one) * (at - before))
            for one, other in zip(
                _channels(STOPS[before]), _channels(STOPS[before + 1]), strict=True
            )
        )
        found.append("#" + "".join(f"{channel:02X}" for channel in mixed))
    return tuple(found)


RAMP = _ramp()
_TEXT = {colour: _text_on(colour) for colour in (*APART, *RAMP, NEUTRAL)}
