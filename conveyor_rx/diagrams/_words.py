"""What do the texts of a diagram say?"""

from __future__ import annotations

from collections.abc import Iterable

from ._axis import duration
from ._colours import Role
from ._recording import Attempt, Call, Lane, Loss, Marble, Recording
from ._thinning import Detail
from ._watermark import tells_watermark

__all__ = [
    "attempt_tip",
    "counted",
    "figures",
    "inputs_name",
    "loss_tip",
    "marble_tip",
    "notes",
    "queue_tip",
    "summary",
    "wait_tip",
]


NEXT_TO_NOTHING = 1000
MAX_ERRORS = 2
"""Types that are named beside a lane."""


def inputs_name(inputs: Iterable[int]) -> str:
    """Name what comes from `inputs`: 3, or 0–2, or 0+4, or "5 in" where they have gaps."""
    numbers = sorted(set(inputs))
    if not numbers:
        return "·"
    first, last = numbers[0], numbers[-1]
    if first == last:
        return str(first)
    if last - first + 1 == len(numbers):
        return f"{first}–{last}"
    return f"{first}+{last}" if len(numbers) == 2 else f"{len(numbers)} in"


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 call, 2 calls, 1,000 calls."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}"


def summary(recording: Recording) -> str:
    """Tell in one line what came in and out, and how it ended."""
    parts = [f"{recording.pulled:,} in", f"{recording.delivered:,} out"]
    for number, what in (
        (recording.failed, "failed"),
        (recording.skipped, "skipped"),
        (recording.dropped, "dropped"),
    ):
        if number:
            parts.append(f"{number:,} {what}")
    if recording.dead_lettered:
        parts.append(counted(recording.dead_lettered, "dead letter"))
    if recording.retries:
        parts.append(counted(recording.retries, "retry"))
    if recording.parts:
        parts.append(f"{counted(recording.parts, 'part')} of batches tried")
    if recording.first_result is not None:
        parts.append(f"first result after {duration(recording.first_result)}")
    if recording.drained is not None:
        parts.append(f"drained after {duration(recording.drained)}")
    if tells_watermark(recording):
        parts.append(f"watermark {recording.watermark:,}")
    if recording.ended is None:
        parts.append(f"running for {duration(recording.now)}")
    elif recording.outcome == "failed":
        parts.append(f"failed after {duration(recording.ended)} with {recording.failure}")
    elif recording.outcome == "closed":
        parts.append(f"closed after {duration(recording.ended)}")
    else:
        parts.append(f"all after {duration(recording.ended)}")
    return " · ".join(parts)


def notes(recording: Recording, detail: Detail) -> list[str]:
    """Say what the picture leaves out."""
    found: list[str] = []
    if recording.is_cut:
        found.append(
            f"{counted(recording.pulled, 'item')}: recorded in detail are the first"
            f" {recording.kept:,}; the numbers count all"
        )
    shown = len(recording.source.marbles)
    if detail.every > 1:
        every = f"every {detail.every:,}{_ordinal(detail.every)}"
        found.append(
            f"{counted(shown, 'item')}: {every} is a marble with its arrows, the others are ticks"
        )
    elif detail.every_of_lane:
        found.append("where results are many, some are marbles and the others ticks")
    left_out = len(recording.lanes) - len(detail.lanes)
    if left_out:
        found.append(f"{counted(left_out, 'stage')} of {len(recording.stages):,} not shown")
    return found


def figures(lane: Lane, span: float) -> list[tuple[str, Role]]:
    """Sum a stage up in a few short lines; what is next to nothing in `span` is left out."""
    lines: list[str] = []
    if lane.called:
        busy = _busy(lane)
        if busy:
            lines.append(busy)
        lines += _errors(lane)
        retries = f", {counted(lane.retries, 'retry')}" if lane.retries else ""
        lines.append(counted(lane.called, "call") + retries)
    least = span / NEXT_TO_NOTHING
    if lane.waiters and lane.waited > lane.waiters * least:
        why = f" ({', '.join(sorted(lane.waits_for))})" if lane.waits_for else ""
        lines.append(f"mean wait {duration(lane.waited / lane.waiters)}{why}")
    made = lane.workers
    if made.attempts and made.queued > made.attempts * least:
        lines.append(f"worker wait {duration(made.queued / made.attempts)}")
    if lane.holds and lane.held > lane.holds * least:
        lines.append(f"mean hold {duration(lane.held / lane.holds)}")
    failures = _errors(lane)
    return [(line, "error" if line in failures else "muted") for line in lines]


def _errors(lane: Lane) -> list[str]:
    """Name the types of exceptions that attempts failed with, the most frequent first."""
    named = sorted(lane.errors.items(), key=lambda one: -one[1])
    lines = [f"{count:,} × {name}" for name, count in named[:MAX_ERRORS]]
    left_out = len(named) - MAX_ERRORS
    return [*lines, counted(left_out, "other error")] if left_out > 0 else lines


def _busy(lane: Lane) -> str:
    """Give the share of the slots' time, from the first call to the end of the last, in calls.

    Where workers make them it is the share of the workers' time.
    """
    if lane.first_call is None or lane.last_call is None:
        return ""
    span = lane.last_call - lane.first_call
    if span <= 0:
        return ""
    if workers := len(lane.workers.until):
        share = min(lane.workers.busy / (workers * span), 1.0)
        return f"{share:.0%} of {counted(workers, 'worker')} busy"
    if lane.slots is None:
        return (
            f"{lane.busy / span:.1f} calls at once"
            if lane.most_at_once > 1
            else (f"{lane.busy / span:.0%} busy")
        )
    share = min(lane.busy / (lane.slots * span), 1.0)
    return f"{share:.0%} of {counted(lane.slots, 'slot')} busy"


def attempt_tip(lane: Lane, call: Call, attempt: Attempt, end: float) -> str:
    """Describe one attempt."""
    parts = [f"{lane.name}, call {call.number}, input {inputs_name(call.inputs)}"]
    if len(call.items) > 1:
        parts.append(f"{len(attempt.items)} of {counted(len(call.items), 'item')}")
    if len(call.attempts) > 1:
        parts.append(f"attempt {attempt.number}")
    if call.cut:
        parts.append(f"batch of {len(call.items)}, cut as {call.cut}")
    took = duration(end - attempt.start)
    how = attempt.error or call.outcome or "running"
    if attempt.timed_out:
        how += ", its time was over"
    if attempt.worker:
        took += f", of which {duration(attempt.queued)} in wait for {attempt.worker}"
    return f"{', '.join(parts)}: {took}, {how} (from {duration(attempt.start)})"


def wait_tip(lane: Lane, call: Call) -> str:
    """Describe the wait of an item for its key or a rate."""
    took = duration(call.start - call.waited_from)
    return f"{lane.name}, input {inputs_name(call.inputs)}: waited {took} for its {call.waits_for}"


def marble_tip(marble: Marble) -> str:
    """Describe a result."""
    text = f"{marble.label} from input {inputs_name(marble.inputs)}, ready at "
    text += duration(marble.ready)
    if marble.left is not None and marble.left > marble.ready:
        text += f", held until {duration(marble.left)}"
    return text


def loss_tip(loss: Loss) -> str:
    """Describe what became of an item that gave no result."""
    what = {
        "failed": "failed the run",
        "skipped": "skipped",
        "none": "dropped: None was returned",
        "rest": "dropped: the rest was smaller than min_size",
    }[loss.kind]
    error = f" with {loss.error}" if loss.error else ""
    letter = ", its dead letter accepted" if loss.has_letter else ""
    return f"input {inputs_name(loss.inputs)} {what}{error} at {duration(loss.time)}{letter}"


def queue_tip(lane: Lane) -> str:
    """Describe the queue in front of a stage."""
    most = max((depth for _, depth in lane.queue), default=0)
    return f"{counted(lane.waiters, 'item')} waited in front of {lane.name}, {most:,} at once"


def _ordinal(number: int) -> str:
    return "nd" if number == 2 else "th"
