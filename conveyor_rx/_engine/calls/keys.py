"""Which items must wait for another one? Calls for equal keys follow each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..place import Place

__all__ = ["Keys"]


class Keys:
    """The keys of the items in one stage. One that is in no item takes up no memory.

    A key is busy from `take` until `free`; items that come meanwhile with an equal key wait behind
    it, in the order in which they came.
    """

    __slots__ = ("_behind", "_key_of", "_taken")

    def __init__(self, key_of: Callable[[Any], Any]) -> None:
        self._key_of = key_of
        self._behind: dict[_Key, deque[Place]] = {}  # of each busy key: the items that wait
        self._taken: dict[Place, _Key] = {}  # by the items for which they are busy

    def take(self, place: Place) -> bool:
        """Take the key of an item; if it is busy, let the item wait behind it, and return False.

        It raises what the function for the key raises, or the key itself, which may be unhashable.
        """
        key = _Key(self._key_of(place.value))
        behind = self._behind.get(key)
        if behind is not None:
            behind.append(place)
            return False
        self._behind[key] = deque()
        self._taken[place] = key
        return True

    def free(self, place: Place) -> Place | None:
        """Free the key of an item, if it has one, and return the item that has it next."""
        key = self._taken.pop(place, None)
        if key is None:
            return None
        behind = self._behind[key]
        if not behind:
            del self._behind[key]
            return None
        following = behind.popleft()
        self._taken[following] = key
        return following

    def purge(self) -> None:
        """Forget the items that wait and whose places are dead."""
        for key, behind in self._behind.items():
            if behind:
                self._behind[key] = deque(place for place in behind if not place.dead)


class _Key:
    """A key whose hash was taken once: it may change as the item does."""

    __slots__ = ("_hash", "_key")

    def __init__(self, key: Any) -> None:
        self._key = key
        self._hash = hash(key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, _Key) and bool(self._key == other._key))
