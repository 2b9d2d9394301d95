"""Which batches are open? One for each key, found by the key, and in the order of their age."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from ..._inputs import Inputs

__all__ = ["OpenBatch", "OpenBatches"]


class OpenBatch:
    """Items that are to be a batch; it has no more of them once it was cut, or let go."""

    __slots__ = ("inputs", "is_due", "items", "key", "key_hash", "opened", "weight")

    def __init__(self, key: Any = None, key_hash: int = 0) -> None:
        self.items: list[Any] = []
        self.inputs: list[Inputs] = []  # that each of them comes from
        self.weight: float = 0
        self.key = key
        self.key_hash = key_hash
        self.opened = 0.0  # when its first item came, and whether it is due: see `clock.py`
        self.is_due = False

    def let_go(self) -> int:
        """Let go of the items, and return how many there were."""
        size = len(self.items)
        self.items, self.inputs, self.weight = [], [], 0
        return size


class OpenBatches:
    """The open batches of one stage: at most one for each key; none is empty.

    A key is asked for its hash once, when it comes: it may be an object that changes later. Then
    it is another key, and a batch of what it was before stays open until it is cut.
    """

    __slots__ = ("_by_age", "_by_hash", "size")

    def __init__(self) -> None:
        # (The first of a plain dict that lost its first ones is found by looking at all of these.)
        self._by_age: OrderedDict[OpenBatch, None] = OrderedDict()
        self._by_hash: dict[int, list[OpenBatch]] = {}
        self.size = 0  # items in all of them

    def __iter__(self) -> Iterator[OpenBatch]:
        return iter(self._by_age)

    @property
    def oldest(self) -> OpenBatch | None:
        """The batch whose first item came before those of all others."""
        return next(iter(self._by_age), None)

    def find(self, key: Any, key_hash: int) -> OpenBatch | None:
        """Give the open batch of this key; keys of users are compared, and may raise."""
        for batch in self._by_hash.get(key_hash, ()):
            if batch.key is key or batch.key == key:
                return batch
        return None

    def add(self, batch: OpenBatch, item: Any, inputs: Inputs, weight: float) -> None:
        """Put an item in `batch`, which is open from its first one on."""
        if not batch.items:
            self._by_age[batch] = None
            self._by_hash.setdefault(batch.key_hash, []).append(batch)
        batch.items.append(item)
        batch.inputs.append(inputs)
        batch.weight += weight
        self.size += 1

    def remove(self, batch: OpenBatch) -> None:
        """Take out a batch that is cut, or let go, and forget its key."""
        del self._by_age[batch]
        same_hash = self._by_hash[batch.key_hash]
        same_hash.remove(batch)
        if not same_hash:
            del self._by_hash[batch.key_hash]
        self.size -= len(batch.items)
