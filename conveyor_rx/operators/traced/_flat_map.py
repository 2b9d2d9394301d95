"""Which call is which, and what becomes of it? The calls of a run that is observed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextvars import Context
from itertools import repeat
from typing import Any

from ..._calls import Call
from ..._inputs import Inputs, inputs_of_outputs
from ..._stats import Counters
from .._attempts import Attempts
from .._caller import Outcome, Part
from .._flat_map import FlatMap
from .._place import Place
from .._run import Run
from .._tracer import Trace, Tracer, merged
from ._line import TracedLine

__all__ = ["TracedFlatMap"]


class TracedFlatMap(FlatMap):
    """The calls of a task, each with a number."""

    line: TracedLine

    def __init__(
        self,
        run: Run,
        line: TracedLine,
        call: Call,
        limit: int | None,
        counters: Counters,
        counts_input: bool,
        tracer: Tracer,
        number: int,
    ) -> None:
        super().__init__(run, line, call, limit, counters, counts_input)
        self.tracer = tracer
        self.number = line.last_stage = number
        line.calls.append(self)
        self._shortcut = False
        self._goes_on = False  # a call is a task's
        self._numbers = 0
        self._open: dict[Place, Trace] = {}
        self._slow: set[Place] = set()  # whose calls take more than one step
        self._origins: dict[Place, Iterator[Trace]] = {}  # of the outputs of a batch

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or waits here."""
        return not self._open and self.counters.in_ == self.counters.settled

    def call_ended(self, place: Place, reason: str) -> None:
        """Tell the end of the call at `place`, if there is one."""
        self._slow.discard(place)
        call = self._open.pop(place, None)
        if call is not None:
            self.tracer.send("call_ended", self.number, call, reason=call.outcome or reason)

    # -- what is told

    def on_next(self, value: Place) -> None:
        super().on_next(value)
        if self._queue and self._queue[-1] is value:
            self.tracer.send("waiting", self.number, value.trace)

    def fail(
        self, place: Place, error: BaseException, size: int, *, attempt: int, inputs: Inputs = None
    ) -> None:
        call = self._open.get(place)
        if call is not None:
            if place not in self._slow:
                self._attempt_failed(call, error, attempt)
            call.outcome = "failed"
            self.call_ended(place, "failed")
        super().fail(place, error, size, attempt=attempt, inputs=inputs)

    def attempt_begins(self, part: Part, attempt: int) -> None:
        call = self._open.get(part.place)
        if call is None:
            return
        if attempt > 1 or part.size < part.place.weight:
            self.tracer.send("retried", self.number, _part_of(call, part), attempt=attempt)

    def attempt_gave(self, part: Part, result: Any) -> None:
        call = self._open.get(part.place)
        if call is not None:
            self._pair(part.place, call.parts[part.offset : part.offset + part.size], result)

    def emit(self, place: Place, value: Any, inputs: Inputs) -> None:
        whole = place.trace
        origin = next(self._origins.get(place, iter(())), None)
        if origin is not None:
            place.trace = Trace(origin.items, origin.inputs, whole.call)
        super().emit(place, value, inputs)
        place.trace = whole

    def attempt_failed(self, part: Part, error: BaseException, attempt: int) -> None:
        call = self._open.get(part.place)
        if call is not None:
            self._attempt_failed(_part_of(call, part), error, attempt)

    def settled(self, part: Part, outcome: Outcome) -> None:
        call = self._open.get(part.place)
        if call is not None:
            call.outcome = outcome
            self._given_up(_part_of(call, part), outcome)
        super().settled(part, outcome)

    # -- private

    def _attempt_failed(self, trace: Trace, error: BaseException, attempt: int) -> None:
        self.tracer.send("attempt_failed", self.number, trace, attempt=attempt, error=error)

    def _pair(self, place: Place, parts: Sequence[Trace], result: Any) -> None:
        """Note where the outputs of a batch come from: each from one item, if there are as many."""
        if not parts:
            return
        is_list = self.call.flatten and issubclass(type(result), list)
        each = is_list and list[Any].__len__(result) == len(parts)
        self._origins[place] = iter(parts) if each else repeat(merged(parts))

    def _given_up(self, trace: Trace, outcome: str) -> None:
        if outcome == "skipped":
            self.tracer.send("skipped", self.number, trace)
        elif outcome == "dropped":
            self.tracer.send("dropped", self.number, trace, reason="none")

    def _call_begins(self, place: Place) -> None:
        came = place.trace
        call = Trace(came.items, came.inputs, self._numbers, came.parts)
        self._numbers += 1
        self._open[place] = call
        place.trace = Trace(came.items, came.inputs, call.call)
        self.tracer.send("call_started", self.number, call, attempt=1)

    def _start_plain(self, place: Place, context: Context | None = None) -> None:
        context = self.run.context.copy()
        context.run(self._call_begins, place)  # a probe may set variables for the function
        super()._start_plain(place, context)

    def _tells_beginning(self, place: Place) -> bool:
        """Tell of the call that the current task is to make, if it does; return if all is well."""
        try:
            if not place.dead and not self.run.paused:
                self._call_begins(place)
        except BaseException as error:
            self.run.break_off(error)
            return False
        return True

    async def _call(self, place: Place) -> None:
        if self._tells_beginning(place):
            await super()._call(place)

    async def _generate(self, place: Place) -> None:
        if self._tells_beginning(place):
            await super()._generate(place)

    async def _go_on(self, place: Place, attempts: Attempts) -> None:
        if place in self._open:
            self._slow.add(place)
        await super()._go_on(place, attempts)

    def _skip(self, place: Place, error: BaseException) -> None:
        call = self._open.get(place)
        if call is not None:
            self._attempt_failed(call, error, 1)
            call.outcome = "skipped"
            self._given_up(call, "skipped")
            self.call_ended(place, "skipped")
        super()._skip(place, error)

    def _end(self, place: Place, size: int) -> None:
        if place in self._slow:
            self.call_ended(place, "cancelled")
        self._origins.pop(place, None)
        super()._end(place, size)
        self.line.look_for_ends()

    def _emit_all(self, place: Place, values: list[Any]) -> None:
        inputs_of = inputs_of_outputs(place.inputs, place.weight, values)
        for value, inputs in zip(values, inputs_of, strict=False):
            self.emit(place, value, inputs)

    def _settle(self, place: Place, result: Any) -> None:
        call = self._open.get(place)
        if call is not None:
            call.outcome = "completed" if result is not None else "dropped"
            self._given_up(call, call.outcome)
            self.call_ended(place, call.outcome)
            self._pair(place, call.parts, result)
        super()._settle(place, result)
        self._origins.pop(place, None)
        self.line.look_for_ends()


def _part_of(call: Trace, part: Part) -> Trace:
    """Give the trace of those values of a call that `part` is about."""
    if part.size == part.place.weight:
        return call
    trace = merged(call.parts[part.offset : part.offset + part.size])
    trace.call = call.call
    return trace
