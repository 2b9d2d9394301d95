"""What is kept of a measurement? It is what results.json holds, and what tables are made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

__all__ = ["Record", "Report", "by_job", "medians", "shown"]


class Record(TypedDict):
    """One contestant in one job."""

    group: str
    job: str
    unit: str
    items: int
    contestant: str
    median: float | None
    values: list[float]
    reason: str | None  # why there is no median


class Report(TypedDict):
    """One run of the benchmarks."""

    date: str
    quick: bool
    rounds: int
    minutes: float
    machine: dict[str, Any]
    versions: dict[str, str | None]
    results: list[Record]


def by_job(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    """Return the records of each group and job, in the order in which they stand."""
    jobs: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        jobs.setdefault((record["group"], record["job"]), []).append(record)
    return jobs


def medians(records: Iterable[Record]) -> dict[tuple[str, str, str], float]:
    """Return the figures by group, job and contestant; what has none is left out."""
    return {
        (record["group"], record["job"], record["contestant"]): record["median"]
        for record in records
        if record["median"] is not None
    }


def shown(value: float) -> str:
    """Return a figure with as many digits as mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
