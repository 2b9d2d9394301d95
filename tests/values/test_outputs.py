"""What is one output, what are many, and what is awaited? V2 of the contract."""

from __future__ import annotations

import array
import asyncio
import collections
import functools
import io
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex

from conveyor_rx import AsyncStream, SingleTask, batch_task
from conveyor_rx.testing import timeline
from tests.kit import in_both_modes
from tests.values.giving import GIVING, LAZY, Iterates, giving, yielding

Point = collections.namedtuple("Point", "x y")
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
    "function": giving,
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
