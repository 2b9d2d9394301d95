"""What happens in a run? The events that a probe receives, and how to attach one.

A probe is any callable that takes an `Event`. It is called in the thread of the run's loop, in the
order in which things happen, and should return soon: the run waits meanwhile. Several may be
attached at once. One that raises is logged and detached; the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from ._block import block
from ._observers import observing, probes_here

__all__ = [
    "Event",
    "EventKind",
    "Probe",
    "RunInfo",
    "StageInfo",
    "observe",
]

EventKind = Literal[
    "run_started",
    "pulled",
    "waiting",
    "batch_formed",
    "call_started",
    "attempt_failed",
    "retried",
    "call_ended",
    "ready",
    "emitted",
    "dead_lettered",
    "skipped",
    "dropped",
    "delivered",
    "draining",
    "stage_ended",
    "run_ended",
]
"""What can happen.

run_started     everything is linked up, nothing is pulled yet; the stage is the source
pulled          the source gave an item; `value` is the item. One that was read ahead, from a list
                for example, is told of when its call begins, when it waits, or when the source ends
waiting         an item waits at a stage; `reason` says for what: "slot"; "batch", for its batch to
                fill; "key", for the end of a call with an equal key; "rate". It may be told again
                with another reason
batch_formed    a batch was cut; `reason` says why: "full", it has `max_size` items; "weight", it
                weighs `max_weight`, or the next item would have been too much; "wait", it was due,
                and there was a slot; "window", open batches held as many items as the window
                allows; "flush", at the end of the input
call_started    a call of the stage's function begins, its attempt 1; told, as `retried` is, in the
                context in which the function is called. An item for which `weight` or `group_by`
                failed is told of as a call that fails, though none is made
attempt_failed  an attempt of a call ended with `error`; `reason` is "timed out" if it was ended by
                `timeout` or `total_timeout`; `worker` and `queued`, where it was made, if that was
                in an executor
retried         the next attempt of a call begins, for `items`; for a batch perhaps for a part of it
call_ended      a call is over, with all its attempts; `reason` is what became of it: "completed",
                "failed", "skipped", "dropped" or "cancelled" (of a split batch: of its last part);
                `worker` and `queued`, where the attempt was made that came through, if that was in
                an executor
ready           a stage has a result, `value`; it may be held, for order or for room downstream
emitted         a result leaves the stage, to what it feeds
dead_lettered   a function for dead letters has accepted items that are about to be skipped; they
                failed with `error`
skipped         items were given up by `skip_item` or `skip_batch`
dropped         items gave None, or were a rest below `min_size`; `reason`: "none" or "rest"
delivered       the consumer has got a result; the stage is the output
draining        `stream.drain` was called: nothing more is pulled; the stage is the source
stage_ended     a stage has given its last result; the source, too, is a stage that ends
run_ended       `reason` is "completed", "failed" (with `error`) or "closed"; `value` is the
                watermark; the stage is the output, and no event follows
"""


class StageInfo(NamedTuple):
    """What a stage is, before any run, and which stages it is joined to."""

    name: str
    kind: Literal["source", "single_task", "batch_task", "own", "operator", "output"]
    """The source and the output are stages, too. An `operator` is one of Rx; `own` is a subclass of
    BaseTask with its own `process`."""
    options: Mapping[str, Any] = MappingProxyType[str, Any]({})
    """The options that differ from the defaults, by the names that the decorators give them."""
    slots: int | None = None
    """How many calls may go on at once, in an executor those that wait there included; None: no
    limit of its own."""
    max_size: int | None = 1
    """Items in a full batch; None: its weight says when it is full."""
    overlaps: bool = False
    """Whether its calls can run at once, as far as is known: those of a plain `def` can't."""
    id: int = 0
    """What events name it by: its index in `run.stages`."""
    fed_by: tuple[int, ...] = ()
    """The ids of the stages whose results it gets; all of them are lower than its own."""
    feeds: tuple[int, ...] = ()
    """The ids of the stages that get its results."""


class RunInfo(NamedTuple):
    """What a run is; the same object in all of its events."""

    id: str
    """The `pipeline_id` of the run's context."""
    stages: tuple[StageInfo, ...]
    """The source, the stages and the output: each behind all that feed it."""
    ordered: bool
    source: Literal["iterable", "async iterable", "observable", "item"]
    total: int | None
    """Items that the source will give, if it has a length."""
    max_in_flight: int | None
    """The window of a segment, in items."""
    max_parallelism: int | None
    outlet: Literal["pulled", "pushed"]
    """`pulled` by `async for` or `collect`, or `pushed` to a subscriber."""

    @property
    def name(self) -> str:
        """The stages' names, joined as in the code, without the source and the output."""
        return " | ".join(stage.name for stage in self.stages[1:-1])


class Event(NamedTuple):
    """Something that happened in a run.

    Every value that moves through a run has a number of its own, unique in the run: `items` are
    the numbers of the values that the event is about. `inputs` are the numbers, from 0, of the
    source's items that those values come from, through batches and fan-out. The outputs of a batch
    come from all of its items; where it gives a list with one output for each item, each comes from
    that item. What a stage of one's own emits comes from the input that it got last, and what a
    foreign operator emits from the input during which it does; by a timer, from none. Probes should
    let go of `value` and `error` soon: they keep users' data alive.
    """

    kind: EventKind
    time: float
    """Seconds, of the event loop's clock."""
    run: RunInfo
    stage: int
    """The id of the stage that it happened in: `run.stages[stage]` says what that is."""
    items: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    call: int | None = None
    """The number of the call in its stage, from 0."""
    attempt: int = 0
    """The number of the attempt, from 1; 0 if it is about no attempt."""
    value: Any = None
    error: BaseException | None = None
    reason: str = ""
    worker: str = ""
    """Where the attempt was made that ends here, if that was in an executor and is known: the name
    of a thread, or "process 4711"."""
    queued: float = 0.0
    """Seconds from when that was handed to its executor until its worker began."""


Probe: TypeAlias = Callable[[Event], None]


@block
def observe(*probes: Probe) -> Generator[None]:
    """Attach `probes` to every run that begins within the block, inner runs included.

    Probes of enclosing blocks stay attached. A run begins when its stream is first read.

    Raises:
        TypeError: a probe can't be called.

    >>> import asyncio
    >>> from conveyor_rx import single_task
    >>> async def main():
    ...     kinds = []
    ...     with observe(lambda event: kinds.append(event.kind)):
    ...         await single_task(str)([1]).collect()
    ...     return kinds
    >>> asyncio.run(main())[:4]
    ['run_started', 'pulled', 'call_started', 'call_ended']
    """
    for probe in probes:
        if not callable(probe):
            raise TypeError(f"a probe must be callable with an Event, not {probe!r}")
    token = probes_here.set((*observing(), *probes))
    try:
        yield
    finally:
        probes_here.reset(token)
