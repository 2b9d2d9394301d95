"""The examples in the docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import conveyor_rx

MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(conveyor_rx.__path__, "conveyor_rx.")
    # tests/testing has its own; the others need an extra, or have their examples in the README
    if not name.startswith(("conveyor_rx.testing", "conveyor_rx.diagrams", "conveyor_rx.probes"))
]
WITH_EXAMPLES = {"_columns", "_labels", "_near_miss", "_short_repr"} | {
    "context",
    "decorators",
    "error_handling",
    "events",
    "pipeline",
    "stream",
    "tasks",
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    """What a user copies from a docstring works, and the modules for users have examples."""
    module = importlib.import_module(name)
    public = {name: getattr(conveyor_rx, name) for name in conveyor_rx.__all__}
    result = doctest.testmod(module, extraglobs=public)
    assert result.failed == 0
    assert bool(result.attempted) == (name.rpartition(".")[2] in WITH_EXAMPLES)
