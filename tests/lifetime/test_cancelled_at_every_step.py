"""What is left when somebody cancels, closes or leaves, at any step? L2, L5 and L7."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    ErrorHandler,
    RetryConfig,
    SingleTask,
    single_task,
)
from conveyor_rx.testing import VirtualLoop, run
from tests.kit import in_both_modes, now, others
from tests.lifetime.watched import WAYS, Watch, consume, slow


async def source_of(watch: Watch, items: int) -> AsyncIterator[int]:
    """Give numbers with pauses."""
    with watch.work():
        for n in range(items):
            if n % 2:
                await watch.sleep(0.5)
            yield n


def flaky(watch: Watch, *bad: int, **options: Any) -> SingleTask[Any, Any]:
    """Make a task that fails at each first attempt, and always for the `bad` items."""
    tried: set[int] = set()

    async def work(item: int) -> int:
        with watch.work():
            await watch.sleep(0.5)
            if item not in tried or item in bad:
                tried.add(item)
                raise ValueError("boom")
            return item

    return SingleTask(work, **options)


def sync_generator(watch: Watch) -> SingleTask[Any, Any]:
    def work(item: int) -> Iterator[int]:
        with watch.work():
            for n in range(3):
                yield item * 10 + n

    return SingleTask(work)


def async_generator(watch: Watch) -> SingleTask[Any, Any]:
    async def work(item: int) -> AsyncIterator[int]:
        with watch.work():
            for n in range(3):
                await watch.sleep(0.25)
                yield item * 10 + n

    return SingleTask(work)


def batches(watch: Watch, *bad: int, **options: Any) -> BatchTask[Any, Any]:
    async def work(batch: list[int]) -> list[int]:
        with watch.work():
            await watch.sleep(0.5)
            if set(bad) & set(batch):
                raise ValueError("boom")
            return batch

    return BatchTask(work, 2, 3, **options)


class Patient(ErrorHandler):
    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    async def handle_error(self, error: Exception, item: Any, task_name: str, attempt: int) -> Any:
        with self.watch.work():
            await self.watch.sleep(0.5)
            return True, -item


class Pairs(BaseTask[Any, Any]):
    """A stage of the user's own that holds an item back."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        with self.watch.work():
            async for item in items:
                await self.watch.sleep(0.5)
                yield item


def with_sides(watch: Watch, *, once: bool = False) -> SingleTask[Any, Any]:
    """Make a task with side inputs; `once`: one is a coroutine, which may outlive the run (S1)."""

    async def awaited_once() -> int:
        await asyncio.sleep(1)
        return 100

    async def later() -> int:
        with watch.work():
            await watch.sleep(1)
            return 100

    async def shared() -> AsyncIterator[int]:
        for n in range(100):
            await asyncio.sleep(0.25)
            yield n * 1000

    async def work(item: int, one: int, first: int, more: AsyncIterator[int]) -> int:
        with watch.work():
            return item + one + first + await anext(more)

    return SingleTask(work).with_inputs(
        awaited_once() if once else later, slow(watch, 0.5)([7]), shared()
    )


Made = tuple[Any, Any]  # a pipeline and its data


def failing_in_the_middle(watch: Watch) -> Made:
    return slow(watch) | batches(watch, 4) | slow(watch), range(8)


REFERENCES: dict[str, Callable[[Watch], Made]] = {
    "two async": lambda w: (slow(w) | slow(w, 0.5), source_of(w, 4)),
    "def and async": lambda w: (SingleTask(lambda n: n + 1) | slow(w) | SingleTask(str), range(4)),
    "sync generator": lambda w: (slow(w) | sync_generator(w) | slow(w), range(3)),
    "async generator": lambda w: (async_generator(w) | slow(w), source_of(w, 3)),
    "batches": lambda w: (slow(w) | batches(w) | slow(w), source_of(w, 5)),
    "sequential": lambda w: (
        slow(w, 0.5) | SingleTask(slow(w).func, concurrency_limit=1),
        range(4),
    ),
    "rx": lambda w: (slow(w) | ops.map(lambda n: n * 2) | slow(w) | ops.take(3), source_of(w, 5)),
    "own": lambda w: (slow(w) | Pairs(w) | slow(w), source_of(w, 3)),
    "retries": lambda w: (
        flaky(w, 1, on_error="skip_item", retry_config=RetryConfig(3, 0.25)) | slow(w),
        range(3),
    ),
    "handler": lambda w: (flaky(w, 0, 1, error_handler=Patient(w)) | slow(w), source_of(w, 3)),
    "halving": lambda w: (batches(w, 1, on_error="skip_item") | slow(w), range(5)),
    "side inputs": lambda w: (with_sides(w) | slow(w), range(3)),
    "side inputs, a coroutine": lambda w: (with_sides(w, once=True) | slow(w), range(3)),
    "small windows": lambda w: (
        (async_generator(w) | slow(w) | sync_generator(w)).with_context(max_in_flight=2),
        source_of(w, 2),
    ),
    "small parallelism": lambda w: (
        (slow(w) | async_generator(w) | slow(w)).with_context(max_parallelism=2),
        range(2),
    ),
    "stream of a stream": lambda w: (slow(w) | slow(w), (slow(w) | batches(w))(source_of(w, 3))),
    "observable": lambda w: (slow(w), reactivex.from_iterable(range(3)).pipe(slow(w), ops.skip(1))),
    "failing": failing_in_the_middle,
}


class Case:
    """One run of a reference pipeline, in which something is done at one step."""

    def __init__(self, name: str, mode: str, way: str, action: str, step: int, seed: Any) -> None:
        self.watch = Watch()
        self.got: list[Any] = []
        self.open_at_end = 0
        self.hit = False
        self.steps = 0
        self._make = REFERENCES[name]
        self._mode, self._way, self._action, self._step = mode, way, action, step
        self._consumer: asyncio.Task[None] | None = None
        self._closer: asyncio.Task[None] | None = None
        self._stream: AsyncStream[Any] | None = None
        self.failed = False
        self.cancelled = False
        run(self._main, on_step=self._on_step, seed=seed)

    def _on_step(self, loop: VirtualLoop) -> None:
        consumer = self._consumer
        if consumer is None or consumer.done():
            return
        self.steps += 1
        if self.steps == self._step:
            self.hit = True
            if self._action.startswith("cancel"):
                consumer.cancel()
            else:
                assert self._stream is not None
                self._closer = loop.create_task(self._close(self._stream))
        elif self.hit and self.steps == self._step + 3 and self._action == "cancel twice":
            consumer.cancel()

    async def _close(self, stream: AsyncStream[Any]) -> None:
        await stream.aclose()
        self.open_at_end = self.watch.open

    async def _main(self) -> None:
        made, data = self._make(self.watch)
        self._stream = made.with_execution_mode(self._mode)(data)
        self._consumer = asyncio.create_task(self._consume(self._stream))
        await asyncio.wait({self._consumer})
        if self._closer is not None:
            await self._closer
        self.cancelled = self._consumer.cancelled()
        self.failed = not self.cancelled and self._consumer.exception() is not None
        started = self.watch.started
        await asyncio.sleep(50)
        assert self.watch.started == started, "something started after the end"
        assert self.watch.open == 0
        assert self.watch.cancelled == self.watch.cleaned, "a cleanup was cut short"
        for stage in self._stream.stats:
            ended = stage.completed + stage.failed + stage.skipped + stage.dropped + stage.cancelled
            assert stage.in_ == ended, stage
            assert stage.running == stage.waiting == 0
        self._stream = self._consumer = self._closer = None

    async def _consume(self, stream: AsyncStream[Any]) -> None:
        try:
            await consume(stream, self._way, self.got)
        finally:
            if self._action.startswith("cancel"):
                self.open_at_end = self.watch.open


@pytest.mark.no_cover
@pytest.mark.parametrize("name", REFERENCES)
@in_both_modes
@pytest.mark.parametrize("action", ["cancel", "cancel twice", "close"])
def test_at_every_step(name: str, mode: str, action: str) -> None:
    """L2, L3, L5, L7: all has ended when control comes back, what was delivered is a prefix."""
    whole = Case(name, mode, "async for", action, 0, None)
    assert whole.failed == (name == "failing")
    assert whole.steps > 10
    for step in range(1, whole.steps + 1):
        way = WAYS[step % len(WAYS)]
        case = Case(name, mode, way, action, step, None)
        assert case.hit or way == "collect"  # which takes fewer steps
        where = f"step {step}, {way}"
        if case.hit:
            assert case.open_at_end == 0, where
            assert case.cancelled == action.startswith("cancel"), where
        if mode == "ordered":
            assert case.got == whole.got[: len(case.got)], where
        else:
            assert Counter(case.got) <= Counter(whole.got), where


@pytest.mark.parametrize("name", REFERENCES)
@in_both_modes
def test_at_some_steps_of_shuffled_runs(name: str, mode: str) -> None:
    """L2, L5, L7: the same wherever the loop's order of callbacks may lead."""
    whole = Case(name, mode, "async for", "cancel", 0, None)
    for seed in range(1, 25):
        case = Case(
            name, mode, WAYS[seed % len(WAYS)], "cancel", 1 + seed * whole.steps // 25, seed
        )
        if case.hit:
            assert case.open_at_end == 0, seed
            assert case.cancelled, seed
        if mode == "ordered" and not name.startswith("side inputs"):
            assert case.got == whole.got[: len(case.got)], seed


@pytest.mark.virtual_time(seed=None)
@pytest.mark.parametrize("turns", range(1, 6))
async def test_calls_whose_tasks_are_cancelled_from_outside_end_the_run(turns: int) -> None:
    """L7: whether they have begun or not, whoever reads the stream learns of it at once."""

    @single_task
    async def work(number: int) -> int:
        await asyncio.sleep(1000)
        return number

    reader = asyncio.ensure_future(work(range(40)).collect())
    for _ in range(turns):
        await asyncio.sleep(0)
    cancelled = others() - {reader}
    assert cancelled
    for task in cancelled:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert now() < 1
    assert not others()


@pytest.mark.parametrize("seed", range(30))
def test_no_task_is_left_that_has_not_begun(seed: int) -> None:
    """L2, L5: a failure that comes when tasks wait for their first turn is raised after that."""

    @single_task
    async def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    async def main() -> None:
        with pytest.raises(ValueError, match="three"):
            await work(range(40)).collect()
        assert not others()

    run(main(), seed=seed)
