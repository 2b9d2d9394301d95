"""What does a stage of one's own get and give? Its `process` in a run that is observed."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..._stats import Counters
from .._process import Process, Processor
from .._run import Run
from .._tracer import NOTHING, Trace, Tracer
from ._taps import tell_emission

__all__ = ["TracedProcess"]


class TracedProcess(Process):
    """A stage of one's own: what it gives comes from what it fetched last."""

    def __init__(
        self, run: Run, processor: Processor, counters: Counters, tracer: Tracer, number: int
    ) -> None:
        super().__init__(run, processor, counters)
        self._tracer = tracer
        self._number = number
        self._traces: deque[Trace] = deque()
        self._last = NOTHING

    def on_next(self, value: Any) -> None:
        self._traces.append(self._tracer.current)
        super().on_next(value)

    async def fetch(self) -> Any:
        item = await super().fetch()
        self._last = self._traces.popleft()
        return item

    def put_out(self, value: Any) -> None:
        if value is None:
            super().put_out(value)
            return
        trace = tell_emission(self._tracer, self._number, self._last, value)
        self._tracer.hand_on(trace, super().put_out, value)
