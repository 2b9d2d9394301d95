"""A shop's orders of 60 days, one day a shard: each runs through a whole pipeline on the cluster.

It starts a cluster on this machine, of two workers: Dask, or with `--ray` Ray. Needs one of them:
`pip install distributed`, or `pip install ray`. Results come in the order of the days.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, NamedTuple

from conveyor_rx import batch_task, single_task
from conveyor_rx.distributed import run

DAYS, ORDERS = 60, 500


class Order(NamedTuple):
    day: date
    item: str
    cents: int


class Revenue(NamedTuple):
    day: date
    orders: int
    cents: int


@single_task
def read(day: date) -> list[Order]:
    """Read the orders of a day; here they are made up, the same ones each time."""
    chance = random.Random(day.toordinal())
    items = ("bread", "milk", "wine")
    return [Order(day, chance.choice(items), chance.randrange(99, 2000)) for _ in range(ORDERS)]


@single_task
async def without_wine(order: Order) -> Order | None:
    return order if order.item != "wine" else None


@batch_task(max_size=ORDERS)
async def add_up(orders: list[Order]) -> Revenue:
    return Revenue(orders[0].day, len(orders), sum(order.cents for order in orders))


@contextmanager
def cluster(of_ray: bool) -> Iterator[Any]:
    if of_ray:
        import ray

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        try:
            yield ray
        finally:
            ray.shutdown()
    else:
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            yield client


async def main(on: Any) -> None:
    first = date(2026, 1, 1)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    total = 0
    async for revenue in run(read | without_wine | add_up, days, on=on, in_flight=6):
        total += revenue.cents
        if revenue.day.day in (1, 15):
            print(f"{revenue.day}: {revenue.orders} orders, {revenue.cents / 100:,.2f}")
    print(f"{DAYS} days: {total / 100:,.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ray", action="store_true", help="on Ray, not on Dask")
    with cluster(parser.parse_args().ray) as on:
        asyncio.run(main(on))
