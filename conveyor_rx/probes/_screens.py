"""Where is a progress view drawn? In a terminal, in a notebook, or nowhere."""

from __future__ import annotations

import sys
from importlib import import_module
from io import StringIO
from typing import Any, Protocol, TextIO

from rich.console import Console, RenderableType
from rich.live import Live

__all__ = ["Screen", "screen_for"]

_COLUMNS, _ROWS = 96, 60  # of a notebook's output
_HTML = (
    '<pre style="white-space:pre;overflow-x:auto;line-height:1.25;'
    "font-family:Menlo,Consolas,'DejaVu Sans Mono',monospace\">{code}</pre>"
)


class Screen(Protocol):
    """Something that can be drawn on, and drawn on again in the same place."""

    console: Console

    def show(self, view: RenderableType) -> None:
        """Draw `view` in place of what was there."""

    def close(self) -> None:
        """Leave what was drawn last, and leave the terminal as it was."""


def screen_for(console: Console | None) -> Screen | None:
    """Choose where to draw; None if the output is no terminal."""
    is_given = console is not None
    if console is None:
        console = Console(stderr=True, soft_wrap=True)  # what is printed is not wrapped
    if console.is_jupyter:
        return _Notebook()
    # `FORCE_COLOR` makes rich take a file for a terminal, but one that is redrawn is unreadable.
    is_terminal = console.is_interactive and (is_given or _is_terminal(sys.stderr))
    return _Terminal(console) if is_terminal else None


class _Terminal:
    """Redrawn when told and by no thread; what is printed meanwhile goes above it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None

    def show(self, view: RenderableType) -> None:
        if self._live is None:
            self._live = self._begin()
        self._live.update(view, refresh=True)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _begin(self) -> Live:
        live = Live(
            console=self.console,
            auto_refresh=False,
            # What goes to a file or a pipe stays there.
            redirect_stdout=_is_terminal(sys.stdout),
            redirect_stderr=_is_terminal(sys.stderr),
        )
        live.start()
        self.console.show_cursor(True)  # so that it is there whatever ends the process
        return live


class _Notebook:
    """An output that is replaced; it stays in the notebook as HTML and as text, without widgets."""

    def __init__(self) -> None:
        self.console = _page()
        self._handle: Any = None

    def show(self, view: RenderableType) -> None:
        page = _page()
        page.print(view)
        html = page.export_html(inline_styles=True, code_format=_HTML, clear=False)
        bundle = {"text/html": html, "text/plain": page.export_text()}
        if self._handle is None:
            display: Any = import_module("IPython.display").display
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def close(self) -> None: ...


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def _page() -> Console:
    return Console(
        file=StringIO(),
        record=True,
        width=_COLUMNS,
        height=_ROWS,
        force_terminal=True,
        force_jupyter=False,
        color_system="truecolor",
    )
