"""What does a generator do without room for its outputs? It is parked: F2 and V2."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import Pipeline, SingleTask, batch_task, single_task
from conveyor_rx._engine.line.line import Line
from conveyor_rx.testing import timed_task, timeline
from tests.flow.work import OUTPUT_BUFFER, Endless, take
from tests.kit import in_both_modes, now

# -- F2 and V2: generators are parked


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3, 16])
@pytest.mark.parametrize("kind", ["generator", "async generator", "lazy"])
async def test_an_infinite_generator_is_parked(kind: str, window: int, mode: str) -> None:
    """F2, V2: a generator is asked for what there is room for, and one that it holds in hand."""
    endless = Endless()
    functions: dict[str, Callable[[int], Any]] = {
        "generator": lambda item: endless.plain(),
        "async generator": lambda item: endless.asynchronous(),
        "lazy": lambda item: endless.plain(),
    }
    generate = functions[kind]

    async def generate_async(item: int) -> AsyncIterator[int]:
        async for value in endless.asynchronous():
            yield value

    def generate_now(item: int) -> Iterator[int]:
        yield from endless.plain()

    if kind != "lazy":
        generate = generate_now if kind == "generator" else generate_async
    task = SingleTask(generate).with_context(max_in_flight=window, execution_mode=mode)
    async with task([1]) as stream:
        assert await take(stream, 10) == list(range(1, 11))
        await asyncio.sleep(1000)
        # its own place is one of the window until it has ended
        assert 10 + OUTPUT_BUFFER <= endless.pulled <= 10 + OUTPUT_BUFFER + window + 1
        assert await take(stream, 100) == list(range(11, 111))


@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "async generator"])
async def test_take_from_an_infinite_generator_closes_it(kind: str, mode: str) -> None:
    """F2, L2: `take` is satisfied, the generator's `finally` has run, once for each generator."""
    closed: list[int] = []

    def generate(item: int) -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.append(item)

    async def generate_async(item: int) -> AsyncIterator[int]:
        try:
            for n in itertools.count():
                yield n
        finally:
            closed.append(item)

    task = SingleTask(generate if kind == "generator" else generate_async, concurrency_limit=1)
    stream = task.with_execution_mode(mode)([7, 8])
    assert await stream.take(5).collect() == [0, 1, 2, 3, 4]
    assert closed == [7]


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("limit", [1, 2, None])
@pytest.mark.parametrize("kind", ["generator", "async generator", "lazy", "async lazy"])
async def test_two_generators_never_block_each_other(
    kind: str, limit: int | None, window: int, mode: str
) -> None:
    """F2: the head of a full line never waits, so all outputs of all generators come."""

    def generate(item: int) -> Iterator[tuple[int, int]]:
        yield from ((item, n) for n in range(7))

    async def generate_async(item: int) -> AsyncIterator[tuple[int, int]]:
        for n in range(7):
            await asyncio.sleep((item * 5 + n * 3) % 4)
            yield item, n

    async def lazy(item: int) -> Iterator[tuple[int, int]]:
        await asyncio.sleep((item * 5) % 4)
        return generate(item)

    functions: dict[str, Callable[[int], Any]] = {
        "generator": generate,
        "async generator": generate_async,
        "lazy": lambda item: generate_async(item),
        "async lazy": lazy,
    }
    task = SingleTask(functions[kind], concurrency_limit=limit)
    pipeline = task.with_context(max_in_flight=window, execution_mode=mode)
    got = await pipeline(range(6)).collect()
    expected = [(item, n) for item in range(6) for n in range(7)]
    assert (got if mode == "ordered" else sorted(got)) == expected


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("parallelism", [None, 1, 2])
async def test_generators_behind_generators_never_block_each_other(
    parallelism: int | None, window: int, mode: str
) -> None:
    """F2, F4: nor do generators of several stages, if need be in a single slot."""

    def generate(item: Any) -> Iterator[Any]:
        yield from ((item, n) for n in range(3))

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        for n in range(3):
            await asyncio.sleep(random.Random(f"{item}{n}").random())
            yield item, n

    pipeline = Pipeline().add(
        SingleTask(generate), SingleTask(generate_async), SingleTask(lambda item: generate(item))
    )
    pipeline = pipeline.with_context(
        max_in_flight=window, max_parallelism=parallelism, execution_mode=mode
    )
    got = await pipeline(range(3)).collect()
    expected = [
        (((i, a), b), c) for i in range(3) for a, b, c in itertools.product(range(3), repeat=3)
    ]
    assert (got if mode == "ordered" else sorted(got)) == expected


@in_both_modes
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("window", [1, 2])
async def test_functions_that_return_generators_never_block_each_other(
    window: int, limit: int, seed: int, mode: str
) -> None:
    """F2, F3: called out of order, they fill window and limit, and the head still gets its turn."""

    def generate(item: int) -> Iterator[tuple[int, int]]:
        yield from ((item, n) for n in range(5))

    slow = SingleTask(timed_task(lambda item: random.Random(item * 100 + seed).random()))
    lazy = SingleTask[int, Any](lambda item: generate(item), concurrency_limit=limit)
    pipeline = (slow | lazy).with_context(max_in_flight=window, execution_mode=mode)
    got = await pipeline(range(12)).collect()
    expected = [(item, n) for item in range(12) for n in range(5)]
    assert (got if mode == "ordered" else sorted(got)) == expected


async def test_generators_that_wait_for_room_wake_when_there_is_room() -> None:
    """F2: a parked generator goes on when its turn comes, with nothing lost on the way."""
    produced: list[tuple[float, str]] = []

    @single_task
    async def letters(item: str) -> AsyncIterator[str]:
        for n in range(4):
            produced.append((now(), f"{item}{n}"))
            yield f"{item}{n}"
        if item == "a":
            await asyncio.sleep(10)

    got = await timeline(letters.with_context(max_in_flight=3)(["a", "b", "c"]))
    assert [value for _, value in got] == [f"{item}{n}" for item in "abc" for n in range(4)]
    assert [at for at, _ in got] == [0] * 4 + [10] * 8
    assert [name for at, name in produced if at == 0][:4] == ["a0", "a1", "a2", "a3"]
    assert (10, "c3") in produced


@in_both_modes
@pytest.mark.parametrize("window", [2, 16, 100])
async def test_a_generator_is_woken_when_it_has_room(
    window: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: items have the room first; so nobody is woken for room that an item takes."""
    refused = waits = 0
    room, has_room = Line.room, Line.has_room

    def asked(line: Line, owner: Any) -> bool:
        nonlocal refused
        answer = has_room(line, owner)
        refused += not answer
        return answer

    async def awaited(line: Line, owner: Any) -> None:
        nonlocal waits
        waits += 1
        await room(line, owner)

    monkeypatch.setattr(Line, "has_room", asked)
    monkeypatch.setattr(Line, "room", awaited)

    @single_task
    async def twice(item: int) -> AsyncIterator[int]:
        yield item
        await asyncio.sleep(0.1)
        yield item

    results: list[int] = []
    async for value in twice.with_context(max_in_flight=window, execution_mode=mode)(range(500)):
        results.append(value)
        if len(results) % 20 == 0:
            await asyncio.sleep(1)
    assert sorted(results) == sorted([*range(500)] * 2)
    # Each asks three times on its way to wait. Room that is left may still be taken meanwhile.
    assert refused <= 3.5 * waits
    assert waits > 100


# -- F8


async def test_a_parked_generator_goes_on_as_soon_as_there_is_room() -> None:
    """F2, F6: not only once it is the head: what is delivered in front of it makes the room."""
    given: list[float] = []

    @single_task
    async def generate(item: int) -> AsyncIterator[int]:
        if item == 0:
            await asyncio.sleep(5)
        elif item == 1:
            for n in range(3):
                yield n
            await asyncio.sleep(100)
        else:
            for n in range(10):
                yield n
                given.append(asyncio.get_running_loop().time())

    stream = generate.with_context(max_in_flight=8)(range(3))
    assert await stream.collect() == [*range(3), *range(10)]
    assert given == [0.0] * 2 + [5.0] * 4 + [100.0] * 4


async def test_as_many_parked_generators_go_on_as_there_is_room_for() -> None:
    """F2, F6: three that are parked go on at once when a batch of three leaves the line."""
    given: dict[int, float] = {}

    @batch_task(max_size=3, concurrency_limit=5)
    async def generate(batch: list[int]) -> AsyncIterator[int]:
        if batch[0] == 0:  # the head, which is never parked
            await asyncio.sleep(100)
        elif batch[0] == 3:  # the one that makes room
            await asyncio.sleep(5)
            return
        await asyncio.sleep(0)  # until the window is full of items
        yield batch[0]
        given[batch[0]] = now()
        await asyncio.sleep(10)  # else its end would make room, too

    stream = generate.with_context(max_in_flight=15)(range(15))
    assert await stream.collect() == [0, 6, 9, 12]
    assert given == {6: 5.0, 9: 5.0, 12: 5.0, 0: 100.0}


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_generators_that_were_parked_keep_to_the_window(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: also those that waited for a slot after the room; the head alone may be one too many."""
    over: list[int] = []
    insert = Line.insert

    def spy(line: Line, value: Any, owner: Any, inputs: Any) -> Any:
        place = insert(line, value, owner, inputs)
        over.append(line.size - line.limit)
        return place

    async def generate_async(item: int) -> AsyncIterator[int]:
        for n in range(item * 7 % 4):
            yield item * 3 + n

    @single_task
    def lazy(item: int) -> Any:
        if kind == "async":
            return generate_async(item)
        return (item * 3 + n for n in range(item * 7 % 4))

    @single_task(concurrency_limit=2)
    async def work(item: int) -> int:
        await asyncio.sleep(1 + item * 5 % 7)
        return item

    monkeypatch.setattr(Line, "insert", spy)
    pipeline = (lazy | work).with_context(max_in_flight=16, max_parallelism=3)
    results = await pipeline(range(60)).collect()
    assert len(results) == sum(item * 7 % 4 for item in range(60))
    assert max(over) == 1
