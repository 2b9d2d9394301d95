"""In virtual time the waits of calls are those of the virtual clock."""

from __future__ import annotations

import asyncio
import time

import pytest

from conveyor_rx._workers import crew, lanes


def clock() -> float:
    """Tell the time of the loop that runs in this thread, which may be virtual, else real time."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (crew, lanes):
        monkeypatch.setattr(module, "monotonic", clock)
