"""Which signs does a text diagram have to explain?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from ..._text.columns import columns, cut
from .._recording import Recording
from .._words import counted
from .._workers import names_of

__all__ = ["Sign", "notes_of"]

Sign: TypeAlias = Literal[
    "letters",
    "no label",
    "several",
    "call",
    "batch",
    "failed attempt",
    "timed out",
    "cancelled",
    "queue",
    "held call",
    "worker",
    "held",
    "group",
    "shortened",
    "dropped",
    "skipped",
    "failed",
    "end",
    "failed end",
    "closed",
    "drained",
    "watermark",
    "sparks",
]

_MEANINGS: dict[Sign, str] = {
    "letters": "a…z inputs 10 to 33, without o and x",
    "no label": "0 from input 0, if labels have no room",
    "several": "<01> from inputs 0 and 1",
    "call": "0━━ call with input 0",
    "batch": "[01━] batch of 0 and 1",
    "failed attempt": "━x failed attempt",
    "timed out": "━T its time was over",
    "cancelled": "━/ cancelled",
    "queue": "3╌╌ three wait",
    "held call": "~~ waits for its key or a rate",
    "worker": "0╌╌@1━ waiting for worker, then at worker 1",
    "held": "o··0 ready, held until 0 left",
    "group": "(0123) at one time",
    "shortened": "(0…9) at one time, first and last",
    "dropped": "∅0 dropped",
    "skipped": "x0 skipped",
    "failed": "X0 failed",
    "end": "| end",
    "failed end": "X end with an error",
    "closed": "/ closed",
    "drained": "D drained",
    "watermark": "W all before is settled",
    "sparks": "▂▅█ how many at a time, up to ≤n",
}


def notes_of(recording: Recording, signs: Collection[Sign], width: int) -> list[str]:
    """Explain `signs`, and say what is left out, in lines of at most `width` columns."""
    notes = [meaning for sign, meaning in _MEANINGS.items() if sign in signs]
    if "worker" in signs:
        notes.append(names_of(recording.workers))
    if recording.is_cut:
        items = counted(recording.pulled, "item")
        notes.append(f"{items}, drawn are the first {recording.kept:,}; the numbers count all")
    lines: list[str] = []
    for note in notes:
        if lines and columns(lines[-1]) + 3 + columns(note) <= width:
            lines[-1] += "   " + note
        else:
            lines.append(cut(note, width))
    return lines
