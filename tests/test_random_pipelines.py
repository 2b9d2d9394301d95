"""Random pipelines against a sequential model: order, loss, duplicates, ends, counters, limits."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

from hypothesis import HealthCheck, given, settings

from conveyor_rx import StageStats
from conveyor_rx.testing import run
from tests.random_pipelines import Boom, Plan, Watch, build, data, model, plans

EXAMPLES = int(os.environ.get("CONVEYOR_RX_EXAMPLES", "500"))


async def _consume(
    plan: Plan, watch: Watch
) -> tuple[list[int], str | None, tuple[StageStats, ...]]:
    stream = build(plan, watch)(data(plan, watch))
    got: list[int] = []
    end = None
    try:
        async for value in stream:
            got.append(value)
            if plan.pause:
                await asyncio.sleep(plan.pause)
    except Boom as error:
        end = "source" if error.args == ("source",) else "call"
    assert watch.total == 0, "a call runs after the end"
    return got, end, stream.stats


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CI" in os.environ,  # the same examples there each time; new ones on each desk
    suppress_health_check=list(HealthCheck),
)
@given(plans())
def test_a_random_pipeline_does_what_the_sequential_model_says(plan: Plan) -> None:
    """O1, O2, O3, F3, F4, V1, V2, B1, E1, E3, E4, E5, E7, E9, L1, L2, L5."""
    watch = Watch()
    got, end, stats = run(lambda: _consume(plan, watch), seed=plan.seed)
    expected, expected_end = model(plan)
    batches = any("batch" in spec.kind for spec in plan.stages)
    if plan.ordered:
        assert got == expected
        assert end == expected_end
    elif expected_end != "call" and not batches:
        assert Counter(got) == Counter(expected)
        assert end == expected_end
    for number, spec in enumerate(plan.stages):
        if spec.kind not in ("rx", "own"):
            limit = spec.limit or (1 if "batch" in spec.kind else 10**9)
            assert watch.most.get(number, 0) <= limit
    for stage in stats:
        ended = stage.completed + stage.failed + stage.skipped + stage.dropped + stage.cancelled
        assert stage.running == stage.waiting == 0
        assert stage.in_ == ended
