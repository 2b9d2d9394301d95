"""What if a probe ends the run that it watches? P1 and L2 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from reactivex import abc

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from tests.kit import in_both_modes


@single_task(concurrency_limit=2)
async def listed(item: int) -> list[int | None]:
    await asyncio.sleep(0)
    return [item, None, item, item]


@single_task(concurrency_limit=2)
async def failing(item: int) -> list[int]:
    if item:
        raise ValueError
    return [item, item]


@single_task(concurrency_limit=2)
def generated(item: int) -> Iterator[int]:
    yield from [item, item]


@single_task(concurrency_limit=2)
async def generated_async(item: int) -> AsyncIterator[int]:
    await asyncio.sleep(0)
    yield item
    yield item


@single_task(concurrency_limit=2)
async def one(item: int) -> int:
    await asyncio.sleep(0)
    return item


@batch_task(max_size=2)
async def batch(items: list[int]) -> list[int]:
    return items


@batch_task(max_size=2)
async def sums(items: list[int]) -> int:
    return sum(items)


retried = single_task(retry_attempts=2, retry_delay=0.1, concurrency_limit=1)(failing.func)

PIPELINES: dict[str, Any] = {
    "one": one,
    "list": listed,
    "generator": generated,
    "async generator": generated_async,
    "batch": batch,
    "sums": sums,
    "retried": retried,
}


@in_both_modes
@pytest.mark.parametrize("has_next", [False, True])
@pytest.mark.parametrize("kind", ["waiting", "call_started", "ready", "emitted", "call_ended"])
@pytest.mark.parametrize("name", PIPELINES)
async def test_a_probe_may_dispose_of_what_it_watches(
    name: str, kind: str, has_next: bool, mode: Any
) -> None:
    """L2: in the middle of several outputs, too; nobody is told of a failure."""
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    disposables: list[abc.DisposableBase] = []
    kinds: list[str] = []

    def dispose(event: Event) -> None:
        if event.kind == kind and event.stage >= 1 and disposables:
            kinds.append(event.kind)
            disposables[0].dispose()

    pipeline = PIPELINES[name] | one if has_next else PIPELINES[name]
    failures: list[Exception] = []
    with observe(dispose):
        stream = pipeline.with_execution_mode(mode)(range(6))
        disposables.append(stream.subscribe(lambda _: None, failures.append))
    await asyncio.sleep(1)
    assert kinds, "the event never came"
    assert (told, failures) == ([], [])


@in_both_modes
@pytest.mark.parametrize("kind", ["attempt_failed", "retried"])
@pytest.mark.parametrize("is_async", [True, False])
async def test_a_probe_may_dispose_of_what_is_tried_again_at_once(
    is_async: bool, kind: str, mode: Any
) -> None:
    """L2: no other attempt begins, and what was called is cancelled."""
    attempts: list[int] = []
    disposables: list[abc.DisposableBase] = []

    def work(item: int) -> int:
        attempts.append(item)
        raise ValueError

    async def work_later(item: int) -> int:
        await asyncio.sleep(0)
        return work(item)

    def dispose(event: Event) -> None:
        if event.kind == kind:
            disposables[0].dispose()

    task: Any = single_task(retry_attempts=3, retry_delay=0)(work_later if is_async else work)
    with observe(dispose):
        stream = task.with_execution_mode(mode)(one([0, 1]))
        disposables.append(stream.subscribe(lambda _: None))
    await asyncio.sleep(1)
    (stats,) = stream.stats
    assert len(attempts) == 1
    assert (stats.in_, stats.running) == (stats.cancelled, 0)
