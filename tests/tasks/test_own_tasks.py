"""A user's own BaseTask subclass joins a pipeline; `process` of every task can be awaited alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    PipelineContext,
    SingleTask,
    batch_task,
    get_current_context,
    single_task,
)
from conveyor_rx.context import ContextManager
from conveyor_rx.testing import source, timed_task, timeline

modes = pytest.mark.parametrize("mode", ["ordered", "as_completed"])


class Boom(Exception):
    pass


async def drain(stream: Any, got: list[Any]) -> None:
    """Read `stream` to its end into `got`, which keeps what came before a failure."""
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails


class Endless:
    """The numbers from 0 on; knows how many were pulled and whether its iterator was closed."""

    def __init__(self) -> None:
        self.pulled = 0
        self.closed = 0

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self.pulled += 1
                yield self.pulled - 1
        finally:
            self.closed += 1


class Pairs(BaseTask[int, int]):
    """Sums of neighbours, as an async generator function."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        last: int | None = None
        async for item in items:
            if last is not None:
                yield last + item
            last = item


class PairsByCoroutine(BaseTask[int, int]):
    """The same as a coroutine that returns an async generator."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        await asyncio.sleep(0)
        return Pairs().process(items)


class Stepwise(AsyncIterator[int]):
    """Sums of neighbours, by an iterator object without `aclose`."""

    def __init__(self, items: AsyncIterable[int]) -> None:
        self.items = aiter(items)
        self.last: int | None = None

    async def __anext__(self) -> int:
        if self.last is None:
            self.last = await anext(self.items)
        item = await anext(self.items)
        self.last, result = item, self.last + item
        return result


class PairsByIterator(BaseTask[int, int]):
    """The same as a plain method that returns an iterator object."""

    def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        return Stepwise(items)


class PairsByStream(BaseTask[int, int]):
    """The same as an AsyncStream made of the items."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        return AsyncStream(items).pairwise().pipe(ops.map(sum))


KINDS = [Pairs, PairsByCoroutine, PairsByIterator, PairsByStream]
kinds = pytest.mark.parametrize("kind", KINDS)


@single_task
def double(x: int) -> int:
    return x * 2


def slow() -> SingleTask[int, int]:
    return single_task(timed_task(lambda x: 1))


# -- where it stands


@modes
@kinds
@pytest.mark.parametrize("place", ["alone", "first", "middle", "last", "twice"])
async def test_joins_a_pipeline(kind: type[BaseTask[int, int]], place: str, mode: Any) -> None:
    """Issue 2.4: an own subclass joins a pipeline at any place, in both modes."""
    own = kind()
    chain: Any = {
        "alone": own,
        "first": own | slow(),
        "middle": slow() | own | slow(),
        "last": slow() | own,
        "twice": own | own,
    }[place]
    expected = [4, 8, 12] if place == "twice" else [1, 3, 5, 7]
    assert await chain.with_execution_mode(mode)(range(5)).collect() == expected


@kinds
@pytest.mark.parametrize(
    "data", [[], [1], (n for n in (1, 2)), rx.of(1, 2)], ids="empty one generator rx".split()
)
async def test_any_source(kind: type[BaseTask[int, int]], data: Any) -> None:
    """V3: with any source, the empty one included."""
    expected = [3] if not isinstance(data, list) else []
    if isinstance(data, Iterator):
        data = [1, 2]
    assert await kind()(data).collect() == expected


async def test_as_an_rx_operator() -> None:
    """Section 2: every stage is an Rx operator."""
    assert await AsyncStream(rx.of(1, 2, 3).pipe(Pairs(), ops.map(str))).collect() == ["3", "5"]


@kinds
async def test_each_run_is_its_own(kind: type[BaseTask[int, int]]) -> None:
    """L6: two runs at once of one task object share no state."""
    own = kind() | slow()
    assert await asyncio.gather(own([1, 2, 3]).collect(), own([10, 20]).collect()) == [
        [3, 5],
        [30],
    ]


# -- order


@kinds
async def test_gets_the_items_in_input_order(kind: type[BaseTask[int, int]]) -> None:
    """Section 3: in ordered mode order is restored before an own `process`."""
    chain = single_task(timed_task("--3--2---1")) | kind()
    assert await chain([1, 2, 3]).collect() == [3, 5]


async def test_gets_the_items_as_they_complete() -> None:
    """O2: in as-completed mode it gets them as they complete."""
    chain = single_task(timed_task("--3--2---1")) | Pairs()
    assert await timeline(chain.as_completed([1, 2, 3])) == [(5, 5), (9, 3)]


class Reverse(BaseTask[int, int]):
    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        for item in [item async for item in items][::-1]:
            yield item


@modes
async def test_own_order_is_kept(mode: Any) -> None:
    """Issue 2.4: what it gives is in its own order; what follows keeps to that."""
    chain = slow() | Reverse() | slow()
    assert await chain.with_execution_mode(mode)([1, 2, 3]).collect() == [3, 2, 1]


async def test_outputs_leave_at_their_instant() -> None:
    """Issue 2.4: outputs aren't held back until the next input or the end."""
    chain = Pairs() | double
    assert await timeline(chain(source("1--2-3|"))) == [(3, 6), (5, 10)]


async def test_own_timing_is_kept() -> None:
    """Issue 2.4: a `process` that waits on its own goes on by itself."""

    class Later(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            async for item in items:
                await asyncio.sleep(2)
                yield item

    assert await timeline((Later() | double)([1, 2])) == [(2, 2), (4, 4)]


async def test_concurrency_of_its_own() -> None:
    """Issue 2.4: a `process` may pull ahead with tasks of its own, in its own order."""

    class Racing(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            async def nap(item: int) -> int:
                await asyncio.sleep(item)
                return item

            naps = [asyncio.create_task(nap(item)) async for item in items]
            for each in asyncio.as_completed(naps):
                yield await each

    assert await timeline((Racing() | double)([3, 1, 2])) == [(1, 2), (2, 4), (3, 6)]


# -- values


async def test_none_is_dropped_and_lists_are_items() -> None:
    """V1: None that it yields is dropped and counted; what it yields is an item, lists too."""

    class Odd(BaseTask[int, Any]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[Any]:
            async for item in items:
                yield None if item == 2 else [item]

    stream = Odd()([1, 2, 3])
    assert await stream.collect() == [[1], [3]]
    [stats] = stream.stats
    assert (stats.stage, stats.in_, stats.out, stats.dropped_outputs) == ("Odd", 3, 2, 1)


async def test_stage_without_init_and_with_name() -> None:
    """Issue 2.4: a subclass need not call `super().__init__`; a name can be given."""

    class Bare(Pairs):
        def __init__(self) -> None:
            pass

    assert Bare().task_name == "Bare"
    assert Pairs(task_name="pairs").task_name == "pairs"
    assert await Bare()([1, 2]).collect() == [3]


async def test_without_process() -> None:
    """Issue 2.4: a subclass that doesn't override `process` fails with a message that says so."""

    class Nothing(BaseTask[int, int]):
        pass

    with pytest.raises(NotImplementedError, match="Nothing must override process"):
        await Nothing()([1]).collect()


@pytest.mark.parametrize("result", [None, [1, 2], 3])
async def test_process_that_gives_no_async_iterable(result: Any) -> None:
    """Issue 2.4: a `process` that gives something else fails the run with a TypeError."""

    class Wrong(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> Any:
            return result

    class WrongPlain(BaseTask[int, int]):
        def process(self, items: AsyncIterable[int]) -> Any:
            return result

    for task in (Wrong(), WrongPlain()):
        with pytest.raises(TypeError):
            await task([1]).collect()


async def test_context_within_process() -> None:
    """Section 2: `get_context()` within `process` gives the context of the run."""
    seen: list[Any] = []

    class Look(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            context = self.get_context()
            assert context is get_current_context()
            async for item in items:
                seen.append(context and context.data["user"])
                yield item

    assert await Look().with_context(user="ada")([1]).collect() == [1]
    assert seen == ["ada"]
    assert get_current_context() is None


# -- pressure


@modes
@kinds
async def test_infinite_source_is_pulled_as_far_as_needed(
    kind: type[BaseTask[int, int]], mode: Any
) -> None:
    """F2: with the consumer parked, `process` and by that the source are not pulled further."""
    endless = Endless()
    stream = kind().with_execution_mode(mode)(endless)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    parked = endless.pulled
    assert parked <= 1 + (4 if kind is PairsByStream else 2) * 16 + 4  # inner streams have buffers
    await asyncio.sleep(1000)
    assert endless.pulled == parked
    assert [await anext(stream) for _ in range(50)] == list(range(3, 103, 2))
    await stream.aclose()
    assert endless.closed == 1


async def test_items_are_pulled_one_ahead_at_most() -> None:
    """F2/F6: it takes an item when it asks for one; one more at most is under way to it."""
    endless = Endless()

    class Ask(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            asked = 0
            async for item in items:
                asked += 1
                assert endless.pulled <= asked + 1
                await asyncio.sleep(1)
                assert endless.pulled <= asked + 1
                yield item

    stream = Ask()(endless)
    assert [await anext(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    await stream.aclose()


async def test_parked_process_between_stages() -> None:
    """F2: between two stages, each with its window, nothing is pulled beyond the windows."""
    endless = Endless()
    chain = (slow() | Pairs() | slow()).with_context(max_in_flight=4)
    stream = chain(endless)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    assert endless.pulled <= 1 + 4 + 1 + 4 + 16 + 1
    await stream.aclose()


async def test_a_process_that_never_pulls() -> None:
    """F1/F2: what is not asked for is not pulled."""
    endless = Endless()

    class Constant(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            yield 7

    assert await Constant()(endless).collect() == [7]
    assert endless.pulled == 0


async def test_nothing_runs_before_the_first_demand() -> None:
    """F1: `process` isn't even called before the stream is read."""
    called: list[str] = []

    class Loud(Pairs):
        def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            called.append("process")
            return super().process(items)

    stream = (double | Loud())([1, 2])
    await asyncio.sleep(1)
    assert called == []
    assert await stream.collect() == [6]
    assert called == ["process"]


# -- the end


class First(BaseTask[int, int]):
    """Gives the first `count` items and returns."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        if self.count:
            left = self.count
            async for item in items:
                yield item
                left -= 1
                if not left:
                    return


@modes
@pytest.mark.parametrize("count", [0, 1, 5])
async def test_early_return_closes_upstream(count: int, mode: Any) -> None:
    """Issue 2.4/L2: when it returns early, source and calls upstream are closed, the run ends."""
    endless = Endless()
    chain = double | First(count) | slow()
    stream = chain.with_context(max_in_flight=8).with_execution_mode(mode)(endless)
    assert await stream.collect() == [n * 2 for n in range(count)]
    assert endless.closed == (1 if endless.pulled else 0)
    assert endless.pulled <= count + 8 + 1
    assert all(stats.running == stats.waiting == 0 for stats in stream.stats)


async def test_early_return_cancels_and_awaits_the_calls_upstream() -> None:
    """L2: calls upstream are cancelled and awaited before the stream ends."""
    ended: list[float] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x == 0 else 1000)
        finally:
            if x:
                await asyncio.sleep(1)
                ended.append(asyncio.get_running_loop().time())
        return x

    assert await (work | First(1))(range(3)).collect() == [0]
    assert ended == [1, 1]


async def test_outputs_after_the_last_item() -> None:
    """Issue 2.4: what it gives after its input has ended comes, too."""

    class Total(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            total = 0
            async for item in items:
                total += item
            yield total
            await asyncio.sleep(1)
            yield -total

    assert await timeline((slow() | Total() | double)([1, 2])) == [(1, 6), (2, -6)]


class Closing(BaseTask[int, int]):
    """Passes items on, and notes when it is closed and how."""

    def __init__(self, pause: float = 0) -> None:
        super().__init__()
        self.pause = pause
        self.closed: list[str] = []

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        try:
            async for item in items:
                yield item
                await asyncio.sleep(self.pause)
        except BaseException as error:
            self.closed.append(type(error).__name__)
            raise
        finally:
            await asyncio.sleep(1)
            self.closed.append("end")


@modes
@pytest.mark.parametrize("pause", [0, 5], ids=["at yield", "within"])
@pytest.mark.parametrize("how", ["aclose", "async with", "take", "cancel", "error downstream"])
async def test_closing(how: str, pause: float, mode: Any) -> None:
    """Issue 2.4/L2: closing the run closes its iterator, once, and awaits that."""
    own = Closing(pause)
    endless = Endless()
    stream = own.with_execution_mode(mode)(endless)
    if how == "aclose":
        await anext(stream)
        await stream.aclose()
    elif how == "async with":
        async with stream:
            await anext(stream)
    elif how == "take":
        assert await stream.take(1).collect() == [0]
    elif how == "cancel":
        reader = asyncio.create_task(stream.pipe(ops.ignore_elements()).collect())
        for _ in range(20):
            await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait({reader})
    else:

        @single_task
        def bad(x: int) -> int:
            raise Boom

        with pytest.raises(Boom):
            await (own.with_execution_mode(mode) | bad)(endless).collect()
    assert own.closed in (["GeneratorExit", "end"], ["CancelledError", "end"])
    assert endless.closed == 1


async def test_closing_while_it_waits_for_an_item() -> None:
    """L2: `aclose` while `process` waits for an item ends that wait and closes it."""
    own = Closing()
    data = source("1-----2|")
    stream = own(data)
    assert await anext(stream) == 1
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(2)
    await stream.aclose()
    assert await reader == []
    assert own.closed == ["CancelledError", "end"]
    assert data.closed == 1


async def test_finally_runs_once_at_the_normal_end() -> None:
    """L1/L2: at exhaustion its `finally` has run when the stream ends."""
    own = Closing()
    assert await own([1, 2]).collect() == [1, 2]
    assert own.closed == ["end"]


# -- errors


class Fragile(BaseTask[int, int]):
    """Raises at one item."""

    def __init__(self, bad: int, **options: Any) -> None:
        super().__init__(**options)
        self.bad = bad

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        async for item in items:
            if item == self.bad:
                raise Boom(item)
            yield item


@modes
@pytest.mark.parametrize("bad", [0, 2, 4], ids=["first", "middle", "last"])
async def test_error_in_it_ends_the_run(bad: int, mode: Any) -> None:
    """E1/E2: what it gave before is delivered, then its exception; upstream is closed."""
    endless = Endless()
    got: list[int] = []
    chain = double | Fragile(2 * bad) | slow()
    with pytest.raises(Boom) as caught:
        await drain(chain.with_execution_mode(mode)(endless), got)
    assert caught.value.args == (2 * bad,)
    assert got == [n * 2 for n in range(bad)]
    assert endless.closed == 1


async def test_error_before_the_first_item() -> None:
    """E1: a `process` that raises at once, as coroutine or as a plain method."""

    class AtOnce(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
            raise Boom("coroutine")

    class Plain(BaseTask[int, int]):
        def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
            raise Boom("plain")

    for task in (AtOnce(), Plain()):
        with pytest.raises(Boom):
            await (double | task | double)([1]).collect()


@modes
@pytest.mark.parametrize("where", ["task", "source", "operator"])
async def test_error_from_upstream_arrives_in_it(where: str, mode: Any) -> None:
    """Issue 2.4: an error from upstream is raised where it pulls; not caught, it ends the run."""
    seen: list[BaseException] = []

    class Watch(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            try:
                async for item in items:
                    yield item
            except Exception as error:
                seen.append(error)
                raise

    def fail_at_two(x: int) -> int:
        if x == 2:
            raise Boom(x)
        return x

    def numbers() -> Iterator[int]:
        yield from range(2)
        raise Boom(2)

    chain: Any = {
        "task": single_task(fail_at_two) | Watch(),
        "source": Watch(),
        "operator": ops.map(fail_at_two) | Watch(),
    }[where]
    data: Any = numbers() if where == "source" else range(5)
    got: list[int] = []
    with pytest.raises(Boom) as caught:
        await drain((chain | slow()).with_execution_mode(mode)(data), got)
    assert got == ([] if (where, mode) == ("task", "as_completed") else [0, 1])
    assert seen == [caught.value]


@modes
async def test_it_may_catch_an_error_and_go_on(mode: Any) -> None:
    """Issue 2.4: order and errors are its own: it can end well after an error from upstream."""

    class Rescue(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            try:
                async for item in items:
                    yield item
            except Boom:
                yield -1
                yield -2

    def fail_at_two(x: int) -> int:
        if x == 2:
            raise Boom(x)
        return x

    for fragile in (Fragile(2), single_task(fail_at_two)):
        for behind in (double, slow() | double):
            chain = fragile | Rescue() | behind
            stream = chain.with_execution_mode(mode)(range(5))
            assert await stream.collect() == [0, 2, -2, -4]


async def test_items_after_the_end_stay_at_the_end() -> None:
    """L1: `anext(items)` after the end, or after an error, raises StopAsyncIteration, no hang."""
    after: list[str] = []

    class Greedy(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            iterator = aiter(items)
            for _ in range(4):
                try:
                    yield await anext(iterator)
                except StopAsyncIteration:
                    after.append("end")
                except Boom:
                    after.append("error")

    assert await Greedy()([1, 2]).collect() == [1, 2]
    assert after == ["end", "end"]
    after.clear()
    assert await (Fragile(2) | Greedy())([1, 2]).collect() == [1]
    assert after == ["error", "end", "end"]


@pytest.mark.parametrize(
    "error", [StopIteration("x"), StopAsyncIteration("x"), asyncio.CancelledError("x")], ids=repr
)
async def test_odd_exceptions_from_an_iterator_object(error: BaseException) -> None:
    """E8: StopIteration and CancelledError from its own code are failures, no silent end."""

    class Raw(AsyncIterator[int]):
        async def __anext__(self) -> int:
            raise error

    class Odd(BaseTask[int, int]):
        def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
            return Raw()

    stream = Odd()([1])
    if isinstance(error, StopAsyncIteration):
        assert await stream.collect() == []  # that is how an async iterator ends
        return
    with pytest.raises((RuntimeError, asyncio.CancelledError)):
        await stream.collect()


async def test_error_in_its_finally() -> None:
    """E2: an exception raised while it is closed doesn't replace the failure that closed it."""

    class Clumsy(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            try:
                async for item in items:
                    yield item
            finally:
                raise ValueError("clumsy")

    @single_task
    def bad(x: int) -> int:
        raise Boom

    with pytest.raises(Boom):
        await (Clumsy() | bad)([1, 2]).collect()


async def test_counters_balance_after_an_early_return() -> None:
    """E9: at the end in = completed + failed + skipped + dropped + cancelled, for it as well."""
    stream = (double | First(2) | double)(range(10))
    await stream.collect()
    for stats in stream.stats:
        assert stats.in_ == (
            stats.completed + stats.failed + stats.skipped + stats.dropped + stats.cancelled
        )
        assert stats.running == stats.waiting == 0
    assert [stats.stage for stats in stream.stats] == ["double", "First", "double"]


# -- `await task.process(items)`


async def numbers(count: int = 5) -> AsyncIterator[int]:
    for n in range(count):
        yield n


def fan_out(x: int) -> list[int]:
    return [x] * x


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (SingleTask(lambda x: x * 2), [0, 2, 4, 6, 8]),
        (SingleTask(timed_task(lambda x: 9 - x)), [0, 1, 2, 3, 4]),
        (SingleTask(fan_out), [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]),
        (BatchTask(sum, max_size=2), [1, 5, 4]),
        (BatchTask(list, max_size=3), [0, 1, 2, 3, 4]),
        (PairsByCoroutine(), [1, 3, 5, 7]),
    ],
    ids=["def", "async", "list", "batch", "list batch", "own"],
)
async def test_process_of_any_task(task: Any, expected: list[int]) -> None:
    """Section 2: `await task.process(async_iterable)` runs one stage alone."""
    outputs = await task.process(numbers())
    assert [item async for item in outputs] == expected


async def test_process_takes_side_inputs_along() -> None:
    """Section 2: with its side inputs bound; without them it is a TypeError."""
    task = single_task(lambda x, other: x + other)
    outputs = await task.with_inputs(10).process(numbers(2))
    assert [item async for item in outputs] == [10, 11]
    with pytest.raises(TypeError, match="lacks side inputs: 'other'"):
        await task.process(numbers())


async def test_process_pulls_nothing_before_it_is_read() -> None:
    """F1/F2: what `process` gives is a stream: cold, paced, closed by `aclose`."""
    endless = Endless()
    outputs: Any = await slow().with_context().stages[0].process(AsyncStream(endless))
    await asyncio.sleep(1)
    assert endless.pulled == 0
    assert await anext(outputs) == 0
    await outputs.aclose()
    assert endless.closed == 1


async def test_process_runs_in_the_current_context() -> None:
    """Section 2: it heeds the context that is current where it is awaited."""
    task = single_task(timed_task("--3--2---1"))
    with ContextManager(PipelineContext(execution_mode="as_completed")):
        outputs = await task.process(AsyncStream([1, 2, 3]))
    assert [item async for item in outputs] == [3, 2, 1]


async def test_process_of_an_inner_task_within_an_own_one() -> None:
    """Issue 2.4: an own task may send its items through `process` of others, and closes them."""
    work = timed_task(lambda x: 1 if x < 2 else 1000)

    class Wrapped(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            async for item in await single_task(work).process(items):
                yield item + 100

    endless = Endless()
    stream = Wrapped().with_context(max_in_flight=4)(endless)
    assert [await anext(stream), await anext(stream)] == [100, 101]
    await stream.aclose()
    await asyncio.sleep(0)
    assert work.running == 0
    assert endless.closed == 1


async def test_failing_process() -> None:
    """E2: the original exception."""

    def bad(x: int) -> int:
        if x == 2:
            raise Boom
        return x

    got: list[int] = []
    with pytest.raises(Boom):
        await drain(await single_task(bad).process(numbers()), got)
    assert got == [0, 1]


async def test_batch_task_options_of_the_decorator_hold() -> None:
    """B1: `process` of a batch task drops a rest below `min_size`."""
    task: Callable[..., Any] = batch_task(min_size=2, max_size=2)(sum)
    outputs = await task.process(numbers(5))
    assert [item async for item in outputs] == [1, 5]
