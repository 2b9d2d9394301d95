"""What becomes of an item that can be in no batch? It fails at its place, as a call would."""

from __future__ import annotations

from typing import Any

from ..._inputs import Inputs
from ..place import DEAD, new_place
from .attempts_in_tasks import failed_inline
from .held_calls import HeldCalls

__all__ = ["refuse"]


def refuse(stage: HeldCalls, value: Any, inputs: Inputs, error: BaseException) -> None:
    """Fail `value`, which comes from `inputs`, behind all that has come, as the policy says.

    It is told of as a call that fails at its first attempt; there is no second one. Where a handler
    may be asked, or a dead letter be written, it waits for a slot as a call does.
    """
    line = stage.line
    if line.entry is None:  # what has raised `error` has closed the run as well
        place = new_place(value, inputs, 1)
        place.state = DEAD
        failed_inline(stage, place, error, delivered=True)
        return
    place = line.insert(value, line.ring, inputs)
    if stage.call.policy.final(1, True) != "fail":
        stage.turnstile.refuse(place, error)
        return
    if stage.reporter is not None:
        stage.reporter.call_started(place)
    failed_inline(stage, place, error, delivered=True)
