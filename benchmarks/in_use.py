"""What do retries, generators, probes, batches of rows and options cost where they are in use?"""

from __future__ import annotations

import sqlite3
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import nullcontext
from functools import partial
from operator import attrgetter
from typing import Any

from conveyor_rx import observe, record
from conveyor_rx.events import Event

from . import functions as f
from .contestants import OURS
from .job import Job
from .loads import Refused
from .steps import Batch, Map, Retry, Step

__all__ = [
    "GENERATORS",
    "INNER",
    "NO_OPTION",
    "OBSERVED",
    "READ",
    "RETRIED_AT_ONCE",
    "ROWS",
    "WITH_OPTIONS",
    "generators",
    "inner_runs",
    "observed",
    "options_in_use",
    "rows",
]

LOOPS = "by hand: loops"
ROWS = ("checked, batch(500) into a sink", "checked, batch(500) into SQLite")
GENERATORS = ("generator task, two outputs", "async generator task, two outputs")
RETRIED_AT_ONCE = "single, three attempts without a delay, two fail"
NO_OPTION = "single, no option"
READ = ("single, read one by one", "single, read one by one, the watermark each 100 items")
OBSERVED = tuple(
    f"three single tasks, {how}" for how in ("unobserved", "an empty probe", "record()")
)
INNER = "a run of one item for each item"

WITH_OPTIONS = (
    "single, timeout=30",
    "single, dead letters, none is written",
    "single, a rate of 1,000,000 in 1 s",
    "single, 100 keys",
    "single, a key for each item",
    "single, three attempts, none fails",
)


def rows(quick: bool) -> Iterator[Job]:
    """Ask what it costs to check rows and to write them in batches of 500, which are passed on."""
    items = 1_000 if quick else 50_000
    for title, sink in zip(ROWS, (lambda: f.all_at_once, _into_sqlite), strict=True):
        yield Job(
            "Rows", title, "work", items, partial(_checked_rows, sink),
            contestants=(OURS, "streamable", "by hand: worker", LOOPS),
        )  # fmt: skip


def _checked_rows(sink: Callable[[], Callable[[list[int]], Awaitable[list[int]]]]) -> list[Step]:
    return [Map(f.suspends, 100, f.one_more), Batch(sink(), 500, f.one_more)]


def _into_sqlite() -> Callable[[list[int]], Awaitable[list[int]]]:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE kept (number INTEGER)")

    async def write(items: list[int]) -> list[int]:
        database.executemany("INSERT INTO kept VALUES (?)", zip(items, strict=True))
        return await f.all_at_once(items)

    weakref.finalize(write, database.close)
    return write


def generators(quick: bool) -> Iterator[Job]:
    """Ask what a generator of two outputs costs, beside a list of them."""
    items = 200 if quick else 5_000
    for title, func in (
        ("async task, a list of two", _a_list),
        (GENERATORS[0], _generate),
        (GENERATORS[1], _generate_async),
    ):
        step = Map(func, 100, _twice, many=True)
        yield Job("Generators", title, "work", items, partial(list, [step]), contestants=(OURS,))


async def _a_list(item: int) -> list[int]:
    return [item, item]


def _generate(item: int) -> Iterator[int]:
    yield item
    yield item


async def _generate_async(item: int) -> AsyncIterator[int]:
    yield item
    yield item


def _twice(item: int) -> list[int]:
    return [item, item]


def options_in_use(quick: bool) -> Iterator[Job]:
    """Ask what work it is to try again at once, to limit the time, and to be ready for failures."""
    items = 200 if quick else 10_000
    yield Job(
        "Options", RETRIED_AT_ONCE, "work", items // 2, _retried_at_once,
        contestants=(OURS, "by hand: tasks", "by hand: in the slot"),
    )  # fmt: skip
    for title, more in (
        (WITH_OPTIONS[0], {"timeout": 30}),
        (WITH_OPTIONS[1], {"on_error": "skip_item", "dead_letter": _write}),
    ):
        step = Map(f.suspends, 100, f.one_more, more=tuple(more.items()))
        yield Job("Options", title, "work", items, partial(list, [step]), contestants=(OURS,))

    step = Map(f.suspends, 100, f.one_more)
    for title, ask in zip(READ, (None, attrgetter("watermark")), strict=True):
        yield Job(
            "Options", title, "read", items, partial(list, [step]), ask=ask, contestants=(OURS,)
        )


def observed(quick: bool) -> Iterator[Job]:
    """Ask what work it is to watch a run of three tasks."""
    items = 200 if quick else 2_000
    step = Map(f.suspends, 100, f.one_more)
    for title, around in zip(
        OBSERVED, (nullcontext, partial(observe, _look_away), record), strict=True
    ):
        yield Job(
            "Observed", title, "work", items, partial(list, [step] * 3),
            around=around, contestants=(OURS,),
        )  # fmt: skip


def _look_away(event: Event) -> None:
    pass


def inner_runs(quick: bool) -> Iterator[Job]:
    """Ask what a run costs that `ops.flat_map` makes for each item of another one."""
    items = 100 if quick else 1_000
    step = Map(f.suspends, items, f.one_more, inner=True)
    yield Job(
        "Inner runs", INNER, "work", items, partial(list, [step]), ordered=False,
        contestants=(OURS,),
    )  # fmt: skip


def _retried_at_once() -> list[Step]:
    calls: Counter[int] = Counter()

    async def third_time_lucky(item: int) -> int:
        calls[item] += 1
        if calls[item] % 3:
            raise Refused(item)
        return item

    return [Map(third_time_lucky, 100, lambda item: [item], retry=Retry(3, 0.0))]


def _write(letter: Any) -> None:
    raise AssertionError(f"nothing fails here, but {letter} did")
