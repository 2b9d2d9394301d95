"""How much memory does a long run take? Items through three stages, and what is resident meanwhile.

`python -m tests.long endurance` runs it; tests/long/test_endurance.py does, with fewer items.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from conveyor_rx import batch_task, single_task

__all__ = ["MOST_GROWTH_MB", "Figures", "measure", "resident_mb"]

MOST_GROWTH_MB = 5.0  # between 10 % and 100 % of the items
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Figures:
    """What a run of `items` took."""

    items: int
    mb_at_10_percent: float
    mb_at_100_percent: float
    mb_at_most: float  # of the whole process, from its start on
    seconds: float

    @property
    def growth_mb(self) -> float:
        return self.mb_at_100_percent - self.mb_at_10_percent

    def report(self) -> str:
        return (
            f"{self.items} items through three stages: resident {self.mb_at_10_percent:.1f} MB at"
            f" 10 %, {self.mb_at_100_percent:.1f} MB at 100 % (grown by {self.growth_mb:+.2f} MB,"
            f" at most {MOST_GROWTH_MB:.0f}), peak {self.mb_at_most:.1f} MB;"
            f" {self.items / self.seconds:.0f} items/s"
        )


def measure(items: int) -> Figures:
    """Run `items` through an async task that suspends, batches of 10 and a plain function."""
    return asyncio.run(_run(items))


def resident_mb(field: str = "VmRSS") -> float:
    """Return the resident memory of this process, `VmHWM` its highest so far; Linux only."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {field} in {_STATUS}")


@single_task(concurrency_limit=32)
async def _suspend(item: int) -> float:
    await asyncio.sleep(0)
    return float(item)  # an object of its own, for integers may be shared


@batch_task(max_size=10)
async def _batch(batch: list[float]) -> list[float]:
    await asyncio.sleep(0)
    return batch


@single_task
def _double(item: float) -> float:
    return 2 * item


async def _run(items: int) -> Figures:
    begun = time.perf_counter()
    count = 0
    async for value in (_suspend | _batch | _double)(range(items)):
        assert value == 2 * count, f"item {count} has become {value}"
        count += 1
        if count == items // 10:
            early = resident_mb()
        if count == items:
            late = resident_mb()
    assert count == items, f"{count} of {items} items came out"
    return Figures(items, early, late, resident_mb("VmHWM"), time.perf_counter() - begun)
