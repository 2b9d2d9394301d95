"""What can go wrong with a worker, beside what its calls raise?"""

from __future__ import annotations

import copy
from concurrent.futures import BrokenExecutor

__all__ = ["RemoteError", "WorkerLostError", "own_copy"]


class WorkerLostError(BrokenExecutor):
    """A worker has died, or could not start: what it was calling has failed.

    It is a failure like any other: `retry_attempts` calls again, in another worker.
    """


class RemoteError(RuntimeError):
    """A call failed in its worker with an exception that can't be sent back; the text names it."""


def own_copy(error: BaseException) -> BaseException:
    """Return an exception that one call may raise, of one that several share."""
    if isinstance(error, WorkerLostError):
        lost = WorkerLostError(*error.args)
        lost.__cause__ = error.__cause__
        return lost
    if _is_lost(error):
        is_broken = isinstance(error, BrokenExecutor)
        lost = WorkerLostError(f"the executor is broken: {error}" if is_broken else str(error))
        lost.__cause__ = error
        return lost
    try:
        return copy.copy(error)
    except Exception:
        return error


def _is_lost(error: BaseException) -> bool:
    """Tell whether a worker was lost, and not a call; Dask says so in words of its own."""
    kind = type(error)
    of_dask = kind.__name__ == "KilledWorker" and kind.__module__.startswith("distributed.")
    return of_dask or issubclass(kind, BrokenExecutor)
