"""Where among the results does a failure stand? E1 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import SingleTask, batch_task, single_task
from conveyor_rx.testing import source
from tests.errors.failing import KINDS, Slow, ending, failing, of_each_kind, timed_ending
from tests.kit import in_both_modes, others

# -- E1


async def test_ordered_failure_lets_what_stands_before_it_through_at_its_instants() -> None:
    """E1: results before a failure come at their instants, then it is raised, nothing after it."""
    boom = ValueError("boom")
    first = Slow({0: 1, 1: 5, 2: 2, 3: 9, 4: 1, 5: 9})
    second = Slow({0: 0.5, 1: 0.5, 2: 0.5, 4: 0.25})
    second.fails[2] = boom
    got, (at, error) = await timed_ending((SingleTask(first) | SingleTask(second))(range(6)))
    assert got == [(1.5, 0), (5.5, 1)]
    assert (at, error) == (5.5, boom)
    assert error is boom
    # 4 was through, 3 and 5 were cancelled at the instant of the failure
    assert first.ended == [(1, 0), (1, 4), (2, 2), (2.5, 3), (2.5, 5), (5, 1)]
    assert second.started == [0, 4, 2, 1]


async def test_calls_behind_a_failure_are_awaited_before_it_is_raised() -> None:
    """E1, L2: the calls behind are cancelled at once, and have ended when the failure is raised."""
    work = Slow({0: 3, 1: 1, 2: 50, 3: 60}, cleanup=10)
    work.fails[1] = boom = ValueError("boom")
    got, (at, error) = await timed_ending(SingleTask(work)(range(4)))
    assert not others()
    assert error is boom
    assert (got, at) == ([(3, 0)], 11)
    assert work.ended == [(1, 1), (3, 0), (11, 2), (11, 3)]


async def test_of_two_failures_the_earlier_place_wins() -> None:
    """E1: a later failure at an earlier place takes the place of one that waits for its turn."""
    work = Slow({0: 5, 1: 4, 2: 9, 3: 1})
    first, second = ValueError("at 1"), ValueError("at 3")
    work.fails = {1: first, 3: second}
    got, (at, error) = await timed_ending(SingleTask(work)(range(4)))
    assert got == [(5, 0)]
    assert error is first
    assert at == 5
    assert work.ended == [(1, 3), (4, 1), (4, 2), (5, 0)]


async def test_of_two_failures_in_two_stages_the_earlier_place_wins() -> None:
    """E1: places count, not stages, not even where a segment lies between."""
    early, late = Slow({0: 1, 1: 1, 2: 1, 3: 1.5}), Slow({0: 5, 1: 5})
    early.fails[3] = ValueError("stage 1")
    late.fails[1] = boom = ValueError("stage 2")
    pipeline = SingleTask(early) | SingleTask(late, concurrency_limit=1)
    got, (at, error) = await timed_ending(pipeline(range(4)))
    assert got == [(6, 0)]
    assert (at, error) == (11, boom)


async def test_a_failure_while_the_consumer_is_parked() -> None:
    """E1: while nobody asks, a failure cuts off what is behind it, and waits behind the rest."""
    work = Slow({0: 0, 1: 1, 2: 2, 3: 3, 4: 100})
    work.fails[3] = boom = ValueError("boom")
    stream = SingleTask(work)(range(5))
    assert await anext(stream) == 0
    await asyncio.sleep(50)
    assert work.ended[-2:] == [(3, 3), (3, 4)]
    got, (at, error) = await timed_ending(stream)
    assert got == [(50, 1), (50, 2)]
    assert error is boom
    assert at == 50


@in_both_modes
async def test_from_the_failure_on_nothing_is_pulled_or_started(mode: Any) -> None:
    """E1: between a failure and its delivery the source is not pulled and no call starts."""
    work = Slow(dict.fromkeys(range(50), 0.25) | {0: 20, 2: 0.75})
    work.fails[2] = ValueError("boom")
    data = source("0-1-2-3-4-5-6-7-8-9---------------------", tick=0.25)
    stream = SingleTask(work).with_execution_mode(mode)(data)
    got, (at, error) = await timed_ending(stream)
    assert isinstance(error, ValueError)
    if mode == "ordered":
        assert (got, at) == ([(20, 0), (20, 1)], 20)
    else:
        assert (got, at) == ([(0.75, 1)], 1.75)
    assert work.started == [0, 1, 2, 3]  # 2 fails at 1.75 s, 3 is cancelled then, 4 was due at 2 s
    assert (data.pulled, data.closed) == (4, 1)


@of_each_kind
async def test_a_failure_of_each_kind_keeps_its_place(kind: str) -> None:
    """E1: ordered, in the middle of a pipeline, whatever the function's kind."""
    before = Slow({n: 10 - n for n in range(8)})
    after = Slow({n: n for n in range(8)})
    boom = ValueError("boom")
    pipeline = SingleTask(before) | failing(kind, boom, 4) | SingleTask(after)
    got, error = await ending(pipeline(range(8)))
    assert got == [0, 1, 2, 3]
    assert error is boom
    assert set(after.started) <= ({0, 1, 2, 3} if "generator" in kind else set(range(8)) - {4})
    assert not others()


async def test_a_failure_behind_a_generator_keeps_the_outputs_before_it() -> None:
    """E1: the place of an output counts; the generator that gave it is closed before the end."""
    closed: list[int] = []

    async def three(item: int) -> AsyncIterator[int]:
        try:
            for n in range(3):
                await asyncio.sleep(1)
                yield item * 10 + n
        finally:
            await asyncio.sleep(0.5)
            closed.append(item)

    boom = ValueError("boom")
    pipeline = SingleTask(three) | failing("async", boom, 11)
    got, (at, error) = await timed_ending(pipeline([0, 1, 2]))
    assert got == [(1, 0), (2, 1), (3, 2), (3.5, 10)]  # 10 comes when the generator before it ended
    assert error is boom
    assert sorted(closed) == [0, 1, 2]
    assert at == 3.5
    assert not others()


@pytest.mark.parametrize("kind", ["generator", "async generator"])
@in_both_modes
async def test_a_generator_that_fails_has_given_what_it_yielded_before(
    kind: str, mode: Any
) -> None:
    """E1: what a generator yielded before it fails is delivered, in both modes."""
    boom = ValueError("boom")

    def generate(item: int) -> Iterator[int]:
        yield item
        yield item + 1
        if item == 10:
            raise boom

    async def generate_async(item: int) -> AsyncIterator[int]:
        for value in generate(item):
            yield value

    task = SingleTask({"generator": generate, "async generator": generate_async}[kind])
    stream = task.with_execution_mode(mode)([0, 10, 20])
    got, error = await ending(stream)
    assert error is boom
    assert set(got) - {20, 21} == {0, 1, 10, 11}
    assert mode == "as_completed" or got == [0, 1, 10, 11]


@in_both_modes
async def test_a_failing_batch_keeps_its_place(mode: Any) -> None:
    """E1: the batches before it are delivered, those behind it never start."""
    batches: list[list[int]] = []
    boom = ValueError("boom")

    @batch_task(max_size=3)
    async def work(batch: list[int]) -> list[int]:
        batches.append(batch)
        await asyncio.sleep(1)
        if 4 in batch:
            raise boom
        return batch

    got, error = await ending(work.with_execution_mode(mode)(range(12)))
    assert got == [0, 1, 2]
    assert error is boom
    assert batches == [[0, 1, 2], [3, 4, 5]]


async def test_failing_batches_at_once_keep_their_places() -> None:
    """E1: with a limit over 1 too, the first failing batch in order is what is raised."""
    errors = {3: ValueError("late"), 6: ValueError("early")}

    @batch_task(max_size=3, concurrency_limit=4)
    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep({0: 9, 3: 5, 6: 1, 9: 7}[batch[0]])
        if batch[0] in errors:
            raise errors[batch[0]]
        return batch

    got, (at, error) = await timed_ending(work(range(12)))
    assert got == [(9, 0), (9, 1), (9, 2)]
    assert error is errors[3]
    assert at == 9


@in_both_modes
async def test_an_open_batch_is_discarded_by_a_failure(mode: Any) -> None:
    """E1, E9: items that wait for their batch to fill are let go, and counted as cancelled."""
    batches: list[list[int]] = []

    @batch_task(min_size=1, max_size=3)
    def work(batch: list[int]) -> list[int]:
        batches.append(batch)
        return batch

    boom = ValueError("boom")
    stream = (failing("def", boom, 5) | work).with_execution_mode(mode)(range(9))
    got, error = await ending(stream)
    assert error is boom
    assert batches == [[0, 1, 2]]
    assert got == [0, 1, 2]
    assert (stream.stats[1].in_, stream.stats[1].cancelled) == (5, 2)


async def test_a_failure_behind_a_foreign_operator() -> None:
    """E1: with Rx operators around the failing task the results before it come first, too."""
    boom = ValueError("boom")
    work = Slow({n: 5 - n for n in range(5)})
    pipeline = (
        SingleTask(work)
        | ops.map(lambda n: n * 2)
        | failing("async", boom, 6)
        | ops.filter(lambda n: n != 2)
    )
    got, (at, error) = await timed_ending(pipeline(range(5)))
    assert got == [(5, 0), (5, 4)]
    assert (at, error) == (5, boom)


async def test_a_foreign_operator_that_fails() -> None:
    """E1, E2: an error in an Rx operator's function comes behind the results before it."""
    boom = ValueError("boom")

    def mapped(value: int) -> int:
        if value == 3:
            raise boom
        return value

    work, after = Slow({n: 5 - n for n in range(6)}), Slow(dict.fromkeys(range(6), 1))
    stream = (SingleTask(work) | ops.map(mapped) | SingleTask(after))(range(6))
    got, (at, error) = await timed_ending(stream)
    assert got == [(6, 0), (6, 1), (6, 2)]
    assert error is boom
    assert at == 6


@in_both_modes
async def test_first_and_last_item_fail(mode: Any) -> None:
    """E1: a failure at the very first item gives nothing else, one at the last gives all others."""
    for kind in KINDS:
        for at in (0, 3):
            boom = ValueError(kind)
            stream = failing(kind, boom, at).with_execution_mode(mode)(iter(range(4)))
            got, error = await ending(stream)
            assert error is boom
            assert got == list(range(at))


# -- E10


async def test_a_failure_downstream_reaches_a_generator_that_is_to_wait_for_room() -> None:
    """E1, L1: it happens while the generator lends its slot of `max_parallelism`."""

    @single_task
    async def twice(item: int) -> AsyncIterator[int]:
        yield item
        yield item

    @single_task
    def fail(item: int) -> int:
        raise ValueError(item)

    ended = asyncio.get_running_loop().create_future()
    pipeline = (twice | fail).with_context(max_in_flight=1, max_parallelism=1)
    pipeline([1]).subscribe(None, ended.set_result, lambda: ended.set_result(None))
    assert isinstance(await ended, ValueError)


async def test_a_failure_behind_a_list_is_what_is_raised() -> None:
    """E1: the call behind it starts when the list has been put out, and not in the middle."""

    @single_task
    async def spread(item: int) -> int | list[int]:
        await asyncio.sleep(item)
        return item if item < 3 else [item, item]

    @single_task
    async def check(item: int) -> int:
        if item == 3:
            raise ValueError("boom")
        return item

    with pytest.raises(ValueError, match="boom"):
        await (spread | check)([1, 2, 3, 4]).collect()


def test_a_paused_run_does_not_keep_the_loop_from_being_shut_down() -> None:
    """L5, L7: its calls are cancelled by the loop, and take that for no failure to wait with."""
    kept: list[Any] = []

    @single_task
    async def work(item: int) -> int:
        await asyncio.sleep(0 if item == 0 else 60)
        return item

    async def main() -> None:
        kept.append(work(range(3)))
        async for _ in kept[0]:
            break

    async def in_time() -> None:
        await asyncio.wait_for(asyncio.to_thread(lambda: asyncio.run(main())), 20)

    asyncio.run(in_time())
