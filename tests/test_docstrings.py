"""The examples in the docstrings run, and print what they say."""

from __future__ import annotations

import asyncio
import doctest
import importlib
import pkgutil
import sys

import pytest

import conveyor_rx
from conveyor_rx import diagrams, testing

MODULES = [
    "conveyor_rx",
    *(name for _, name, _ in pkgutil.walk_packages(conveyor_rx.__path__, "conveyor_rx.")),
]
FOR_USERS = {
    "conveyor_rx.context",
    "conveyor_rx.decorators",
    "conveyor_rx.error_handling",
    "conveyor_rx.events",
    "conveyor_rx.limits",
    "conveyor_rx.pipeline",
    "conveyor_rx.stream",
    "conveyor_rx.synchronous",
    "conveyor_rx.tasks",
    "conveyor_rx.testing.conformance",
    "conveyor_rx.workers",
}
PUBLIC = {
    name: getattr(module, name)
    for module in (conveyor_rx, diagrams, testing)
    for name in module.__all__
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    """What a user copies from a docstring works, and the modules for users have examples."""
    in_threads = ("conveyor_rx.distributed._run", "conveyor_rx.synchronous", "conveyor_rx.workers")
    if name in in_threads and sys.platform == "emscripten":
        pytest.skip("no threads here")  # doctest would take the skip for a failure
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={**PUBLIC, "asyncio": asyncio})
    assert result.failed == 0
    assert result.attempted or name not in FOR_USERS
