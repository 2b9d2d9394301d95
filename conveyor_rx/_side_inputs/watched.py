"""How is a future of the user's own waited for, on any loop? It is only looked at."""

from __future__ import annotations

import asyncio
from typing import Any

from .._loops import call_on
from .later import Later
from .loading import tell

__all__ = ["Watched"]


class Watched(Later):
    """What a future of the user's own gives; it is neither started nor cancelled here."""

    def __init__(self, name: str, future: asyncio.Future[Any]) -> None:
        super().__init__(name)
        self._future = future

    async def get(self, run: object) -> Any:
        del run
        future = self._future
        if not future.done():
            if future.get_loop() is asyncio.get_running_loop():
                await asyncio.wait({future})
            else:
                await self._done_elsewhere(future)
        return future.result()

    async def _done_elsewhere(self, future: asyncio.Future[Any]) -> None:
        """Wait for a future of another loop."""
        theirs = future.get_loop()
        if not theirs.is_running():
            raise RuntimeError(
                f"{self.name}, a future, is not done, and its event loop doesn't run; "
                "pass a coroutine function, to have it called in each run"
            )
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(_: asyncio.Future[Any]) -> None:
            tell(waiter)

        call_on(theirs, future.add_done_callback, done)
        try:
            await waiter
        finally:
            call_on(theirs, future.remove_done_callback, done)
