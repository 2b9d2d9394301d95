"""Who gets the room in a window that no item takes? The calls that wait for it.

Items have it first, so that what is pulled ahead does not depend on who is faster (F2). So it is
shared out when nobody else is ready: by the worker that is most upstream of all.
"""

from __future__ import annotations

from ..run import Run

__all__ = ["Rest"]


class Rest:
    """A worker that lets the lines of one run share out the room that they have left."""

    bit = 0

    def __init__(self, run: Run) -> None:
        self._run = run

    def step(self) -> None:
        run = self._run
        lines, run.roomy = run.roomy, {}
        for line in sorted(lines, key=lambda line: line.bit, reverse=True):
            line.share_room()
