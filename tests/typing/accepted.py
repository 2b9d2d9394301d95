# pyright: strict
# ruff: noqa: T201
"""What type checkers must understand. No line may have an error; nothing here is run."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Never, assert_type

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import (
    AdaptiveLimit,
    AsyncStream,
    BaseTask,
    BatchTask,
    ErrorHandler,
    Failure,
    Limit,
    Pipeline,
    RateLimit,
    SingleTask,
    Stage,
    Workers,
    batch_task,
    collect,
    iterate,
    single_task,
)
from conveyor_rx.synchronous import Results

# -- what comes out: None is dropped, lists and generators are flattened


@single_task
def plain(x: int) -> str:
    return str(x)


@single_task
async def coroutine(x: int) -> str:
    return str(x)


@single_task
def plain_or_none(x: int) -> str | None:
    return str(x) if x else None


@single_task
async def coroutine_or_none(x: int) -> str | None:
    return str(x) if x else None


@single_task
def listed(x: int) -> list[str]:
    return [str(x)]


@single_task
async def listed_later(x: int) -> list[str]:
    return [str(x)]


@single_task
def listed_or_none(x: int) -> list[str] | None:
    return [str(x)] if x else None


@single_task
async def listed_or_none_later(x: int) -> list[str] | None:
    return [str(x)] if x else None


@single_task
def list_with_none(x: int) -> list[str | None]:
    return [str(x), None]


@single_task
def iterated(x: int) -> Iterator[str]:
    yield str(x)


@single_task
def generated(x: int) -> Generator[str | None, None, int]:
    yield str(x)
    return 0


@single_task
async def iterated_async(x: int) -> AsyncIterator[str]:
    yield str(x)


@single_task
async def generated_async(x: int) -> AsyncGenerator[str, None]:
    yield str(x)


assert_type(plain, SingleTask[int, str])
assert_type(coroutine, SingleTask[int, str])
assert_type(plain_or_none, SingleTask[int, str])
assert_type(coroutine_or_none, SingleTask[int, str])
assert_type(listed, SingleTask[int, str])
assert_type(listed_later, SingleTask[int, str])
assert_type(listed_or_none, SingleTask[int, str])
assert_type(listed_or_none_later, SingleTask[int, str])
assert_type(list_with_none, SingleTask[int, str])
assert_type(iterated, SingleTask[int, str])
assert_type(generated, SingleTask[int, str])
assert_type(iterated_async, SingleTask[int, str])
assert_type(generated_async, SingleTask[int, str])


# -- what comes out: any other value is one output


@single_task
def pair(x: int) -> tuple[int, str]:
    return x, str(x)


@single_task
def table(x: int) -> dict[str, int]:
    return {str(x): x}


@single_task
async def unique(x: int) -> set[int]:
    return {x}


@single_task
def either(x: int) -> int | str:
    return x or str(x)


@single_task
async def either_later(x: int) -> int | tuple[int, str]:
    return x or (x, str(x))


@single_task
def one_or_many(x: int) -> int | list[int]:
    return [x] if x else x


@single_task
def eithers(x: int) -> list[int | str]:
    return [x, str(x)]


@single_task
async def stream_of_eithers(x: int) -> AsyncIterator[int | str]:
    yield x


@single_task
def word(x: int) -> Literal["odd", "even"]:
    return "odd" if x % 2 else "even"


@single_task
def sink(x: int) -> None:
    print(x)


@single_task
async def sink_later(x: int) -> None:
    print(x)


assert_type(pair, SingleTask[int, tuple[int, str]])
assert_type(table, SingleTask[int, dict[str, int]])
assert_type(unique, SingleTask[int, set[int]])
assert_type(either, SingleTask[int, int | str])
assert_type(either_later, SingleTask[int, int | tuple[int, str]])
assert_type(one_or_many, SingleTask[int, int | list[int]])
assert_type(eithers, SingleTask[int, int | str])
assert_type(stream_of_eithers, SingleTask[int, int | str])
assert_type(word, SingleTask[int, Literal["odd", "even"]])
assert_type(sink, SingleTask[int, Never])
assert_type(sink_later, SingleTask[int, Never])


# -- what comes out: with flatten=False a list is one output, too


@single_task(flatten=False)
def embedded(text: str) -> list[float]:
    return [float(len(text))]


@single_task(concurrency_limit=2, flatten=False, timeout=2.5)
async def embedded_later(text: str) -> list[float] | None:
    return [float(len(text))] if text else None


async def write_down(failure: Failure) -> None:
    assert_type(failure.inputs, tuple[int, ...])


def letters() -> list[Failure]:
    return []


@single_task(on_error="skip_item", dead_letter=write_down, max_failures=3)
async def with_letters(text: str) -> int:
    return len(text)


@batch_task(max_size=2, on_error="skip_batch", dead_letter=letters().append, max_failures=0.5)
def batch_with_letters(texts: list[str]) -> int:
    return len(texts)


assert_type(with_letters, SingleTask[str, int])
assert_type(batch_with_letters, BatchTask[str, int])
assert_type(with_letters.with_context(dead_letter=write_down, max_failures=0.1), Pipeline[str, int])


@single_task(flatten=False)
def number_of(text: str) -> int | None:
    return len(text) or None


@single_task(flatten=False)
def no_item() -> list[str | None]:
    return [None]


@single_task(flatten=False)
async def scaled(text: str, factor: float, *, names: list[str]) -> list[float]:
    return [factor]


@single_task(flatten=True)
def flattened(text: str) -> list[float]:
    return [float(len(text))]


@batch_task(max_size=2, flatten=False)
def row(items: list[int]) -> list[int]:
    return items


@batch_task(2, flatten=False)
async def row_later(items: list[int]) -> list[str] | None:
    return [str(item) for item in items]


@batch_task(2, flatten=False)
async def named_row(items: list[int], names: list[str]) -> list[str]:
    return [names[item] for item in items]


class Model:
    @single_task(flatten=False)
    async def embed(self, text: str) -> list[float]:
        return [float(len(text))]

    @single_task(flatten=False)
    def scaled(self, text: str, factor: float) -> list[float]:
        return [factor]

    @batch_task(2, flatten=False)
    def rows(self, items: list[int]) -> list[int] | None:
        return items

    @batch_task(2, flatten=False)
    def named(self, items: list[int], names: list[str]) -> list[str]:
        return names


assert_type(embedded, SingleTask[str, list[float]])
assert_type(embedded_later, SingleTask[str, list[float]])
assert_type(number_of, SingleTask[str, int])
assert_type(no_item, SingleTask[Never, list[str | None]])
assert_type(scaled(2.0, names=[]), SingleTask[str, list[float]])
assert_type(flattened, SingleTask[str, float])
assert_type(row, BatchTask[int, list[int]])
assert_type(row_later, BatchTask[int, list[str]])
assert_type(named_row(["a"]), BatchTask[int, list[str]])
assert_type(Model().embed, SingleTask[str, list[float]])
assert_type(Model().scaled(2.0), SingleTask[str, list[float]])
assert_type(Model().rows, BatchTask[int, list[int]])
assert_type(Model().named(["a"]), BatchTask[int, list[str]])
assert_type(row | single_task(len), Pipeline[int, int])


# -- what goes in


@single_task
def nothing_in() -> int:
    return 1


@single_task
async def nothing_in_generated() -> AsyncIterator[int]:
    yield 1


@single_task
def optional_extras(x: int, digits: int = 2, *, sign: bool = False) -> str:
    return f"{x:{'+' if sign else ''}{digits}}"


@single_task
def optional_item(x: int = 1) -> str:
    return str(x)


@single_task
def any_number(*numbers: int) -> int:
    return sum(numbers)


class Doubler:
    def __call__(self, x: int) -> int:
        return 2 * x


def of_callable(fetch: Callable[[str], Awaitable[bytes | None]]) -> None:
    assert_type(single_task(fetch), SingleTask[str, bytes])


assert_type(nothing_in, SingleTask[Never, int])
assert_type(nothing_in_generated, SingleTask[Never, int])
assert_type(optional_extras, SingleTask[int, str])
assert_type(optional_extras.with_inputs(3, sign=True), SingleTask[int, str])
assert_type(optional_item, SingleTask[int, str])
assert_type(any_number, SingleTask[int, int])
assert_type(single_task(Doubler()), SingleTask[int, int])
assert_type(single_task(str.upper), SingleTask[str, str])
assert_type(single_task(str), SingleTask[object, str])


# -- called decorators


class Forgiving(ErrorHandler):
    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        return True, None


@single_task()
def called(x: int) -> str | None:
    return str(x)


@single_task(
    on_error="skip_item",
    retry_attempts=3,
    retry_delay=0.5,
    retry_exponential_backoff=False,
    retry_max_delay=10,
    retry_on=(OSError, KeyError),
    retry_jitter=0.5,
    retry_after=lambda error: 2.0 if error.args else None,
    key=lambda x: x % 7,
    total_timeout=60,
    error_handler=Forgiving(),
    task_name="called",
    concurrency_limit=4,
)
async def called_with_options(x: int) -> list[str]:
    return [str(x)]


assert_type(called, SingleTask[int, str])
assert_type(called_with_options, SingleTask[int, str])


# -- batches


@batch_task(max_size=10)
def batch_plain(items: list[int]) -> str:
    return str(items)


@batch_task(2, 10, max_wait=0.5, on_error="skip_batch", concurrency_limit=2)
async def batch_listed(items: list[int]) -> list[str] | None:
    return [str(item) for item in items]


def tokens_of(text: str) -> int:
    return len(text.split())


@batch_task(max_weight=4096, weight=len, group_by=lambda text: text[:1])
async def batch_weighed(texts: list[str]) -> list[int]:
    return [len(text) for text in texts]


@batch_task(8, 64, max_weight=4096, weight=tokens_of, group_by=tokens_of, max_wait=0.5)
async def batch_by_tokens(texts: list[str]) -> int:
    return len(texts)


@batch_task(max_weight=1.5, weight=lambda item: item / 2, flatten=False)
def batch_of_lists(items: list[int]) -> list[int]:
    return items


@batch_task(min_size=2)
async def batch_generated(items: list[int]) -> AsyncIterator[str]:
    for item in items:
        yield str(item)


@batch_task(max_size=10)
def batch_with_none(items: list[int]) -> list[str | None]:
    return [str(item) for item in items]


@batch_task(max_size=10)
async def batch_pair(items: list[int]) -> tuple[int, int] | None:
    return (min(items), max(items)) if items else None


@batch_task(max_size=10)
def batch_sink(items: list[int]) -> None:
    print(items)


@batch_task(max_size=10)
def batch_of_sequence(items: Sequence[int]) -> str:
    return str(items)


@batch_task(max_size=10)
def batch_optional_extras(items: Iterable[int], top: int = 3) -> list[int]:
    return sorted(items)[:top]


@batch_task(max_size=10)
def batch_with_side_input(items: list[int], names: list[str]) -> list[str]:
    return [names[item] for item in items]


async def later_names() -> list[str]:
    return []


assert_type(batch_plain, BatchTask[int, str])
assert_type(batch_listed, BatchTask[int, str])
assert_type(batch_weighed, BatchTask[str, int])
assert_type(batch_by_tokens, BatchTask[str, int])
assert_type(batch_of_lists, BatchTask[int, list[int]])
assert_type(batch_generated, BatchTask[int, str])
assert_type(batch_with_none, BatchTask[int, str])
assert_type(batch_pair, BatchTask[int, tuple[int, int]])
assert_type(batch_sink, BatchTask[int, Never])
assert_type(batch_of_sequence, BatchTask[int, str])
assert_type(batch_optional_extras, BatchTask[int, int])
assert_type(batch_with_side_input(["a"]), BatchTask[int, str])
assert_type(batch_with_side_input.with_inputs(["a"]), BatchTask[int, str])
assert_type(batch_with_side_input.with_inputs(names=later_names()), BatchTask[int, str])


# -- side inputs: a value, a coroutine, a future or a stream, by position or by name


@single_task
async def scale(x: int, factor: float) -> list[float]:
    return [x * factor]


@single_task
def between(x: int, low: float, high: float = 9.0) -> int | None:
    return x if low < x < high else None


@single_task(task_name="labelled")
def label(x: int, names: dict[int, str], *, default: str) -> str:
    return names.get(x, default)


@single_task
async def beside(x: int, others: AsyncIterator[int]) -> int:
    return x + await anext(others)


async def later_factor() -> float:
    return 2.0


async def other_numbers() -> AsyncGenerator[int, None]:
    yield 1


def side_inputs(
    future: asyncio.Future[float], running: asyncio.Task[float], numbers: AsyncStream[float]
) -> None:
    assert_type(scale.task_name, str)
    assert_type(scale(2.0), SingleTask[int, float])
    assert_type(scale(factor=2.0), SingleTask[int, float])
    assert_type(scale.with_inputs(2), SingleTask[int, float])
    assert_type(scale.with_inputs(factor=2), SingleTask[int, float])
    assert_type(scale.with_inputs(later_factor()), SingleTask[int, float])
    assert_type(scale.with_inputs(later_factor), SingleTask[int, float])
    assert_type(scale.with_inputs(future), SingleTask[int, float])
    assert_type(scale.with_inputs(running), SingleTask[int, float])
    assert_type(scale.with_inputs(numbers), SingleTask[int, float])
    assert_type(scale.with_inputs(factor=numbers), SingleTask[int, float])
    assert_type(scale(numbers), SingleTask[int, float])
    assert_type(between(1.0), SingleTask[int, int])
    assert_type(between(later_factor(), 3.0), SingleTask[int, int])
    assert_type(between(numbers, later_factor()), SingleTask[int, int])
    assert_type(between(1.0, high=3.0), SingleTask[int, int])
    assert_type(between(low=later_factor(), high=3.0), SingleTask[int, int])
    assert_type(label({1: "one"}, default="?"), SingleTask[int, str])
    assert_type(beside(other_numbers()), SingleTask[int, int])
    assert_type(plain | single_task(len) | scale(2.0), Pipeline[int, float])


# -- methods


class Index:
    def __init__(self, words: list[str]) -> None:
        self.words = words

    @single_task
    def at(self, position: int) -> str | None:
        return self.words[position] if position < len(self.words) else None

    @single_task(concurrency_limit=1)
    async def all_from(self, position: int, *, limit: int = 10) -> AsyncIterator[str]:
        for found in self.words[position : position + limit]:
            yield found

    @single_task
    def everything(self) -> Iterator[str]:
        yield from self.words

    @single_task
    def tagged(self, position: int, tag: str) -> str:
        return f"{tag}: {self.words[position]}"

    @batch_task(max_size=100)
    async def add(self, words: list[str]) -> int:
        self.words += words
        return len(words)

    @batch_task(max_size=100)
    def ranked(self, words: list[str], limit: int = 3) -> list[str]:
        return sorted(words)[:limit]

    @batch_task(max_size=100)
    def tagged_batch(self, words: list[str], tag: str) -> list[str]:
        return [f"{tag}: {found}" for found in words]

    @staticmethod
    @single_task
    def length(text: str) -> int:
        return len(text)

    def lookup(self) -> Pipeline[int, int]:
        return self.at | self.add


class SubIndex(Index):
    pass


assert_type(Index([]).at, SingleTask[int, str])
assert_type(SubIndex([]).at, SingleTask[int, str])
assert_type(Index([]).all_from, SingleTask[int, str])
assert_type(Index([]).everything, SingleTask[Never, str])
assert_type(Index([]).tagged("new"), SingleTask[int, str])
assert_type(Index([]).tagged.with_inputs(tag="new"), SingleTask[int, str])
assert_type(Index([]).add, BatchTask[str, int])
assert_type(Index([]).ranked, BatchTask[str, str])
assert_type(Index([]).tagged_batch("new"), BatchTask[str, str])
assert_type(Index([]).length, SingleTask[str, int])
assert_type(Index([]).at | Index([]).ranked, Pipeline[int, str])


class Rated:
    """The decorator stands above `@classmethod`: that order runs on every Python."""

    rate = 3

    @single_task
    @classmethod
    def scale(cls, x: int) -> int:
        return x * cls.rate

    @single_task(concurrency_limit=2)
    @classmethod
    async def shifted(cls, x: int, by: float) -> list[float]:
        return [x * cls.rate + by]

    @single_task
    @classmethod
    def everything(cls) -> Iterator[str]:
        yield cls.__name__

    @batch_task(max_size=2)
    @classmethod
    def total(cls, batch: list[int]) -> int:
        return sum(batch) * cls.rate

    @batch_task(max_size=2)
    @classmethod
    def tagged(cls, batch: list[int], tag: str) -> list[str]:
        return [tag]

    @single_task
    @staticmethod
    def static(x: int) -> str:
        return str(x)


class SubRated(Rated):
    pass


assert_type(Rated.scale, SingleTask[int, int])
assert_type(Rated().scale, SingleTask[int, int])
assert_type(SubRated.scale, SingleTask[int, int])
assert_type(SubRated().scale, SingleTask[int, int])
assert_type(Rated.shifted(2.0), SingleTask[int, float])
assert_type(Rated().shifted.with_inputs(by=2.0), SingleTask[int, float])
assert_type(Rated.everything, SingleTask[Never, str])
assert_type(Rated().everything, SingleTask[Never, str])
assert_type(Rated.total, BatchTask[int, int])
assert_type(Rated().total, BatchTask[int, int])
assert_type(SubRated.tagged("new"), BatchTask[int, str])
assert_type(Rated.static, SingleTask[int, str])
assert_type(Rated().static, SingleTask[int, str])
assert_type(Rated.scale | Rated.static, Pipeline[int, str])


class Store(abc.ABC):
    @single_task
    @abc.abstractmethod
    def load(self, key: int) -> str: ...

    @abc.abstractmethod
    @single_task
    async def tagged(self, key: int, tag: str) -> str: ...

    @batch_task(max_size=2)
    @abc.abstractmethod
    def save(self, texts: list[str]) -> int: ...


class MemoryStore(Store):
    """What implements an abstract task, or overrides one, has the same type but for `self`."""

    @single_task
    def load(self, key: int) -> str:
        return str(key)

    @single_task
    async def tagged(self, key: int, tag: str) -> str:
        return f"{tag}{key}"

    @batch_task(max_size=3)
    def save(self, texts: list[str]) -> int:
        return len(texts)


def of_store(store: Store) -> None:
    assert_type(store.load | store.save, Pipeline[int, int])
    assert_type(MemoryStore().load | MemoryStore().save, Pipeline[int, int])
    assert_type(MemoryStore().tagged("new"), SingleTask[int, str])


@dataclasses.dataclass
class Holder:
    """A task in a field is what it is: descriptors are for methods."""

    task: SingleTask[int, str]


def from_holder(holder: Holder) -> None:
    assert_type(holder.task, SingleTask[int, str])


# -- joints


@single_task
def exclaim(text: str) -> str:
    return text + "!"


@single_task
def anything(value: object) -> bool:
    return bool(value)


@single_task
def int_or_str(value: int | str) -> int:
    return len(str(value))


def is_long(text: str) -> bool:
    return len(text) > 3


def half(x: int) -> float:
    return x / 2


def every_second(source: Observable[str]) -> Observable[str]:
    return source


def joints(stages: list[Stage[Any, Any]]) -> None:
    assert_type(plain | exclaim, Pipeline[int, str])
    assert_type(plain | exclaim | single_task(len), Pipeline[int, int])
    assert_type(plain | (exclaim | single_task(len)), Pipeline[int, int])
    assert_type(plain | anything, Pipeline[int, bool])
    assert_type(either | int_or_str, Pipeline[int, int])
    assert_type(eithers | int_or_str, Pipeline[int, int])
    assert_type(plain | int_or_str | batch_plain, Pipeline[int, str])
    assert_type(nothing_in | plain, Pipeline[Never, str])
    assert_type(plain | ops.filter(is_long), Pipeline[int, str])
    assert_type(plain | ops.take(3) | exclaim, Pipeline[int, str])
    assert_type(plain | every_second, Pipeline[int, str])
    assert_type(int_or_str | ops.map(half), Pipeline[int | str, float])
    assert_type(ops.map(half) | single_task(str), Pipeline[int, str])
    assert_type(Pipeline() | plain, Pipeline[Any, str])
    assert_type(Pipeline().add(plain), Pipeline[Any, str])
    assert_type(Pipeline().add(plain, exclaim), Pipeline[Any, str])
    assert_type(Pipeline().add(plain, ops.take(3), single_task(len)), Pipeline[Any, int])
    assert_type(plain.with_context(max_in_flight=3), Pipeline[int, str])
    assert_type((plain | exclaim).with_execution_mode("as_completed"), Pipeline[int, str])
    Pipeline().add(*stages)


def variance() -> None:
    narrower_in: Stage[bool, str] = plain
    wider_out: Stage[int, object] = plain
    stream: AsyncStream[object] = plain([1])
    observable: Observable[object] = plain([1])
    empty: Pipeline[int, int] = Pipeline()
    print(narrower_in, wider_out, stream, observable, empty)


# -- sources and streams


async def numbers() -> AsyncIterator[int]:
    yield 1


async def consume() -> None:
    pipeline = plain | exclaim
    assert_type(pipeline([1, 2]), AsyncStream[str])
    assert_type(pipeline(range(3)), AsyncStream[str])
    assert_type(pipeline({1, 2}), AsyncStream[str])
    assert_type(pipeline(x for x in (1, 2)), AsyncStream[str])
    assert_type(pipeline(numbers()), AsyncStream[str])
    assert_type(pipeline(rx.of(1, 2)), AsyncStream[str])
    assert_type(pipeline(int_or_str(["a"])), AsyncStream[str])
    assert_type(pipeline(1), AsyncStream[str])
    assert_type(plain([1, 2]), AsyncStream[str])
    assert_type(exclaim("one"), AsyncStream[str])
    assert_type(nothing_in(), AsyncStream[int])
    assert_type(optional_extras([1], 3, sign=True), AsyncStream[str])
    assert_type(pipeline.as_completed([1]), AsyncStream[str])
    assert_type(pipeline([1]).as_completed(), AsyncStream[str])
    assert_type(await pipeline([1]).collect(), list[str])
    assert_type(await anext(pipeline([1])), str)
    assert_type([item async for item in pipeline([1])], list[str])
    async for item in pipeline.as_completed([1]):
        assert_type(item, str)
    async with pipeline([1]) as stream:
        assert_type(stream, AsyncStream[str])
    async for item in await plain.process(numbers()):
        assert_type(item, str)


def wrap(text: str, data: bytes, table: dict[str, int], strings: AsyncStream[str]) -> None:
    assert_type(AsyncStream([1, 2]), AsyncStream[int])
    assert_type(AsyncStream(range(3)), AsyncStream[int])
    assert_type(AsyncStream(numbers()), AsyncStream[int])
    assert_type(AsyncStream(rx.of(1, 2)), AsyncStream[int])
    assert_type(AsyncStream(text), AsyncStream[str])
    assert_type(AsyncStream(data), AsyncStream[bytes])
    assert_type(AsyncStream(table), AsyncStream[dict[str, int]])
    assert_type(AsyncStream(strings.map(len)), AsyncStream[int])


# -- Rx


def last_length(source: Observable[str]) -> int:
    return 0


def to_stream(strings: AsyncStream[str]) -> None:
    assert_type(strings.pipe(), AsyncStream[str])
    assert_type(strings.pipe(ops.take(3)), AsyncStream[str])
    assert_type(strings.pipe(ops.map(len)), AsyncStream[int])
    assert_type(strings.pipe(ops.filter(is_long), ops.map(len)), AsyncStream[int])
    assert_type(strings.pipe(exclaim), AsyncStream[str])
    assert_type(strings.pipe(exclaim, ops.take(3), ops.map(len)), AsyncStream[int])
    assert_type(
        strings.pipe(exclaim, exclaim, exclaim, exclaim, exclaim, exclaim, ops.map(len)),
        AsyncStream[int],
    )
    assert_type(strings.pipe(last_length), int)
    assert_type(strings.pipe(exclaim, last_length), int)
    assert_type(strings.pipe(ops.to_future()), asyncio.Future[str])
    assert_type(strings.map(len), AsyncStream[int])
    assert_type(strings.filter(is_long).map(len).take(2), AsyncStream[int])
    assert_type(strings.buffer_with_count(2), AsyncStream[list[str]])
    assert_type(strings.flat_map(lambda text: rx.of(len(text))), AsyncStream[int])
    assert_type(strings.reduce(lambda total, text: total + len(text), 0), AsyncStream[int])
    assert_type(strings.map(len).sum(), AsyncStream[float])
    assert_type(strings.window_with_count(2), AsyncStream[Observable[str]])


def to_observable() -> None:
    assert_type(rx.of(1, 2).pipe(plain), AsyncStream[str])
    assert_type(rx.of(1, 2).pipe(plain | exclaim, ops.take(3)), Observable[str])
    assert_type(rx.of("1").pipe(ops.map(int), plain, ops.map(len)), Observable[int])


# -- own tasks


class Pairs(BaseTask[int, tuple[int, int]]):
    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[tuple[int, int]]:
        last = 0
        async for item in items:
            yield last, item
            last = item


class Texts(BaseTask[object, str]):
    async def process(self, items: AsyncIterable[object]) -> AsyncIterable[str]:
        return (str(item) async for item in items)


assert_type(int_or_str | Pairs() | Texts(), Pipeline[int | str, str])
assert_type(Pairs(task_name="pairs")([1, 2]), AsyncStream[tuple[int, int]])
assert_type(Pairs()([1, 2]).drain(timeout=2.5), None)


# -- limits: those with a `cost` are of items of its type


def words(text: str) -> int:
    return len(text.split())


def any_words(text: object) -> float:
    return float(str(text).count(" "))


assert_type(RateLimit(10), RateLimit[Any])
assert_type(RateLimit(10, 60.0, smooth=True), RateLimit[Any])
assert_type(RateLimit(90_000, per=60, cost=words), RateLimit[str])
of_any_item: RateLimit[str] = RateLimit(10)
of_larger_items: RateLimit[str] = RateLimit(10, cost=any_words)
of_sized_items: RateLimit[str] = RateLimit(10, cost=len)
by_lambda: RateLimit[str] = RateLimit(10, cost=lambda text: len(text.strip()))
by_lambda.charge(-0.5)
by_lambda.pause(2)
assert_type(Limit(5), Limit)
assert_type(AdaptiveLimit(maximum=50, slow_down_on=(TimeoutError, OSError)).limit, int)
an_adaptive_one_is_one: Limit = AdaptiveLimit(slow_down_on=lambda error: "429" in str(error))


# -- code that is not async

with iterate(plain([1, 2])) as results:
    assert_type(results, Results[str])
    for result in results:
        assert_type(result, str)
results.close()
assert_type(collect(plain([1, 2])), list[str])
an_iterator: Iterator[object] = iterate(plain([1]))


# -- early ends


def ends_early(stream: AsyncStream[int], loop: asyncio.AbstractEventLoop) -> None:
    loop.add_signal_handler(15, stream.drain)
    loop.add_signal_handler(2, stream.drain, 10.0)
    stream.drain(timeout=None)
    assert_type(stream.watermark, int)


# -- calls that workers make


def model() -> bytes:
    return b""


with_a_model = Workers("processes", 2, setup=model)
assert_type(with_a_model, Workers[bytes])
assert_type(Workers("threads", 2, chunk=5), Workers[None])


@single_task(executor="processes")
def in_a_process(x: int) -> str:
    return str(x)


@single_task(executor=Workers("threads"), on_error="skip_item")
def in_a_thread(x: int) -> list[str]:
    return [str(x)]


@single_task(executor=with_a_model, retry_attempts=2)
def with_state(x: int, state: bytes) -> str | None:
    return str(x) if state else None


@single_task(executor=Workers(ThreadPoolExecutor(2), setup=model))
def with_state_and_side_input(x: int, state: bytes, scale: float) -> list[float]:
    return [x * scale]


@batch_task(max_size=2, executor=with_a_model)
def batch_with_state(xs: list[int], state: bytes) -> list[str]:
    return [str(x) for x in xs]


@single_task(executor=with_a_model, flatten=False)
def row_with_state(x: int, state: bytes) -> list[float] | None:
    return [float(x)] if state else None


@batch_task(max_size=2, executor=with_a_model, flatten=False)
def batch_of_a_row_with_state(xs: list[int], state: bytes) -> list[int]:
    return xs


class OfWorkers:
    @single_task(executor=with_a_model)
    def single(self, x: int, state: bytes) -> list[str]:
        return [str(x)]

    @single_task(executor=with_a_model, flatten=False)
    def single_row(self, x: int, state: bytes) -> list[str] | None:
        return [str(x)] if state else None

    @batch_task(max_size=2, executor=with_a_model)
    def batch(self, xs: list[int], state: bytes) -> list[str | None]:
        return [str(x) if state else None for x in xs]

    @batch_task(max_size=2, executor=with_a_model, flatten=False)
    def batch_row(self, xs: list[int], state: bytes) -> list[int]:
        return xs


assert_type(row_with_state, SingleTask[int, list[float]])
assert_type(batch_of_a_row_with_state, BatchTask[int, list[int]])
assert_type(OfWorkers().single, SingleTask[int, str])
assert_type(OfWorkers().single_row, SingleTask[int, list[str]])
assert_type(OfWorkers().batch, BatchTask[int, str])
assert_type(OfWorkers().batch_row, BatchTask[int, list[int]])
assert_type(in_a_process, SingleTask[int, str])
assert_type(in_a_thread, SingleTask[int, str])
assert_type(with_state, SingleTask[int, str])
assert_type(with_state_and_side_input(2.0), SingleTask[int, float])
assert_type(batch_with_state, BatchTask[int, str])
