"""Which data are many items, which one, and how is each read? V3 of the contract."""

from __future__ import annotations

import array
import asyncio
import collections
import pathlib
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops
from reactivex.scheduler.eventloop import AsyncIOScheduler

from conveyor_rx import AsyncStream, Pipeline, SingleTask
from conveyor_rx.testing import source
from tests.kit import in_both_modes
from tests.values.giving import GIVING, Iterates, generate, giving


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
