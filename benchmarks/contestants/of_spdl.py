"""How does a user of spdl write it? It runs in a thread of its own; the user iterates in theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from spdl.pipeline import PipelineBuilder

from ..steps import Batch, Step

__all__ = ["collect", "iterate"]

SINK = 1024  # results that may wait for the user


async def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    pipeline = _pipeline(source, steps, ordered)
    with pipeline.auto_stop():
        for item in pipeline:
            yield item


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    pipeline = _pipeline(source, steps, ordered)
    with pipeline.auto_stop():
        return list(pipeline)


def _pipeline(source: Iterable[int], steps: Sequence[Step], ordered: bool) -> Any:
    builder: Any = PipelineBuilder().add_source(source)
    order = "input" if ordered else "completion"
    for step in steps:
        if isinstance(step, Batch):
            builder = builder.aggregate(step.size).pipe(step.func).disaggregate()
        else:
            limit = step.limit if step.is_async else 1  # more would be threads
            builder = builder.pipe(step.func, concurrency=limit, output_order=order)
            if step.many:
                builder = builder.disaggregate()
    return builder.add_sink(SINK).build(num_threads=1, use_thread_output_queue=True)
