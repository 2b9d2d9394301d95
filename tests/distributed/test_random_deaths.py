"""Random programs whose workers die, against a sequential model: order, loss, errors, limits.

`CONVEYOR_RX_DEATHS` says which programs, as "200" or "200:300"; these are seeds for `draw`.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import BatchTask, RetryConfig, SingleTask, WorkerLostError, Workers
from conveyor_rx.distributed import run

from . import work
from .deaths import Order, Plan, Refused, draw, obey, obey_all, shard
from .deaths_model import Blame, Outcome, check

pytestmark = pytest.mark.real_time("workers are processes")

if not hasattr(os, "fork"):
    pytest.skip("no processes here", allow_module_level=True)

NAMES = ("processes", "an executor of processes", "dask", "ray")
PATIENCE = 120  # seconds that no program takes


class Counted(Executor):
    """Another executor, of which the calls are counted that were submitted and have not ended."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.workers = 2

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            future = self.inner.submit(fn, *args, **kwargs)
        except BaseException:
            self._done()
            raise
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object = None) -> None:
        with self.lock:
            self.now -= 1


@dataclass
class Place:
    """Where calls are made, and how many programs are tried there."""

    programs: int
    executor: Callable[[], AbstractContextManager[Executor]] | None = None  # None: `Workers`
    kinds: tuple[str, ...] = ("shards", "items", "items", "batches")
    blame: Blame = field(default_factory=Blame)

    @contextmanager
    def workers(self, plan: Plan) -> Iterator[tuple[Workers[None], Counted | None]]:
        if self.executor is None:
            with Workers("processes", 2, chunk=plan.chunk) as workers:
                yield workers, None
        else:
            with self.executor() as executor, Workers(executor, chunk=plan.chunk) as workers:
                (lane,) = workers.pool()[0]._lanes
                lane.executor = counted = Counted(lane.executor)
                yield workers, counted


@pytest.fixture(params=NAMES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "processes":
            yield Place(8)
        elif request.param == "dask":
            yield stack.enter_context(on_dask(tmp_path))
        elif request.param == "ray":
            yield stack.enter_context(on_ray())
        else:
            spawn = get_context("spawn")
            yield Place(5, lambda: ProcessPoolExecutor(2, spawn), blame=Blame(of_all=True))


@contextmanager
def on_dask(folder: Path) -> Iterator[Place]:
    """Two workers with nannies, which start them again; a call is given up at the second death."""
    from .dask_cluster import dask_cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1")
        with dask_cluster(folder, 2, "--nanny") as cluster, cluster.client() as client:

            @contextmanager
            def executor() -> Iterator[Executor]:
                yield client.get_executor(pure=False)

            blame = Blame(patience=2, of_others=True)
            yield Place(4, executor, ("shards", "items"), blame)


@contextmanager
def on_ray() -> Iterator[Place]:
    from .ray_cluster import ray_cluster

    with ray_cluster():
        from conveyor_rx.distributed import RayExecutor

        with RayExecutor(2) as executor:
            wait([executor.submit(time.sleep, 0.1) for _ in range(2)])  # no test starts its threads

            @contextmanager
            def shared() -> Iterator[Executor]:
                yield executor

            yield Place(5, shared)


def seeds(programs: int) -> range:
    first, _, last = os.environ.get("CONVEYOR_RX_DEATHS", str(programs)).rpartition(":")
    return range(int(first or 0), int(last))


async def test_random_deaths(place: Place, tmp_path: Path) -> None:
    """X4, X5, X6, E1, E2, E3, S5, S6: results, errors and calls are those of the model."""
    left = 0  # deaths that the program before may have left
    for seed in seeds(place.programs):
        plan = draw(seed, place.kinds)
        folder = tmp_path / f"program-{seed}"
        folder.mkdir()
        try:
            outcome = await outcome_of(plan, place, folder)
            check(plan, place.blame, outcome, plan.deaths + left)
        except BaseException as error:
            error.add_note(f"program {seed}: {plan!r}")
            raise
        left = plan.deaths if outcome.error is not None else 0


async def outcome_of(plan: Plan, place: Place, folder: Path) -> Outcome:
    outcome = Outcome()
    with place.workers(plan) as (workers, counted):

        def look() -> None:
            stats = stream.stats[0]
            assert stats.running + stats.waiting_for_worker <= plan.limit * plan.size

        def source() -> Iterator[Order]:
            for order in plan.orders:
                look()
                yield order

        if plan.of == "shards":
            pipeline = shard.with_inputs(str(folder))
            stream = run(
                pipeline, source(), on=workers, in_flight=plan.limit, attempts=plan.attempts
            )
        else:
            stream = task(plan, workers, outcome).with_inputs(str(folder))(source())
        stream = stream if plan.ordered else stream.as_completed()
        async with asyncio.timeout(PATIENCE):
            try:
                async for result in stream:
                    outcome.results.append(result)
                    look()
            except (WorkerLostError, Refused) as error:
                outcome.error = error
        assert counted is None or counted.most <= plan.limit
        outcome.begun = Counter(work.begun(folder))
    return outcome


def task(plan: Plan, workers: Workers[None], outcome: Outcome) -> Any:
    options: dict[str, Any] = {
        "executor": workers,
        "concurrency_limit": plan.limit,
        "retry_config": RetryConfig(plan.attempts, base_delay=0, retry_on=WorkerLostError),
    }
    if plan.skips:
        options |= {"on_error": "skip_item", "dead_letter": outcome.letters.append}
    if plan.of == "items":
        return SingleTask(obey, **options)
    return BatchTask(obey_all, min_size=plan.size, max_size=plan.size, **options)
