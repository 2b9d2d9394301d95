"""The random pipelines reach what they are there for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans
from tests.random_pipelines.scenarios import LEAST, Tally

ENOUGH = 500


@pytest.mark.no_cover
def test_each_scenario_occurs_often_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """No scenario falls under 5 % of the examples, always the same ones; the shares are printed."""
    tally = _some_examples()
    with capsys.disabled():
        print(f"\n{tally.report()}")  # noqa: T201  # the report is the point
    assert not tally.rare(), f"under {LEAST:.0%} of the examples: {tally.rare()}"


def _some_examples() -> Tally:
    tally = Tally()

    @settings(
        max_examples=ENOUGH,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(plans())
    def run(plan: Plan) -> None:
        tally.add(check(plan))

    run()
    return tally
