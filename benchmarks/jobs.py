"""What is measured?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from . import functions as f
from .conditions import batches_in_time, keys, options, rates, retries
from .contestants import OLDER, OURS
from .elsewhere import crews
from .in_use import generators, inner_runs, observed, options_in_use, rows
from .job import ALL, AND_OURS_ELSEWHERE, MODES, Job
from .latencies import DISTRIBUTIONS, latencies, sleeper
from .on_clusters import clusters
from .small_runs import small_runs
from .steps import Batch, Map, Step

__all__ = ["BATCH", "SLOW_SOURCE", "all_jobs"]

LIMIT = 100
SLOW_SOURCE = "peak, streamed, an input each 0.5 ms"
BATCH = "single, batch(10), single"


def all_jobs(*, quick: bool) -> dict[str, Job]:
    """Return the jobs by name; the quick ones are the same at sizes that prove only that they run.

    The full sizes are such that one measurement takes a few tenths of a second for the fastest.
    """
    return {job.name: job for part in PARTS for job in part(quick)}


def _one_map(func: Callable[..., object], limit: int = LIMIT) -> list[Step]:
    return [Map(func, limit, f.one_more)]


def _maps(count: int, limit: int = LIMIT) -> list[Step]:
    return _one_map(f.suspends, limit) * count


def _plain(count: int) -> list[Step]:
    return _one_map(f.plain) * count


def _around_a_batch(single: Callable[..., object], batch: Callable[..., object]) -> list[Step]:
    return [*_one_map(single), Batch(batch, 10, f.one_more), *_one_map(single)]


def _fan_out() -> list[Step]:
    return [Map(f.ten, LIMIT, f.more, many=True)]


def _sleeps(distribution: str, items: int, limit: int) -> list[Step]:
    times = latencies(distribution, items=items, stages=3)
    return [Map(sleeper(times, stage), limit, lambda item: [item]) for stage in range(3)]


def _speed(quick: bool) -> Iterator[Job]:
    def size(items: int) -> int:
        return 200 if quick else items

    for title, items, steps in (
        ("async task, doesn't suspend", 20_000, partial(_one_map, f.at_once)),
        ("async task, suspends once", 10_000, partial(_one_map, f.suspends)),
        ("async task, sleeps 1 ms", 10_000, partial(_one_map, f.after_1_ms)),
        ("plain def task", 50_000, partial(_one_map, f.plain)),
        ("three plain def tasks", 20_000, partial(_plain, 3)),
        ("ten plain def tasks", 5_000, partial(_plain, 10)),
        ("three single tasks", 5_000, partial(_maps, 3)),
        (f"{BATCH}, don't suspend", 5_000, partial(_around_a_batch, f.at_once, f.all_now)),
        (f"{BATCH}, suspend once", 5_000, partial(_around_a_batch, f.suspends, f.all_at_once)),
        ("fan-out 1 to 10", 1_000, _fan_out),
    ):
        for mode, ordered in MODES.items():
            yield Job(
                "Speed", f"{title}, {mode}", "time", size(items), steps, ordered,
                contestants=AND_OURS_ELSEWHERE,
            )  # fmt: skip


def _scale(quick: bool) -> Iterator[Job]:
    for items in (100, 200) if quick else (1_000, 10_000, 100_000, 1_000_000):
        steps = partial(_one_map, f.at_once)
        yield Job("Items", f"{items:,} items, doesn't suspend", "time", items, steps)
    for limit in (1, 10) if quick else (1, 10, 100, 1_000, 10_000):
        steps = partial(_maps, 1, limit)
        # Where the library has a window, it must not be what limits the calls.
        window = max(1024, 2 * limit)
        items = 100 if quick else 20_000
        yield Job(
            "Limits", f"limit {limit:,}, suspends once", "time", items, steps, window=window,
            contestants=(*ALL, OLDER),
        )  # fmt: skip
    for stages in (1, 2) if quick else (1, 4, 16, 64):
        steps = partial(_maps, stages)
        items = 50 if quick else 1_000
        yield Job("Stages", f"stages: {stages}, suspends once", "time", items, steps)


def _makespans(quick: bool) -> Iterator[Job]:
    items, limit = (60, 4) if quick else (2_000, 16)
    for distribution in DISTRIBUTIONS:
        steps = partial(_sleeps, distribution, items, limit)
        for mode, ordered in MODES.items():
            yield Job(
                "Makespan", f"{distribution}, {mode}", "makespan", items, steps, ordered,
                distribution=distribution, rounds=1,
            )  # fmt: skip
        for window in (64,) if quick else (64, 256, 1024, 4096, 16_384):
            yield Job(
                "Windows", f"{distribution}, window {window:,}", "makespan", items, steps,
                window=window, distribution=distribution, rounds=1, contestants=(OURS,),
            )  # fmt: skip


def _first_results(quick: bool) -> Iterator[Job]:
    items = 100 if quick else 5_000
    steps = partial(_sleeps, "log-normal(0,1)", items, LIMIT)
    yield Job(
        "First result", "3 stages, virtual time over the item's own", "first", items, steps,
        distribution="log-normal(0,1)", rounds=1,
    )  # fmt: skip
    items = 300 if quick else 20_000
    for mode, ordered in MODES.items():
        title = f"3 stages, suspends once, {mode}"
        yield Job("First result", title, "first_real", items, partial(_maps, 3), ordered)


def _memory(quick: bool) -> Iterator[Job]:
    items, waiting, many = (500, 100, 5_000) if quick else (20_000, 10_000, 10_000_000)
    for mode, ordered in MODES.items():
        title = f"peak, streamed, suspends once, {mode}"
        yield Job("Memory", title, "memory", items, partial(_maps, 1), ordered)
    for mode, ordered in MODES.items():
        yield Job(
            "Memory", f"{SLOW_SOURCE}, {mode}", "memory", items // 10, partial(_maps, 1), ordered,
            every=0.0005, contestants=(OURS, "streamable"),
        )  # fmt: skip
    for mode, ordered in MODES.items():
        title = f"per item in flight, {mode}"
        yield Job("Memory", title, "flight", waiting, list, ordered, 2 * waiting, rounds=1)
    steps = partial(_one_map, f.at_once)
    yield Job(
        "Memory", f"growth from 10 % to the end, {many:,} items", "flat", many, steps,
        rounds=1, contestants=(OURS,),
    )  # fmt: skip


def _imports(quick: bool) -> Iterator[Job]:
    yield Job("Import", "time to import", "import")


PARTS = (
    _speed,
    _scale,
    small_runs,
    _makespans,
    _first_results,
    _memory,
    batches_in_time,
    rates,
    keys,
    retries,
    options,
    crews,
    clusters,
    options_in_use,
    generators,
    rows,
    observed,
    inner_runs,
    _imports,
)
