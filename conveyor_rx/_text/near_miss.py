"""Which name did a user mean, that wrote another?"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["near_miss"]

CLOSE = 0.76  # `exec_mode` and `execution_mode`; `date` and `data` are further apart
CLOSE_WORD = 0.6


def near_miss(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `name` was probably meant to be; None if it is none of them.

    Each of its words must be like one of that name's: a name may well share a word with another
    and mean something else.

    >>> near_miss("max_inflight", ["max_in_flight"]), near_miss("maxParallel", ["max_parallelism"])
    ('max_in_flight', 'max_parallelism')
    >>> near_miss("execution_date", ["execution_mode"])
    """
    words = _words(name)
    found = [(_likeness("".join(words), "".join(_words(other))), other) for other in names]
    likeness, best = max(found, default=(0.0, ""))
    if likeness < CLOSE:
        return None
    others = [*_words(best), "".join(_words(best))]
    is_like = all(max(_likeness(word, other) for other in others) > CLOSE_WORD for word in words)
    return best if is_like else None


def _words(name: str) -> list[str]:
    """Split `snake_case` and `camelCase`."""
    return [word.lower() for word in re.findall(r"[^\W_A-Z]+|[A-Z]+[^\W_A-Z]*", name)] or [name]


def _likeness(one: str, other: str) -> float:
    from difflib import SequenceMatcher  # only who mistypes pays for the import

    return SequenceMatcher(None, one, other, autojunk=False).ratio()
