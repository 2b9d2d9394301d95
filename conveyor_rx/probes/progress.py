"""How far is it? A live view of each stage, in a terminal or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Generator
from threading import Lock
from types import ModuleType

from .._block import block
from ..events import observe, observing

try:
    from rich.console import Console
except ImportError as error:
    raise ImportError("the progress view needs rich: pip install 'rich>=13.9,<16'") from error

from ._screens import screen_for
from ._view import View

__all__ = ["progress"]


@block
def progress(*, one_line: bool = False, console: Console | None = None) -> Generator[None]:
    """Show how far the runs are that begin within the block.

        with progress():
            async for result in pipeline(data):
                ...

    A row a stage: items done (of how many, where that can be told), running, waiting, skipped,
    failed, and items a second of late; above them the time that has passed, and the time that is
    left, as the slowest stage goes. Calls that wait in an executor count as running: only when they
    end it is known how long they did. `one_line=True` draws a line a pipeline, as tqdm does. Runs
    of pipelines with the same stages are counted together.

    The view is drawn on stderr, at most ten times a second and once more at the end of the block,
    with what is printed meanwhile above it; in a notebook it is an output of the cell. Where stderr
    is no terminal nothing is drawn and nothing observed. A `console` of rich's may be given in its
    place. There is one view at a time: where one is open, further blocks join it.
    """
    view = _join(console, one_line)
    if view is None:
        yield
        return
    try:
        with observe(*([] if view in observing() else [view])):
            yield
    finally:
        _leave(view)


_open: dict[View, int] = {}  # the view that is open, and how many blocks have joined it
_lock = Lock()


def _join(console: Console | None, one_line: bool) -> View | None:
    """Return the view that is open, or a new one; None if there is nothing to draw on."""
    with _lock:
        view = next(iter(_open), None)
        if view is None:
            screen = screen_for(console)
            if screen is None:
                return None
            view = View(screen, in_one_line=one_line)
        _open[view] = _open.get(view, 0) + 1
        return view


def _leave(view: View) -> None:
    with _lock:
        _open[view] -= 1
        if not _open[view]:
            del _open[view]
            view.close()


class _CallableModule(ModuleType):
    """So that `from conveyor_rx.probes import progress`, too, gives what can be called."""

    __call__ = staticmethod(progress)


sys.modules[__name__].__class__ = _CallableModule
