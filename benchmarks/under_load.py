"""How long does an input take, and what is called when? In virtual time, so it is exact."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterable, Sequence
from types import ModuleType

from .contestants import Contestant
from .job import Job
from .loads import due_times
from .reading import iterate
from .steps import Map, Step
from .virtual import collected, watched
from .watch import Watch

__all__ = [
    "mean_batch",
    "mean_recovery",
    "median_latency",
    "most_starts",
    "p95_latency",
    "p95_to_settle",
]

HAIR = 1e-9  # seconds: the virtual clock counts in them


def median_latency(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds from an input to its result in the reader's hand."""
    latencies, _ = _streamed(job, contestant)
    return statistics.median(latencies) * 1e3


def p95_latency(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds that 95 % of the inputs do not exceed."""
    latencies, _ = _streamed(job, contestant)
    return _p95(latencies) * 1e3


def mean_batch(job: Job, contestant: Contestant) -> float:
    """Return how many items a call of the last step gets."""
    _, watches = _streamed(job, contestant)
    return statistics.fmean(len(call.argument) for call in watches[-1].calls)


def p95_to_settle(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds from an input to the end of its call, of those that count."""
    _, (watch,) = collected(job, contestant)
    due = due_times(job.items, job.every)
    assert job.counts is not None
    waits: list[float] = [
        call.end - due[call.argument] for call in watch.calls if job.counts(call.argument)
    ]
    return _p95(waits) * 1e3


def mean_recovery(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds from the first call to the end of the last, for items that fail."""
    _, (watch,) = collected(job, contestant)
    starts: dict[int, float] = {}
    for call in watch.calls:
        starts.setdefault(call.argument, call.start)
    failing = {call.argument for call in watch.calls if call.failed}
    return 1e3 * statistics.fmean(
        call.end - starts[call.argument]
        for call in watch.calls
        if call.argument in failing and not call.failed
    )


def most_starts(job: Job, contestant: Contestant) -> float:
    """Return the most calls that started in any window of the rate, without its end."""
    _, (watch,) = collected(job, contestant)
    step = watch.step
    assert isinstance(step, Map)
    assert step.rate is not None
    starts = sorted(call.start for call in watch.calls)
    most = first = 0
    for number, start in enumerate(starts):
        while starts[first] <= start - step.rate.per + HAIR:
            first += 1
        most = max(most, number + 1 - first)
    return float(most)


def _streamed(job: Job, contestant: Contestant) -> tuple[list[float], list[Watch]]:
    """Return the latencies in seconds, and what the calls were."""
    due = due_times(job.items, job.every)

    async def run(adapter: ModuleType, steps: Sequence[Step]) -> tuple[list[int], list[float]]:
        clock = asyncio.get_running_loop().time
        results: list[int] = []
        latencies: list[float] = []
        async for item in iterate(adapter, job, steps):
            results.append(item)
            latencies.append(clock() - due[item])
        return results, latencies

    return watched(job, contestant, run)


def _p95(values: Iterable[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
