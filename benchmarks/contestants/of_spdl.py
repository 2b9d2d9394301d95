"""How does a user of spdl write it? It runs in a thread of its own; the user iterates in theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from spdl.pipeline import PipelineBuilder

from ..steps import Batch, Map, Step
from ._executor import executor_of

__all__ = ["collect", "crew", "iterate"]

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


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Iterator[int]]]:
    assert step.crew is not None
    number, order = step.crew.number, "input" if ordered else "completion"
    with executor_of(step.crew) as executor:

        def start(source: Iterable[int]) -> Iterator[int]:
            builder: Any = PipelineBuilder().add_source(source)
            builder = builder.pipe(
                step.func, concurrency=2 * number, executor=executor, output_order=order
            )
            pipeline = builder.add_sink(SINK).build(num_threads=1)
            with pipeline.auto_stop():
                yield from pipeline

        yield start


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
