"""Who watches how a chain is linked up? Nobody, unless the run is observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..subscriber import Subscriber

if TYPE_CHECKING:
    from ..calls.flat_map import FlatMap
    from ..line.line import Line
    from ..observing.reporter import BatchReporter

__all__ = ["UNWATCHED", "Watcher"]


class Watcher:
    """Whom a chain asks for taps and reporters while it is linked up; this one has none.

    A tap is put behind what has just been added. Stages are named by their ids.
    """

    def tap_source(self) -> Subscriber | None:
        """Return a tap to be put behind the source."""
        return None

    def line_opens(self, line: Line) -> None:
        """Hear that `line` is that of the next segment."""

    def tap_line(self, line: Line) -> Subscriber | None:
        """Return a tap to be put behind the end of `line`."""
        return None

    def batch_reporter(self, stage: int) -> BatchReporter | None:
        """Return the reporter of the batches of `stage`."""
        return None

    def tap_calls(self, stage: int, calls: FlatMap) -> Subscriber | None:
        """Return a tap to be put behind the calls of `stage`, and give them their reporter."""
        return None

    def tap_stage(self, stage: int) -> Subscriber | None:
        """Return a tap to be put behind `stage`, which makes no calls."""
        return None

    def tap_outlet(self) -> Subscriber | None:
        """Return a tap to be put before the outlet."""
        return None


UNWATCHED = Watcher()
