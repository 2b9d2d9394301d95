"""How do calls run on Dask? By its client, since its executor may lose sight of a call.

There a coroutine waits for each result. It ends with an exception, and the future is never done, if
a result is lost with its worker, and the call fails when Dask makes it again; or if the client is
closed while results are on their way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from typing import Any

__all__ = ["DaskExecutor", "is_of_dask"]

_NEEDED = ("_client", "_futures", "_kwargs", "_shutdown")
"""What we look at in an executor of Dask's; nobody has promised that it stays there."""


def is_of_dask(executor: Executor) -> bool:
    """Tell whether an executor is one that a client of Dask's has given, as we know them."""
    is_known = type(executor).__module__ == "distributed.cfexecutor"
    return is_known and all(hasattr(executor, name) for name in _NEEDED)


class DaskExecutor(Executor):
    """What an executor of Dask's does, with futures that are always done in the end."""

    def __init__(self, given: Any) -> None:
        self._given = given

    @property
    def workers(self) -> int | None:
        """How many calls the cluster makes at once, as its client has heard."""
        number = getattr(self._given._client, "_scheduler_identity", {}).get("total_threads")
        return number if isinstance(number, int) else None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        given = self._given
        if given._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        client = given._client
        sent = client.submit(fn, *args, **given._kwargs, **kwargs)
        given._futures.add(sent)  # for its `shutdown`
        future: Future[Any] = Future()
        future.add_done_callback(partial(_take_back, sent))
        client.loop.add_callback(_settle, client, sent, future)
        return future


def _take_back(sent: Any, future: Future[Any]) -> None:
    if future.cancelled() and sent.status != "cancelled":
        sent.cancel()


async def _settle(client: Any, sent: Any, future: Future[Any]) -> None:
    """Have `future` end as `sent` does; on the client's loop."""
    try:
        result = await client.gather(sent, asynchronous=True)
    except (asyncio.CancelledError, CancelledError):
        future.cancel()
        future.set_running_or_notify_cancel()  # so that who waits for it is told
    except BaseException as error:
        if future.set_running_or_notify_cancel():
            future.set_exception(error.with_traceback(None))  # whose frames hold the future
    else:
        if future.set_running_or_notify_cancel():
            future.set_result(result)
