"""Which colours do the kinds of stages have? Told apart by colour-blind eyes, too."""

from __future__ import annotations

from ._cards import CardKind

__all__ = ["ARROW", "DARK", "FILL", "INK", "MUTED", "STRIPES"]

FILL = "#f6f8fa"
"""Of the boxes: all texts stand on it, so that they read alike on light and on dark pages."""
INK = "#1d2733"
MUTED = "#566270"
DARK = {FILL: "#171d26", INK: "#e8edf3", MUTED: "#9fabb8"}
"""What takes the place of these for a reader who prefers dark; the classes are named after them."""
ARROW = "#7d8896"
"""Seen on white as well as on black."""
STRIPES: dict[CardKind, str] = {
    "port": "#7d8896",
    "single_task": "#0072B2",
    "batch_task": "#E69F00",
    "own": "#009E73",
    "operator": "#CC79A7",
    "rest": "#7d8896",
}
