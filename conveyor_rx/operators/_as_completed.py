"""Which result comes next, as completed? Whatever is filled: all that differs from `Line`."""

from __future__ import annotations

from collections import deque

from ._line import FILLED, Line, Place
from ._run import Run

__all__ = ["AsCompletedLine"]


class AsCompletedLine(Line):
    """The line that emits whatever is filled, in the order of completion.

    Errors: a failed call cuts off all that has not completed, here and downstream, at once; an
    error of the source waits for all that was pulled.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._filled: deque[Place] = deque()

    def on_next(self, value: Place) -> None:
        value.state = FILLED
        self._filled.append(value)
        self._hand_on(self._filled[0])

    def fail(self, place: Place, error: BaseException) -> None:
        self.run.failure = error
        self._unlink(place)
        self._abort(error)

    def end(self, error: BaseException | None) -> None:
        if error is not None and error is self.run.failure:
            self._abort(error)
        else:
            self._conclude(error)

    def _clear(self) -> None:
        super()._clear()
        self._filled.clear()

    def _abort(self, error: BaseException) -> None:
        kept = [(place, place.value) for place in self._filled] if self.final else []
        self._clear()
        for place, value in kept:
            place.value, place.state = value, FILLED
            self._append(place)
            self._filled.append(place)
        self._finish(error)

    def _next(self) -> Place | None:
        return self._filled[0] if self._filled else None

    def _unlink(self, place: Place) -> None:
        if self._filled and self._filled[0] is place:
            self._filled.popleft()
        super()._unlink(place)
