"""What do the tests have workers do? Functions that travel by name, and things that can't."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from conveyor_rx import batch_task, current_context, single_task


def double(number: int) -> int:
    return number * 2


def process_id() -> int:
    return os.getpid()


def is_in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def everything(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def fail(error: BaseException) -> None:
    raise error


def log(folder: Path, number: int) -> int:
    """Leave a file for each time that the call of this number begins."""
    path = folder / f"{number}-{time.monotonic_ns()}-{os.getpid()}"
    path.touch()
    return number


def log_and_work(folder: Path, number: int, seconds: float = 0.0) -> int:
    log(folder, number)
    time.sleep(seconds)
    return number * 2


def log_and_wait(folder: Path, number: int) -> int:
    """Wait until there is a file `go`."""
    log(folder, number)
    while not (folder / "go").exists():
        time.sleep(0.005)
    return number * 2


def die(folder: Path, number: int, way: str) -> None:
    log(folder, number)
    if way == "os._exit":
        os._exit(1)
    os.kill(os.getpid(), signal.SIGKILL)


def begun(folder: Path) -> list[int]:
    """Tell which calls have begun, each as often as it has."""
    return [int(path.name.partition("-")[0]) for path in folder.glob("*-*")]


def processes(folder: Path) -> set[int]:
    """Tell which processes have begun calls."""
    return {int(path.name.split("-")[2]) for path in folder.glob("*-*")}


class NoPickle:
    def __reduce__(self) -> Any:
        raise RuntimeError("it does not travel")


class NoUnpickle:
    """It can be pickled, and read nowhere."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


class OnlyIn:
    """It can be read in one process only."""

    def __init__(self, process: int) -> None:
        self.process = process

    def __reduce__(self) -> Any:
        return read_in, (self.process,)


def read_in(process: int) -> OnlyIn:
    if os.getpid() != process:
        raise RuntimeError("not to be read here")
    return OnlyIn(process)


def no_pickle() -> NoPickle:
    return NoPickle()


def no_unpickle() -> NoUnpickle:
    return NoUnpickle()


def only_here() -> OnlyIn:
    return OnlyIn(os.getpid())


class OddError(Exception):
    """It has a constructor that pickle does not know how to call."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("odd")


class LockedError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class FrozenError(Exception):
    """It takes no attributes, as a frozen dataclass."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class OnlyInError(Exception):
    def __reduce__(self) -> Any:
        return read_error_in, (os.getpid(),)


def read_error_in(process: int) -> OnlyInError:
    if os.getpid() != process:
        raise RuntimeError("not to be read here")
    return OnlyInError()


def fail_by(name: str) -> None:
    raise {
        "OddError": lambda: OddError(1, 2),
        "LockedError": lambda: LockedError("locked"),
        "FrozenError": lambda: FrozenError("frozen"),
        "OnlyInError": OnlyInError,
        "SystemExit": lambda: SystemExit(3),
        "KeyboardInterrupt": KeyboardInterrupt,
    }[name]()


def exit_quietly() -> None:
    sys.modules["ray"].actor.exit_actor()


def nap_and_process_id(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def large(size: int) -> bytes:
    return bytes(size)


@single_task
async def doubled(number: int) -> int:
    return number * 2


@batch_task(max_size=3)
async def in_threes(numbers: list[int]) -> list[int]:
    return numbers


@single_task
async def fail_at_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


@single_task
def read_context(_: int) -> Any:
    return current_context().data["word"]


@single_task
def logged(given: tuple[str, int]) -> int:
    """Leave a file for each time that the call for this number begins."""
    return log(Path(given[0]), given[1])


@single_task
def logged_and_waiting(given: tuple[str, int]) -> int:
    return log_and_wait(Path(given[0]), given[1])


@single_task
def deadly_once(given: tuple[str, int]) -> int:
    """End the process in the first call for each number that 10 divides."""
    folder, number = Path(given[0]), given[1]
    is_first = number not in begun(folder)
    log(folder, number)
    if is_first and number % 10 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@single_task
def deadly(given: tuple[str, int]) -> int:
    die(Path(given[0]), given[1], "SIGKILL")
    return given[1]


@single_task
async def fail_with_a_lock(_: int) -> Any:
    raise LockedError("locked")


@single_task
async def beside(number: int, other: Any) -> Any:
    return number, other


@single_task
async def napping(seconds: float) -> None:
    await asyncio.sleep(seconds)


@single_task
def logged_and_slow(given: tuple[str, int]) -> int:
    time.sleep(0.005)
    return log(Path(given[0]), given[1])


@single_task
def large_result(number: int) -> bytes:
    return bytes(100_000)


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def make_state() -> str:
    return f"{os.getpid()}-{time.monotonic_ns()}"


def tell_state(_: int, state: str) -> str:
    return state


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def slow(number: int, folder: Path) -> int:
    time.sleep(0.003)
    return log(folder, number)
