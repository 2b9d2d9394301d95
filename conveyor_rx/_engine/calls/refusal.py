"""What becomes of an item that can't be called? It fails at its place, as a call for it would."""

from __future__ import annotations

from typing import Any

from ..._inputs import Inputs
from ..place import DEAD, new_place
from .attempts_in_tasks import failed_inline
from .caller import Caller

__all__ = ["refuse"]


def refuse(stage: Caller, value: Any, inputs: Inputs, error: BaseException) -> None:
    """Fail `value`, which comes from `inputs`, behind all that has come, as the policy says.

    It is told of as a call that fails at its first attempt; there is no second one. A handler is
    asked at once: it waits for no slot, as no call is made.
    """
    line = stage.line
    if line.entry is None:  # what has raised `error` has closed the run as well
        place = new_place(value, inputs, 1)
        place.state = DEAD
    else:
        place = line.insert(value, line.ring, inputs)
        if stage.reporter is not None:
            stage.reporter.call_started(place)
    failed_inline(stage, place, error, delivered=True)
