"""How is a loop woken from outside, and what where nothing can?"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

__all__ = ["HAS_OUTSIDE", "SelectorLoop"]

HAS_OUTSIDE = sys.platform not in ("emscripten", "wasi")
"""Whether there are threads and sockets. In a browser or in Node there are neither."""


class SelectorLoop(asyncio.SelectorEventLoop):
    """asyncio's own selector loop, that also works where no pair of sockets can be had.

    Its threads wake a loop by a byte through such a pair. Without threads nobody needs one.
    """

    # Private sides of asyncio; tests/testing/test_loop_privates.py guards them.
    _ssock: Any
    _csock: Any

    def _make_self_pipe(self) -> None:
        if HAS_OUTSIDE:
            super()._make_self_pipe()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]  # not in typeshed
        else:
            self._ssock = self._csock = None

    def _close_self_pipe(self) -> None:
        if self._csock is not None:
            super()._close_self_pipe()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]  # not in typeshed
