"""What has a block of code left behind?"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import sys
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self, TextIO

from ._exempt import exempted_threads, without_exempted
from ._where import describe_generator, describe_task

__all__ = ["CleanCheck", "LeakError", "assert_clean"]

SETTLE_ROUNDS = 100  # turns of the loop in which what is ending may end
THREAD_GRACE = 0.5  # real seconds in which a thread that is ending may end
LEAK_WARNING = re.compile("never awaited|executor did not finish")


class LeakError(AssertionError):
    """A block of code has left something behind, or an error passed by unseen.

    `complaints` has one text for each thing left.
    """

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n  ".join(["left behind:", *complaints]))
        self.complaints = complaints


def assert_clean() -> CleanCheck:
    """Assert that a block leaves nothing behind and that no error passes by unseen.

    `async with assert_clean():` inside a running loop, real or virtual, asserts that at its end no
    task and no async generator that the block started is left, nor a thread (idle threads of the
    loop's own executor aside); what can end without time passing is let end first. In the
    block nothing reaches the loop's exception handler ("never retrieved", "destroyed but pending"),
    `sys.unraisablehook` or `threading.excepthook`, and there is no ResourceWarning and no "never
    awaited". `with assert_clean():` around a whole run, outside any loop, sees threads and what
    passes by unseen. `exempt` is for what is meant to live on. Not for two blocks at once in one
    process, unless one holds the other.

    A block that raises keeps its exception, with a note of what was left.

    Raises:
        LeakError: at the end of the block, with one line for each thing left.
    """
    return CleanCheck()


class CleanCheck:
    """Record what was there before a block, and complain of what is left after it."""

    _frozen = False

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._stack = ExitStack()
        self._threads: set[threading.Thread] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._generators: set[AsyncGeneratorType[Any, Any]] = set()

    def __enter__(self) -> Self:
        self._threads = set(threading.enumerate())
        self._stack.enter_context(self._freeze())
        self._hook_warnings()
        self._hook_unseen_errors()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        gc.collect()  # brings the "never retrieved" of what is garbage to light
        self._look_for_threads()
        self._stack.close()
        if not self.complaints:
            return
        leak = LeakError(self.complaints)
        if error is None:
            raise leak
        error.add_note(str(leak))

    async def __aenter__(self) -> Self:
        self.__enter__()
        self.listen(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.look()
        self.__exit__(kind, error, traceback)

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note what runs on `loop` and watch its exception handler."""
        self._loop = loop
        self._tasks = asyncio.all_tasks(loop)
        self._generators = _open_generators(loop)
        self._stack.callback(loop.set_exception_handler, loop.get_exception_handler())
        loop.set_exception_handler(self._on_loop_error)

    async def look(self) -> None:
        """Complain of the tasks and async generators that are left on the running loop."""
        assert self._loop is not None
        tasks: set[asyncio.Task[Any]] = set()
        generators: set[AsyncGeneratorType[Any, Any]] = set()
        for _ in range(SETTLE_ROUNDS):
            now = asyncio.current_task()
            tasks = without_exempted(asyncio.all_tasks(self._loop) - self._tasks - {now})
            generators = without_exempted(_open_generators(self._loop) - self._generators)
            if not tasks and not generators:
                return
            await asyncio.sleep(0)
        self.complaints += sorted(describe_task(task) for task in tasks)
        self.complaints += sorted(describe_generator(generator) for generator in generators)

    def _look_for_threads(self) -> None:
        known = self._threads | self._workers() | exempted_threads()
        for thread in set(threading.enumerate()) - known:
            deadline = time.monotonic() + THREAD_GRACE
            while thread in threading.enumerate() and time.monotonic() < deadline:
                time.sleep(0.001)  # not join: it may be about to start
            if thread in threading.enumerate():
                self.complaints.append(f"thread {thread.name!r}")

    def _workers(self) -> set[threading.Thread]:
        """Return the threads of the loop's own executor, which live as long as the loop."""
        if self._loop is None or self._loop.is_closed():
            return set()
        if type(self._loop).__module__.startswith("uvloop"):  # it hides its executor
            return {each for each in threading.enumerate() if each.name.startswith("uvloop_")}
        executor = getattr(self._loop, "_default_executor", None)
        return getattr(executor, "_threads", set[threading.Thread]())

    # The places where errors pass by unseen

    @contextmanager
    def _freeze(self) -> Generator[None]:
        """Keep the garbage of others out, and the collection at the end short.

        At the end the collector looks at everything again, at what the user had frozen as well.
        """
        if CleanCheck._frozen:  # an outer block did it
            yield
            return
        CleanCheck._frozen = True
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
            CleanCheck._frozen = False

    def _hook_warnings(self) -> None:
        self._stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always", ResourceWarning)
        warnings.filterwarnings("always", f".*({LEAK_WARNING.pattern})", RuntimeWarning)
        pass_on = warnings.showwarning
        self._stack.callback(setattr, warnings, "showwarning", pass_on)

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, ResourceWarning) or LEAK_WARNING.search(str(message)):
                self.complaints.append(f"{category.__name__}: {message} ({filename}:{lineno})")
            else:
                pass_on(message, category, filename, lineno, file, line)

        warnings.showwarning = show

    def _hook_unseen_errors(self) -> None:
        self._stack.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        self._stack.callback(setattr, threading, "excepthook", threading.excepthook)
        sys.unraisablehook = self._on_unraisable
        threading.excepthook = self._on_thread_error
        listener = _Listener(self.complaints)
        self._stack.callback(logging.getLogger("asyncio").removeHandler, listener)
        logging.getLogger("asyncio").addHandler(listener)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        source = context.get("task") or context.get("future") or context.get("asyncgen") or ""
        error = context.get("exception")
        self.complaints.append(f"{context['message']}: {error!r} {source!r}".removesuffix(" ''"))

    def _on_unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        what = unraisable.err_msg or "exception ignored in"
        self.complaints.append(f"{what} {unraisable.object!r}: {unraisable.exc_value!r}")

    def _on_thread_error(self, args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        self.complaints.append(f"thread {name!r} raised {args.exc_value!r}")


class _Listener(logging.Handler):
    """Note what the default exception handler of a loop logs."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._complaints = complaints

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._complaints.append(f"{record.getMessage()}: {error!r}".replace("\n", " "))


def _open_generators(loop: asyncio.AbstractEventLoop) -> set[AsyncGeneratorType[Any, Any]]:
    """Return the async generators that were started on `loop` and have not ended."""
    started: set[AsyncGeneratorType[Any, Any]] = set(getattr(loop, "_asyncgens", ()))
    return {each for each in started if each.ag_frame is not None}
