"""What do workers call in the tests? Functions that they find by their names."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import connection
from pathlib import Path
from typing import Any

from conveyor_rx import current_context, get_current_context, single_task
from tests.kit import Boom


def double(number: int) -> int:
    return number * 2


def where(item: Any) -> tuple[int, str]:
    """Say which process and thread it is."""
    return os.getpid(), threading.current_thread().name


def all_doubled(numbers: list[int]) -> list[int]:
    return [number * 2 for number in numbers]


def up_to(number: int) -> Iterator[int]:
    yield from range(number)


def plus(number: int, more: int, *, times: int = 1) -> int:
    return number * times + more


def with_large_input(number: int, data: bytes) -> int:
    return number


def nothing_of_odd_ones(number: int) -> int | None:
    return None if number % 2 else number


@single_task(executor="processes")
def decorated(number: int) -> int:
    return number + 100


class Adder:
    def __init__(self, more: int) -> None:
        self.more = more

    @single_task(executor="processes")
    def add(self, number: int) -> int:
        return number + self.more


# -- that fail


class BadInit(Exception):
    """An exception that pickle can't make again."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(one + other)


class Frozen(Exception):
    """An exception that takes no attributes: no notes, no cause."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)


class Unsendable:
    def __reduce__(self) -> Any:
        raise Boom("it can't travel")


class Unreadable:
    def __reduce__(self) -> Any:
        return int, ("no number",)


def obey(order: Any) -> Any:
    """Do what the item says."""
    match order:
        case "fail":
            raise Boom("failed")
        case "frozen":
            raise Frozen("frozen")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(1000)
        case "bad error":
            raise BadInit(1, 2)
        case "unsendable":
            return Unsendable()
        case "unreadable":
            return Unreadable()
        case "await":
            return _coroutine()
        case "stop":
            raise StopIteration("stop")
        case "kill in the result":
            connection.Connection._send = _send_a_part_and_die  # type: ignore[attr-defined]
            return b"x" * 1_000_000
        case float():
            time.sleep(order)
            return order
    return order


def obey_all(orders: list[Any]) -> list[Any]:
    return [obey(order) for order in orders]


def touch_slowly(path: str) -> str:
    Path(path).touch()
    time.sleep(0.05)
    return path


async def _coroutine() -> int:
    return 1


def _send_a_part_and_die(self: Any, data: bytes, write: Any = None) -> None:
    """Take the place of what writes into a pipe: the process dies in the middle of that."""
    part = memoryview(data)[: len(data) // 2]
    while part:
        part = part[os.write(self.fileno(), part) :]
    os.kill(os.getpid(), signal.SIGKILL)


def fail_first(path: str) -> str:
    """Die at the first call for a file, that is in a way that no Python sees."""
    mark = Path(path)
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return mark.name


def exit_with_one(item: Any) -> None:
    sys.exit(1)


# -- with a setup


def load() -> dict[str, Any]:
    """Give the state of a worker: which one it is, and how many calls it had."""
    return {"pid": os.getpid(), "thread": threading.get_ident(), "calls": 0}


def count(item: Any, state: dict[str, Any]) -> tuple[int, int, int]:
    state["calls"] += 1
    return state["pid"], state["thread"], state["calls"]


def add_state(number: int, state: int, more: int = 0) -> int:
    return number + state + more


def forty() -> int:
    return 40


def broken_setup() -> int:
    raise Boom("no model")


def deadly_setup(folder: str, deaths: int) -> int:
    """End the first processes that call it; `folder` has a file for each of them."""
    begun = len(os.listdir(folder))
    Path(folder, str(os.getpid())).touch()
    if begun < deaths:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the signal may take a moment
    return 100


# -- that ask where they are


def data_of_run(item: Any) -> Any:
    return current_context().data["word"]


def has_context(item: Any) -> bool:
    return get_current_context() is not None


def is_child(item: Any) -> bool:
    from multiprocessing import parent_process

    return parent_process() is not None


def inverse(number: int) -> float:
    return 1 / number
