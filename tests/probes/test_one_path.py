"""Is an observed run the run that it would be without a probe?"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from contextvars import ContextVar, Token
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conveyor_rx import AsyncStream
from conveyor_rx.events import Event, Probe, observe
from conveyor_rx.testing import run
from tests.random_pipelines.plans import Plan, Spec, plans
from tests.random_pipelines.stages import Watch, build, data

ENDS = (None, None, None, "close after two", "close at", "cancel at")
INSTANTS = (0.0, 0.3, 1.0, 2.5)


class Log(Watch):
    """A watch that notes what user code is run, in which order, and when.

    It sets no context variable, which a `Watch` does: so tasks go on with further calls.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Any, ...]] = []

    def note(self, *what: Any) -> None:
        self.told.append((asyncio.get_running_loop().time(), *what))

    def begin(self, stage: int, what: Any) -> None:
        self.note("begins", stage, what)

    def leave(self, stage: int, *, capped: bool) -> None:
        self.note("leaves", stage)
        super().leave(stage, capped=capped)

    def take(self, stage: int, items: Iterable[int]) -> None:
        self.note("took", stage, list(items))
        super().take(stage, items)

    def give(self, stage: int, outputs: Iterable[int]) -> None:
        self.note("gives", stage, list(outputs))
        super().give(stage, outputs)


def logged(
    plan: Plan, *, in_bulk: bool, end: str | None, instant: float, probe: Probe | None
) -> Any:
    """Run `plan`, perhaps observed, and return all that can be seen of it."""
    log = Log()

    async def read(stream: AsyncStream[int]) -> None:
        if plan.way == "collect":
            log.note("results", await stream.collect())
        elif plan.way == "subscribe":
            over = asyncio.get_running_loop().create_future()
            subscription = stream.subscribe(
                lambda value: log.note("result", value),
                lambda error: over.set_result(error),
                lambda: over.set_result(None),
            )
            try:
                error = await over
            finally:
                subscription.dispose()
            if error is not None:
                raise error
        else:
            number = 0
            async for value in stream:
                log.note("result", value)
                await asyncio.sleep(plan.pause)
                number += 1
                if end == "close after two" and number == 2:
                    await stream.aclose()

    def told(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log.note("told", context["message"], repr(context.get("exception")))

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(told)
        source = range(plan.items) if in_bulk else data(plan, log)
        stream = build(plan, log)(source)
        with nullcontext() if probe is None else observe(probe):
            reader = asyncio.create_task(read(stream))
            if end in ("close at", "cancel at"):
                await asyncio.sleep(instant)
                if end == "close at" and plan.way != "subscribe":
                    try:
                        await stream.aclose()
                    except Exception as error:  # E9: what failed in the clean-up
                        log.note("raised by closing", repr(error))
                else:
                    reader.cancel()
            await asyncio.wait({reader})
            log.note("the end")
        if not reader.cancelled():
            log.note("raised", repr(reader.exception()))
        await asyncio.sleep(100)
        log.note(*(repr(stage) for stage in stream.stats))

    logging.disable(logging.CRITICAL)
    try:
        run(main, seed=plan.seed, check=False)
    finally:
        logging.disable(logging.NOTSET)
    return log.told


def nothing(event: Event) -> None:
    """Hear of everything and do nothing."""


class Mark:
    """A probe that marks the context of each call, and takes the mark back when it has ended."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[int, int | None], Token[Any]] = {}

    def __call__(self, event: Event) -> None:
        call = event.stage, event.call
        if event.kind in ("call_started", "retried", "call_ended"):
            token = self._tokens.pop(call, None)
            if token is not None:
                with suppress(ValueError):  # it is that of another attempt
                    MARK.reset(token)
        if event.kind in ("call_started", "retried"):
            self._tokens[call] = MARK.set(call)


MARK: ContextVar[Any] = ContextVar("MARK")
PROBES: dict[str, Callable[[], Probe]] = {"nothing": lambda: nothing, "mark": Mark}


def differences(plan: Plan, *, probe: str = "nothing", **how: Any) -> str:
    """Say where the observed run goes another way; nothing if it does not."""
    plain, observed = (logged(plan, probe=one, **how) for one in (None, PROBES[probe]()))
    for n, (one, other) in enumerate(itertools.zip_longest(plain, observed)):
        if one != other:
            return f"{n}: {one} without a probe, {other} with one, after {plain[max(n - 5, 0) : n]}"
    return ""


@pytest.mark.no_cover
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    plans(),
    st.booleans(),
    st.sampled_from(ENDS),
    st.sampled_from(INSTANTS),
    st.sampled_from([*PROBES]),
)
def test_observing_changes_nothing(
    plan: Plan, in_bulk: bool, end: str | None, instant: float, probe: str
) -> None:
    """P1: each call begins and ends in the same order, at the same virtual instant.

    Whatever the stages and the mode, with failures, retries and a run that is ended midway.
    """
    how: dict[str, Any] = {"in_bulk": in_bulk, "end": end, "instant": instant, "probe": probe}
    difference = differences(plan, **how)
    assert not difference, f"{difference}\n{plan} {how}"


def test_items_that_are_read_ahead_may_begin_in_any_order() -> None:
    """P1: with a limit of time for all attempts, calls begin in tasks, and these in any order."""
    stage = Spec(
        kind="async",
        salt=1,
        limit=None,
        latency=1.0,
        failing=15,
        on_error="skip_item",
        attempts=2,
        total=4.5,
    )
    plan = Plan(
        stages=(stage,),
        items=30,
        source="sync",
        source_fails=False,
        ordered=True,
        window=2,
        parallelism=None,
        way="async for",
        pause=0.0,
        seed=0,
    )
    assert not differences(plan, in_bulk=True, end=None, instant=0.0)
