"""How does a plan become a real pipeline? Of stages and a source that report to a `Watch`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    Failure,
    Pipeline,
    RateLimit,
    RetryConfig,
    SingleTask,
)
from tests.kit import Boom
from tests.random_pipelines.plans import GENERATORS, Plan, Spec

__all__ = ["CALLED", "SOURCE", "Boom", "Watch", "build", "data"]

CALLED: ContextVar[Any] = ContextVar("CALLED", default=None)  # set by each call, for it alone
SOURCE = -1  # stands before stage 0


class Watch:
    """What is running in each stage, what it has taken and given, and what went wrong."""

    def __init__(self) -> None:
        self.now: Counter[int] = Counter()  # calls and generators under way, by stage
        self.most: Counter[int] = Counter()
        self.capped = self.most_capped = 0  # those that always count for max_parallelism
        self.taken: dict[int, list[int]] = {}  # the items of the calls that went well, by stage
        self.given: dict[int, list[int]] = {}  # their outputs
        self.letters: dict[int, list[int]] = {}  # the items whose dead letters were accepted
        self.pulled = self.delivered = 0
        self.starts: dict[int, list[float]] = {}  # of all attempts, by stage
        self.keys: set[tuple[int, int]] = set()  # for which a call goes on, by stage
        self.failed_before: set[tuple[int, int]] = set()
        self.sightings: set[str] = set()  # scenarios that occurred
        self.wrong: list[str] = []
        self.is_over = False

    def begin(self, stage: int, what: Any) -> None:
        """Note a call: not after the end, and in a context in which no other call was made."""
        if self.is_over:
            self.wrong.append(f"stage {stage} was called with {what} after the end")
        if CALLED.get() is not None:
            other = CALLED.get()
            self.wrong.append(f"stage {stage}: {what} is called in the context of {other}")
        CALLED.set((stage, what))
        self.starts.setdefault(stage, []).append(asyncio.get_running_loop().time())

    def enter(self, stage: int, *, capped: bool) -> None:
        self.now[stage] += 1
        self.most[stage] = max(self.most[stage], self.now[stage])
        self.capped += capped
        self.most_capped = max(self.most_capped, self.capped)

    def leave(self, stage: int, *, capped: bool) -> None:
        self.now[stage] -= 1
        self.capped -= capped

    def take(self, stage: int, items: Iterable[int]) -> None:
        self.taken.setdefault(stage, []).extend(items)

    def give(self, stage: int, outputs: Iterable[int]) -> None:
        self.given.setdefault(stage, []).extend(outputs)

    def pull(self, item: int) -> int:
        if self.is_over:
            self.wrong.append(f"item {item} was pulled after the end")
        self.pulled += 1
        self.give(SOURCE, [item])
        return item


def build(plan: Plan, watch: Watch) -> Pipeline[Any, Any]:
    """Make the real pipeline of `plan`, which reports to `watch`."""
    pipeline = Pipeline().with_context(
        execution_mode="ordered" if plan.ordered else "as_completed",
        max_in_flight=plan.window,
        max_parallelism=plan.parallelism,
    )
    for number, spec in enumerate(plan.stages):
        pipeline = pipeline | _Functions(number, spec, watch).stage()
    return pipeline


class _Functions:
    """The functions of one stage, in each of the ways in which one may be written."""

    def __init__(self, number: int, spec: Spec, watch: Watch) -> None:
        self.number = number
        self.spec = spec
        self.watch = watch

    def stage(self) -> Any:
        """Make the stage of the kind that is asked for."""
        spec = self.spec
        options: dict[str, Any] = {
            "on_error": spec.on_error,
            "retry_config": RetryConfig(
                max_attempts=spec.attempts, base_delay=spec.delay, total_timeout=spec.total
            ),
            "concurrency_limit": spec.limit,
            "task_name": f"{spec.kind} {self.number}",
        }
        if spec.rate is not None:
            options["rate_limit"] = RateLimit(spec.rate[0], per=spec.rate[1])
        if spec.budget is not None:
            options["max_failures"] = spec.budget
        if spec.letter is not None:
            options["dead_letter"] = self.write_down
        if spec.is_batch:
            options["max_wait"] = spec.max_wait
            if spec.is_measured:
                options |= {"max_weight": spec.max_weight, "weight": spec.weight}
            if spec.groups:
                options["group_by"] = spec.key
            return BatchTask(self.call_batch, spec.min_size, spec.max_size, **options)
        if spec.kind == "rx":
            return ops.map(self.compute)
        if spec.kind == "own":
            return _Own(self)
        if spec.keys is not None:
            options["key"] = spec.key_of
        if spec.kind == "side input":
            return SingleTask(self.call_with_side, **options).with_inputs(AsyncStream(self.later()))
        if spec.timeout is not None:
            options["timeout"] = spec.timeout
        functions: dict[str, Callable[..., Any]] = {
            "async": self.call,
            "generator": self.generate,
            "async generator": self.generate_async,
        }
        return SingleTask(functions.get(spec.kind, self.call_now), **options)

    # -- what all of them do

    def enter(self) -> None:
        self.watch.enter(self.number, capped=self.spec.kind not in (*GENERATORS, "lazy", "own"))

    def leave(self) -> None:
        self.watch.leave(self.number, capped=self.spec.kind not in (*GENERATORS, "lazy", "own"))

    def take_key(self, item: int) -> None:
        """Check that no other call for its key goes on (K1)."""
        if self.spec.keys is not None:
            key = self.number, self.spec.key_of(item)
            if key in self.watch.keys:
                self.watch.wrong.append(f"two calls at once for {key}")
            if any(stage == self.number for stage, _ in self.watch.keys):
                self.watch.sightings.add("calls for several keys at once")
            self.watch.keys.add(key)

    def leave_key(self, item: int) -> None:
        self.watch.keys.discard((self.number, self.spec.key_of(item)))

    def fail(self, items: list[int]) -> None:
        """Fail as one of `items` is bound to."""
        if not self.spec.failing:
            return
        bad = [item for item in items if self.spec.fails(item)]
        fresh = [item for item in bad if (self.number, item) not in self.watch.failed_before]
        self.watch.failed_before.update((self.number, item) for item in bad)
        if fresh or (bad and not self.spec.transient):
            if len(items) > 1 and self.spec.on_error == "skip_item" and not self.spec.transient:
                self.watch.sightings.add("batch halved")
            raise Boom(bad)

    async def write_down(self, failure: Failure) -> None:
        """Accept a dead letter: it is in the slot of its call, or of the item that has none.

        But if the time is over for all attempts, it does not wait for a slot.
        """
        has_slot = self.spec.total is None
        if has_slot:
            self.enter()
        try:
            if self.watch.is_over:
                self.watch.wrong.append(f"a letter for {failure.item} after the end")
            if self.spec.letter:
                await asyncio.sleep(self.spec.letter)
            self.watch.letters.setdefault(self.number, []).append(failure.item)
        finally:
            if has_slot:
                self.leave()

    async def work(self, item: int) -> None:
        if self.spec.latency:
            await asyncio.sleep(self.spec.seconds(item))

    def compute(self, item: int) -> int:
        """Do the work of a stage that gives one output for each item."""
        (output,) = self.spec.outputs(item)
        self.watch.take(self.number, [item])
        self.watch.give(self.number, [output])
        return output

    # -- the ways to write it

    async def call(self, item: int) -> int:
        self.enter()
        self.take_key(item)
        try:
            self.watch.begin(self.number, item)
            await self.work(item)
            self.fail([item])
            return self.compute(item)
        finally:
            self.leave_key(item)
            self.leave()

    async def call_with_side(self, item: int, salt: int) -> int:
        return await self.call(item) - self.spec.salt + salt

    async def later(self) -> AsyncIterator[int]:
        await asyncio.sleep(0.3)
        yield self.spec.salt

    def call_now(self, item: int) -> Any:
        self.watch.begin(self.number, item)
        self.fail([item])
        values = self.spec.outputs(item)
        if self.spec.kind == "lazy":
            return self.put_out(item, values)
        self.watch.take(self.number, [item])
        self.watch.give(self.number, values)
        if self.spec.kind == "list":
            return values
        return values[0] if values else None

    def generate(self, item: int) -> Iterator[int]:
        self.watch.begin(self.number, item)
        self.fail([item])
        yield from self.put_out(item, self.spec.outputs(item))

    def put_out(self, item: int, values: list[int]) -> Iterator[int]:
        self.enter()
        try:
            for value in values:
                self.watch.give(self.number, [value])
                yield value
            self.watch.take(self.number, [item])
        finally:
            self.leave()

    async def generate_async(self, item: int) -> AsyncIterator[int]:
        self.enter()
        self.take_key(item)
        try:
            self.watch.begin(self.number, item)
            self.fail([item])
            for value in self.spec.outputs(item):
                await self.work(item)
                self.watch.give(self.number, [value])
                yield value
            self.watch.take(self.number, [item])
        finally:
            self.leave_key(item)
            self.leave()

    def look_at(self, batch: list[int]) -> None:
        """Check that a batch with weights or keys may be one (B5, B6)."""
        spec, watch = self.spec, self.watch
        if spec.is_measured:
            watch.sightings.add("batches with weights")
            weights = [spec.weight(item) for item in batch]
            if min(weights) < 0 or (len(batch) > 1 and sum(weights) > (spec.max_weight or 0)):
                watch.wrong.append(f"stage {self.number}: a batch of weights {weights}")
        if spec.groups:
            watch.sightings.add("batches with keys")
            if len({spec.key(item) for item in batch}) > 1:
                watch.wrong.append(f"stage {self.number}: several keys in {batch}")

    async def call_batch(self, batch: list[int]) -> Any:
        self.enter()
        try:
            self.watch.begin(self.number, batch)
            self.look_at(batch)
            await self.work(batch[0])
            self.fail(batch)
            values = self.spec.of_batch(batch)
            self.watch.take(self.number, batch)
            self.watch.give(self.number, values)
            return values if self.spec.kind == "list batch" else values[0]
        finally:
            self.leave()


class _Own(BaseTask[int, int]):
    def __init__(self, functions: _Functions) -> None:
        self.functions = functions

    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        self.functions.enter()
        try:
            async for item in items:
                yield self.functions.compute(item)
        finally:
            self.functions.leave()


def data(plan: Plan, watch: Watch) -> Any:
    """Make the source of `plan`."""
    error = Boom("source") if plan.source_fails else None

    def pull() -> Iterator[int]:
        watch.enter(SOURCE, capped=False)
        try:
            for n in range(plan.items):
                yield watch.pull(n)
            if error is not None:
                raise error
        finally:
            watch.leave(SOURCE, capped=False)

    async def pull_async() -> AsyncIterator[int]:
        watch.enter(SOURCE, capped=False)
        try:
            for n in range(plan.items):
                if n % 3 == 0:
                    await asyncio.sleep(0.1)
                yield watch.pull(n)
            if error is not None:
                raise error
        finally:
            watch.leave(SOURCE, capped=False)

    if plan.source == "observable":
        end = reactivex.throw(error) if error is not None else reactivex.empty()
        items = reactivex.from_iterable(range(plan.items)).pipe(ops.map(watch.pull))
        return reactivex.concat(items, end)
    return pull_async() if plan.source == "async" else pull()
