"""Do limits do what a model does that tries everything at each moment? R1 to R7, all together."""

from __future__ import annotations

from collections import Counter

import pytest

from conveyor_rx.testing import run
from tests.limits.model import expected
from tests.limits.programs import found, program

EACH = 100


@pytest.mark.no_cover
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("first", range(0, 400, EACH))
def test_random_programs_against_the_model(first: int, at_once: bool) -> None:
    """R1, R2, R3, R5, R6, R7: the same attempts are granted, at the same moments."""
    seen: Counter[str] = Counter()
    for seed in range(first, first + EACH):
        case = program(seed)
        log = run(lambda case=case: found(case, at_once))
        assert sorted(log) == sorted(expected(case)), (seed, case)
        arrivals = {number: attempt.time for number, attempt in enumerate(case.attempts)}
        seen.update(
            what if what == "withdrawn" else "waited" if time > arrivals[number] else "at once"
            for time, what, number in log
        )
    assert min(seen[what] for what in ("withdrawn", "waited", "at once")) > EACH
