"""What does a run do now? Its calls that are in tasks, and for how long they have been seen."""

from __future__ import annotations

import weakref
from typing import NamedTuple

from .._engine.line.line import Line
from .._engine.run import Run
from .._inputs import numbers_of

__all__ = ["Lookout", "RunningCall"]


class RunningCall(NamedTuple):
    """A call of an async or generator function that has begun and not ended."""

    stage: str
    inputs: tuple[int, ...]
    """The numbers, from 0, of the source's items that it works on; () if they are not known."""
    seconds: float
    """For how long, at least: since `running()` first saw it."""


class Lookout:
    """Who looks at the calls of one run, again and again.

    A call pays nothing for it, not even the reading of a clock: its time begins when it is seen.
    """

    def __init__(self, run: weakref.ref[Run]) -> None:
        self._run = run
        self._seen: dict[tuple[int, str, tuple[int, ...]], float] = {}

    def look(self) -> tuple[RunningCall, ...]:
        """List what runs now, the most downstream first."""
        run = self._run()
        if run is None:
            return ()
        now = run.loop.time()
        calls = {
            (id(place.task), place.task.get_name(), numbers_of(place.inputs)): now
            for worker in reversed(run.workers)
            if isinstance(worker, Line)
            for place in worker.places()
            if place.task is not None
        }
        self._seen = {call: self._seen.get(call, now) for call in calls}
        return tuple(
            RunningCall(name, inputs, now - since)
            for (_, name, inputs), since in self._seen.items()
        )
