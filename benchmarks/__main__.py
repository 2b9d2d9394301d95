"""Measure everything side by side: `python -m benchmarks`, where the peers are installed."""

from __future__ import annotations

import argparse
import datetime
import json
import time
from pathlib import Path

from .chart import chart
from .contestants import CONTESTANTS
from .goals import goals
from .jobs import all_jobs
from .machine import describe_machine
from .readme import update_readme
from .records import Report, add
from .rounds import run_all
from .table import goal_table, result_tables

HERE = Path(__file__).parent


def main() -> None:
    """Run what the options say, print the tables, and write the files."""
    options = _options()
    report = _read(HERE) if options.redraw else _run(options)
    if options.add:
        report = add(report, _read(options.output or HERE), all_jobs(quick=options.quick))
    print()
    print(result_tables(report["results"], markdown=False))
    if not report["quick"]:  # they say nothing at tiny sizes
        print("\nGoals")
        print(goal_table(goals(report["results"]), markdown=False))
    whole = not options.quick and not options.only
    folder = options.output or (HERE if whole else None)
    if folder is not None:
        _write(report, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: does it run?")
    parser.add_argument("--rounds", type=int, help="default: 5, with --quick 1")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", metavar="TEXT", help="jobs whose name contains TEXT")
    which.add_argument("--add", metavar="TEXT", action="append", help="groups whose name contains "
                       "TEXT, beside the other figures of last time; may be repeated")  # fmt: skip
    which.add_argument("--redraw", action="store_true", help="measure nothing, show results.json")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the files; "
                        "default: this folder, but nowhere with --quick or --only")  # fmt: skip
    return parser.parse_args()


def _run(options: argparse.Namespace) -> Report:
    rounds = options.rounds or (1 if options.quick else 5)
    jobs = all_jobs(quick=options.quick).values()
    start, machine = time.monotonic(), describe_machine()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - start:5.0f} s] {line}", flush=True)

    groups = options.add or [""]
    results = run_all(
        [
            job
            for job in jobs
            if (options.only or "") in job.name and any(text in job.group for text in groups)
        ],
        quick=options.quick,
        rounds=rounds,
        tell=tell,
    )
    return Report(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        quick=options.quick,
        rounds=rounds,
        minutes=round((time.monotonic() - start) / 60, 1),
        machine=machine,
        versions={contestant.shown: contestant.version for contestant in CONTESTANTS.values()},
        results=results,
        anew={},
    )


def _read(folder: Path) -> Report:
    report: Report = json.loads((folder / "results.json").read_text())
    return report


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    (folder / "chart.svg").write_text(chart(report["results"]))
    if folder == HERE:
        update_readme(HERE / "README.md", report)
    print(f"\nwritten to {folder}")


if __name__ == "__main__":
    main()
