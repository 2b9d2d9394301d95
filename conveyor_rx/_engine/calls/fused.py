"""How are plain functions called in a row? Fused: as in a loop by hand, without places.

Where nothing stands in the line and the gate behind it is open, the result of an item leaves at
once, and there is nothing to keep in order. Whatever is not as usual (a failure, a list, a call
that has closed the run or changed its context) goes on from a place. Calls begin in the order in
which they would without this: an item goes through all stages before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from functools import partial
from itertools import islice
from typing import Any

from ..line.entry import Entry, Giving
from ..line.line import Line
from ..place import DEAD, Place, new_place
from ..subscriber import Subscriber
from .attempts_in_tasks import failed_inline
from .flat_map import FlatMap
from .fused_steps import InCopies, Progress, Step
from .inline import Inline, TimedInline, take_other

__all__ = ["FusedEntry", "fuse"]

DIRECTLY = 16  # calls of functions that are known to be short, between two looks at the clock


class FusedEntry(Entry):
    """The entry to a last segment of plain functions only: it reads the source by itself.

    Calls that follow each other share a context as long as none has changed it. They are counted
    later, all at once: until then, `ahead` of the counters knows how many there were.
    """

    reads = True

    def __init__(self, line: Line, stages: Sequence[FlatMap]) -> None:
        super().__init__(line)
        self._stages = stages
        self._steps: list[Step] = []  # none before all functions are known to be short

    def subscribed(self) -> Entry:
        line = self.line
        if line.final and line.direct:
            return super().subscribed()
        # A result would lead to calls of other stages, or to foreign code, in the context of calls.
        return Entry(line).subscribed()

    def on_next(self, value: Any) -> None:
        super().on_next(value)
        if not self._steps and all(type(stage.launch) is Inline for stage in self._stages):
            self._steps = [Step(stage) for stage in self._stages]
            if self.run.compared_by_identity:  # whether such a context was changed is slow to tell
                self._make_copies()

    def room(self) -> int:
        gate, run = self.line.gate, self.run
        if not self._steps or run.turns_only or run.running >= run.cap:
            return 0
        return gate.limit - gate.size

    def take(self, items: Iterator[Any], source: Giving, most: int) -> bool:
        context = self.run.context.copy()
        progress = Progress(source, self._steps)
        try:
            is_over, go_on = context.run(self._call, items, source, most, context, progress)
        finally:
            progress.count()
            progress.end()
        if go_on is not None:
            go_on()
        return is_over

    def cut(self) -> None:
        for step in self._steps:
            step.kind = None
        self._stages, self._steps = (), []

    # -- private

    def _call(
        self,
        items: Iterator[Any],
        source: Giving,
        most: int,
        context: Context,
        progress: Progress,
    ) -> tuple[bool, Callable[[], None] | None]:
        """Make calls in `context`; tell whether there are no more items, and how to go on."""
        run, bit, steps, unchanged = self.run, source.bit, progress.steps, self.run.context
        emit = self.line.out.on_next
        at_once = max(1, DIRECTLY // len(steps))
        number = source.given
        end = number + most
        while number < end:
            until = min(number + at_once, end)
            for value in islice(items, until - number):
                for step in steps:
                    counters = step.counters
                    counters.running = 1
                    try:
                        result = step.function(value)
                    except BaseException as error:
                        return False, partial(self._failed, step, value, source, error)
                    try:
                        is_usual = type(result) is step.kind and context == unchanged
                    except Exception:  # of a value that does not like to be compared
                        is_usual = False
                    if not is_usual or run.paused:
                        if self._is_dropped(result, context):
                            progress.count()
                            counters.dropped += 1
                            source.given = number = number + 1
                            progress.skip()
                            break
                        if not self._is_one(step, result, context):
                            return False, partial(self._gave, step, value, source, result, context)
                    counters.running = 0
                    value = result
                else:
                    run.inputs = number
                    source.given = number = number + 1
                    emit(value)
                if run.ready >= bit:
                    return False, None
            if number < until:
                return True, None
            if run.clock() > run.deadline:
                break
        return False, None

    def _is_dropped(self, result: Any, context: Context) -> bool:
        """Tell whether there is nothing to pass on, and all else is as usual."""
        return result is None and self._goes_on(context)

    def _is_one(self, step: Step, result: Any, context: Context) -> bool:
        """Tell whether a result of another type than the last one is one output, too."""
        kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if id(kind) not in step.stage.plains or not self._goes_on(context):
            return False
        step.kind = kind
        return True

    def _goes_on(self, context: Context) -> bool:
        """Tell whether a call has left its context as it was, and the run may go on."""
        if self.run.paused or self.line.entry is not self:
            return False
        try:
            is_unchanged = context == self.run.context
        except Exception:  # of a value that does not like to be compared
            is_unchanged = False
        if not is_unchanged:
            self._make_copies()
        return is_unchanged

    def _make_copies(self) -> None:
        """Make each call in a context of its own, from now on."""
        for step in self._steps:
            if not isinstance(step.function, InCopies):
                step.function = InCopies(step.function, self.run.context)

    def _gave(self, step: Step, value: Any, source: Giving, result: Any, context: Context) -> None:
        """Go on from a place with what a call gave."""
        place = self._place(value, source)
        stage = step.stage
        kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if (kind is stage.plain or id(kind) in stage.plains) and place.state != DEAD:
            stage.counters.ones += 1
            place.value = result
            stage.out.on_next(place)
            return
        if isinstance(step.function, InCopies):
            context = step.function.context
        take_other(stage, place, result, context)
        step.kind = stage.plain

    def _failed(self, step: Step, value: Any, source: Giving, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            step.counters.failed += 1
            raise error
        failed_inline(step.stage, self._place(value, source), error, delivered=False)

    def _place(self, value: Any, source: Giving) -> Place:
        """Put an item in the line, unless that was cut off during the call."""
        line, inputs = self.line, source.given
        source.given += 1
        if line.entry is self:
            return line.insert(value, line.ring, inputs)
        self.run.lose(inputs)
        place = new_place(value, inputs, 1)
        place.state = DEAD
        return place


def fuse(line: Line, operators: list[Subscriber]) -> None:
    """Fuse the stages of `line`, the last of `operators`, if all that they call is plain."""
    count = len(line.stages)
    stages = [stage for stage in operators[-count:] if type(stage) is FlatMap]
    entry = operators[-count - 1]
    if len(stages) < count or not isinstance(entry, Entry) or entry.weigh is not None:
        return  # there is something in between, or batches come
    if all(type(stage.launch) is TimedInline and not stage.reporter for stage in stages):
        operators[-count - 1] = FusedEntry(line, stages)
