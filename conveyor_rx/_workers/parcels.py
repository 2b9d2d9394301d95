"""How do items, results and errors travel? As bytes, so that no executor has to understand them.

An executor that is given a value which can't be pickled, or unpickled, may break as a whole. Here
it is the failure of one call.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from importlib import import_module
from typing import Any

from .._errors.blame import add_cause
from .._errors.tracebacks import without_engine
from .errors import RemoteError

__all__ = ["RemoteTraceback", "describe", "pack", "pack_error", "unpack", "unpack_error"]

_PROTOCOL = pickle.HIGHEST_PROTOCOL


class RemoteTraceback(Exception):  # noqa: N818  # as concurrent.futures calls its own
    """The cause of an exception that was raised in a worker: its traceback there, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


def pack(value: Any, what: str, *, has_main: bool = True) -> bytes:
    """Pickle `value`; cloudpickle does what pickle can't, where the program uses it.

    `has_main` says that who unpickles it has the `__main__` of this process. Else what is of a
    class of that goes with its code, where cloudpickle is installed.

    Raises:
        TypeError: it can't be pickled; `what` says what it is.
    """
    try:
        data = pickle.dumps(value, _PROTOCOL)
        return data if has_main or b"__main__" not in data else _with_code(value, data)
    except Exception as error:
        by_value = sys.modules.get("cloudpickle")
        try:
            if by_value is None:
                raise
            return by_value.dumps(value, _PROTOCOL)
        except Exception:
            kind = type(value).__name__
            raise TypeError(
                f"{what}, of type {kind}, can't be pickled: {describe(error)}"
            ) from error


def _with_code(value: Any, data: bytes) -> bytes:
    """Pickle `value` with the code of its classes; without cloudpickle `data` has to do."""
    try:
        by_value: Any = import_module("cloudpickle")  # optional, and not typed
    except ImportError:
        return data
    return by_value.dumps(value, _PROTOCOL)


def unpack(data: bytes, what: str) -> Any:
    """Give the value that was packed.

    Raises:
        TypeError: it can't be made from what was pickled; `what` says what it is.
    """
    try:
        return pickle.loads(data)
    except Exception as error:
        raise TypeError(f"{what} can't be unpickled: {describe(error)}") from error


def pack_error(error: BaseException) -> tuple[bytes, str]:
    """Return an exception as bytes, and its traceback, from the user's code on, as text."""
    text = "".join(traceback.format_exception(without_engine(error)))
    try:
        data = pack(error, "an exception")
        if type(pickle.loads(data)) is not type(error):  # what it gives is not for the caller
            raise TypeError("it gives something else when it is unpickled")
    except Exception as reason:
        remote = RemoteError(f"{describe(error)} (the exception can't leave its worker: {reason})")
        data = pickle.dumps(remote, _PROTOCOL)
    return data, text


def unpack_error(data: bytes, text: str) -> BaseException:
    """Give an exception of a worker, with its traceback there as the cause."""
    try:
        error = pickle.loads(data)
        if not isinstance(error, BaseException):
            raise TypeError("it is no exception")
    except Exception as reason:
        error = RemoteError(f"a call failed in its worker (the exception can't be read: {reason})")
    add_cause(error, RemoteTraceback(text))
    return error


def describe(error: BaseException) -> str:
    """Give the type and the text of an exception, if it has one."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__
