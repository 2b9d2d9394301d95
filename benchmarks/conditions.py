"""What is measured under real conditions: inputs in time, rates, keys, and calls that fail?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from . import functions as f
from .contestants import OURS
from .job import MODES, Job
from .latencies import latencies, sleeper
from .loads import HOT, busiest, fails_twice, key_of, model, sleeps
from .steps import Batch, Map, Rate, Retry, Step

__all__ = [
    "EVERY",
    "FREE",
    "FULL",
    "IN_TIME",
    "MEDIAN_LATENCY",
    "batches_in_time",
    "keys",
    "options",
    "rates",
    "retries",
]

TASKS = "by hand: tasks"
TIMED = (OURS, "streamable", "reactivex, naive", "by hand: worker", "by hand: clock")
RATED = (OURS, "streamable", "aiostream", "aiolimiter", TASKS)
KEYED = (OURS, TASKS, "by hand: partitions")
RETRIED = (OURS, "conveyor-streaming", TASKS, "by hand: in the slot")

MEDIAN_LATENCY = "Batches in time, median latency"
FETCH = 0.020  # seconds
EVERY = {100: 1, 20: 2, 5: 5}  # ms between two inputs: calls of the fetch that just keep up
IN_TIME, FREE, FULL = "max_wait=0.05", "max_wait=0", "full batches"
WAITS = {IN_TIME: 0.050, FREE: 0.0, FULL: None}
NEVER = Rate(1_000_000, 1.0)  # more than anybody starts
STEADY = 0.001  # seconds between two inputs with keys


def batches_in_time(quick: bool) -> Iterator[Job]:
    """Ask how long an input takes through a fetch and a model, and how many go into a call."""
    items = 64 if quick else 2_000
    for kind, group in (
        ("median", MEDIAN_LATENCY),
        ("p95", "Batches in time, 95th percentile of latency"),
        ("batch", "Batches in time, mean batch"),
    ):
        for every, limit in EVERY.items():
            for name, wait in WAITS.items():
                yield Job(
                    group, f"an input each {every} ms, {name}", kind, items,
                    partial(_served, limit, wait), ordered=False, every=every / 1000, rounds=1,
                    contestants=TIMED,
                )  # fmt: skip


def _served(limit: int, wait: float | None) -> list[Step]:
    return [Map(sleeps(FETCH), limit, _same), Batch(model, 32, _same, wait)]


def rates(quick: bool) -> Iterator[Job]:
    """Ask whether a rate holds in any window, how long it takes, and what work it is."""
    items, seconds = (25 if quick else 100), 0.5
    # Eighths of a second are exact in floats. With others aiolimiter asks for timers that are due
    # now, for ever, for a virtual clock doesn't move meanwhile.
    steps = partial(_rated, 8, 1.0, seconds)
    ideal = (items - 1) // 8 * 1.0 + seconds
    yield Job(
        "Rates", "8 in 1 s: most starts in any second", "starts", items, steps,
        rounds=1, contestants=RATED,
    )  # fmt: skip
    yield Job(
        "Rates", "8 in 1 s: time to the last result", "makespan", items, steps,
        ideal=lambda: ideal, rounds=1, contestants=RATED,
    )  # fmt: skip
    yield Job(
        "Rates", "1,000 in 0.1 s: work of the processor", "work", 200 if quick else 5_000,
        lambda: [_once(rate=Rate(1_000, 0.1))], contestants=RATED,
    )  # fmt: skip


def _rated(starts: int, per: float, seconds: float) -> list[Step]:
    return [Map(sleeps(seconds), 100, _same, rate=Rate(starts, per))]


def keys(quick: bool) -> Iterator[Job]:
    """Ask what order per key costs in time, and whether other keys wait for a hot one."""
    items = 100 if quick else 2_000
    times = latencies("log-normal(0,1)", items=items, stages=1)
    for title, count, hot in (("100 keys", 100, 0.0), ("100 keys, 5 % of one", 100, 0.05)):
        key = key_of(count, hot, items)
        yield Job(
            "Keys", f"{title}, log-normal(0,1): time to the last result", "makespan", items,
            partial(_keyed, sleeper(times, 0), 16, key), ordered=False,
            ideal=partial(busiest, [seconds for (seconds,) in times], key, 16), rounds=1,
            contestants=KEYED,
        )  # fmt: skip
    items = 200 if quick else 20_000
    for title, hot in (
        ("none is hot", 0.0),
        ("a hot one is busy 3/4 of the time", 0.15),
        ("a hot one gets twice what it can do", 0.40),
    ):
        key = key_of(1_000, hot, items)
        yield Job(
            "Keys", f"1,000 keys, {title}: 95th percentile of the others", "settled", items,
            partial(_keyed, sleeps(0.005), 10, key), ordered=False, every=STEADY,
            counts=partial(_is_cold, key), rounds=1, contestants=KEYED,
        )  # fmt: skip


def _is_cold(key: Callable[[int], int], item: int) -> bool:
    return key(item) != HOT


def _keyed(func: Callable[..., object], limit: int, key: Callable[[int], int]) -> list[Step]:
    return [Map(func, limit, _same, key=key)]


def retries(quick: bool) -> Iterator[Job]:
    """Ask for how long ten slots are busy if some items fail twice, and wait 0.1, then 0.2 s."""
    items, limit, seconds = 100 if quick else 2_000, 10, 0.010
    for percent in (1, 10, 50):
        calls = items + 2 * round(percent / 100 * items)
        ideal = max(calls * seconds / limit, 3 * seconds + 0.1 + 0.2 if calls > items else 0)
        for mode, ordered in MODES.items():
            yield Job(
                "Retries", f"{percent} % of the items fail twice, {mode}", "makespan", items,
                partial(_retried, percent / 100, items, limit, seconds), ordered,
                ideal=partial(float, ideal), rounds=1, contestants=RETRIED,
            )  # fmt: skip
    yield Job(
        "Retries", "10 % of the items fail twice: from the first call of one to its last, mean",
        "recovery", items, partial(_retried, 0.1, items, limit, seconds), ordered=False, rounds=1,
        contestants=RETRIED,
    )  # fmt: skip


def _retried(share: float, items: int, limit: int, seconds: float) -> list[Step]:
    func = fails_twice(share, items, seconds)
    return [Map(func, limit, _same, retry=Retry(3, 0.1))]


def options(quick: bool) -> Iterator[Job]:
    """Ask what work of the processor an option costs where it has nothing to do."""
    items = 200 if quick else 10_000
    in_all = tuple(dict.fromkeys(RATED + KEYED + RETRIED))
    for title, step, contestants in (
        ("no option", _once(), in_all),
        ("a rate of 1,000,000 in 1 s", _once(rate=NEVER), RATED),
        ("100 keys", _once(key=_of_a_hundred), KEYED),
        ("a key for each item", _once(key=int), KEYED),
        ("three attempts, none fails", _once(retry=Retry(3, 0.1)), RETRIED),
    ):
        yield Job(
            "Options", f"single, {title}", "work", items, partial(list, [step]),
            contestants=contestants,
        )  # fmt: skip
    for title, wait in (("no option", None), ("max_wait=0.05", 0.05)):
        steps = [_once(), Batch(f.all_at_once, 10, f.one_more, wait)]
        yield Job(
            "Options", f"single, batch(10), {title}", "work", items // 2, partial(list, steps),
            ordered=False, contestants=TIMED,
        )  # fmt: skip


def _once(**options: Any) -> Map:
    return Map(f.suspends, 100, f.one_more, **options)


def _same(item: int) -> list[int]:
    return [item]


def _of_a_hundred(item: int) -> int:
    return item % 100
