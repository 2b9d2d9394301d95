"""What do the results say about the goals that the project has set itself?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .conditions import EVERY, FREE, FULL, IN_TIME, MEDIAN_LATENCY
from .contestants import CONTESTANTS, OURS
from .elsewhere import CHUNKS, FIRST, GROUP, LOOP, PACES, POOL, THREADS
from .in_use import (
    GENERATORS,
    INNER,
    NO_OPTION,
    OBSERVED,
    READ,
    RETRIED_AT_ONCE,
    ROWS,
    WITH_OPTIONS,
)
from .job import MODES
from .jobs import BATCH, SLOW_SOURCE
from .on_clusters import BY_HAND, SHARDS, STAGES
from .on_clusters import GROUP as CLUSTERS
from .records import Record, medians, shown
from .small_runs import SMALL_RUNS, TITLES

__all__ = ["Goal", "goals"]

TASKS, EAGER, LOOPS = "by hand: tasks", "by hand: eager", "by hand: loops"
PEERS = [name for name, one in CONTESTANTS.items() if one.distribution and one.adapter != "ours"]
ONCE = "async task, suspends once"


class Goal(NamedTuple):
    """A goal and what came out; `ratio` is None where a figure is missing."""

    what: str
    against: str
    at_least: bool  # else at most
    goal: float
    ratio: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether it is reached; None if that wasn't measured."""
        if self.ratio is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    @property
    def words(self) -> tuple[str, str, str, str, str]:
        """The cells of its row."""
        sign = "≥" if self.at_least else "≤"
        found = "not measured" if self.ratio is None else shown(self.ratio)
        verdict = {True: "met", False: "missed", None: "-"}[self.is_met]
        return self.what, self.against, f"{sign} {self.goal:g}", found, verdict


def goals(records: list[Record]) -> list[Goal]:
    """Return the goals with what was measured."""
    figures = _Figures(medians(records))
    parts = (_speed, _makespan, _growth, _rest, _runs, _conditions, _in_use, _crews, _clusters)
    return [goal for part in parts for goal in part(figures)]


class _Figures:
    def __init__(self, found: dict[tuple[str, str, str], float]) -> None:
        self.found = found

    def __call__(self, group: str, job: str, contestant: str = OURS) -> float | None:
        return self.found.get((group, job, contestant))

    def fastest_peer(self, group: str, job: str) -> float | None:
        """Return the least figure of all peers that did the job."""
        figures = [self(group, job, peer) for peer in PEERS]
        return min((figure for figure in figures if figure is not None), default=None)


def _over(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _beyond(more: float | None, less: float | None) -> float | None:
    return more - less if more is not None and less is not None else None


def _speed(figures: _Figures) -> Iterator[Goal]:
    for mode in MODES:

        def faster(job: str, goal: float, mode: str = mode) -> Goal:
            name = f"{job}, {mode}"
            ratio = _over(figures.fastest_peer("Speed", name), figures("Speed", name))
            return Goal(name, "speed over the fastest peer's", True, goal, ratio)

        def by_hand(job: str, other: str, who: str, goal: float, mode: str = mode) -> Goal:
            name = f"{job}, {mode}"
            theirs = figures("Speed", f"{other}, {mode}", who)
            ratio = _over(figures("Speed", name), theirs)
            against = f"time over {who}" + ("" if job == other else f", {other}")
            return Goal(name, against, False, goal, ratio)

        yield faster("async task, doesn't suspend", 2)
        yield by_hand("async task, doesn't suspend", "async task, doesn't suspend", EAGER, 2.5)
        yield faster(ONCE, 1.1)
        yield by_hand(ONCE, ONCE, TASKS, 1.25)
        yield faster("three single tasks", 1.5)
        for how in ("don't suspend", "suspend once"):  # the goal does not say
            yield faster(f"{BATCH}, {how}", 1.5)
            name = f"{BATCH}, {how}, {mode}"
            ratio = _over(figures("Speed", name, "conveyor-streaming"), figures("Speed", name))
            yield Goal(name, "speed over conveyor-streaming's", True, 8, ratio)
        yield by_hand("plain def task", ONCE, TASKS, 0.3)
        for job, goal in (("plain def task", 0.4), ("three plain def tasks", 0.7)):
            found = figures("Speed", f"{job}, {mode}")
            yield Goal(f"{job}, {mode}", "µs an item", False, goal, found)
        yield faster("async task, sleeps 1 ms", 1.1)
        yield by_hand("async task, sleeps 1 ms", "async task, sleeps 1 ms", TASKS, 1.1)


def _makespan(figures: _Figures) -> Iterator[Goal]:
    for distribution in ("log-normal(0,1)", "1 % outliers of 20x"):
        ordered = figures("Makespan", f"{distribution}, ordered")
        free = figures("Makespan", f"{distribution}, as completed")
        what = f"makespan, {distribution}, ordered"
        yield Goal(what, "over the ideal", False, 1.15, ordered)
        yield Goal(what, "over our own as completed", False, 1.02, _over(ordered, free))


def _growth(figures: _Figures) -> Iterator[Goal]:
    items: Callable[[int], str] = "{:,} items, doesn't suspend".format
    limit: Callable[[int], str] = "limit {:,}, suspends once".format
    stages: Callable[[int], str] = "stages: {}, suspends once".format
    ratio = _over(figures("Items", items(1_000_000)), figures("Items", items(10_000)))
    yield Goal("cost per item", "at 1,000,000 items over 10,000", False, 1.15, ratio)
    ratio = _over(figures("Limits", limit(10_000)), figures("Limits", limit(100)))
    yield Goal("cost per item", "with 10,000 in flight over 100", False, 1.5, ratio)
    ratio = _over(figures("Stages", stages(64)), figures("Stages", stages(4)))
    per_stage = None if ratio is None else ratio * 4 / 64
    yield Goal("cost per item and stage", "with 64 stages over 4", False, 1.2, per_stage)


def _rest(figures: _Figures) -> Iterator[Goal]:
    first = figures("First result", "3 stages, virtual time over the item's own")
    yield Goal("first result", "over the item's own latency", False, 1, first)
    for mode in MODES:
        title = f"3 stages, suspends once, {mode}"
        yield Goal(f"first result, {title}", "ms", False, 0.3, figures("First result", title))
    for mode in MODES:
        ours = figures("Memory", f"per item in flight, {mode}")
        tasks = figures("Memory", f"per item in flight, {mode}", TASKS)
        extra = _over(_beyond(ours, tasks), 1024)
        yield Goal(f"KB per item in flight, {mode}", f"more than {TASKS}", False, 1, extra)
    grown = figures("Memory", "growth from 10 % to the end, 10,000,000 items")
    for mode in MODES:
        peak = figures("Memory", f"{SLOW_SOURCE}, {mode}")
        yield Goal(f"peak memory, an input each 0.5 ms, {mode}", "KB", False, 64, peak)
    megabytes = _over(grown, 1024)
    yield Goal("memory over 10^7 items", "MB that it grows after 10 %", False, 5, megabytes)
    ours = figures("Import", "time to import")
    theirs = figures("Import", "time to import", "reactivex, naive")
    yield Goal("import", "over import reactivex", False, 1.3, _over(ours, theirs))
    yield Goal("import", "ms above import reactivex", False, 6, _beyond(ours, theirs))


def _runs(figures: _Figures) -> Iterator[Goal]:
    one = figures(SMALL_RUNS, TITLES[1])
    yield Goal(f"a run of {TITLES[1]}", "µs of work", False, 70, one)
    for items in (1, 3, 10):
        title = TITLES[items]
        ratio = _over(figures(SMALL_RUNS, title), figures(SMALL_RUNS, title, "streamable"))
        yield Goal(f"a run of {title}", "work over streamable's", False, 0.8, ratio)
    yield Goal(INNER, "µs of work each", False, 120, figures("Inner runs", INNER))
    none, *watched = (figures("Observed", title) for title in OBSERVED)
    for title, goal, found in zip(OBSERVED[1:], (2.5, 4), watched, strict=True):
        yield Goal(title, "work over unobserved", False, goal, _over(found, none))


def _conditions(figures: _Figures) -> Iterator[Goal]:
    for every in EVERY:
        what = f"median latency, an input each {every} ms"
        free = figures(MEDIAN_LATENCY, f"an input each {every} ms, {FREE}")
        full = figures(MEDIAN_LATENCY, f"an input each {every} ms, {FULL}")
        clock = figures(MEDIAN_LATENCY, f"an input each {every} ms, {IN_TIME}", "by hand: clock")
        yield Goal(what, "max_wait=0 over full batches", False, 1, _over(free, full))
        yield Goal(what, "max_wait=0 over by hand: clock", False, 1, _over(free, clock))
    most = figures("Rates", "8 in 1 s: most starts in any second")
    yield Goal("a rate of 8 in 1 s", "most starts in any second", False, 8, most)
    for percent in (1, 10, 50):
        for mode in MODES:
            job = f"{percent} % of the items fail twice, {mode}"
            yield Goal(job, "over the ideal", False, 1.15, figures("Retries", job))


def _crews(figures: _Figures) -> Iterator[Goal]:
    for ms, chunk in CHUNKS.items():
        what = f"2 processes, {ms:g} ms a call, chunk {chunk}"
        ours, pool = figures(GROUP, what), figures(GROUP, what, POOL)
        yield Goal(what, "speed over Pool.imap's", True, 0.95, _over(pool, ours))
        first = FIRST.format(ms, chunk)
        ratio = _over(figures(GROUP, first), figures(GROUP, first, POOL))
        yield Goal(first, "time over Pool.imap's", False, 1, ratio)
    what = "2 processes, 10 ms a call, chunk 1"
    ratio = _over(figures(GROUP, what, LOOP), figures(GROUP, what))
    yield Goal(what, "speed over one process's", True, 1.85, ratio)
    ours, hand = figures(GROUP, THREADS), figures(GROUP, THREADS, POOL)
    more = _beyond(ours, hand)
    yield Goal(THREADS, "µs/item above run_in_executor by hand", False, 30, more)
    ordered, free = (figures(GROUP, PACES.format(mode)) for mode in MODES)
    what = PACES.format("ordered")
    yield Goal(what, "time over as completed", False, 1.05, _over(ordered, free))


def _clusters(figures: _Figures) -> Iterator[Goal]:
    for by_hand in BY_HAND.values():
        for title, goal in ((STAGES[1], 1.1), (STAGES[10], 1.1), (SHARDS, 1.05)):
            what = title.format(by_hand.rpartition(" ")[2])
            ratio = _over(figures(CLUSTERS, what), figures(CLUSTERS, what, by_hand))
            yield Goal(what, f"time over {by_hand}", False, goal, ratio)


def _in_use(figures: _Figures) -> Iterator[Goal]:
    once = "limit 1, suspends once"
    ratio = _over(figures("Limits", once), figures("Limits", once, LOOPS))
    yield Goal(once, f"time over {LOOPS}", False, 1.1, ratio)
    yield Goal(once, "µs an item", False, 2.7, figures("Limits", once))
    found = figures("Options", RETRIED_AT_ONCE)
    yield Goal(RETRIED_AT_ONCE, "µs of work an item", False, 30, found)
    for title in GENERATORS:
        yield Goal(title, "µs of work an item", False, 25, figures("Generators", title))
    for title in ROWS:
        ratio = _over(figures("Rows", title), figures("Rows", title, LOOPS))
        yield Goal(title, f"work over {LOOPS}", False, 1.5, ratio)
    none = figures("Options", NO_OPTION)
    for title in WITH_OPTIONS:
        extra = _beyond(figures("Options", title), none)
        yield Goal(title, "µs of work above no option", False, 0.5, extra)
    unasked, asked = (figures("Options", title) for title in READ)
    yield Goal(READ[1], "µs of work above not asked", False, 0.5, _beyond(asked, unasked))
