"""Recordings of runs that never were: whatever may be recorded, for pictures to be drawn of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from conveyor_rx._text.labels import label
from conveyor_rx.diagrams._recording import (
    Attempt,
    Call,
    Lane,
    LaneKind,
    Loss,
    LossKind,
    Marble,
    Recording,
)

__all__ = ["recordings"]

KINDS: tuple[LaneKind, ...] = ("single_task", "batch_task", "own", "operator")
LOSSES: tuple[LossKind, ...] = ("failed", "skipped", "none", "rest")
ERRORS = ("", "", "TimeoutError", "E", "AnExceptionWithAVeryLongNameThatHasRoomNowhereError")
SPANS = (0.0, 1e-6, 0.3, 1.0, 90.0, 200_000.0)
WORKERS = ("process 1", "", "a-thread-with-a-name-that-is-as-long-as-it-gets", "日本語の名前")
NAMES = ("fetch", "a_stage_with_a_name_that_is_as_long_as_it_gets", "日本語の名前が続く", "·")


class _Lanes:
    """Makes lanes, with numbers for their values."""

    def __init__(self, draw: Any, span: float) -> None:
        self._draw = draw
        self._span = span
        self._items = 0
        # A few instants at which much happens, and any others.
        shares = draw(st.lists(st.floats(0, 1), min_size=1, max_size=3))
        self._shares = st.sampled_from([*shares, 0.0, 1.0]) | st.floats(0, 1)

    def instant(self) -> float:
        return self._draw(self._shares) * self._span

    def lane(self, name: str, kind: LaneKind) -> Lane:
        draw = self._draw
        lane = Lane(name, kind, draw(st.sampled_from([(), ("concurrency_limit=3",)])))
        many = draw(st.sampled_from([0, 1, 4, 25, 90]))
        for number in range(many):
            self._items += 1
            ready, left = sorted((self.instant(), self.instant()))
            inputs = tuple(range(number, number + draw(st.integers(0, 3))))
            text = label(draw(st.sampled_from([number, "m" * 40, "", "日本語の名前が続く"])))
            leaves = draw(st.booleans()) or draw(st.booleans())
            lane.marbles.append(
                Marble(self._items, inputs, text, ready, left if leaves else None, None, number)
            )
        lane.marbles.sort(key=lambda marble: marble.ready)
        for number in range(draw(st.sampled_from([0, 2, 11, 16, 40]))):
            kind_of_loss = draw(st.sampled_from(LOSSES))
            loss = Loss(kind_of_loss, self.instant(), (number,), (number,))
            loss.has_letter = kind_of_loss == "skipped" and draw(st.booleans())
            lane.losses.append(loss)
        if kind in ("single_task", "batch_task"):
            self._add_calls(lane)
        if draw(st.booleans()):
            lane.ended = self.instant()
        lane.results = len(lane.marbles)
        return lane

    def _add_calls(self, lane: Lane) -> None:
        draw = self._draw
        times = [sorted((self.instant(), self.instant())) for _ in range(draw(st.integers(0, 40)))]
        if draw(st.booleans()):  # they take no time
            times = [[begin, begin] for begin, _ in times]
        free: list[float] = []
        workers = draw(st.sampled_from([(), (), WORKERS]))
        for number, (begin, end) in enumerate(sorted(times)):
            slot = next((slot for slot, since in enumerate(free) if since <= begin), len(free))
            free[slot : slot + 1] = [end]
            items = tuple(range(number, number + draw(st.integers(1, 4))))
            call = Call(number, items, items, slot, begin, end, "completed", "full")
            call.waits_for = draw(st.sampled_from(["", "key", "rate"]))
            call.waited_from = begin * draw(st.sampled_from([0.0, 0.5, 1.0]))
            cuts = sorted(begin + (end - begin) * part for part in draw(_PARTS))
            for index, at in enumerate([begin, *cuts]):
                stop = cuts[index] if index < len(cuts) else end
                attempt = Attempt(index + 1, items, at, stop, draw(st.sampled_from(ERRORS)))
                attempt.timed_out = attempt.error == "TimeoutError"
                if workers:
                    attempt.worker = draw(st.sampled_from(workers))
                    attempt.queued = (stop - at) * draw(st.sampled_from([0.0, 0.5, 1.0]))
                    lane.workers.made(attempt.worker, at, stop, attempt.queued)
                call.attempts.append(attempt)
            lane.calls.append(call)
            lane.queue.append((begin, draw(st.integers(0, 9))))
            lane.called += 1
        if lane.calls:
            lane.first_call, lane.last_call = lane.calls[0].start, self._span
            lane.most_at_once, lane.busy = len(free), self._span / 2
            lane.errors = {error: 3 for error in ERRORS if error}


_PARTS = st.sampled_from([(), (), (0.5,), (0.0, 0.0, 1.0), (0.01, 0.02, 0.9)])


@st.composite
def recordings(draw: Any) -> Recording:
    """Give anything that a recorder may hold."""
    span = draw(st.sampled_from(SPANS))
    make = _Lanes(draw, span)
    stages = [
        make.lane(draw(st.sampled_from(NAMES)), draw(st.sampled_from(KINDS)))
        for _ in range(draw(st.sampled_from([0, 1, 2, 5, 14])))
    ]
    lanes = make.lane("source", "source"), *stages, make.lane("output", "output")
    recording = Recording("a | b", lanes, now=span, shows_labels=draw(st.booleans()))
    recording.pulled = recording.kept = len(lanes[0].marbles)
    recording.workers = {name: number for number, name in enumerate(WORKERS, 1) if name}
    if draw(st.booleans()):
        recording.ended = span
        recording.outcome = draw(st.sampled_from(["completed", "failed", "closed"]))
        recording.failure_type = recording.failure = "ValueError" * 20
        recording.watermark = draw(st.integers(0, recording.pulled))
    if draw(st.booleans()):
        recording.drained = draw(st.floats(0, 1)) * span
    return recording
