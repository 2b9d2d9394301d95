"""One task makes the calls of an async generator that wait: O4, F3, F7, L10 of the contract.

They are the same as calls in a task each, which are made here for comparison.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx._engine.calls import async_generators
from conveyor_rx.events import Event, observe
from conveyor_rx.testing import run
from tests.flow.test_pace import LONGEST, Clock
from tests.kit import Boom, in_both_modes, nap

MARK: ContextVar[int] = ContextVar("MARK", default=0)


def outcome(seed: int, mode: str) -> tuple[Any, ...]:
    """Run a pipeline; tell its results, its end, its counters and the order of the starts."""
    rng = random.Random(seed)
    limit, window = rng.choice((1, 2, 5, None)), rng.choice((3, 8, 1024))
    plans = [
        (rng.randrange(4), rng.choice((0, 0, 0.1)), rng.random() < 0.1, rng.random() < 0.2)
        for _ in range(40)
    ]
    starts: list[int] = []

    async def generate(item: int) -> AsyncIterator[int | None]:
        outputs, pause, fails, marks = plans[item]
        starts.append(item)
        assert not MARK.get(), "each call has a context of its own"
        if marks:
            MARK.set(item + 1)
        for number in range(outputs):
            if pause:
                await asyncio.sleep(pause)
            yield 10 * item + number if number != 1 else None
        if fails:
            raise Boom(item)

    def note(event: Event) -> None:
        if event.stage == 1 and event.kind == "call_ended":
            ends.append((event.inputs, event.outcome))

    ends: list[Any] = []
    on_error = rng.choice(("fail", "skip_item"))
    task: Any = single_task(concurrency_limit=limit, on_error=on_error)(generate)
    pipeline = (task | nap if rng.random() < 0.5 else task).with_context(max_in_flight=window)

    async def main() -> tuple[Any, ...]:
        results: list[int] = []
        end: Any = None
        with observe(note) if rng.random() < 0.5 else observe():
            stream = pipeline.with_execution_mode(mode)(range(40))
            try:
                async for result in stream:
                    results.append(result)  # noqa: PERF401  # those before a failure, too
            except Boom as error:
                end = (error.args, error.__notes__)
            stats = stream.stats[0]
        counters = (stats.completed, stats.skipped, stats.dropped_outputs, stats.out)
        return results, end, counters if end is None else ()

    results, end, counters = run(main)
    assert starts == sorted(starts)
    if mode == "as_completed":
        results, end = sorted(results) if end is None else [], end is not None
    return results, end, counters, sorted(ends, key=repr) if end is None else []


@in_both_modes
def test_it_is_as_if_each_call_had_a_task(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """O1, O4, E2, E3: results, end, note, counters and events are the same; starts are in order."""
    in_a_row = [outcome(seed, mode) for seed in range(60)]
    monkeypatch.setattr(async_generators, "_goes_on", lambda *_, **__: False)
    assert [outcome(seed, mode) for seed in range(60)] == in_a_row


async def test_calls_that_do_not_suspend_let_the_loop_go_on() -> None:
    """F7: a thousand calls in one task are no reason to hold the loop."""
    clock = Clock()

    async def generate(item: int) -> AsyncIterator[int]:
        clock.work(0.0005)
        yield item
        yield item

    stream = single_task(concurrency_limit=1)(generate)(range(1000))
    (results,) = await clock.during(stream.collect())
    assert len(results) == 2000
    assert max(clock.gaps) <= LONGEST + 0.0005 + 1e-9
