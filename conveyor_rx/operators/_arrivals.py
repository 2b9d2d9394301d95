"""How does what foreign code emits, at any time and in any thread, come into the turns of a run?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from reactivex import Observable

from ._run import Run
from ._subscriber import Subscriber, lift

__all__ = ["Arrivals", "arrive"]


class Arrivals(Subscriber):
    """Pass on what arrives: at once in the loop's thread, else handed over to it.

    Order: of arrival; of each thread, its own. Errors: as they come; an exception of an observer
    downstream ends the run. Cancellation: what was not passed on yet is let go. Pressure: Rx has
    none, so what other threads emit waits for the loop without a bound.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._handing_over = False
        self._cut = False

    def on_next(self, value: Any) -> None:
        self._arrive(self.out.on_next, value)

    def on_error(self, error: Exception) -> None:
        self._arrive(self.out.on_error, error)

    def on_completed(self) -> None:
        self._arrive(self.out.on_completed)

    def cut(self) -> None:
        self._cut = True
        self._waiting.clear()

    def _arrive(self, pass_on: Callable[..., None], *args: Any) -> None:
        if self._cut or self._run.loop.is_closed():
            return
        if not self._waiting and self._run.in_thread():
            self._pass_on(pass_on, *args)
            self._run.drain_within()
            return
        self._waiting.append((pass_on, args))
        if not self._handing_over:
            self._handing_over = True
            self._run.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._handing_over = False
        for _ in range(len(self._waiting)):
            if self._waiting:  # passing on may have cut it off
                pass_on, args = self._waiting.popleft()
                self._pass_on(pass_on, *args)
        self._run.drain_within()

    def _pass_on(self, pass_on: Callable[..., None], *args: Any) -> None:
        run = self._run
        before, is_late = run.turns_only, run.pace.is_late()
        if is_late:
            run.turns_only = True
        try:
            pass_on(*args)
        except Exception as error:  # of an observer, downstream
            run.crash(error)
        if is_late:
            run.turns_only = before


def arrive(run: Run) -> Callable[[Observable[Any]], Observable[Any]]:
    """Bring what a foreign operator emits into the turns of `run`."""
    return lift(lambda: Arrivals(run), run)
