"""How long do the calls of a makespan job take, and how soon could all be done at best?"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

__all__ = ["DISTRIBUTIONS", "ideal", "latencies", "sleeper"]

SEED = 7
DISTRIBUTIONS: dict[str, Callable[[random.Random], float]] = {
    "log-normal(0,1)": lambda rng: rng.lognormvariate(0, 1),
    "log-normal(0,2)": lambda rng: rng.lognormvariate(0, 2),
    "Pareto(1.3)": lambda rng: rng.paretovariate(1.3),
    "1 % outliers of 20x": lambda rng: 20.0 if rng.random() < 0.01 else 1.0,
}


def latencies(distribution: str, *, items: int, stages: int) -> list[list[float]]:
    """Return the seconds that each stage takes for each item; always the same."""
    draw, rng = DISTRIBUTIONS[distribution], random.Random(SEED)
    return [[draw(rng) for _ in range(stages)] for _ in range(items)]


def ideal(times: list[list[float]], limit: int) -> float:
    """Return a bound that no scheduler can beat: the longest item, or the busiest stage's work."""
    longest = max(sum(of_item) for of_item in times)
    work = max(map(sum, zip(*times, strict=True)))
    return max(longest, work / limit)


def sleeper(times: list[list[float]], stage: int) -> Callable[[int], Awaitable[int]]:
    """Return the task of one stage: it takes the item's time and passes the item on."""

    async def sleep(item: int) -> int:
        await asyncio.sleep(times[item][stage])
        return item

    return sleep
