"""The benchmarks under real conditions check what they compare, and measure what they say."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import jobs, loads, measure, readme, records, under_load, virtual, watch
from benchmarks.contestants import CONTESTANTS, OURS
from benchmarks.steps import Batch, Map, Source, Step
from tests.kit import ROOT

QUICK = jobs.all_jobs(quick=True)
GROUPS = ("Batches in time", "Rates", "Keys", "Retries", "Options")
HERE = [
    (name, contestant)
    for name, job in QUICK.items()
    if name.startswith(GROUPS)
    for contestant in job.contestants
    if not CONTESTANTS[contestant].missing
]
pytestmark = pytest.mark.usefixtures("small_heap")  # they collect garbage before they measure
real_time = pytest.mark.real_time("the benchmarks make loops of their own")


@real_time
@pytest.mark.filterwarnings("ignore:Streamer is iterated outside")  # aiostream's, on its users
@pytest.mark.parametrize(("name", "contestant"), HERE)
def test_every_contestant_that_is_here_does_the_job(name: str, contestant: str) -> None:
    """Whoever a job names gives a figure, and is not wrong; a clock can't cut at once."""
    found = measure.measure(QUICK[name], CONTESTANTS[contestant])
    if "value" not in found:
        assert "max_wait=0" in name
        assert found == {"reason": "cuts by the clock, which needs an interval"}


class TestFigures:
    """What is measured is what can be reckoned."""

    def figure(self, name: str, contestant: str = OURS) -> float:
        return measure.measure(QUICK[name], CONTESTANTS[contestant])["value"]

    @real_time
    @pytest.mark.parametrize("contestant", [OURS, "by hand: worker"])
    def test_latency(self, contestant: str) -> None:
        """An input alone takes 20 ms for the fetch, 24 for the model, and what a batch waits."""
        name = "Batches in time, median latency: an input each 100 ms, max_wait="
        assert self.figure(f"{name}0", contestant) == pytest.approx(44)
        assert self.figure(f"{name}0.05", contestant) == pytest.approx(94)

    @real_time
    def test_mean_batch(self) -> None:
        """64 items in full batches are two of 32."""
        assert self.figure("Batches in time, mean batch: an input each 5 ms, full batches") == 32

    @real_time
    def test_the_most_starts_in_a_window(self) -> None:
        """A window is without its end, and may begin at any start."""
        job = QUICK["Rates: 8 in 1 s: most starts in any second"]
        assert under_load.most_starts(job, CONTESTANTS[OURS]) == 8

        async def collect(source: Source, chain: Sequence[Step], **_: Any) -> list[int]:
            async def late(item: int) -> int:
                await asyncio.sleep(item / 20)
                return await chain[0].func(item)

            return await asyncio.gather(*map(late, range(job.items)))

        assert under_load.most_starts(job, contestant(collect)) == 20

    @real_time
    @pytest.mark.parametrize("contestant", [OURS, "by hand: in the slot"])
    def test_recovery(self, contestant: str) -> None:
        """Three calls of 10 ms, and pauses of 0.1 and 0.2 s, where nothing else is waited for."""
        name = "10 % of the items fail twice: from the first call of one to its last, mean"
        assert self.figure(f"Retries: {name}", contestant) == pytest.approx(330)

    @real_time
    def test_a_hot_key_counts_only_for_others(self) -> None:
        """What is asked is how long items of other keys take: a call of 5 ms, at least."""
        name = (
            "Keys: 1,000 keys, a hot one gets twice what it can do: 95th percentile of the others"
        )
        key = loads.key_of(1_000, 0.40, QUICK[name].items)
        counts = QUICK[name].counts
        assert counts is not None
        cold = [item for item in range(QUICK[name].items) if counts(item)]
        assert 0 < len(cold) < QUICK[name].items
        assert all(key(item) != loads.HOT for item in cold)
        assert self.figure(name) == pytest.approx(5)

    def test_the_ideal_with_keys(self) -> None:
        """Nobody is done before all the work is, nor before that of the busiest key."""
        assert loads.busiest([1.0, 2.0, 3.0, 4.0], lambda item: item, 2) == 5
        assert loads.busiest([1.0, 2.0, 3.0, 4.0], lambda item: item // 2, 2) == 7


def contestant(collect: Any) -> Any:
    return SimpleNamespace(own_loop=False, load=lambda: SimpleNamespace(collect=collect))


async def collect_at_once(source: Any, chain: Sequence[Step], **_: Any) -> list[int]:
    return await asyncio.gather(*map(chain[0].func, source))


async def collect_backwards(source: Any, chain: Sequence[Step], **_: Any) -> list[int]:
    return [await chain[0].func(item) for item in reversed(list(source))]


async def collect_impatiently(source: Any, chain: Sequence[Step], **_: Any) -> list[int]:
    async def stubborn(item: int) -> int:
        while True:
            try:
                return await chain[0].func(item)
            except loads.Refused:
                await asyncio.sleep(0.1)

    return [await stubborn(item) for item in source]


class TestWrongCalls:
    """Nobody is fast by calling what it must not."""

    @real_time
    @pytest.mark.parametrize(
        ("name", "collect", "message"),
        [
            ("Keys: 100 keys,", collect_at_once, "two calls for one key at once"),
            ("Keys: 100 keys,", collect_backwards, "was called after .*, of the same key"),
            ("Retries: 10 %", collect_impatiently, "was tried again after 0.1 s"),
        ],
    )
    def test_keys_and_pauses_are_watched(self, name: str, collect: Any, message: str) -> None:
        """Overlap, another order within a key, and a pause that is too short are wrong."""
        job = next(job for title, job in QUICK.items() if title.startswith(name))
        steps = [unlimited(step) for step in job.steps()]
        job = dataclasses.replace(job, ordered=False, steps=lambda: steps)
        with pytest.raises(watch.WrongError, match=message):
            virtual.makespan(job, contestant(collect))

    @real_time
    def test_a_batch_in_time_is_watched(self) -> None:
        """It may be smaller than the size, never larger."""
        watcher = watch.Watch(Batch(loads.model, 2, lambda item: [item], 0.05))
        func = watcher.watched().func
        asyncio.run(func([1]))
        watcher.check(1)
        asyncio.run(func([2, 3, 4]))
        with pytest.raises(watch.WrongError, match="the largest batch had 3 items"):
            watcher.check(4)


def unlimited(step: Step) -> Step:
    assert isinstance(step, Map)
    return dataclasses.replace(step, limit=1_000)


def report(group: str, median: float, *, quick: bool = False) -> records.Report:
    job = next(job for job in QUICK.values() if job.group == group)
    record = records.Record(
        group=group, job=job.title, unit=job.unit, items=1, contestant=OURS, median=median,
        values=[median], reason=None,
    )  # fmt: skip
    machine = {"python": "P", "processor": "C", "cores": 2, "system": "S", "load_before": 0.1}
    return records.Report(
        date=f"day {median}", quick=quick, rounds=5, minutes=1.0, machine=machine, versions={},
        results=[record], anew={},
    )  # fmt: skip


class TestAdding:
    """New figures of some groups come beside the old ones of the others."""

    def test_groups_are_replaced(self) -> None:
        """What is added stands in the place of its group, in the order of the jobs, with a date."""
        whole = records.add(report("Keys", 1), report("Speed", 2), QUICK)
        whole = records.add(report("Rates", 3), whole, QUICK)
        whole = records.add(report("Keys", 4), whole, QUICK)
        found = [(record["group"], record["median"]) for record in whole["results"]]
        assert found == [("Speed", 2), ("Rates", 3), ("Keys", 4)]
        dates = {group: measured["date"] for group, measured in whole["anew"].items()}
        assert (whole["date"], dates) == ("day 2", {"Keys": "day 4", "Rates": "day 3"})

    def test_quick_figures_stay_alone(self) -> None:
        """Those of tiny sizes are not put beside those of full ones."""
        with pytest.raises(ValueError, match="quick figures"):
            records.add(report("Keys", 1, quick=True), report("Speed", 2), QUICK)

    def test_the_readme_says_which_they_are(self, tmp_path: Path) -> None:
        """A group that was added is named with its own date."""
        page = tmp_path / "README.md"
        page.write_text(f"{readme.BEGIN}{readme.END}")
        whole = records.add(report("Keys", 1), report("Speed", 2), QUICK)
        readme.update_readme(page, whole)
        assert "\n\nMeasured on day 2: P," in page.read_text()
        assert '\n\n"Keys": on day 1: P,' in page.read_text()

    @real_time
    def test_the_command(self, tmp_path: Path) -> None:
        """`--add` measures the groups that are named and writes all."""
        (tmp_path / "results.json").write_text(json.dumps(report("Speed", 2, quick=True)))
        command = [sys.executable, "-m", "benchmarks", "--quick", "--add", "Retries"]
        done = subprocess.run(
            [*command, "--output", str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        whole: records.Report = json.loads((tmp_path / "results.json").read_text())
        assert {record["group"] for record in whole["results"]} == {"Speed", "Retries"}
        assert list(whole["anew"]) == ["Retries"]
