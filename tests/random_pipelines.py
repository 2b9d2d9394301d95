"""What should a random pipeline give? Pipelines drawn by Hypothesis, and a sequential model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import reactivex
from hypothesis import strategies as st
from reactivex import operators as ops

from conveyor_rx import BaseTask, BatchTask, Pipeline, RetryConfig, SingleTask

SINGLES = ("async", "sync", "generator", "async generator", "list", "lazy", "filter")
KINDS = (*SINGLES, "batch", "list batch", "side input", "rx", "own")


class Boom(Exception):
    """The failure that tasks and sources are told to raise."""


@dataclass(frozen=True)
class Spec:
    """One stage: what it does to an item is a pure function of item and salt."""

    kind: str
    salt: int
    limit: int | None = None
    latency: float = 0.0
    failing: int = 0  # of 100 items, how many fail
    transient: bool = False  # fail at the first attempt only
    on_error: str = "fail"
    attempts: int = 1
    min_size: int = 1
    max_size: int = 1

    def luck(self, item: int) -> int:
        """Give a number of 0 to 99 that depends on item and salt."""
        return random.Random(item * 1009 + self.salt).randrange(100)

    def fails(self, item: int) -> bool:
        return self.luck(item) < self.failing

    def outputs(self, item: int) -> list[int]:
        """Give what the stage makes of one item that does not fail."""
        if self.kind in ("generator", "async generator", "list", "lazy"):
            return [item * 3 + n for n in range(self.luck(item) % 4)]
        if self.kind == "filter":
            return [item] if self.luck(item) % 3 else []
        return [item + self.salt]

    def of_batch(self, batch: list[int]) -> list[int]:
        return [n + self.salt for n in batch] if self.kind == "list batch" else [sum(batch)]


@dataclass(frozen=True)
class Plan:
    """A whole run: the stages, the data and how they are run."""

    stages: tuple[Spec, ...]
    items: int
    source: str
    source_fails: bool
    ordered: bool
    window: int | None
    parallelism: int | None
    pause: float  # seconds that the consumer takes for a result
    seed: int | None


Result = tuple[list[int], str | None]  # outputs, and what ended them: "source", "call" or nothing


def model(plan: Plan) -> Result:
    """Say what the run gives in ordered mode: one stage after the other, one item at a time."""
    items, end = list(range(plan.items)), "source" if plan.source_fails else None
    for spec in plan.stages:
        given: list[int] = []
        if "batch" in spec.kind:
            rest = len(items) % spec.max_size
            if rest and (rest < spec.min_size or end == "call"):
                items = items[: len(items) - rest]
            units = [items[n : n + spec.max_size] for n in range(0, len(items), spec.max_size)]
        else:
            units = [[item] for item in items]
        for unit in units:
            bad = [n for n in unit if spec.fails(n) and not spec.transient]
            if bad and spec.on_error == "fail":
                end = "call"
                break
            if bad and spec.on_error == "skip_item" and "batch" in spec.kind:
                for good in _halves(unit, bad):
                    given += spec.of_batch(good)
            elif not bad:
                given += spec.of_batch(unit) if "batch" in spec.kind else spec.outputs(unit[0])
        items = given
    return items, end


def _halves(batch: list[int], bad: list[int]) -> Iterator[list[int]]:
    if not any(n in bad for n in batch):
        yield batch
    elif len(batch) > 1:
        yield from _halves(batch[: len(batch) // 2], bad)
        yield from _halves(batch[len(batch) // 2 :], bad)


class Watch:
    """What is running in each stage, and what was the most."""

    def __init__(self) -> None:
        self.now: dict[int, int] = {}
        self.most: dict[int, int] = {}
        self.total = self.most_total = self.pulled = self.open_generators = 0
        self.failed_before: set[tuple[int, int]] = set()

    def enter(self, stage: int) -> None:
        self.now[stage] = self.now.get(stage, 0) + 1
        self.most[stage] = max(self.most.get(stage, 0), self.now[stage])
        self.total += 1
        self.most_total = max(self.most_total, self.total)

    def leave(self, stage: int) -> None:
        self.now[stage] -= 1
        self.total -= 1


def build(plan: Plan, watch: Watch) -> Pipeline[Any, Any]:
    """Make the real pipeline of `plan`, which reports to `watch`."""
    pipeline = Pipeline().with_context(
        execution_mode="ordered" if plan.ordered else "as_completed",
        max_in_flight=plan.window,
        max_parallelism=plan.parallelism,
    )
    for number, spec in enumerate(plan.stages):
        pipeline = pipeline | _stage(number, spec, watch)
    return pipeline


def _stage(number: int, spec: Spec, watch: Watch) -> Any:
    options: dict[str, Any] = {
        "on_error": spec.on_error,
        "retry_config": RetryConfig(max_attempts=spec.attempts, base_delay=0.5),
        "concurrency_limit": spec.limit,
        "task_name": f"{spec.kind} {number}",
    }

    def check(item: int) -> None:
        if spec.fails(item):
            first = (number, item) not in watch.failed_before
            watch.failed_before.add((number, item))
            if first or not spec.transient:
                raise Boom(item)

    async def calm(item: int) -> None:
        if spec.latency:
            await asyncio.sleep(spec.latency * (1 + spec.luck(item) % 7))

    async def call(item: int) -> int:
        watch.enter(number)
        try:
            await calm(item)
            check(item)
            return spec.outputs(item)[0]
        finally:
            watch.leave(number)

    def call_now(item: int) -> Any:
        check(item)
        values = spec.outputs(item)
        if spec.kind == "list":
            return values
        if spec.kind == "lazy":
            return iter_lazily(values)
        return values[0] if values else None

    def iter_lazily(values: list[int]) -> Iterator[int]:
        yield from values

    def generate(item: int) -> Iterator[int]:
        check(item)
        yield from spec.outputs(item)

    async def generate_async(item: int) -> AsyncIterator[int]:
        watch.enter(number)
        try:
            check(item)
            for value in spec.outputs(item):
                await calm(item)
                yield value
        finally:
            watch.leave(number)

    async def call_batch(batch: list[int]) -> Any:
        watch.enter(number)
        try:
            await calm(batch[0])
            bad = [item for item in batch if spec.fails(item)]
            fresh = [item for item in bad if (number, item) not in watch.failed_before]
            watch.failed_before.update((number, item) for item in bad)
            if bad and (fresh or not spec.transient):
                raise Boom(bad)
            values = spec.of_batch(batch)
            return values if spec.kind == "list batch" else values[0]
        finally:
            watch.leave(number)

    async def with_side(item: int, add: int) -> int:
        return await call(item) - spec.salt + add

    async def later() -> int:
        await asyncio.sleep(0.3)
        return spec.salt

    if "batch" in spec.kind:
        return BatchTask(call_batch, spec.min_size, spec.max_size, **options)
    if spec.kind == "side input":
        return SingleTask(with_side, **options).with_inputs(later())
    if spec.kind == "rx":
        return ops.map(lambda item: item + spec.salt)
    if spec.kind == "own":
        return _Own(spec)
    functions: dict[str, Callable[..., Any]] = {
        "async": call,
        "generator": generate,
        "async generator": generate_async,
    }
    return SingleTask(functions.get(spec.kind, call_now), **options)


class _Own(BaseTask[int, int]):
    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            yield self.spec.outputs(item)[0]


def data(plan: Plan, watch: Watch) -> Any:
    """Make the source of `plan`."""

    def pull() -> Iterator[int]:
        for n in range(plan.items):
            watch.pulled += 1
            yield n
        if plan.source_fails:
            raise Boom("source")

    async def pull_async() -> AsyncIterator[int]:
        for n in pull():
            if n % 3 == 0:
                await asyncio.sleep(0.1)
            yield n

    if plan.source == "observable":
        end = reactivex.throw(Boom("source")) if plan.source_fails else reactivex.empty()
        return reactivex.concat(reactivex.from_iterable(range(plan.items)), end)
    return pull_async() if plan.source == "async" else pull()


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    kind = draw(st.sampled_from(KINDS))
    fallible = kind not in ("rx", "own")
    max_size = draw(st.integers(1, 5))
    attempts = draw(st.sampled_from([1, 2]))
    return Spec(
        kind=kind,
        salt=draw(st.integers(1, 50)),
        limit=draw(st.one_of(st.none(), st.integers(1, 16))),
        latency=draw(st.sampled_from([0.0, 0.1, 1.0])),
        failing=draw(st.sampled_from([0, 0, 3, 15])) if fallible else 0,
        transient=attempts > 1 and draw(st.booleans()),
        on_error=draw(st.sampled_from(["fail", "fail", "skip_item", "skip_batch"])),
        attempts=attempts,
        min_size=draw(st.integers(1, max_size)),
        max_size=max_size,
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    return Plan(
        stages=tuple(draw(st.lists(specs(), min_size=1, max_size=6))),
        items=draw(st.integers(0, 40)),
        source=draw(st.sampled_from(["sync", "async", "observable"])),
        source_fails=draw(st.sampled_from([False, False, False, True])),
        ordered=draw(st.booleans()),
        window=draw(st.one_of(st.none(), st.integers(1, 32))),
        parallelism=draw(st.one_of(st.none(), st.none(), st.integers(1, 8))),
        pause=draw(st.sampled_from([0.0, 0.0, 0.5])),
        seed=draw(st.one_of(st.none(), st.integers(0, 1000))),
    )
