"""One timer for all calls of a function that have the same limit of time: T1 of the contract."""

from __future__ import annotations

import asyncio
import gc
import random
import weakref
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx._functions import timeouts
from conveyor_rx.testing import run, timeline
from tests.kit import in_both_modes, now


def outcome(seed: int) -> list[tuple[float, Any]]:
    """Run calls that take from 0 to 4 seconds, of which each may take 2, and tell what came when.

    Some have suppressed the cancellation, some have tidied up, some raise something else.
    """
    rng = random.Random(seed)
    plans = [(rng.randrange(17) / 4, rng.choice(("", "", "keeps", "tidies", "raises")))
             for _ in range(60)]  # fmt: skip

    async def call(item: int) -> Any:
        seconds, way = plans[item]
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if way == "tidies":
                await asyncio.sleep(0.5)
            if way == "raises":
                raise KeyError(item) from None
            if way != "keeps":
                raise
        return item

    told: list[Any] = []

    async def main() -> list[tuple[float, Any]]:
        task: Any = single_task(
            timeout=2,
            concurrency_limit=rng.choice((1, 3, 60)),
            on_error="skip_item",
            dead_letter=lambda letter: told.append((now(), letter.item, repr(letter.error))),
        )(call)
        stream = task.as_completed(range(60))
        results = await timeline(stream)
        return [*results, *told, (now(), stream.stats[0].timed_out)]

    return run(main)


@pytest.mark.parametrize("seed", range(10))
def test_each_call_ends_when_it_would_with_a_timer_of_its_own(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1: at that instant, with the same results and failures."""
    shared = outcome(seed)

    def with_one_each(function: Any, seconds: float, late: Any) -> Any:
        async def call(*args: Any) -> Any:
            async with timeouts._Limit(f"timeout={seconds:g} s", seconds):
                return await function(*args)

        return call

    monkeypatch.setattr(timeouts, "limited", with_one_each)
    assert outcome(seed) == shared


@in_both_modes
def test_it_serves_one_loop_after_the_other(mode: Any) -> None:
    """T1: also if the first one was closed while its timer was set."""

    async def call(item: int) -> int:
        await asyncio.sleep(item)
        return item

    task = single_task(timeout=2, on_error="skip_item")(call).with_execution_mode(mode)
    second = 1 if mode == "as_completed" else 2
    for _ in range(2):
        assert run(lambda: timeline(task([1, 3, 1, 5]))) == [(1, 1), (second, 1)]


async def test_calls_within_calls_have_a_limit_each() -> None:
    """T1: the task of one may make another."""

    async def inner(seconds: int) -> int:
        await asyncio.sleep(seconds)
        return seconds

    limited = single_task(timeout=2)(inner)

    async def outer(seconds: int) -> list[int]:
        return await limited([seconds]).collect()

    pipeline = single_task(timeout=3, on_error="skip_item")(outer)
    assert await pipeline([1, 5, 2]).collect() == [1]
    assert now() == 2


async def test_the_timer_that_is_left_holds_nothing_of_the_run() -> None:
    """L9: a context that is kept until then would keep what tasks share."""

    class Thing:
        pass

    @single_task(timeout=1000)
    async def call(item: int) -> int:
        await asyncio.sleep(1)
        return item

    thing = Thing()
    seen = weakref.ref(thing)
    results = await call.with_context(thing=thing)([1]).collect()
    assert results == [1]
    del thing
    await asyncio.sleep(0)  # on 3.11 it is free only after a turn of the loop
    gc.collect()
    assert seen() is None
