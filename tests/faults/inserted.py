"""How does one item fail at a chosen place of a reference pipeline? By one more stage there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from conveyor_rx import ErrorHandler, Pipeline, SingleTask
from tests.faults.disturbed import Disturbed, quiet, read
from tests.random_pipelines.plans import Plan, Spec, model
from tests.random_pipelines.stages import Watch, build

__all__ = ["FAULTS", "Fault", "HandlerError", "Inserted", "SideError", "inserted"]


class HandlerError(Exception):
    """What the error handler raises."""


class SideError(Exception):
    """What the side input raises."""


@dataclass(frozen=True)
class Fault(Spec):
    """A stage that passes everything on, but for the item `at`."""

    at: int = 0

    def fails(self, item: int) -> bool:
        return item == self.at


@dataclass
class Inserted:
    """A plan with a fault in it, and the errors that the fault has raised."""

    calm: Plan  # the same without the fault
    plan: Plan
    place: int
    number: int  # of the item, among those that come to that place
    raised: list[Exception] = field(default_factory=list)
    side: AsyncGenerator[int] | None = None

    async def consume(self, case: Disturbed) -> None:
        """Read the stream; a side input that is a generator is closed by its owner."""
        try:
            await read(case)
        finally:
            if self.side is not None:
                await self.side.aclose()

    def build(self, plan: Plan, watch: Watch) -> Pipeline[Any, Any]:
        """Make the pipeline, as `random_stages.build` does, but for the stage that fails."""
        made = build(plan, watch)
        stages: list[Any] = list(made.stages)
        stages[self.place] = FAULTS[plan.stages[self.place].kind](self, stages[self.place])
        rebuilt: Pipeline[Any, Any] = Pipeline(made.context)
        return rebuilt.add(*stages)

    def raise_in_handler(self, task: SingleTask[Any, Any]) -> SingleTask[Any, Any]:
        return SingleTask(task.func, error_handler=_Raising(self), task_name="fault")

    def raise_in_side_input(self, task: SingleTask[Any, Any]) -> SingleTask[Any, Any]:
        async def call(item: int, side: AsyncIterator[int]) -> int:
            zero = await anext(side)
            return task.func(item) + zero

        async def zeros() -> AsyncGenerator[int]:
            for _ in range(self.number):
                yield 0
            self.raised.append(SideError())
            raise self.raised[-1]

        self.side = zeros()
        return SingleTask(call, task_name="fault").with_inputs(self.side)


class _Raising(ErrorHandler):
    def __init__(self, case: Inserted) -> None:
        self.case = case

    async def handle_error(self, error: Exception, item: Any, task_name: str, attempt: int) -> Any:
        self.case.raised.append(HandlerError(item))
        raise self.case.raised[-1]


FAULTS = {"handler": Inserted.raise_in_handler, "side": Inserted.raise_in_side_input}


def inserted(plan: Plan, kind: str) -> Iterator[Inserted]:
    """Give `plan` with a fault for each item, at one place after the other; nothing else fails."""
    plan = quiet(plan)
    places = len(plan.stages) + 1
    for place in range(places):
        before, behind = plan.stages[:place], plan.stages[place:]
        items, _ = model(replace(plan, stages=before))
        for number, item in enumerate(items):
            # All places for all items would be many; of equal items the first one fails.
            if (number + plan.items) % places == place and item not in items[:number]:
                fault = Fault(kind, 0, failing=100 * (kind == "handler"), at=item)
                stages = (*before, fault, *behind)
                yield Inserted(plan, replace(plan, stages=stages), place, number)
