"""How does a user of an executor have one? Of threads, or of processes that are spawned."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

from ..steps import CannotDo, Crew

__all__ = ["executor_of"]


def executor_of(crew: Crew | None) -> Executor:
    """Return the executor for libraries that send it items one by one."""
    assert crew is not None
    if crew.chunk > 1:
        raise CannotDo("sends items one by one")
    if crew.kind == "threads":
        return ThreadPoolExecutor(crew.number)
    return ProcessPoolExecutor(crew.number, mp_context=multiprocessing.get_context("spawn"))
