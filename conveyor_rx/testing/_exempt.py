"""What of the user's own may be left behind?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from types import AsyncGeneratorType
from typing import Any, TypeVar, cast
from weakref import WeakSet

__all__ = ["exempt", "exempted_threads", "without_exempted"]

Thing = asyncio.Task[Any] | AsyncGeneratorType[Any, Any] | threading.Thread | Executor
T = TypeVar("T")

KINDS = (asyncio.Task, AsyncGeneratorType, threading.Thread, Executor)

_exempted: WeakSet[Any] = WeakSet()


def exempt(*things: Thing) -> None:
    """Let each of `things` outlive the checks of `assert_clean`, in this block and in later ones.

    For what is meant to live on: a task, an async generator, a thread, or an executor, of threads
    or of processes, whose threads are then its own affair.

        async with assert_clean():
            client = Client()  # with a task of its own, which goes on
            exempt(client.keep_alive)

    What it does wrong is told all the same: an exception never retrieved, a task destroyed.

    Raises:
        TypeError: one of `things` is of another kind.
    """
    for thing in cast("tuple[object, ...]", things):
        if not isinstance(thing, KINDS):
            raise TypeError(
                "exempt takes tasks, async generators, threads and executors, not "
                f"{type(thing).__name__}"
            )
        _exempted.add(thing)


def without_exempted(left: AbstractSet[T]) -> set[T]:
    """Return `left` without what is exempted."""
    return {each for each in left if each not in _exempted}


def exempted_threads() -> set[threading.Thread]:
    """Return the threads that are exempted, those of executors included."""
    threads: set[threading.Thread] = set()
    for thing in list(_exempted):
        if isinstance(thing, threading.Thread):
            threads.add(thing)
        elif isinstance(thing, Executor):
            # Private names of concurrent.futures; tests/testing/test_exempt.py guards them.
            threads |= getattr(thing, "_threads", None) or set()
            manager = getattr(thing, "_executor_manager_thread", None)
            feeder = getattr(getattr(thing, "_call_queue", None), "_thread", None)
            threads |= {each for each in (manager, feeder) if each is not None}
    return threads
