"""How does a user of conveyor-streaming write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from conveyor import Pipeline, batch_task, single_task

from ..steps import Map, Step

__all__ = ["collect", "iterate", "pipeline"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    return aiter(pipeline(steps, ordered=ordered, window=window)(source))


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    # Its own collect() fails on as_completed streams.
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


def pipeline(
    steps: Sequence[Step], *, ordered: bool, window: int | None
) -> Callable[[Iterable[int]], Any]:
    made = Pipeline().add(*map(_task, steps))
    start = made if ordered else made.as_completed
    return lambda source: start(list(source))  # it iterates nothing else


def _task(step: Step) -> Any:
    if isinstance(step, Map):
        options: dict[str, Any] = {"concurrency_limit": step.limit} if step.is_async else {}
        if step.retry is not None:
            options |= {"retry_attempts": step.retry.attempts, "retry_delay": step.retry.delay}
        return single_task(**options)(step.func)
    return batch_task(min_size=1, max_size=step.size)(step.func)
