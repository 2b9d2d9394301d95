"""What holds of a reference pipeline in whose run somebody does something at a given moment?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from conveyor_rx import AsyncStream, Pipeline
from conveyor_rx.testing import VirtualLoop, run
from tests.random_pipelines.plans import Plan, model
from tests.random_pipelines.stages import SOURCE, Watch, build, data

__all__ = ["Act", "Consume", "Disturbed", "disturb", "quiet", "read", "subscribe"]

Act = Callable[["Disturbed", VirtualLoop], object]
Consume = Callable[["Disturbed"], Coroutine[Any, Any, object]]
Build = Callable[[Plan, Watch], Pipeline[Any, Any]]


class Disturbed:
    """One run of `plan`; what it has given, and what has ended it.

    Its checks: when the consumer has control back nothing is under way, from then on nothing is
    pulled or called, the counters balance, and what was given is what the model says until there.
    """

    def __init__(self, plan: Plan, build: Build = build) -> None:
        self.plan = plan
        self.watch = Watch()
        self.got: list[int] = []
        self.ends: list[BaseException | None] = []
        self.told = 0  # ends that an observer was told
        self.stream: AsyncStream[Any] = build(plan, self.watch)(data(plan, self.watch))
        self.consumer: asyncio.Task[Any] | None = None  # while it is at work
        self.cancelled = False  # by its own account

    async def main(self, consume: Consume) -> None:
        """Consume the stream in a task of its own; then check that all is over."""
        self.consumer = consumer = asyncio.create_task(consume(self))
        await asyncio.wait({consumer})
        self.consumer = None  # its exception's traceback leads here
        self.cancelled = consumer.cancelled()
        await self.check_over()
        if not self.cancelled:
            consumer.result()

    async def check_over(self) -> None:
        """Check that nothing is under way, and that nothing begins any more."""
        self.watch.is_over = True
        if self.plan.way == "subscribe":
            await asyncio.sleep(0.001)  # `dispose` waits for nothing
        assert not +self.watch.now, f"calls and generators that have not ended: {+self.watch.now}"
        await asyncio.sleep(100)
        assert self.told <= 1, "a second end"
        for stage in self.stream.stats:
            ended = stage.completed + stage.failed + stage.skipped + stage.dropped + stage.cancelled
            assert stage.in_ == ended, stage
            assert stage.running == stage.waiting == 0, stage

    def check_given(self, most: Plan | None = None) -> None:
        """Check that what was given is a prefix of the model's, or a part where order is free.

        A part of what comes without failures; or of what `most` gives, if failures are by chance.
        """
        assert not self.watch.wrong, self.watch.wrong
        if self.plan.ordered:
            expected, _ = model(self.plan)
            assert self.got == expected[: len(self.got)]
        elif not any(spec.is_batch for spec in self.plan.stages):
            expected, _ = model(most or self.plan.without_failures())
            assert Counter(self.got) <= Counter(expected)
        given = Counter(self.watch.given.get(SOURCE, ()))
        for number in range(len(self.plan.stages)):
            assert Counter(self.watch.taken.get(number, ())) <= given, f"of stage {number}"
            given = Counter(self.watch.given.get(number, ()))
        assert Counter(self.got) <= given


async def read(case: Disturbed) -> None:
    """Read the whole stream in the plan's way; note results, and the end if it gets there."""
    try:
        match case.plan.way:
            case "async for" if case.plan.pause:
                async with case.stream:  # cancelled in the loop's body, only this closes it
                    async for value in case.stream:
                        case.got.append(value)
                        await asyncio.sleep(case.plan.pause)
            case "async for":
                async for value in case.stream:
                    case.got.append(value)
            case "collect":
                case.got = await case.stream.collect()
            case _:
                await subscribe(case, case.got.append)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        case.ends.append(error)
    else:
        case.ends.append(None)


async def subscribe(case: Disturbed, on_next: Callable[[int], object]) -> None:
    """Subscribe until the end, which is returned or raised; if cancelled, dispose."""
    ended = asyncio.get_running_loop().create_future()

    def end(error: Exception | None = None) -> None:
        case.told += 1
        if ended.done():  # the waiting consumer was cancelled
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    subscription = case.stream.subscribe(on_next, end, end)
    try:
        await ended
    except asyncio.CancelledError:
        subscription.dispose()
        case.watch.is_over = True
        raise


def disturb(
    plan: Plan,
    act: Act | None = None,
    *,
    consume: Consume = read,
    seed: int | None = None,
    build: Build = build,
) -> Disturbed:
    """Run `plan`, calling `act` before each step of the loop while the consumer is at work."""
    case: Disturbed | None = None

    def on_step(loop: VirtualLoop) -> None:
        if case is not None and case.consumer is not None and not case.consumer.done():
            assert act is not None
            act(case, loop)

    async def main() -> None:
        nonlocal case
        case = Disturbed(plan, build)
        await case.main(consume)

    run(main, on_step=on_step if act else None, seed=seed)
    assert case is not None
    return case


def quiet(plan: Plan) -> Plan:
    """Return `plan` without what ends its run early: failing items are skipped."""
    stages = tuple(
        replace(spec, on_error="skip_item" if spec.on_error == "fail" else spec.on_error)
        for spec in plan.stages
    )
    return replace(plan, stages=stages, source_fails=False)
