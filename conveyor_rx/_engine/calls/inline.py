"""How is a plain function called? Inline, in a context of its own; timed, while it may be long."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import Context
from types import GeneratorType
from typing import Any, cast

from ..._functions.calls import is_awaitable
from ..place import DEAD, WAITING, Place
from .attempts import Attempts
from .attempts_in_tasks import begin_attempts, failed_inline
from .caller import Caller, Launch

__all__ = ["Inline", "TimedInline", "take_other"]

LOOKS = 100  # calls that are looked at, until so many in a row were short; each look costs time
SHORT = 0.0002  # seconds; as many stages as call each other directly then take less than 5 ms
BLOCKING = 0.1  # seconds that a call may take without a word


class Inline(Launch):
    """The calls of one plain function: there is nothing to cancel, but what it has returned."""

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        counters, reporter, context = stage.counters, stage.reporter, stage.run.context.copy()
        if reporter is not None:
            context.run(reporter.call_started, place)
            if place.state == DEAD:  # a probe has closed the run
                counters.cancelled += place.weight
                return
        counters.running += place.weight
        try:
            result = context.run(stage.function, place.value)
        except (KeyboardInterrupt, SystemExit):
            counters.running -= place.weight
            counters.failed += place.weight
            raise
        except BaseException as error:
            counters.running -= place.weight
            failed_inline(stage, place, error, delivered=False)
            return
        counters.running -= place.weight
        kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if (kind is stage.plain or id(kind) in stage.plains) and place.state == WAITING:
            if reporter is not None:
                reporter.call_gave(place, result)
            counters.ones += 1
            place.value = result
            stage.out.on_next(place)
        else:
            take_other(stage, place, result, context)


class Look:
    """A function that notes how many seconds its call took."""

    def __init__(self, function: Callable[[Any], Any], clock: Callable[[], float]) -> None:
        self.function = function
        self.took = 0.0
        self._clock = clock

    def __call__(self, item: Any) -> Any:
        start = self._clock()
        try:
            return self.function(item)
        finally:
            self.took = self._clock() - start


class TimedInline(Inline):
    """Calls of a function that may be long: none begins if the time of the turns is used up."""

    __slots__ = ("_looks",)

    def __init__(self) -> None:
        self._looks = LOOKS  # at short calls that are still to come

    def start(self, stage: Caller, place: Place) -> None:
        run = stage.run
        if run.clock() > run.pace.end and run.pace.is_late():
            stage.queue.appendleft(place)
            run.ready |= stage.bit
            return
        stage.function = look = Look(stage.function, run.clock)
        try:
            super().start(stage, place)
        finally:
            stage.function = look.function
        self._looks = self._looks - 1 if look.took < SHORT else LOOKS
        if look.took > BLOCKING:
            stage.blocks(look.took)
        if not self._looks:
            stage.launch = Inline()


def take_other(stage: Caller, place: Place, result: Any, context: Context) -> None:
    """Take a result that is not known to be one output, of a call made in `context`."""
    if stage.takes_steps(result, place.weight):
        kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if kind is GeneratorType and place.state == WAITING and not is_awaitable(result):
            _begin_generator(stage, place, cast("Generator[Any]", result), context)
        else:
            begin_attempts(stage, place, Attempts(stage, place, result=result))
    else:
        if stage.reporter is not None:
            stage.reporter.call_gave(place, result)
        stage.settle(place, result)


def _begin_generator(
    stage: Caller, place: Place, generator: Generator[Any], context: Context
) -> None:
    stepping = stage.stepping
    if stepping is None:
        from .generators import stepping_of

        stepping = stepping_of(stage)
    stepping.begin(stage, place, generator, context)
