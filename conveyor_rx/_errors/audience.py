"""Who hears of a failure that Rx operators could not pass on? Who has subscribed to them.

Where a row of such operators is too long for the stack, what fails can't get through it either. So
the runs that begin upstream of them know who is at its end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from reactivex import abc
from reactivex.disposable import Disposable

__all__ = ["Audience", "subscribing"]


class _Subscribing(threading.local):
    audience: Audience | None = None


subscribing = _Subscribing()
"""Whose subscription is being made, to operators behind a stream, in this thread."""


class Audience:
    """The end of a row of operators: its observer, who is told of one end."""

    def __init__(self, on_error: abc.OnError, on_completed: abc.OnCompleted | None) -> None:
        self._on_error: abc.OnError | None = on_error
        self._on_completed = on_completed
        self._subscription: abc.DisposableBase | None = None

    def subscribe(self, subscribe: Callable[..., abc.DisposableBase]) -> abc.DisposableBase:
        """Let `subscribe` make the subscription, with what it is to tell of the end."""
        subscribing.audience = self
        try:
            subscription = subscribe(on_error=self._failed, on_completed=self._completed)
        finally:
            subscribing.audience = None
        self._subscription = subscription
        return Disposable(self.dispose)

    def hear(self, error: BaseException) -> bool:
        """Tell the observer of `error` and unsubscribe, and return whether it had no end yet."""
        on_error = self._on_error
        if on_error is None:
            return False
        self.dispose()
        on_error(cast("Any", error))
        return True

    def dispose(self) -> None:
        """Unsubscribe."""
        self._on_error = self._on_completed = None
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.dispose()

    def _failed(self, error: Exception) -> None:
        on_error, self._on_error = self._on_error, None
        if on_error is not None:
            on_error(error)

    def _completed(self) -> None:
        on_completed, self._on_completed, self._on_error = self._on_completed, None, None
        if on_completed is not None:
            on_completed()
