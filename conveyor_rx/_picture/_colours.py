"""Which colours do the kinds of stages have? Told apart by colour-blind eyes, too."""

from __future__ import annotations

from ._cards import CardKind

__all__ = ["ARROW", "FILL", "INK", "MUTED", "STRIPES"]

FILL = "#f6f8fa"
"""Of the boxes: all texts stand on it, so that they read alike on light and on dark pages."""
INK = "#1d2733"
MUTED = "#566270"
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
