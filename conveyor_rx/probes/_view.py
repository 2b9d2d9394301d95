"""When is a progress view drawn? Ten times a second at most, by a timer of the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from threading import RLock
from time import monotonic
from typing import Any
from weakref import WeakSet

from rich.console import Group, RenderableType
from rich.text import Text

from ..events import Event
from ._counting import Counting
from ._format import FAINT
from ._one_line import one_line
from ._screens import Screen
from ._table import table

__all__ = ["View"]

_log = logging.getLogger("conveyor_rx")
_PERIOD = 0.1  # seconds between two drawings
_IDLE = 1.0  # seconds between them while nothing happens: the time and the rates go on
_SHOWN = 6  # pipelines at once


class View:
    """A probe that counts, and draws on `screen` while runs go on.

    The runs may be in loops of several threads. What goes wrong in drawing ends the view only.
    """

    def __init__(self, screen: Screen, *, in_one_line: bool) -> None:
        self._screen = screen
        self._in_one_line = in_one_line
        self._counting = Counting()
        self._lock = RLock()
        self._loops: WeakSet[asyncio.AbstractEventLoop] = WeakSet()  # that have a timer
        self._drawn = 0.0
        self._has_news = False
        self._closed = False

    def __call__(self, event: Event) -> None:
        with self._lock:
            if self._closed:
                return
            self._counting(event)
            self._has_news = True
            loop = asyncio.get_running_loop() if event.kind == "run_started" else None
            if loop is not None and loop not in self._loops:
                self._loops.add(loop)
                self._set_timer(loop)

    def close(self) -> None:
        """Draw how it ended, and leave the screen."""
        with self._lock:
            if not self._closed and self._counting.pipelines:
                self._draw(None)
            self._closed = True
            self._try(self._screen.close)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        # In a context of its own, so that it keeps nothing alive.
        loop.call_later(_PERIOD, self._tick, loop, monotonic(), context=Context())

    def _tick(self, loop: asyncio.AbstractEventLoop, begun: float) -> None:
        with self._lock:
            self._loops.discard(loop)
            if self._closed:
                return
            passed = monotonic() - self._drawn
            if passed >= (_PERIOD if self._has_news else _IDLE):
                self._draw(loop.time())
            # A virtual clock jumps from timer to timer: it would see this one again at once, and
            # for ever. Its runs are drawn at their end.
            is_virtual = monotonic() - begun < _PERIOD / 2
            if self._counting.active and not is_virtual:
                self._loops.add(loop)
                self._set_timer(loop)

    def _draw(self, now: float | None) -> None:
        self._has_news = False
        self._try(lambda: self._screen.show(self._picture(now)))
        self._drawn = monotonic()

    def _try(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except Exception as error:  # of the terminal; it must not fail the run
            self._closed = True
            _log.error("the progress view has ended: it raised %s", type(error).__name__)

    def _picture(self, now: float | None) -> RenderableType:
        """Draw the pipelines as they are at the loop's time `now`; without it, as they ended."""
        pipelines = self._counting.pipelines
        first = sorted(pipelines, key=lambda pipeline: not pipeline.active)[:_SHOWN]
        console = self._screen.console
        parts: list[RenderableType] = []
        for pipeline in pipelines:
            if any(pipeline is one for one in first):
                pipeline.expect()
                time = now if pipeline.active else None
                if self._in_one_line:
                    parts.append(one_line(pipeline, time, console))
                else:
                    rows = console.height // len(first) - 3
                    parts.append(table(pipeline, time, console, rows))
        if len(pipelines) > len(first):
            parts.append(Text(f"and {len(pipelines) - len(first)} more", FAINT))
        return Group(*parts)
