"""What can go wrong with a worker, beside what its calls raise?"""

from __future__ import annotations

from concurrent.futures import BrokenExecutor

__all__ = ["RemoteError", "WorkerLostError"]


class WorkerLostError(BrokenExecutor):
    """A worker has died, or could not start: what it was calling has failed.

    It is a failure like any other: `retry_attempts` calls again, in another worker.
    """


class RemoteError(RuntimeError):
    """A call failed in its worker with an exception that can't be sent back; the text names it."""
