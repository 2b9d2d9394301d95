"""How does what foreign code emits, at any time and in any thread, come into the turns of a run?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from reactivex import Observable

from .._inputs import Inputs
from .run import Run
from .subscriber import Row, Subscriber
from .turns.nesting import NESTED

__all__ = ["Arrivals", "arrive"]


class Departures(Subscriber):
    """In front of a foreign operator: knows what the value comes from that it is given."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._has_begun = False  # a value has gone there
        self.inputs: Inputs = None

    def on_next(self, value: Any) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._run.lose_sight()
        before, self.inputs = self.inputs, self._run.inputs
        try:
            self.out.on_next(value)
        finally:
            self.inputs = before


class Arrivals(Subscriber):
    """Pass on what arrives: at once in the loop's thread, else handed over to it.

    Order: of arrival; of each thread, its own. Errors: as they come; an exception of an observer
    downstream ends the run. Cancellation: what was not passed on yet is let go. Pressure: Rx has
    none, so what other threads emit waits for the loop without a bound.
    """

    def __init__(self, run: Run, departures: Departures | None = None) -> None:
        self._run = run
        self._departures = departures
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...], Inputs]] = deque()
        self._handing_over = False
        self._cut = False

    def subscribed(self) -> Arrivals:
        return Arrivals(self._run, self._departures)

    def on_next(self, value: Any) -> None:
        self._arrive(self.out.on_next, value)

    def on_error(self, error: Exception) -> None:
        self._arrive(self.out.on_error, error)

    def on_completed(self) -> None:
        self._arrive(self.out.on_completed)

    def stop(self) -> None:
        """Pass on what has come, at once, and nothing that comes later."""
        while self._waiting:
            pass_on, args, _ = self._waiting.popleft()
            pass_on(*args)
        self.cut()

    def cut(self) -> None:
        self._cut = True
        self._departures = None  # which leads here
        self._waiting.clear()

    def _arrive(self, pass_on: Callable[..., None], *args: Any) -> None:
        if self._cut or self._run.loop.is_closed():
            return
        is_here = self._run.in_thread()
        departures = self._departures
        inputs = departures.inputs if departures is not None and is_here else None
        if not self._waiting and is_here:
            nesting = self._run.nesting
            if nesting.depth < NESTED:
                nesting.depth += 1  # as `within` does, in line for speed
                try:
                    self._pass_on(pass_on, args, inputs)
                    self._run.drain()
                    if nesting.waiting:
                        nesting.catch_up()
                finally:
                    nesting.depth -= 1
                    if nesting.waiting and not nesting.depth:
                        nesting.catch_up_later()
                return
            if not self._handing_over:
                self._handing_over = True
                nesting.waiting.append(self._hand_over)
        self._waiting.append((pass_on, args, inputs))
        if not self._handing_over:
            self._handing_over = True
            self._run.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._handing_over = False
        for _ in range(len(self._waiting)):
            if self._waiting:  # passing on may have cut it off
                self._pass_on(*self._waiting.popleft())
        self._run.drain_within()

    def _pass_on(self, pass_on: Callable[..., None], args: tuple[Any, ...], inputs: Inputs) -> None:
        run = self._run
        if self._departures is not None:  # else it is for a queue, and may come at any time
            run.inputs = inputs
        before, is_late = run.turns_only, run.pace.is_late()
        if is_late:
            run.turns_only = True
        try:
            pass_on(*args)
        except Exception as error:  # of an observer, downstream
            run.crash(error)
        if is_late:
            run.turns_only = before


def arrive(run: Run, row: Row, operator: Callable[[Observable[Any]], Observable[Any]]) -> Row:
    """Bring what a foreign operator behind `row` emits into the turns of `run`.

    It comes from the input during which it is emitted, if there is one.
    """
    departures = Departures(run)
    row.operators.append(departures)
    return Row(run, operator(row), Arrivals(run, departures))
