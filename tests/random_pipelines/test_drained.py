"""Random pipelines that are drained at a random step, against the sequential model."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conveyor_rx.testing import VirtualLoop
from tests.faults.disturbed import Disturbed, disturb
from tests.random_pipelines.plans import Plan, model, plans
from tests.random_pipelines.settled import Settled

IS_CI = "CI" in os.environ
EXAMPLES = int(os.environ.get("CONVEYOR_RX_EXAMPLES", "5000" if IS_CI else "500")) // 2
_STEP = st.integers(0, 60)


@pytest.mark.no_cover
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=IS_CI,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(plans(), _STEP)
def test_a_drained_pipeline_gives_what_the_model_makes_of_what_was_pulled(
    plan: Plan, step: int
) -> None:
    """W1, W3: no more and no less; and the watermark says so."""
    check_drained(plan, step)


def check_drained(plan: Plan, step: int) -> None:
    """Drain `plan` at `step`; compare its results, its end and its watermark with the model."""
    steps = 0

    def act(case: Disturbed, loop: VirtualLoop) -> None:
        nonlocal steps
        if steps == step:
            case.stream.drain()
        steps += 1

    try:
        case = disturb(plan, act, seed=plan.seed)
        _check(case, replace(plan, items=case.watch.pulled), was_drained=steps > step)
    except BaseException as error:
        error.add_note(f"check_drained({plan!r}, {step})")
        raise


def _check(case: Disturbed, pulled: Plan, *, was_drained: bool) -> None:
    assert len(case.ends) == 1
    (end,) = case.ends
    if end is not None and end.args != ("source",):  # a call has failed
        case.check_given()
        return
    expected, expected_end = model(pulled)
    if pulled.ordered:
        assert expected_end != "call"
    if end is not None:
        assert pulled.items == case.plan.items, "the source has failed before its end"
        return
    if any(spec.is_measured for spec in pulled.stages):
        pass  # the model does not say which batches there are
    elif pulled.ordered:
        assert case.got == expected
    elif not any(spec.is_batch for spec in pulled.stages):
        assert Counter(case.got) == Counter(expected)
    assert not any(stage.cancelled for stage in case.stream.stats)
    mark = case.stream.watermark
    Settled(pulled).look(mark, case.got)
    if mark != pulled.items:  # a rest that was dropped because of the drain
        assert was_drained
        assert any(stage.dropped for stage in case.stream.stats)
