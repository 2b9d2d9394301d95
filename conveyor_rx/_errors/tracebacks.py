"""Which frames of a failure does a user read? Those of the user's code, not of the engine's."""

from __future__ import annotations

import os.path
from traceback import walk_tb
from types import FrameType
from typing import Any

__all__ = ["OURS", "hides", "without_engine"]

OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
"""The directory of this library, with a separator at its end."""

RELAY = os.path.join(OURS, "_workers", "crew.py")
"""The file that raises what has failed in a worker: to raise it again is no failure of its own."""


def without_engine(error: BaseException) -> BaseException:
    """Return `error`, its traceback beginning with the first frame that is not of this library.

    It is what led from the engine to the user's function; where there is none, nothing is left out,
    unless the call was made by a worker.
    """
    entry, is_relayed = error.__traceback__, False
    while entry is not None and _is_ours(entry.tb_frame):
        is_relayed = entry.tb_frame.f_code.co_filename == RELAY
        entry = entry.tb_next
    if entry is None and not is_relayed:
        return error
    # Not by the error's own method or attribute: it may be of a class that refuses to be changed.
    return BaseException.with_traceback(error, entry)


def hides(excinfo: Any) -> bool:
    """Tell pytest, as a module's `__tracebackhide__`, to leave its frames out.

    Not if the error arose in this library: then they are what is looked for.
    """
    frames = [frame for frame, _ in walk_tb(excinfo.tb)]
    return not (frames and _is_ours(frames[-1]))


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(OURS)
