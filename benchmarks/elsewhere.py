"""What is measured of calls that threads and processes make?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from . import functions as f
from .contestants import OURS
from .job import MODES, Job
from .steps import Crew, Map, Step

__all__ = ["CHUNKS", "FIRST", "GROUP", "LOOP", "PACES", "POOL", "SMALL", "THREADS", "crews"]

POOL, LOOP = "by hand: pool", "by hand: a loop"
PEERS = ("streamable", "python-pyper", "spdl")
GROUP = "Threads and processes"
CHUNKS = {0.1: 16, 1: 1, 10: 1}  # by the milliseconds of a call: how many go at once
ITEMS = {0.1: 3_000, 1: 400, 10: 60}
FIRST = "2 processes, {:g} ms a call, chunk {}: first result"
SMALL = "2 processes, 100,000 small items, chunk 1,000"
THREADS = "2 threads, a call that does nothing"
PACES = "2 threads, one is four times as fast, {}"


def crews(quick: bool) -> Iterator[Job]:
    """Ask what sending calls costs, and what order costs where workers differ in speed."""

    def job(
        title: str, items: int, func: Callable[[int], int], crew: Crew,
        contestants: tuple[str, ...], *, kind: str = "crew", ordered: bool = True,
    ) -> Job:  # fmt: skip
        steps: list[Step] = [Map(func, crew.number, f.one_more, crew=crew)]
        items = min(items, 20) if quick else items
        return Job(GROUP, title, kind, items, partial(list, steps), ordered,
                   contestants=contestants)  # fmt: skip

    for ms, chunk in CHUNKS.items():
        crew = Crew("processes", 2, chunk)
        yield job(
            f"2 processes, {ms:g} ms a call, chunk {chunk}", ITEMS[ms], f.HASHES[ms], crew,
            (OURS, POOL, LOOP) if chunk > 1 else (OURS, *PEERS, POOL, LOOP),
        )  # fmt: skip
        yield job(
            FIRST.format(ms, chunk), ITEMS[ms] // 4, f.HASHES[ms], crew, (OURS, POOL),
            kind="crew_first",
        )  # fmt: skip
    crew = Crew("processes", 2)
    yield job(
        "2 processes, 1 ms a call, chunk 1, as completed", ITEMS[1], f.HASHES[1], crew,
        (OURS, *PEERS, POOL), ordered=False,
    )  # fmt: skip
    crew = Crew("processes", 2, 1_000)
    yield job(SMALL, 100_000, f.plain, crew, (OURS, POOL))
    yield job(THREADS, 5_000, f.plain, Crew("threads", 2), (OURS, *PEERS, POOL))
    for mode, ordered in MODES.items():
        yield job(
            PACES.format(mode), 500, f.at_the_pace_of_the_thread, Crew("threads", 2), (OURS,),
            ordered=ordered,
        )  # fmt: skip
