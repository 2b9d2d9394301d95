"""How do calls run in actors of Ray? An executor hands each to an actor that is free."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from .._checks import check_count
from .._workers.errors import WorkerLostError
from ._ray_actors import Actors
from ._ray_runner import Failed, RayRunner

__all__ = ["RayExecutor"]

P = ParamSpec("P")
T = TypeVar("T")

OURS = {"max_concurrency": 1, "max_restarts": 0, "max_task_retries": 0}
"""Options of actors that the promises below hang on."""


class RayExecutor(Executor):
    """Make calls in actors of Ray: `RayExecutor(workers)` is a `concurrent.futures.Executor`.

    `workers` is the number of actors, by default as many as the cluster has processors for. Each is
    a process that makes one call at a time, in its main thread. `actor_options` are those of Ray's
    `options`: `{"num_gpus": 1}`; without `num_cpus` in them an actor takes one CPU. Ray is
    initialized if it isn't yet. Actors are started when they are first needed. Where the cluster
    has no room for all, calls run in those that it has.

    - Order: calls begin in the order of `submit`; each goes to an actor that is free.
    - Errors: `result()` raises what the function has raised. Its cause is the traceback in the
      actor, as text.
    - Cancellation: a future can be cancelled until an actor gets its call. One that runs can't.
    - Pressure: calls that wait are kept, however many there are.

    An actor that dies (killed, out of memory, `os._exit`) fails the call that it was given, and no
    other; another actor takes its place. No call is made twice.

    `shutdown` kills the actors once the last call has ended. A thread an actor waits for results.

    Futures raise, beside what the function does:

        WorkerLostError    the actor has died, or could not be started
        BrokenExecutor     Ray has been shut down
        TypeError          the function, an argument or the result can't be pickled
        RuntimeError       one of them can't be unpickled, or an exception can't be pickled

    Raises:
        ImportError: Ray is not installed.
        TypeError, ValueError: `workers` is no number of at least 1, or an option is not for actors.
    """

    def __init__(
        self, workers: int | None = None, *, actor_options: Mapping[str, Any] | None = None
    ) -> None:
        check_count("workers", workers, optional=True)
        options: dict[str, Any] = {"num_cpus": 1, **(actor_options or {})}
        if refused := sorted(OURS.keys() & options.keys()):
            raise ValueError(f"actor_options can't have {refused[0]!r}: RayExecutor sees to that")
        self._ray = ray = _import_ray()
        if not ray.is_initialized():
            ray.init()
        if workers is None:
            workers = _room(ray.cluster_resources(), options)
        runner = ray.remote(RayRunner).options(**options, **OURS)
        self.workers = workers
        self._actors = Actors(ray, runner.remote, workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="RayExecutor")
        self._lock = threading.Lock()
        self._open: set[Future[Any]] = set()  # those not done; no bound, as in every executor
        self._is_shut_down = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have an actor call the function, and return the future of its result.

        Raises:
            RuntimeError: the executor has been shut down.
        """
        future: Future[T] = Future()
        with self._lock:
            self._pool.submit(self._call, future, fn, args, kwargs)
            self._open.add(future)
        future.add_done_callback(self._done)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and kill the actors after the last one.

        With `wait` return only then. With `cancel_futures` cancel those that no actor has got yet.
        """
        with self._lock:
            self._is_shut_down = True
            futures = list(self._open)
        self._pool.shutdown(wait=False)
        if cancel_futures:
            for future in futures:
                future.cancel()
        self._end_if_over()
        self._pool.shutdown(wait=wait)

    def _call(
        self, future: Future[Any], function: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        """Make a call in an actor, from a thread of the pool."""
        try:
            actor = self._actors.take(lambda: not future.cancelled())
        except Exception as error:
            if future.set_running_or_notify_cancel():
                _fail(future, error)
            return
        if not future.set_running_or_notify_cancel() or actor is None:
            if actor is not None:
                self._actors.give_back(actor)
            return
        try:
            result = self._result(actor.handle, function, args, kwargs)
        except WorkerLostError as error:
            self._actors.drop(actor)
            _fail(future, error)
        except BaseException as error:
            self._actors.give_back(actor)
            _fail(future, error)
        else:
            self._actors.give_back(actor)
            if isinstance(result, Failed):
                future.set_exception(result.error())
            else:
                future.set_result(result)

    def _result(self, handle: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Return what an actor gives; tell by the exception if it has died."""
        errors = self._ray.exceptions
        name = getattr(function, "__qualname__", None) or type(function).__qualname__
        try:
            # By position: a keyword `self` would be taken for Ray's own.
            sent = handle.run.remote(function, tuple(kwargs), *args, *kwargs.values())
        except Exception as error:
            self._actors.check_session()
            reason = error.__cause__ or error  # Ray's own text is a page
            raise TypeError(f"{name} or an argument can't be sent by Ray: {reason}") from error
        try:
            return self._actors.get(sent)
        except errors.RayTaskError as error:  # not by the function, whose exception is a `Failed`
            reason = error.cause
            if isinstance(reason, errors.RaySystemError):
                raise RuntimeError(f"{name} or an argument can't be unpickled: {reason}") from error
            raise TypeError(f"the result of {name} can't be sent by Ray: {reason}") from error
        except errors.RaySystemError as error:
            self._actors.check_session()
            raise RuntimeError(f"the result of {name} can't be unpickled: {error}") from error
        except errors.RayError as error:
            self._actors.check_session()
            raise WorkerLostError(
                f"an actor of Ray has died in the middle of a call of {name}: {error}"
            ) from error

    def _done(self, future: Future[Any]) -> None:
        with self._lock:
            self._open.discard(future)
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._is_shut_down and not self._open:
            self._actors.end()


def _fail(future: Future[Any], error: BaseException) -> None:
    """Have `future` fail with an error of ours; what that comes of is its cause."""
    # Its frames hold the future, and so the two would hold each other.
    future.set_exception(error.with_traceback(None))


def _import_ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise ImportError(
            "RayExecutor needs Ray, the extra `ray`: pip install 'ray>=2.60,<3'"
        ) from error


def _room(resources: Mapping[str, float], options: Mapping[str, Any]) -> int:
    """Return for how many actors a cluster has processors, at least 1."""
    needs = {"CPU": options["num_cpus"], "GPU": options.get("num_gpus")}
    rooms = [int(resources.get(name, 0) // need) for name, need in needs.items() if need]
    return max(1, min(rooms, default=1))
