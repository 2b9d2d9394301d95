"""What if a user's own stage fails, or the one before it does?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import BaseTask, single_task
from tests.kit import Boom, Endless, drain, in_both_modes
from tests.tasks.own import First, double, slow


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


@in_both_modes
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


@in_both_modes
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


@in_both_modes
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
