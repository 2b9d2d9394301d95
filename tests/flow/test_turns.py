"""How long does the loop wait for its turn while one run works? F7 of the contract."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import Pipeline, SingleTask, batch_task, single_task
from tests.flow.work import OUTPUT_BUFFER, function, read
from tests.kit import in_both_modes

WORK = 0.1  # seconds of processor time that a test of F7 works
real_time = pytest.mark.real_time("the promise is about real seconds between turns of the loop")


class Turns:
    """How many turns has the event loop had while there was work?"""

    def __init__(self) -> None:
        self._count = 0
        self._seen: list[int] = []

    async def during(self, run: Coroutine[Any, Any, Any]) -> int:
        """Await `run` and return the turns between the first and the last `note`."""
        beating = asyncio.ensure_future(self._beat())
        try:
            await run
        finally:
            beating.cancel()
        return self._seen[-1] - self._seen[0]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0)
            self._count += 1

    def note(self) -> None:
        if not self._seen or self._count != self._seen[-1]:
            self._seen.append(self._count)

    def work(self) -> Iterator[int]:
        """Give items for as long as `WORK`; processor time, which no other program uses up."""
        end = time.process_time() + WORK
        for n in itertools.count():
            self.note()
            if time.process_time() > end:
                return
            yield n


def window_for(kind: str) -> dict[str, Any]:
    """Return a short window for kinds that take an asyncio task an item.

    All calls that are ready run in one turn of the loop: how long that is is the window's affair.
    """
    return {} if kind in ("def", "list") else {"max_in_flight": 32}


@real_time
@in_both_modes
@pytest.mark.parametrize("how", ["async for", "subscribe", "collect"])
@pytest.mark.parametrize("kind", ["eager", "def", "generator", "list", "lazy"])
async def test_the_loop_gets_turns_beside_synchronous_work(kind: str, how: str, mode: str) -> None:
    """F7: a plain source and plain tasks let the loop go on, however they are read."""
    turns = Turns()
    pipeline = SingleTask(function("def")) | SingleTask(function(kind))
    pipeline = pipeline.with_context(execution_mode=mode, **window_for(kind))
    stream = pipeline(turns.work())
    assert await turns.during(read(stream, how)) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "eager", "def", "generator", "list", "lazy"])
async def test_the_loop_gets_turns_while_everything_is_dropped(kind: str, mode: str) -> None:
    """F7: a task that gives nothing, ever, lets the loop go on."""
    turns = Turns()
    task = SingleTask(function(kind, lambda item: None))
    task = task.with_context(execution_mode=mode, **window_for(kind))
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


@real_time
@in_both_modes
async def test_the_loop_gets_turns_while_everything_is_skipped(mode: str) -> None:
    """F7: a task that fails for each item lets the loop go on."""
    turns = Turns()
    task = SingleTask[Any, Any](lambda item: 1 / 0, on_error="skip_item").with_execution_mode(mode)
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "lazy", "async generator"])
async def test_the_loop_gets_turns_while_one_generator_works(kind: str, mode: str) -> None:
    """F7: so does a generator with a hundred thousand outputs for one item."""
    turns = Turns()

    def generate(item: int) -> Iterator[int]:
        yield from turns.work()

    async def generate_async(item: int) -> AsyncIterator[int]:
        for n in turns.work():
            yield n

    functions = {
        "generator": generate,
        "lazy": lambda item: generate(item),
        "async generator": generate_async,
    }
    task = SingleTask[int, int](functions[kind]).with_execution_mode(mode)
    assert await turns.during(read(task([1]), "async for")) >= 10


@pytest.mark.no_cover
@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "def"])
@pytest.mark.parametrize("nothing", [True, False], ids=["Nones", "numbers"])
async def test_the_loop_gets_turns_while_a_huge_list_is_passed_on(
    nothing: bool, kind: str, mode: str
) -> None:
    """F7: the outputs of a list that stands for all the work are passed on slice by slice."""
    turns = Turns()
    values: list[int | None] = [None] * 300_000 if nothing else [*range(100_000)]

    def give(item: int) -> list[int | None]:
        if item < 2:
            turns.note()
        return values if item == 0 else []

    first = SingleTask(function(kind, give))
    task = (first | SingleTask(function("def"))).with_execution_mode(mode)
    start = time.process_time()
    count = await turns.during(read(task.with_context(max_in_flight=1)(range(2)), "async for"))
    assert count >= min(10, (time.process_time() - start) / 0.02)


@real_time
@in_both_modes
async def test_the_loop_gets_turns_between_slow_calls(mode: str) -> None:
    """F7: 100 plain calls of 2 ms each for the outputs of one short list."""
    turns = Turns()

    def block(item: int) -> int:
        turns.note()
        end = time.process_time() + 0.002
        while time.process_time() < end:
            pass
        return item

    pipeline = SingleTask[int, int](lambda item: [*range(100)]) | SingleTask(block)
    assert await turns.during(read(pipeline.with_execution_mode(mode)([1]), "async for")) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "eager", "def"])
async def test_the_loop_gets_turns_while_an_operator_before_the_tasks_is_slow(
    kind: str, mode: str
) -> None:
    """F7: items are not read ahead for a foreign operator, here of 2 ms an item."""
    turns = Turns()

    def block(item: int) -> int:
        turns.note()
        end = time.process_time() + 0.002
        while time.process_time() < end:
            pass
        return item

    pipeline = Pipeline() | ops.map(block) | SingleTask(function(kind), concurrency_limit=2)
    assert await turns.during(read(pipeline.with_execution_mode(mode)(range(100)), "collect")) >= 20


@real_time
@pytest.mark.parametrize("task", [batch_task(max_size=10)(list), batch_task(max_size=10)(sum)])
async def test_the_loop_gets_turns_beside_batches(task: Any) -> None:
    """F7: plain batch tasks let the loop go on."""
    turns = Turns()
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


class Clock:
    """A clock of the work that is done, for runs that are made while it is set; in seconds."""

    def __init__(self) -> None:
        self.time = 0.0
        self.gaps: list[float] = []  # of work between two turns of the loop
        asyncio.get_running_loop().work_clock = lambda: self.time  # type: ignore[attr-defined]

    async def during(self, run: Coroutine[Any, Any, Any]) -> Any:
        """Await `run` and note the gaps."""
        beating = asyncio.ensure_future(self._beat())
        try:
            return await run
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            before = self.time
            await asyncio.sleep(0)
            self.gaps.append(self.time - before)


@in_both_modes
@pytest.mark.parametrize("kind", ["number", "list"])
@pytest.mark.parametrize("limit", [1, 3, 10, None])
async def test_the_loop_gets_turns_while_a_task_goes_on_with_other_calls(
    limit: int | None, kind: str, mode: str
) -> None:
    """F7: also if it has suspended once, and the calls that follow do not: 0.1 ms each."""
    clock = Clock()

    @single_task(concurrency_limit=limit)
    async def work(number: int) -> Any:
        if limit is not None and number < limit:
            await asyncio.sleep(0)
        clock.time += 0.0001
        return number if kind == "number" else [number]

    stream = work.with_execution_mode(mode)(range(1000))
    assert len(await clock.during(stream.collect())) == 1000
    assert max(clock.gaps) <= 0.005
    assert sum(clock.gaps) > 0.09


@pytest.mark.parametrize(("seconds", "least", "most"), [(1e-6, OUTPUT_BUFFER, 1040), (1e-3, 1, 2)])
async def test_a_consumer_that_waits_lets_fast_stages_fill_the_buffer(
    seconds: float, least: int, most: int
) -> None:
    """`Reader`: they go on for a moment once there is a result; slow ones do not delay it."""
    clock = Clock()
    calls: list[int] = []

    def work(number: int) -> int:
        clock.time += seconds
        calls.append(number)
        return number

    async with SingleTask(work)(itertools.count()) as stream:
        assert await anext(stream) == 0
        assert least <= len(calls) <= most
