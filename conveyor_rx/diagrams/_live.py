"""How does a notebook show a run while it goes on? A display that a timer of the loop updates.

Drawing takes time from the run's own thread, so it takes at most a tenth of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from time import monotonic
from typing import Any

from ..events import Event, RunInfo

__all__ = ["Live", "notebook_display"]

_PAUSE = 0.1  # seconds between two pictures, at least
_SHARE = 10  # and at least this many times what drawing the last one took


class Live:
    """A probe that displays the first run that begins, and what becomes of it until it ends.

    In virtual time no timer is set, which would keep the clock going: there the events themselves
    lead to new pictures, in real time at most as often.
    """

    def __init__(self, draw: Callable[[], object], display: Callable[..., Any]) -> None:
        """Show what `draw` gives by `display`, as IPython's."""
        self._draw = draw
        self._display = display
        self._handle: Any = None
        self._run: RunInfo | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def __call__(self, event: Event) -> None:
        """Take note of `event`."""
        if self._run is None:
            self._run = event.run
            self._show()
            loop = asyncio.get_running_loop()
            if not hasattr(loop, "work_clock"):
                self._wait(loop)
        elif event.run is not self._run:
            return
        elif event.kind == "run_ended":
            if self._timer is not None:
                self._timer.cancel()
            self._show()
        elif self._timer is None and monotonic() >= self._due:
            self._show()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._due - monotonic(), self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._show()
        self._wait(loop)

    def _show(self) -> None:
        start = monotonic()
        picture = self._draw()
        if self._handle is None:
            self._handle = self._display(picture, display_id=True)
        else:
            self._handle.update(picture)
        end = monotonic()
        self._due = end + max(_PAUSE, _SHARE * (end - start))


def notebook_display() -> Callable[..., Any] | None:
    """Return IPython's `display` if its outputs can be updated; None outside of a notebook."""
    try:
        ipython: Any = import_module("IPython")
    except ImportError:
        return None
    shell = ipython.get_ipython()
    return ipython.display.display if getattr(shell, "kernel", None) is not None else None
