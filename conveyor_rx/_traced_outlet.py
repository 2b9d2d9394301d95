"""How does the end of a run tell what the consumer gets? As the plain outlet, with events."""

from __future__ import annotations

from collections import deque
from typing import Any

from reactivex import abc

from ._push import Push
from ._reader import Reader
from .operators._run import UNBOUNDED, Run
from .operators._tracer import Trace, Tracer

__all__ = ["new_push", "new_reader"]


def new_reader(run: Run) -> Reader:
    """Make the outlet of a run that is pulled."""
    return Reader(run) if run.tracer is None else _TracedReader(run, run.tracer)


def new_push(run: Run, observer: abc.ObserverBase[Any]) -> Push:
    """Make the outlet of a run that pushes to `observer`."""
    return Push(run, observer) if run.tracer is None else _TracedPush(run, observer, run.tracer)


class _TracedReader(Reader):
    def __init__(self, run: Run, tracer: Tracer) -> None:
        super().__init__(run)
        self._tracer = tracer
        self._traces: deque[Trace] = deque()  # of what is in the buffer

    def on_next(self, value: Any) -> None:
        self._traces.append(self._tracer.current)
        if self.limit == UNBOUNDED:
            self._tracer.delivered(self._traces.popleft())
        super().on_next(value)

    def on_error(self, error: BaseException) -> None:
        self._tracer.end = error
        super().on_error(error)

    def on_completed(self) -> None:
        if self._tracer.end is None:
            self._tracer.end = True
        super().on_completed()

    async def collect(self) -> list[Any]:
        while self._traces:
            self._tracer.delivered(self._traces.popleft())
        return await super().collect()

    def _take(self) -> Any:
        self._tracer.delivered(self._traces.popleft())
        return super()._take()


class _TracedPush(Push):
    def __init__(self, run: Run, observer: abc.ObserverBase[Any], tracer: Tracer) -> None:
        super().__init__(run, observer)
        self._tracer = tracer

    def on_next(self, value: Any) -> None:
        self._tracer.delivered(self._tracer.current)
        super().on_next(value)

    def on_error(self, error: BaseException) -> None:
        self._tracer.end = error
        super().on_error(error)

    def on_completed(self) -> None:
        self._tracer.end = True
        super().on_completed()
