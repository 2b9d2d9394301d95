"""Async pipelines of single and batch tasks on a reactive-streams core.

    @single_task            @batch_task(max_size=3)          pipeline = fetch | rank | enrich
    async def fetch(x): …   async def rank(batch): …         async for result in pipeline(source): …

A task is a plain function with a decorator: `single_task` gets one item a call, `batch_task` a list
of items. `|` joins tasks to a pipeline. A pipeline that is called on data, any iterable, async
iterable or Observable, gives an `AsyncStream`. Nothing runs before that is read.

>>> import asyncio
>>> from conveyor_rx import batch_task, single_task
>>> @single_task(concurrency_limit=2)
... async def fetch(number: int) -> str:
...     await asyncio.sleep(0.01)
...     return f"page {number}"
>>> @batch_task(max_size=2)
... async def rank(pages: list[str]) -> list[str]:
...     return [f"{page} of {len(pages)}" for page in pages]
>>> async def main() -> list[str]:
...     return [result async for result in (fetch | rank)([1, 2, 3])]
>>> asyncio.run(main())
['page 1 of 2', 'page 2 of 2', 'page 3 of 1']

Results come in the order of the inputs; `pipeline.as_completed(data)` gives them as they are ready,
and `await stream.collect()` all at once. `draw`, `record`, `observe` and `progress` show a run.
`conveyor_rx.testing` helps to test pipelines in virtual time.
"""

from typing import TYPE_CHECKING

from ._dead_letters import Failure
from ._later import names_later
from .context import (
    ContextManager,
    ExecutionMode,
    PipelineContext,
    current_context,
    get_current_context,
    set_current_context,
    with_context,
)
from .decorators import batch_task, single_task
from .error_handling import ErrorAction, ErrorHandler, LoggingErrorHandler, RetryConfig
from .pipeline import Pipeline, Stage
from .stream import AsyncStream
from .tasks import BaseTask, BatchTask, SingleTask

if TYPE_CHECKING:
    from ._stats import StageStats
    from .diagrams import draw as draw
    from .diagrams import record as record
    from .events import observe as observe
    from .limits import AdaptiveLimit, Limit, RateLimit
    from .probes.progress import progress as progress
    from .synchronous import collect as collect
    from .synchronous import iterate as iterate
    from .workers import WorkerLostError, Workers

__all__ = [
    "AdaptiveLimit",
    "AsyncStream",
    "BaseTask",
    "BatchTask",
    "ContextManager",
    "ErrorAction",
    "ErrorHandler",
    "ExecutionMode",
    "Failure",
    "Limit",
    "LoggingErrorHandler",
    "Pipeline",
    "PipelineContext",
    "RateLimit",
    "RetryConfig",
    "SingleTask",
    "Stage",
    "StageStats",
    "WorkerLostError",
    "Workers",
    "batch_task",
    "current_context",
    "get_current_context",
    "set_current_context",
    "single_task",
    "with_context",
]
__version__ = "0.1.0"

_LATER = {
    "AdaptiveLimit": ".limits",
    "Limit": ".limits",
    "RateLimit": ".limits",
    "StageStats": "._stats",
    "WorkerLostError": ".workers",
    "Workers": ".workers",
    "collect": ".synchronous",
    "draw": ".diagrams",
    "events": ".events",
    "iterate": ".synchronous",
    "limits": ".limits",
    "observe": ".events",
    "progress": ".probes.progress",
    "record": ".diagrams",
    "workers": ".workers",
}
"""Names, and public modules, that are imported when they are first asked for; and from where."""

__getattr__ = names_later(__name__, _LATER)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
