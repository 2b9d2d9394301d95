"""What happens when the loop is shut down in the middle of a run, at each single step?"""

from __future__ import annotations

import asyncio

from conveyor_rx.testing import VirtualLoop, assert_clean
from tests.faults.cancels import steps_of
from tests.faults.disturbed import Disturbed, read
from tests.random_pipelines.plans import Plan

__all__ = ["HOWS", "shut_down_at", "shut_down_at_every_step"]

HOWS = ("main returns", "main is cancelled", "interrupted")


def shut_down_at(plan: Plan, seed: int | None, step: int, how: str) -> None:
    """End `asyncio.run` at `step` while the consumer is at work, and check what then is left."""
    try:
        with assert_clean():
            case = _Shutdown(plan, seed, step, how).run()
        assert not +case.watch.now, f"calls and generators that have not ended: {+case.watch.now}"
        case.check_given()
    except BaseException as error:
        error.add_note(f"shut_down_at({plan!r}, {seed}, {step}, {how!r})")
        raise


class _Shutdown:
    """One run in whose middle the loop is left."""

    def __init__(self, plan: Plan, seed: int | None, step: int, how: str) -> None:
        self.plan = plan
        self.seed = seed
        self.step = step
        self.how = how
        self.steps = 0
        self.case: Disturbed | None = None
        self.task: asyncio.Task[None] | None = None
        self.over: asyncio.Event | None = None

    def run(self) -> Disturbed:
        try:
            with asyncio.Runner(loop_factory=self._loop) as runner:
                runner.run(self._main())
        except (asyncio.CancelledError, KeyboardInterrupt):
            assert self.how != "main returns"
        else:
            assert self.how == "main returns"
        assert self.steps == self.step
        assert self.case is not None
        self.case.consumer = self.task = None
        self.case.watch.is_over = True
        return self.case

    def _loop(self) -> VirtualLoop:
        return VirtualLoop(seed=self.seed, on_step=self._on_step)

    async def _main(self) -> None:
        self.task = asyncio.current_task()
        self.over = asyncio.Event()
        self.case = Disturbed(self.plan)
        self.case.consumer = asyncio.create_task(read(self.case))
        await self.over.wait()

    def _on_step(self, loop: VirtualLoop) -> None:
        if self.case is None or self.case.consumer is None or self.steps == self.step:
            return
        self.steps += 1
        if self.steps < self.step:
            return
        match self.how:
            case "main returns":
                assert self.over is not None
                self.over.set()
            case "main is cancelled":
                assert self.task is not None
                self.task.cancel()
            case _:
                raise KeyboardInterrupt


def shut_down_at_every_step(
    plan: Plan, seed: int | None, how: str, first: int = 1, every: int = 1
) -> int:
    """Shut down at each step in turn, or at some; return how many these were."""
    steps = range(first, steps_of(plan, seed) + 1, every)
    for step in steps:
        shut_down_at(plan, seed, step, how)
    return len(steps)
