"""Where may a user's own stage stand, and what does it get and give?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, get_current_context, single_task
from conveyor_rx.testing import source, timed_task, timeline
from tests.kit import in_both_modes
from tests.tasks.own import Pairs, double, kinds, slow

# -- where it stands


@in_both_modes
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


@in_both_modes
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
