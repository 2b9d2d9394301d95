"""When is a batch cut, and why? As its trigger says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from conveyor_rx import AsyncStream, batch_task, single_task
from conveyor_rx._engine.batches.trigger import BySize
from conveyor_rx.events import Event, observe
from tests.kit import in_both_modes


class ByWeight:
    """Batches of numbers that sum up to 10 at most; a heavier number goes alone."""

    min_size = 1
    max_size = 100
    asked_at = 1
    max_wait = None

    def cut_due(self, items: Sequence[int]) -> Any:
        raise AssertionError("no batch is ever due")

    def cut(self, items: Sequence[int]) -> Any:
        if len(items) > 1 and sum(items) > 10:
            return len(items) - 1, "weight"
        return (len(items), "weight") if sum(items) >= 10 else None

    def cut_rest(self, items: Sequence[int]) -> Any:
        return 1, "flush"  # one by one, so that several batches are cut at the end


@in_both_modes
async def test_a_trigger_may_cut_fewer_items_than_are_open(
    mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again about those that are left, and at the end until none is; it says why."""
    monkeypatch.setattr("conveyor_rx.tasks.BySize", lambda *_: ByWeight())
    cuts: list[Any] = []

    def probe(event: Event) -> None:
        if event.kind == "batch_formed":
            cuts.append((event.inputs, event.reason))

    listed: Any = batch_task(max_size=5)(tuple)
    stream: AsyncStream[Any] = (single_task(abs) | listed).with_execution_mode(mode)(
        [4, 4, 4, 12, 1, 10, 2, 3]
    )
    with observe(probe):
        assert await stream.collect() == [(4, 4), (4,), (12,), (1,), (10,), (2,), (3,)]
    assert cuts == [
        ((0, 1), "weight"),
        ((2,), "weight"),
        ((3,), "weight"),
        ((4,), "weight"),
        ((5,), "weight"),
        ((6,), "flush"),
        ((7,), "flush"),
    ]
    assert (stream.stats["abs"].in_, stream.stats[1].in_, stream.stats[1].completed) == (8, 8, 8)


def test_by_size_a_batch_is_full_or_a_rest() -> None:
    """B1: a rest is one if it has `min_size` items."""
    trigger = BySize(2, 3)
    assert trigger.asked_at == 3
    assert trigger.cut([1, 2, 3]) == (3, "full")
    assert trigger.cut_rest([1, 2]) == (2, "flush")
    assert trigger.cut_rest([1]) is None
