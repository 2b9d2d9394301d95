"""What if a line of the engine raises? An exception at a line between a call and its result.

The lines are those that run from the moment at which a function says `Lines.begin` to the one at
which the consumer says `Lines.end`.
"""

from __future__ import annotations

import functools
import importlib
import linecache
import pkgutil
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import conveyor_rx
from conveyor_rx import _engine

__all__ = ["Broken", "Line", "Lines"]

Line = tuple[str, str, int]  # file, function, number
PREFIX = "conveyor_rx"
PACKAGE = str(Path(conveyor_rx.__file__).parent)
DOING_NOTHING = [  # what can't raise, and is no longer guarded
    *("return", "return None", "return place", "self.draining = False"),
    *("return True", "try:", "else:", "finally:", "break", "pass"),
]
MAKING_THE_CALL = [  # that waits, or a question before it
    *("if place is not None:", "await make_calls(stage, place)"),
    *("pace = stage.run.pace", "if len(self._hired) == 1 and pace.is_late():"),
]
PARTS = ("_engine", "_functions/calls.py")
# What runs when there are no more calls, or is no run's own:
NOT_WATCHED = (
    *("_engine/run.py", "_engine/lifetime.py", "_engine/pull.py"),
    *("_engine/turns/pace.py", "_engine/outlets/push.py"),
    *("_engine/closing/ending.py", "_engine/closing/failures.py"),
)

AT_THE_END = ("EarlyEnd.cancel", "Tracer.finish", "Watermark.complete")


class Broken(Exception):
    """What the chosen line raises."""


class Lines:
    """The lines of the engine that run while it is watched; `at` is the one that raises, once."""

    def __init__(self, at: Line | None = None) -> None:
        self.seen: dict[Line, None] = {}
        self.raised: Broken | None = None
        self._at = at
        self._watches = False

    def begin(self) -> None:
        """Take note that a call is about to return."""
        self._watches = True

    def end(self) -> None:
        """Take note that its result has come."""
        self._watches = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the lines of this thread, with what this Python has for that."""
        with _monitoring(self._line) if sys.version_info >= (3, 12) else _tracing(self._line):
            yield

    def _line(self, code: types.CodeType, number: int) -> None:
        if not self._watches:
            return
        text = linecache.getline(code.co_filename, number).strip()
        if text in DOING_NOTHING or text in MAKING_THE_CALL or code.co_qualname in AT_THE_END:
            return
        line = (code.co_filename[len(PACKAGE) + 1 :], code.co_qualname, number)
        self.seen[line] = None
        if line == self._at and self.raised is None:
            self.raised = Broken(str(line))
            raise self.raised


def _is_ours(code: types.CodeType) -> bool:
    name = code.co_filename
    part = name[len(PACKAGE) + 1 :]
    return name.startswith(PACKAGE) and part.startswith(PARTS) and part not in NOT_WATCHED


@functools.cache
def _codes() -> list[types.CodeType]:
    """Find the code of all functions that are watched.

    Not by way of the garbage collector, which says nothing of what is frozen. Much of the engine is
    imported where it is used first.
    """
    for module in pkgutil.walk_packages(_engine.__path__, f"{_engine.__name__}."):
        importlib.import_module(module.name)
    modules = [vars(module) for name, module in sys.modules.items() if name.startswith(PREFIX)]
    found = {code for names in modules for code in _codes_in(names, set())}
    return [code for code in found if _is_ours(code)]


def _codes_in(names: Mapping[str, Any], seen: set[type]) -> Iterator[types.CodeType]:
    for value in names.values():
        function = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        if isinstance(function, types.FunctionType):
            yield from _with_inner(function.__code__)
        elif isinstance(value, type) and value.__module__.startswith(PREFIX) and value not in seen:
            seen.add(value)
            yield from _codes_in(vars(value), seen)


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _with_inner(constant)


@contextmanager
def _monitoring(on_line: Callable[[types.CodeType, int], None]) -> Iterator[None]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # since 3.12
    tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, "tests.faults.lines")
    monitoring.register_callback(tool, monitoring.events.LINE, on_line)
    codes = _codes()
    for code in codes:
        monitoring.set_local_events(tool, code, monitoring.events.LINE)
    try:
        yield
    finally:
        for code in codes:
            monitoring.set_local_events(tool, code, 0)
        monitoring.register_callback(tool, monitoring.events.LINE, None)
        monitoring.free_tool_id(tool)


@contextmanager
def _tracing(on_line: Callable[[types.CodeType, int], None]) -> Iterator[None]:
    def local(frame: types.FrameType, event: str, _: object) -> Any:
        if event == "line":
            on_line(frame.f_code, frame.f_lineno)  # what it raises also ends the tracing
        return local

    def trace(frame: types.FrameType, event: str, _: object) -> Any:
        return local if _is_ours(frame.f_code) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
