"""Which results has the consumer got? Those that come to the end of a run may wait there."""

from __future__ import annotations

from collections import deque

from .trace import Trace
from .tracer import Tracer

__all__ = ["Deliveries"]


class Deliveries:
    """The results that have come to the end of the run, until the consumer has got them."""

    __slots__ = ("_at_once", "_came", "_tracer")

    def __init__(self, tracer: Tracer, *, at_once: bool) -> None:
        self._tracer = tracer
        self._at_once = at_once
        self._came: deque[Trace] = deque()

    def came(self, trace: Trace) -> None:
        """Take note of a result."""
        if self._at_once:
            self._tell(trace)
        else:
            self._came.append(trace)

    def tell(self) -> None:
        """Tell that the consumer has got the first of them."""
        self._tell(self._came.popleft())

    def _tell(self, trace: Trace) -> None:
        output = self._tracer.run.stages[-1].id
        self._tracer.send("delivered", output, trace.items, trace.inputs, trace.call)

    def tell_all(self) -> None:
        """Tell that the consumer has got all of them, and what comes from here on at once."""
        self._at_once = True
        while self._came:
            self.tell()
