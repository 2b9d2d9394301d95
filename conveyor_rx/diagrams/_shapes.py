"""Of which shapes is a diagram made? Plain data in pixels; y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ._colours import Role
from ._text_size import width_of

__all__ = [
    "Area",
    "Bar",
    "Box",
    "Capsule",
    "Disc",
    "Held",
    "Link",
    "Retry",
    "Ring",
    "Text",
    "Ticks",
    "Wait",
]

Look: TypeAlias = Literal["call", "batch", "failed", "cancelled"]
Sign: TypeAlias = Literal["result", "failed", "skipped", "dropped"]


@dataclass(slots=True)
class Text:
    """A line of text; `y` is that of its baseline."""

    x: float
    y: float
    text: str
    size: float = 11.0
    role: Role = "muted"
    colour: str = ""
    """A literal colour in place of that of the role."""
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    mono: bool = False
    tip: str = ""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what it may cover."""
        width = width_of(self.text, self.size, bold=self.bold, mono=self.mono)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - self.size * 0.78, left + width, self.y + self.size * 0.22


@dataclass(slots=True)
class Bar:
    """A call, or one attempt of it, or several short ones that are drawn as one."""

    x: float
    y: float
    width: float
    height: float
    colours: tuple[str, ...]
    """From top to bottom."""
    look: Look = "call"
    text: str = ""
    tip: str = ""
    calls: int = 1
    error: str = ""
    """What it failed with, if that has no room in it."""
    timed_out: bool = False
    """It ends where its time was over."""
    names_worker: bool = False
    """Its text says who has made it."""
    queued: float = 0.0
    """Pixels at its left in which it waited for its worker."""

    @property
    def head(self) -> float:
        """How far below the bar's upper edge that wait is drawn, which is thinner."""
        return round(self.height * 0.34, 1) if self.queued else 0.0


@dataclass(slots=True)
class Retry:
    """The wait between two attempts."""

    x1: float
    x2: float
    y: float


@dataclass(slots=True)
class Wait:
    """The wait of an item for its key or a rate, in the slot that it gets then."""

    x1: float
    x2: float
    y: float
    text: str = ""
    tip: str = ""


@dataclass(slots=True)
class Disc:
    """A marble, a pill if its text asks for it; `x` and `y` are its centre."""

    x: float
    y: float
    width: float
    height: float
    colours: tuple[str, ...]
    sign: Sign = "result"
    text: str = ""
    tip: str = ""
    has_letter: bool = False


@dataclass(slots=True)
class Ring:
    """A result that is ready and held."""

    x: float
    y: float
    radius: float
    colour: str
    tip: str = ""


@dataclass(slots=True)
class Held:
    """The dotted way of a result from its ring to where it leaves; `x2` alone if it doesn't."""

    x1: float
    y1: float
    x2: float
    to: tuple[float, float] | None
    colour: str


@dataclass(slots=True)
class Link:
    """The way of a value from one lane into the next."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    is_flow: bool
    """Into a call, by a curve with an arrow head; else straight and dotted."""


@dataclass(slots=True)
class Area:
    """A filled outline, of a number that goes up and down."""

    points: list[tuple[float, float]]
    role: Role
    tip: str = ""


@dataclass(slots=True)
class Ticks:
    """Short strokes of one colour, for results that are not drawn as marbles."""

    xs: list[float]
    y1: float
    y2: float
    colour: str
    """Literal, or a role with an @ before it."""


@dataclass(slots=True)
class Capsule:
    """What lies behind marbles of one instant, which stand below each other; x, y: its corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Box:
    """An operator that has no calls of its own."""

    x: float
    y: float
    width: float
    height: float
    text: Text
