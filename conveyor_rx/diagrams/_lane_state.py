"""What must be known of a lane while its run goes on, to make its records of events?"""

from __future__ import annotations

import heapq

from .._text.labels import label
from ..events import Event, RunInfo
from ._recording import Call, Lane, Marble

__all__ = ["LaneState", "lanes_of"]

DEFAULT_WINDOW = 1024


class LaneState:
    """What must be known of a lane while its run goes on."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.left = 0  # how many marbles did
        self.held: dict[int, Marble] = {}
        self.waiting: dict[int, float] = {}
        self.reasons: dict[int, tuple[str, float]] = {}  # what items wait for: a key or a rate
        self.lettered: set[int] = set()  # items whose dead letters were accepted
        self.cuts: dict[tuple[int, ...], str] = {}
        self.calls: dict[int, Call] = {}
        self._free: list[int] = []
        self._slots = 0

    def call_of(self, event: Event) -> Call | None:
        return None if event.call is None else self.calls.get(event.call)

    def take_slot(self) -> int:
        """Give the first free slot."""
        if self._free:
            return heapq.heappop(self._free)
        self._slots += 1
        return self._slots - 1

    def leave_slot(self, slot: int) -> None:
        heapq.heappush(self._free, slot)

    def wait(self, items: tuple[int, ...], reason: str, now: float, max_steps: int) -> None:
        """Take note that `items` wait, and for what."""
        is_held = reason in ("key", "rate")
        if is_held:
            self.lane.waits_for.add(reason)
        for item in items:
            if is_held:
                self.reasons[item] = reason, now
            else:
                self.reasons.pop(item, None)
            if item not in self.waiting:
                self.waiting[item] = now
                self.lane.waiters += 1
        self._note_depth(now, max_steps)

    def last_wait(self, items: tuple[int, ...]) -> tuple[str, float]:
        """Give the key or rate that `items` wait for, if they do, and from when on."""
        return self.reasons.get(items[0], ("", 0.0))

    def wait_no_more(self, items: tuple[int, ...], now: float, max_steps: int) -> None:
        """Take note that `items` wait no longer, if they did."""
        for item in items:
            self.reasons.pop(item, None)
            since = self.waiting.pop(item, None)
            if since is not None:
                self.lane.waited += now - since
        self._note_depth(now, max_steps)

    def _note_depth(self, now: float, max_steps: int) -> None:
        steps, depth = self.lane.queue, len(self.waiting)
        if steps and steps[-1][0] == now:
            steps[-1] = (now, depth)
        elif depth != (steps[-1][1] if steps else 0) and len(steps) < max_steps:
            steps.append((now, depth))

    def forget(self) -> None:
        """Let go of what was still open when the run ended."""
        self.held.clear()
        self.waiting.clear()
        self.reasons.clear()
        self.lettered.clear()
        self.cuts.clear()
        self.calls.clear()


def lanes_of(run: RunInfo) -> tuple[Lane, ...]:
    """Give the lanes of a run by the ids of its stages; nothing has happened in them yet."""
    order = "ordered" if run.ordered else "as completed"
    output = [f"{run.outlet} · {order}"]
    if run.max_parallelism is not None:
        output.append(f"max_parallelism={run.max_parallelism}")
    if run.max_in_flight != DEFAULT_WINDOW:
        output.append(f"max_in_flight={run.max_in_flight}")
    of_run = {"source": (run.source,), "output": tuple(output)}
    return tuple(
        Lane(
            label(stage.name, 60),
            stage.kind,
            of_run.get(stage.kind)
            or tuple(f"{label(name)}={label(value)}" for name, value in stage.options.items()),
            stage.slots,
            stage.max_size,
        )
        for stage in run.stages
    )
