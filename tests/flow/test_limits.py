"""How many calls run at once? F3 of the contract."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import SingleTask, batch_task, single_task
from conveyor_rx.testing import timed_task, timeline
from tests.flow.work import Meter, function, limited, metered
from tests.kit import in_both_modes


@in_both_modes
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_the_limit_is_reached_and_never_exceeded(kind: str, limit: int, mode: str) -> None:
    """F3: while there is work, `limit` calls run: 60 calls of 1 s take 60 s / limit."""
    meter = Meter()
    task = limited(kind, limit, meter, timed_task(lambda item: 1.0))
    got = await timeline(task.with_execution_mode(mode)(range(120 if kind == "batch" else 60)))
    assert meter.most == limit
    assert meter.entered == 60
    calls = [at for at, _ in got][:: 2 if kind == "batch" else 1]
    assert calls == [1 + n // limit for n in range(60)]


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_the_limit_holds_under_random_latencies(kind: str, mode: str) -> None:
    """F3: whoever ends first makes room for one, not for more."""
    meter = Meter()
    task = limited(kind, 4, meter, timed_task(lambda item: random.Random(item).random()))
    pipeline = (
        SingleTask(timed_task(lambda item: random.Random(-item).random() / 10)) | task
    ).with_execution_mode(mode)
    assert sorted(await pipeline(range(200)).collect()) == list(range(200))
    assert meter.most == 4


@in_both_modes
@pytest.mark.parametrize("outcome", ["skip_item", "skip_batch", "handled", "retried", "None"])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_slots_come_back_after_failures(kind: str, outcome: str, mode: str) -> None:
    """F3: calls that fail, are skipped, handled, retried or give None leave the limit as it was."""
    meter = Meter()
    seen: set[int] = set()

    class Handler:
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            return True, None

    async def work(item: int) -> int | None:
        await asyncio.sleep(1)
        if item < 40 and not (outcome == "retried" and item in seen):
            seen.add(item)
            if outcome != "None":
                raise ValueError(item)
            return None
        return item

    options: dict[str, Any] = {"on_error": outcome} if outcome.startswith("skip") else {}
    if outcome == "handled":
        options["error_handler"] = Handler()
    task: Any
    if kind == "batch":
        if outcome == "retried":
            options |= {"retry_attempts": 2, "retry_delay": 0.5}
        task = batch_task(max_size=1, concurrency_limit=4, **options)(metered(kind, meter, work))
    elif outcome == "retried":
        task = single_task(concurrency_limit=4, retry_attempts=2, retry_delay=0.5, **options)(
            metered(kind, meter, work)
        )
    else:
        task = limited(kind, 4, meter, work, **options)
    got = await timeline(task.with_execution_mode(mode)(range(80)))
    assert meter.most == 4
    seconds = {"retried": 10 * 2.5 + 10 if kind == "async generator" else 30}  # no slot is idle
    assert got[-1][0] == seconds.get(outcome, 20)
    assert [at for at, _ in got[-40:]] == [got[-1][0] - 9 + n // 4 for n in range(40)]


@in_both_modes
async def test_each_stage_and_each_run_has_its_own_limit(mode: str) -> None:
    """F3, L6: a task that stands in a pipeline twice and runs twice has four times its limit."""
    meter = Meter()
    task = limited("async", 3, meter, timed_task(lambda item: 1.0))
    pipeline = (task | task).with_execution_mode(mode)
    one, other = await asyncio.gather(timeline(pipeline(range(12))), timeline(pipeline(range(12))))
    assert one == other
    assert [at for at, _ in one] == [2 + n // 3 for n in range(12)]
    assert meter.most == 4 * 3


@in_both_modes
async def test_a_window_below_the_limit_is_the_limit(mode: str) -> None:
    """F3: no more calls run than the window holds items."""
    meter = Meter()
    task = limited("async", 10, meter, timed_task(lambda item: 1.0))
    got = await timeline(task.with_context(max_in_flight=3, execution_mode=mode)(range(9)))
    assert [at for at, _ in got] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert meter.most == 3


@in_both_modes
async def test_a_sequential_task_takes_no_turn_for_each_item_that_it_lets_in(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3: with a full window, a call that suspends once costs the loop one callback, not two."""
    loop = asyncio.get_running_loop()
    callbacks, call_soon = 0, loop.call_soon

    def count(*args: Any, **options: Any) -> asyncio.Handle:
        nonlocal callbacks
        callbacks += 1
        return call_soon(*args, **options)

    monkeypatch.setattr(loop, "call_soon", count)
    task = SingleTask(function("async"), concurrency_limit=1).with_context(max_in_flight=50)
    assert await task.with_execution_mode(mode)(range(1000)).collect() == list(range(1000))
    assert callbacks < 1100


@in_both_modes
async def test_parked_generators_keep_within_the_limit(mode: str) -> None:
    """F3: generators that wait for room are calls, too: no more than the limit are open."""
    meter = Meter()

    @single_task(concurrency_limit=3)
    def generate(item: int) -> Iterator[int]:
        with meter:
            yield from range(50)

    got = []
    async for value in generate.with_context(max_in_flight=8, execution_mode=mode)(range(20)):
        got.append(value)
        await asyncio.sleep(1)
    assert sorted(got) == sorted([*range(50)] * 20)
    assert meter.most == 3
