"""Who makes the next call? The decision alone, over all that it depends on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from conveyor_rx._engine.turns.relay import OUT_OF_TIME, OWN, TURNS, UNBOUNDED, decide

TASK: Any = object()


def stage(
    *,
    queue: object = (),
    resuming: object = (),
    admitted: object = (),
    cap: int = UNBOUNDED,
    is_over: bool | None = None,
    has_turn: bool = False,
) -> Any:
    """Make what the decision sees of a stage; `is_over` is None outside of turns."""
    run = SimpleNamespace(
        draining=is_over is not None,
        clock=lambda: 2.0,
        deadline=1.0 if is_over else 3.0,
        cap=cap,
    )
    return SimpleNamespace(
        run=run,
        queue=queue,
        resuming=resuming,
        admitted=admitted,
        has_turn=lambda has_suspended: has_turn and has_suspended,
    )


CASES: dict[str, tuple[dict[str, Any], int]] = {
    "it can't make another": ({"task": None, "queue": "q", "has_slot": True}, TURNS),
    "the turns are over": ({"is_over": True, "queue": "q", "has_slot": True}, OUT_OF_TIME),
    "the turns are not over": ({"is_over": False, "queue": "q", "has_slot": True}, OWN),
    "a call waits, and it has a slot": ({"queue": "q", "has_slot": True}, OWN),
    "no call waits": ({"has_slot": True}, TURNS),
    "others go first": ({"queue": "q", "resuming": "r", "has_slot": True}, TURNS),
    "a call has a slot, and no task": ({"admitted": "a", "resuming": "r", "has_slot": True}, OWN),
    "under a cap": ({"queue": "q", "has_slot": True, "cap": 10}, TURNS),
    "in a pause": ({"queue": "q", "has_slot": True, "cap": 0}, TURNS),
    "a new slot, and its turn": ({"queue": "q", "has_turn": True}, OWN),
    "a new slot, and others have theirs": ({"queue": "q", "has_turn": False}, TURNS),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_the_decision(name: str) -> None:
    """O4, F3, F4, F7: in this order."""
    given, case = CASES[name]
    given = dict(given)
    task, has_slot = given.pop("task", TASK), given.pop("has_slot", False)
    assert decide(stage(**given), task, True, has_slot) == case
