"""Which value has which number, and who is told? The values of one run, and its probes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Literal, cast

from ..._inputs import Inputs
from ...events import Event, EventKind, Probe, RunInfo
from .trace import Trace, trace_of

__all__ = ["Tracer"]

_log = logging.getLogger("conveyor_rx")
_new: Callable[..., Event] = cast("Any", tuple).__new__  # that of `Event` takes twice as long


class Tracer:
    """What the reporters of one run share."""

    __slots__ = (
        "_end",
        "_has_begun",
        "_probes",
        "_time",
        "_told",
        "_values",
        "is_telling",
        "run",
        "run_id",
    )

    run: RunInfo  # once it has begun

    def __init__(self, probes: Sequence[Probe], time: Callable[[], float], run_id: str) -> None:
        self.run_id = run_id
        self._end: BaseException | Literal[True] | None = None  # True for completion
        self._probes = list(probes)
        self._told: list[Probe] = []  # none before the run begins, and after its end
        self._time = time
        self._values = count()
        self._has_begun = False
        self.is_telling = False  # a probe is called

    def begin(self, run: RunInfo) -> None:
        """Tell the beginning of the run."""
        self.run = run
        self._told, self._has_begun = self._probes, True
        self.send("run_started", run.stages[0].id)

    def new_input(self, number: int) -> Trace:
        """Give an item of the source, of which it has a number there, its own number."""
        return Trace((next(self._values),), (number,))

    def new_value(self, origin: Inputs, call: int | None) -> Trace:
        """Give a value that was made of `origin`, perhaps by a call, its number."""
        if type(origin) is not Trace:
            origin = trace_of(origin)
        return Trace((next(self._values),), origin.inputs, call)

    def send(
        self,
        kind: EventKind,
        stage: int,
        items: tuple[int, ...] = (),
        inputs: tuple[int, ...] = (),
        call: int | None = None,
        attempt: int = 0,
        value: Any = None,
        error: BaseException | None = None,
        reason: str = "",
        worker: str = "",
        queued: float = 0.0,
    ) -> None:
        """Tell the probes; one that raises hears nothing more."""
        told = self._told
        if not told:
            return
        event = _new(
            Event,
            (
                kind,
                self._time(),
                self.run,
                stage,
                items,
                inputs,
                call,
                attempt,
                value,
                error,
                reason,
                worker,
                queued,
            ),
        )
        self.is_telling = True
        for probe in told:
            try:
                probe(event)
            except Exception as raised:
                self._detach(probe, raised)
        self.is_telling = False

    def drains(self) -> None:
        """Tell that nothing more is pulled from here on."""
        if self._has_begun:
            self.send("draining", self.run.stages[0].id)

    def note_end(self, error: BaseException | None) -> None:
        """Note how the run ends, before it does: with `error`, or complete."""
        if error is not None or self._end is None:
            self._end = True if error is None else error

    @property
    def is_complete(self) -> bool:
        """Whether the run ends without a failure, as far as was noted."""
        return self._end is True

    def finish(self, watermark: int) -> None:
        """Tell the end of the run, as it was noted; nothing is sent from here on."""
        end, self._end = self._end, None
        if self._has_begun:
            is_complete = end is True
            error = None if is_complete else end
            reason = "completed" if is_complete else "closed" if error is None else "failed"
            output = self.run.stages[-1].id
            self.send("run_ended", output, value=watermark, error=error, reason=reason)
        self._told = []

    def _detach(self, probe: Probe, raised: Exception) -> None:
        self._told = [other for other in self._told if other is not probe]
        where = traceback.extract_tb(raised.__traceback__)[-1]
        _log.error(
            "a probe was detached: it raised %s in %s, line %s",
            type(raised).__name__,
            where.filename,
            where.lineno,
        )
