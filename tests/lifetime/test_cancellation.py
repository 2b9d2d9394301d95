"""What is left when somebody cancels, at any step? L2, L5 and L7 of the contract."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
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
from conveyor_rx.testing import VirtualLoop, run, source

MODES = ("ordered", "as_completed")
in_both_modes = pytest.mark.parametrize("mode", MODES)
WAYS = ("async for", "collect", "anext", "async with")
in_all_ways = pytest.mark.parametrize("way", WAYS)


def now() -> float:
    return asyncio.get_running_loop().time()


async def tenfold(item: int) -> int:
    return item * 10


def others() -> set[asyncio.Task[Any]]:
    """Give the tasks that have not ended, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


class Watch:
    """What user code is open, what of it was cancelled, and whether it could clean up in peace."""

    def __init__(self) -> None:
        self.open = self.started = self.cancelled = self.cleaned = 0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count what is inside as running."""
        self.open += 1
        self.started += 1
        try:
            yield
        finally:
            self.open -= 1

    async def sleep(self, seconds: float, cleanup: float = 0.25) -> None:
        """Sleep; if cancelled, take some time to clean up."""
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(cleanup)
            self.cleaned += 1
            raise


def slow(watch: Watch, seconds: float = 1.0, cleanup: float = 0.25) -> SingleTask[Any, Any]:
    """Make a task whose calls take `seconds`, and `cleanup` more to be cancelled."""

    async def work(item: Any) -> Any:
        with watch.work():
            await watch.sleep(seconds, cleanup)
            return item

    return SingleTask(work)


async def consume(stream: AsyncStream[Any], way: str, got: list[Any]) -> None:
    """Read the stream to its end."""
    if way == "async for":
        async for item in stream:
            got.append(item)  # noqa: PERF401  # kept if it fails
    elif way == "collect":
        got += await stream.collect()
    elif way == "async with":
        async with stream:
            async for item in stream:
                got.append(item)
    else:
        while True:
            try:
                got.append(await anext(stream))
            except StopAsyncIteration:
                return


# -- a consumer is cancelled


@in_all_ways
@in_both_modes
async def test_a_consumer_that_is_cancelled_leaves_nothing(way: str, mode: Any) -> None:
    """L2, L7: the CancelledError comes out when every call has been cancelled and has ended."""
    watch = Watch()
    pipeline = slow(watch, 1) | slow(watch, 50, cleanup=3) | slow(watch)
    stream = pipeline.with_execution_mode(mode)(range(4))
    ends: list[Any] = []

    async def reading() -> None:
        try:
            await consume(stream, way, [])
        except asyncio.CancelledError:
            ends.append((now(), watch.open, len(others())))
            raise

    task = asyncio.create_task(reading())
    await asyncio.sleep(10)
    assert watch.open == 4
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert ends == [(13, 0, 1)]  # the one that is left is this test
    assert watch.cancelled == watch.cleaned == 4
    started = watch.started
    await asyncio.sleep(100)
    assert watch.started == started
    assert await anext(stream, None) is None


@in_all_ways
async def test_a_consumer_that_is_cancelled_twice(way: str) -> None:
    """L2, L7: an impatient second cancel (and third) neither cuts the cleanup short nor leaks."""
    watch = Watch()
    stream = slow(watch, 50, cleanup=5)(range(3))
    task = asyncio.create_task(consume(stream, way, []))
    await asyncio.sleep(10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(1)
    assert not task.done()
    assert watch.open == 3
    await asyncio.wait({task})
    assert now() == 15
    assert task.cancelled()
    assert watch.cleaned == watch.cancelled == 3
    assert not others()


@in_all_ways
async def test_a_timeout_around_a_consumer(way: str) -> None:
    """L7, L2: asyncio.timeout gives TimeoutError after the cleanup; the task is unharmed."""
    watch = Watch()
    stream = (slow(watch) | slow(watch, 50, cleanup=2))(range(3))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await consume(stream, way, [])
    assert now() == 12
    assert not others()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_wait_for_around_anext_closes_the_run() -> None:
    """L2: a cancelled `__anext__` is a cancelled consumer."""
    watch = Watch()
    stream = slow(watch, 5, cleanup=1)(range(3))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 2)
    assert now() == 3
    assert watch.open == 0
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_task_group_cancels_its_consumers() -> None:
    """L2, L7: when one member fails, the group's end finds every run ended."""
    watch = Watch()

    async def fail() -> None:
        await asyncio.sleep(2)
        raise ValueError("boom")

    async def read_together() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(slow(watch, 50)([1]).collect())
            group.create_task(consume(slow(watch, 50)([1, 2]), "async for", []))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as info:
        await read_together()
    assert [type(error) for error in info.value.exceptions] == [ValueError]
    assert watch.open == 0
    assert watch.cleaned == 3
    assert now() == 2.25


async def test_cancelled_between_two_items() -> None:
    """L2, L4: in the loop's body the stream can't wait for its calls; dropped, it closes."""
    watch = Watch()

    async def reading() -> None:
        async for _ in slow(watch, 1)(range(50)):
            await asyncio.sleep(100)

    task = asyncio.create_task(reading())
    await asyncio.sleep(0.5)
    assert watch.open == 50
    await asyncio.sleep(10)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert not others()

    async def reading_with() -> None:
        async with slow(watch, 1, cleanup=4)(range(5)) as stream:
            async for _ in stream:
                await stream_of_others.collect()

    stream_of_others = slow(watch, 99, cleanup=1)(range(2))
    task = asyncio.create_task(reading_with())
    await asyncio.sleep(10)
    task.cancel()
    await asyncio.wait({task})
    assert watch.open == 0
    assert not others()


async def test_cancelled_before_the_first_step() -> None:
    """L2, F1: a consumer that never began has opened nothing."""
    watch = Watch()
    stream = slow(watch)(range(3))
    task = asyncio.create_task(stream.collect())
    task.cancel()
    await asyncio.wait({task})
    assert watch.started == 0
    assert await stream.collect() == [0, 1, 2]


@in_both_modes
async def test_the_task_that_pulls_is_cancelled_before_its_first_step(mode: Any) -> None:
    """L1, L7: by who ends all tasks of the loop, say; the consumer does not wait for ever."""
    stream = SingleTask(tenfold).with_execution_mode(mode)(source("012|"))
    consumer = asyncio.create_task(stream.collect())
    while not (pulling := others() - {consumer}):
        assert not consumer.done()
        await asyncio.sleep(0)
    (task,) = pulling
    assert inspect.getcoroutinestate(task.get_coro()) == "CORO_CREATED"  # type: ignore[arg-type]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert not others()


@in_both_modes
async def test_a_call_that_is_cancelled_before_its_first_step(mode: Any) -> None:
    """L1, E8: by who ends all tasks of the loop, say; that call has failed, and with it the run."""

    async def generate(item: int) -> AsyncIterator[int]:
        yield item

    stream = SingleTask(generate).with_execution_mode(mode)([0, 1])
    consumer = asyncio.create_task(stream.collect())
    while not (calls := others() - {consumer}):
        assert not consumer.done()
        await asyncio.sleep(0)
    for call in calls:
        assert inspect.getcoroutinestate(call.get_coro()) == "CORO_CREATED"  # type: ignore[arg-type]
        call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert (stream.stats[0].failed, stream.stats[0].cancelled) == (1, 1)
    assert not others()


@in_both_modes
async def test_the_task_that_pulls_is_cancelled(mode: Any) -> None:
    """L7: from outside: the run fails with that, and the task ends as a cancelled one."""
    pulling: list[asyncio.Task[Any]] = []

    async def pull() -> AsyncIterator[int]:
        pulling.append(asyncio.current_task())  # type: ignore[arg-type]
        yield 1
        await asyncio.sleep(50)

    stream = SingleTask(tenfold).with_execution_mode(mode)(pull())
    assert await anext(stream) == 10
    await asyncio.sleep(1)
    pulling[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await anext(stream)
    assert pulling[0].cancelled()
    assert not others()


async def test_cancelled_while_it_waits_for_the_calls_behind_a_failure() -> None:
    """L7, E1: cancellation wins over the failure that would have been raised, and awaits."""
    watch = Watch()

    async def fail(item: int) -> int:
        if item == 0:
            await asyncio.sleep(1)
            raise ValueError("boom")
        with watch.work():
            await watch.sleep(50, cleanup=10)
        return item

    task = asyncio.create_task(SingleTask(fail)(range(3)).collect())
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert now() == 11
    assert watch.cleaned == 2


# -- calls that do not go quietly


@in_both_modes
async def test_a_call_that_suppresses_cancellation_for_a_while(mode: Any) -> None:
    """L2: it is waited for; what it returns is delivered to nobody."""
    log: list[Any] = []

    async def stubborn(item: int) -> int:
        for _ in range(3):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                log.append(("cancelled", now()))
        log.append(("done", now()))
        return item

    seen: list[int] = []

    @single_task
    async def after(item: int) -> int:
        seen.append(item)
        return item

    stream = (SingleTask(stubborn) | after).with_execution_mode(mode)([0])
    task = asyncio.create_task(stream.collect())
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert log == [("cancelled", 5), ("done", 25)]  # cancelled once, at 5 s
    assert now() == 25
    assert seen == []
    assert (stream.stats[0].cancelled, stream.stats[1].in_) == (1, 0)


@in_both_modes
async def test_a_call_behind_a_failure_that_suppresses_its_cancellation(mode: Any) -> None:
    """E1, E9: no call is made with what it returns, and its item counts as cancelled."""

    async def work(item: int) -> int:
        try:
            await asyncio.sleep(item // 2)
        except asyncio.CancelledError:
            return item
        if item == 2:
            raise ValueError("boom")
        return item

    seen: list[int] = []
    stages = SingleTask(work) | SingleTask[int, None](seen.append)
    stream = stages.with_execution_mode(mode)([0, 1, 2, 9])
    with pytest.raises(ValueError, match="boom"):
        await stream.collect()
    assert seen == [0, 1]
    first, second = stream.stats
    assert (first.completed, first.failed, first.cancelled, first.out) == (2, 1, 1, 2)
    assert second.in_ == 2


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, StopAsyncIteration])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch", "handler"])
async def test_a_call_that_fails_in_its_cleanup(error: type[BaseException], kind: str) -> None:
    """L2, E9: the close is a close, and when all has ended, raises what failed meanwhile."""

    async def work(item: Any) -> Any:
        try:
            await asyncio.sleep(50)
        finally:
            await asyncio.sleep(1)
            raise error("cleanup")

    async def generate(item: Any) -> AsyncIterator[Any]:
        yield await work(item)

    async def fail(item: Any) -> Any:
        raise ValueError("boom")

    class Handler(ErrorHandler):
        async def handle_error(self, *args: Any) -> Any:
            return await work(0)

    tasks: dict[str, Any] = {
        "async": SingleTask(work),
        "async generator": SingleTask(generate),
        "batch": BatchTask(work, 2, 2),
        "handler": SingleTask(fail, error_handler=Handler()),
    }
    stream = tasks[kind](range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(2)
    if error is asyncio.CancelledError:
        await stream.aclose()
    else:
        with pytest.raises((error, ExceptionGroup, RuntimeError)) as info:
            await stream.aclose()
        failures = getattr(info.value, "exceptions", (info.value,))
        assert len(failures) == (1 if kind == "batch" else 2)
    assert now() == 3
    assert not others() - {reading}
    assert await reading == []


async def test_a_retrying_call_that_is_cancelled_is_not_retried() -> None:
    """L7: a cancellation from the engine is no failure: no retry, no handler, no skip."""
    calls: list[int] = []
    asked: list[Any] = []

    class Handler(ErrorHandler):
        async def handle_error(self, *args: Any) -> Any:
            asked.append(args)
            return True, None

    async def work(item: int) -> int:
        calls.append(item)
        await asyncio.sleep(50)
        return item

    task = SingleTask(
        work, retry_config=RetryConfig(5, 0.5), error_handler=Handler(), on_error="skip_item"
    )
    reading = asyncio.create_task(task(range(2)).collect())
    await asyncio.sleep(1)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.sleep(100)
    assert (calls, asked) == ([0, 1], [])


async def test_a_cancelled_call_that_raises_something_else_is_no_failure() -> None:
    """L7, E1: `except CancelledError: raise ValueError` after a failure keeps to the failure."""
    boom = ValueError("boom")

    async def work(item: int) -> int:
        try:
            await asyncio.sleep(1 if item == 1 else 50)
        except asyncio.CancelledError:
            raise KeyError("translated") from None
        if item == 1:
            raise boom
        return item

    with pytest.raises(ValueError, match="boom") as info:
        await SingleTask(work).as_completed(range(4)).collect()
    assert info.value is boom
    assert not others()


@pytest.mark.parametrize("kind", ["async generator", "source"])
async def test_a_generator_that_yields_in_its_finally(kind: str) -> None:
    """L2, L5: it can't be closed as it should; the close still ends and leaves nothing."""

    async def generate(item: Any = 0) -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(1)
        finally:
            yield 2

    source = slow(Watch())(generate())
    stream = source if kind == "source" else SingleTask(generate)([0])
    assert await anext(stream) == 1
    await asyncio.sleep(5)
    try:
        await stream.aclose()
    except RuntimeError as error:
        assert "GeneratorExit" in str(error)  # noqa: PT017  # either is fine
    assert not others()


async def test_a_call_in_a_thread_is_waited_for_no_longer_than_asyncio_does() -> None:
    """L2: `to_thread` can't be cancelled, its awaiting call can: nothing of ours is left."""
    done: list[int] = []

    async def work(item: int) -> int:
        return await asyncio.to_thread(done.append, item) or item

    stream = SingleTask(work)(range(3))
    assert await anext(stream) == 0
    await stream.aclose()
    assert not others()


async def test_a_call_that_cancels_itself() -> None:
    """L7, E8: `current_task().cancel()` in a call ends that call; the run does not hang."""

    async def work(item: int) -> int:
        if item == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(1)
        return item

    with pytest.raises(asyncio.CancelledError):
        await SingleTask(work)(range(3)).collect()
    assert not others()


async def test_a_subtask_of_a_call_is_the_calls_own() -> None:
    """L2: a TaskGroup inside of a call is cancelled through it, and has ended with the close."""
    watch = Watch()

    async def work(item: int) -> int:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(part())
        return item

    async def part() -> None:
        with watch.work():
            await watch.sleep(50, cleanup=2)

    stream = SingleTask(work)(range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    await stream.aclose()
    assert (now(), watch.open, watch.cleaned) == (3, 0, 6)
    await reading


# -- at every step


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
