"""Async pipelines of single and batch tasks on a reactive-streams core.

    @single_task            @batch_task(max_size=3)          pipeline = fetch | rank | enrich
    async def fetch(x): …   async def rank(batch): …         async for result in pipeline(source): …

The map, from the ground up; imports run in this direction only:

    _annotations.py      what a function's annotations say, without a name being looked up
    _labels.py           short texts for users' values, escaped (_short_repr.py, _columns.py)
    _near_miss.py        which name was meant
    _tracebacks.py       which frames of a failure a user reads
    _blame.py            what an exception says of where it arose
    _block.py            `with` blocks of ours
    _inputs.py           which of the source's items a value comes from
    events.py            what happens in a run, and who is told
    error_handling.py    what happens to a failed call
    context.py           the values of a run
    _stats.py            how many items went where
    _calls.py            any callable -> one shape; results -> outputs
    operators/           Observable -> Observable: places in a line, calls at once, batches
    _source/             data of any kind -> an Observable that heeds a gate
    _reader.py, _push.py where results leave a run: pulled, pushed
    _audience.py         who hears of what Rx operators could not pass on
    _start.py            how a run begins
    _running.py          what it does now
    _cursor.py           who reads a stream, and how often
    _fluent.py           the fluent methods of a stream, typed
    stream.py            AsyncStream: an Observable that is iterated, collected, subscribed
    _side_inputs.py      what calls get beside the item (_later.py, _loading.py, _in_turns.py)
    _rx.py               what an Rx operator is
    _hints.py            what is wrong with the use of a stage, and what is right
    _picture/            what a pipeline shows of itself in a notebook
    pipeline.py          Stage, Pipeline and `|`
    _pickling.py         whether a function can be sent to another process
    _signatures.py       whether a function fits what it is called with
    _plain_limits.py     whether a limit of calls at once does anything for a function
    tasks.py             SingleTask, BatchTask, BaseTask
    _unbound_task.py     what type checkers see of a task that lacks something
    _result_types.py     what they see of a function's result
    _task_types.py       what they see of single_task (_batch_types.py: of batch_task)
    decorators.py        single_task, batch_task
    probes/              ready-made probes: progress, OpenTelemetry, logging
    diagrams/            marble diagrams of runs
    testing/             for users' tests: virtual time, a clean check, marbles, conformance
"""

from typing import TYPE_CHECKING, Any

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
from .stream import AsyncStream, StageStats
from .tasks import BaseTask, BatchTask, SingleTask

if TYPE_CHECKING:
    from .diagrams import draw as draw
    from .diagrams import record as record
    from .events import observe as observe
    from .probes.progress import progress as progress

__all__ = [
    "AsyncStream",
    "BaseTask",
    "BatchTask",
    "ContextManager",
    "ErrorAction",
    "ErrorHandler",
    "ExecutionMode",
    "LoggingErrorHandler",
    "Pipeline",
    "PipelineContext",
    "RetryConfig",
    "SingleTask",
    "Stage",
    "StageStats",
    "batch_task",
    "current_context",
    "get_current_context",
    "set_current_context",
    "single_task",
    "with_context",
]
__version__ = "0.1.0"

_LATER = {
    "draw": "diagrams",
    "observe": "events",
    "progress": "probes.progress",
    "record": "diagrams",
}
"""Names whose modules are imported when they are first asked for, and where they are."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
