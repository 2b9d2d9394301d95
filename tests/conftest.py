"""Async tests run in virtual time and must leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from conveyor_rx.testing import CleanCheck

pytest_plugins = [
    "conveyor_rx.testing.plugin",
    "pytester",  # the plugin's own tests
    "tests.faults.loops",  # --loops
]
# They run the same lines thousands of times, which other tests run, too. Coverage makes that three
# times as slow and learns little from it: it looks at one in so many.
ONE_IN = 19  # prime to the numbers of kinds, places, modes and ways
AGAIN_AND_AGAIN = """
    conformance faults/test_cancels.py faults/test_exceptions.py faults/test_failures.py
    faults/test_shutdowns.py flow lifetime/test_cancelled_at_every_step.py
    random_pipelines/test_random_pipelines.py test_benchmarks.py
""".split()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Have the tests in real time run on pytest-asyncio."""
    if name.startswith("test") and iscoroutinefunction(obj):  # a module may hold odd objects
        markers = getattr(obj, "pytestmark", ())
        if any(marker.name == "real_time" for marker in markers):
            pytest.mark.asyncio(obj)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-in",
        type=int,
        default=1,
        help="of the tests that run the same lines again and again, run only one in so many",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    again = [item for item in items if _is_repetitive(item)]
    if config.pluginmanager.hasplugin("pytest_cov"):
        for number, item in enumerate(again):
            if number % ONE_IN:
                item.add_marker("no_cover")
    left_out = {item for number, item in enumerate(again) if number % config.getoption("--one-in")}
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_repetitive(item: pytest.Item) -> bool:
    name = item.path.relative_to(Path(__file__).parent).as_posix()
    return name in AGAIN_AND_AGAIN or name.partition("/")[0] in AGAIN_AND_AGAIN


@pytest.fixture
def small_heap() -> Iterator[None]:
    """Keep what the other tests have left out of the garbage collections of this one."""
    with CleanCheck()._freeze():
        yield
