"""How does a user of conveyor_rx write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from conveyor_rx import AsyncStream, Pipeline, batch_task, single_task

from ..steps import Map, Step

__all__ = ["collect", "iterate"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    return aiter(_stream(source, steps, ordered, window))


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await _stream(source, steps, ordered, window).collect()


def _stream(
    source: Iterable[int], steps: Sequence[Step], ordered: bool, window: int | None
) -> AsyncStream[Any]:
    pipeline: Pipeline[Any, Any] = Pipeline().add(*map(_task, steps))
    if window is not None:
        pipeline = pipeline.with_context(max_in_flight=window)
    return pipeline(source) if ordered else pipeline.as_completed(source)


def _task(step: Step) -> Any:
    if isinstance(step, Map):
        return single_task(step.func, concurrency_limit=step.limit if step.is_async else None)
    return batch_task(1, step.size)(step.func)
