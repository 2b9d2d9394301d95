"""Which tests run, where many of them are cases of one? A sample, unless all are asked for.

A test with many cases is a family. Its sample has each kind, place, mode or other part of the
names of its cases at least once, and beside these one case in so many. What is drawn depends on
the names alone, so it is the same each time and in each process. What is named on the command line
runs whole.

    python -m pytest            the sample of each family, and all other tests
    python -m pytest --whole    all
    python -m pytest --rest     what the first leaves out
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from zlib import crc32

import pytest

__all__ = ["ONE_IN", "sample"]

ONE_IN = 10
FAMILY = 20  # cases; what has no more runs whole


def sample(cases: Sequence[str]) -> set[str]:
    """Choose among the names of cases; `-` divides a name into parts."""
    if len(cases) <= FAMILY:
        return set(cases)
    chosen: set[str] = set()
    seen: set[str] = set()
    for case in sorted(cases, key=_luck):
        parts = set(case.split("-"))
        if not parts <= seen or _luck(case)[0] % ONE_IN == 0:
            chosen.add(case)
            seen |= parts
    return chosen


def _luck(case: str) -> tuple[int, str]:
    return crc32(case.encode()), case


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cases of the tests that have many")
    options = group.addoption
    options("--whole", action="store_const", dest="cases", const="whole", help="run all of them")
    options("--rest", action="store_const", dest="cases", const="rest", help="those left out else")


def pytest_configure(config: pytest.Config) -> None:
    given = config.getoption("cases")
    if given is None:
        named = config.args_source is pytest.Config.ArgsSource.ARGS
        # The processes of xdist name everything: what counts is what the first process was told.
        given = getattr(config, "workerinput", {}).get("cases", "whole" if named else "sample")
    config.option.cases = given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Item) -> None:
    """Tell a process of xdist."""
    node.workerinput["cases"] = node.config.getoption("cases")  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    what = config.getoption("cases")
    if what == "whole":
        return
    families: dict[str, list[str]] = defaultdict(list)
    for item in items:
        families[_family(item)].append(_case(item))
    samples = {family: sample(cases) for family, cases in families.items()}
    left_out = [item for item in items if _case(item) not in samples[_family(item)]]
    if what == "rest":
        is_thinned = [item for item in items if "one_in" in getattr(item, "fixturenames", ())]
        rest = {*left_out, *is_thinned}
        left_out = [item for item in items if item not in rest]
    gone = set(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in gone]


def _family(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _case(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[2].removesuffix("]")


@pytest.fixture
def one_in(request: pytest.FixtureRequest) -> int:
    """Say how many of its steps a test that takes many is to take: one in so many."""
    return ONE_IN if request.config.getoption("cases") == "sample" else 1
