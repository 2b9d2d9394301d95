"""Random pipelines against a sequential model: order, loss, duplicates, ends, counters, limits.

`CONVEYOR_RX_EXAMPLES` says how many. What fails is printed as `check(Plan(...))`;
tests/random_pipelines/check.py says how to replay it.
"""

from __future__ import annotations

import inspect
import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, _halves, model, plans

IS_CI = "CI" in os.environ
EXAMPLES = int(os.environ.get("CONVEYOR_RX_EXAMPLES", "5000" if IS_CI else "500"))


@pytest.mark.no_cover
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=IS_CI,  # the same examples there each time; new ones on each desk
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(plans())
def test_a_random_pipeline_does_what_the_sequential_model_says(plan: Plan) -> None:
    """Sections O, F, V, E and L; B1, D1, D2, K1, R1, W1."""
    check(plan)


def test_the_model_is_short() -> None:
    """It is to be believed at a glance: at most 30 lines."""
    parts = (model, _halves)
    assert sum(len(inspect.getsource(part).splitlines()) for part in parts) <= 30
