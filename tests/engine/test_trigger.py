"""When is a batch cut, and why? As its trigger says."""

from __future__ import annotations

import sys

import pytest

from conveyor_rx._engine.batches.open_batches import OpenBatch, OpenBatches
from conveyor_rx._engine.batches.trigger import Trigger


def batch_of(*weights: float) -> OpenBatch:
    """Make a batch with an item of each of these weights."""
    batch, batches = OpenBatch(), OpenBatches()
    for weight in weights:
        batches.add(batch, "item", 0, weight)
    return batch


def test_by_size_a_batch_is_full_or_a_rest() -> None:
    """B1: a rest is one if it has `min_size` items."""
    trigger = Trigger(2, 3)
    assert trigger.asked_at == 3
    assert trigger.cut(batch_of(0, 0, 0)) == "full"
    assert trigger.cut(batch_of(0, 0)) is None
    assert trigger.cut_rest(batch_of(0, 0)) == "flush"
    assert trigger.cut_rest(batch_of(0)) is None


def test_by_time_it_is_asked_about_each_item() -> None:
    """B4, B8: a due batch is cut if it has `min_size` items."""
    trigger = Trigger(2, 3, max_wait=1.0)
    assert trigger.asked_at == 1
    assert trigger.cut_due(batch_of(0)) is None
    assert trigger.cut_due(batch_of(0, 0)) == "wait"


def test_by_weight_a_batch_may_be_cut_before_it_is_full() -> None:
    """B5: it has `max_weight`, or the next item is too much for it."""
    trigger = Trigger(1, 3, max_weight=10)
    assert trigger.cut(batch_of(4, 5.5)) is None
    assert trigger.cut(batch_of(4, 6)) == "weight"
    assert trigger.cut(batch_of(99)) == "weight"
    assert trigger.cut(batch_of(4, 3, 3)) == "full"
    assert trigger.fits(6, batch_of(4))
    assert not trigger.fits(6.5, batch_of(4))


def test_the_window_bounds_what_is_open() -> None:
    """B5, B6: one batch alone, and all together."""
    trigger = Trigger(1, None, max_weight=10)
    assert trigger.cut_oldest(batch_of(*[0] * 1000), 1000) is None
    trigger.window = 3
    assert trigger.cut_oldest(batch_of(0, 0), 3) is None
    assert trigger.cut_oldest(batch_of(0, 0), 4) == "window"
    assert trigger.cut_oldest(batch_of(0, 0, 0), 3) == "window"
    assert trigger.cut(batch_of(0, 0, 0)) is None


class Changing:
    """A key that is what it holds, and may be changed."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changing) and self.value == other.value


def test_open_batches_are_found_by_their_keys_and_by_their_age() -> None:
    """B6: keys with equal hashes are told apart; what is cut is forgotten."""
    batches = OpenBatches()
    made = [OpenBatch(key, hash(key)) for key in (1, 1 + sys.hash_info.modulus, "a")]
    for batch in made:
        batches.add(batch, "item", 0, 0)
    assert made[0].key_hash == made[1].key_hash
    assert [batches.find(batch.key, batch.key_hash) for batch in made] == made
    assert batches.find(2, hash(2)) is None
    assert (batches.oldest, batches.size) == (made[0], 3)
    batches.remove(made[0])
    assert (batches.oldest, batches.size) == (made[1], 2)
    assert batches.find(1, hash(1)) is None
    assert batches.find(made[1].key, made[1].key_hash) is made[1]
    batches.remove(made[2])
    batches.remove(made[1])
    assert (batches.oldest, batches.size, batches._by_hash) == (None, 0, {})


@pytest.mark.parametrize("first", [0, 1])
def test_a_key_that_changes_is_another_key(first: int) -> None:
    """B6: it stands for two batches then, of which each can be cut."""
    batches, key = OpenBatches(), Changing(1)
    made = [OpenBatch(key, hash(key))]
    batches.add(made[0], "item", 0, 0)
    key.value = 2
    assert batches.find(key, hash(key)) is None
    made.append(OpenBatch(key, hash(key)))
    batches.add(made[1], "item", 0, 0)
    batches.remove(made[first])
    assert batches.oldest is made[1 - first]
    batches.remove(made[1 - first])
    assert (batches.oldest, batches.size, batches._by_hash) == (None, 0, {})
