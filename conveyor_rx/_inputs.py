"""Which of the source's items does a value come from, and how do messages say so?

They are numbered from 0, as in events and diagrams. A value comes from one of them, from several
(behind a batch), or from none that is known: what a timer emits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

__all__ = ["Inputs", "iter_each", "name_inputs", "named", "numbers_of"]

Inputs: TypeAlias = "int | Sequence[Inputs] | None"
"""The number of an item; for a batch, those of each of its items; None for an unknown one."""

_NAMED = 4  # numbers with gaps that are named one by one, at most


def iter_each(inputs: Inputs, size: int, outputs: list[Any]) -> Iterator[Inputs] | None:
    """Give the one of `size` items that each output comes from; None if they all come from all."""
    if isinstance(inputs, list) and len(inputs) == size == list[Any].__len__(outputs):
        return iter(inputs)
    return None


def named(inputs: Inputs) -> str:
    """Name what a value comes from; of nothing that is known, ""."""
    return name_inputs(numbers_of(inputs))


def name_inputs(numbers: Iterable[int]) -> str:
    """Name items of the source: input 7, inputs 6 to 8, inputs 6, 8 and 9; of none, ""."""
    found = sorted(set(numbers))
    if not found:
        return ""
    first, last = found[0], found[-1]
    if len(found) == 1:
        return f"input {first}"
    if last - first == len(found) - 1 > 1:
        return f"inputs {first} to {last}"
    if len(found) <= _NAMED:
        return f"inputs {', '.join(map(str, found[:-1]))} and {last}"
    return f"{len(found)} inputs from {first} to {last}"


def numbers_of(inputs: Inputs) -> tuple[int, ...]:
    """Give the numbers of the source's items, in their order, each once."""
    numbers: set[int] = set()
    seen: set[int] = set()  # the outputs of a batch share its inputs
    pending: list[Inputs] = [inputs]
    while pending:
        some = pending.pop()
        if isinstance(some, int):
            numbers.add(some)
        elif some is not None and id(some) not in seen:
            seen.add(id(some))
            pending.extend(some)
    return tuple(sorted(numbers))
