"""What happens when the consumer is cancelled, at each single step of the loop?"""

from __future__ import annotations

from dataclasses import dataclass

from conveyor_rx.testing import VirtualLoop
from tests.faults.disturbed import Disturbed, disturb
from tests.random_pipelines.plans import Plan

__all__ = ["Canceller", "cancel_at", "cancel_at_every_step", "steps_of"]


@dataclass
class Canceller:
    """Cancels the consumer at one of its steps, and `again` so many steps later, if it is given."""

    step: int
    again: int = 0
    steps: int = 0

    def __call__(self, case: Disturbed, loop: VirtualLoop) -> None:
        self.steps += 1
        if self.steps == self.step or (self.again and self.steps == self.step + self.again):
            assert case.consumer is not None
            case.consumer.cancel()


def steps_of(plan: Plan, seed: int | None) -> int:
    """Count the steps in which the consumer is at work, undisturbed."""
    act = Canceller(0)
    case = disturb(plan, act, seed=seed)
    assert len(case.ends) == 1
    case.check_given()
    return act.steps


def cancel_at(plan: Plan, seed: int | None, step: int, again: int = 0) -> None:
    """Cancel at `step`; check what then is left, and what was given until there."""
    try:
        act = Canceller(step, again)
        case = disturb(plan, act, seed=seed)
        case.check_given()
        assert act.steps >= step, "the run was over before"
        assert case.cancelled, "the cancellation was swallowed"
        assert not case.ends
    except BaseException as error:
        error.add_note(f"cancel_at({plan!r}, {seed}, {step}, {again})")
        raise


def cancel_at_every_step(plan: Plan, seed: int | None, every: int = 1) -> int:
    """Cancel at each step in turn (or `every` so many); return how many these were.

    Every other time the consumer is cancelled twice, as by somebody impatient.
    """
    steps = range(1, steps_of(plan, seed) + 1, every)
    for number, step in enumerate(steps):
        cancel_at(plan, seed, step, again=number % 2 * (1 + (seed or 0) % 3))
    return len(steps)
