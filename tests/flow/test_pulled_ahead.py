"""How far is an infinite source pulled for a parked consumer? Exactly, for each kind of stage: F2.

What is expected is counted backwards from the consumer. test_windows.py has the rest of F2:
several segments of one kind, slow heads, calls that never end, infinite generators.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, Pipeline, SingleTask
from tests.flow.pulled_ahead import KINDS, Kind, one_to_three, work
from tests.kit import in_both_modes

BUFFER = 16  # results that wait for the consumer
WINDOWS = (1, 5, 40)
STOPS = (1, 2, 3, 10, 11, 60)  # after so many results the consumer is parked for a while

with_each_window = pytest.mark.parametrize("window", WINDOWS)
from_each_source = pytest.mark.parametrize("source", ["plain", "asynchronous"])
of_each_kind = pytest.mark.parametrize("name", KINDS)


# -- the source and the consumer


class Endless:
    """An infinite source that counts what was pulled."""

    def __init__(self) -> None:
        self.pulled = 0

    def plain(self) -> Iterator[int]:
        while True:
            self.pulled += 1
            yield self.pulled

    async def asynchronous(self) -> AsyncIterator[int]:
        for item in self.plain():
            await asyncio.sleep(0.01)
            yield item

    async def parked(self, stages: list[Any], source: str, **context: Any) -> list[int]:
        """Say how many items were pulled at each stop."""
        pulled: list[int] = []
        stream = Pipeline().add(*stages).with_context(**context)(getattr(self, source)())
        async with stream:
            for before, stop in itertools.pairwise((0, *STOPS)):
                for _ in range(before, stop):
                    await anext(stream)
                await asyncio.sleep(1000)
                pulled.append(self.pulled)
                await asyncio.sleep(1000)
                assert self.pulled == pulled[-1]
        return pulled


# -- the tests


def compare(
    kind: Kind, pulled: list[int], behind: int, window: int, before: int, *, in_turns: bool
) -> None:
    """Compare with what is needed; `in_turns`: outputs may take the room before items do."""
    if in_turns and kind.fans_out:
        most = [before + one_to_three(stop + behind, window) for stop in STOPS]
        assert all(map(int.__le__, pulled, most)), (pulled, most)
    else:
        assert pulled == [before + kind.needs(stop + behind, window) for stop in STOPS]


@in_both_modes
@with_each_window
@from_each_source
@of_each_kind
async def test_a_stage_alone(name: str, source: str, window: int, mode: str) -> None:
    """F2: one window, full batches and the output buffer are pulled ahead: no more, and no less."""
    kind = KINDS[name]
    pulled = await Endless().parked(
        [kind.make()], source, max_in_flight=window, execution_mode=mode
    )
    compare(kind, pulled, BUFFER, window, 0, in_turns=source == "asynchronous")


@in_both_modes
@with_each_window
@pytest.mark.parametrize("neighbour", [work, lambda n: n], ids=["async", "plain"])
@of_each_kind
async def test_a_stage_in_the_middle(name: str, neighbour: Any, window: int, mode: str) -> None:
    """F2: the windows of the stages around it add up with its own, each only once."""
    kind = KINDS[name]
    stages = [SingleTask(neighbour, concurrency_limit=1) for _ in range(2)]
    pulled = await Endless().parked(
        [stages[0], kind.make(), stages[1]], "plain", max_in_flight=window, execution_mode=mode
    )
    first = window if kind.opens else 0
    compare(kind, pulled, BUFFER + window, window, first, in_turns=neighbour is work)


@from_each_source
async def test_no_stage_at_all(source: str) -> None:
    """F2: where nothing works, nothing but the output buffer is filled."""
    endless = Endless()
    async with AsyncStream(getattr(endless, source)()) as stream:
        for stop in range(1, 50):
            assert await anext(stream) == stop
            await asyncio.sleep(10)
            assert endless.pulled == stop + BUFFER


@in_both_modes
async def test_a_consumer_that_never_begins_to_read(mode: str) -> None:
    """F1, F2: parked before its first demand, nothing is pulled."""
    endless = Endless()
    async with SingleTask(work).with_execution_mode(mode)(endless.plain()) as stream:
        aiter(stream)
        await asyncio.sleep(1000)
        assert endless.pulled == 0
    assert endless.pulled == 0
