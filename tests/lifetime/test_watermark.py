"""Which of the source's items are settled? W3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from reactivex import operators as ops
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, BatchTask, SingleTask, observe
from tests.kit import Boom, Own, drain, in_both_modes, nap, now, same


async def _slow(item: int) -> int:
    """Take longer for each third item."""
    await asyncio.sleep(1 + 2 * (item % 3 == 0))
    return item


slow = SingleTask(_slow)


def after(seconds: float, act: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(seconds, act)


async def marks(stream: AsyncStream[Any]) -> tuple[list[Any], list[int]]:
    """Read to the end, or to a `Boom`; give the results, and the watermark at each."""
    got: list[Any] = []
    seen: list[int] = []
    try:
        async for item in stream:
            got.append(item)
            seen.append(stream.watermark)
    except Boom:
        pass
    seen.append(stream.watermark)
    return got, seen


@in_both_modes
async def test_a_result_is_settled_when_the_next_one_is_asked_for(mode: str) -> None:
    """W3: not when it is delivered; 0 before the start, all at the end."""
    stream = (nap | same).with_execution_mode(mode)(range(5))
    assert stream.watermark == 0
    assert await marks(stream) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5])


async def test_as_completed_it_waits_for_the_first_that_is_not_settled() -> None:
    """W3: what is settled above it counts when that is."""
    stream = slow.as_completed(range(6))
    got, seen = await marks(stream)
    assert got == [1, 2, 4, 5, 0, 3]
    assert seen == [0, 0, 0, 0, 0, 3, 6]


@in_both_modes
async def test_all_outputs_of_an_item_are_to_be_settled(mode: str) -> None:
    """W3: of lists, generators and async generators; the item of the last output is held."""

    def generates(item: int) -> Iterator[int]:
        yield from [item] * 3

    async def suspends(item: int) -> AsyncIterator[int]:
        for _ in range(3):
            await asyncio.sleep(1)
            yield item

    for task in SingleTask(lambda item: [item] * 3), SingleTask(generates), SingleTask(suspends):
        _, seen = await marks((task | nap).with_execution_mode(mode)(range(3)))
        assert seen[-1] == 3
        assert seen == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3] or mode == "as_completed"


@in_both_modes
async def test_dropped_and_skipped_items_are_settled(mode: str) -> None:
    """W3: None, no outputs, `skip_item`, of a batch, too; and a rest below `min_size`."""

    def pick(item: int) -> Any:
        return {2: 2, 3: [None], 4: 4, 5: []}.get(item)

    stream = (SingleTask(pick) | nap).with_execution_mode(mode)(range(7))
    got, seen = await marks(stream)
    assert got == [2, 4]
    assert seen == [2, 4, 7]

    def odd(batch: list[int]) -> list[int]:
        if any(item % 2 == 0 for item in batch):
            raise Boom
        return batch

    task = BatchTask(odd, 4, 4, on_error="skip_item")
    stream = (nap | task).with_execution_mode(mode)(range(7))
    got, seen = await marks(stream)
    assert got == [1, 3]
    assert seen[-1] == 7


@in_both_modes
async def test_an_open_batch_is_not_settled(mode: str) -> None:
    """W3: nor is one that waits, or is being worked on; its output settles all of it."""

    async def work(batch: list[int]) -> tuple[int, ...]:
        await asyncio.sleep(1)
        return tuple(batch)

    stream = (BatchTask(work, 1, 3) | nap).with_execution_mode(mode)(range(8))
    got, seen = await marks(stream)
    assert got == [(0, 1, 2), (3, 4, 5), (6, 7)]
    assert seen == [0, 3, 6, 8]


@in_both_modes
async def test_each_output_of_a_batch_for_each_item_settles_that(mode: str) -> None:
    """W3: a list of the same length; else each comes from all."""
    whole = BatchTask(lambda batch: batch, 1, 3).with_execution_mode(mode)(range(5))
    assert (await marks(whole))[1] == [0, 1, 2, 3, 4, 5]
    double = BatchTask(lambda batch: batch * 2, 1, 3).with_execution_mode(mode)(range(3))
    assert (await marks(double))[1] == [0, 0, 0, 0, 0, 0, 3]


@in_both_modes
async def test_batches_of_batches(mode: str) -> None:
    """W3: through any number of them."""
    pairs = BatchTask(tuple, 2, 2)
    stream = (nap | pairs | pairs | pairs).with_execution_mode(mode)(range(16))
    got, seen = await marks(stream)
    assert len(got) == 2
    assert seen == [0, 8, 16]


async def test_ordered_failure() -> None:
    """W3: what stands before it is delivered and settled; it and what is behind never are."""

    async def work(item: int) -> int:
        await asyncio.sleep(1 if item == 3 else 2)
        if item == 3:
            raise Boom
        return item

    stream = (SingleTask(work) | nap)(range(10))
    got, seen = await marks(stream)
    assert got == [0, 1, 2]
    assert seen == [0, 1, 2, 3]


async def test_as_completed_failure() -> None:
    """W3: the first of those that were cut off is the last word."""

    async def work(item: int) -> int:
        await asyncio.sleep(5 if item == 2 else 1)
        if item == 4:
            await asyncio.sleep(1)
            raise Boom
        return item

    stream = SingleTask(work).as_completed(range(10))
    got, seen = await marks(stream)
    assert sorted(got) == [0, 1, 3, 5, 6, 7, 8, 9]
    assert seen[-1] == 2


@in_both_modes
async def test_a_failure_discards_the_open_batch(mode: str) -> None:
    """W3, E1: its items are not settled, though they came before the failing one."""

    def work(item: int) -> int:
        if item == 5:
            raise Boom
        return item

    stream = (SingleTask(work) | BatchTask(tuple, 1, 3)).with_execution_mode(mode)(range(10))
    got, seen = await marks(stream)
    assert got == [(0, 1, 2)]
    assert seen == [0, 3]


@in_both_modes
async def test_a_source_that_fails(mode: str) -> None:
    """W3, E7: all that was pulled is delivered, and settled."""

    def source() -> Iterator[int]:
        yield from range(5)
        raise Boom

    got, seen = await marks((nap | same).with_execution_mode(mode)(source()))
    assert len(got) == 5
    assert seen[-1] == 5


@in_both_modes
@pytest.mark.parametrize("way", ["aclose", "break", "cancel", "drop"])
async def test_what_the_consumer_held_at_a_close_is_not_settled(mode: str, way: str) -> None:
    """W3: it had not asked for the next; what waited for it is not settled either."""
    stream = nap.with_execution_mode(mode)(range(100))
    held = asyncio.Event()

    async def consume() -> None:
        async with stream:
            async for item in stream:
                if item == 7:
                    held.set()
                    if way == "break":
                        return
                    await asyncio.sleep(100)

    consumer = asyncio.create_task(consume())
    await held.wait()
    if way == "aclose":
        await stream.aclose()
        assert stream.watermark == 7
    if way != "break":
        consumer.cancel()
    await asyncio.wait({consumer})
    assert stream.watermark == 7
    assert await anext(stream, None) is None
    assert stream.watermark == 7


@in_both_modes
async def test_who_has_asked_for_the_next_has_dealt_with_the_last(mode: str) -> None:
    """W3: also when the wait for the next one is cancelled."""
    stream = SingleTask(_slow, concurrency_limit=1).with_execution_mode(mode)(range(100))
    got: list[int] = []
    consumer = asyncio.create_task(drain(stream, got))
    await asyncio.sleep(4.5)
    consumer.cancel()
    await asyncio.wait({consumer})
    assert (got, stream.watermark) == ([0, 1], 2)


async def test_collect_delivers_when_it_returns() -> None:
    """W3: before, and if it fails or is cancelled, nobody has the results."""
    stream = nap.with_context(max_in_flight=2)(range(6))
    seen: list[int] = []
    for second in range(1, 4):
        after(second - 0.5, lambda: seen.append(stream.watermark))
    assert await stream.collect() == [*range(6)]
    assert seen == [0, 0, 0]
    assert stream.watermark == 6

    partly = nap.with_context(max_in_flight=2)(range(6))
    assert [await anext(partly) for _ in range(3)] == [0, 1, 2]
    assert partly.watermark == 2
    after(0.5, lambda: seen.append(partly.watermark))
    assert await partly.collect() == [3, 4, 5]
    assert seen[-1] == 3
    assert partly.watermark == 6

    failing = SingleTask(lambda item: [item][item - 3])(range(6))
    with pytest.raises(IndexError):
        await failing.collect()
    assert failing.watermark == 0


async def test_a_collect_that_is_closed_has_delivered_what_it_returns() -> None:
    """W3: and nothing else."""
    stream = SingleTask(nap.func, concurrency_limit=1)(range(10))
    collecting = asyncio.create_task(stream.collect())
    await asyncio.sleep(3.5)
    await stream.aclose()
    assert await collecting == [0, 1, 2]
    assert stream.watermark == 3


@in_both_modes
async def test_a_subscription_settles_when_on_next_has_returned(mode: str) -> None:
    """W3: not before."""
    stream = SingleTask(nap.func, concurrency_limit=1).with_execution_mode(mode)(range(3))
    seen: list[int] = []
    later: list[int] = []
    ended = asyncio.get_running_loop().create_future()

    def on_next(item: int) -> None:
        seen.append(stream.watermark)
        asyncio.get_running_loop().call_soon(lambda: later.append(stream.watermark))

    stream.subscribe(on_next, ended.set_exception, lambda: ended.set_result(None))
    await ended
    assert (seen, later, stream.watermark) == ([0, 1, 2], [1, 2, 3], 3)


@pytest.mark.parametrize("end", ["dispose inside", "dispose", "raise", "fail"])
async def test_a_subscription_that_ends_early(end: str) -> None:
    """W3: what its observer was being given is not settled."""

    async def work(item: int) -> int:
        await asyncio.sleep(1)
        if end == "fail" and item == 3:
            raise Boom
        return item

    stream = SingleTask(work, concurrency_limit=1)(range(10))
    told: list[Any] = []

    def on_next(item: int) -> None:
        if item == 2 and end == "dispose":
            asyncio.get_running_loop().call_soon(subscription.dispose)
        if item == 3 and end == "dispose inside":
            subscription.dispose()
        if item == 3 and end == "raise":
            raise Boom

    subscription = stream.subscribe(on_next, told.append)
    await asyncio.sleep(20)
    assert stream.watermark == 3


async def test_what_enters_a_stage_of_ones_own_can_not_be_followed() -> None:
    """W3: from the first item there on, nothing is settled before a normal end."""
    late = SingleTask(lambda item: None if item < 2 else item)
    for stage in Own(), ops.map(lambda item: item):
        got, seen = await marks((nap | late | stage | nap)(range(5)))
        assert got == [2, 3, 4]
        assert seen == [2, 2, 2, 5]
        stream = (nap | late | stage)(range(5))
        async with stream:
            assert await anext(stream) == 2
            assert await anext(stream) == 3
        assert stream.watermark == 2


async def test_what_a_taking_stage_leaves_is_not_settled() -> None:
    """W3: a stage of one's own, or `take`, that ends before its input."""

    class Two(Own):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            yield await anext(items)
            yield await anext(items)

    for stage in Two(), ops.take(2):
        stream = (slow | stage | nap)(range(100))
        assert await stream.collect() == [0, 1]
        assert stream.watermark == 2


async def test_behind_rx_operators() -> None:
    """W3: they may hold results; so nothing is settled before a normal end of the iteration."""
    stream = nap(range(5)).filter(lambda item: item != 3).map(str)
    assert await marks(stream) == (["0", "1", "2", "4"], [0, 0, 0, 0, 5])
    front = nap(range(5))
    behind = front.pipe(ops.buffer_with_count(2))
    assert [(item, front.watermark) async for item in behind] == [
        ([0, 1], 0),
        ([2, 3], 0),
        ([4], 0),
    ]
    assert (front.watermark, behind.watermark) == (0, 5)
    assert [item async for item in front.pipe(ops.take(1))] == [0]
    assert behind.watermark == 5, "it never falls"
    again = front.map(str)
    assert await again.collect() == [*"01234"]
    assert again.watermark == 0, "of several readers it is not known whose run was the last"


@in_both_modes
async def test_after_a_drain_it_is_what_was_pulled(mode: str) -> None:
    """W3, W1: exactly; but a rest that only the drain made too small is not settled."""
    stream = nap.with_context(max_in_flight=4).with_execution_mode(mode)(range(1000))
    after(2.5, stream.drain)
    got = [item async for item in stream]
    assert stream.watermark == len(got) < 20

    async def ticks() -> AsyncIterator[int]:
        for n in range(1000):
            yield n
            await asyncio.sleep(1)

    stream = BatchTask(tuple, 3, 3).with_execution_mode(mode)(ticks())
    after(4.5, stream.drain)
    assert await stream.collect() == [(0, 1, 2)]
    assert stream.watermark == 3

    short = BatchTask(tuple, 3, 3).with_execution_mode(mode)(range(5))
    assert await short.collect() == [(0, 1, 2)]
    short.drain()
    assert short.watermark == 5


async def test_an_observable() -> None:
    """W3: the items that the run has taken from it, by their numbers."""
    subject: Subject[int] = Subject()
    stream = SingleTask(nap.func, concurrency_limit=1).with_context(max_in_flight=1)(subject)
    after(1, lambda: [subject.on_next(n) for n in range(5)])
    async with stream:
        got = [await anext(stream) for _ in range(3)]
    assert (got, stream.watermark) == ([0, 1, 2], 2)


async def test_a_stream_as_the_source() -> None:
    """W3: the items are its results."""
    inner = (nap | SingleTask(lambda item: [item] * 2))(range(3))
    assert (await marks(nap(inner)))[1] == [0, 1, 2, 3, 4, 5, 6]


@in_both_modes
async def test_seen_from_inside(mode: str) -> None:
    """W3: calls, the source and probes see nothing settled that is not; it never falls."""
    seen: list[tuple[str, int]] = []
    asked = 0

    def look(what: str) -> None:
        seen.append((what, stream.watermark))
        assert stream.watermark <= asked, (what, stream.watermark, asked)

    def source() -> Iterator[int]:
        for n in range(20):
            look("source")
            yield n

    def plain(item: int) -> int:
        look("call")
        return item

    def batch(items: list[int]) -> list[int]:
        look("batch")
        return items

    with observe(lambda event: look(event.kind)):
        pipeline = SingleTask(plain) | nap | BatchTask(batch, 1, 3) | SingleTask(plain)
        stream = pipeline.with_execution_mode(mode).with_context(max_in_flight=4)(source())
        reader = aiter(stream)
        while True:
            asked += 1
            look_before = stream.watermark
            item: int | None = await anext(reader, None)
            if item is None:
                break
            asked = item
            look("consumer")
            assert stream.watermark >= look_before
    values = [value for _, value in seen]
    assert values == sorted(values)
    assert now() > 1
