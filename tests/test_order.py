"""In which order do results come? O1 to O4 of the contract."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, Pipeline, SingleTask, batch_task, single_task
from conveyor_rx.testing import source, timed_task, timeline
from tests.kit import in_both_modes

FANS = ("list", "async list", "generator", "async generator", "lazy", "async lazy")
LATENCIES = [0.1, 0.2, 0.3, 0.4, 0.5, 2.0, 0.7, 0.8]
of_each_fan = pytest.mark.parametrize("kind", FANS)


def luck(item: object, salt: object = 0) -> float:
    """Give a latency of 0.00 to 0.99 s that depends on item and salt."""
    return random.Random(f"{item} {salt}").randrange(100) / 100


def slow(salt: int, **options: Any) -> SingleTask[Any, Any]:
    """Make a task that takes a random time and gives the item as it is."""
    return SingleTask(timed_task(lambda item: luck(item, salt)), task_name="slow", **options)


def parts(item: Any) -> list[Any]:
    """Give 0 to 3 outputs of an item."""
    return [(item, n) for n in range(int(luck(item, "parts") * 100) % 4)]


def fan(kind: str, **options: Any) -> SingleTask[Any, Any]:
    """Make a task that gives `parts(item)`, one after the other, in random time where it can."""

    async def call_list(item: Any) -> list[Any]:
        await asyncio.sleep(luck(item, "list"))
        return parts(item)

    def generate(item: Any) -> Iterator[Any]:
        yield from parts(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        for part in parts(item):
            await asyncio.sleep(luck(part, "generator"))
            yield part

    async def call_lazy(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(luck(item, "lazy"))
        return generate_async(item)

    def call_lazy_now(item: Any) -> Iterator[Any]:
        return generate(item)

    functions: dict[str, Callable[[Any], Any]] = {
        "list": parts,
        "async list": call_list,
        "generator": generate,
        "async generator": generate_async,
        "lazy": call_lazy_now,
        "async lazy": call_lazy,
    }
    return SingleTask(functions[kind], task_name=kind, **options)


# -- O1


async def test_the_outlier_holds_back_what_stands_behind_it() -> None:
    """O1: five results at 0.1 to 0.5 s, the outlier and the two behind it at 2.0 s."""
    work = SingleTask(timed_task(LATENCIES))
    assert await timeline(work(range(8))) == [
        (0.1, 0),
        (0.2, 1),
        (0.3, 2),
        (0.4, 3),
        (0.5, 4),
        (2.0, 5),
        (2.0, 6),
        (2.0, 7),
    ]


async def test_the_outlier_holds_nobody_up_in_the_next_stage() -> None:
    """O1: order is restored at the output only: all but the outlier are through both stages."""
    second = timed_task(lambda item: 0.1)
    got = await timeline((SingleTask(timed_task(LATENCIES)) | SingleTask(second))(range(8)))
    assert got[:5] == [(0.2, 0), (0.3, 1), (0.4, 2), (0.5, 3), (0.6, 4)]
    assert got[5:] == [(2.1, 5), (2.1, 6), (2.1, 7)]
    assert [(call.item, call.started) for call in second.calls[5:]] == [(6, 0.7), (7, 0.8), (5, 2)]


@pytest.mark.parametrize("window", [1, 2, 3, 8, 1024, None])
@pytest.mark.parametrize("limit", [1, 2, 5, None])
@of_each_fan
async def test_order_with_fan_out_under_random_latencies(
    kind: str, limit: int | None, window: int | None
) -> None:
    """O1: outputs in the order of the inputs, whatever the latencies, limits and windows."""
    pipeline = slow(1) | fan(kind, concurrency_limit=limit) | slow(2, concurrency_limit=limit)
    got = await pipeline.with_context(max_in_flight=window)(range(40)).collect()
    assert got == [part for item in range(40) for part in parts(item)]


@pytest.mark.parametrize("window", [1, 2, 3, 7, 1024])
@pytest.mark.parametrize("kinds", [FANS[:3], FANS[3:], FANS[::2], FANS[::-2]], ids=" ".join)
async def test_order_with_fan_outs_in_a_row(kinds: tuple[str, ...], window: int) -> None:
    """O1: outputs of outputs of outputs stand in the order in which they were given."""
    pipeline: Any = slow(1)
    expected: list[Any] = list(range(25))
    for salt, kind in enumerate(kinds):
        pipeline = pipeline | fan(kind) | slow(salt)
        expected = [part for item in expected for part in parts(item)]
    assert len(expected) > 10
    assert await pipeline.with_context(max_in_flight=window)(range(25)).collect() == expected


async def test_outputs_of_one_input_stand_together() -> None:
    """O1: a slow generator's outputs come as it gives them, its fast neighbour's behind them."""

    @single_task
    async def count(item: str) -> AsyncIterator[str]:
        for n in range(3):
            await asyncio.sleep(1 if item == "a" else 0.25)
            yield f"{item}{n}"

    expected = [(1, "a0"), (2, "a1"), (3, "a2"), (3, "b0"), (3, "b1"), (3, "b2")]
    assert await timeline(count(["a", "b"])) == expected


@pytest.mark.parametrize("nothing", [None, []], ids=repr)
async def test_who_gives_nothing_lets_those_behind_through(nothing: object) -> None:
    """O1: an item without outputs holds back what is behind it until that is known, not longer."""
    work = SingleTask(timed_task([1, 5, 2, 6], func=lambda item: nothing if item == 1 else item))
    assert await timeline(work(range(4))) == [(1, 0), (5, 2), (6, 3)]


@pytest.mark.parametrize("options", [{"on_error": "skip_item"}, {"on_error": "skip_batch"}])
async def test_who_is_skipped_lets_those_behind_through(options: dict[str, Any]) -> None:
    """O1: a skipped item gives its place up at the instant of its failure."""
    work = SingleTask(timed_task("-0-2-(1,#)----3"), **options)
    assert await timeline(work(range(4))) == [(1, 0), (5, 2), (14, 3)]


@in_both_modes
async def test_equal_latencies_keep_the_order_of_the_inputs(mode: str) -> None:
    """O1, O2: what completes at one instant comes in the order of the inputs."""
    work = SingleTask(timed_task(lambda item: 1.0)).with_context(execution_mode=mode)
    assert await timeline(work(range(100))) == [(1, n) for n in range(100)]


@pytest.mark.virtual_time(seed=11)
@of_each_fan
async def test_order_on_a_loop_that_shuffles(kind: str) -> None:
    """O1: order does not hang on the order in which the loop runs what is ready."""
    pipeline = SingleTask(timed_task(lambda item: 1.0)) | fan(kind) | slow(3)
    got = await pipeline.with_context(max_in_flight=5)(range(40)).collect()
    assert got == [part for item in range(40) for part in parts(item)]


# -- O2


async def test_as_completed_each_comes_at_its_own_instant() -> None:
    """O2: results come as they complete, the outlier last."""
    work = SingleTask(timed_task(LATENCIES))
    assert await timeline(work.as_completed(range(8))) == [
        (0.1, 0),
        (0.2, 1),
        (0.3, 2),
        (0.4, 3),
        (0.5, 4),
        (0.7, 6),
        (0.8, 7),
        (2.0, 5),
    ]


@pytest.mark.parametrize(
    "start",
    [
        lambda pipeline, data: pipeline.as_completed(data),
        lambda pipeline, data: pipeline(data).as_completed(),
        lambda pipeline, data: pipeline.with_execution_mode("as_completed")(data),
        lambda pipeline, data: pipeline.with_context(execution_mode="as_completed")(data),
        lambda pipeline, data: Pipeline().add(pipeline).as_completed(data),
    ],
    ids=["stage", "stream", "mode", "context", "pipeline"],
)
async def test_all_ways_to_ask_for_as_completed(
    start: Callable[[Any, Any], AsyncStream[Any]],
) -> None:
    """O2: each way to choose the mode gives the same run."""
    work = SingleTask(timed_task(lambda item: item))
    assert await timeline(start(work, [3, 1, 2])) == [(1, 1), (2, 2), (3, 3)]


async def test_as_completed_chain_lets_items_overtake_in_each_stage() -> None:
    """O2: an item's instant is the sum of its own latencies, whoever stands before it."""
    first = timed_task({"a": 3.0, "b": 1.0, "c": 2.0}.__getitem__)
    second = timed_task({"a": 1.0, "b": 5.0, "c": 0.5}.__getitem__)
    pipeline = SingleTask(first) | SingleTask(second)
    assert await timeline(pipeline.as_completed("a b c".split())) == [
        (2.5, "c"),
        (4, "a"),
        (6, "b"),
    ]


async def test_as_completed_outputs_of_generators_mix() -> None:
    """O2: each output of a generator comes when it is given, beside those of others."""

    @single_task
    async def count(item: float) -> AsyncIterator[tuple[float, int]]:
        for n in range(3):
            await asyncio.sleep(item)
            yield item, n

    assert await timeline(count.as_completed([1.0, 0.4])) == [
        (0.4, (0.4, 0)),
        (0.8, (0.4, 1)),
        (1, (1.0, 0)),
        (1.2, (0.4, 2)),
        (2, (1.0, 1)),
        (3, (1.0, 2)),
    ]


async def test_as_completed_batches_form_in_order_of_arrival() -> None:
    """O2: what has completed first is batched first, at the instant that fills the batch."""
    work = SingleTask(timed_task([4, 1, 3, 2, 5]))
    pack = batch_task(max_size=2)(tuple)
    assert await timeline((work | pack).as_completed(range(5))) == [
        (2, (1, 3)),
        (4, (2, 0)),
        (5, (4,)),
    ]


async def test_as_completed_a_sequential_stage_takes_items_as_they_arrive() -> None:
    """O2: a stage with a limit of 1 works on what has completed first."""
    pipeline = SingleTask(timed_task([4, 1, 2])) | SingleTask(
        timed_task(lambda item: 2), concurrency_limit=1
    )
    assert await timeline(pipeline.as_completed(range(3))) == [(3, 1), (5, 2), (7, 0)]


# -- O3


@pytest.mark.parametrize("window", [1, 3, 1024])
@of_each_fan
async def test_both_modes_give_the_same_outputs(kind: str, window: int) -> None:
    """O3: without failures and batches the modes differ in order only."""
    pipeline = slow(1) | fan(kind) | slow(2, concurrency_limit=3) | fan("generator") | slow(3)
    pipeline = pipeline.with_context(max_in_flight=window)
    ordered = await pipeline(range(40)).collect()
    as_completed = await pipeline.as_completed(range(40)).collect()
    assert Counter(ordered) == Counter(as_completed)
    assert len(ordered) == len([None for n in range(40) for a in parts(n) for b in parts(a)])


async def test_the_modes_differ() -> None:
    """O1, O3: the latencies of the test above do change the order, else it would show nothing."""
    assert await slow(1)(range(40)).collect() == list(range(40))
    assert await slow(1).as_completed(range(40)).collect() != list(range(40))


# -- O4


class Starts:
    """What was called, in the order of the calls."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def make(self, kind: str, limit: int | None) -> Any:
        """Make a stage of `kind` that notes its calls here."""
        items = self.items

        async def work(item: Any) -> Any:
            items.append(item)
            await asyncio.sleep(luck(item, "work"))
            return item

        def work_now(item: Any) -> Any:
            items.append(item)
            return item

        def generate(item: Any) -> Iterator[Any]:
            items.append(item)
            yield from (item, item)

        async def generate_async(item: Any) -> AsyncIterator[Any]:
            items.append(item)
            for _ in range(2):
                await asyncio.sleep(luck(item, "work"))
                yield item

        async def work_on_batch(batch: list[Any]) -> list[Any]:
            items.extend(batch)
            await asyncio.sleep(luck(batch, "work"))
            return batch

        async def with_stream(item: Any, numbers: AsyncIterator[int]) -> Any:
            items.append(item)
            await asyncio.sleep(luck(item, "work"))
            return item, await anext(numbers)

        if kind == "batch":
            return batch_task(max_size=3, concurrency_limit=limit)(work_on_batch)
        functions: dict[str, Callable[..., Any]] = {
            "async": work,
            "def": work_now,
            "generator": generate,
            "async generator": generate_async,
            "side input": with_stream,
        }
        task = SingleTask[Any, Any](functions[kind], concurrency_limit=limit)
        return task.with_inputs(numbers()) if kind == "side input" else task


async def numbers() -> AsyncIterator[int]:
    for n in range(1000):
        yield n


IN_ORDER = [
    ("async", 1),
    ("def", 1),
    ("generator", 1),
    ("generator", 4),
    ("generator", None),
    ("async generator", 1),
    ("async generator", 4),
    ("async generator", None),
    ("batch", 1),
    ("batch", 4),
    ("side input", 1),
    ("side input", 4),
    ("side input", None),
]


@pytest.mark.parametrize("window", [1, 4, 1024])
@pytest.mark.parametrize(("kind", "limit"), IN_ORDER)
async def test_calls_start_in_input_order(kind: str, limit: int | None, window: int) -> None:
    """O4: behind a task of random latency, these kinds of stage see their inputs in order."""
    starts = Starts()
    pipeline = slow(1) | starts.make(kind, limit)
    stream = pipeline.with_context(max_in_flight=window)(range(40))
    async with stream:
        await stream.collect()
    assert starts.items == list(range(40))


async def test_only_these_kinds_wait_for_order() -> None:
    """O4: a parallel task does not wait for order, else the test above would show nothing."""
    starts = Starts()
    await (slow(1) | starts.make("async", None))(range(40)).collect()
    assert starts.items != list(range(40))
    assert sorted(starts.items) == list(range(40))


@in_both_modes
@pytest.mark.virtual_time(seed=None)
async def test_a_list_never_overtakes_results_that_wait_for_the_consumer(mode: str) -> None:
    """O1, O2: not even if the buffer has room for it, and nobody had time to fill that up."""
    late = asyncio.Event()

    @single_task
    async def work(number: int) -> Any:
        if number == 20:
            await late.wait()
            return [*range(20, 60)]
        return number

    stream = work.with_execution_mode(mode)(range(21))
    results = [await anext(stream)]
    await asyncio.sleep(1)
    late.set()
    results.append(await anext(stream))  # makes room, and does not suspend
    results += [result async for result in stream]
    assert results == [*range(60)]


@in_both_modes
@pytest.mark.parametrize(("kind", "limit"), [*IN_ORDER, ("async", 3), ("async", None)])
async def test_a_first_stage_starts_in_input_order(kind: str, limit: int | None, mode: str) -> None:
    """O4: with the source before it, every kind of stage starts in its order, in both modes."""
    starts = Starts()
    stage = starts.make(kind, limit).with_context(execution_mode=mode)
    async with stage(range(40)) as stream:
        await stream.collect()
    assert starts.items == list(range(40))


@in_both_modes
async def test_a_new_arrival_never_overtakes_who_waits(mode: str) -> None:
    """O4: at the instant at which a slot is free and an item comes, who has waited is first."""
    work = timed_task(lambda item: 2.0)
    task = SingleTask(work, concurrency_limit=1).with_context(execution_mode=mode)
    got = await timeline(task(source("1-{2,3}-4-5|")))
    assert [call.item for call in work.calls] == [1, 2, 3, 4, 5]
    assert got == [(2, 1), (4, 2), (6, 3), (8, 4), (10, 5)]


@in_both_modes
async def test_a_new_arrival_never_overtakes_who_waits_for_a_slot_of_the_run(mode: str) -> None:
    """O4: the call that ends frees a slot and brings an item; who waits for the slot is first."""

    async def two_or_one(item: int) -> Any:
        await asyncio.sleep(1)
        return ["0a", "0b"] if item == 0 else "1"

    second = timed_task(lambda item: 1.0)
    pipeline = (SingleTask(two_or_one) | SingleTask(second)).with_execution_mode(mode)
    got = await timeline(pipeline.with_context(max_parallelism=2)([0, 1]))
    assert [(call.started, call.item) for call in second.calls] == [(1, "0a"), (1, "0b"), (2, "1")]
    assert got == [(2, "0a"), (2, "0b"), (3, "1")]


async def test_calls_on_a_shared_stream_take_turns_in_input_order() -> None:
    """O4: the n-th item gets the n-th value of a stream side input, though it asks later."""
    starts = Starts()
    async with (slow(1) | starts.make("side input", None))(range(40)) as stream:
        assert await stream.collect() == [(n, n) for n in range(40)]
