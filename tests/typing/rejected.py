# pyright: strict, reportUnusedExpression=false
# ruff: noqa: T201
"""What type checkers must refuse: each marked line, and no other. Nothing here is run."""

from __future__ import annotations

import abc

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import (
    AdaptiveLimit,
    AsyncStream,
    Limit,
    Pipeline,
    RateLimit,
    SingleTask,
    Stage,
    batch_task,
    single_task,
)


@single_task
def to_text(x: int) -> str:
    return str(x)


@single_task
async def to_length(text: str) -> int:
    return len(text)


@single_task
def to_text_or_none(x: int) -> str | None:
    return str(x) if x else None


@single_task
async def to_texts(x: int) -> list[str]:
    return [str(x)]


@single_task(flatten=False)
async def to_row(x: int) -> list[str]:
    return [str(x)]


@batch_task(max_size=2, flatten=False)
def to_rows(items: list[int]) -> list[str]:
    return [str(item) for item in items]


@single_task
def take_list(items: list[str]) -> int:
    return len(items)


@single_task
def nothing_in() -> int:
    return 1


@batch_task(max_size=2)
def total(items: list[int]) -> int:
    return sum(items)


@single_task
async def scale(x: int, factor: float) -> float:
    return x * factor


@single_task
def label(x: int, names: dict[int, str], *, default: str) -> str:
    return names.get(x, default)


@batch_task(max_size=2)
def named(items: list[int], names: list[str]) -> list[str]:
    return [names[item] for item in items]


class Index:
    @single_task
    def at(self, position: int) -> str:
        return str(position)

    @batch_task(max_size=2)
    def add(self, words: list[str]) -> int:
        return len(words)

    @single_task
    def tagged(self, position: int, tag: str) -> str:
        return f"{tag} {position}"


class Store(abc.ABC):
    @single_task
    @abc.abstractmethod
    def load(self, key: int) -> str: ...

    @single_task
    @classmethod
    def scale(cls, x: int) -> int:
        return x


def half(x: int) -> float:
    return x / 2


def plain_function(text: str) -> str:
    return text


def count(source: Observable[str]) -> int:
    return 0


async def later_text() -> str:
    return ""


# -- joints that don't fit

to_text | to_text  # error: str into int
to_text | total  # error: str into a batch of int
(to_text | to_length) | to_length  # error: the pipeline gives int
to_text | (to_text | to_length)  # error: the pipeline takes int
to_texts | take_list  # error: the list is flattened
to_row | to_length  # error: the list is one output
to_rows | to_length  # error: the list is one output
to_text_or_none | to_text  # error: str into int, None or not
total | to_length  # error: int into str
to_text | nothing_in  # error: it takes no item
Index().at | to_text  # error: str into int
to_text | Index().add | to_length  # error: int into str
to_text | ops.map(half)  # error: str into int
ops.map(half) | to_text  # error: float into int
to_text | plain_function  # error: neither stage nor operator
to_text | 3  # error: neither stage nor operator
to_text | count  # error: gives no Observable
Pipeline().add(to_text, to_text)  # error: str into int
Pipeline().add(to_text, to_length, to_length)  # error: int into str

# -- tasks that lack side inputs, or get the wrong ones

to_length | scale  # error: lacks factor
scale | to_text  # error: lacks factor
total | named  # error: lacks names
scale.with_inputs("2")  # error: str for float
scale(later_text())  # error: str for float
scale.with_inputs(AsyncStream(["2"]))  # error: str for float
scale.with_inputs(1.0, 2.0)  # error: one too many
label({1: "one"})  # error: lacks default
label(["one"], default="?")  # error: list for dict
named([1])  # error: list[int] for list[str]
scale(2.0) | to_length  # error: float into str
Index().tagged | to_length  # error: lacks tag
Index().tagged(1)  # error: int for str

# -- methods

Store()  # error: load is abstract
Store.scale | to_length  # error: int into str
Store.scale(["1"])  # error: str for int

# -- data of the wrong type

to_text(["1"])  # error: str for int
to_text("1")  # error: str for int
to_text(rx.of("1"))  # error: str for int
to_text(to_text([1]))  # error: str for int
(to_text | to_length)(["1"])  # error: str for int
to_text.as_completed(["1"])  # error: str for int
rx.of("1").pipe(to_text)  # error: str into int
to_text([1]).pipe(to_text)  # error: str into int
Index().at(["1"])  # error: str for int

# -- options

single_task(retries=3)  # error: no such option
single_task(on_error="ignore")  # error: no such policy
single_task(retry_attempts="3")  # error: str for int
batch_task(max_size="3")  # error: str for int
single_task(flatten="no")  # error: str for bool
batch_task(2, flatten=0)  # error: int for bool
batch_task(1, 2, "fail")  # error: options are keyword-only
batch_task(max_weight=3, weight=str)  # error: a weight is a number
batch_task(max_weight="3", weight=len)  # error: so is the greatest
batch_task(max_weight=3, weight=lambda: 1)  # error: it is given the item
batch_task(max_size=2, group_by=lambda item: [item])  # error: a list has no hash


@batch_task  # error: needs its sizes
def bare(items: list[int]) -> int:
    return len(items)


@batch_task(max_size=2)  # error: the function takes no list
def not_a_batch(item: int) -> int:
    return item


# -- results


async def consume() -> None:
    numbers: list[int] = await to_text([1]).collect()  # error: list[str]
    async for item in to_text([1]):
        item + 1  # error: str + int
    stage: Stage[int, int] = to_text  # error: gives str
    task: SingleTask[object, str] = to_text  # error: takes int
    stream: AsyncStream[int] = to_text([1]).pipe(ops.take(1))  # error: AsyncStream[str]
    print(numbers, stage, task, stream)
    to_text.with_context(max_in_flight="2")  # error: an int or None
    to_text.with_context(execution_mode="random")  # error: no such mode
    to_text.with_context(data=[])  # error: a dict
    to_text.with_context(dead_letter=5)  # error: a function
    to_text.with_context(dead_letter=str.upper)  # error: a function of a Failure
    to_text.with_context(max_failures="3")  # error: a number


# -- limits


def words(text: str) -> int:
    return len(text.split())


of_numbers: RateLimit[int] = RateLimit(10, cost=words)  # error: its items are str
RateLimit(10, cost=str)  # error: a cost is a number
RateLimit(10, 60, words)  # error: options are keyword-only
Limit("5")  # error: str for int
AdaptiveLimit(slow_down_on=429)  # error: no exception
AdaptiveLimit().limit = 5  # error: can't be set
