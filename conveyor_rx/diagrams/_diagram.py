"""How does a user get the picture of a run? Record it, and ask for the diagram."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path
from types import CoroutineType
from typing import Any, cast

from .._block import block
from .._text.labels import xml
from ..events import observe
from ..pipeline import Pipeline, Stage
from ..stream import AsyncStream
from ._colours import Choice, check_theme
from ._layout import layout
from ._live import Live, notebook_display
from ._page import page
from ._recorder import Labels, Recorder
from ._recording import Recording
from ._svg import svg
from ._text import render

__all__ = ["MarbleDiagram", "draw", "record"]

WIDTH = 1180  # of a picture, in pixels


class MarbleDiagram:
    """The marble diagram of a run: one lane a stage, on a common axis of time.

    It is drawn from `recording` as that is when it is asked for, also while the run goes on. Of a
    `Recorder` it is the first run. In a notebook it shows itself; its `repr` is the text. Of the
    themes `auto` follows the page around the picture, or its reader's preference.

    Raises:
        ValueError: nothing has been recorded, or `theme` or `width` (in pixels) is out of range.
    """

    def __init__(
        self,
        recording: Recorder | Recording,
        *,
        title: str | None = None,
        theme: Choice = "auto",
        width: float = WIDTH,
    ) -> None:
        _check_options(theme, width)
        if isinstance(recording, Recorder):
            if not recording.runs:
                raise ValueError("recording: no run has begun while it was attached")
            recording = recording.runs[0]
        self.recording = recording
        self._title = title
        self._theme: Choice = theme
        self._width = width
        self.error: BaseException | None = None
        """What the run failed with, if `draw` has run it."""

    def svg(self) -> str:
        """Return the picture; it needs nothing else, and shapes have titles for the pointer."""
        return svg(layout(self.recording, title=self._title, width=self._width), self._theme)

    def html(self) -> str:
        """Return a page of its own: light or dark as the reader prefers, details at the pointer."""
        shapes = layout(self.recording, title=self._title, width=self._width)
        return page(shapes.title, svg(shapes, "light"), svg(shapes, "dark"))

    def text(self, *, width: int = 100, color: bool = False) -> str:
        """Return marbles for a terminal of `width` columns, coloured by ANSI codes if asked for."""
        return render(self.recording, width=width, color=color)

    def save(self, path: str | Path) -> None:
        """Write the picture to a file, by its suffix: `.svg`, `.html` or `.txt`.

        Raises:
            ValueError: another suffix.
        """
        writers = {".svg": self.svg, ".html": self.html, ".txt": lambda: self.text() + "\n"}
        suffix = Path(path).suffix
        if suffix not in writers:
            raise ValueError(f"path must end in .svg, .html or .txt, not {suffix!r}")
        Path(path).write_text(writers[suffix](), encoding="utf-8")

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the picture in Jupyter, also where the reader has not run the notebook."""
        picture = self.svg()
        source = f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"
        name = xml(f"Marble diagram of {self.recording.name}")
        style = "max-width:100%;height:auto"
        return {
            "text/plain": self.text(),
            "text/html": f'<img src="{source}" alt="{name}" style="{style}">',
            "image/svg+xml": picture,
        }


@block
def record(
    *,
    labels: Labels | None = None,
    max_items: int = 10_000,
    live: bool = False,
    theme: Choice = "auto",
) -> Generator[Recorder]:
    """Record the runs that begin within the block.

    `labels` and `max_items` are those of `Recorder`. With `live` a notebook shows the first run
    while it goes on, in colours of `theme`, and draws it anew at most 10 times a second; elsewhere
    `live` does nothing.

        with record() as recorder:
            async for result in pipeline(data):
                ...
        MarbleDiagram(recorder)

    Raises:
        ValueError: `max_items` or `theme` is out of range.
    """
    check_theme(theme)
    recorder = Recorder(labels=labels, max_items=max_items)
    display = notebook_display() if live else None

    def picture() -> MarbleDiagram:
        recorder.come_to(asyncio.get_running_loop().time())  # calls last, also without an event
        return MarbleDiagram(recorder, theme=theme)

    watchers = [Live(picture, display)] if display else []
    with observe(recorder, *watchers):
        yield recorder


async def draw(
    stream: AsyncStream[Any],
    *,
    title: str | None = None,
    theme: Choice = "auto",
    width: float = WIDTH,
) -> MarbleDiagram:
    """Run `stream` to its end, and return the marble diagram of the run; its results are dropped.

    If the run fails, the diagram shows it, and has the exception as `error`.

    Args:
        stream: what to run: `pipeline(data)`, an `AsyncStream` that nobody has read yet.
        title: stands above the picture. Default: the name of the pipeline.
        theme: "light", "dark", or "auto", which follows the page. Default: "auto".
        width: of the picture, in pixels, from 600 to 10,000. Default: 1180.

    Raises:
        TypeError: it is no stream.
        ValueError: an option is out of range.

    >>> import asyncio
    >>> from conveyor_rx import single_task
    >>> @single_task
    ... def double(number: int) -> int:
    ...     return number * 2
    >>> diagram = asyncio.run(draw(double([1, 2, 3])))
    >>> diagram.svg().startswith("<svg")
    True
    """
    _check_stream(stream)
    _check_options(theme, width)  # before all the work
    failure: Exception | None = None
    with record() as recorder:
        try:
            async for _ in stream:
                pass
        except Exception as error:
            failure = error
    diagram = MarbleDiagram(recorder, title=title, theme=theme, width=width)
    diagram.error = failure
    return diagram


def _check_options(theme: Choice, width: float) -> None:
    check_theme(theme)
    if not 600 <= width <= 10_000:
        raise ValueError(f"width must be from 600 to 10,000 pixels, not {width!r}")


def _check_stream(stream: object) -> None:
    if isinstance(stream, AsyncStream):
        return
    if isinstance(stream, Stage):
        kind = "pipeline" if isinstance(stream, Pipeline) else "task"
        raise TypeError(f"draw needs a stream: write draw({kind}(data)), not draw({kind})")
    if isinstance(stream, CoroutineType):
        cast("CoroutineType[Any, Any, Any]", stream).close()
        raise TypeError("draw needs a stream, not a coroutine: leave out .collect()")
    raise TypeError(
        f"draw needs a stream, such as pipeline(data) or AsyncStream(source), "
        f"not a value of type {type(stream).__name__!r}"
    )
