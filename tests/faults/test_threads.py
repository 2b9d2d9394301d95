"""Eight threads push into one Observable: nothing is lost, each thread's order is kept.

Here some items each; `python -m tests.long threads` takes 10^5.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.threads import push_from_threads
from tests.random_pipelines.plans import WAYS

ITEMS = 2_000


@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.real_time("threads push into the source")
async def test_eight_threads(way: str, mode: Any) -> None:
    """L8: and functions are called in the thread of the loop."""
    await push_from_threads(ITEMS, way, mode)
