"""Side inputs (S1 to S4): what calls get beside the item."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, SingleTask, batch_task, single_task
from conveyor_rx.testing import run, source, timed_task, timeline

modes = pytest.mark.parametrize("mode", ["ordered", "as_completed"])


class Boom(Exception):
    pass


async def drain(stream: Any, got: list[Any]) -> None:
    """Read `stream` to its end into `got`, which keeps what came before a failure."""
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails


@single_task
async def add(x: int, other: int) -> int:
    return x + other


@single_task
def plain_add(x: int, other: int) -> int:
    return x + other


@single_task
async def yield_sum(x: int, other: int) -> AsyncIterator[int]:
    yield x
    yield x + other


@single_task
async def zip_with(x: int, other: Any) -> tuple[int, int]:
    return x, await anext(other)


@batch_task(max_size=2)
async def total(batch: list[int], other: int) -> int:
    return sum(batch) + other


class Slow:
    """A coroutine function that takes a second, and counts."""

    def __init__(self, value: Any = 10) -> None:
        self.value = value
        self.started = 0
        self.ended = 0

    async def __call__(self) -> Any:
        self.started += 1
        try:
            await asyncio.sleep(1)
            if isinstance(self.value, Exception):
                raise self.value
            return self.value
        finally:
            self.ended += 1


async def tens(pause: float = 0) -> AsyncIterator[int]:
    n = 0
    while True:
        n += 10
        await asyncio.sleep(pause)
        yield n


# -- values


@modes
@pytest.mark.parametrize("how", ["with_inputs", "keyword", "called", "called by keyword", "extra"])
async def test_value_by_every_way_of_binding(how: str, mode: Any) -> None:
    """S1/S3: a value is passed as it is, whichever way it was bound."""
    bound: Any = {
        "with_inputs": lambda: add.with_inputs(10),
        "keyword": lambda: add.with_inputs(other=10),
        "called": lambda: add(10),
        "called by keyword": lambda: add(other=10),
        "extra": lambda: add,
    }[how]()
    data = [1, 2, 3]
    chain = bound.with_execution_mode(mode)
    stream = chain(data, 10) if how == "extra" else chain(data)
    assert await stream.collect() == [11, 12, 13]


@pytest.mark.parametrize("value", [None, [1, 2], {"a": 1}, "text", rx.of(1), int, range(3)])
async def test_values_are_not_interpreted(value: Any) -> None:
    """S1: a value is passed as it is, the very object: lists, Observables and None included."""
    seen: list[Any] = []

    @single_task
    def look(x: int, other: Any) -> int:
        seen.append(other)
        return x

    assert await look.with_inputs(value)([1, 2]).collect() == [1, 2]
    assert all(each is value for each in seen)


KINDS: dict[str, tuple[Any, list[int]]] = {
    "async": (add, [11, 12, 13]),
    "def": (plain_add, [11, 12, 13]),
    "async generator": (yield_sum, [1, 11, 2, 12, 3, 13]),
    "batch": (total, [13, 13]),
}
kinds = pytest.mark.parametrize(("task", "expected"), KINDS.values(), ids=KINDS)


@modes
@kinds
async def test_coroutine_is_resolved_once(task: Any, expected: list[int], mode: Any) -> None:
    """S1: a coroutine is awaited once, before the first call, for all calls."""
    slow = Slow()
    bound = task.with_inputs(slow())
    results = await bound.with_execution_mode(mode)([1, 2, 3]).collect()
    if mode == "ordered":
        assert results == expected
    else:
        assert sorted(results) == sorted(expected)
    assert (slow.started, slow.ended) == (1, 1)
    assert asyncio.get_running_loop().time() == 1


@kinds
async def test_coroutine_is_shared_by_runs(task: Any, expected: list[int]) -> None:
    """S1: and for all runs of that task object, one after the other and at once."""
    slow = Slow()
    bound = task.with_inputs(slow())
    together = await asyncio.gather(*[bound([1, 2, 3]).collect() for _ in range(3)])
    assert together == [expected] * 3
    assert await bound([1, 2, 3]).collect() == expected
    assert slow.started == 1
    assert asyncio.get_running_loop().time() == 1


async def test_coroutine_in_two_places_of_a_pipeline() -> None:
    """S1: one task object that stands twice in a pipeline shares its coroutine with itself."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert await (bound | bound)([1, 2]).collect() == [21, 22]
    assert slow.started == 1


async def test_nothing_is_resolved_before_the_run() -> None:
    """F1: binding, chaining and calling await nothing; nor does a run that is never read."""
    slow = Slow()
    stream = (plain_add.with_inputs(slow()) | plain_add.with_inputs(1))([1])
    await asyncio.sleep(5)
    assert slow.started == 0
    assert await stream.collect() == [12]


async def test_coroutine_of_a_task_that_never_runs_is_closed() -> None:
    """L5: a coroutine that no run came to need is no "never awaited" warning."""
    add.with_inputs(Slow()())


async def test_no_call_starts_before_its_input_is_there() -> None:
    """S1: it is resolved from the first item on, and no call starts before; others go on."""
    first = timed_task(lambda x: 0.25)
    second = timed_task(lambda x: 0.5)

    async def with_other(x: int, other: int) -> int:
        return other + await second(x)

    chain = single_task(first) | single_task(with_other)(Slow()())
    assert await timeline(chain([1, 2])) == [(1.75, 11), (1.75, 12)]
    assert [call.started for call in first.calls] == [0, 0]
    assert [call.started for call in second.calls] == [1.25, 1.25]


@pytest.mark.parametrize("kind", ["task", "future", "done future"])
async def test_futures_and_tasks(kind: str) -> None:
    """S1: an asyncio.Task or Future is awaited like a coroutine, and is left alone otherwise."""
    loop = asyncio.get_running_loop()
    if kind == "task":
        future: Any = asyncio.create_task(Slow()())
    else:
        future = loop.create_future()
        if kind == "done future":
            future.set_result(10)
        else:
            loop.call_later(1, future.set_result, 10)
    bound = plain_add.with_inputs(other=future)
    assert await bound([1, 2]).collect() == [11, 12]
    assert await bound([3]).collect() == [13]
    assert await future == 10


async def test_future_of_the_user_survives_a_closed_run() -> None:
    """S1: closing a run that waits for the user's own Task doesn't cancel that task."""
    slow = Slow()
    mine = asyncio.create_task(slow())
    bound = add.with_inputs(mine)
    stream = bound([1])
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.5)
    reader.cancel()
    await asyncio.wait({reader})
    await stream.aclose()
    assert await mine == 10
    assert await bound([1]).collect() == [11]


async def test_several_inputs_of_different_kinds() -> None:
    """S1: positional and keyword inputs of all kinds together, each at its place."""

    @single_task
    async def show(x: int, a: int, b: int, *, c: int, d: int = 4) -> tuple[int, ...]:
        return x, a, b, c, d

    bound = show.with_inputs(Slow(1)(), 2, c=AsyncStream([3, 99]))
    assert await bound([0]).collect() == [(0, 1, 2, 3, 4)]


# -- streams


async def test_first_item_of_a_stream() -> None:
    """S1: of an AsyncStream the first item is taken, once, for all calls and runs."""
    work = timed_task(lambda x: 1)
    bound = add.with_inputs(single_task(work)([10, 20, 30]))
    assert await bound([1, 2, 3]).collect() == [11, 12, 13]
    assert await bound([4]).collect() == [14]
    assert len(work.calls) <= 3


async def test_stream_is_closed_when_its_first_item_is_there() -> None:
    """S1/L2: the stream is closed then: calls cancelled and awaited, source closed."""
    closed: list[float] = []
    clock = asyncio.get_running_loop().time

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(10, 100):
                await asyncio.sleep(1)
                yield n
        finally:
            closed.append(clock())

    work = timed_task(lambda x: 0 if x == 10 else 1000)
    bound = add.with_inputs(single_task(work)(numbers()))
    assert await bound([1]).collect() == [11]
    assert closed == [1]
    assert work.running == 0


async def test_derived_stream_as_side_input() -> None:
    """S1: a stream with Rx operators behind it is one, too."""
    bound = add.with_inputs(single_task(abs)([1, -3, 4]).filter(lambda x: x > 2))
    assert await bound([1]).collect() == [4]


@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
async def test_empty_stream_fails_the_run(on_error: Any) -> None:
    """S4: a stream without an item is an error that says so, whatever `on_error` is."""
    task = SingleTask(lambda x, other: x, on_error=on_error)
    with pytest.raises(RuntimeError, match="ended without an item"):
        await task.with_inputs(AsyncStream([]))([1, 2]).collect()


async def test_stream_that_gives_none_only_is_empty() -> None:
    """S1/V1: what is dropped is no first item."""
    dropping = single_task(lambda x: x if x > 2 else None)
    assert await add.with_inputs(dropping([1, 2, 3]))([0]).collect() == [3]


# -- async generators


@modes
async def test_generator_pairs_up_in_input_order(mode: Any) -> None:
    """S2/O4: values of a shared generator go to the items in input order."""
    stream = zip_with.with_inputs(tens()).with_execution_mode(mode)([1, 2, 3])
    assert await stream.collect() == [(1, 10), (2, 20), (3, 30)]


@modes
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


# -- binding


def needs_two(x: int, a: int, b: int) -> tuple[int, int, int]:
    return x, a, b


def needs_named(x: int, *, a: int) -> tuple[int, int]:
    return x, a


async def test_binding_in_steps() -> None:
    """S3: what is lacking can be bound by calling; the bound task is a stage."""
    task = single_task(needs_two)
    assert await task(2, 3)([1]).collect() == [(1, 2, 3)]
    assert await task(a=2, b=3)([1]).collect() == [(1, 2, 3)]
    assert await task(2, b=3)([1]).collect() == [(1, 2, 3)]


async def test_binding_makes_a_new_task() -> None:
    """Section 2: tasks are immutable: `with_inputs` leaves the old one as it was."""
    ten, twenty = add.with_inputs(10), add.with_inputs(20)
    assert await ten([1]).collect() == [11]
    assert await twenty([1]).collect() == [21]
    assert await ten.with_inputs(30)([1]).collect() == [31]
    assert await ten([1]).collect() == [11]
    with pytest.raises(TypeError, match="other"):
        (plain_add | add)([1])


async def test_bound_task_keeps_its_options() -> None:
    """Section 2: name, limit and error options go with it."""

    async def later(x: int, a: int, b: int) -> tuple[int, int, int]:
        return needs_two(x, a, b)

    task = single_task(task_name="sum", concurrency_limit=3, on_error="skip_item")(later)
    bound = task.with_inputs(1, 2)
    assert (bound.task_name, bound.concurrency_limit, bound.on_error) == ("sum", 3, "skip_item")
    assert type(bound) is SingleTask
    batch = total.with_inputs(1)
    assert (batch.min_size, batch.max_size, batch.concurrency_limit) == (1, 2, 1)


async def test_calling_a_task_that_lacks_inputs_gives_a_task() -> None:
    """S3: `wait_for_other(stream)` is `wait_for_other.with_inputs(stream)`."""
    bound: Any = zip_with(tens())
    assert type(bound) is SingleTask
    chain = plain_add.with_inputs(0) | bound | single_task(sum)
    assert await chain([1, 2]).collect() == [11, 22]


@pytest.mark.parametrize(
    ("bind", "names"),
    [
        (lambda: single_task(needs_two).with_inputs(1, 2, 3), "too many"),
        (lambda: single_task(needs_two).with_inputs(1, 2, c=1), "unexpected keyword argument 'c'"),
        (lambda: single_task(needs_two).with_inputs(1), "'b'"),
        (lambda: single_task(needs_two).with_inputs(b=1), "'a'"),
        (lambda: single_task(needs_two).with_inputs(), "'a'"),
        (lambda: single_task(needs_named).with_inputs(1), "too many"),
        (lambda: single_task(needs_two).with_inputs(1, a=1, b=2), "multiple values"),
        (lambda: single_task(needs_two).with_inputs(x=1, a=1, b=2), "multiple values"),
        (lambda: single_task(lambda x: x).with_inputs(1), "too many"),
        (lambda: total.with_inputs(1, 2), "too many"),
        (lambda: single_task(needs_two)(1, 2, 3), "too many"),
        (lambda: single_task(needs_named)(1), "too many"),
    ],
    ids=range(12),
)
def test_inputs_that_do_not_fit(bind: Callable[[], Any], names: str) -> None:
    """S3, bad input: TypeError when bound, that names task and argument."""
    with pytest.raises(TypeError, match=names) as caught:
        bind()
    assert "can't be called with" in str(caught.value)


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_task_that_lacks_inputs_in_a_pipeline(place: str) -> None:
    """Bad input: a task that lacks side inputs and is given data: TypeError that names them."""
    same = single_task(lambda x: x)
    lacking: Any = single_task(task_name="join")(needs_two)
    chain = {
        "first": lacking | same,
        "middle": same | lacking | same,
        "last": same | lacking,
    }[place]
    with pytest.raises(TypeError, match=r"'join' lacks side inputs: 'a', 'b'.*with_inputs"):
        chain([1])
    with pytest.raises(TypeError, match="'a', 'b'"):
        chain.as_completed([1])
    with pytest.raises(TypeError, match="'a', 'b'"):
        rx.of(1).pipe(chain)


def test_partly_bound_task_names_what_is_left() -> None:
    """Bad input: extra arguments of one run that don't suffice are a TypeError naming the rest."""
    chain: Any = single_task(task_name="join")(needs_two) | single_task(lambda x: x)
    with pytest.raises(TypeError, match="'b'") as caught:
        chain([1], 2)
    assert "'a'" not in str(caught.value)


# -- V4: arguments of one run


async def test_arguments_of_one_run_go_to_the_first_task_only() -> None:
    """V4: and stick to nothing: the next run needs its own."""
    chain = add | plain_add.with_inputs(1)
    assert await chain([1], 10).collect() == [12]
    assert await chain([1], other=20).collect() == [22]
    with pytest.raises(TypeError, match="lacks side inputs: 'other'"):
        chain([1])


async def test_arguments_of_one_run_replace_bound_ones() -> None:
    """V4: they take precedence over what is bound, for that run alone."""
    bound = add.with_inputs(10)
    assert await bound([1], 20).collect() == [21]
    by_name = add.with_inputs(other=10)
    assert await by_name([1], other=20).collect() == [21]
    assert await bound([1]).collect() == [11]


async def test_pending_argument_of_one_run() -> None:
    """V4/S1: a coroutine or stream can be one as well."""
    chain = add | plain_add.with_inputs(1)
    slow = Slow()
    assert await chain([1, 2], slow()).collect() == [12, 13]
    assert await chain.as_completed([1, 2], AsyncStream([10])).collect() == [12, 13]


# -- failures


@modes
@kinds
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
async def test_failing_input_fails_the_run(
    task: Any, expected: list[int], mode: Any, on_error: Any
) -> None:
    """S4: a side input that fails fails the run with its own exception, despite `on_error`."""
    make = (
        batch_task(max_size=2, on_error=on_error)
        if task is total
        else single_task(on_error=on_error, retry_attempts=3)
    )
    error = Boom("side")
    slow = Slow(error)
    bound = make(task.func).with_inputs(slow())
    with pytest.raises(Boom) as caught:
        await bound.with_execution_mode(mode)([1, 2, 3]).collect()
    assert caught.value is error
    assert slow.started == 1


async def test_failing_input_of_two_runs_at_once() -> None:
    """S1/S4: both runs get the failure."""
    bound = add.with_inputs(Slow(Boom("side"))())
    results = await asyncio.gather(
        bound([1]).collect(), bound([2]).collect(), return_exceptions=True
    )
    assert [type(result) for result in results] == [Boom, Boom]


async def test_failing_input_of_a_later_stage_ends_the_whole_run() -> None:
    """S4/L2: no call of that task has run, so nothing is delivered; the others are cancelled."""
    first = timed_task(lambda x: x)
    second = single_task(lambda x, other: x).with_inputs(Slow(Boom("side"))())
    got: list[int] = []
    with pytest.raises(Boom):
        await drain((single_task(first) | second)([0, 5, 6]), got)
    assert got == []
    assert [call.outcome for call in first.calls] == ["done", "cancelled", "cancelled"]
    assert asyncio.get_running_loop().time() == 1


async def test_failing_input_cuts_the_results_of_earlier_items_off() -> None:
    """S4/E1: with a batch in front, too: the error comes as soon as an input is needed."""
    chain = batch_task(max_size=2)(sum) | add.with_inputs(Slow(Boom("side"))())
    with pytest.raises(Boom, match="side") as caught:
        await chain([1, 2, 3]).collect()
    assert len(caught.value.__notes__) == 1
    assert "'add'" in caught.value.__notes__[0]
    assert caught.value.__notes__[0].endswith("attempt 0")  # no call was made


async def test_failing_stream_fails_the_run() -> None:
    """S4: a stream that fails before its first item fails the run with the original exception."""

    @single_task
    async def bad(x: int) -> int:
        raise Boom("inner")

    with pytest.raises(Boom, match="inner"):
        await add.with_inputs(bad([1, 2]))([1]).collect()


async def test_failing_generator_follows_the_policy_of_the_call() -> None:
    """S2/S4: a generator fails within a call; the run fails with its exception."""

    async def breaks() -> AsyncIterator[int]:
        yield 10
        raise Boom("generator")

    got: list[Any] = []
    with pytest.raises(Boom, match="generator"):
        await drain(zip_with(breaks())([1, 2, 3]), got)
    assert got == [(1, 10)]


async def test_cancelled_future_as_input() -> None:
    """S4/E8: a Future that somebody cancels fails the run; it doesn't hang or pass for an end."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1, future.cancel)
    with pytest.raises(asyncio.CancelledError):
        await add.with_inputs(future)([1]).collect()


@pytest.mark.parametrize("data", [list, lambda: source("-|")], ids=["at once", "later"])
async def test_run_without_items_leaves_the_input_to_the_next(data: Callable[[], Any]) -> None:
    """S1: a run that makes no call needs no input; the next run of that task still has it."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert await bound(data()).collect() == []
    assert await bound([1]).collect() == [11]
    assert (slow.started, slow.ended) == (1, 1)


async def test_failing_input_is_not_needed_without_items() -> None:
    """S4: nor does its failure reach a run that makes no call."""
    assert await add.with_inputs(Slow(Boom("side"))())([]).collect() == []


# -- cancellation


async def test_closing_while_pending() -> None:
    """L2: `aclose` while a factory is at work gives control back when that has ended."""
    slow = Slow()
    bound = add.with_inputs(slow)
    stream = bound([1])
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.5)
    await stream.aclose()
    assert (slow.started, slow.ended) == (1, 1)
    assert await reader == []


async def test_cancelled_consumer_while_pending() -> None:
    """L7/L2: a cancelled consumer: a factory's coroutine has ended when control is back."""
    slow = Slow()
    reader = asyncio.create_task(add.with_inputs(slow)([1]).collect())
    await asyncio.sleep(0.5)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert (slow.started, slow.ended) == (1, 1)


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_one_of_two_runs_is_cancelled_while_pending(cancelled: int) -> None:
    """S1: two runs share a pending coroutine: cancelling one leaves it to the other."""
    slow = Slow()
    bound = add.with_inputs(slow())
    readers = [asyncio.create_task(bound([n]).collect()) for n in (1, 2)]
    await asyncio.sleep(0.5)
    readers[cancelled].cancel()
    await asyncio.wait({readers[cancelled]})
    other = 1 - cancelled
    assert await readers[other] == [other + 11]
    assert (slow.started, slow.ended) == (1, 1)


async def test_closing_while_a_stream_is_pending() -> None:
    """L2: a stream that is waited for is closed: calls cancelled and awaited."""
    work = timed_task(lambda x: 1000)
    stream = add.with_inputs(single_task(work)([1, 2]))([1])
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.5)
    await stream.aclose()
    await asyncio.wait({reader})
    assert work.running == 0
    assert [call.outcome for call in work.calls] == ["cancelled", "cancelled"]


async def test_two_pending_inputs_are_resolved_once_each() -> None:
    """S1: several pending inputs of one task; each once, all before the first call."""
    a, b = Slow(10), Slow(100)
    bound = single_task(needs_two).with_inputs(a(), b=b())
    assert await bound([1, 2]).collect() == [(1, 10, 100), (2, 10, 100)]
    assert (a.started, b.started) == (1, 1)


# -- two loops


def test_resolved_input_on_a_second_loop() -> None:
    """S1: what one loop has resolved, runs on another loop use."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert run(lambda: bound([1]).collect()) == [11]
    assert run(lambda: bound([2]).collect()) == [12]
    assert slow.started == 1


def test_stream_made_before_any_loop_runs() -> None:
    """F1: a pipeline with side inputs can be built outside of any loop."""
    bound = add.with_inputs(AsyncStream([10]))
    assert run(lambda: bound([1]).collect()) == [11]
    assert run(lambda: bound([2]).collect()) == [12]


def test_value_on_two_loops() -> None:
    """S1: values know no loop."""
    bound = add.with_inputs(1)
    assert [run(bound([n]).collect()) for n in (1, 2)] == [[2], [3]]
