"""What is reachable from the top, and imported only when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import get_type_hints

import pytest

import conveyor_rx
from conveyor_rx import AsyncStream, Failure, PipelineContext, RetryConfig
from conveyor_rx.events import RunInfo

LATER = {
    "AdaptiveLimit": "conveyor_rx.limits",
    "Limit": "conveyor_rx.limits",
    "RateLimit": "conveyor_rx.limits",
    "StageStats": "conveyor_rx.stream",
    "WorkerLostError": "conveyor_rx.workers",
    "Workers": "conveyor_rx.workers",
    "collect": "conveyor_rx.synchronous",
    "draw": "conveyor_rx.diagrams",
    "iterate": "conveyor_rx.synchronous",
    "observe": "conveyor_rx.events",
    "progress": "conveyor_rx.probes.progress",
    "record": "conveyor_rx.diagrams",
}


@pytest.mark.parametrize("name", LATER)
def test_reachable_from_the_top(name: str) -> None:
    """Issue 14, section 5: they are the same as in their modules, and `dir` names them."""
    assert getattr(conveyor_rx, name) is getattr(import_module(LATER[name]), name)
    assert name in dir(conveyor_rx)


# What most programs don't use, or only type checkers do. Of packages: with all that is in them.
NOT_IMPORTED = """
    _block _limits _option_types _parts.hints _parts.rx _parts.sent_operator _picture
    _sending _side_inputs.in_turns _side_inputs.kinds _side_inputs.later _side_inputs.loading
    _side_inputs.types _side_inputs.watched
    _stats _streams.running _tasks.plain_limits _text _types _workers
    _engine.arrivals _engine.batches.clock _engine.batches.measured_batches _engine.batches.measures
    _engine.calls.async_generators _engine.calls.budget _engine.calls.dead_letters
    _engine.calls.generators _engine.calls.steps
    _engine.calls.held_calls _engine.calls.in_attempts _engine.calls.keys _engine.calls.permits
    _engine.calls.preparation _engine.calls.refusal _engine.calls.turnstile _engine.calls.waiting
    _engine.closing.stuck
    _engine.graph.observed_run _engine.graph.sketch _engine.graph.taps _engine.observing
    _engine.outlets.push _engine.process _engine.pull
    _engine.sources.async_iterable _engine.sources.observable _functions.elsewhere
    _functions.pickling _functions.time_limits _functions.timeouts
    diagrams distributed events limits probes synchronous testing workers
""".split()
MOST = 100 if sys.version_info >= (3, 12) else 101
"""Modules of ours that `import conveyor_rx` may load: each takes 0.1 to 0.2 ms.

Python 3.11 needs one more, for tasks that can't begin at once.
"""

SIMPLE = """
import asyncio, sys
from conveyor_rx import batch_task, single_task

@single_task
async def fetch(number):
    await asyncio.sleep(0)
    return number

@batch_task(max_size=2)
async def rank(numbers):
    return [-number for number in numbers]

@single_task
def show(number):
    return str(number)

pipeline = fetch | rank | show

async def main():
    assert [text async for text in pipeline([1, 2, 3])] == ["-1", "-2", "-3"]
    assert await pipeline.as_completed(range(3)).collect() == ["0", "-1", "-2"]
    assert await show([1]).collect() == ["1"]
"""


def _printed(program: str) -> list[str]:
    """Run `program` in a process of its own, and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def _ours(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == "conveyor_rx"}


def test_not_imported_before() -> None:
    """Issues 14 and 17: `import conveyor_rx` pays for what a simple pipeline needs, and no more."""
    loaded = _ours(_printed("import sys, conveyor_rx; print(*sys.modules, sep='\\n')"))
    assert len(loaded) <= MOST
    features = tuple(f"conveyor_rx.{name}" for name in NOT_IMPORTED)
    assert [
        name for name in loaded if f"{name}.".startswith(tuple(f"{f}." for f in features))
    ] == []
    for name in features:  # they are there
        assert find_spec(name) is not None


def test_a_simple_pipeline_imports_nothing_more() -> None:
    """Issue 17: all that it needs is there before it is made; no run waits for a file."""
    program = (
        f"import sys, conveyor_rx\nbefore = set(sys.modules)\n{SIMPLE}\nasyncio.run(main())\n"
        "print(*(set(sys.modules) - before), sep='\\n')"
    )
    assert _ours(_printed(program)) == set()


@pytest.mark.parametrize("name", LATER)
def test_each_name_can_be_the_first(name: str) -> None:
    """Each of them can be had in a process in which nothing else has been imported."""
    assert _printed(f"from conveyor_rx import {name}; print({name!r})") == [name]


def test_all_names_at_once() -> None:
    """`from conveyor_rx import *` has all names of `__all__`, also those that come later."""
    program = (
        "from conveyor_rx import *; import conveyor_rx; print({*conveyor_rx.__all__} <= {*dir()})"
    )
    assert _printed(program) == ["True"]


@pytest.mark.parametrize("name", ["events", "limits", "workers"])
def test_modules_are_attributes(name: str) -> None:
    """`conveyor_rx.limits` is the module, whether or not it has been imported before."""
    program = f"import conveyor_rx; print(conveyor_rx.{name}.__name__)"
    assert _printed(program) == [f"conveyor_rx.{name}"]


@pytest.mark.parametrize("kind", [AsyncStream, PipelineContext, RetryConfig, Failure, RunInfo])
def test_annotations_of_public_records_can_be_evaluated(kind: type) -> None:
    """Who makes a schema or a form of a record evaluates its annotations."""
    assert get_type_hints(kind) is not None


def test_no_other_names() -> None:
    """Issue 14, section 5: another name is an AttributeError that says which."""
    with pytest.raises(AttributeError, match="no attribute 'drawn'"):
        conveyor_rx.drawn  # type: ignore[attr-defined]  # noqa: B018
