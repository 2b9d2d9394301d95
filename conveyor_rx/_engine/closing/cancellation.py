"""With which exception was something cancelled? With the one that is raised again, no new one."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["cancellation_of", "raise_again"]


def cancellation_of(task: asyncio.Future[Any]) -> asyncio.CancelledError:
    """Return the exception, message included, with which `task` was cancelled."""
    try:
        task.result()
    except asyncio.CancelledError as error:
        return error
    raise AssertionError("this task was not cancelled")


def raise_again(error: asyncio.CancelledError | None) -> None:
    """Raise `error`, and no new one: a canceller may know its own by the message."""
    try:
        if error is not None:
            raise error
    finally:
        del error  # its traceback leads here
