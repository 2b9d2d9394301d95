"""Which value is which, and who is told? The numbers of one run's values, and its probes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Literal

from ..events import SOURCE, Event, EventKind, Probe, RunInfo

__all__ = ["NOTHING", "Trace", "Tracer", "merged"]

_log = logging.getLogger("conveyor_rx")


class Trace:
    """Where a value that moves through the run comes from."""

    __slots__ = ("call", "inputs", "items", "outcome", "parts")

    def __init__(
        self,
        items: tuple[int, ...],
        inputs: tuple[int, ...],
        call: int | None = None,
        parts: Sequence[Trace] = (),
    ) -> None:
        self.items = items  # its number; of a batch the numbers of its values
        self.inputs = inputs  # the numbers of the source's items that it comes from
        self.call = call  # the call that made it, or that works on it
        self.parts = parts  # of a batch, one for each of its values
        self.outcome = ""  # of that call, as far as it is known


NOTHING = Trace((), ())


class Tracer:
    """What the traced operators (`_traced.py`) of one run share."""

    def __init__(self, probes: Sequence[Probe], time: Callable[[], float], run_id: str) -> None:
        self.run_id = run_id
        self.run: RunInfo | None = None  # once it has begun
        self.current = NOTHING  # of the value that is being handed on at this moment
        self.end: BaseException | Literal[True] | None = None  # the failure, True for completion
        self._probes = list(probes)
        self._time = time
        self._values = count()
        self._inputs = count()
        self._over = False

    def begin(self, run: RunInfo) -> None:
        """Tell the beginning of the run."""
        self.run = run
        self.send("run_started", SOURCE)

    def new_input(self) -> Trace:
        """Give an item of the source its number."""
        return Trace((next(self._values),), (next(self._inputs),))

    def new_value(self, origin: Trace) -> Trace:
        """Give a value that was made of `origin` its number."""
        return Trace((next(self._values),), origin.inputs, origin.call)

    def hand_on(self, trace: Trace, pass_on: Callable[[Any], None], value: Any) -> None:
        """Pass on a value, and say meanwhile that it is that of `trace`."""
        previous, self.current = self.current, trace
        try:
            pass_on(value)
        finally:
            self.current = previous

    def send(
        self,
        kind: EventKind,
        stage: int,
        trace: Trace = NOTHING,
        *,
        attempt: int = 0,
        value: Any = None,
        error: BaseException | None = None,
        reason: str = "",
    ) -> None:
        """Tell the probes; one that raises hears nothing more."""
        if self._over or self.run is None:
            return
        origin = trace.items, trace.inputs, trace.call
        event = Event(kind, self._time(), self.run, stage, *origin, attempt, value, error, reason)
        for probe in self._probes:
            try:
                probe(event)
            except Exception as raised:
                self._probes = [other for other in self._probes if other is not probe]
                where = traceback.extract_tb(raised.__traceback__)[-1]
                _log.error(
                    "a probe was detached: it raised %s in %s, line %s",
                    type(raised).__name__,
                    where.filename,
                    where.lineno,
                )

    def delivered(self, trace: Trace) -> None:
        """Tell that the consumer has got a result."""
        assert self.run is not None
        self.send("delivered", len(self.run.stages), trace)

    def finish(self) -> None:
        """Tell the end of the run, as it was noted in `end`; nothing is sent from here on."""
        if self.run is None:
            return
        error = None if self.end is True else self.end
        is_complete = self.end is True
        reason = "completed" if is_complete else "closed" if error is None else "failed"
        self.send("run_ended", len(self.run.stages), error=error, reason=reason)
        self._over, self.end = True, None


def merged(traces: Sequence[Trace]) -> Trace:
    """Give the trace of a batch."""
    items = tuple(item for trace in traces for item in trace.items)
    inputs = dict.fromkeys(number for trace in traces for number in trace.inputs)
    return Trace(items, tuple(inputs), parts=traces)
