"""A cancelled consumer, at every step: nothing is left, nothing starts, the results are a prefix.

Here with a few seeds; `python -m tests.long cancel` takes 20.
"""

from __future__ import annotations

import pytest

from tests.faults.cancels import cancel_at_every_step
from tests.faults.references import REFERENCES


@pytest.mark.parametrize("name", REFERENCES)
def test_cancelled_at_every_step(name: str) -> None:
    """L2, L5, L7, O1: first in, first out, as on any loop."""
    assert cancel_at_every_step(REFERENCES[name], None) > 1


@pytest.mark.parametrize("name", REFERENCES)
def test_cancelled_at_some_steps_of_a_shuffled_run(name: str) -> None:
    """L2, L5, L7: wherever the order of ready callbacks may lead; each has its own seed."""
    assert cancel_at_every_step(REFERENCES[name], int(name[:2]), every=4) > 1
