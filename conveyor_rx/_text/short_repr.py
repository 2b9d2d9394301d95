"""How does the repr of a value begin? Found without making the rest of it."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

__all__ = ["start_of_repr"]

LONG = 4096  # bits of a number that is written out for its beginning

Writer: TypeAlias = Callable[[Any, int], Iterator[str]]


def start_of_repr(value: object, room: int) -> str:
    """Give the first `room` characters of the repr of `value`.

    Of containers, texts and dataclasses no more is looked at than is shown. It raises what a repr
    raises, and takes the time that the repr of a class of the user's takes.

    >>> start_of_repr([[1, 2], {"a": None}, 3], 20)
    "[[1, 2], {'a': None}"
    """
    text = ""
    for piece in _pieces(value, room):
        # By the plain method: a repr may give a text of a class of its own.
        text += str.__getitem__(piece, slice(room - len(text)))
        if len(text) >= room:
            break
    return text


def _pieces(value: Any, room: int) -> Iterator[str]:
    """Give the repr of `value` bit by bit; who has enough asks for no more.

    A container that holds itself is no danger: each level gives at least one character.
    """
    written_by = type(value).__repr__
    if written_by in _WRITERS:  # also of a subclass, unless that has a repr of its own
        yield from _WRITERS[written_by](value, room)
    elif _is_of_dataclass(written_by):
        yield f"{type(value).__qualname__}("
        shown = [field.name for field in dataclasses.fields(value) if field.repr]
        for index, name in enumerate(shown):
            yield f", {name}=" if index else f"{name}="
            yield from _pieces(getattr(value, name), room)
        yield ")"
    else:
        yield repr(value)


def _items(kind: Any, begin: str, end: str, end_of_one: str, empty: str) -> Writer:
    def write(value: Any, room: int) -> Iterator[str]:
        count = 0
        for count, item in enumerate(kind.__iter__(value), 1):
            yield ", " if count > 1 else begin
            yield from _pieces(item, room)
        yield (empty, end_of_one)[count] if count < 2 else end

    return write


def _dict(value: Any, room: int) -> Iterator[str]:
    yield "{"
    for index, (key, item) in enumerate(_DICT.items(value)):
        if index:
            yield ", "
        yield from _pieces(key, room)
        yield ": "
        yield from _pieces(item, room)
    yield "}"


def _beginning_of(kind: Any) -> Writer:
    def write(value: Any, room: int) -> Iterator[str]:
        yield repr(kind(kind.__getitem__(value, slice(room + 1))))

    return write


def _int(value: int, _: int) -> Iterator[str]:
    bits = int.bit_length(value)
    # Writing a number takes time that grows with the square of its length.
    yield int.__repr__(value) if bits <= LONG else f"<int of {bits:,} bits>"


def _is_of_dataclass(written_by: Any) -> bool:
    inner = getattr(written_by, "__wrapped__", None)
    return "__create_fn__" in getattr(inner, "__qualname__", "")


_DICT: Any = dict
_CONTAINERS: list[Any] = [  # a type, how its repr begins and ends, also with one item or none
    (list, "[", "]", "]", "[]"),
    (tuple, "(", ")", ",)", "()"),
    (set, "{", "}", "}", "set()"),
    (frozenset, "frozenset({", "})", "})", "frozenset()"),
    (deque, "deque([", "])", "])", "deque([])"),
]
_SEQUENCES: list[Any] = [str, bytes, bytearray]
_WRITERS: dict[Any, Writer] = {
    **{kind.__repr__: _items(kind, *words) for kind, *words in _CONTAINERS},
    **{kind.__repr__: _beginning_of(kind) for kind in _SEQUENCES},
    _DICT.__repr__: _dict,
    int.__repr__: _int,
}
