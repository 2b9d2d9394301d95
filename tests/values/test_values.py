"""What is an item, and what is none? V1 to V4 of the contract."""

from __future__ import annotations

import array
import asyncio
import collections
import functools
import io
import pathlib
import types
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops
from reactivex.scheduler.eventloop import AsyncIOScheduler

from conveyor_rx import AsyncStream, Pipeline, SingleTask, batch_task, single_task
from conveyor_rx.testing import source, timeline

MODES = ("ordered", "as_completed")
GIVING = ("async", "eager", "def", "batch", "async batch")
LAZY = (
    "generator",
    "async generator",
    "returned generator",
    "returned async generator",
    "awaited generator",
    "awaited async generator",
    "batch generator",
    "batch async generator",
    "batch returned generator",
)
in_both_modes = pytest.mark.parametrize("mode", MODES)


def giving(kind: str, give: Callable[[Any], Any]) -> Any:
    """Make a stage of `kind` that returns `give(item)`; batches are of one item."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return give(item)

    async def call_eagerly(item: Any) -> Any:
        return give(item)

    async def call_batch(batch: list[Any]) -> Any:
        await asyncio.sleep(0.5)
        return give(batch[0])

    stages: dict[str, Callable[[], Any]] = {
        "async": lambda: SingleTask(call),
        "eager": lambda: SingleTask(call_eagerly),
        "def": lambda: SingleTask(lambda item: give(item)),
        "batch": lambda: batch_task(max_size=1)(lambda batch: give(batch[0])),
        "async batch": lambda: batch_task(max_size=1)(call_batch),
    }
    return stages[kind]()


def yielding(kind: str, give: Callable[[Any], Iterable[Any]]) -> Any:
    """Make a stage of `kind` that yields what is in `give(item)`."""

    def generate(item: Any) -> Iterator[Any]:
        yield from give(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        for value in give(item):
            await asyncio.sleep(0)
            yield value

    async def wait(item: Any) -> Any:
        await asyncio.sleep(0)
        return generate(item)

    async def wait_async(item: Any) -> Any:
        return generate_async(item)

    def generate_batch(batch: list[Any]) -> Iterator[Any]:
        yield from give(batch[0])

    async def generate_batch_async(batch: list[Any]) -> AsyncIterator[Any]:
        for value in give(batch[0]):
            yield value

    singles: dict[str, Callable[[Any], Any]] = {
        "generator": generate,
        "async generator": generate_async,
        "returned generator": lambda item: generate(item),
        "returned async generator": lambda item: generate_async(item),
        "awaited generator": wait,
        "awaited async generator": wait_async,
    }
    batches: dict[str, Callable[[Any], Any]] = {
        "batch generator": generate_batch,
        "batch async generator": generate_batch_async,
        "batch returned generator": lambda batch: generate(batch[0]),
    }
    if kind in singles:
        return SingleTask(singles[kind])
    return batch_task(max_size=1)(batches[kind])


# -- V1


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
async def test_none_is_dropped(kind: str, mode: str) -> None:
    """V1: None is no output; the others come as if it had not been there."""
    task = giving(kind, lambda n: n if n % 3 == 1 else None).with_execution_mode(mode)
    assert await task(range(10)).collect() == [1, 4, 7]


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
async def test_none_in_a_list_is_dropped(kind: str, mode: str) -> None:
    """V1: None is no output inside of a list either."""
    task = giving(kind, lambda n: [None, n, None, None, -n, None]).with_execution_mode(mode)
    assert await task([1, 2]).collect() == [1, -1, 2, -2]


@in_both_modes
@pytest.mark.parametrize("kind", LAZY)
async def test_none_from_a_generator_is_dropped(kind: str, mode: str) -> None:
    """V1: None that is yielded is no output."""
    task = yielding(kind, lambda n: [None, n, None, None, -n, None])
    got = await task.with_execution_mode(mode)([1, 2]).collect()
    assert (got if mode == "ordered" else sorted(got, key=abs)) in ([1, -1, 2, -2], [-1, 1, -2, 2])


async def test_none_reaches_no_later_stage() -> None:
    """V1: the next stage is never called with None."""
    seen: list[Any] = []
    drop = SingleTask[int, Any](lambda n: n if n % 2 else None)
    await (drop | SingleTask(seen.append))(range(6)).collect()
    assert seen == [1, 3, 5]


async def test_none_in_the_data_is_an_item() -> None:
    """V1: outputs are dropped, not data: the first task gets the Nones of its source."""
    task = SingleTask[Any, Any](lambda item: ("got", item))
    assert await task([1, None, 2]).collect() == [("got", 1), ("got", None), ("got", 2)]
    assert await task(None).collect() == [("got", None)]


@pytest.mark.parametrize("kind", GIVING)
async def test_falsy_values_are_outputs(kind: str) -> None:
    """V1: only None is dropped: zero, False, and empty values of all kinds are results."""
    falsy = [0, 0.0, False, "", b"", (), {}, set(), frozenset(), range(0)]
    got = await giving(kind, lambda item: item)(falsy).collect()
    assert got == falsy
    assert [type(value) for value in got] == [type(value) for value in falsy]


# -- V2

Point = collections.namedtuple("Point", "x y")


class Iterates:
    """A value that can be iterated, and whose truth, equality and length nobody may ask for."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("iterated")

    def __bool__(self) -> bool:
        raise AssertionError("asked for its truth")

    def __len__(self) -> int:
        raise AssertionError("asked for its length")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = object.__hash__


ONE_ITEM: dict[str, Any] = {
    "tuple": (1, 2),
    "namedtuple": Point(1, 2),
    "dict": {"a": 1},
    "ordered dict": collections.OrderedDict(a=1),
    "str": "abc",
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "array": array.array("i", [1, 2, 3]),
    "set": {1, 2},
    "frozenset": frozenset({1, 2}),
    "range": range(3),
    "deque": collections.deque([1, 2]),
    "UserList": collections.UserList([1, 2]),
    "iterator": iter([1, 2]),
    "map": map(str, [1, 2]),
    "zip": zip([1], [2], strict=True),
    "file": io.StringIO("a\nb\n"),
    "mapping proxy": types.MappingProxyType({"a": 1}),
    "observable": reactivex.of(1, 2),
    "stream": AsyncStream([1, 2]),
    "class": list,
    "function": test_none_is_dropped,
    "hostile": Iterates(),
}


@pytest.mark.parametrize("kind", GIVING)
@pytest.mark.parametrize("name", ONE_ITEM)
async def test_every_other_value_is_one_item(name: str, kind: str) -> None:
    """V2: what is neither list nor generator is one output, and comes out as the same object."""
    got = await giving(kind, lambda n: ONE_ITEM[name])([1]).collect()
    assert len(got) == 1
    assert got[0] is ONE_ITEM[name]


@pytest.mark.parametrize("kind", LAZY)
async def test_values_that_are_yielded_are_one_item_each(kind: str) -> None:
    """V2: only what a function gives is flattened, not what is in it: lists in lists stay."""
    values = [[1, [2]], (3, 4), {"a": 5}, "six", [], ((),)]
    assert await yielding(kind, lambda n: values)([1]).collect() == values


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
async def test_lists_are_flattened_one_level(kind: str, mode: str) -> None:
    """V2: a list is as many outputs as it has elements; lists in it stay lists."""
    lists = [[1, 2], [], [[3, [4]], []], [None], [(5,)]]
    task = giving(kind, lambda item: item[0]).with_execution_mode(mode)
    assert await task([(each,) for each in lists]).collect() == [1, 2, [3, [4]], [], (5,)]


async def test_subclasses_of_list_are_lists() -> None:
    """V2: an object that is a list is flattened, whatever its class calls itself."""

    class Names(list[str]):
        pass

    assert await giving("async", lambda n: Names(["a", "b"]))([1]).collect() == ["a", "b"]


@in_both_modes
@pytest.mark.parametrize("length", [255, 256, 257, 5000])
@pytest.mark.parametrize("kind", GIVING)
async def test_long_lists_are_flattened(kind: str, length: int, mode: str) -> None:
    """V2: the length of a list makes no difference, nor does a window that is shorter."""
    task = giving(kind, lambda n: [None, *range(length)])
    task = task.with_context(max_in_flight=3, execution_mode=mode)
    assert sorted(await task([1, 2]).collect()) == sorted([*range(length)] * 2)
    assert await task([1]).collect() == [*range(length)]


@in_both_modes
@pytest.mark.parametrize("kind", LAZY)
async def test_generators_are_flattened(kind: str, mode: str) -> None:
    """V2: so is what a generator yields, defined or returned, awaited or not."""
    task = yielding(kind, lambda n: range(n)).with_execution_mode(mode)
    expected = [0, 0, 1, 2, 0, 1]
    got = await task([0, 1, 3, 2]).collect()
    assert got == expected if mode == "ordered" else sorted(got) == sorted(expected)


@pytest.mark.parametrize("kind", LAZY)
async def test_generators_are_flattened_lazily(kind: str) -> None:
    """V2: a generator is asked for its next value when there is room, not before."""
    given = 0

    def give(item: int) -> Iterator[int]:
        nonlocal given
        while True:
            given += 1
            yield given

    async with yielding(kind, give).with_context(max_in_flight=2)([1]) as stream:
        for expected in range(1, 50):
            assert await anext(stream) == expected
        assert given < 49 + 2 + 16 + 2  # window, output buffer, one in its hand


async def test_a_slow_generator_gives_each_value_at_its_instant() -> None:
    """V2: lazily also means that a value does not wait for those behind it."""

    @batch_task(max_size=2)
    async def count(batch: list[str]) -> AsyncIterator[str]:
        for item in batch:
            await asyncio.sleep(1)
            yield item

    assert await timeline(count("a b c".split())) == [(1, "a"), (2, "b"), (3, "c")]


@pytest.mark.parametrize("kind", GIVING)
async def test_exceptions_are_values(kind: str) -> None:
    """V2: an exception, or its class, that is returned and not raised is one output."""
    errors = [ValueError("x"), StopIteration(1), asyncio.CancelledError(), ValueError]
    assert await giving(kind, lambda item: item)(errors).collect() == errors


@pytest.mark.parametrize(
    "make",
    [
        lambda call: functools.partial(call),
        lambda call: functools.partial(functools.partial(call)),
        lambda call: lambda item: call(item),
        lambda call: lambda item: asyncio.ensure_future(call(item)),
    ],
    ids=["partial", "partial of partial", "returned coroutine", "returned future"],
)
async def test_a_coroutine_that_is_returned_is_awaited(make: Callable[[Any], Any]) -> None:
    """V2: whether a function is async or gives a coroutine makes no difference."""

    async def call(item: int) -> list[int]:
        await asyncio.sleep(item)
        return [item, -item]

    got = await timeline(SingleTask(make(call))([2, 1]))
    assert got == [(2, 2), (2, -2), (2, 1), (2, -1)]


async def test_callables_of_every_sort() -> None:
    """V2: objects with `__call__`, bound methods, classes and builtins follow the same rule."""

    class Generates:
        def __call__(self, item: int) -> Iterator[int]:
            yield from (item, item)

        async def method(self, item: int) -> AsyncIterator[int]:
            yield -item

    assert await SingleTask(Generates())([1, 2]).collect() == [1, 1, 2, 2]
    assert await SingleTask(Generates().method)([1, 2]).collect() == [-1, -2]
    assert await SingleTask(sorted)([(2, 1), (3,)]).collect() == [1, 2, 3]
    assert await SingleTask(tuple)([(2, 1), (3,)]).collect() == [(2, 1), (3,)]
    assert await SingleTask(str)([1, 2]).collect() == ["1", "2"]


# -- V3


class Sequence:
    """A sequence by `__getitem__` and `__len__`, without `__iter__`."""

    def __getitem__(self, index: int) -> int:
        if index >= 3:
            raise IndexError(index)
        return index + 1

    def __len__(self) -> int:
        return 3


class Sync:
    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])


class Async:
    def __aiter__(self) -> AsyncIterator[int]:
        return self._read()

    async def _read(self) -> AsyncIterator[int]:
        for n in (1, 2, 3):
            await asyncio.sleep(0)
            yield n


class Both(Async):
    def __iter__(self) -> Iterator[int]:
        raise AssertionError("iterated synchronously")


class AsyncIteratorOnly:
    """An async iterator without `aclose`."""

    def __init__(self) -> None:
        self.left = [3, 2, 1]

    def __aiter__(self) -> AsyncIteratorOnly:
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


def generate() -> Iterator[int]:
    yield from (1, 2, 3)


def on_the_loop() -> reactivex.Observable[int]:
    scheduler = AsyncIOScheduler(asyncio.get_running_loop())
    ticks = reactivex.timer(0, 0.5, scheduler=scheduler)
    return ticks.pipe(ops.take(3), ops.map(lambda n: n + 1))


SOURCES: dict[str, Callable[[], Any]] = {
    "list": lambda: [1, 2, 3],
    "tuple": lambda: (1, 2, 3),
    "range": lambda: range(1, 4),
    "set": lambda: {1, 2, 3},
    "frozenset": lambda: frozenset({1, 2, 3}),
    "dict keys": lambda: {1: "a", 2: "b", 3: "c"}.keys(),
    "deque": lambda: collections.deque([1, 2, 3]),
    "array": lambda: array.array("i", [1, 2, 3]),
    "generator": generate,
    "iterator": lambda: iter([1, 2, 3]),
    "map": lambda: map(int, "123"),
    "callable iterator": lambda: iter(iter([1, 2, 3, 0]).__next__, 0),
    "__iter__": Sync,
    "__getitem__": Sequence,
    "UserList": lambda: collections.UserList([1, 2, 3]),
    "async generator": lambda: Async()._read(),
    "__aiter__": Async,
    "__iter__ and __aiter__": Both,
    "async iterator": AsyncIteratorOnly,
    "observable": lambda: reactivex.of(1, 2, 3),
    "timed observable": lambda: reactivex.defer(lambda _: on_the_loop()),
    "stream": lambda: AsyncStream([1, 2, 3]),
    "stream of a stream": lambda: AsyncStream(AsyncStream([1, 2, 3])),
    "stream of a pipeline": lambda: SingleTask[int, int](lambda n: n + 1)(range(3)),
    "stream of an observable": lambda: AsyncStream(reactivex.of(1, 2, 3)),
    "marbles": lambda: source("1--2-3|"),
}


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
@pytest.mark.parametrize("name", SOURCES)
async def test_sources_of_every_kind(name: str, kind: str, mode: str) -> None:
    """V3: many items come from anything that can be iterated, in one way or the other."""
    task = giving(kind, lambda n: n * 10).with_execution_mode(mode)
    assert await task(SOURCES[name]()).collect() == [10, 20, 30]


@pytest.mark.parametrize("name", SOURCES)
async def test_a_stream_wraps_sources_of_every_kind(name: str) -> None:
    """V3: `AsyncStream(source)` and an empty pipeline give the items of the source."""
    assert await AsyncStream(SOURCES[name]()).collect() == [1, 2, 3]
    assert await Pipeline()(SOURCES[name]()).collect() == [1, 2, 3]


EMPTY: dict[str, Callable[[], Any]] = {
    "list": list,
    "tuple": tuple,
    "range": lambda: range(0),
    "generator": lambda: (n for n in ()),
    "async": lambda: source("|"),
    "late async": lambda: source("---|"),
    "observable": reactivex.empty,
    "stream": lambda: AsyncStream([]),
}


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
@pytest.mark.parametrize("name", EMPTY)
async def test_empty_sources(name: str, kind: str, mode: str) -> None:
    """V3: no items, no calls, no results, a normal end."""
    calls: list[Any] = []
    stream = giving(kind, calls.append).with_execution_mode(mode)(EMPTY[name]())
    assert (await stream.collect(), calls) == ([], [])


async def test_a_file_is_its_lines(tmp_path: pathlib.Path) -> None:
    """V3: a file object is read line by line, as far as lines are asked for."""
    path = tmp_path / "text"
    path.write_text("".join(f"{n}\n" for n in range(10_000)))
    with path.open() as file:
        stream = SingleTask[str, int](int).with_context(max_in_flight=4)(file)
        assert await stream.take(3).collect() == [0, 1, 2]
        assert int(next(file)) <= 3 + 4 + 16
    with path.open("rb") as binary:
        assert await SingleTask[bytes, int](int)(binary).collect() == [*range(10_000)]


class Row(collections.UserDict[str, int]):
    """A mapping that is no dict."""


class NoIteration:
    """A class that says that it can't be iterated, though it has `__getitem__`."""

    __iter__ = None

    def __getitem__(self, index: int) -> int:
        return index

    def __len__(self) -> int:
        return 3


class OnlyLength:
    def __len__(self) -> int:
        return 3


class OnlyKeys:
    """What has `__getitem__` alone may be anything: a row, a match, a bit field."""

    def __getitem__(self, key: str) -> str:
        return key


async def pause_for_ever() -> None:
    await asyncio.Event().wait()


DATA_OF_ONE: dict[str, Any] = {
    "str": "abc",
    "empty str": "",
    "bytes": b"abc",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "dict": {"a": 1, "b": 2},
    "empty dict": {},
    "counter": collections.Counter("abc"),
    "mapping": Row(a=1),
    "mapping proxy": types.MappingProxyType({"a": 1}),
    "int": 7,
    "zero": 0,
    "None": None,
    "False": False,
    "object": object(),
    "class": int,
    "function": str.upper,
    "coroutine function": pause_for_ever,
    "exception": ValueError("x"),
    "not iterable by its own word": NoIteration(),
    "length without items": OnlyLength(),
    "getitem alone": OnlyKeys(),
}


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
@pytest.mark.parametrize("name", DATA_OF_ONE)
async def test_data_of_one_item(name: str, kind: str, mode: str) -> None:
    """V3: text, bytes, mappings and what can't be iterated is one item, the same object."""
    task = giving(kind, lambda item: (item,)).with_execution_mode(mode)
    got = await task(DATA_OF_ONE[name]).collect()
    assert len(got) == 1
    assert got[0][0] is DATA_OF_ONE[name]


async def test_items_are_not_looked_into() -> None:
    """V3: what is in the source is an item, whatever it is: lists in a list are not unpacked."""
    items = [[1, 2], "ab", {"c": 3}, (4,), range(2), Iterates()]
    got = await SingleTask[Any, Any](lambda item: (item,))(items).collect()
    assert all(one[0] is other for one, other in zip(got, items, strict=True))


async def test_an_async_source_wins_over_its_plain_side() -> None:
    """V3: an object with `__iter__` and `__aiter__` is read by `__aiter__`."""
    assert await SingleTask(str)(Both()).collect() == ["1", "2", "3"]


async def test_a_source_that_can_be_read_once_is_read_once() -> None:
    """V3, L6: a generator has nothing left for a second run, a list has."""
    task = SingleTask(str)
    once, often = generate(), [1, 2, 3]
    assert await task(once).collect() == await task(often).collect() == ["1", "2", "3"]
    assert await task(once).collect() == []
    assert await task(often).collect() == ["1", "2", "3"]


async def test_a_broken_iterable_is_an_error() -> None:
    """V3: a source whose `__iter__` or `__aiter__` gives no iterator is an error, not an item."""

    class BadIter:
        def __iter__(self) -> int:
            return 3

    class BadAiter:
        def __aiter__(self) -> int:
            return 3

    for bad in (BadIter(), BadAiter()):
        with pytest.raises(TypeError):
            await SingleTask(str)(bad).collect()


@in_both_modes
@pytest.mark.parametrize(
    "kind", ["async", "def", "generator", "async generator", "list", "batch", "batch generator"]
)
async def test_no_data_calls_the_first_task_without_an_item(kind: str, mode: str) -> None:
    """V3: without data the first task is called once, with no argument."""
    calls: list[str] = []

    async def call() -> int:
        calls.append(kind)
        return 1

    def call_now() -> int:
        calls.append(kind)
        return 1

    def generate() -> Iterator[int]:
        calls.append(kind)
        yield 1

    async def generate_async() -> AsyncIterator[int]:
        calls.append(kind)
        yield 1

    stages: dict[str, Any] = {
        "async": single_task(call),
        "def": single_task(call_now),
        "generator": single_task(generate),
        "async generator": single_task(generate_async),
        "list": single_task(lambda: [call_now()]),
        "batch": batch_task(max_size=3)(call),
        "batch generator": batch_task(max_size=3)(generate),
    }
    stage = stages[kind].with_execution_mode(mode)
    plus = SingleTask[int, int](lambda n: n + 1)
    assert await stage().collect() == [1]
    assert await (stage | plus)().collect() == [2]
    assert len(calls) == 2


async def test_no_data_calls_a_batch_task_of_any_size() -> None:
    """V3: one call without an item is not a rest below `min_size`."""
    task = batch_task(min_size=2, max_size=3)(lambda: [1, 2, 3])
    assert await task().collect() == [1, 2, 3]


async def test_no_data_by_all_ways_to_start() -> None:
    """V3: `as_completed()` without data is the same call."""
    naturals = SingleTask[Any, int](lambda: [3, 1, 2])
    pause = SingleTask(asyncio.sleep)
    assert await naturals.as_completed().collect() == [3, 1, 2]
    timed = SingleTask[int, int](lambda n: pause_for(n))
    assert await (naturals | timed).as_completed().collect() == [1, 2, 3]
    assert await (naturals | pause).as_completed().collect() == []


async def pause_for(seconds: int) -> int:
    await asyncio.sleep(seconds)
    return seconds


# -- V4


def describe(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    return (*args, *sorted(kwargs.items()))


@in_both_modes
@pytest.mark.parametrize("is_async", [False, True])
async def test_extra_arguments_go_to_the_first_stage(is_async: bool, mode: str) -> None:
    """V4: `pipeline(data, *args, **kw)` passes them behind each item, to no other stage."""

    async def describe_later(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        await asyncio.sleep(1)
        return describe(*args, **kwargs)

    first = SingleTask[Any, Any](describe_later if is_async else describe)
    pipeline = (first | SingleTask(describe)).with_execution_mode(mode)
    got = await pipeline([1, 2], "a", key="b").collect()
    assert got == [((1, "a", ("key", "b")),), ((2, "a", ("key", "b")),)]


async def test_extra_arguments_are_of_one_run_alone() -> None:
    """V4: neither task nor pipeline remembers them; runs at the same time don't mix them."""

    async def add(item: int, more: int = 0) -> int:
        await asyncio.sleep(1)
        return item + more

    task = single_task(add)
    pipeline = task | SingleTask(pause_for)
    streams = [pipeline([1, 2], 10), pipeline([1, 2]), pipeline([1, 2], more=30)]
    assert await asyncio.gather(*[stream.collect() for stream in streams]) == [
        [11, 12],
        [1, 2],
        [31, 32],
    ]
    assert await pipeline([1, 2]).collect() == await task([1, 2]).collect() == [1, 2]
    assert await pipeline.as_completed([2, 1], 5).collect() == [6, 7]


async def test_what_a_run_needs_is_asked_for_in_each_run() -> None:
    """V4: an argument given to one run is missing in the next, and the error names it."""
    pipeline = SingleTask[Any, Any](lambda item, factor: item * factor) | SingleTask(str)
    assert await pipeline([1, 2], 10).collect() == ["10", "20"]
    with pytest.raises(TypeError, match="factor"):
        pipeline([1, 2])


async def test_extra_arguments_of_subscriptions() -> None:
    """V4: each `subscribe` of one stream is a run with the stream's arguments."""
    stream = Pipeline().add(SingleTask(describe))([1], "x")
    got: list[Any] = []
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    await asyncio.sleep(1)
    assert got == [(1, "x"), (1, "x")]


@pytest.mark.parametrize("kind", ["batch", "generator", "method"])
async def test_extra_arguments_for_every_kind_of_first_stage(kind: str) -> None:
    """V4: batch tasks, generators and methods take them as well."""

    class Owner:
        name = "me"

        @single_task
        def method(self, item: int, more: str) -> tuple[str, int, str]:
            return self.name, item, more

    def generate(item: int, more: str) -> Iterator[Any]:
        yield item
        yield more

    stages: dict[str, Any] = {
        "batch": batch_task(max_size=2)(describe),
        "generator": single_task(generate),
        "method": Owner().method,
    }
    expected: dict[str, Any] = {
        "batch": [([1, 2], "x")],
        "generator": [1, "x", 2, "x"],
        "method": [("me", 1, "x"), ("me", 2, "x")],
    }
    assert await Pipeline().add(stages[kind])([1, 2], "x").collect() == expected[kind]


async def test_extra_arguments_are_side_inputs() -> None:
    """V4, S1: a coroutine among them is awaited once, for this run."""
    resolved: list[float] = []

    async def later() -> int:
        await asyncio.sleep(5)
        resolved.append(asyncio.get_running_loop().time())
        return 10

    pipeline = SingleTask[Any, int](lambda item, more: item + more) | SingleTask(str)
    assert await timeline(pipeline([1, 2], later())) == [(5, "11"), (5, "12")]
    assert resolved == [5]


@pytest.mark.parametrize("args", [("a", "b", "c"), ()], ids=["too many", "by a wrong name"])
async def test_extra_arguments_that_do_not_fit(args: tuple[str, ...]) -> None:
    """V4: what the first task can't take is a TypeError when the pipeline is called."""
    pipeline = SingleTask[Any, Any](lambda item, more=0: item) | SingleTask(str)
    unknown: Mapping[str, str] = {} if args else {"mroe": "x"}
    with pytest.raises(TypeError, match=None if args else "mroe"):
        pipeline([1, 2], *args, **unknown)


async def test_extra_arguments_without_a_task_to_take_them() -> None:
    """V4: if an Rx operator stands first, or nothing, they are a TypeError."""
    with pytest.raises(TypeError):
        (Pipeline().add(ops.map(str)) | SingleTask(str))([1, 2], "x")
    with pytest.raises(TypeError):
        Pipeline()([1, 2], "x")
