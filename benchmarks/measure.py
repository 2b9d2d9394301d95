"""What does one measurement do? It is a process of its own, and prints one line of JSON.

First a small run in which the functions count their calls: that the limit holds and each item is
handled once. Then the measured run, whose results are compared with what must come out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from conveyor_rx.testing import Deadlock

from .contestants import CONTESTANTS, Contestant
from .crews import first_of_crew, time_of_crew
from .job import Job
from .jobs import all_jobs
from .runs import median_first, p99_first, work_per_run, work_to_read
from .space import in_flight, late_growth, peak_growth
from .speed import first_in_real_time, time_per_item, work_per_item
from .steps import CannotDo
from .under_load import (
    mean_batch,
    mean_recovery,
    median_latency,
    most_starts,
    p95_latency,
    p95_to_settle,
)
from .virtual import first_result, makespan
from .watch import WrongError

__all__ = ["main", "measure"]

KINDS: dict[str, Callable[[Job, Contestant], float]] = {
    "time": time_per_item,
    "makespan": makespan,
    "first": first_result,
    "first_real": first_in_real_time,
    "memory": peak_growth,
    "flight": in_flight,
    "flat": late_growth,
    "median": median_latency,
    "p95": p95_latency,
    "settled": p95_to_settle,
    "recovery": mean_recovery,
    "batch": mean_batch,
    "starts": most_starts,
    "work": work_per_item,
    "run": work_per_run,
    "run_p50": median_first,
    "run_p99": p99_first,
    "read": work_to_read,
    "crew": time_of_crew,
    "crew_first": first_of_crew,
}


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measure")
    parser.add_argument("job")
    parser.add_argument("contestant")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    job = all_jobs(quick=options.quick)[options.job]
    print(json.dumps(measure(job, CONTESTANTS[options.contestant])))


def measure(job: Job, contestant: Contestant) -> dict[str, Any]:
    """Return the figure, or the reason why there is none."""
    missing = job.missing or contestant.missing
    if missing:
        return {"reason": missing}
    try:
        return {"value": KINDS[job.kind](job, contestant)}
    except CannotDo as reason:
        return {"reason": str(reason)}
    except WrongError as error:
        return {"reason": f"wrong: {error}"}
    except Deadlock:
        return {"reason": "wrong: everything is blocked"}


if __name__ == "__main__":
    main()
