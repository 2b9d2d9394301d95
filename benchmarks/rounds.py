"""In what order is everything measured? Rounds are interleaved, so that a noisy minute hits all.

One process for each measurement. In every round of a job each contestant has its turn, and the one
who begins changes. What can't be done or is wrong isn't tried again; what is slow is measured once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contestants import CONTESTANTS, OURS, Contestant
from .job import Job
from .records import Record

__all__ = ["run_all"]

ROOT = Path(__file__).parent.parent
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
TIMEOUT = 60.0  # seconds; past it a measurement is given up
SLOW = 3.0  # seconds; a peer's measurement that took longer isn't repeated
TOO_LONG = 15.0  # seconds that the next size of a job may take, judged by the last one


@dataclass
class Result:
    """What one contestant did in one job."""

    job: Job
    contestant: str
    values: list[float] = field(default_factory=list[float])
    reason: str | None = None  # why there are no values
    seconds: float = 0.0  # what the last measurement took in all

    @property
    def median(self) -> float | None:
        """The figure that the tables show."""
        return statistics.median(self.values) if self.values and not self.reason else None

    @property
    def is_slow(self) -> bool:
        """Whether one round of a peer has to be enough."""
        starts_a_cluster = bool(self.job.needs)  # which takes seconds
        return self.seconds > SLOW and self.contestant != OURS and not starts_a_cluster

    def record(self) -> Record:
        """Return it as it is written."""
        return Record(
            group=self.job.group,
            job=self.job.title,
            unit=self.job.unit,
            items=self.job.items,
            contestant=self.contestant,
            median=self.median,
            values=self.values,
            reason=self.reason,
        )


def run_all(
    jobs: Iterable[Job], *, quick: bool, rounds: int, tell: Callable[[str], None]
) -> list[Record]:
    """Measure all jobs; `tell` gets a line for each."""
    results: list[Result] = []
    for job in jobs:
        if job.missing:
            tell(f"{job.name}: {job.missing}")
            continue
        row = [Result(job, name) for name in job.contestants if not _is_left_out(CONTESTANTS[name])]
        for result in row:
            contestant = CONTESTANTS[result.contestant]
            result.reason = contestant.missing or _too_long(job, result.contestant, results)
        for number in range(min(job.rounds or rounds, rounds)):
            first = number % len(row)
            for result in row[first:] + row[:first]:
                if result.reason is None and not result.is_slow:
                    _measure(result, quick)
        tell(_line(job, row))
        results += row
    return [result.record() for result in results]


def _is_left_out(contestant: Contestant) -> bool:
    return contestant.is_variant and contestant.missing is not None


def _measure(result: Result, quick: bool) -> None:
    contestant = CONTESTANTS[result.contestant]
    start = time.monotonic()
    try:
        found = _in_a_process(result.job, contestant, quick)
    except subprocess.TimeoutExpired:
        result.reason = f"took more than {TIMEOUT:.0f} s"
        return
    result.seconds = time.monotonic() - start
    result.reason = found.get("reason")
    if result.reason is None:
        result.values.append(found["value"])


def _in_a_process(job: Job, contestant: Contestant, quick: bool) -> dict[str, Any]:
    if job.kind == "import":
        command = ["benchmarks.import_time", contestant.module]
    else:
        command = ["benchmarks.measure", job.name, contestant.shown, *["--quick"][: int(quick)]]
    # Bytecode is kept, as it is of what pip installs: else our own modules are compiled each time.
    environment = {key: value for key, value in os.environ.items() if key != NO_BYTECODE}
    done = subprocess.run(
        [contestant.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        (*_, last) = done.stderr.strip().splitlines() or ["no message"]
        return {"reason": f"failed: {last[:100]}"}
    value = json.loads(done.stdout.strip().splitlines()[-1])
    return {"value": value} if job.kind == "import" else value


def _too_long(job: Job, contestant: str, results: list[Result]) -> str | None:
    """Judge by the last job of the group whether this one would take too long."""
    smaller = [
        result
        for result in results
        if result.contestant == contestant
        and result.job.group == job.group == "Items"
        and result.job.items < job.items
    ]
    if not smaller:
        return None
    last = smaller[-1]
    if last.median is None:
        return last.reason
    seconds = last.median * job.items / 1e6
    # A cost per item that has grown will grow on.
    if len(smaller) > 1 and smaller[-2].median:
        seconds *= max(1.0, last.median / smaller[-2].median)
    return f"would take about {seconds:.0f} s" if seconds > TOO_LONG else None


def _line(job: Job, row: list[Result]) -> str:
    done = [result for result in row if result.median is not None]
    fastest = min(done, key=lambda result: result.median or 0.0, default=None)
    if fastest is None:
        return f"{job.name}: nobody"
    return f"{job.name}: {fastest.contestant} {fastest.median:.3g} {job.unit}"
