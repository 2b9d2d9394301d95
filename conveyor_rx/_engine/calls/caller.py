"""Whose call is it that takes several steps? The operator, as those steps see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

from ..._functions.calls import Call
from ..._inputs import Inputs
from ..._stats import Counters
from ..line.line import Line
from ..place import Place
from ..run import Run

if TYPE_CHECKING:
    from ..observing.reporter import Reporter

__all__ = ["Caller", "Outcome", "Part"]

Outcome = Literal["completed", "dropped", "skipped"]


class Part(NamedTuple):
    """The items of a call that one attempt is about: all of them, or those of a half of a batch."""

    place: Place
    item: Any
    size: int
    offset: int  # of its first item in the batch

    @property
    def inputs(self) -> Inputs:
        """What of the source it is about."""
        inputs, weight = self.place.inputs, self.place.weight
        if self.size == weight or inputs is None or isinstance(inputs, int):
            return inputs
        return inputs[self.offset : self.offset + self.size]

    def halves(self) -> list[Part]:
        """Give the halves of a batch, the first one last."""
        place, batch, size, offset = self
        half = size // 2
        items = cast("Sequence[Any]", batch)
        second = Part(place, items[half:], size - half, offset + half)
        return [second, Part(place, items[:half], half, offset)]


class Caller(Protocol):
    """The operator whose calls these are."""

    run: Run
    line: Line
    call: Call
    function: Callable[[Any], Any]
    counters: Counters
    reporter: Reporter | None

    def emit(self, place: Place, value: Any, inputs: Inputs) -> None:
        """Pass on one output of several, which comes from `inputs`."""

    def emit_one(self, place: Place, result: Any, inputs: Inputs) -> None:
        """Pass on a result that is one output."""

    def fail(
        self, place: Place, error: BaseException, size: int, *, attempt: int, inputs: Inputs = None
    ) -> None:
        """End the run at `place` with `error`, a failure of `inputs` (None: all of the place)."""

    def skips(self, error: BaseException, inputs: Inputs) -> None:
        """Say, once in a run, that items are skipped."""

    def lost(self, place: Place, error: BaseException, attempt: int) -> None:
        """Take note of the failure of a call whose result nobody waits for any more."""

    async def room(self, place: Place) -> None:
        """Wait until `place` may put another output in the line."""

    def settled(self, part: Part, outcome: Outcome) -> None:
        """Count the items of `part`: it is known what becomes of them."""
