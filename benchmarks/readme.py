"""How do the figures get into the README? Between two marks; the words around them stay."""

from __future__ import annotations

from pathlib import Path

from .goals import goals
from .records import Measured, Report
from .table import goal_table, result_tables

__all__ = ["update_readme"]

BEGIN, END = "<!-- results: written by the benchmarks -->\n", "<!-- end of results -->\n"


def update_readme(path: Path, report: Report) -> None:
    """Replace what stands between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + "\n" + _figures(report) + "\n" + END + after)


def _figures(report: Report) -> str:
    parts = [
        f"Measured {_about(report)}",
        *_younger(report["anew"]),
        "![The same figures as a chart: time per item, and makespan over the ideal](chart.svg)",
        "## Figures",
        result_tables(report["results"], markdown=True),
        "## Goals",
        goal_table(goals(report["results"]), markdown=True),
    ]
    return "\n\n".join(parts) + "\n"


def _about(measured: Measured) -> str:
    machine = measured["machine"]
    versions = ", ".join(
        f"{name} {number}" for name, number in measured["versions"].items() if number
    )
    return f"""\
on {measured["date"]}: {machine["python"]}, {machine["processor"]}, {machine["cores"]} cores, \
{machine["system"]}; load before the run {machine["load_before"]}; \
medians of {measured["rounds"]} rounds, {measured["minutes"]:.0f} minutes in all.
{versions}."""


def _younger(anew: dict[str, Measured]) -> list[str]:
    """Say which groups were measured later."""
    groups: dict[str, list[str]] = {}
    for group, measured in anew.items():
        groups.setdefault(_about(measured), []).append(f'"{group}"')
    return [f"{', '.join(names)}: {about}" for about, names in groups.items()]
