"""How many calls run at once over all stages? F4 of the contract."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from conveyor_rx import Pipeline, SingleTask, batch_task, single_task
from conveyor_rx.testing import timed_task, timeline
from tests.flow.work import ONE_TO_ONE, Meter, function, limited
from tests.kit import in_both_modes


@in_both_modes
@pytest.mark.parametrize("cap", [1, 2, 5])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_max_parallelism_caps_all_stages_together(kind: str, cap: int, mode: str) -> None:
    """F4: over three stages no more than `cap` calls run, and that many do run."""
    meter = Meter()
    work = timed_task(lambda item: 1 + random.Random(item).random())
    stages = [limited(kind, 10, meter, work) for _ in range(3)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=cap, execution_mode=mode)
    assert sorted(await pipeline(range(40)).collect()) == list(range(40))
    assert meter.most == cap
    assert meter.entered == (60 if kind == "batch" else 120)


@in_both_modes
@pytest.mark.parametrize(("cap", "makespan"), [(1, 24), (2, 12), (4, 6), (8, 3)])
async def test_max_parallelism_leaves_no_slot_idle(cap: int, makespan: int, mode: str) -> None:
    """F4: 24 calls of 1 s in three stages take 24 s / cap."""
    stages = [SingleTask(timed_task(lambda item: 1.0)) for _ in range(3)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=cap, execution_mode=mode)
    assert (await timeline(pipeline(range(8))))[-1][0] == makespan


async def test_plain_functions_count_for_max_parallelism() -> None:
    """F4: with a cap of 1 a plain function is not called while an async call runs."""
    meter = Meter()
    inside: list[int] = []
    first = limited("async", None, meter, timed_task(lambda item: 1.0))
    plain = SingleTask[int, int](lambda item: inside.append(meter.now) or item)
    assert await (first | plain).with_context(max_parallelism=1)(range(9)).collect() == [*range(9)]
    assert inside == [0] * 9


@in_both_modes
async def test_max_parallelism_gets_its_slots_back(mode: str) -> None:
    """F4: calls that failed and were skipped leave the cap as it was."""
    meter = Meter()

    async def fail(item: int) -> int:
        await asyncio.sleep(1)
        if item % 2:
            raise ValueError(item)
        return item

    stages = [limited("async", None, meter, fail, on_error="skip_item") for _ in range(2)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=3, execution_mode=mode)
    got = await timeline(pipeline(range(12)))
    assert sorted(value for _, value in got) == [0, 2, 4, 6, 8, 10]
    assert meter.most == 3
    assert got[-1][0] == 6  # 12 calls and 6 calls of 1 s, three at once


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 1024])
async def test_max_parallelism_of_one_with_every_kind(window: int, mode: str) -> None:
    """F4: one slot for all is enough for any pipeline: no stage waits for one that it holds."""
    stages = [SingleTask(function(kind)) for kind in (*ONE_TO_ONE, *reversed(ONE_TO_ONE))]
    stages.insert(5, batch_task(max_size=2)(lambda batch: iter_all(batch)))
    pipeline = Pipeline().add(*stages)
    pipeline = pipeline.with_context(max_parallelism=1, max_in_flight=window, execution_mode=mode)
    assert sorted(await pipeline(range(20)).collect()) == list(range(20))


def iter_all(values: Iterable[Any]) -> Iterator[Any]:
    yield from values


async def test_max_parallelism_with_an_infinite_generator() -> None:
    """F4: a generator that waits for room lets the stages run that make the room."""

    @single_task
    def naturals(item: int) -> Iterator[int]:
        yield from itertools.count()

    pipeline = naturals | SingleTask(timed_task(lambda item: 1.0)) | naturals
    stream = pipeline.with_context(max_parallelism=1, max_in_flight=2)([1])
    assert await stream.take(30).collect() == list(range(30))
