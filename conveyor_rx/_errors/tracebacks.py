"""Which frames of a failure does a user read? Those of the user's code, not of the engine's."""

from __future__ import annotations

import os.path
from traceback import walk_tb
from types import FrameType
from typing import Any

__all__ = ["OURS", "hides", "without_engine"]

OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
"""The directory of this library, with a separator at its end."""


def without_engine(error: BaseException) -> BaseException:
    """Return `error`, its traceback beginning with the first frame that is not of this library.

    It is what led from the engine to the user's function; where there is none, nothing is left out.
    """
    entry = error.__traceback__
    while entry is not None and _is_ours(entry.tb_frame):
        entry = entry.tb_next
    # Not by the error's own method or attribute: it may be of a class that refuses to be changed.
    return error if entry is None else BaseException.with_traceback(error, entry)


def hides(excinfo: Any) -> bool:
    """Tell pytest, as a module's `__tracebackhide__`, to leave its frames out.

    Not if the error arose in this library: then they are what is looked for.
    """
    frames = [frame for frame, _ in walk_tb(excinfo.tb)]
    return not (frames and _is_ours(frames[-1]))


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(OURS)
