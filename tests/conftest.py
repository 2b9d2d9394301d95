"""Async tests run in virtual time and must leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction

import pytest

from conveyor_rx.testing import CleanCheck

pytest_plugins = [
    "conveyor_rx.testing.plugin",
    "pytester",  # the plugin's own tests
    "tests.faults.loops",  # --loops
    "tests.sampling",  # --whole, --rest
]


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Have the tests in real time run on pytest-asyncio."""
    if name.startswith("test") and iscoroutinefunction(obj):  # a module may hold odd objects
        markers = getattr(obj, "pytestmark", ())
        if any(marker.name == "real_time" for marker in markers):
            pytest.mark.asyncio(obj)


@pytest.fixture
def small_heap() -> Iterator[None]:
    """Keep what the other tests have left out of the garbage collections of this one."""
    with CleanCheck()._freeze():
        yield
