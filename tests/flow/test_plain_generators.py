"""How are plain generators called? In turns, without a task: F2, F7, L2, L10."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator

import pytest

from conveyor_rx import SingleTask, single_task
from tests.kit import in_both_modes

variable = contextvars.ContextVar("variable", default=0)


@in_both_modes
@pytest.mark.parametrize("lazy", [False, True])
async def test_a_plain_generator_needs_no_task(lazy: bool, mode: str) -> None:
    """F7: it takes its steps as a plain function is called, also when it is parked meanwhile."""

    def generate(item: int) -> Iterator[int]:
        yield item
        yield item

    task = SingleTask((lambda item: generate(item)) if lazy else generate)
    results: list[int] = []
    async for value in task.with_context(max_in_flight=8, execution_mode=mode)(range(100)):
        results.append(value)
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks()) == 1
    assert sorted(results) == sorted([*range(100)] * 2)


@in_both_modes
async def test_a_generator_keeps_its_context(mode: str) -> None:
    """V2: what a generator sets there it finds again, and nobody else does."""
    found: list[int] = []

    @single_task
    def generate(item: int) -> Iterator[int]:
        found.append(variable.get())
        variable.set(item)
        yield item
        found.append(variable.get() - item)
        yield item

    async for _ in generate.with_context(max_in_flight=4, execution_mode=mode)(range(1, 20)):
        await asyncio.sleep(1)
        assert variable.get() == 0
    assert found == [0] * 38


@in_both_modes
@pytest.mark.parametrize("end", ["close", "failure", "cancel"])
async def test_parked_generators_are_closed_once(end: str, mode: str) -> None:
    """L2: when control is given back each has run its `finally`, in the order of the inputs."""
    begun: list[int] = []
    closed: list[int] = []

    @single_task
    def generate(item: int) -> Iterator[int]:
        begun.append(item)
        try:
            yield item
            yield item
            if item == 3 and end == "failure":
                raise ValueError(item)
        finally:
            closed.append(item)

    stream = generate.with_context(max_in_flight=16, execution_mode=mode)(range(100))
    if end == "failure":
        with pytest.raises(ValueError, match="3"):
            await stream.collect()
    else:
        reader = asyncio.create_task(anext(stream))
        await asyncio.sleep(1)
        await reader
        assert len(stream.running()) > 10
        if end == "close":
            await stream.aclose()
        else:
            waiting = asyncio.create_task(stream.collect())
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await stream.aclose()
    assert closed == begun
    assert stream.running() == ()


@in_both_modes
async def test_what_fails_in_a_parked_generator_is_raised_at_the_end(mode: str) -> None:
    """E9: a `finally` that fails while the run is closed is no loss."""

    @single_task
    def generate(item: int) -> Iterator[int]:
        try:
            yield item
            yield item
        finally:
            if item == 12:
                raise ValueError(item)

    stream = generate.with_context(max_in_flight=16, execution_mode=mode)(range(100))
    await anext(stream)
    with pytest.raises(ValueError, match="12"):
        await stream.aclose()


@in_both_modes
async def test_a_generator_closes_its_own_run(mode: str) -> None:
    """L2: it is closed when it gives control back, and no user code starts again."""
    begun: list[int] = []
    closed: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    @single_task
    def generate(item: int) -> Iterator[int]:
        begun.append(item)
        try:
            yield item
            if item == 2:
                tasks.append(asyncio.create_task(stream.aclose()))
            yield item
            yield item
        finally:
            closed.append(item)

    stream = generate.with_context(max_in_flight=4, execution_mode=mode)(range(1000))
    async for _ in stream:
        await asyncio.sleep(1)
    await asyncio.gather(*tasks)
    assert sorted(closed) == begun
    assert len(begun) < 20


@in_both_modes
async def test_closing_many_generators_yields_to_the_loop(mode: str) -> None:
    """F7: a thousand of them are not closed in one turn."""
    time = 0.0
    asyncio.get_running_loop().work_clock = lambda: time  # type: ignore[attr-defined]
    turns = 0
    closed: list[int] = []

    @single_task
    def generate(item: int) -> Iterator[int]:
        nonlocal time
        try:
            yield item
            yield item
        finally:
            time += 0.0005
            closed.append(turns)

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    stream = generate.with_context(max_in_flight=200, execution_mode=mode)(range(1000))
    await anext(stream)
    await asyncio.sleep(1)
    beating = asyncio.create_task(beat())
    await stream.aclose()
    beating.cancel()
    assert len(closed) > 150
    assert max(map(closed.count, closed)) <= 10  # 5 ms
