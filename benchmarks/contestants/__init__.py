"""Who takes part? Each module here shows how the user of one library writes a chain of steps.

It has two functions, which raise `CannotDo` with the reason where a job can't be written:

    collect(source, steps, *, ordered, window)    a coroutine: all results as a list
    iterate(source, steps, *, ordered, window)    an async iterator: the results one by one

and, who can have calls made by threads or processes, a third one:

    crew(step, *, ordered)    a context manager: its workers are there, and what it gives takes the
                              inputs and returns an iterator of the results, async or not

Who makes a pipeline once, to call it on one source after the other, says so as well:

    pipeline(steps, *, ordered, window)       what takes a source and returns a stream, which is
                                              read one by one or has a coroutine `collect`

`window` is how many items may be in flight, None the library's own habit; most have no such
setting. Where a library has no other way, its `iterate` and `collect` are one. A library that has a
clock of its own has `use_the_clock_of_the_loop()` as well, for virtual time.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Coroutine
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

__all__ = ["CONTESTANTS", "OLDER", "OURS", "PYTHON_3_11", "UVLOOP", "Contestant"]

T = TypeVar("T")
PYTHON_3_11 = "BENCHMARKS_PYTHON_3_11"  # environment variable: a Python that has reactivex


class Contestant(NamedTuple):
    """One column of the tables."""

    shown: str
    adapter: str  # the module in this folder
    module: str  # what its user imports
    distribution: str | None  # what its user installs; None: the standard library
    needs: tuple[int, int] = (3, 11)
    own_loop: bool = False  # runs in a loop of its own, in a thread: not on a virtual clock
    everywhere: bool = True  # takes part in every job that doesn't say who does
    loop: str | None = None  # the module of its event loop; None: asyncio's own
    python: str | None = None  # the environment variable that names its Python; None: this one

    def load(self) -> ModuleType:
        """Import the adapter, and the library with it."""
        return importlib.import_module(f"{__name__}.{self.adapter}")

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on an event loop of its kind."""
        factory = importlib.import_module(self.loop).new_event_loop if self.loop else None
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(main)

    @property
    def is_variant(self) -> bool:
        """Whether it is us again, on another loop or Python: no column where that is missing."""
        return self.loop is not None or self.python is not None

    @property
    def executable(self) -> str:
        """The Python in which it is measured."""
        return os.environ[self.python] if self.python else sys.executable

    @property
    def missing(self) -> str | None:
        """Why it can't take part here; None if it can."""
        if self.python and not os.environ.get(self.python):
            return f"{self.python} names no Python"
        if sys.version_info < self.needs:
            return "needs Python {}.{}".format(*self.needs)
        if importlib.util.find_spec(self.module.partition(".")[0]) is None:
            return "not installed"
        return None

    @property
    def version(self) -> str | None:
        """The installed version; None if there is none."""
        try:
            return importlib.metadata.version(self.distribution) if self.distribution else None
        except importlib.metadata.PackageNotFoundError:
            return None


OURS = "conveyor_rx"
UVLOOP, OLDER = f"{OURS}, uvloop", f"{OURS}, 3.11"
CONTESTANTS = {
    contestant.shown: contestant
    for contestant in (
        Contestant(OURS, "ours", "conveyor_rx", "conveyor-rx"),
        Contestant(UVLOOP, "ours", "uvloop", "uvloop", everywhere=False, loop="uvloop"),
        Contestant(OLDER, "ours", "conveyor_rx", None, everywhere=False, python=PYTHON_3_11),
        Contestant("conveyor-streaming", "of_conveyor", "conveyor", "conveyor-streaming"),
        Contestant("streamable", "of_streamable", "streamable", "streamable"),
        Contestant("aiostream", "of_aiostream", "aiostream", "aiostream"),
        Contestant("python-pyper", "of_pyper", "pyper", "python-pyper"),
        Contestant("pipestage", "of_pipestage", "pipestage", "pipestage"),
        Contestant("flowlet", "of_flowlet", "flowlet", "flowlet", needs=(3, 13)),
        Contestant("spdl", "of_spdl", "spdl.pipeline", "spdl", own_loop=True),
        Contestant("reactivex, naive", "of_reactivex", "reactivex", "reactivex"),
        Contestant("by hand: tasks", "task_per_call", "asyncio", None),
        Contestant("by hand: eager", "eager_tasks", "asyncio", None, needs=(3, 12)),
        Contestant("by hand: loops", "worker_loops", "asyncio", None),
        Contestant("aiolimiter", "of_aiolimiter", "aiolimiter", "aiolimiter", everywhere=False),
        Contestant("by hand: worker", "batch_worker", "asyncio", None, everywhere=False),
        Contestant("by hand: clock", "batch_clock", "asyncio", None, everywhere=False),
        Contestant("by hand: partitions", "partitions", "asyncio", None, everywhere=False),
        Contestant("by hand: in the slot", "in_the_slot", "asyncio", None, everywhere=False),
        Contestant("by hand: pool", "worker_pool", "multiprocessing", None, everywhere=False),
        Contestant("by hand: a loop", "plain_loop", "asyncio", None, everywhere=False),
        Contestant("by hand: Dask", "dask_futures", "distributed", "distributed", everywhere=False),
        Contestant("by hand: Ray", "ray_tasks", "ray", "ray", everywhere=False),
    )
}
