"""How does a user of conveyor_rx have calls, or shards, on a cluster?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from conveyor_rx import Workers, single_task
from conveyor_rx.distributed import RayExecutor, run

from ..steps import Crew, Map
from ._clusters import AHEAD, chunks, cluster

__all__ = ["on_a_cluster"]


@contextmanager
def on_a_cluster(step: Map, crew: Crew) -> Iterator[Callable[[Iterable[int]], AsyncIterator[int]]]:
    with cluster(crew.kind, crew.number) as on, _executor(crew, on) as executor:
        yield _shards(step, crew, executor) if crew.of_shards else _stage(step, crew, executor)


def _executor(crew: Crew, on: Any) -> AbstractContextManager[Any]:
    """Give the executor of a cluster; that of Ray's actors starts them, and ends them."""
    if crew.kind == "ray":
        return RayExecutor(crew.number)
    return nullcontext(on.get_executor(pure=False))


def _stage(step: Map, crew: Crew, executor: Any) -> Any:
    workers = Workers(executor, chunk=crew.chunk)
    at_once = AHEAD * crew.number * crew.chunk
    return single_task(executor=workers, concurrency_limit=at_once)(step.func)


def _shards(step: Map, crew: Crew, executor: Any) -> Any:
    pipeline: Any = single_task(step.func)
    at_once = AHEAD * crew.number
    return lambda source: run(pipeline, chunks(source, crew.chunk), on=executor, in_flight=at_once)
