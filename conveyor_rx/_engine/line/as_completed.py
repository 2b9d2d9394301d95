"""Which result comes next, as completed? Whatever is filled: all that differs from `Line`."""

from __future__ import annotations

from ..place import DEAD, Place
from ..run import Run
from .line import Line

__all__ = ["AsCompletedLine"]


class AsCompletedLine(Line):
    """The line in which a place that is filled moves to the front, behind those that are already.

    Errors: a failed call cuts off all that has not completed, here and downstream, at once; an
    error of the source waits for all that was pulled.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._last = self.ring  # the last of the places that are filled, unless it has left

    def on_next(self, value: Place) -> None:
        last = self._last if self._last.state != DEAD else self.ring
        if last is self.ring and self.direct and not self.run.turns_only:
            gate = self.gate
            if gate.size < gate.limit:
                self._emit(value)
                return
        if last.next is not value:
            value.prev.next = value.next
            value.next.prev = value.prev
            value.prev = last
            value.next = following = last.next
            last.next = following.prev = value
        self._last = value
        super().on_next(value)

    def room_behind(self, place: Place) -> int:
        is_next = self._last is self.ring or self._last.state == DEAD  # no other waits to leave
        return self.gate.limit - self.gate.size if self.direct and is_next else 0

    def fail(self, place: Place, error: BaseException) -> None:
        self.run.failure = error
        self.run.lose(place.inputs)
        self._unlink(place)
        self._abort(error)

    def end(self, error: BaseException | None) -> None:
        if error is not None and error is self.run.failure:
            self._abort(error)
        else:
            self._conclude(error)

    def _abort(self, error: BaseException) -> None:
        last = self._last if self.final and self._last.state != DEAD else self.ring
        self._kill_from(last.next)
        self._finish(error)

    def _unlink(self, place: Place) -> None:
        if place is self._last:
            self._last = place.prev
        super()._unlink(place)
