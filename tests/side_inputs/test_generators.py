"""Which call gets what of an async generator? S2 of the contract."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import batch_task, single_task
from conveyor_rx.testing import timed_task, timeline
from tests.kit import Boom, drain, in_both_modes
from tests.side_inputs.tasks import tens, zip_with


@in_both_modes
async def test_generator_pairs_up_in_input_order(mode: Any) -> None:
    """S2/O4: values of a shared generator go to the items in input order."""
    stream = zip_with.with_inputs(tens()).with_execution_mode(mode)([1, 2, 3])
    assert await stream.collect() == [(1, 10), (2, 20), (3, 30)]


@in_both_modes
@pytest.mark.parametrize("seed", range(5))
async def test_generator_pairs_up_after_random_waits(seed: int, mode: Any) -> None:
    """S2: even when calls await something else before their `anext`."""
    luck = random.Random(seed)
    waits = [luck.random() for _ in range(30)]

    @single_task
    async def late(x: int, other: Any) -> tuple[int, int]:
        await asyncio.sleep(waits[x])
        value = await anext(other)
        await asyncio.sleep(waits[-x])
        return x, value

    stream = late.with_inputs(tens(0.01)).with_execution_mode(mode)(range(30))
    assert sorted(await stream.collect()) == [(x, (x + 1) * 10) for x in range(30)]


async def test_generator_behind_a_stage_that_overtakes() -> None:
    """O4: before a task with a generator as side input order is restored."""
    slow = single_task(timed_task("--3--2---1"))
    chain = slow | zip_with(tens())
    assert await chain([1, 2, 3]).collect() == [(1, 10), (2, 20), (3, 30)]


async def test_generator_never_overlaps_itself() -> None:
    """S2: calls of `anext` are serialised: the generator never sees "already running"."""
    stream = zip_with.with_inputs(tens(1))(range(4))
    assert await timeline(stream) == [(n + 1, (n, (n + 1) * 10)) for n in range(4)]


async def test_call_that_takes_nothing_lets_the_next_have_its_turn() -> None:
    """S2: a call that ends, or fails, without `anext` doesn't hold up the others."""

    @single_task(on_error="skip_item")
    async def sometimes(x: int, other: Any) -> tuple[int, int | None]:
        if x == 0:
            return x, None
        if x == 1:
            raise Boom
        return x, await anext(other)

    assert await sometimes(tens())(range(4)).collect() == [(0, None), (2, 10), (3, 20)]


async def test_call_that_takes_two() -> None:
    """S2: a call may take several values; each value goes to one call."""

    @single_task(concurrency_limit=1)
    async def two(x: int, other: Any) -> tuple[int, int, int]:
        return x, await anext(other), await anext(other)

    assert await two(tens())([1, 2]).collect() == [(1, 10, 20), (2, 30, 40)]


async def test_async_for_over_the_generator_within_a_call() -> None:
    """S2: what a call gets is an async generator: it iterates with `async for`, too."""

    @single_task(concurrency_limit=1)
    async def some(x: int, other: Any) -> list[tuple[int, int]]:
        found = []
        async for value in other:
            found.append((x, value))
            if len(found) == 2:
                break
        return found

    assert await some(tens())([1, 2]).collect() == [(1, 10), (1, 20), (2, 30), (2, 40)]


async def test_generator_is_shared_by_runs() -> None:
    """S2: a second run goes on where the first has stopped."""
    generator = tens()
    bound = zip_with.with_inputs(generator)
    assert await bound([1, 2]).collect() == [(1, 10), (2, 20)]
    assert await bound([3]).collect() == [(3, 30)]
    await generator.aclose()


async def test_generator_that_runs_dry_fails_the_call() -> None:
    """S2/E8: StopAsyncIteration from `anext` is a failure of that call, not a silent end."""

    async def one() -> AsyncIterator[int]:
        yield 10

    got: list[Any] = []
    with pytest.raises(RuntimeError) as caught:
        await drain(zip_with(one())([1, 2, 3]), got)
    assert isinstance(caught.value.__cause__, StopAsyncIteration)
    assert got == [(1, 10)]


async def test_generator_in_a_generator_task() -> None:
    """S2: generator tasks take from a shared generator in input order as well."""

    @single_task
    async def both(x: int, other: Any) -> AsyncIterator[int]:
        yield x
        yield await anext(other)

    assert await both(tens())([1, 2]).collect() == [1, 10, 2, 20]


async def test_generator_in_a_batch_task() -> None:
    """S2: a batch takes one value."""

    @batch_task(max_size=2, concurrency_limit=3)
    async def tag(batch: list[int], other: Any) -> tuple[int, ...]:
        await asyncio.sleep(1 / batch[0])
        return (*batch, await anext(other))

    assert await tag.with_inputs(tens())([1, 2, 3, 4, 5]).collect() == [
        (1, 2, 10),
        (3, 4, 20),
        (5, 30),
    ]


async def test_retried_call_takes_a_new_value() -> None:
    """S2/E5: a retried call goes on with the generator; no turn is lost."""
    failed: list[int] = []

    @single_task(retry_attempts=2, retry_delay=0, concurrency_limit=1)
    async def shaky(x: int, other: Any) -> tuple[int, int]:
        value = await anext(other)
        if not failed:
            failed.append(value)
            raise Boom
        return x, value

    assert await shaky(tens())([1, 2]).collect() == [(1, 20), (2, 30)]
    assert failed == [10]


async def test_closing_while_calls_wait_for_the_generator() -> None:
    """L2: calls that wait for their turn are cancelled and awaited; the generator can go on."""
    generator = tens(1)
    stream = zip_with.with_inputs(generator)(range(10))
    assert await anext(stream) == (0, 10)
    await stream.aclose()
