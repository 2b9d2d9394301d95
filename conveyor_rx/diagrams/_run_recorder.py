"""What does each event change in the recording of its run?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, get_args

from .._text.labels import label
from ..events import Event, EventKind
from ._bounds import Bounds
from ._lane_state import LaneState, lanes_of
from ._recording import Attempt, Call, Loss, LossKind, Marble, Recording
from ._workers import enter

__all__ = ["RunRecorder"]

MAX_ERRORS = 100
"""Types of exceptions that are counted in a lane."""


class RunRecorder:
    """Makes `recording` of the events of one run."""

    def __init__(
        self, first: Event, label_of: Callable[[Any], str], max_items: int, shows_labels: bool
    ) -> None:
        run = first.run
        self.recording = Recording(
            name=run.name or "source",
            lanes=lanes_of(run),
            ordered=run.ordered,
            total=run.total,
            shows_labels=shows_labels,
        )
        self._start = first.time
        self._label_of = label_of
        self._max_items = max_items
        bounds = Bounds(self.recording, max_items)
        self._max_records = bounds.max_records
        self._keeps, self._goes_on = bounds.keeps, bounds.goes_on
        self._stages = [LaneState(lane) for lane in self.recording.lanes]  # by their ids
        self._output = self._stages[-1]
        self._last = run.stages[-1].fed_by

    def take(self, event: Event, kind: EventKind) -> None:
        """Take note of `event`, which is of `kind`."""
        recording = self.recording
        now = event.time - self._start
        if now > recording.now:
            recording.now = now
        else:
            now = recording.now
        step = _STEPS.get(kind)
        if step is not None:
            step(self, event, self._stages[event.stage], now)

    def come_to(self, time: float) -> None:
        """Let the run have come to `time`, of its loop's clock."""
        self.recording.now = max(time - self._start, self.recording.now)

    # -- items

    def pulled(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.pulled += 1
        self.ready(event, lane, now)
        self.emitted(event, lane, now)

    def ready(self, event: Event, lane: LaneState, now: float) -> None:
        record, item, inputs = lane.lane, event.items[0], event.inputs
        record.results += 1
        marbles = record.marbles
        is_kept = self._keeps(inputs, marbles, now)
        text = self._label_of(event.value) if is_kept else ""
        marble = lane.held[item] = Marble(item, inputs, text, now, None, event.call)
        if is_kept:
            marbles.append(marble)

    def emitted(self, event: Event, lane: LaneState, now: float) -> None:
        marble = lane.held.pop(event.items[0], None)
        if marble is None:
            return
        self._leaves(marble, lane, now)
        if event.stage in self._last:
            output = self._output
            output.lane.results += 1
            waits = output.held[marble.item] = Marble(marble.item, marble.inputs, marble.label, now)
            marbles = output.lane.marbles
            if self._keeps(marble.inputs, marbles, now):
                marbles.append(waits)

    def delivered(self, event: Event, lane: LaneState, now: float) -> None:
        recording = self.recording
        recording.delivered += 1
        if recording.first_result is None:
            recording.first_result = now
        recording.last_result = now
        marble = lane.held.pop(event.items[0], None)
        if marble is not None:
            self._leaves(marble, lane, now)

    def _leaves(self, marble: Marble, state: LaneState, now: float) -> None:
        lane = state.lane
        marble.left, marble.rank = now, state.left
        state.left += 1
        if now > marble.ready:
            lane.held += now - marble.ready
            lane.holds += 1
        inputs = marble.inputs
        if inputs and inputs[0] < self._max_items:  # as `_goes_on` does, in line for speed
            self.recording.last_detail = now
        else:
            self._goes_on(inputs, now)

    # -- calls

    def waiting(self, event: Event, lane: LaneState, now: float) -> None:
        lane.wait(event.items, event.reason, now, self._max_records)

    def batch_formed(self, event: Event, lane: LaneState, now: float) -> None:
        lane.cuts[event.items] = event.reason

    def call_started(self, event: Event, lane: LaneState, now: float) -> None:
        assert event.call is not None
        record, items, inputs, calls = lane.lane, event.items, event.inputs, lane.calls
        cut = lane.cuts.pop(items, "") if lane.cuts else ""
        attempts = [Attempt(1, items, now)]
        waits_for, since = lane.last_wait(items) if lane.reasons else ("", 0.0)
        slot = lane.take_slot()
        call = Call(event.call, items, inputs, slot, now, None, "", cut, waits_for, since, attempts)
        calls[event.call] = call
        if lane.waiting:
            lane.wait_no_more(items, now, self._max_records)
        record.called += 1
        if len(calls) > record.most_at_once:
            record.most_at_once = len(calls)
        if record.first_call is None:
            record.first_call = now
        if self._keeps(inputs, record.calls, now):
            record.calls.append(call)

    def attempt_failed(self, event: Event, lane: LaneState, now: float) -> None:
        name, errors = label(type(event.error).__name__), lane.lane.errors
        if name in errors or len(errors) < MAX_ERRORS:
            errors[name] = errors.get(name, 0) + 1
        call = lane.call_of(event)
        if call is not None and call.attempts[-1].end is None:
            attempt = call.attempts[-1]
            attempt.error, attempt.timed_out = name, event.reason == "timed out"
            self._ends(attempt, event, lane, now)

    def retried(self, event: Event, lane: LaneState, now: float) -> None:
        if event.attempt > 1:
            self.recording.retries += 1
            lane.lane.retries += 1
        else:
            self.recording.parts += 1
        call = lane.call_of(event)
        if call is None:
            return
        if call.attempts[-1].end is None:  # a part of a batch came through, this is the next
            call.attempts[-1].end = now
        if len(call.attempts) < self._max_records:
            call.attempts.append(Attempt(event.attempt, event.items, now))

    def call_ended(self, event: Event, lane: LaneState, now: float) -> None:
        call = lane.call_of(event)
        if call is None:
            return
        call.end, call.outcome = now, event.reason
        attempt = call.attempts[-1]
        if attempt.end is None:
            self._ends(attempt, event, lane, now)
        if call.outcome == "failed":
            self.recording.failed += len(call.items)
            self._lose(event, lane, now, "failed")
        del lane.calls[call.number]
        lane.leave_slot(call.slot)
        record = lane.lane
        if record.slots == 1:  # sequential: it keeps its slot between its attempts
            record.busy += now - call.start
        else:
            tried = ((attempt.end or now) - attempt.start for attempt in call.attempts)
            record.busy += math.fsum(tried)
        record.last_call = now
        self._goes_on(call.inputs, now)

    def _ends(self, attempt: Attempt, event: Event, lane: LaneState, now: float) -> None:
        attempt.end = now
        if event.worker:
            attempt.worker = worker = label(event.worker, 40)
            attempt.queued = queued = min(event.queued, now - attempt.start)
            enter(worker, self.recording.workers)
            lane.lane.workers.made(worker, attempt.start + queued, now, queued)

    def dead_lettered(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.dead_lettered += len(event.items)
        lane.lettered.update(event.items)

    def skipped(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.skipped += len(event.items)
        self._lose(event, lane, now, "skipped")
        lane.lettered.difference_update(event.items)

    def dropped(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.dropped += len(event.items)
        lane.wait_no_more(event.items, now, self._max_records)
        self._lose(event, lane, now, "rest" if event.reason == "rest" else "none")

    def _lose(self, event: Event, lane: LaneState, now: float, kind: LossKind) -> None:
        if not self._keeps(event.inputs, lane.lane.losses, now):
            return
        letter = lane.lettered.issuperset(event.items) if lane.lettered else False
        loss = Loss(kind, now, event.items, event.inputs, event.call, "", letter)
        call = lane.call_of(event)
        if kind in ("failed", "skipped") and call is not None:
            loss.error = call.attempts[-1].error
        lane.lane.losses.append(loss)

    # -- ends

    def draining(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.drained = now

    def stage_ended(self, event: Event, lane: LaneState, now: float) -> None:
        lane.lane.ended = now

    def run_ended(self, event: Event, lane: LaneState, now: float) -> None:
        recording = self.recording
        recording.ended, recording.outcome = now, event.reason
        recording.watermark = event.value
        if event.error is not None:
            name = recording.failure_type = label(type(event.error).__name__)
            recording.failure = f"{name}: {_message(event.error)}".rstrip(": ")
        for state in self._stages:
            state.forget()


_STEPS: dict[EventKind, Callable[[RunRecorder, Event, LaneState, float], None]] = {
    kind: getattr(RunRecorder, kind) for kind in get_args(EventKind) if hasattr(RunRecorder, kind)
}
"""Each kind has the method of its name."""


def _message(error: BaseException) -> str:
    try:
        return label(str(error), 60)
    except Exception:  # a __str__ of the user's that raises
        return ""
