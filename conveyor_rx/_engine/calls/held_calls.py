"""How do calls differ for whose items there is a turnstile? It is told when each has ended."""

from __future__ import annotations

from typing import Protocol

from ..._errors.blame import add_cause
from ..._inputs import Inputs
from ..place import Place
from .caller import Outcome, Part
from .flat_map import FlatMap

__all__ = ["HeldCalls"]


class _Turnstile(Protocol):
    @property
    def is_empty(self) -> bool:
        """Whether nothing waits there."""
        ...

    def refuse(self, place: Place, error: BaseException) -> None:
        """Let an item fail for which there is no call, when there is a slot for that."""

    def settled(self, place: Place) -> None:
        """Free what the call for `place` had."""

    def take_back(self, place: Place) -> None:
        """Let an item wait again that could not be called."""


class _Gone:
    """Stands in the place of a turnstile at which nobody waits any more."""

    is_empty = True

    def refuse(self, place: Place, error: BaseException) -> None:
        pass

    def settled(self, place: Place) -> None:
        pass

    def take_back(self, place: Place) -> None:
        pass


_GONE = _Gone()


class HeldCalls(FlatMap):
    """The calls of one task in one run, whose items wait at a `turnstile`."""

    turnstile: _Turnstile
    begun: set[Place]  # those whose calls have begun, and go on

    @property
    def broken(self) -> BaseException | None:
        """Why there are no side inputs, if they could not be had."""
        return self._broken

    def is_free(self) -> bool:
        """Tell whether a call, or its failure, could begin now; else get what it needs first."""
        if self._preparation is not None:
            self._preparation.begin(self)
            return False
        return self._broken is not None or self.has_free_slot

    @property
    def has_free_slot(self) -> bool:
        """Whether there is a slot, whoever waits for it. To look changes nothing."""
        return FlatMap.has_slot(self)

    def has_slot(self) -> bool:
        return self.turnstile.is_empty and self.has_free_slot

    def attempt_failed(
        self, place: Place, inputs: Inputs, error: BaseException, attempt: int
    ) -> None:
        super().attempt_failed(place, inputs, error, attempt)
        if self.permits is not None:
            try:
                self.permits.ended(place, error)
            except Exception as raised:  # by a function for `slow_down_on`
                add_cause(raised, error)
                self.run.crash(raised)

    def settled(self, part: Part, outcome: Outcome) -> None:
        super().settled(part, outcome)
        if self.permits is not None:  # each part of a batch has its own attempts
            self.permits.ended(part.place)

    def begin_call(self, place: Place) -> None:
        self.begun.add(place)
        super().begin_call(place)

    def end_call(self, place: Place, size: int) -> None:
        super().end_call(place, size)
        self.begun.discard(place)
        self.turnstile.settled(place)

    def part(self) -> None:
        """Let go of the turnstile: nothing begins any more, and all that had begun has ended."""
        self.turnstile = _GONE
        self.permits = None

    def take_back(self, place: Place) -> None:
        FlatMap.end_call(self, place, place.weight)
        self.begun.discard(place)
        self.turnstile.take_back(place)
