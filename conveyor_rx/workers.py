"""Where may the calls of a task be made? In threads, processes, interpreters, or any executor."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, cast, get_args, overload

from ._checks import check_count
from ._functions.calls import is_async
from ._functions.signatures import needs_arguments
from ._sending.functions import all_sent
from ._workers.errors import RemoteError, WorkerLostError

if TYPE_CHECKING:
    from ._workers.pool import Pool

__all__ = ["RemoteError", "WorkerKind", "WorkerLostError", "Workers"]

WorkerKind = Literal["threads", "processes", "interpreters"]
ONE = {"threads": "thread", "processes": "process", "interpreters": "interpreter"}
S = TypeVar("S")

AHEAD = 4  # times as many calls as run at once may be there: those that run, those that are sent


class Workers(Generic[S]):
    """Workers that make the calls of tasks: `@single_task(executor=Workers("processes", 4))`.

    They are started when they are needed. Those of a task live for a run; inside of `with
    Workers(...) as workers:` they live for all runs in the block, on any loop and in any thread,
    and for all tasks that have been given them.

    Args:
        kind: "threads"; "processes", which are spawned, so that a script needs `if __name__ ==
            "__main__":`; "interpreters" (Python 3.14 and newer); or an executor of
            `concurrent.futures`, or with its interface, that stays the caller's.
        n: how many there are. Default: None, the number of processors; in threads, 4 more. An
            executor has its own number.
        setup: a function without parameters that each worker calls once, before its first call: it
            loads a model, or opens a connection. What it returns is the second argument of the
            task's function. If it raises, the call has failed, and the next call tries again.
            Default: None.
        chunk: how many calls that wait go to a worker at once. For calls that take less than about
            a millisecond; a worker that dies takes those with it that it has begun. With `timeout`
            or `total_timeout` calls go one by one. Default: 1.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range, by name; interpreters
            on a Python that has none.

    >>> import asyncio
    >>> from conveyor_rx import single_task
    >>> @single_task(executor=Workers("threads", 2))
    ... def read(name: str) -> str:
    ...     return name.upper()
    >>> asyncio.run(read(["a", "b"]).collect())
    ['A', 'B']
    """

    @overload
    def __init__(
        self: Workers[None],
        kind: WorkerKind | Executor = "processes",
        n: int | None = None,
        *,
        setup: None = None,
        chunk: int = 1,
    ) -> None: ...
    @overload
    def __init__(
        self,
        kind: WorkerKind | Executor = "processes",
        n: int | None = None,
        *,
        setup: Callable[[], S],
        chunk: int = 1,
    ) -> None: ...
    def __init__(
        self,
        kind: WorkerKind | Executor = "processes",
        n: int | None = None,
        *,
        setup: Callable[[], Any] | None = None,
        chunk: int = 1,
    ) -> None:
        _check_kind(kind)
        check_count("n", n, optional=True)
        check_count("chunk", chunk)
        _check_setup(setup)
        if n is not None and not isinstance(kind, str):
            raise ValueError(f"n={n} has no effect: {type(kind).__name__} has workers of its own")
        self.kind = kind
        self.n = n
        self.chunk = chunk
        self.setup = setup
        self.name = os.urandom(16).hex()  # of the setup, in all workers that have done it
        self._lock = threading.Lock()
        self._pool: Pool | None = None

    def __repr__(self) -> str:
        kind = self.kind if isinstance(self.kind, str) else type(self.kind).__name__
        number = self._number
        return f"Workers({kind})" if number is None else f"Workers({kind}, {number})"

    def __enter__(self) -> Self:
        """Have the same workers make all calls within the block.

        Raises:
            RuntimeError: the workers are in a block already.
        """
        with self._lock:
            if self._pool is not None:
                raise RuntimeError(f"{self!r} are used in another block already")
            self._pool = self._make_pool()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers, and wait until they have ended."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shut_down()

    # -- for tasks

    @property
    def limit(self) -> int | None:
        """How many calls there should be at once; None: nothing is known of the executor."""
        return None if self._number is None else AHEAD * self._number * self.chunk

    @property
    def title(self) -> str:
        """What pictures call them: "2 processes", or the type of an executor."""
        if not isinstance(self.kind, str):
            return type(self.kind).__name__
        return f"1 {ONE[self.kind]}" if self._number == 1 else f"{self._number} {self.kind}"

    def at_once(self, limit: int | None) -> int | None:
        """How many calls they make at once, if there may be `limit`; None: that isn't known."""
        known = [number for number in (limit, self._number) if number is not None]
        return min(known, default=None)

    def pool(self) -> tuple[Pool, bool]:
        """Give the pool for a run, and whether the run is to shut it down."""
        pool = self._pool
        return (pool, False) if pool is not None else (self._make_pool(), True)

    @property
    def stays(self) -> str:
        """Say what they are if they can't leave this process; else ""."""
        return "" if isinstance(self.kind, str) else f"an executor, {type(self.kind).__name__}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings: each process has workers of its own, started when it needs them.

        Raises:
            TypeError: they are those of an executor; or `setup` has no name.
        """
        if self.stays:
            raise TypeError(
                f"{self!r} can't be pickled: it belongs to the process that has made it"
            )
        settings = {"kind": self.kind, "n": self.n, "setup": self.setup, "chunk": self.chunk}
        return workers_like, (all_sent(settings, repr(self)),)

    # -- private

    @property
    def _number(self) -> int | None:
        if not isinstance(self.kind, str):
            return None
        if self.n is not None:
            return self.n
        processors = os.cpu_count() or 1
        return processors + 4 if self.kind == "threads" else processors

    def _make_pool(self) -> Pool:
        from ._workers.pools import pool_of  # what only those pay for who use workers

        return pool_of(self.kind, self._number or 1)


def workers_like(settings: dict[str, Any]) -> Workers[Any]:
    """Make workers of these settings: as which they are pickled."""
    return Workers(**settings)


def workers_of(executor: object) -> Workers[Any]:
    """Return the workers that the option `executor` stands for.

    Raises:
        TypeError, ValueError: it is no executor, and no name of one.
    """
    if isinstance(executor, Workers):
        return cast("Workers[Any]", executor)
    _check_kind(executor, "executor")
    return Workers(cast("Any", executor))


def _check_kind(kind: object, name: str = "kind") -> None:
    names = get_args(WorkerKind)
    ours = "" if name == "kind" else " Workers(...)"
    allowed = f"{', '.join(map(repr, names))},{ours} or an executor of concurrent.futures"
    if isinstance(kind, str):
        if kind not in names:
            raise ValueError(f"{name} must be one of {allowed}; not {kind!r}")
        if kind == "interpreters" and not hasattr(concurrent.futures, "InterpreterPoolExecutor"):
            version = ".".join(map(str, sys.version_info[:2]))
            lack = f"this is {version}" if sys.version_info < (3, 14) else "this build has none"
            raise ValueError(f"{name}='interpreters' needs those of Python 3.14; {lack}")
    elif not isinstance(kind, Executor):
        hint = ""
        if hasattr(kind, "get_executor"):
            hint = "; of a Dask client that is client.get_executor(pure=False)"
        elif isinstance(kind, type) and issubclass(kind, (Executor, Workers)):
            hint = "; make an instance of it"
        raise TypeError(f"{name} must be one of {allowed}; not {kind!r}{hint}")


def _check_setup(setup: object) -> None:
    if setup is None:
        return
    if not callable(setup):
        raise TypeError(f"setup must be a function without parameters, not {setup!r}")
    if is_async(setup):
        raise TypeError(f"setup must be a plain function, not an async one: {setup!r}")
    if needs_arguments(setup):
        raise TypeError(f"setup must be a function that needs no arguments, not {setup!r}")
