"""What can go wrong with a worker, beside what its calls raise?"""

from __future__ import annotations

from concurrent.futures import BrokenExecutor

__all__ = ["RemoteError", "WorkerLostError", "is_lost"]


class WorkerLostError(BrokenExecutor):
    """A worker has died, or could not start: what it was calling has failed.

    It is a failure like any other: `retry_attempts` calls again, in another worker.
    """


def is_lost(error: BaseException) -> bool:
    """Tell whether a worker was lost, and not a call; Dask says so in words of its own."""
    kind = type(error)
    of_dask = kind.__name__ == "KilledWorker" and kind.__module__.startswith("distributed.")
    return of_dask or issubclass(kind, BrokenExecutor)


class RemoteError(RuntimeError):
    """A call failed in its worker with an exception that can't be sent back; the text names it."""
