"""What happens within an actor? It calls a function, and sends back what the call has come to."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from .._errors.blame import add_cause
from .._workers.parcels import RemoteTraceback, describe

__all__ = ["Failed", "RayRunner"]


class RayRunner:
    """An actor of Ray: it makes one call after the other, in the main thread of its process."""

    def run(self, function: Callable[..., Any], names: tuple[str, ...], *values: Any) -> Any:
        """Return the result of the call; a `Failed` if it has raised.

        The last of `values` are keyword arguments, of these names.
        """
        split = len(values) - len(names)
        try:
            return function(*values[:split], **dict(zip(names, values[split:], strict=True)))
        except BaseException as error:  # all of them, as in the processes of concurrent.futures
            return Failed(error)


class Failed:
    """The exception that a call has raised, on its way from an actor.

    It is pickled here, so that one that can't travel is found where it can still be described.
    """

    def __init__(self, error: BaseException) -> None:
        self._traceback = "".join(traceback.format_exception(error))
        pickle = _pickle()
        try:
            self._pickled: bytes = pickle.dumps(error)
            pickle.loads(self._pickled)
        except Exception as reason:
            self._pickled = pickle.dumps(_unpicklable(error, reason))

    def error(self) -> BaseException:
        """Return the exception. Its cause has the traceback of the actor, as text."""
        try:
            error = cast("BaseException", _pickle().loads(self._pickled))
        except Exception as reason:  # it can in the actor, but not here
            error = RuntimeError(f"a call has raised what can't be unpickled: {reason!r}")
        add_cause(error, RemoteTraceback(self._traceback))
        return error


def _pickle() -> Any:
    return import_module("ray.cloudpickle")


def _unpicklable(error: BaseException, reason: Exception) -> RuntimeError:
    return RuntimeError(f"a call has raised what can't be pickled ({reason!r}): {describe(error)}")
