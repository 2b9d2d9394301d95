"""What goes on after a break, and when does it end? L4 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import SingleTask
from tests.kit import in_both_modes, now, others
from tests.lifetime.pipelines import Numbers, Work, of_each_stage, settle, stages


@of_each_stage
@in_both_modes
async def test_a_break_starts_nothing_new(kind: str, mode: Any) -> None:
    """L4: from the break on nothing is pulled and no call starts, however long the stream lives."""
    first, last = Work(1), Work(1)
    data = Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)
    stream = pipeline.with_context(max_in_flight=16).with_execution_mode(mode)(data)
    async for _ in stream:
        break
    before = len(first.started), len(last.started), data.pulled
    await asyncio.sleep(1000)
    # one item may have been under way from the source
    after = len(first.started), len(last.started), data.pulled
    assert after[:2] == before[:2]
    assert after[2] <= before[2] + 1
    await stream.aclose()
    assert data.closed == 1


@of_each_stage
@in_both_modes
async def test_after_a_break_another_loop_goes_on(kind: str, mode: Any) -> None:
    """L4: the stream is still there: the next `async for` gets the next item, and none is lost."""
    expected = await stages()[kind].with_execution_mode(mode)(range(20)).collect()
    stream = stages()[kind].with_execution_mode(mode)(Numbers(0.5, end=20))
    got: list[int] = []
    while len(got) < len(expected):
        async for item in stream:
            got.append(item)
            if len(got) % 3 == 0:
                break
        await asyncio.sleep(7)
    if mode == "ordered":
        assert got == expected
    else:
        assert sorted(got) == sorted(expected)
    assert await anext(stream, None) is None


async def test_calls_that_run_at_a_break_go_on_to_their_end() -> None:
    """L4: nothing new starts, what runs is not cancelled, and its result is kept."""
    work = Work(3)
    stream = SingleTask(work)(range(4))

    async def first() -> None:
        async for item in stream:
            assert item == 0
            break

    await first()
    await asyncio.sleep(10)
    assert await stream.collect() == [1, 2, 3]
    assert work.started == [0, 1, 2, 3]
    assert now() == 13


async def test_an_exception_in_the_loop_body_is_a_break() -> None:
    """L4: the stream itself has not failed: it can be read on."""
    stream = SingleTask(Work())(range(5))

    async def read() -> None:
        async for item in stream:
            raise KeyError(item)

    with pytest.raises(KeyError):
        await read()
    assert await stream.collect() == [1, 2, 3, 4]


@of_each_stage
@in_both_modes
async def test_dropping_the_last_reference_closes_the_run(kind: str, mode: Any) -> None:
    """L4: calls are cancelled and the source is closed without anybody's asking."""
    first, last = Work(1), Work(1)
    data = Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)
    stream = pipeline.with_context(max_in_flight=16).with_execution_mode(mode)(data)
    async for _ in stream:
        break
    assert len(first.started) > len(first.ended)
    before = list(first.started), list(last.started)
    del stream
    await settle()
    assert now() < 20
    assert data.closed == 1
    assert sorted(map(str, first.ended)) == sorted(map(str, before[0]))
    assert sorted(map(str, last.ended)) == sorted(map(str, before[1]))
    assert not others()


async def test_the_bare_idiom_closes() -> None:
    """L4: `async for … in pipeline(data): break` holds no reference: the run is closed."""
    work, data = Work(1), Numbers(0.25)
    async for _ in SingleTask(work)(data):
        break
    await settle()
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()


async def test_a_stream_dropped_after_plain_anext_closes() -> None:
    """L4: it is the stream that counts, not the iterator."""
    data = Numbers(0.25)
    assert await anext(SingleTask(Work(1))(data)) == 0
    await settle()
    assert data.closed == 1
    assert not others()


async def test_an_iterator_keeps_its_stream_alive() -> None:
    """L4: `aiter(stream)` is a reference to the run."""
    iterator = aiter(SingleTask(Work(1))(range(3)))
    assert [item async for item in iterator] == [0, 1, 2]


async def test_dropping_a_derived_stream_closes_the_run() -> None:
    """L4: a stream behind Rx operators owns its run as any other."""
    data = Numbers(0.25)
    work = Work(1)
    async for _ in SingleTask(work)(data).pipe(ops.filter(lambda n: n % 2 == 1)):
        break
    await settle()
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()
