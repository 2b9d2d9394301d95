"""What does each event change in the recording of its run?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._labels import label
from ..events import SOURCE, Event
from ._lane_state import LaneState, lanes_of
from ._recording import Attempt, Call, Loss, LossKind, Marble, Recording

__all__ = ["RunRecorder"]

RECORDS_AN_ITEM = 4
"""How many records of a kind a lane may keep for each of `max_items`: for fan-out and retries."""

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
        self._max_records = max_items * RECORDS_AN_ITEM
        self._stages = [LaneState(lane) for lane in self.recording.lanes]

    def __call__(self, event: Event) -> None:
        """Take note of `event`."""
        recording = self.recording
        now = recording.now = max(event.time - self._start, recording.now)
        step = getattr(self, event.kind, None)  # each kind has the method of its name
        if step is not None:
            step(event, self._stages[event.stage - SOURCE], now)

    def come_to(self, time: float) -> None:
        """Let the run have come to `time`, of its loop's clock."""
        self.recording.now = max(time - self._start, self.recording.now)

    # -- items

    def pulled(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.pulled += 1
        self.ready(event, lane, now)
        self.emitted(event, lane, now)

    def ready(self, event: Event, lane: LaneState, now: float) -> None:
        lane.lane.results += 1
        marble = Marble(event.items[0], event.inputs, "", now, None, event.call)
        if self._keeps(event, lane.lane.marbles, now):
            marble.label = self._label_of(event.value)
            lane.lane.marbles.append(marble)
        lane.held[marble.item] = marble

    def emitted(self, event: Event, lane: LaneState, now: float) -> None:
        marble = lane.held.pop(event.items[0], None)
        if marble is None:
            return
        self._leaves(marble, lane, now)
        if lane is self._stages[-2]:
            output = self._stages[-1]
            output.lane.results += 1
            waits = Marble(marble.item, marble.inputs, marble.label, now)
            if self._keeps(event, output.lane.marbles, now):
                output.lane.marbles.append(waits)
            output.held[waits.item] = waits

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
        self._touch(marble.inputs, now)

    # -- the queue

    def waiting(self, event: Event, lane: LaneState, now: float) -> None:
        for item in event.items:
            if item not in lane.waiting:
                lane.waiting[item] = now
                lane.lane.waiters += 1
        self._depth(lane, now)

    def _wait_no_more(self, event: Event, lane: LaneState, now: float) -> None:
        for item in event.items:
            since = lane.waiting.pop(item, None)
            if since is not None:
                lane.lane.waited += now - since
        self._depth(lane, now)

    def _depth(self, lane: LaneState, now: float) -> None:
        steps, depth = lane.lane.queue, len(lane.waiting)
        if steps and steps[-1][0] == now:
            steps[-1] = (now, depth)
        elif depth != (steps[-1][1] if steps else 0) and len(steps) < self._max_records:
            steps.append((now, depth))

    def batch_formed(self, event: Event, lane: LaneState, now: float) -> None:
        lane.cuts[event.items] = event.reason

    # -- calls

    def call_started(self, event: Event, lane: LaneState, now: float) -> None:
        assert event.call is not None
        self._wait_no_more(event, lane, now)
        call = Call(event.call, event.items, event.inputs, lane.take_slot(), now)
        call.cut = lane.cuts.pop(event.items, "")
        call.attempts.append(Attempt(1, event.items, now))
        lane.calls[call.number] = call
        lane.lane.called += 1
        lane.lane.most_at_once = max(lane.lane.most_at_once, len(lane.calls))
        if lane.lane.first_call is None:
            lane.lane.first_call = now
        if self._keeps(event, lane.lane.calls, now):
            lane.lane.calls.append(call)

    def attempt_failed(self, event: Event, lane: LaneState, now: float) -> None:
        name, errors = label(type(event.error).__name__), lane.lane.errors
        if name in errors or len(errors) < MAX_ERRORS:
            errors[name] = errors.get(name, 0) + 1
        call = lane.call_of(event)
        if call is not None and call.attempts[-1].end is None:
            call.attempts[-1].end = now
            call.attempts[-1].error = name

    def retried(self, event: Event, lane: LaneState, now: float) -> None:
        if event.attempt > 1:
            self.recording.retries += 1
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
        if call.attempts[-1].end is None:
            call.attempts[-1].end = now
        if event.reason == "failed":
            self.recording.failed += len(call.items)
            self._lose(event, lane, now, "failed")
        del lane.calls[call.number]
        lane.leave_slot(call.slot)
        lane.lane.busy += now - call.start
        lane.lane.last_call = now
        self._touch(call.inputs, now)

    def skipped(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.skipped += len(event.items)
        self._lose(event, lane, now, "skipped")

    def dropped(self, event: Event, lane: LaneState, now: float) -> None:
        self.recording.dropped += len(event.items)
        self._wait_no_more(event, lane, now)
        self._lose(event, lane, now, "rest" if event.reason == "rest" else "none")

    def _lose(self, event: Event, lane: LaneState, now: float, kind: LossKind) -> None:
        if not self._keeps(event, lane.lane.losses, now):
            return
        loss = Loss(kind, now, event.items, event.inputs, event.call)
        call = lane.call_of(event)
        if kind in ("failed", "skipped") and call is not None:
            loss.error = call.attempts[-1].error
        lane.lane.losses.append(loss)

    # -- ends

    def stage_ended(self, event: Event, lane: LaneState, now: float) -> None:
        lane.lane.ended = now

    def run_ended(self, event: Event, lane: LaneState, now: float) -> None:
        recording = self.recording
        recording.ended, recording.outcome = now, event.reason
        if event.error is not None:
            name = recording.failure_type = label(type(event.error).__name__)
            recording.failure = f"{name}: {_message(event.error)}".rstrip(": ")
        for state in self._stages:
            state.forget()

    def _keeps(self, event: Event, records: list[Any], now: float) -> bool:
        """Say whether details of `event` are kept, as another of `records`."""
        if len(records) < self._max_records and self._touch(event.inputs, now):
            return True
        self.recording.is_cut = True
        return False

    def _touch(self, inputs: tuple[int, ...], now: float) -> bool:
        """Say whether what comes from `inputs` has details; if so, they last until now at least."""
        recording = self.recording
        if inputs:
            first = last = inputs[0]
            if len(inputs) > 1:
                first, last = min(inputs), max(inputs)
            if first >= self._max_items:
                return False
            if last >= recording.kept:
                recording.kept = min(last + 1, self._max_items)
        recording.last_detail = now
        return True


def _message(error: BaseException) -> str:
    try:
        return label(str(error), 60)
    except Exception:  # a __str__ of the user's that raises
        return ""
