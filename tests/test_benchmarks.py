"""The benchmarks still run, check their results, and write what they say; no time is asserted."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import (
    chart,
    goals,
    jobs,
    measure,
    reading,
    readme,
    records,
    rounds,
    steps,
    table,
    trial,
    watch,
)
from benchmarks.contestants import CONTESTANTS, OLDER, OURS, PYTHON_3_11, UVLOOP
from benchmarks.job import ALL
from tests.kit import ROOT

QUICK = jobs.all_jobs(quick=True)
FULL = jobs.all_jobs(quick=False)
OTHERS = [  # who need nothing but what conveyor_rx needs
    name
    for name, one in CONTESTANTS.items()
    if one.everywhere and one.distribution in (None, "reactivex") and not one.missing
]
MEASURED = [  # without those on clusters: tests/distributed/test_benchmarks.py
    name for name, job in QUICK.items() if job.kind != "import" and not job.needs
]
pytestmark = pytest.mark.usefixtures("small_heap")  # they collect garbage before they measure
real_time = pytest.mark.real_time("the benchmarks measure real loops")


@real_time
@pytest.mark.parametrize("name", MEASURED)
def test_every_job_runs_and_its_results_are_right(name: str) -> None:
    """Each job gives a figure for conveyor_rx: its results were compared with the model's."""
    found = measure.measure(QUICK[name], CONTESTANTS[OURS])
    assert list(found) == ["value"], found
    assert isinstance(found["value"], (int, float))


@real_time
@pytest.mark.parametrize("contestant", OTHERS)
@pytest.mark.parametrize("name", [name for name in MEASURED if name.startswith("Speed")])
def test_whoever_needs_no_package_does_every_job_or_says_why(name: str, contestant: str) -> None:
    """A contestant gives a figure or a reason, and nobody is wrong."""
    found = measure.measure(QUICK[name], CONTESTANTS[contestant])
    if "value" not in found:
        assert contestant == "reactivex, naive"
        assert found == {"reason": "no operator overlaps calls and keeps the order"}


def test_jobs_that_nobody_can_do_here_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs a package that is missing has no row, and one line that says so."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    told: list[str] = []
    name = "Clusters: Dask, 2 processes, 1 ms a call, chunk 20"
    assert rounds.run_all([QUICK[name]], quick=True, rounds=1, tell=told.append) == []
    assert told == [f"{name}: distributed is not installed"]
    assert measure.measure(QUICK[name], CONTESTANTS[OURS]) == {
        "reason": "distributed is not installed"
    }


def test_the_quick_jobs_are_the_full_ones() -> None:
    """--quick leaves out sizes, not kinds of job."""
    assert {job.kind for job in QUICK.values()} == {job.kind for job in FULL.values()}
    assert {job.group for job in QUICK.values()} == {job.group for job in FULL.values()}
    speed = [name for name in FULL if name.startswith(("Speed", "Makespan"))]
    assert [name for name in QUICK if name.startswith(("Speed", "Makespan"))] == speed


@real_time
@pytest.mark.filterwarnings("ignore:Streamer is iterated outside")  # aiostream's, on its users
@pytest.mark.parametrize(
    ("name", "contestant"),
    [
        (name, contestant)
        for name in MEASURED
        if name.startswith("Small runs")
        for contestant in QUICK[name].contestants
        if contestant != OURS and not CONTESTANTS[contestant].missing
    ],
)
def test_whoever_is_here_makes_small_runs(name: str, contestant: str) -> None:
    """Each gives a figure for runs of few items: the results of all of them are right."""
    found = measure.measure(QUICK[name], CONTESTANTS[contestant])
    assert list(found) == ["value"], found


class TestVariants:
    """We ourselves on another loop or Python are columns of our own rows, where they are there."""

    NAME = "Speed: async task, suspends once, ordered"

    def shown(self) -> dict[str, float | None]:
        job = dataclasses.replace(QUICK[self.NAME], contestants=(OURS, UVLOOP, OLDER))
        found = rounds.run_all([job], quick=True, rounds=1, tell=lambda line: None)
        return {record["contestant"]: record["median"] for record in found}

    def test_what_is_missing_has_no_column(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without uvloop and another Python there is our own column only."""
        monkeypatch.setitem(sys.modules, "uvloop", None)
        monkeypatch.delenv(PYTHON_3_11, raising=False)
        assert list(self.shown()) == [OURS]

    def test_another_python_measures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The environment names it; the process that measures runs in it."""
        monkeypatch.setenv(PYTHON_3_11, sys.executable)
        assert CONTESTANTS[OLDER].executable == sys.executable
        assert self.shown()[OLDER] is not None

    @real_time
    def test_a_loop_of_its_kind(self) -> None:
        """A measurement of uvloop's column runs on uvloop."""
        uvloop = pytest.importorskip("uvloop")

        async def kind() -> type[asyncio.AbstractEventLoop]:
            return type(asyncio.get_running_loop())

        assert CONTESTANTS[UVLOOP].run(kind()) is uvloop.Loop
        assert CONTESTANTS[OURS].run(kind()) is not uvloop.Loop

    def test_they_are_no_peers(self) -> None:
        """The fastest peer is somebody else."""
        assert not {OURS, UVLOOP, OLDER} & set(goals.PEERS)


@real_time
def test_the_command_writes_table_json_and_chart(tmp_path: Path) -> None:
    """One command: a table on the terminal, results.json, chart.svg; absent peers are shown."""
    only = "suspends once, as completed"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", only]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    report: records.Report = json.loads((tmp_path / "results.json").read_text())
    assert set(report) == set(records.Report.__annotations__)
    assert (report["quick"], report["rounds"]) == (True, 1)
    for record in report["results"]:
        assert set(record) == set(records.Record.__annotations__)
        contestant = CONTESTANTS[record["contestant"]]
        if contestant.missing:
            assert (record["median"], record["reason"]) == (None, contestant.missing)
            assert f": {contestant.missing}" in done.stdout
        elif record["contestant"] == OURS:
            assert record["reason"] is None
            assert record["values"] == [record["median"]]
            assert records.shown(record["values"][0]) in done.stdout
    here = {name for name, one in CONTESTANTS.items() if one.is_variant and not one.missing}
    assert {record["contestant"] for record in report["results"]} == {*ALL, *here}
    ET.parse(tmp_path / "chart.svg")  # our own file


class TestWrongResults:
    """Nobody is fast by being wrong."""

    JOB = QUICK["Speed: async task, suspends once, ordered"]

    def run(self, collect: Any) -> None:
        asyncio.run(trial.trial(self.JOB, SimpleNamespace(collect=collect)))

    @real_time
    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda results: results[:-1], "199 results, not the 200 that must come out"),
            (lambda results: results[::-1], "the results are out of order"),
            (lambda results: [0, *results[1:]], "200 results, not the 200"),
        ],
    )
    def test_results_are_compared(self, spoil: Any, message: str) -> None:
        """Lost, reordered and changed results are found."""

        async def collect(
            source: Iterable[int], chain: Sequence[steps.Step], **_: Any
        ) -> list[int]:
            return spoil([await chain[0].func(item) for item in source])

        with pytest.raises(watch.WrongError, match=message):
            self.run(collect)

    @real_time
    def test_the_limit_is_watched(self) -> None:
        """Who runs more calls at once than the limit allows is wrong."""

        async def collect(
            source: Iterable[int], chain: Sequence[steps.Step], **_: Any
        ) -> list[int]:
            return await asyncio.gather(*[chain[0].func(item) for item in source])

        with pytest.raises(watch.WrongError, match="200 calls ran at once, 100 were allowed"):
            self.run(collect)

    @real_time
    def test_calls_are_counted(self) -> None:
        """Who gets the results without calling the function is wrong."""

        async def collect(source: Iterable[int], *_: Any, **__: Any) -> list[int]:
            return [item + 1 for item in source]

        with pytest.raises(watch.WrongError, match="calls for 0 items, not 200"):
            self.run(collect)

    @real_time
    def test_a_stream_is_compared_too(self) -> None:
        """Where results are read one by one, they are compared one by one."""

        async def iterate(source: Iterable[int], *_: Any, **__: Any) -> AsyncIterator[int]:
            for item in source:
                yield item

        job = QUICK["Memory: peak, streamed, suspends once, ordered"]
        with pytest.raises(watch.WrongError, match="0 came as result 0"):
            asyncio.run(reading.drain(iterate(range(9)), job, job.steps()))


def record(contestant: str, median: float | None, reason: str | None = None) -> records.Record:
    values = [] if median is None else [median]
    return records.Record(
        group="Speed",
        job="async task, suspends once, ordered",
        unit="µs/item",
        items=10,
        contestant=contestant,
        median=median,
        values=values,
        reason=reason,
    )


RECORDS = [
    record(OURS, 4.0),
    record("streamable", 8.0),
    record("aiostream", 10_000.0),
    record("flowlet", None, "gives <results> as they complete only"),
    record("by hand: tasks", 5.0),
]


def test_table_shows_figures_and_reasons() -> None:
    """A job is a row, a contestant a column; what has no figure has its reason below."""
    assert table.result_tables(RECORDS, markdown=False) == (
        "Speed (µs/item)\n"
        "                                    conveyor_  streamable  aiostream  flowlet  by hand:\n"
        "                                           rx                                     tasks\n"
        "----------------------------------  ---------  ----------  ---------  -------  --------\n"
        "async task, suspends once, ordered       4.00        8.00     10,000      (a)      5.00\n"
        "(a): gives <results> as they complete only"
    )
    assert table.result_tables(RECORDS, markdown=True) == (
        "### Speed (µs/item)\n\n"
        "|  | **conveyor_rx** | streamable | aiostream | flowlet | by hand: tasks |\n"
        "| --- | --: | --: | --: | --: | --: |\n"
        "| async task, suspends once, ordered | **4.00** | 8.00 | 10,000 | (a) | 5.00 |\n\n"
        "(a): gives <results> as they complete only"
    )


def test_goals_are_judged_by_the_figures() -> None:
    """A ratio is met or missed by the goal's own direction; without figures it is neither."""
    found = {(goal.what, goal.against): goal for goal in goals.goals(RECORDS)}
    job = "async task, suspends once, ordered"
    faster = found[job, "speed over the fastest peer's"]
    assert (faster.ratio, faster.is_met) == (2.0, True)
    assert found[job, "time over by hand: tasks"].ratio == 0.8
    absent = found["import", "over import reactivex"]
    assert (absent.ratio, absent.is_met) == (None, None)
    slow = faster._replace(ratio=1.0)
    assert slow.words == (job, "speed over the fastest peer's", "≥ 1.1", "1.00", "missed")


def test_every_goal_finds_its_jobs() -> None:
    """With a figure for each full job and contestant, no goal is left unmeasured."""
    everything = [
        rounds.Result(job, name, [1.0]).record()
        for job in FULL.values()
        for name in job.contestants
    ]
    unmeasured = [goal for goal in goals.goals(everything) if goal.ratio is None]
    assert unmeasured == []


def test_chart_is_xml_with_all_figures_and_literal_colours() -> None:
    """The SVG escapes what it shows, names no variable, and has a colour for dark and for light."""
    svg = chart.chart(RECORDS)
    texts = [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]
    for wanted in (OURS, "4.00", "10,000", "gives <results> as they complete only"):
        assert wanted in texts
    assert "var(" not in svg
    assert "prefers-color-scheme: dark" in svg


def test_readme_is_filled_between_the_marks(tmp_path: Path) -> None:
    """The figures replace the old ones; the words around them stay."""
    page = tmp_path / "README.md"
    page.write_text(f"before\n{readme.BEGIN}old figures\n{readme.END}after\n")
    machine = {"python": "P", "processor": "C", "cores": 2, "system": "S", "load_before": 0.1}
    report = records.Report(
        date="today", quick=False, rounds=5, minutes=1.0, machine=machine, versions={},
        results=RECORDS, anew={},
    )  # fmt: skip
    readme.update_readme(page, report)
    text = page.read_text()
    assert text.startswith(f"before\n{readme.BEGIN}\nMeasured on today: P, C, 2 cores, S;")
    assert text.endswith(f"{readme.END}after\n")
    assert "old figures" not in text
    assert "[chart.svg]" not in text
    assert "(chart.svg)" in text
    assert (ROOT / "benchmarks" / "README.md").read_text().count(readme.BEGIN) == 1


def test_what_is_very_slow_is_measured_once_and_not_at_the_next_size() -> None:
    """A cost per item that grows is projected; the reason says how long it would take."""
    small, large, huge, _ = (job for job in FULL.values() if job.group == "Items")
    done = [rounds.Result(small, OURS, [10.0]), rounds.Result(large, OURS, [40.0])]
    assert rounds._too_long(huge, OURS, done) == "would take about 16 s"
    assert rounds._too_long(huge, OURS, done[:1]) is None
    assert rounds.Result(huge, "spdl", [1.0], seconds=rounds.SLOW + 1).is_slow
    assert not rounds.Result(huge, "spdl", [1.0], seconds=rounds.SLOW - 1).is_slow
    assert not rounds.Result(huge, OURS, [1.0], seconds=rounds.SLOW + 1).is_slow
