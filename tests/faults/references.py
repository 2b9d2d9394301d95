"""Which 50 pipelines are disturbed in every way? Small ones, of every stage kind, source and way.

Each is a `Plan`, written as "items source order way …: stage | stage"; a stage is its kind, its
salt, and whatever differs from the defaults of `Spec`.
"""

from __future__ import annotations

from ast import literal_eval
from typing import Any

from tests.random_pipelines.plans import Plan, Spec

__all__ = ["MOST_STEPS", "REFERENCES"]

MOST_STEPS = 150  # of the loop; more would make "at every step" long

TABLE = """
5 items sync ordered async-for: async 1 latency=1 | async 2 latency=0.1
5 items async ordered collect: async 3 latency=0.1 | sync 4 | async 5 latency=1
5 items observable ordered subscribe: async 6 latency=1 limit=2 | async 7 latency=1 limit=1
6 items async as-completed async-for: async 8 latency=1 | async 9 latency=1 limit=2
6 items sync as-completed collect: async 10 latency=1 limit=3 | side-input 11 latency=0.1
6 items observable as-completed subscribe: async 12 latency=1 | list 13 | async 14 latency=0.1
8 items sync ordered async-for window=3 pause=0.5: async 15 latency=1 | async 16 latency=0.1
8 items async as-completed async-for window=2 pause=0.5: async 17 latency=1 | sync 18
8 items observable ordered collect window=2: async 19 latency=0.1 | filter 20
6 items sync ordered subscribe parallelism=2: async 21 latency=1 | async 22 latency=1
6 items async as-completed collect parallelism=1: async 23 latency=0.1 | filter 24
6 items observable as-completed async-for parallelism=3 pause=0.5: side-input 25 | list 26
9 items async ordered async-for: sync 27 | list 28 | filter 29
5 items sync as-completed subscribe: list 30 | lazy 31 | sync 32
4 items sync ordered collect: generator 33 | async 34 latency=1
4 items async as-completed async-for: async 35 latency=1 | generator 36 | async 37 latency=0.1
4 items observable ordered subscribe window=2: lazy 38 | async 39 latency=0.1 limit=1
3 items sync as-completed async-for window=1 parallelism=1: lazy 40 | async 41 latency=0.1
3 items async ordered async-for window=2: async-generator 42 latency=0.1 | generator 43
3 items sync as-completed subscribe: async-generator 44 latency=1 limit=2 | async 45 latency=1
3 items observable ordered collect parallelism=2: async-generator 46 latency=0.1 | lazy 47
3 items async as-completed collect window=1: generator 48 | async-generator 49 latency=0.1
3 items sync ordered async-for window=1 pause=0.5: async 50 latency=1 | async-generator 51 limit=1
7 items sync ordered async-for: batch 1 latency=1 max_size=3 | async 2 latency=0.1
5 items async as-completed collect: async 3 latency=1 | batch 4 min_size=2 max_size=4
7 items observable ordered subscribe: list-batch 5 latency=0.1 max_size=2 limit=2 | async 6
7 items async ordered collect window=2: async 7 latency=1 | list-batch 8 max_size=3 | sync 9
8 items sync as-completed subscribe:
    batch 10 latency=1 max_size=2 limit=3 | list-batch 11 max_size=2
8 items observable as-completed async-for pause=0.5:
    list-batch 12 latency=0.1 max_size=3 | filter 13
6 items sync ordered async-for: async 14 latency=1 | rx 15 | async 16 latency=0.1
6 items async as-completed collect window=2: rx 17 | async 18 latency=0.1 | rx 19
6 items observable ordered subscribe: sync 20 | rx 21 | list-batch 22 latency=0.1 max_size=2
5 items async ordered subscribe: own 23 | async 24 latency=1
5 items sync as-completed async-for window=2: async 25 latency=1 | own 26 | async 27 latency=0.1
5 items observable ordered collect: async 28 latency=0.1 | own 29 | own 30
4 items async ordered async-for: side-input 31 latency=1 | side-input 32 latency=0.1 limit=1
4 items sync as-completed subscribe parallelism=2: side-input 33 latency=1 | own 34
9 items sync ordered async-for: async 35 latency=1 failing=15 | async 36 latency=0.1
9 items async ordered collect: async 37 latency=0.1 | async 39 latency=1 failing=15 limit=3
9 items observable as-completed collect: async 1 latency=1 failing=15 | sync 3
9 items async as-completed async-for: filter 5 failing=15 on_error=skip_item | async 6 latency=0.1
7 items sync ordered subscribe source_fails=True: async 8 latency=1 | list-batch 9 max_size=3
7 items async as-completed async-for source_fails=True: async 10 latency=1 | list 11
7 items observable ordered collect source_fails=True: async 12 latency=0.1 | async 13 latency=1
5 items sync ordered async-for: async 14 latency=0.1 failing=50 transient=True attempts=2 | sync 15
5 items async as-completed collect:
    async 16 latency=1 failing=50 on_error=skip_item attempts=2 | async 17 latency=0.1
8 items sync ordered collect:
    list-batch 18 latency=0.1 failing=25 on_error=skip_item max_size=4 | async 19 latency=0.1
8 items async as-completed subscribe:
    async 20 latency=0.1 | batch 21 latency=1 failing=25 on_error=skip_batch max_size=2
4 items sync as-completed async-for window=4 parallelism=2:
    async-generator 22 latency=0.1 failing=25 on_error=skip_item | async 23 latency=1
3 items observable ordered async-for window=2 pause=0.5:
    async 24 latency=0.1 | generator 25 | async 26 latency=1 | batch 27 max_size=2 | rx 28 | own 29
"""


def _read(table: str) -> dict[str, Plan]:
    """Make the plans, each under its number and what it is made of."""
    lines = table.replace("\n    ", " ").strip().splitlines()
    plans = [_plan(line) for line in lines]
    return {
        f"{number:02} {' | '.join(spec.kind for spec in plan.stages)}": plan
        for number, plan in enumerate(plans)
    }


def _plan(line: str) -> Plan:
    head, _, stages = line.partition(":")
    items, _, source, order, way, *words = head.split()
    options: dict[str, Any] = {
        "source_fails": False,
        "window": None,
        "parallelism": None,
        "pause": 0.0,
    }
    return Plan(
        stages=tuple(_spec(stage) for stage in stages.split("|")),
        items=int(items),
        source=source,
        ordered=order == "ordered",
        way=_spaced(way),
        seed=None,
        **options | _options(words),
    )


def _spec(text: str) -> Spec:
    kind, salt, *words = text.split()
    return Spec(_spaced(kind), int(salt), **_options(words))


def _options(words: list[str]) -> dict[str, Any]:
    pairs = (word.split("=") for word in words)
    return {name: value if name == "on_error" else literal_eval(value) for name, value in pairs}


def _spaced(word: str) -> str:
    return word.replace("-", " ")


REFERENCES = _read(TABLE)
