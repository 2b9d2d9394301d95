"""How does a user of conveyor_rx write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from reactivex import operators as ops

from conveyor_rx import AsyncStream, Pipeline, RateLimit, Workers, batch_task, single_task

from ..steps import CLUSTERS, Map, Source, Step

__all__ = ["collect", "crew", "iterate", "pipeline"]


def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    return aiter(pipeline(steps, ordered=ordered, window=window)(source))


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await pipeline(steps, ordered=ordered, window=window)(source).collect()


def pipeline(
    steps: Sequence[Step], *, ordered: bool, window: int | None
) -> Callable[[Source], AsyncStream[Any]]:
    made: Pipeline[Any, Any] = Pipeline().add(*map(_task, steps))
    if window is not None:
        made = made.with_context(max_in_flight=window)
    return made if ordered else made.as_completed


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], AsyncIterator[int]]]:
    crew = step.crew
    assert crew is not None
    if crew.kind in CLUSTERS:
        from ._ours_on_clusters import on_a_cluster  # with all that it needs

        with on_a_cluster(step, crew) as start:
            yield start
    else:
        kind: Any = crew.kind
        with Workers(kind, crew.number, chunk=crew.chunk) as workers:
            task: Any = single_task(executor=workers)(step.func)
            yield task if ordered else task.as_completed


def _task(step: Step) -> Any:
    if isinstance(step, Map):
        if step.inner:
            task = single_task(step.func)
            return ops.flat_map(lambda item: task([item]))
        return single_task(**_options(step))(step.func)
    return batch_task(1, step.size, max_wait=step.wait)(step.func)


def _options(step: Map) -> Any:
    options: dict[str, Any] = {"concurrency_limit": step.limit if step.is_async else None}
    if step.rate is not None:
        options["rate_limit"] = RateLimit(step.rate.starts, step.rate.per)
    if step.key is not None:
        options["key"] = step.key
    if step.retry is not None:
        options |= {"retry_attempts": step.retry.attempts, "retry_delay": step.retry.delay}
    return options | dict(step.more)
