"""Retries without a pause, made where the call failed: E5, T6, K1, P1 of the contract.

They are the same as the steps of `attempts.py`, which are taken here for comparison.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx._engine.calls import attempts_in_tasks, in_tasks
from conveyor_rx.events import Event, observe
from conveyor_rx.testing import run
from tests.flow.test_pace import LONGEST, Clock
from tests.kit import Boom, in_both_modes, nap, now

MARK: ContextVar[int] = ContextVar("MARK", default=0)
KINDS = ("eager", "suspends", "sleeps", "def", "list", "marks")
COUNTED = ("in_", "completed", "dropped", "skipped", "failed", "retried", "out")


def failing(kind: str, seed: int) -> Callable[[int], Any]:
    """Make a function that fails up to three times for some items, and drops others."""
    calls: Counter[int] = Counter()

    def work(item: int) -> Any:
        calls[item] += 1
        luck = random.Random(seed * 1000 + item).randrange(8)
        if calls[item] <= luck - 4:
            raise Boom(item, calls[item])
        if luck == 0:
            return None
        return [item, item] if kind == "list" else item

    async def eager(item: int) -> Any:
        return work(item)

    async def suspends(item: int) -> Any:
        await asyncio.sleep(0)
        return work(item)

    async def sleeps(item: int) -> Any:
        await asyncio.sleep(item % 3 / 10)
        return work(item)

    async def marks(item: int) -> Any:
        assert not MARK.get(), "each attempt has a context of its own"
        MARK.set(item + 1)
        return work(item)

    return {"eager": eager, "suspends": suspends, "sleeps": sleeps, "marks": marks}.get(kind, work)


def outcome(kind: str, seed: int, mode: str) -> tuple[Any, ...]:
    """Run a pipeline, and tell its results, its end, its counters and the events of each item."""
    options = random.Random(seed)
    attempts, on_error = options.choice((2, 3, 4)), options.choice(("fail", "skip_item"))
    limit = None if kind in ("def", "list") else options.choice((1, 3, None))
    task: Any = single_task(
        retry_attempts=attempts, retry_delay=0, on_error=on_error, concurrency_limit=limit
    )(failing(kind, seed))
    events: list[tuple[Any, ...]] = []

    def note(event: Event) -> None:
        if event.stage == 1:
            events.append((event.inputs, event.kind, event.attempt, event.outcome, event.reason))

    async def main() -> tuple[Any, ...]:
        results: list[int] = []
        end: Any = None
        with observe(note) if seed % 2 else observe():
            stream = (task | nap).with_execution_mode(mode)(range(40))
            try:
                async for result in stream:
                    results.append(result)  # noqa: PERF401  # those before a failure, too
            except Boom as error:
                end = (error.args, error.__notes__)
            counters = tuple(getattr(stream.stats[0], name) for name in COUNTED)
        return results, end, counters if end is None else ()

    results, end, counters = run(main)
    if mode == "as_completed":
        results, end = sorted(results) if end is None else [], end is not None
    calls = [event for event in events if event[1] in ("attempt_failed", "retried", "call_ended")]
    return results, end, counters, sorted(calls, key=repr) if end is None else []


@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_if_each_step_were_taken(
    kind: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2, E3, E5, P1: results, end, note, counters and events are those of the slow way."""
    at_once = [outcome(kind, seed, mode) for seed in range(15)]
    for module in (in_tasks, attempts_in_tasks):
        monkeypatch.setattr(module, "tries_again", lambda *_, **__: False)
    assert [outcome(kind, seed, mode) for seed in range(15)] == at_once


@in_both_modes
async def test_nothing_is_between_two_attempts(mode: Any) -> None:
    """T6: what waits no time for its next attempt keeps its slot, and goes before new items."""
    calls: list[int] = []

    async def call(item: int) -> int:
        calls.append(item)
        await asyncio.sleep(1)
        if calls.count(item) < 3:
            raise Boom
        return item

    task = single_task(concurrency_limit=2, retry_attempts=3, retry_delay=0)(call)
    assert sorted(await task.with_execution_mode(mode)(range(4)).collect()) == [0, 1, 2, 3]
    assert calls == [0, 1] * 3 + [2, 3] * 3
    assert now() == 6


@pytest.mark.parametrize("is_async", [True, False])
async def test_many_attempts_keep_the_stack_flat_and_let_the_loop_go_on(is_async: bool) -> None:
    """F7, F8: 5,000 attempts that do not suspend are no reason to hold the loop."""
    clock, left = Clock(), 5_000

    def work(item: int) -> int:
        nonlocal left
        left -= 1
        clock.work(0.0001)
        if left:
            raise Boom
        return item

    async def call(item: int) -> int:
        return work(item)

    task: Any = single_task(retry_attempts=5_000, retry_delay=0)(call if is_async else work)
    assert await clock.during(task([7]).collect()) == [[7]]
    assert max(clock.gaps) <= LONGEST + 0.0001 + 1e-9


async def test_a_failure_says_which_attempt_it_was() -> None:
    """E2: the number of the last one; no attempt is the context of the next."""
    errors: list[Boom] = []

    async def call(item: int) -> int:
        errors.append(Boom())
        raise errors[-1]

    with pytest.raises(Boom) as caught:
        await single_task(retry_attempts=3, retry_delay=0)(call)([0]).collect()
    assert caught.value is errors[2]
    assert caught.value.__notes__ == ["in task 'call', input 0, attempt 3"]
    assert [error.__context__ for error in errors] == [None] * 3
