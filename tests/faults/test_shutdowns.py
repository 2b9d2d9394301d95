"""A loop that is shut down in the middle of a run: nothing is pending, unseen or left open."""

from __future__ import annotations

import pytest

from tests.faults.references import REFERENCES
from tests.faults.shutdowns import HOWS, shut_down_at_every_step


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("how", HOWS)
def test_shut_down_at_some_steps(name: str, how: str) -> None:
    """L5, L7: as `asyncio.run` ends when main returns, is cancelled, or at a second Ctrl-C.

    At every fifth step; which ones differs from pipeline to pipeline.
    """
    number = int(name[:2])
    seed = number if number % 2 else None
    assert shut_down_at_every_step(REFERENCES[name], seed, how, 1 + number % 5, 5) > 0
