"""What does a worker do with what it is sent? It calls the function, item by item."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic, monotonic_ns
from typing import Any, NamedTuple, Protocol

from .orders import Setup, Work
from .parcels import describe, pack, pack_error, unpack

__all__ = [
    "FIRST_SKIP",
    "SKIPS",
    "Numbers",
    "Reply",
    "States",
    "begin",
    "greet",
    "name_of_process",
    "perform",
]

KNOWN = 8  # functions that a worker remembers
FIRST_SKIP = 3
SKIPS = 4  # more than the batches that a process may have at once


class Numbers(Protocol):
    """Numbers that a process of ours shares with its parent.

    The first two say what it is at: the number of the batch, and of the item in it; if it dies, it
    is that item's fault. The third is the time, in nanoseconds, when the call itself began, or 0.
    The others are numbers of batches that it is to skip, each at a place that its number says.
    """

    def __getitem__(self, index: int) -> int: ...
    def __setitem__(self, index: int, value: int) -> None: ...


Result = tuple[bytes, str] | bytes
"""What a call gave, or its exception and the text of its traceback."""


class Reply(NamedTuple):
    """What a worker says of a batch."""

    worker: str
    seconds: float
    """From when it began with the batch."""
    results: list[Result]


class States:
    """What the setups of a worker have given."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}

    def of(self, setup: Setup | None) -> Any:
        """Give what `setup` gave; it is called if it has not gone well in this worker before."""
        if setup is None:
            return None
        if setup.name not in self._states:
            self._states[setup.name] = setup.function()
        return self._states[setup.name]


_states = States()
_known: OrderedDict[bytes, Work] = OrderedDict()
_shared: Numbers | None = None


def begin(shared: Numbers) -> None:
    """Begin the work of a process of ours: it ends with its parent, and leaves Ctrl-C to it."""
    from multiprocessing import parent_process

    global _shared
    _shared = shared
    # No SIG_IGN: what the process starts in its turn would inherit that.
    signal.signal(signal.SIGINT, _pass)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def greet() -> None:
    """Say that the worker is there."""


def name_of_process(number: int | None) -> str:
    """Name a worker that is a process."""
    return f"process {number}"


def _name_of_this() -> str:
    """Name this worker: a process, or one of several interpreters in a process."""
    interpreters: Any = sys.modules.get("concurrent.interpreters")  # without it there is only one
    if interpreters is not None:
        number = interpreters.get_current().id
        if number != interpreters.get_main().id:
            return f"interpreter {number}"
    return name_of_process(os.getpid())


def perform(number: int, name: bytes, data: bytes | None, parcels: Sequence[bytes]) -> Reply | None:
    """Make the calls of a batch; None if it must be sent again with `data`, the function's."""
    start = monotonic()
    results: list[Result] = []
    try:
        _note(number, 0)
        work = _work(name, data)
    except Exception as error:
        missing = TypeError(
            f"the worker can't find the function of the task: {describe(error)}. It has to stand "
            "at the top of its module, in a script above `if __name__ == '__main__':`"
        )
        missing.__cause__ = error
        results = [pack_error(missing)] * len(parcels)
    else:
        if work is None:
            return None
        for index, parcel in enumerate(parcels):
            if _shared is not None and _shared[FIRST_SKIP + number % SKIPS] == number:
                break
            _note(number, index)
            results.append(_result(work, parcel))
    return Reply(_name_of_this(), monotonic() - start, results)


def _note(number: int, index: int) -> None:
    """Take note that from here on it is this item's fault if the process dies."""
    if _shared is not None:
        _shared[1], _shared[2] = index, 0
        _shared[0] = number


def _work(name: bytes, data: bytes | None) -> Work | None:
    work = _known.get(name)
    if work is None:
        if data is None:
            return None
        work = _known[name] = pickle.loads(data)
        if len(_known) > KNOWN:
            _known.popitem(last=False)
    return work


def _result(work: Work, parcel: bytes) -> Result:
    try:
        item = unpack(parcel, "the item")
        state = _states.of(work.setup)
        if _shared is not None:
            _shared[2] = monotonic_ns()
        return pack(work.result(item, state), "the result")
    except BaseException as error:
        return pack_error(error)


def _pass(number: int, frame: object) -> None:
    """Do nothing."""


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
