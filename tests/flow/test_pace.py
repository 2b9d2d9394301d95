"""How long does the loop wait for its turn, however many runs work? F7, and F8 for nested runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    ErrorHandler,
    Pipeline,
    SingleTask,
    batch_task,
    single_task,
)
from tests.kit import in_both_modes

LONGEST = 0.005  # seconds between two turns of the loop, beside the longest call


class Clock:
    """A clock of the work that is done on the running loop, and the gaps between its turns."""

    def __init__(self) -> None:
        self.time = 0.0
        self.gaps: list[float] = []
        asyncio.get_running_loop().work_clock = lambda: self.time  # type: ignore[attr-defined]

    def work(self, seconds: float) -> None:
        self.time += seconds

    async def during(self, *runs: Any) -> list[Any]:
        """Await all `runs` and note the gaps."""
        beating = asyncio.ensure_future(self._beat())
        try:
            return await asyncio.gather(*runs)
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            before = self.time
            await asyncio.sleep(0)
            self.gaps.append(self.time - before)


class Replace(ErrorHandler):
    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work

    async def handle_error(self, error: Exception, item: Any, *_: Any) -> tuple[bool, Any]:
        self.work()
        return True, item


def stage(kind: str, work: Callable[[], None]) -> Any:
    """Make a stage of `kind` that works at each item and gives it on."""
    failed: set[int] = set()

    def plain(item: int) -> int:
        work()
        return item

    def generate(item: int) -> Iterator[int]:
        work()
        yield item

    async def call(item: int) -> int:
        work()
        return item

    async def call_and_suspend(item: int) -> int:
        work()
        await asyncio.sleep(0)
        return item

    async def generate_async(item: int) -> AsyncIterator[int]:
        work()
        yield item

    async def lazy_async(item: int) -> Iterator[int]:
        return generate(item)

    def fail_once(item: int) -> int:
        work()
        if item not in failed:
            failed.add(item)
            raise ValueError
        return item

    async def fail_once_async(item: int) -> int:
        return fail_once(item)

    def fail(item: int) -> int:
        raise ValueError

    class Own(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                work()
                yield item

    def many(value: int) -> rx.Observable[int]:
        return rx.from_iterable(range(value * 50, value * 50 + 50))

    stages: dict[str, Callable[[], Any]] = {
        "def": lambda: SingleTask(plain),
        "async": lambda: SingleTask(call),
        "async that suspends": lambda: SingleTask(call_and_suspend),
        "generator": lambda: SingleTask(generate),
        "async generator": lambda: SingleTask(generate_async),
        "lazy": lambda: SingleTask[Any, Any](lambda item: generate(item)),
        "lazy async": lambda: SingleTask(lazy_async),
        "batch": lambda: batch_task(2)(lambda batch: [plain(item) for item in batch]),
        "retried": lambda: single_task(retry_attempts=2, retry_delay=0)(fail_once),
        "retried async": lambda: single_task(retry_attempts=2, retry_delay=0)(fail_once_async),
        "handled": lambda: SingleTask(fail, error_handler=Replace(work)),
        "own": Own,
        "operator": lambda: (
            SingleTask[int, int](lambda n: n)
            | ops.filter(lambda n: n % 50 == 0)
            | ops.flat_map(lambda n: many(n // 50))
            | SingleTask(plain)
        ),
    }
    return stages[kind]()


KINDS = (
    "def", "async", "async that suspends", "generator", "async generator", "lazy", "lazy async",
    "batch", "retried", "retried async", "handled", "own", "operator",
)  # fmt: skip


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def read(stream: AsyncStream[Any]) -> list[Any]:
    return [value async for value in stream]


async def pushed(stream: AsyncStream[Any]) -> list[Any]:
    got: list[Any] = []
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    stream.subscribe(got.append, end.set_exception, lambda: end.set_result(None))
    await end
    return got


OUTLETS: dict[str, Callable[[AsyncStream[Any]], Any]] = {
    "collect": lambda stream: stream.collect(),
    "async for": read,
    "subscribe": pushed,
}


@in_both_modes
@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("kind", KINDS)
async def test_the_loop_gets_turns_in_every_kind_of_stage(
    kind: str, outlet: str, mode: str
) -> None:
    """F7: 500 items of 0.5 ms each; the first steps of a window do not come in one turn."""
    clock = Clock()
    task = stage(kind, lambda: clock.work(0.0005))
    stream = task.with_execution_mode(mode)(range(500))
    [results] = await clock.during(OUTLETS[outlet](stream))
    assert sorted(results) == list(range(500))
    assert max(clock.gaps) <= LONGEST + 0.001  # the longest call is that of a batch
    assert sum(clock.gaps) > 0.24


@in_both_modes
@pytest.mark.parametrize("source", [range, numbers])
@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("kind", ["def", "async", "generator", "async generator", "own"])
async def test_the_loop_gets_turns_however_many_runs_there_are(
    kind: str, outlet: str, source: Callable[[int], Any], mode: str
) -> None:
    """F7: 100 busy runs on one loop share one slice, and each has its part of the work."""
    clock = Clock()
    done: list[int] = []

    async def one(number: int) -> None:
        task = stage(kind, lambda: clock.work(0.00005))
        results = await OUTLETS[outlet](task.with_execution_mode(mode)(source(20)))
        assert sorted(results) == list(range(20))
        done.append(number)

    await clock.during(*map(one, range(100)))
    assert sorted(done) == list(range(100))
    assert max(clock.gaps) <= LONGEST + 0.00005
    assert sum(clock.gaps) > 0.09


@in_both_modes
@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("stages", [1, 3])
async def test_the_loop_gets_turns_if_many_calls_are_woken_at_once(
    stages: int, outlet: str, mode: str
) -> None:
    """F7: 100 tasks that are woken in one turn do not all go on with calls that work."""
    clock = Clock()
    asleep: list[asyncio.Future[None]] = []

    @single_task(concurrency_limit=100)
    async def work(item: int) -> int:
        clock.work(0.0005)
        asleep.append(asyncio.get_running_loop().create_future())
        await asleep[-1]
        return item

    async def wake() -> None:
        while True:
            for _ in range(100):
                await asyncio.sleep(0)
            while asleep:
                asleep.pop().set_result(None)

    waking = asyncio.ensure_future(wake())
    stream = Pipeline().add(*[work] * stages).with_execution_mode(mode)(range(500))
    [results] = await clock.during(OUTLETS[outlet](stream))
    waking.cancel()
    assert sorted(results) == list(range(500))
    assert max(clock.gaps) <= LONGEST + 0.0006


@in_both_modes
@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("first", ["def", "async that suspends", "generator"])
async def test_the_loop_gets_turns_between_plain_functions_in_a_row(
    first: str, outlet: str, mode: str
) -> None:
    """F7: 15 stages hand on directly, but not if each of them works for long."""
    clock = Clock()

    def work(item: int) -> int:
        clock.work(0.0005)
        return item

    row = Pipeline().add(stage(first, lambda: None), *[SingleTask(work)] * 15)
    [results] = await clock.during(OUTLETS[outlet](row.with_execution_mode(mode)(range(200))))
    assert sorted(results) == list(range(200))
    assert max(clock.gaps) <= LONGEST + 0.0006


@pytest.mark.parametrize("outlet", ["collect", "async for", "anext"])
async def test_the_loop_gets_turns_while_many_runs_begin(outlet: str) -> None:
    """F7: 100 readers that begin in one turn, where it takes 0.5 ms to begin."""
    clock = Clock()

    def take_long(observable: Any) -> Any:
        clock.work(0.0005)
        return observable

    async def first(stream: AsyncStream[int]) -> list[int]:
        return [await anext(stream) for _ in range(2)]

    pipeline = SingleTask[int, int](lambda item: item) | rx.compose(take_long)
    read_it = {**OUTLETS, "anext": first}[outlet]
    got = await clock.during(*[read_it(pipeline([1, 2])) for _ in range(100)])
    assert got == [[1, 2]] * 100
    assert max(clock.gaps) <= LONGEST + 0.0006


async def test_runs_have_the_loop_by_turns() -> None:
    """F7: none of many busy runs has to wait for the end of another."""
    clock = Clock()
    calls: list[int] = []

    def run(number: int) -> Any:
        def work(item: int) -> int:
            clock.work(0.0003)
            calls.append(number)
            return item

        return SingleTask(work)(range(100)).collect()

    await clock.during(*map(run, range(10)))
    halfway = calls[: len(calls) // 2]
    assert min(halfway.count(number) for number in range(10)) >= 30


# -- F8: runs within calls of runs

DEEP = 2000


def nested(kind: str) -> SingleTask[int, int]:
    """Make a task whose calls run it again with the next lower number, and give their depth."""

    async def collect(number: int) -> int:
        return (await task([number - 1]).collect())[0] + 1 if number else 0

    async def iterate(number: int) -> int | None:
        if number == 0:
            return 0
        async for value in task([number - 1]):
            return value + 1
        return None

    async def generate(number: int) -> AsyncIterator[int]:
        if number == 0:
            yield 0
            return
        async for value in task([number - 1]):
            yield value + 1

    async def subscribe(number: int) -> int:
        return (await pushed(task([number - 1])))[0] + 1 if number else 0

    functions: dict[str, Any] = {
        "collect": collect,
        "async for": iterate,
        "async generator": generate,
        "subscribe": subscribe,
    }
    task = SingleTask[int, int](functions[kind])
    return task


@pytest.mark.no_cover
@in_both_modes
@pytest.mark.parametrize("kind", ["collect", "async for", "async generator", "subscribe"])
async def test_runs_nest_without_a_deeper_stack(kind: str, mode: Any) -> None:
    """F8: 2,000 runs, each within a call of another."""
    task = nested(kind).with_execution_mode(mode)
    assert await task([DEEP]).collect() == [DEEP]


@pytest.mark.no_cover
async def test_nested_runs_fail_and_are_closed_without_a_deeper_stack() -> None:
    """F8, E2, L2: what the innermost of 2,000 runs raises gets out; and all can be closed."""

    @single_task
    async def fail(number: int) -> int:
        return (await fail([number - 1]).collect())[0] + 1 if number else 1 // 0

    with pytest.raises(ZeroDivisionError):
        await fail([DEEP]).collect()

    @single_task
    async def wait(number: int) -> int:
        if number == 0:
            await asyncio.sleep(1000)
        return (await wait([number - 1]).collect())[0] + 1

    stream = wait([DEEP])
    reading = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(100)
    await stream.aclose()
    assert await reading == []


async def test_runs_behind_operators_are_not_nested_in_each_other() -> None:
    """F8: 50 runs, each the source of the next, behind an Rx operator; those are nested in Rx."""

    @single_task
    async def same(number: int) -> int:
        return number

    stream: AsyncStream[int] = AsyncStream([1, 2])
    for _ in range(50):
        stream = same(ops.map(lambda number: number + 1)(stream))  # type: ignore[operator]
    assert await stream.collect() == [51, 52]


class Calls:
    """Calls that work for 4 µs, and then sleep; it counts those that have begun."""

    def __init__(self, seconds: float) -> None:
        self.begun = 0
        self._seconds = seconds
        self._clock = Clock()

    async def call(self, item: int) -> int:
        self.begun += 1
        self._clock.work(0.000004)
        await asyncio.sleep(self._seconds)
        return item


@in_both_modes
async def test_the_first_result_comes_when_few_calls_have_begun(mode: str) -> None:
    """F7: of thousands that could begin before it, in stages that suspend."""
    calls = Calls(0)
    pipeline = Pipeline().add(*[SingleTask(calls.call)] * 3).with_execution_mode(mode)
    async with pipeline(range(10_000)) as stream:
        await anext(stream)
        assert calls.begun < 120


async def test_a_run_is_young_for_some_turns_of_the_loop() -> None:
    """F7: then it begins calls for a whole slice, as one that is collected does from the first."""

    async def turns_until_all_have_begun(read: Any) -> int:
        calls, turns = Calls(1), 0
        async with SingleTask(calls.call)(range(1000)) as stream:
            reading = asyncio.ensure_future(read(stream))
            while calls.begun < 1000:
                await asyncio.sleep(0)
                turns += 1
            await reading
        return turns

    collected = await turns_until_all_have_begun(AsyncStream[Any].collect)
    iterated = await turns_until_all_have_begun(anext)
    assert max(collected, iterated) < 60
    if sys.version_info >= (3, 12):  # before, calls begin a few at a time anyhow: tasks are hired
        assert collected < iterated
