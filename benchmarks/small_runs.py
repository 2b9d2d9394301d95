"""What is measured of runs of few items, as a server has them: one alone, and many at once?"""

from __future__ import annotations

from collections.abc import Iterator

from . import functions as f
from .contestants import OLDER, OURS, UVLOOP
from .job import Job
from .steps import Map, Step

__all__ = ["SMALL_RUNS", "TITLES", "small_runs"]

SMALL_RUNS, AT_ONCE = "Small runs", "Small runs, 1,000 at once"
TITLES = {1: "1 item", 3: "3 items", 10: "10 items", 100: "100 items"}
RUNS = {1: 1_000, 3: 1_000, 10: 500, 100: 100}  # items of a run: how many of them, one by one

STREAMING = (OURS, UVLOOP, OLDER, "conveyor-streaming", "streamable", "aiostream")
TOO_LONG = ("conveyor-streaming", "aiostream")  # for 100,000 items
ROUNDS = 3  # at most, for there are many rows
BY_HAND = ("by hand: tasks", "by hand: eager", "by hand: loops")


def small_runs(quick: bool) -> Iterator[Job]:
    """Ask what a run costs of the processor's time, and when its first result comes under load."""
    for items, runs in RUNS.items():
        yield Job(
            SMALL_RUNS, TITLES[items], "run", items, _three, runs=5 if quick else runs,
            rounds=ROUNDS, contestants=(*STREAMING, *BY_HAND),
        )  # fmt: skip
    at_once = 10 if quick else 1_000
    for items, size in TITLES.items():
        here = [name for name in STREAMING if items < 100 or name not in TOO_LONG]
        readers = [name for name in here if name != OLDER]
        for title, kind, contestants in (
            ("work", "run", (*here, *BY_HAND)),
            ("first result, median", "run_p50", tuple(readers)),
            ("first result, 99th percentile", "run_p99", tuple(readers)),
        ):
            if kind != "run" and items == 3:  # between those of 1 and 10
                continue
            yield Job(
                AT_ONCE, f"{size}: {title}", kind, items, _three,
                runs=at_once if items >= 10 else 2 * at_once, at_once=at_once,
                rounds=ROUNDS, contestants=contestants,
            )  # fmt: skip


def _three() -> list[Step]:
    return [Map(f.suspends, 100, f.one_more)] * 3
