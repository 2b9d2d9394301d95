"""Whose calls are these, and how are they made? The parts of a stage, as they see each other.

A stage is one operator: `Admission` says which call may begin, its `Launch` makes it, and `FlatMap`
passes on what it gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from reactivex import abc

from ..._functions.calls import Call
from ..._inputs import Inputs
from ..counters import Counters
from ..line.line import Line
from ..line.rest import Waiter
from ..place import Place
from ..run import Run

if TYPE_CHECKING:
    from ..observing.reporter import Reporter
    from .dead_letters import Losses
    from .permits import Permits

__all__ = ["Caller", "Launch", "Outcome", "Part", "Stepping"]

Outcome = Literal["completed", "dropped", "skipped"]


class Part:
    """The items of a call that one attempt is about: all of them, or those of a half of a batch.

    `offset` is that of its first item in the batch.
    """

    __slots__ = ("item", "offset", "place", "size")

    def __init__(self, place: Place, item: Any, size: int, offset: int) -> None:
        self.place = place
        self.item = item
        self.size = size
        self.offset = offset

    @property
    def inputs(self) -> Inputs:
        """What of the source it is about."""
        inputs, weight = self.place.inputs, self.place.weight
        if self.size == weight or inputs is None or isinstance(inputs, int):
            return inputs
        return inputs[self.offset : self.offset + self.size]

    def ones(self) -> Iterator[Part]:
        """Give the items of a batch, one by one."""
        for number, item in enumerate(cast("Sequence[Any]", self.item)):
            yield Part(self.place, item, 1, self.offset + number)

    def halves(self) -> list[Part]:
        """Give the halves of a batch, the first one last."""
        place, size, offset = self.place, self.size, self.offset
        half = size // 2
        items = cast("Sequence[Any]", self.item)
        second = Part(place, items[half:], size - half, offset + half)
        return [second, Part(place, items[:half], half, offset)]


class Launch:
    """How the calls of a stage are made: one object, which serves one stage in one run.

    It is given the stage each time: if it held it, the two would be a cycle.
    """

    __slots__ = ()

    is_late = False
    """Whether a call may have its slot, and no task yet."""

    def start(self, stage: Caller, place: Place) -> None:
        """Make the call for `place`, as a slot is free."""
        raise NotImplementedError

    def purge(self, stage: Caller) -> None:
        """Let go of the calls whose places are dead."""

    def cut(self, stage: Caller) -> None:
        """Begin nothing more."""


class Stepping(Protocol):
    """The plain generators of a stage."""

    active: deque[Any]
    """Those that go on at the next turn."""

    def begin(
        self, stage: Caller, place: Place, generator: Generator[Any], context: Context
    ) -> None:
        """Go on with a call that has given a generator, at the next turn."""

    def step(self, stage: Caller) -> None:
        """Let the first of them go on."""

    def found_room(self, stage: Caller, steps: Any) -> None:
        """Let a call go on that was parked, when the items from upstream have had their turn."""

    def abandon(self, stage: Caller, steps: Any) -> None:
        """Close the generator of a call whose place is gone, at the loop's next turn."""

    def resume(self, stage: Caller, waiter: Waiter) -> bool:
        """Let a call go on that waited for room, if it is one of a generator; tell whether."""
        ...

    def share_room(self, stage: Caller) -> None:
        """Let those go on that have been woken, as soon as there are slots."""

    def purge(self, stage: Caller) -> None:
        """Let go of those whose places are dead."""


class Caller:
    """One stage in one run, as its calls see it."""

    run: Run
    line: Line
    call: Call
    function: Callable[[Any], Any]
    counters: Counters
    reporter: Reporter | None  # who is told what happens, in an observed run
    name: str  # of its tasks, too
    bit: int
    out: abc.ObserverBase[Any]
    launch: Launch
    stepping: Stepping | None  # if it has had a plain generator
    permits: Permits | None  # if attempts need more than a slot
    is_sequential: bool  # a call keeps its slot until it has settled: the next one follows it
    losses: Losses | None  # what is to be done with items that are skipped, if there is anything

    # -- which call may begin: `admission.py`

    queue: deque[Place]  # that wait for a slot, or for their turn
    resuming: deque[Waiter]  # calls that wait to go on
    stock: int  # the bit of a source that can wait until the queue is empty
    admitted: Any  # what has a slot, and no task yet: nothing, where a task begins at once

    def share_room(self) -> None:
        """Let the generators go on that have been woken, as soon as there are slots."""

    def has_turn(self, has_suspended: bool) -> bool:
        """Tell whether a call may take a new slot before what waits for a turn downstream."""
        raise NotImplementedError

    def take_slot(self) -> bool:
        """Take a slot, if there is one, in a run without a cap."""
        raise NotImplementedError

    def free_slot(self) -> None:
        """Give back the slot of a call."""

    def take_admitted(self, has_slot: bool) -> Place:
        """Take the first of `admitted`, which has a slot of its own."""
        raise NotImplementedError

    def begin_call(self, place: Place) -> None:
        """Take note that the call for `place` has a slot, and goes on until `end_call`."""

    def end_call(self, place: Place, size: int) -> None:
        """Free the slot, and count `size` items as running no more."""

    def take_back(self, place: Place) -> None:
        """Undo the start of a call that is unwanted, or is not to begin yet."""

    def parks(self) -> None:
        """Give back what a call does not hold while it waits: see `parking.py`."""

    def unparks(self) -> None:
        """Take that again, whatever the limits say: the call goes on."""

    def may_unpark(self) -> bool:
        """Do so if nobody else could have it; tell whether."""
        raise NotImplementedError

    # -- what becomes of its result: `flat_map.py`

    plain: type | None  # of a result that was one output, and is looked for first
    plains: dict[int, type]  # such types, by their ids: a class may refuse to be hashed

    def takes_steps(self, result: Any, items: int) -> bool:
        """Tell whether the `result` for so many items is to be awaited, or to be taken apart."""
        raise NotImplementedError

    def settle(self, place: Place, result: Any) -> None:
        """Take the result of a call that went well at once."""

    def emit(self, place: Place, value: Any, inputs: Inputs) -> None:
        """Pass on one output of several, which comes from `inputs`."""

    def emit_one(self, place: Place, result: Any, inputs: Inputs) -> None:
        """Pass on a result that is one output."""

    def leaves(self, place: Place, value: Any) -> bool:
        """Tell whether an output of `place` needs no place in the line."""
        raise NotImplementedError

    def let_out(self, place: Place, value: Any) -> None:
        """Pass on an output that needs no place."""

    def settled(self, part: Part, outcome: Outcome) -> None:
        """Count the items of `part`: it is known what becomes of them."""

    def completed(self, place: Place) -> None:
        """Take note that all outputs of a call have been passed on."""

    def fail(
        self,
        place: Place,
        error: BaseException,
        size: int,
        *,
        attempt: int,
        inputs: Inputs = None,
        why: str = "",
    ) -> None:
        """End the run at `place` with `error`, a failure of `inputs` (None: all of the place).

        `why` is what the note says beside the task, the inputs and the attempt.
        """

    def attempt_failed(
        self, place: Place, inputs: Inputs, error: BaseException, attempt: int
    ) -> None:
        """Take note that an attempt for what is of `inputs` ended with `error`."""

    def skips(self, error: BaseException, size: int, inputs: Inputs, attempt: int) -> None:
        """Take note that items are skipped, and say so once in a run."""

    def blocks(self, seconds: float) -> None:
        """Say, once in a run, that a plain function held the event loop."""

    def lost(self, place: Place, error: BaseException, attempt: int) -> None:
        """Take note of the failure of a call whose result nobody waits for any more."""

    def tell_end(self, place: Place) -> None:
        """Tell, if somebody listens, of the end of a call that took several steps."""
