"""Are batches cut when and as the contract says? B1 and B3 to B8, against a model of them."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import pytest

from conveyor_rx import BatchTask
from conveyor_rx.testing import run
from tests.batches.cuts import Cut, arriving, cuts_of


class Case(NamedTuple):
    """One stage; when its items come; how long the call for a batch takes, by its first item."""

    times: list[float]
    seconds: list[float]
    min_size: int
    max_size: int | None
    max_wait: float | None
    limit: int
    max_weight: float | None
    weights: list[float]  # a negative one is none: its item is skipped
    keys: int  # how many there are; 0: no groups
    window: int | None

    def key(self, number: int) -> int:
        return hash((number, "key")) % self.keys if self.keys else 0


def some_case(seed: int) -> Case:
    chance = random.Random(seed)
    gap, work = chance.choice([0.01, 0.1, 1.0]), chance.choice([0.01, 0.1, 1.0, 5.0])
    count, time, times = chance.randint(1, 40), 0.0, []
    for _ in range(count):
        time += chance.expovariate(1 / gap) if chance.random() < 0.9 else 10 * gap
        times.append(time)
    min_size = chance.choice([1, 1, 1, 2, 3])
    has_weights, has_keys = chance.random() < 0.4, chance.random() < 0.5
    waits = [0.0, chance.uniform(0, 3 * gap), chance.uniform(0, 10 * gap)]
    # Where the window is small, calls take no time, so that it never stops the source.
    window = chance.choice([None, chance.randint(1, 9)])
    return Case(
        times,
        [chance.uniform(0, 2 * work) if window is None else 0.0 for _ in range(count)],
        min_size,
        None if has_weights and chance.random() < 0.5 else min_size + chance.randint(1, 8),
        chance.choice([*waits, None]) if has_weights or has_keys else chance.choice(waits),
        chance.choice([1, 1, 2, 3]),
        10.0 if has_weights else None,
        [chance.choice([0, 1, 2, 2.5, 4, 10, 12, -1]) if has_weights else 0 for _ in range(count)],
        chance.choice([2, 3, 20]) if has_keys else 0,
        window,
    )


def model(case: Case) -> list[Cut]:
    """Say which batches are cut when and why, event by event."""
    cuts: list[Cut] = []
    opened: dict[int, list[int]] = {}  # the open batches by their keys, the oldest first
    queue: deque[list[int]] = deque()  # batches that wait for a slot
    ends: list[float] = []  # of the calls that run
    most = inf if case.max_size is None else case.max_size
    max_weight = inf if case.max_weight is None else case.max_weight
    window = inf if case.window is None else case.window
    window = window if case.keys or case.max_size is None else inf

    def weight(batch: list[int]) -> float:
        return sum(case.weights[number] for number in batch)

    def due(batch: list[int]) -> float:
        return inf if case.max_wait is None else case.times[batch[0]] + case.max_wait

    def cut(key: int, time: float, reason: str) -> None:
        batch = opened.pop(key)
        cuts.append((time, tuple(batch), reason))
        queue.append(batch)
        start(time)

    def start(time: float) -> None:
        while queue and len(ends) < case.limit:
            ends.append(time + case.seconds[queue.popleft()[0]])

    def look(time: float) -> None:
        for key, batch in [*opened.items()]:
            has_slot = len(ends) < case.limit and not queue
            if time >= due(batch) and len(batch) >= case.min_size and has_slot:
                cut(key, time, "wait")

    def go_on_until(time: float) -> None:
        while True:
            dues = [moment for moment in map(due, opened.values()) if moment > clock[0]]
            event = min([*ends, *dues], default=inf)
            if event >= time:
                return
            clock[0] = event
            if event in ends:
                ends.remove(event)
                start(event)
            look(event)

    def enter(number: int, time: float) -> None:
        key = case.key(number)
        too_heavy = None
        if key in opened and weight(opened[key]) + case.weights[number] > max_weight:
            too_heavy = opened.pop(key)
        opened.setdefault(key, []).append(number)
        if too_heavy is not None:
            opened[-1] = too_heavy
            cut(-1, time, "weight")
        if len(opened[key]) >= most:
            cut(key, time, "full")
        elif weight(opened[key]) >= max_weight:
            cut(key, time, "weight")
        while opened:
            oldest = next(iter(opened))
            if sum(map(len, opened.values())) <= window and len(opened[oldest]) < window:
                break
            cut(oldest, time, "window")

    clock = [0.0]
    for number, time in enumerate(case.times):
        go_on_until(time)
        clock[0] = time
        if case.weights[number] >= 0:
            enter(number, time)
            look(time)
    for key in [*opened]:
        if len(opened[key]) >= case.min_size:
            cut(key, case.times[-1], "flush")
    return cuts


def found(case: Case, seed: int) -> list[Cut]:
    """Say which batches the library cuts when."""

    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep(case.seconds[batch[0]])
        return batch

    options: dict[str, Any] = {}
    if case.max_weight is not None:
        options |= {"max_weight": case.max_weight, "weight": case.weights.__getitem__}
    if case.keys:
        options["group_by"] = case.key
    task = BatchTask(
        work,
        case.min_size,
        case.max_size,
        max_wait=case.max_wait,
        concurrency_limit=case.limit,
        on_error="skip_item",
        **options,
    ).with_context(
        max_in_flight=case.window, execution_mode="ordered" if seed % 2 else "as_completed"
    )
    make: Callable[[], Any] = lambda: cuts_of(task(arriving(case.times)))  # noqa: E731
    return run(make)


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_random_arrivals_against_the_model(first: int) -> None:
    """B1, B3, B4, B5, B6, B7, B8: the same batches, at the same moments, for the same reasons."""
    reasons: set[str] = set()
    for seed in range(first, first + 100):
        case = some_case(seed)
        expected = model(case)
        cuts = found(case, seed)
        assert [cut[1:] for cut in cuts] == [cut[1:] for cut in expected], (seed, case)
        moments = [cut[0] for cut in expected]
        assert [cut[0] for cut in cuts] == pytest.approx(moments, abs=1e-8), (seed, case)
        reasons |= {reason for _, _, reason in expected}
    assert reasons == {"full", "weight", "wait", "window", "flush"}
