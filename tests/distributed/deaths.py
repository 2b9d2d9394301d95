"""What do random programs ask of workers that die? Plans, and the functions that carry them out."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conveyor_rx import single_task

from . import work

__all__ = ["Order", "Plan", "Refused", "draw", "obey", "obey_all", "shard"]

WAYS = ("os._exit", "SIGKILL", "in the result")  # the last one not in the middle of a batch
MOST_DEATHS = 5  # of a program: each takes the time in which a worker starts


@dataclass(frozen=True)
class Order:
    """An item, or a shard: what a call for it does."""

    number: int
    outputs: int = 1
    deaths: int = 0  # how often it ends its worker, before it gets through
    way: str = "SIGKILL"
    fails: bool = False  # it raises, behind its outputs
    seconds: float = 0.0

    @property
    def results(self) -> list[int]:
        return [100 * self.number + n for n in range(self.outputs)]


@dataclass(frozen=True)
class Plan:
    orders: tuple[Order, ...]
    of: str = "items"  # or "shards", for `run`, or "batches"
    size: int = 1  # of batches
    limit: int = 4  # of calls that are sent
    attempts: int = 1
    chunk: int = 1
    skips: bool = False
    ordered: bool = True

    @property
    def units(self) -> list[tuple[Order, ...]]:
        """What each call gets at first."""
        size = self.size
        return [self.orders[n : n + size] for n in range(0, len(self.orders), size)]

    @property
    def deaths(self) -> int:
        return sum(order.deaths for order in self.orders)


def draw(seed: int, kinds: tuple[str, ...], chunks: tuple[int, ...] = (1, 1, 3)) -> Plan:
    """Draw a program of one of these kinds."""
    chance = random.Random(seed)
    of = chance.choice(kinds)
    size = chance.choice((2, 3, 4)) if of == "batches" else 1
    count = chance.choice((1, 2, 3, 5, 8, 12))
    deadly, failing = chance.choice((0.05, 0.2, 0.5)), chance.choice((0.0, 0.0, 0.1))
    left = MOST_DEATHS
    orders: list[Order] = []
    for number in range(-(-count // size) * size):
        deaths = min(left, chance.randint(1, 3)) if chance.random() < deadly else 0
        left -= deaths
        order = Order(
            number,
            chance.choice((0, 1, 1, 1, 2)),
            deaths,
            chance.choice(WAYS[:2] if size > 1 else WAYS),
            chance.random() < failing,
            chance.choice((0.0, 0.0, 0.01, 0.03)),
        )
        orders.append(order)
    return Plan(
        tuple(orders),
        of,
        size,
        limit=chance.choice((1, 2, 3, 4, 6)),
        attempts=chance.choice((1, 2, 2, 3)),
        chunk=1 if of == "batches" else chance.choice(chunks),
        skips=of != "shards" and chance.random() < 0.5,
        ordered=chance.random() < 0.7,
    )


# -- what workers do


class Refused(Exception):
    """The failure of an order that fails."""


def obey(order: Order, folder: str) -> Iterator[Any]:
    """Give the results of an order, if it does not end the process."""
    work.log(Path(folder), order.number)
    time.sleep(order.seconds)
    if work.begun(Path(folder)).count(order.number) <= order.deaths:
        if order.way == "in the result":
            yield Deadly()
            return
        _die(order.way)
    yield from order.results
    if order.fails:
        raise Refused(order.number)


def obey_all(orders: list[Order], folder: str) -> list[Any]:
    return [result for order in orders for result in obey(order, folder)]


@single_task
def shard(order: Order, folder: str) -> Iterator[Any]:
    yield from obey(order, folder)


class Deadly:
    """It can't leave its process: that ends when it tries to."""

    def __reduce__(self) -> Any:
        _die("SIGKILL")


def _die(way: str) -> None:
    if way == "os._exit":
        os._exit(1)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal may take a moment
