"""What is measured on clusters of Dask and Ray?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from . import functions as f
from .contestants import OURS
from .job import Job
from .steps import CLUSTERS, Crew, Map, Step

__all__ = ["BY_HAND", "GROUP", "SHARDS", "STAGES", "clusters"]

GROUP = "Clusters"
BY_HAND = {"dask": "by hand: Dask", "ray": "by hand: Ray"}
CHUNKS = {1: 20, 10: 2}  # by the milliseconds of a call: 20 ms of work in each message
ITEMS = {1: 1_000, 10: 100}
STAGES = {ms: f"{{}}, 2 processes, {ms} ms a call, chunk {chunk}" for ms, chunk in CHUNKS.items()}
SHARD, NUMBER = 20, 200
SHARDS = f"{{}}, 2 processes, {NUMBER} shards of {SHARD} calls of 1 ms"


def clusters(quick: bool) -> Iterator[Job]:
    """Ask what a stage costs whose calls a cluster makes, and what a pipeline for each shard."""

    def job(title: str, items: int, ms: int, crew: Crew) -> Job:
        by_hand = BY_HAND[crew.kind]
        steps: list[Step] = [Map(f.HASHES[ms], crew.number, f.one_more, crew=crew)]
        return Job(
            GROUP, title.format(by_hand.rpartition(" ")[2]), "crew",
            2 * crew.chunk if quick else items, partial(list, steps),
            contestants=(OURS, by_hand), needs=CLUSTERS[crew.kind],
        )  # fmt: skip

    for kind in BY_HAND:
        for ms, chunk in CHUNKS.items():
            yield job(STAGES[ms], ITEMS[ms], ms, Crew(kind, 2, chunk))
        yield job(SHARDS, NUMBER * SHARD, 1, Crew(kind, 2, SHARD, of_shards=True))
