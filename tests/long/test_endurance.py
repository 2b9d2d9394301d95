"""Does memory stay where it is, however long a run lasts and however slow one item is?

`python -m tests.long endurance` is the longer one: 10^7 items.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conveyor_rx import Pipeline, batch_task, single_task
from conveyor_rx.testing import run
from tests.kit import ROOT
from tests.long.endurance import Figures

# So many items, and so many MB that the process may grow by from 10 % of them on.
ITEMS, MOST_GROWTH_MB = (1_000_000, 5.0) if "CI" in os.environ else (100_000, 1.0)
SLOW_RUN = 100_000
BUFFER = 16  # results that wait for the consumer

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="resident memory is read from /proc"
)


def in_own_process(items: int, leak: str = "") -> Figures:
    """Measure in a process that has done nothing else; `leak` is done there first."""
    program = (
        "import dataclasses, json; from tests.long import endurance\n"
        f"{leak}\n"
        f"print(json.dumps(dataclasses.asdict(endurance.measure({items}))))"
    )
    done = subprocess.run(  # without coverage, which takes memory, too
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
        timeout=600,
    )
    return Figures(**json.loads(done.stdout))


@pytest.mark.no_cover
@needs_proc
def test_resident_memory_does_not_grow_with_the_number_of_items() -> None:
    """F2, L9: an item that has been delivered leaves nothing behind: 10^6 items where `CI` is set.

    1 MB more for 90,000 items would be 11 bytes for each; 5 MB for 900,000, under 6.
    """
    figures = in_own_process(ITEMS)
    assert figures.growth_mb <= MOST_GROWTH_MB, figures.report()


@needs_proc
def test_a_leak_of_one_number_an_item_would_be_seen() -> None:
    """The measurement is tested itself: a stage that keeps its items is found out."""
    leak = (
        "kept = []\n"
        "def keep(item: int) -> float:\n"
        "    kept.append(float(item))\n"
        "    return kept[-1]\n"
        "endurance.float = keep"
    )
    assert in_own_process(60_000, leak).growth_mb > 1.0


# -- one slow item


class Herd:
    """How many animals live, and how many did at most."""

    def __init__(self) -> None:
        self.born = self.alive = self.most = 0


class Animal:
    """An item that is counted while it lives."""

    __slots__ = ("herd", "number")

    def __init__(self, herd: Herd) -> None:
        self.herd = herd
        self.number = herd.born
        herd.born += 1
        herd.alive += 1
        herd.most = max(herd.most, herd.alive)

    def __del__(self) -> None:
        self.herd.alive -= 1


@pytest.mark.no_cover
@pytest.mark.parametrize(("shape", "window"), [("one stage", 32), ("three stages", 1024)])
def test_one_slow_item_in_a_hundred_thousand(shape: str, window: int) -> None:
    """F2: in ordered mode what waits behind a slow item stays within the windows, exactly."""
    slow = SLOW_RUN // 2
    held: list[tuple[int, int]] = []  # pulled and not delivered, and alive, when it has ended
    herd = Herd()
    delivered = most_ahead = 0

    @single_task
    async def work(animal: Animal) -> Animal:
        if animal.number == slow:
            await asyncio.sleep(1000)
            held.append((herd.born - delivered, herd.alive))
        elif animal.number % 10 == 0:
            await asyncio.sleep(animal.number % 7 + 1)
        return animal

    @batch_task(max_size=10)
    async def batch(animals: list[Animal]) -> list[Animal]:
        await asyncio.sleep(0.1)
        return animals

    @single_task
    def look(animal: Animal) -> Animal:
        return animal

    def animals() -> Iterator[Animal]:
        nonlocal most_ahead
        for _ in range(SLOW_RUN):
            yield Animal(herd)
            most_ahead = max(most_ahead, herd.born - delivered)

    stages, windows = ([work], 1) if shape == "one stage" else ([work, batch, look], 2)
    stream = Pipeline().add(*stages).with_context(max_in_flight=window)(animals())

    async def read() -> None:
        nonlocal delivered
        async for animal in stream:
            assert animal.number == delivered
            delivered += 1
            del animal

    run(read, max_steps=None)
    assert delivered == SLOW_RUN
    assert held == [(window, window)]
    # A batch may stand out of its window, and another one be open; one is in the consumer's hand.
    most = windows * window + BUFFER + 2 * 9 * (windows - 1)
    assert most_ahead <= most
    assert herd.most <= most + 1
    assert herd.alive == 0
