"""Do the benchmarks on clusters still run, and are their results right? No time is asserted."""

from __future__ import annotations

import pytest

from benchmarks import jobs, measure
from benchmarks.contestants import CONTESTANTS
from benchmarks.on_clusters import GROUP

QUICK = {
    name: job
    for name, job in jobs.all_jobs(quick=True).items()
    if job.group == GROUP and "10 ms" not in name  # those are the same, and clusters take seconds
}
pytestmark = pytest.mark.real_time("clusters are processes")


@pytest.mark.parametrize(
    ("name", "contestant"), [(name, who) for name, job in QUICK.items() for who in job.contestants]
)
def test_every_contestant_does_the_job(name: str, contestant: str) -> None:
    """Each gives a figure: its results were compared with the right ones."""
    job = QUICK[name]
    if job.missing:
        pytest.skip(job.missing)
    found = measure.measure(job, CONTESTANTS[contestant])
    assert list(found) == ["value"], found
