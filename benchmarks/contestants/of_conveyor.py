"""How does a user of conveyor-streaming write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from conveyor import Pipeline, batch_task, single_task

from ..steps import Map, Step

__all__ = ["collect", "iterate"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    pipeline = Pipeline().add(*map(_task, steps))
    data = list(source)  # it iterates nothing else
    return aiter(pipeline(data) if ordered else pipeline.as_completed(data))


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    # Its own collect() fails on as_completed streams.
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


def _task(step: Step) -> Any:
    if isinstance(step, Map):
        options: dict[str, Any] = {"concurrency_limit": step.limit} if step.is_async else {}
        if step.retry is not None:
            options |= {"retry_attempts": step.retry.attempts, "retry_delay": step.retry.delay}
        return single_task(**options)(step.func)
    return batch_task(min_size=1, max_size=step.size)(step.func)
