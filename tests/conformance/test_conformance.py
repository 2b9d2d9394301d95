"""Every kind of stage keeps the rules of Reactive Streams, wherever it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, BatchTask, Pipeline, SingleTask
from conveyor_rx.testing.conformance import COUNTS, NOT_CARRIED, RULES, Check, conformance

Items = list[int]


def _call(kind: str, error: Exception | None = None, **options: Any) -> SingleTask[int, int]:
    """Make a single task of a kind; with `error` it fails at item 3."""

    def work(item: int) -> None:
        if error is not None and item == 3:
            raise error

    async def plain(item: int) -> int:
        work(item)
        return item + 100

    async def slow(item: int) -> int:
        await asyncio.sleep(item % 3)
        return await plain(item)

    def sync(item: int) -> int:
        work(item)
        return item + 100

    def generator(item: int) -> Iterator[int]:
        yield item
        work(item)
        yield item + 100

    async def async_generator(item: int) -> AsyncIterator[int]:
        for value in generator(item):
            await asyncio.sleep(0.1)
            yield value

    async def many(item: int) -> list[int]:
        return list(generator(item))

    def some(item: int) -> int | None:
        work(item)
        return item if item % 3 else None

    async def both(item: int, side: int) -> int:
        return await slow(item) - 100 + side

    functions = {
        "async": plain,
        "slow": slow,
        "sync": sync,
        "generator": generator,
        "async generator": async_generator,
        "list": many,
        "filter": some,
    }
    if kind == "side input":
        return SingleTask(both, **options).with_inputs(AsyncStream([7]))
    return SingleTask(functions[kind], **options)


def _batch(
    limit: int, min_size: int, max_size: int, error: Exception | None = None
) -> BatchTask[int, int]:
    async def work(batch: Items) -> list[int] | int:
        await asyncio.sleep(0.5 * (len(batch) % 2))
        if error is not None and 3 in batch:
            raise error
        return sum(batch) if max_size == 5 else batch

    return BatchTask(work, min_size, max_size, concurrency_limit=limit)


def _batches(items: Items, min_size: int, max_size: int) -> list[Items]:
    cut = [items[n : n + max_size] for n in range(0, len(items), max_size)]
    return [batch for batch in cut if len(batch) >= min_size]


class Own(BaseTask[int, int]):
    """Gives each item and its difference from the one before."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        last = 0
        async for item in items:
            if self._error is not None and item == 3:
                raise self._error
            yield item
            yield item - last
            last = item


class OwnPairs(BaseTask[int, "tuple[int, int]"]):
    """Holds an item back until its partner comes; `process` is no generator."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[tuple[int, int]]:
        return self._pairs(aiter(items))

    async def _pairs(self, items: AsyncIterator[int]) -> AsyncIterator[tuple[int, int]]:
        async for item in items:
            async for partner in items:
                yield item, partner
                break


class _Mapped(Pipeline[int, int]):
    """A row of an Rx operator alone, so that it can stand where a stage stands."""

    def __init__(self, *operators: Callable[[Observable[Any]], Observable[Any]]) -> None:
        super().__init__()
        self.add(*operators)


def _two(item: int) -> list[int]:
    return [item, item + 100]


def single(kind: str, gives: Callable[[int], list[int]], **options: Any) -> dict[str, Any]:
    return {
        "stage": lambda: _call(kind, **options),
        "gives": lambda items: [value for item in items for value in gives(item)],
        "failing": lambda error: _call(kind, error, **options),
    }


def batches(limit: int, min_size: int, max_size: int) -> dict[str, Any]:
    def gives(items: Items) -> list[Any]:
        cut = _batches(items, min_size, max_size)
        return [sum(batch) for batch in cut] if max_size == 5 else [n for b in cut for n in b]

    return {
        "stage": lambda: _batch(limit, min_size, max_size),
        "gives": gives,
        "holds": max_size - 1,
        "failing": lambda error: _batch(limit, min_size, max_size, error),
    }


def one_more(item: int) -> list[int]:
    return [item + 100]


KINDS: dict[str, dict[str, Any]] = {
    "async": single("async", one_more),
    "async that suspends": single("slow", one_more),
    "async, limit 1": single("slow", one_more, concurrency_limit=1),
    "async, limit 3": single("slow", one_more, concurrency_limit=3),
    "def": single("sync", one_more),
    "generator": single("generator", _two),
    "async generator": single("async generator", _two),
    "async generator, limit 2": single("async generator", _two, concurrency_limit=2),
    "list": single("list", _two),
    "filter": single("filter", lambda item: [item] if item % 3 else []),
    "side input": {**single("side input", lambda item: [item + 7]), "failing": None},
    "batch of 5": batches(1, 1, 5),
    "batch of 3 or 4 to list": batches(1, 3, 4),
    "batch of 2, limit 3": batches(3, 1, 2),
    "own": {
        "stage": Own,
        "gives": lambda items: [
            n for last, item in zip([0, *items], items, strict=False) for n in (item, item - last)
        ],
        "failing": Own,
    },
    "own, holds one": {
        "stage": OwnPairs,
        "gives": lambda items: list(zip(items[::2], items[1::2], strict=False)),
        "holds": 1,
    },
    "Rx operator": {
        "stage": lambda: _Mapped(ops.map(lambda item: item + 100)),
        "gives": lambda items: [item + 100 for item in items],
    },
    "pipeline": {
        "stage": lambda: _call("slow") | _batch(1, 1, 2) | _call("generator"),
        "gives": lambda items: [n for item in items for n in _two(item + 100)],
        "holds": 1,
    },
}


def checks() -> list[Any]:
    return [
        pytest.param(check, id=f"{check}-{kind}")
        for kind, options in KINDS.items()
        for check in conformance(**options)
    ]


@pytest.mark.parametrize("check", checks())
def test_a_stage_keeps_the_rule(check: Check) -> None:
    """Reactive Streams §1 to §3; O1, F1, F2, F5, E1, E2, E7, L1 to L3, L5, L6, L9."""
    check()


def test_every_rule_is_checked_or_said_not_to_carry_over() -> None:
    """The 41 rules of the specification, none twice, none left out."""
    numbers = [rule.number for rule in RULES]
    every = [f"{part}.{n}" for part, count in COUNTS.items() for n in range(1, count + 1)]
    assert sorted([*numbers, *NOT_CARRIED]) == sorted(every)
    assert all(rule.text for rule in RULES)


class Deaf(BaseTask[int, int]):
    """Swallows the failure of its source."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        try:
            async for item in items:
                yield item
        except Exception:
            return


class Lossy(BaseTask[int, int]):
    """Loses an item."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        async for item in items:
            if item != 4:
                yield item


class Hoarder(BaseTask[int, int]):
    """Reads ahead without being asked."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        hoard: list[int] = []
        async for item in items:
            hoard.append(item)
            if len(hoard) == 500:
                break
        for item in hoard:
            yield item
        async for item in items:
            yield item


class Straggler(BaseTask[int, int]):
    """Leaves a task behind."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        self.task = asyncio.create_task(asyncio.sleep(10**6))
        async for item in items:
            yield item


@pytest.mark.parametrize(
    ("stage", "number"), [(Deaf, "1.4"), (Lossy, "1.5"), (Hoarder, "2.1"), (Straggler, "1.5")]
)
def test_a_stage_that_breaks_a_rule_is_found_out(
    stage: type[BaseTask[int, int]], number: str
) -> None:
    """Each of these breaks a rule on purpose; the check of it says so."""
    checks_of_it = [check for check in conformance(stage) if check.rule.number == number]
    assert not all(_passes(check) for check in checks_of_it)


def test_the_numbers_of_a_check_name_it() -> None:
    """A check is named by its rule and its place."""
    (check,) = [
        check
        for check in conformance(Own, positions=["last"], modes=["ordered"], ways=["collect"])
        if check.rule.number == "3.17"
    ]
    assert str(check) == "3.17-last-ordered-collect"


def _passes(check: Check) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True
