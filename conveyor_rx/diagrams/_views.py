"""What does a laid out diagram consist of? Lanes of shapes, and a legend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ._shapes import (
    Area,
    Bar,
    Box,
    Capsule,
    Disc,
    Held,
    Link,
    Retry,
    Ring,
    Text,
    Ticks,
    Wait,
)

__all__ = ["LaneView", "LegendEntry", "LegendSign", "Picture"]

LegendSign: TypeAlias = Literal[
    "result",
    "result of several",
    "call",
    "calls",
    "batch",
    "cancelled",
    "queue",
    "held",
    "wait",
    "queued",
    "worker",
    "retry",
    "timed out",
    "failed",
    "skipped",
    "lettered",
    "dropped",
    "ended",
    "closed",
    "drained",
    "watermark",
    "capsule",
    "ticks",
    "ramp",
]


@dataclass(slots=True)
class LaneView:
    """One lane, all in the picture's coordinates."""

    top: float
    height: float
    line_y: float
    line_from: float
    line_to: float
    end: Literal["", "ended", "failed", "closed"] = ""
    end_x: float = 0.0
    has_arrow: bool = False
    texts: list[Text] = field(default_factory=list[Text])
    areas: list[Area] = field(default_factory=list[Area])
    boxes: list[Box] = field(default_factory=list[Box])
    bars: list[Bar] = field(default_factory=list[Bar])
    retries: list[Retry] = field(default_factory=list[Retry])
    waits: list[Wait] = field(default_factory=list[Wait])
    capsules: list[Capsule] = field(default_factory=list[Capsule])
    ticks: list[Ticks] = field(default_factory=list[Ticks])
    held: list[Held] = field(default_factory=list[Held])
    rings: list[Ring] = field(default_factory=list[Ring])
    discs: list[Disc] = field(default_factory=list[Disc])


@dataclass(slots=True)
class LegendEntry:
    """A sign and what it means."""

    sign: LegendSign
    x: float
    y: float
    text: Text


@dataclass(slots=True)
class Picture:
    """A whole diagram."""

    width: float
    height: float
    title: str
    summary: str
    texts: list[Text]
    grid: list[float]
    """Where the vertical lines of the time axis stand, from `grid_top` to `grid_bottom`."""
    grid_top: float
    grid_bottom: float
    lanes: list[LaneView]
    links: list[Link]
    legend: list[LegendEntry]
    drained: float | None = None
    """Where the line stands behind which nothing more is pulled."""
    watermark: Text | None = None
    """How many items were settled at the end, at the instant when the last of them was pulled."""
    settled: float | None = None
    """Where a line stands behind the last of them, if no other was pulled at that instant."""
    live: Text | None = None
    """The instant that a run has come to, if it goes on; centred on its line."""
