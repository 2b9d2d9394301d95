"""What does a marble string say?

The docstring of the package describes the notation.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

__all__ = [
    "DIGITS",
    "Diagram",
    "Marble",
    "MarbleError",
    "draw",
    "parse",
    "read_names",
    "read_value",
]

DIGITS = 9  # instants are compared in nanoseconds, as the virtual clock counts them
TOKEN = re.compile(r"(?P<ticks>-+)|\((?P<group>[^(){}]*)\)|\{(?P<brace>[^(){}]*)\}|(?P<name>[|#])")
ITEM = re.compile(r"[^-,(){}#|]+")
Kind = Literal["item", "error", "end"]


class MarbleError(Exception):
    """What a `#` raises if nothing else is given."""


class Marble(NamedTuple):
    """What happens at one instant, in seconds from the start."""

    at: float
    kind: Kind
    value: Any = None  # the item, or the error


class Diagram(NamedTuple):
    """A marble string, read."""

    marbles: list[Marble]
    span: float  # seconds: the length of the whole string
    is_open: bool  # neither end nor error


def read_names(text: str) -> tuple[list[tuple[int, str]], int]:
    """Return the tick and the text of each marble, and the number of ticks.

    Raises:
        ValueError: the text is no marble string; the message shows where.
    """
    text = text.replace(" ", "")
    found: list[tuple[int, str]] = []
    tick = position = 0
    while position < len(text):
        match = TOKEN.match(text, position) or ITEM.match(text, position)
        if match is None:
            raise ValueError(f"no marble string: {text!r} at {text[position:]!r}")
        kind = match.lastgroup
        if kind in ("group", "brace"):
            content = match[kind]
            names = content.split(",") if kind == "brace" or "," in content else list(content)
            found += [(tick, name) for name in names if name]
        elif kind != "ticks":
            found.append((tick, match[0]))
        tick += 1 if kind == "brace" else len(match[0])
        position = match.end()
    return found, tick


def parse(
    text: str,
    *,
    tick: float = 1.0,
    values: Mapping[Any, Any] | None = None,
    error: BaseException | None = None,
) -> Diagram:
    """Return what `text` says; `tick` is in seconds, `error` what its `#` stands for.

    Raises:
        ValueError: the text is no marble string, or goes on after its end.
    """
    names, length = read_names(text)
    marbles: list[Marble] = []
    for index, name in names:
        if marbles and marbles[-1].kind != "item":
            raise ValueError(f"{text!r} goes on after its end")
        at = round(index * tick, DIGITS)
        if name == "|":
            marbles.append(Marble(at, "end"))
        elif name == "#":
            marbles.append(Marble(at, "error", MarbleError("error") if error is None else error))
        else:
            marbles.append(Marble(at, "item", read_value(name, values)))
    is_open = not marbles or marbles[-1].kind == "item"
    return Diagram(marbles, round(length * tick, DIGITS), is_open)


def read_value(name: str, values: Mapping[Any, Any] | None) -> Any:
    """Return the item that `name` stands for."""
    values = values or {}
    if name in values:
        return values[name]
    value: int | float | str = name
    for number in (int, float):
        try:
            value = number(name)
            break
        except ValueError:
            pass
    return values.get(value, value)


def draw(
    marbles: Sequence[Marble], *, tick: float = 1.0, values: Mapping[Any, Any] | None = None
) -> str:
    """Return the string that `parse` reads as `marbles`.

    Raises:
        ValueError: a marble stands between two ticks, or the notation has no name for an item.
    """
    by_tick = [
        (index, [_name(marble, values) for marble in group])
        for index, group in itertools.groupby(marbles, lambda marble: _tick_of(marble, tick))
    ]
    text = ""
    at = 0
    for (index, names), following in itertools.zip_longest(by_tick, by_tick[1:]):
        text += "-" * (index - at)
        room = following[0] - index if following else None
        token = _token(names, room, before_item=bool(following) and _is_lone_item(following[1]))
        text += token
        at = index + (1 if token.startswith("{") else len(token))
    return text


def _token(names: list[str], room: int | None, *, before_item: bool) -> str:
    """Return the marbles of one tick, in braces where `room` ticks are too few for the text."""
    if len(names) == 1:
        token = names[0]
        needed = len(token) + (before_item and _is_lone_item(names))
    else:
        token = f"({','.join(names)})"
        needed = len(token)
    return token if room is None or needed <= room else f"{{{','.join(names)}}}"


def _is_lone_item(names: list[str]) -> bool:
    return len(names) == 1 and names[0] not in "|#"


def _tick_of(marble: Marble, tick: float) -> int:
    index = round(marble.at / tick)
    if round(index * tick, DIGITS) != round(marble.at, DIGITS):
        raise ValueError(f"{marble.at} s stands between two ticks of {tick} s")
    return index


def _name(marble: Marble, values: Mapping[Any, Any] | None) -> str:
    if marble.kind != "item":
        return "|" if marble.kind == "end" else "#"
    for name, value in (values or {}).items():
        if type(value) is type(marble.value) and value == marble.value:
            return str(name)
    name = str(marble.value)
    read = read_value(name, values) if ITEM.fullmatch(name) and " " not in name else None
    if type(read) is not type(marble.value) or read != marble.value:
        raise ValueError(f"the notation can't name {marble.value!r}: name it in values={{…}}")
    return name
