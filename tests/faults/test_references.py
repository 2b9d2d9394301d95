"""The reference pipelines are what they are there for: few, small, and of every sort."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from tests.faults.cancels import steps_of
from tests.faults.references import MOST_STEPS, REFERENCES
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import KINDS, SOURCES, WAYS, model

PLANS = tuple(REFERENCES.values())


def test_there_are_fifty_of_every_sort() -> None:
    """Each kind of stage in each mode; each source and way, in each mode; each policy and end."""
    assert len(REFERENCES) == 50
    modes = (True, False)
    assert {(spec.kind, p.ordered) for p in PLANS for spec in p.stages} == {*product(KINDS, modes)}
    sorts = Counter((plan.source, plan.way, plan.ordered) for plan in PLANS)
    assert set(sorts) == {*product(SOURCES, WAYS, modes)}
    assert {spec.on_error for plan in PLANS for spec in plan.stages} == {
        "fail",
        "skip_item",
        "skip_batch",
    }
    assert {model(plan)[1] for plan in PLANS} == {None, "call", "source"}
    assert any(plan.window == 1 for plan in PLANS)
    assert any(plan.parallelism == 1 for plan in PLANS)


@pytest.mark.parametrize("name", REFERENCES)
def test_undisturbed_it_does_what_the_model_says(name: str) -> None:
    """O1, O2, L1: what is disturbed later works to begin with, in few steps."""
    check(REFERENCES[name])
    assert 1 < steps_of(REFERENCES[name], None) <= MOST_STEPS


def test_they_reach_what_is_rare() -> None:
    """Full windows, parked generators, retries, halved batches, cancelled calls."""
    seen = {scenario for plan in PLANS for scenario in check(plan)}
    assert seen >= {
        "window full",
        "generator parked",
        "retried",
        "skipped",
        "batch halved",
        "rest of a batch dropped",
        "calls cancelled",
        "call fails in the middle, behind results",
        "consumer slower than source",
        "max_parallelism reached",
    }
