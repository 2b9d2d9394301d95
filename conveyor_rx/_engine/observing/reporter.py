"""What happens in one stage? Its calls, each with a number, and the batches that it cuts."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import Any

from ..._functions.elsewhere import Elsewhere, Ran
from ..._inputs import Inputs
from ..counters import Counters
from ..place import Place
from .segment import Segment
from .trace import Trace, Traces, trace_of
from .tracer import Tracer

__all__ = ["BatchReporter", "Reporter"]

_HERE = Ran("", 0.0)


class Reporter:
    """Tells what happens to the calls of one stage.

    At a place it notes the number of the call (`call`), and itself while that call goes on.
    """

    __slots__ = (
        "_ahead",
        "_calls",
        "_elsewhere",
        "_outcomes",
        "_ran",
        "_send",
        "_stage",
        "_state",
        "_tracer",
        "segment",
        "source",
    )

    def __init__(
        self,
        tracer: Tracer,
        stage: int,
        segment: Segment,
        counters: Counters,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.segment = segment
        self.source = 0  # the id of the one for which is read ahead, if this is done
        self._tracer = tracer
        self._send = tracer.send
        self._stage = stage
        self._state = segment.add(stage, counters)
        self._calls = 0
        self._outcomes: dict[Place, str] = {}  # of calls that take several steps, so far
        self._elsewhere = elsewhere  # who makes the calls, if not the engine
        self._ran: dict[Place, Ran] = {}  # of attempts that have ended, and are not told of yet
        self._ahead: deque[Place] = deque()  # what was read ahead, and is not told of yet

    # -- items that wait

    def waits(self, place: Place, reason: str = "slot") -> None:
        """Tell that an item waits for its call, and for what."""
        trace: Any = place.inputs
        self._send("waiting", self._stage, trace.items, trace.inputs, reason=reason)

    def read_ahead(self, places: Iterable[Place]) -> None:
        """Take note of items of the source that may be called at once.

        They are read from an iterator that runs nobody's code, so nobody can tell when. They count
        as pulled when their calls begin, when they wait for a slot, or when the source ends.
        """
        self._ahead.extend(places)

    def have_no_slot(self, queue: Collection[Place]) -> None:
        """Tell of the items that were read ahead that they wait: those in `queue`."""
        if self._ahead:
            self.source_ends()
            waiting = len(self._ahead) - len(queue)
            for number, place in enumerate(self._ahead):
                if number >= waiting and not place.dead:
                    self.waits(place)
            self._ahead.clear()

    def source_ends(self) -> None:
        """Tell that the items which were read ahead have been pulled."""
        for place in self._ahead:
            if type(place.inputs) is int and not place.dead:
                self._pulled(place)

    def _pulled(self, place: Place) -> None:
        number: Any = place.inputs
        trace = place.inputs = self._tracer.new_input(number)
        self._send("pulled", self.source, trace.items, trace.inputs, value=place.value)

    # -- calls

    def call_started(self, place: Place) -> None:
        """Tell that a call begins, in the context in which the function is to be called."""
        ahead = self._ahead
        if ahead:
            if ahead[0] is place:
                ahead.popleft()
            if type(place.inputs) is int:  # its task may have begun before that of an earlier item
                self._pulled(place)
        place.call = number = self._calls
        place.reporter = self
        self._calls = number + 1
        self._state.open += 1
        trace: Any = place.inputs
        self._send("call_started", self._stage, trace.items, trace.inputs, number, 1)

    def call_gave(self, place: Place, result: Any) -> None:
        """Tell the end of a call that has given its whole result at once."""
        if self._elsewhere is not None:
            self.has_answer(place)
        if place.reporter is None:
            return
        outcome = "completed"
        trace: Any = place.inputs
        items, inputs, call = trace.items, trace.inputs, place.call
        if result is None:
            outcome = "dropped"
            self._send("dropped", self._stage, items, inputs, call, reason="none")
        place.reporter = None
        self._state.open -= 1
        ran = self._ran.pop(place, _HERE) if self._ran else _HERE
        self._send("call_ended", self._stage, items, inputs, call, 0, None, None, outcome, *ran)

    def failed(self, place: Place) -> None:
        """Tell the end of a call that ends the run."""
        self._outcomes[place] = "failed"
        self.is_over(place)

    def is_over(self, place: Place) -> None:
        """Tell the end of the call for a place, if there is one that has not ended."""
        outcome = self._outcomes.pop(place, "cancelled")
        ran = self._ran.pop(place, _HERE)
        if getattr(place, "reporter", None) is not None:
            place.reporter = None
            self._state.open -= 1
            trace: Any = place.inputs
            about = trace.items, trace.inputs, place.call
            self._send("call_ended", self._stage, *about, 0, None, None, outcome, *ran)

    def has_answer(self, place: Place) -> None:
        """Take note of where a call was made; the current task has just got what became of it."""
        elsewhere = self._elsewhere
        if elsewhere is not None and (ran := elsewhere.last) is not None:
            elsewhere.last = None
            if getattr(place, "reporter", None) is not None:
                self._ran[place] = ran

    # -- calls that take several steps

    def attempt_begins(self, place: Place, inputs: Inputs, attempt: int) -> None:
        """Tell of another attempt, or of one for a part of a batch."""
        self._ran.pop(place, None)
        if attempt > 1 or inputs is not place.inputs:
            self._tell_part("retried", place, inputs, attempt=attempt)

    def attempt_failed(
        self, place: Place, inputs: Inputs, error: BaseException, attempt: int, *, timed_out: bool
    ) -> None:
        """Tell that an attempt for what is of `inputs` ended with `error`."""
        reason = "timed out" if timed_out else ""
        worker, queued = self._ran.pop(place, _HERE)
        self._tell_part(
            "attempt_failed",
            place,
            inputs,
            attempt=attempt,
            error=error,
            reason=reason,
            worker=worker,
            queued=queued,
        )

    def dead_lettered(self, place: Place, inputs: Inputs, error: BaseException) -> None:
        """Tell that the dead letters of the values of `inputs` were accepted."""
        self._tell_part("dead_lettered", place, inputs, error=error)

    def settled(self, place: Place, inputs: Inputs, outcome: str) -> None:
        """Take note of what became of the values of `inputs`, perhaps a part of a batch."""
        if getattr(place, "reporter", None) is None:
            return
        self._outcomes[place] = outcome
        if outcome == "skipped":
            self._tell_part("skipped", place, inputs)
        elif outcome == "dropped":
            self._tell_part("dropped", place, inputs, reason="none")

    def _tell_part(self, kind: Any, place: Place, inputs: Inputs, **what: Any) -> None:
        if getattr(place, "reporter", None) is not None:
            trace = trace_of(inputs)
            self._send(kind, self._stage, trace.items, trace.inputs, place.call, **what)

    # -- results

    def result(self, place: Place, *, leaves: bool) -> None:
        """Tell that a result stands at a place, and perhaps goes to the next stage at once."""
        call, send, stage = place.call, self._send, self._stage
        trace = place.inputs = self._tracer.new_value(place.inputs, call)
        items, inputs = trace.items, trace.inputs
        send("ready", stage, items, inputs, call, 0, place.value)
        if leaves:
            send("emitted", stage, items, inputs, call)

    def output(self, owner: Place, value: Any, inputs: Inputs) -> Trace:
        """Tell of one output of several that needs no place of its own."""
        trace = self._tracer.new_value(inputs, owner.call)
        call, items, inputs_of_all = owner.call, trace.items, trace.inputs
        self._send("ready", self._stage, items, inputs_of_all, call, 0, value)
        return trace


class BatchReporter:
    """Tells of the batches that a stage cuts, and of the items that wait to be in one."""

    __slots__ = ("_stage", "_tracer")

    def __init__(self, tracer: Tracer, stage: int) -> None:
        self._tracer = tracer
        self._stage = stage

    def waits(self, inputs: Inputs) -> None:
        """Tell that an item waits for its batch to fill."""
        trace = trace_of(inputs)
        about = trace.items, trace.inputs, trace.call
        self._tracer.send("waiting", self._stage, *about, reason="batch")

    def batch_formed(self, inputs: list[Inputs], reason: str) -> Traces:
        """Tell that a batch was cut, and why; return what its values come from."""
        traces = Traces(inputs)
        self._tracer.send("batch_formed", self._stage, traces.items, traces.inputs, reason=reason)
        return traces

    def dropped(self, inputs: list[Inputs]) -> None:
        """Tell that a rest was dropped which was too small for a batch."""
        traces = Traces(inputs)
        self._tracer.send("dropped", self._stage, traces.items, traces.inputs, reason="rest")
