"""A quick pass on event loops of another kind: eager tasks, debug mode; test_uvloop.py is another.

`pytest --loops KIND` runs everything on one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from conveyor_rx.testing import run
from conveyor_rx.testing.conformance import Check, conformance
from tests.conformance.test_conformance import KINDS
from tests.faults.cancels import cancel_at_every_step
from tests.faults.loops import loops_of
from tests.faults.references import REFERENCES
from tests.random_pipelines.check import check

# In debug mode asyncio notes a whole stack for each task and callback, under pytest a deep one.
EVERY = {"eager": 40, "debug": 200}  # of the checks of the conformance suite
LONG = ("3.3", "3.17")  # its rules about many items


@pytest.fixture(params=["eager", "debug"])
def virtual_loops(request: pytest.FixtureRequest) -> Iterator[str]:
    with loops_of(request.param):
        yield request.param


def some_checks(loops: str) -> Iterator[Check]:
    """Give a few checks of each kind of stage, others of each."""
    for number, options in enumerate(KINDS.values()):
        for each in conformance(**options)[7 * number :: EVERY[loops]]:
            if loops == "eager" or each.rule.number not in LONG:
                yield each


def test_stages_keep_the_rules(virtual_loops: str) -> None:
    """Reactive Streams §1 to §3, on loops of another kind."""
    for each in some_checks(virtual_loops):
        each()


@pytest.mark.parametrize("name", list(REFERENCES)[::3])
def test_the_references_do_what_the_model_says(name: str, virtual_loops: str) -> None:
    """O1, O2, L1, L2, L5, L7: undisturbed, and cancelled at some steps."""
    plan = REFERENCES[name]
    check(plan)
    cancel_at_every_step(plan, None, every=9)


def test_the_loops_are_of_the_kind_that_is_asked_for(virtual_loops: str) -> None:
    """The fixture does what it says, on virtual and on real loops."""

    async def look() -> bool:
        loop = asyncio.get_running_loop()
        return loop.get_debug() if virtual_loops == "debug" else loop.get_task_factory() is not None

    assert run(look)
    assert asyncio.run(look())
