"""How do calls run at once? `flat_map` with a concurrency limit, over the places of a line.

Each stage has a `Launch` that makes its calls (`launches.py`). What is not one plain result at the
first attempt (retries, handlers, halving) goes the slow way of `attempts.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import GeneratorType
from typing import TYPE_CHECKING, Any, cast

from ..._functions.calls import MANY, Call, is_awaitable, is_short
from ..._inputs import Inputs, iter_each, named
from ..counters import Counters
from ..line.line import Line
from ..place import DEAD, Place
from ..run import Run
from ..subscriber import Subscriber
from .admission import Admission
from .caller import Outcome, Part
from .launches import launch_of
from .notices import Notices

if TYPE_CHECKING:
    from .dead_letters import Losses

__all__ = ["FlatMap"]

KINDS = 64  # types of results that are remembered


class FlatMap(Admission):
    """The calls of one task in one run.

    Order: calls start in the order of arrival; a new arrival never overtakes one that waits.
    Errors: as the call's policy says; a failure goes to the line, at the item's place.
    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    Pressure: none of its own: what waits here stands in the line, which is the gate.
    """

    losses: Losses | None = None  # set by the chain, where there are any

    def __init__(
        self,
        run: Run,
        line: Line,
        call: Call,
        limit: int | None,
        counters: Counters,
        counts_input: bool,
    ) -> None:
        """Make at most `limit` calls at once (None: no limit); `Batches` counts its own input."""
        super().__init__(run, line, call, limit, counters, counts_input, launch_of(call))
        self._shortcut = counts_input  # for results that are one output; not those of batches
        self._notices = Notices(run, counters, flatten=call.flatten)
        self.plain = None
        self.plains = {}
        self._one: dict[int, type[Any]] = {}  # types of such results, by their ids

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
        if place.dead:  # a handler has closed its own run
            self.counters.cancelled += size
            self.lost(place, error, attempt)
            return
        self.counters.failed += size
        if self.reporter is not None:
            self.reporter.failed(place)
        where = named(place.inputs if inputs is None else inputs)
        self.line.fail(place, self.call.policy.blame(error, where, attempt, why))

    def lost(self, place: Place, error: BaseException, attempt: int) -> None:
        if isinstance(error, Exception):
            error = self.call.policy.blame(error, named(place.inputs), attempt)
        self.run.failures.add(error, f"in task {self.name!r}")

    def attempt_failed(
        self, place: Place, inputs: Inputs, error: BaseException, attempt: int
    ) -> None:
        """Take note that an attempt for what is of `inputs` ended with `error`."""
        timed_out = False
        if self.call.has_time_limit:
            from ..._functions.timeouts import is_late

            timed_out = is_late(error)
        self.counters.timed_out += timed_out
        if self.reporter is not None:
            self.reporter.attempt_failed(place, inputs, error, attempt, timed_out=timed_out)

    def skips(self, error: BaseException, size: int, inputs: Inputs, attempt: int) -> None:
        self._notices.skips(error, inputs)
        if self.losses is not None:
            self.losses.skipped(size, error, named(inputs), attempt)

    def takes_steps(self, result: Any, items: int) -> bool:
        """Tell whether the `result` for so many items is to be awaited, or to be taken apart."""
        kind = cast("type[Any]", type(result))
        if result is None or id(kind) in self._one:
            return False
        if self.call.flatten and issubclass(kind, MANY):
            return not is_short(result, items)
        if not self.call.is_async and is_awaitable(result):
            return True
        if kind is not GeneratorType:  # of which some are to be awaited
            if len(self._one) >= KINDS:
                self._one.clear()
            self._one[id(kind)] = kind  # kept, so that the id is that of no other type
            self._notices.one_output(result)
        return False

    def settle(self, place: Place, result: Any) -> None:
        """Take the result of a call that went well at once."""
        counters = self.counters
        if place.state == DEAD:
            counters.cancelled += place.weight
        elif result is None:
            counters.dropped += place.weight
            self.line.give_up(place)
        elif self.call.flatten and type(result) is list:
            counters.completed += place.weight
            self._emit_all(place, cast("list[Any]", result))
            self.line.give_up(place)
        elif place.weight != 1:  # a batch: its one output takes up the room of one
            counters.completed += place.weight
            self.emit(place, result, place.inputs)
            self.line.give_up(place)
        else:
            if self._shortcut:
                self.plain = type(result)
                if len(self.plains) >= KINDS:
                    self.plains.clear()
                self.plains[id(self.plain)] = self.plain
            counters.ones += 1
            place.value = result
            self.out.on_next(place)

    def emit(self, place: Place, value: Any, inputs: Inputs) -> None:
        """Pass on one output of several; what is done with it is not done here and now."""
        if value is None:
            self.counters.dropped_outputs += 1
        elif place.state != DEAD:  # else a probe has closed the run meanwhile
            self.counters.out += 1
            run = self.run
            run.relay.task = None  # it would make the first call of several last
            run.turns_only, before = True, run.turns_only
            try:
                output = self.line.insert(value, place, inputs)
                if self.reporter is not None:
                    output.call = place.call
                self.out.on_next(output)
            except BaseException as error:  # no failure of the call: the output has its own place
                run.crash(error)
                raise
            run.turns_only = before

    def emit_one(self, place: Place, result: Any, inputs: Inputs) -> None:
        """Pass on a result that is one output."""
        self._notices.one_output(result)
        self.emit(place, result, inputs)

    def leaves(self, place: Place, value: Any) -> bool:
        """Tell whether an output needs no place in the line. Who does lets items go first."""
        line = self.line
        return line.ring.next is place and (
            value is None or (line.stages[-1] is self and line.room_behind(place) > 0)
        )

    def let_out(self, place: Place, value: Any) -> None:
        """Pass on an output that needs no place."""
        reporter, inputs = self.reporter, place.inputs
        self.counters.out += 1
        self.run.inputs = inputs if reporter is None else reporter.output(place, value, inputs)
        self.line.out.on_next(value)

    def settled(self, part: Part, outcome: Outcome) -> None:
        """Count the items of `part`: it is known what becomes of them."""
        if self.reporter is not None:
            self.reporter.settled(part.place, part.inputs, outcome)
        counters = self.counters
        counters.running -= part.size
        setattr(counters, outcome, getattr(counters, outcome) + part.size)

    def completed(self, place: Place) -> None:
        """Take note that all outputs of a call have been passed on."""
        if self.reporter is not None:
            self.reporter.settled(place, place.inputs, "completed")
        self.counters.completed += place.weight
        self.line.give_up(place)
        self.tell_end(place)
        self.end_call(place, place.weight)

    def tell_end(self, place: Place) -> None:
        """Tell, if somebody listens, of the end of a call that took several steps."""
        if self.reporter is not None:
            self.reporter.is_over(place)
            self.reporter.segment.look()

    def blocks(self, seconds: float) -> None:
        self._notices.blocks(seconds)

    # -- private

    def _emit_all(self, place: Place, values: list[Any]) -> None:
        """Pass on the outputs of a call, of which those that are None are dropped."""
        run, line = self.run, self.line
        rest, each = iter(values), iter_each(place.inputs, place.weight, values)
        run.relay.task = None  # as `emit` does, once for all of them
        run.turns_only, before = True, run.turns_only
        room = line.room_behind(place) if line.final and line.stages[-1:] == [self] else 0
        given = self._let_out_all(place, rest, each, room) if room else 0
        if place.state != DEAD:
            outputs = line.insert_all(rest, place, each)
            given += len(outputs)
            if self.reporter is not None:
                for output in outputs:
                    output.call = place.call
            if outputs:
                cast("Subscriber", self.out).on_next_all(outputs)
            self.counters.dropped_outputs += len(values) - given
        self.counters.out += given
        run.turns_only = before

    def _let_out_all(
        self, place: Place, values: Iterator[Any], each: Iterator[Inputs] | None, room: int
    ) -> int:
        """Pass on what leaves the run here and now, and needs no place; return how many do."""
        run, reporter, on_next = self.run, self.reporter, self.line.out.on_next
        inputs = place.inputs
        given = 0
        for value in values:
            if each is not None:
                inputs = next(each, None)
            if value is None:
                continue
            run.inputs = inputs if reporter is None else reporter.output(place, value, inputs)
            on_next(value)
            given += 1
            if given == room or place.state == DEAD:
                break
        return given
