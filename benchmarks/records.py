"""What is kept of a measurement? It is what results.json holds, and what tables are made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

__all__ = ["Measured", "Record", "Report", "add", "by_job", "medians", "shown"]


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


class Measured(TypedDict):
    """When, where and of what versions figures were measured."""

    date: str
    rounds: int
    minutes: float
    machine: dict[str, Any]
    versions: dict[str, str | None]


class Report(Measured):
    """One run of the benchmarks, and what was added to it since then."""

    quick: bool
    results: list[Record]
    anew: dict[str, Measured]  # the groups of which the figures are younger


def add(new: Report, old: Report, jobs: Iterable[str]) -> Report:
    """Return `old` with the groups of `new` in place of its own, in the order of the jobs.

    Raises:
        ValueError: only one of them was measured at full size.
    """
    if new["quick"] != old["quick"]:
        raise ValueError("quick figures don't stand beside full ones")
    order = {name: number for number, name in enumerate(jobs)}
    groups = {record["group"]: None for record in new["results"]}
    kept = [record for record in old["results"] if record["group"] not in groups]
    results = [record for record in kept + new["results"] if _name(record) in order]
    results.sort(key=lambda record: order[_name(record)])
    about = Measured(
        date=new["date"],
        rounds=new["rounds"],
        minutes=new["minutes"],
        machine=new["machine"],
        versions=new["versions"],
    )
    whole = old.copy()
    whole["results"] = results
    whole["anew"] = {**old["anew"], **dict.fromkeys(groups, about)}
    return whole


def _name(record: Record) -> str:
    return f"{record['group']}: {record['job']}"


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
