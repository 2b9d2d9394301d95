"""What is one item though it can be iterated, and what is no data at all? (V3)"""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, Pipeline, batch_task, single_task
from conveyor_rx.events import Event, observe
from tests.kit import in_both_modes
from tests.values.giving import GIVING, giving


class Split:
    """Can be iterated, though that is hardly meant."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("it was taken apart")

    def __len__(self) -> int:
        return 2


class Array(Split):
    """An array of no dimension, as `numpy.array(3)`."""

    ndim = 0


class OldFrame(Split):
    def __dataframe__(self) -> object:
        raise AssertionError("looked into")


class Frame(Split):
    def __arrow_c_stream__(self) -> object:
        raise AssertionError("looked into")


class Table:
    """As pyarrow's: it has no `__iter__`, but columns by number, and a length."""

    __arrow_c_stream__ = Frame.__arrow_c_stream__

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> object:
        raise AssertionError("it was taken apart")


class Model(Split):
    __pydantic_fields__ = types.MappingProxyType({"name": str})


class OldModel(Split):
    __fields_set__ = frozenset({"name"})


class Series:
    """A column: what it can be exported to says nothing of what it gives."""

    dtype = "int"
    __arrow_c_stream__ = Frame.__arrow_c_stream__

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])


class Chunked:
    """A column of pyarrow's, which calls it `type`."""

    type = "int64"
    __arrow_c_stream__ = Frame.__arrow_c_stream__
    __iter__ = Series.__iter__


class Reader:
    """An iterator of batches."""

    __arrow_c_stream__ = Frame.__arrow_c_stream__

    def __init__(self) -> None:
        self.left = [2, 1]

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if not self.left:
            raise StopIteration
        return self.left.pop()


class Vector(Series):
    ndim = 1


WHOLE = [Array, OldFrame, Frame, Table, Model, OldModel]
MANY = [Series, Chunked, Reader, Vector]


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
@pytest.mark.parametrize("data", WHOLE)
async def test_tables_models_and_scalars_are_one_item(data: Any, kind: str, mode: str) -> None:
    """V3: what has columns or fields, or no dimension, is one item, and the same object."""
    given = data()
    (got,) = await giving(kind, lambda item: (item,)).with_execution_mode(mode)(given).collect()
    assert got[0] is given
    assert await AsyncStream(given).collect() == [given]


@pytest.mark.parametrize("data", MANY)
async def test_columns_and_readers_are_many_items(data: Any) -> None:
    """V3: what has values, or gives batches, is read one by one, whatever else it can do."""
    assert await single_task(lambda n: n * 10)(data()).collect() == [10, 20]


async def test_observers_are_told_of_one_item() -> None:
    """V3: an item's source has the length 1, not that of the table."""
    events: list[Event] = []
    with observe(events.append):
        await AsyncStream(Frame()).collect()
    assert (events[0].run.source, events[0].run.total) == ("item", 1)


# -- no data yet


async def load() -> list[int]:
    return [1, 2]


def rows() -> Iterator[int]:
    yield 1


async def rows_later() -> AsyncIterator[int]:
    yield 1


@types.coroutine
def load_as_before() -> Generator[Any, Any, int]:
    yield
    return 1


class Load(Awaitable[int]):
    def __await__(self) -> Generator[Any, Any, int]:
        raise AssertionError("it was begun")


class Compiled(Load):
    """A coroutine of another make."""

    closed = 0

    def send(self, value: object) -> object:
        raise AssertionError("it was begun")

    def throw(self, *error: object) -> object:
        raise AssertionError("it was begun")

    def close(self) -> None:
        type(self).closed += 1


class Rows:
    def rows(self) -> Iterator[int]:
        yield 1


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "coroutine": (load, r"coroutine 'load'; await it first: pipeline\(await"),
    "generator coroutine": (load_as_before, r"'load_as_before'; await it first"),
    "awaitable": (Load, "Load; await it first"),
    "compiled coroutine": (Compiled, "Compiled; await it first"),
    "future": (lambda: asyncio.get_running_loop().create_future(), "Future; await it first"),
    "generator function": (lambda: rows, "generator function 'rows'; call it"),
    "async generator function": (lambda: rows_later, "generator function 'rows_later'; call it"),
    "method": (lambda: Rows().rows, "generator function 'rows'; call it"),
    "partial": (lambda: functools.partial(rows), "generator function 'rows'; call it"),
}


@pytest.mark.parametrize("name", MISTAKES)
async def test_what_is_no_data_yet_is_refused_at_once(name: str) -> None:
    """V3: when the pipeline is called, with what to do; nothing is left un-awaited."""
    make, message = MISTAKES[name]
    task = single_task(lambda item: item)
    starts: list[Callable[[Any], Any]] = [
        task,
        task.as_completed,
        task | task,
        batch_task(max_size=2)(len),
        Pipeline().add(task).with_context(max_in_flight=3),
        AsyncStream,
        lambda data: task(data, "one", "argument too many"),
    ]
    for start in starts:
        with pytest.raises(TypeError, match=f"the data is a .*{message}.* in a list"):
            start(make())
    if name == "compiled coroutine":
        assert Compiled.closed == len(starts)


async def test_a_coroutine_that_somebody_awaits_is_not_closed() -> None:
    """V3: a task of the user's goes on, whatever was refused."""
    begun = asyncio.Event()

    async def work() -> str:
        begun.set()
        await asyncio.sleep(1)
        return "done"

    coroutine = work()
    task = asyncio.ensure_future(coroutine)
    await begun.wait()
    for data in (coroutine, task):
        with pytest.raises(TypeError, match="await it first"):
            Pipeline()(data)
    assert await task == "done"


@pytest.mark.parametrize("name", MISTAKES)
async def test_in_a_list_they_are_items(name: str) -> None:
    """V3: what is refused as data may be an item."""
    item = MISTAKES[name][0]()
    assert await single_task(lambda item: (item,))([item]).collect() == [(item,)]
    if hasattr(item, "close"):
        item.close()


async def test_what_can_be_awaited_and_iterated_is_iterated() -> None:
    """V3: a cursor of a database, which may be both, is read."""

    class Cursor(Load):
        async def __aiter__(self) -> AsyncIterator[int]:
            yield 1
            yield 2

    assert await single_task(str)(Cursor()).collect() == ["1", "2"]
