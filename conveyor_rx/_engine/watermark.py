"""Which of the source's items are settled? Those before the first one that a run still holds.

Nothing is counted while a run goes on: who asks looks through all that holds items (the places of
the lines, open batches, the outlet). Only what is let go of without being settled, and what goes
where it can't be followed, is taken note of when that happens.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .._inputs import Inputs

__all__ = ["Watermark"]

_NONE = sys.maxsize  # above the number of any item


if TYPE_CHECKING:  # a class costs more to make than to read past

    class Holder(Protocol):
        """What holds values: an outlet; of the workers some, as a line."""

        def held(self) -> Sequence[Inputs]:
            """Give what the values held now come from; where these are sorted, the first."""
            ...

    class Source(Protocol):
        given: int

    class WatchedRun(Protocol):
        """A run, as it is looked through."""

        inputs: Inputs

        @property
        def workers(self) -> Sequence[Any]: ...
        @property
        def tracer(self) -> Any: ...


class Watermark:
    """How many of the source's first items are settled in one run. It never falls.

    It holds nothing of the run, and stays when that is closed.
    """

    __slots__ = (
        "_entered",
        "_found",
        "_frozen",
        "_given",
        "_lost",
        "_outlet",
        "_reserved",
        "_run",
        "_source",
        "is_complete",
        "is_part",
    )

    def __init__(self, run: WatchedRun, source: Source, outlet: Holder) -> None:
        self._run: Callable[[], WatchedRun | None] = weakref.ref(run)
        self._source: Callable[[], Source | None] = weakref.ref(source)
        self._outlet: Callable[[], Holder | None] = weakref.ref(outlet)
        self.is_part = False  # who is behind may hold results back, and can't be looked through
        self.is_complete = False  # all results were given, and no failure
        self._found = 0
        self._given = 0  # how many items the source gave, when it was frozen
        self._frozen: int | None = None  # what was found when the run was closed
        self._lost = _NONE  # the first item that was let go of
        self._entered = _NONE  # up to here, items may be where they can't be followed
        self._reserved = _NONE  # up to here, results may be collected that nobody has got yet

    def look(self) -> int:
        """Give the number of the first item that is not known to be settled."""
        if self.is_part:
            return 0
        return self.look_before_operators()

    def look_before_operators(self) -> int:
        """Do so, where what an Rx operator was given counts as settled."""
        settled = self._settled() if self._frozen is None else self._frozen
        self._found = max(self._found, min(settled, self._reserved))
        return self._found

    def at_end(self, *, is_complete: bool) -> int:
        """Give what it is once the consumer has heard that the run, which is closed, has ended."""
        return min(self._given, self._lost) if is_complete and not self.is_part else self.look()

    # -- from the run

    def lose(self, inputs: Inputs) -> None:
        """Take note that a value is let go of, and does not count as settled."""
        self._lost = min(self._lost, _first(inputs))

    def hold(self) -> None:
        """Let nothing more count as settled, but what does so now, until the run is complete.

        A value enters what can't be looked through, and others may follow in any order.
        """
        run = self._run()
        assert run is not None
        self._entered = min(self._entered, self._settled(), _first(run.inputs))

    def freeze(self, *, is_empty: bool = False) -> None:
        """Take note of what is settled now: the run is closed, and lets go of all that it holds.

        `is_empty` says that it holds nothing.
        """
        if self._frozen is None:
            self._frozen = self._found  # should the look fail: perhaps it is a failure of our own
            self._frozen = self._settled(is_empty=is_empty)

    # -- from the outlet

    def reserve(self) -> None:
        """Let no results count as delivered that come from here on, until `release`."""
        self._reserved = self.look_before_operators()

    def release(self) -> None:
        """Let them count."""
        self._reserved = _NONE

    def complete(self) -> None:
        """Take note that all results were delivered, and the run has ended without a failure."""
        self.freeze()
        self.is_complete = True
        self._frozen = min(self._given, self._lost)

    # -- private

    def _settled(self, *, is_empty: bool = False) -> int:
        run, source, outlet = self._run(), self._source(), self._outlet()
        if run is None or source is None or outlet is None:
            return self._found  # dropped, and never closed
        self._given = source.given
        first = min(self._given, self._lost, self._entered)
        if is_empty or not first:
            return first
        first = min(first, _first(outlet.held()))
        for worker in run.workers:
            if hasattr(worker, "held") and (held := worker.held()):
                first = min(first, _first(held))
        if run.tracer is not None and run.tracer.is_telling:
            # A probe may be told of a value that is between two of them.
            first = min(first, _first(run.inputs))
        return first


def _first(inputs: Inputs) -> int:
    """Give the lowest number of an item that is in there."""
    if isinstance(inputs, int):
        return inputs
    first = _NONE
    pending: list[Sequence[Inputs]] = [] if inputs is None else [inputs]
    seen: set[int] = set()  # the outputs of a batch share its inputs
    while pending:
        for one in pending.pop():
            if isinstance(one, int):
                if one < first:
                    first = one
            elif one is not None and id(one) not in seen:
                seen.add(id(one))
                pending.append(one)
    return first
