"""What does an exception say of where it arose? Notes of ours, a cause, no end of a stream."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["add_cause", "add_note", "blame_source", "blame_task", "not_an_end"]

_log = logging.getLogger("conveyor_rx")
_CAUSE: Any = BaseException.__dict__["__cause__"]


def blame_task(error: BaseException, name: str, *details: str) -> BaseException:
    """Return the exception that the consumer gets, with one note, that names the task."""
    parts = (f"in task {name!r}", *(detail for detail in details if detail))
    return _with_note(error, _Note(", ".join(parts)))


def blame_source(error: BaseException, given: int) -> BaseException:
    """Return the exception that the consumer gets if the source fails behind `given` items.

    A note that a run of ours has added already, within the source, says more and is kept.
    """
    return _with_note(error, _SourceNote(f"in the source, {_behind(given)}"))


def _behind(given: int) -> str:
    return f"after input {given - 1}" if given else "before input 0"


def add_note(error: BaseException, note: str) -> bool:
    """Add `note` to those of `error`, unless it refuses; tell whether it has it now."""
    try:
        error.add_note(note)
    except Exception:  # of a class of the user's own: frozen, with slots, or notes of another kind
        return False
    return True


class _Note(str):
    """A note of ours: replaced when the same exception object is raised again."""

    __slots__ = ()


class _SourceNote(_Note):
    __slots__ = ()


def _with_note(error: BaseException, note: _Note) -> BaseException:
    """Add a note in place of earlier ones of its class, unless the exception refuses notes."""
    error = not_an_end(error)
    try:
        notes: Any = getattr(error, "__notes__", None)
        if notes is None:
            notes = ()
        if issubclass(type(notes), (list, tuple)):
            kept = [other for other in notes if not issubclass(type(other), type(note))]
            # Not by its own `__setattr__`: that of a frozen dataclass takes no fields, and a note
            # is none.
            BaseException.__setattr__(error, "__notes__", [*kept, note])
    except Exception as refusal:
        _log.debug("%s takes no note: %s", type(error).__name__, type(refusal).__name__)
    return error


def add_cause(error: BaseException, cause: BaseException) -> None:
    """Say what `error` comes of, if it has no cause yet; its class can't refuse that."""
    if _CAUSE.__get__(error) is None:
        _CAUSE.__set__(error, cause)


def not_an_end(error: BaseException) -> BaseException:
    """Return `error`, or what takes its place where it would be mistaken for the end of a stream.

    As in PEP 479, StopIteration and StopAsyncIteration become the cause of a RuntimeError.
    """
    if not issubclass(type(error), (StopIteration, StopAsyncIteration)):
        return error
    replacement = RuntimeError(f"{type(error).__name__} was raised where it would end the stream")
    replacement.__cause__ = error
    return replacement
