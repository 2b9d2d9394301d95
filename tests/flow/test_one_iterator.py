"""How often is a source opened, and who asks it? F5 of the contract."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from conveyor_rx import Pipeline, SingleTask
from conveyor_rx.testing import timed_task
from tests.flow.work import ONE_TO_ONE, Meter, function, of_each_kind
from tests.kit import in_both_modes


class SelfChecking:
    """A source that complains when `aiter`, `__anext__` or `aclose` come at the wrong time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.opened = self.closed = 0
        self.complaints: list[str] = []
        self._waiting = False

    def __aiter__(self) -> AsyncIterator[int]:
        self.opened += 1
        return self._Reading(self)

    class _Reading:
        def __init__(self, source: SelfChecking) -> None:
            self.source = source
            self.next = 0
            self.over = False

        def __aiter__(self) -> AsyncIterator[int]:
            self.source.complaints.append("aiter of the iterator")
            return self

        async def __anext__(self) -> int:
            source = self.source
            if source._waiting:
                source.complaints.append("overlap")
            if self.over:
                source.complaints.append("asked after its end")
            source._waiting = True
            try:
                await asyncio.sleep(random.Random(self.next).random() if self.next % 3 else 0)
            finally:
                source._waiting = False
            if self.next == source.count:
                self.over = True
                raise StopAsyncIteration
            self.next += 1
            return self.next

        async def aclose(self) -> None:
            if self.source._waiting:
                self.source.complaints.append("closed while it waits")
            self.over = True
            self.source.closed += 1


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 1024])
@of_each_kind
async def test_the_source_is_opened_once_and_asked_by_one(
    kind: str, window: int, mode: str
) -> None:
    """F5: one `aiter`, and `__anext__` never overlaps itself, nor is it called after the end."""
    data = SelfChecking(50)
    pipeline = SingleTask(timed_task(lambda item: item % 5)) | SingleTask(function(kind))
    stream = pipeline.with_context(max_in_flight=window, execution_mode=mode)(data)
    assert sorted(await stream.collect()) == list(range(1, 51))
    assert (data.opened, data.complaints) == (1, [])


@in_both_modes
async def test_the_source_is_not_closed_while_it_is_asked(mode: str) -> None:
    """F5: closing in the middle waits for a pending `__anext__`, at any instant."""
    for tenths in range(1, 40):
        data = SelfChecking(50)
        stream = SingleTask(function("async")).with_execution_mode(mode)(data)
        reader = asyncio.ensure_future(stream.collect())
        await asyncio.sleep(tenths / 10)
        await stream.aclose()
        await reader
        assert (data.opened, data.closed, data.complaints) == (1, 1, [])


async def test_each_subscription_opens_the_source_anew() -> None:
    """F5, L6: one `aiter` a run: two subscriptions are two."""
    opened: list[int] = []

    class Data:
        def __aiter__(self) -> AsyncIterator[int]:
            opened.append(1)
            return self._read()

        async def _read(self) -> AsyncIterator[int]:
            for n in range(3):
                await asyncio.sleep(1)
                yield n

    got: list[int] = []
    stream = SingleTask(function("async"))(Data())
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    await asyncio.sleep(10)
    assert (len(opened), got) == (2, [0, 0, 1, 1, 2, 2])


async def test_a_plain_source_is_opened_once() -> None:
    """F5: one `iter` a run, and `next` is not called inside of itself by stages that re-enter."""
    opened: list[int] = []
    inside = Meter()

    class Data:
        def __iter__(self) -> Data:
            opened.append(1)
            self.left = iter(range(100))
            return self

        def __next__(self) -> int:
            with inside:
                return next(self.left)

    pipeline = Pipeline().add(*[SingleTask(function(kind)) for kind in ONE_TO_ONE])
    assert await pipeline.with_context(max_in_flight=1)(Data()).collect() == list(range(100))
    assert (opened, inside.most) == ([1], 1)
