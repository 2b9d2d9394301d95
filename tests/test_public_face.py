"""The public surface: every name, path and signature of design.md section 2, pinned."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import inspect
import logging
import pkgutil
import re
import subprocess
import sys
import typing
from typing import Any

import pytest
import reactivex
from reactivex import Observable

import conveyor_rx
from conveyor_rx import (
    AdaptiveLimit,
    AsyncStream,
    BaseTask,
    BatchTask,
    ErrorHandler,
    Limit,
    LoggingErrorHandler,
    Pipeline,
    PipelineContext,
    RateLimit,
    RetryConfig,
    SingleTask,
    Stage,
    StageStats,
    batch_task,
    single_task,
)

PUBLIC: dict[str, list[str]] = {
    "conveyor_rx": [
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
    ],
    "conveyor_rx.context": [
        "ContextManager",
        "ExecutionMode",
        "PipelineContext",
        "current_context",
        "get_current_context",
        "set_current_context",
        "with_context",
    ],
    "conveyor_rx.decorators": ["UnboundTask", "batch_task", "single_task"],
    "conveyor_rx.error_handling": [
        "DeadLetter",
        "ErrorAction",
        "ErrorHandler",
        "Failure",
        "LoggingErrorHandler",
        "RetryAfter",
        "RetryConfig",
        "RetryOn",
    ],
    "conveyor_rx.diagrams": ["MarbleDiagram", "Recorder", "Recording", "draw", "record"],
    "conveyor_rx.events": [
        "Event",
        "EventKind",
        "Probe",
        "RunInfo",
        "StageInfo",
        "observe",
    ],
    "conveyor_rx.distributed": ["RayExecutor", "run"],
    "conveyor_rx.limits": ["AdaptiveLimit", "Limit", "RateLimit", "SlowDownOn"],
    "conveyor_rx.pipeline": ["Pipeline", "Stage"],
    "conveyor_rx.probes": ["LoggingProbe"],
    "conveyor_rx.probes.opentelemetry": ["OpenTelemetryProbe"],
    "conveyor_rx.probes.progress": ["progress"],
    "conveyor_rx.workers": ["RemoteError", "WorkerKind", "WorkerLostError", "Workers"],
    "conveyor_rx.stream": ["AsyncStream", "RunningCall", "Source", "StageStats", "Stats"],
    "conveyor_rx.synchronous": ["Results", "collect", "iterate"],
    "conveyor_rx.tasks": ["BaseTask", "BatchTask", "SingleTask"],
    "conveyor_rx.testing": [
        "CleanCheck",
        "Deadlock",
        "LeakError",
        "MarbleError",
        "MarbleSource",
        "StepHook",
        "StepLimitError",
        "TimedCall",
        "TimedTask",
        "VirtualLoop",
        "assert_clean",
        "assert_marbles",
        "exempt",
        "marbles",
        "run",
        "source",
        "timed_task",
        "timeline",
    ],
}

# What conveyor-streaming 1.2.1 lets its users import, by submodule.
CONVEYOR: dict[str, str] = {
    "": "AsyncStream BaseTask SingleTask BatchTask Pipeline single_task batch_task RetryConfig "
    "ErrorHandler LoggingErrorHandler PipelineContext ExecutionMode get_current_context "
    "set_current_context ContextManager with_context ErrorAction",
    ".tasks": "BaseTask SingleTask BatchTask",
    ".pipeline": "Pipeline",
    ".stream": "AsyncStream",
    ".decorators": "single_task batch_task",
    ".context": "PipelineContext ExecutionMode get_current_context set_current_context "
    "ContextManager with_context",
    ".error_handling": "ErrorAction RetryConfig ErrorHandler LoggingErrorHandler",
}


@pytest.mark.parametrize("path", PUBLIC)
def test_names_of_each_module(path: str) -> None:
    """Section 2: `__all__` of each public module, exactly; each name is there."""
    module = importlib.import_module(path)
    assert sorted(module.__all__) == PUBLIC[path]
    for name in PUBLIC[path]:
        assert hasattr(module, name)


def test_no_public_module_but_these() -> None:
    """Section 6: the public modules are those that are pinned here; all others are private."""
    found = {
        name
        for _, name, _ in pkgutil.iter_modules(conveyor_rx.__path__, "conveyor_rx.")
        if not name.rpartition(".")[2].startswith("_")
    }
    top = {name for name in PUBLIC if name.count(".") == 1}
    assert found == top


@pytest.mark.parametrize("path", CONVEYOR)
def test_paths_of_conveyor_streaming(path: str) -> None:
    """Issue 2.1: what a program imports from conveyor-streaming 1.2.1 is at the same place here."""
    module = importlib.import_module("conveyor_rx" + path)
    for name in CONVEYOR[path].split():
        assert getattr(module, name) is getattr(conveyor_rx, name)


MODULES = ("base_task", "context", "error_handling", "pipeline", "stats", "stream", "tasks")


def test_names_say_where_they_are_from() -> None:
    """Section 6: a public class lives in a public module, under its own name."""
    for name in PUBLIC["conveyor_rx"]:
        value = getattr(conveyor_rx, name)
        if inspect.isclass(value) and value.__module__.startswith("conveyor_rx"):
            public = value.__module__.rpartition(".")[2].lstrip("_")
            assert value.__name__ == name
            assert public in (
                "stats",
                "context",
                "dead_letters",
                "error_handling",
                "pipeline",
                "stream",
                "tasks",
                "base_task",
                "adaptive",
                "concurrency",
                "rate",
                "errors",
                "workers",
            )


def test_literals() -> None:
    """Section 2: the choices of `on_error` and of the execution mode."""
    assert typing.get_args(conveyor_rx.ErrorAction) == ("fail", "skip_item", "skip_batch")
    assert typing.get_args(conveyor_rx.ExecutionMode) == ("ordered", "as_completed")


OPTIONS = (
    "on_error='fail', retry_attempts=1, retry_delay=1.0, retry_exponential_backoff=True, "
    "retry_max_delay=60.0, retry_on=<class 'Exception'>, retry_jitter=0.0, retry_after=None, "
    "total_timeout=None, retry_config=None, error_handler=None, task_name=None, "
    "concurrency_limit=None, flatten=True, timeout=None, rate_limit=None, "
    "dead_letter=None, max_failures=None, executor=None"
)
CLASS_OPTIONS = "on_error='fail', retry_config=None, error_handler=None, task_name=None"
CALL_OPTIONS = (
    "concurrency_limit=None, flatten=True, timeout=None, rate_limit=None, dead_letter=None, "
    "max_failures=None, executor=None"
)

SETTINGS = ", ".join(
    f"{name}=unchanged"
    for name in (
        "execution_mode",
        "max_parallelism",
        "max_in_flight",
        "warn_of_blocking",
        "dead_letter",
        "max_failures",
        "pipeline_id",
        "data",
    )
)

SIGNATURES: list[tuple[Any, str]] = [
    (single_task, f"(func=None, *, {OPTIONS}, key=None)"),
    (
        batch_task,
        f"(min_size=1, max_size=None, *, max_wait=None, "
        f"max_weight=None, weight=None, group_by=None, {OPTIONS})",
    ),
    (
        SingleTask,
        f"(func, *, {CLASS_OPTIONS}, {CALL_OPTIONS}, key=None)",
    ),
    (
        BatchTask,
        f"(func, min_size=1, max_size=None, *, max_wait=None, max_weight=None, weight=None, "
        f"group_by=None, {CLASS_OPTIONS}, {CALL_OPTIONS})",
    ),
    (BaseTask, f"(*, {CLASS_OPTIONS})"),
    (BaseTask.process, "(self, items)"),
    (BaseTask.get_context, "(self)"),
    (SingleTask.process, "(self, items)"),
    (SingleTask.with_inputs, "(self, *args, **kwargs)"),
    (BatchTask.with_inputs, "(self, *args, **kwargs)"),
    (Pipeline, "(context=None)"),
    (Pipeline.add, "(self, *stages)"),
    (Stage.with_context, f"(self, *, {SETTINGS}, **values)"),
    (PipelineContext.replace, f"(self, *, {SETTINGS}, **values)"),
    (Stage.with_execution_mode, "(self, mode)"),
    (AsyncStream, "(source)"),
    (AsyncStream.collect, "(self)"),
    (AsyncStream.aclose, "(self)"),
    (AsyncStream.as_completed, "(self)"),
    (AsyncStream.pipe, "(self, *operators)"),
    (
        AsyncStream.subscribe,
        "(self, on_next=None, on_error=None, on_completed=None, *, scheduler=None)",
    ),
    (
        RetryConfig,
        "(max_attempts=3, base_delay=1.0, exponential_backoff=True, max_delay=60.0, "
        "backoff_multiplier=2.0, retry_on=<class 'Exception'>, retry_jitter=0.0, "
        "retry_after=None, total_timeout=None)",
    ),
    (ErrorHandler.handle_error, "(self, error, item, task_name, attempt)"),
    (LoggingErrorHandler, "(logger=None, replacement_value=None)"),
    (RateLimit, "(n, per=1.0, *, cost=None, smooth=False)"),
    (RateLimit.charge, "(self, amount)"),
    (RateLimit.pause, "(self, seconds)"),
    (Limit, "(n)"),
    (
        AdaptiveLimit,
        "(start=10, minimum=1, maximum=100, back_off=0.7, slow_down_on=<class 'Exception'>)",
    ),
    (conveyor_rx.iterate, "(stream)"),
    (conveyor_rx.collect, "(stream)"),
    (conveyor_rx.ContextManager, "(context)"),
    (conveyor_rx.current_context, "()"),
    (conveyor_rx.get_current_context, "()"),
    (conveyor_rx.set_current_context, "(context)"),
    (conveyor_rx.with_context, "(context, coro)"),
]


@pytest.mark.parametrize(
    ("function", "expected"), SIGNATURES, ids=[f.__qualname__ for f, _ in SIGNATURES]
)
def test_signatures(function: Any, expected: str) -> None:
    """Section 2: names, kinds, order and defaults of parameters, exactly."""
    signature = inspect.signature(function)
    bare = [
        each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()
    ]
    assert str(inspect.Signature(bare)) == expected


def test_fields_of_the_context() -> None:
    """Section 2: `PipelineContext` and its defaults."""
    assert dataclasses.asdict(PipelineContext()) == {
        "execution_mode": "ordered",
        "max_parallelism": None,
        "pipeline_id": None,
        "data": {},
        "max_in_flight": 1024,
        "warn_of_blocking": True,
        "dead_letter": None,
        "max_failures": None,
    }


def test_fields_of_the_statistics() -> None:
    """Issue 2.6: in, out, failed, retried, skipped, dropped, running, waiting, of each stage."""
    names = list(StageStats._fields)
    assert names == (
        "stage in_ out completed failed retried timed_out skipped dead_lettered dropped "
        "dropped_outputs cancelled running waiting waiting_for_slot waiting_for_batch "
        "waiting_for_key waiting_for_rate waiting_for_retry waiting_for_room "
        "waiting_for_worker".split()
    )
    assert StageStats("s").as_dict()["in"] == 0


STAGE_MEMBERS = {"as_completed", "task_name", "with_context", "with_execution_mode"}


@pytest.mark.parametrize("stage", [SingleTask, BatchTask, BaseTask, Pipeline, Stage])
def test_every_stage_has_the_same_face(stage: type) -> None:
    """Section 2: every stage has `|`, call, and the same methods."""
    assert {name for name in dir(stage) if not name.startswith("_")} >= STAGE_MEMBERS
    assert all(hasattr(stage, name) for name in ("__or__", "__ror__", "__call__"))
    assert issubclass(stage, Stage)


def test_a_stage_of_ones_own_needs_nothing_private() -> None:
    """What a subclass has to override, and the types of that, are public."""
    assert Stage.__abstractmethods__ == {"process", "task_name"}
    for function in (Stage.process, BaseTask.process, inspect.getattr_static(Stage, "task_name")):
        annotations = " ".join(
            map(str, getattr(function, "fget", function).__annotations__.values())
        )
        assert set(re.findall(r"\w+", annotations)) <= {
            "AsyncIterable",
            "Awaitable",
            "In",
            "Out",
            "str",
        }


def test_faces_of_limits() -> None:
    """Group R: what is for users, and nothing else."""
    faces = {
        RateLimit: {"charge", "pause", "title"},
        Limit: {"title"},
        AdaptiveLimit: {"limit", "title"},
    }
    for kind, names in faces.items():
        assert {name for name in dir(kind) if not name.startswith("_")} == names


def test_face_of_results() -> None:
    """S7: what `iterate` gives is an iterator that can be closed, and a context manager."""
    results = conveyor_rx.iterate(single_task(abs)([1]))
    assert {name for name in dir(results) if not name.startswith("_")} == {"close"}
    assert iter(results) is results
    assert results.__enter__() is results


def test_class_tree() -> None:
    """Section 2: what is a what."""
    assert issubclass(SingleTask, BaseTask)
    assert issubclass(BatchTask, BaseTask)
    assert not issubclass(Pipeline, BaseTask)
    assert issubclass(AsyncStream, Observable)
    assert issubclass(LoggingErrorHandler, ErrorHandler)


def test_stream_has_every_method_of_an_observable() -> None:
    """Section 2: a stream is a `reactivex.Observable` with all fluent methods, none renamed."""
    stream = single_task(abs)([1])
    assert isinstance(stream, reactivex.Observable)
    methods = {name for name in dir(Observable) if not name.startswith("_")}
    own = {name for name in dir(AsyncStream) if not name.startswith("_")} - methods
    assert own == {"aclose", "as_completed", "collect", "drain", "running", "stats", "watermark"}


def test_version_is_that_of_the_distribution() -> None:
    """Packaging: `__version__`."""
    assert conveyor_rx.__version__ == "0.1.0"


def test_library_is_silent() -> None:
    """Section 7: standard logging on `conveyor_rx`; importing configures nothing."""
    program = (
        "import logging, conveyor_rx;"
        "print(logging.root.handlers, logging.getLogger('conveyor_rx').level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[] 0\n", "")


# -- every form of the table, run


@single_task
def double(x: int) -> int:
    return x * 2


@single_task()
async def add_one(x: int) -> int:
    return x + 1


@batch_task(2)
def total(batch: list[int]) -> int:
    return sum(batch)


async def test_three_ways_to_consume() -> None:
    """Section 2: `async for`, `collect`, `as_completed`; of the stage and of the stream."""
    chain = double | add_one
    assert [item async for item in chain([1, 2])] == [3, 5]
    assert await chain([1, 2]).collect() == [3, 5]
    assert await chain.as_completed([1, 2]).collect() == [3, 5]
    assert await chain([1, 2]).as_completed().collect() == [3, 5]
    assert await chain.with_execution_mode("as_completed")([1, 2]).collect() == [3, 5]
    assert [item async for item in double.as_completed([1, 2])] == [2, 4]


async def test_every_stage_is_called_alike() -> None:
    """Section 2: tasks and pipelines are called and set up alike."""
    for stage in (double, double | add_one, total, Pipeline().add(double)):
        for form in (stage, stage.with_context(a=1), stage.with_execution_mode("ordered")):
            stream = form([1, 2])
            assert type(stream) is AsyncStream
            assert len(await stream.collect()) in (1, 2)


async def test_pipeline_by_add() -> None:
    """Section 2: `Pipeline().add(a, b)` is `a | b`; `add` gives the pipeline itself."""
    pipeline: Any = Pipeline(PipelineContext(execution_mode="as_completed"))
    assert pipeline.add(double, add_one) is pipeline
    assert pipeline.stages == [double, add_one]
    assert await pipeline([1]).collect() == [3]
    assert (pipeline | total).stages == [double, add_one, total]
    assert (pipeline | total).context.execution_mode == "as_completed"
    assert (total | pipeline).context.execution_mode == "as_completed"


def test_class_constructors_take_a_retry_config() -> None:
    """Section 2: the class constructors take `retry_config` where the decorators take `retry_*`."""
    config = RetryConfig(max_attempts=5, base_delay=0.5, exponential_backoff=False, max_delay=9)
    assert SingleTask(abs, retry_config=config).retry_config == config
    assert BatchTask(sum, retry_config=config).retry_config == config
    decorated = single_task(
        retry_attempts=5, retry_delay=0.5, retry_exponential_backoff=False, retry_max_delay=9
    )(abs)
    assert decorated.retry_config == config
    assert single_task(abs).retry_config.max_attempts == 1


async def test_context_is_seen_in_a_run() -> None:
    """Section 2: values of the context are shared by the tasks of a run, and gone after it."""

    @single_task
    async def look(x: int) -> Any:
        context = conveyor_rx.get_current_context()
        assert context is not None
        context.data.setdefault("seen", []).append(x)
        return (context.data["user"], context.pipeline_id, len(context.data["seen"]))

    chain = look.with_context(user="ada") | single_task(lambda x: x)
    first = await chain([1, 2]).collect()
    assert [(user, count) for user, _, count in first] == [("ada", 1), ("ada", 2)]
    assert first[0][1] == first[1][1] is not None
    second = await chain([1]).collect()
    assert second[0][1] != first[0][1]
    assert conveyor_rx.get_current_context() is None


async def test_current_context_is_there_or_raises() -> None:
    """Issue 13.34: `current_context` is never None: outside of any run it raises, and says why."""

    @single_task
    async def look(x: int) -> Any:
        await asyncio.sleep(0)
        assert conveyor_rx.current_context() is conveyor_rx.get_current_context()
        return conveyor_rx.current_context().data["user"]

    assert await look.with_context(user="ada")([1]).collect() == ["ada"]
    with pytest.raises(RuntimeError, match=r"not called by a task.*get_current_context\(\)"):
        conveyor_rx.current_context()
    with conveyor_rx.ContextManager(PipelineContext(data={"user": "alan"})):
        assert conveyor_rx.current_context().data == {"user": "alan"}


async def test_context_manager_and_with_context() -> None:
    """Section 2: `ContextManager`, `with_context`, `set_current_context`."""
    context = PipelineContext(data={"user": "ada"})

    async def current() -> Any:
        await asyncio.sleep(0)
        return conveyor_rx.get_current_context()

    with conveyor_rx.ContextManager(context) as entered:
        assert entered is context
        assert await current() is context
    assert await current() is None
    assert await conveyor_rx.with_context(context, current()) is context
    assert await current() is None
    conveyor_rx.set_current_context(context)
    assert await current() is context
    conveyor_rx.set_current_context(None)


async def test_async_with_a_stream() -> None:
    """Section 2, L1: `async with` gives the stream and closes it; then it can't be read anew."""
    stream = double([1, 2, 3])
    async with stream as entered:
        assert entered is stream
        assert await anext(entered) == 2
    assert await anext(stream, None) is None
    with pytest.raises(RuntimeError, match="has been read; call the pipeline again"):
        await stream.collect()


async def test_handler_gets_what_it_is_promised(caplog: pytest.LogCaptureFixture) -> None:
    """Section 2: `LoggingErrorHandler` logs, and goes on with its replacement."""

    @single_task(error_handler=LoggingErrorHandler(replacement_value=-1), task_name="parse")
    def parse(text: str) -> int:
        return int(text)

    with caplog.at_level(logging.ERROR, logger="conveyor_rx"):
        assert await parse(["1", "x"]).collect() == [1, -1]
    assert [record.name for record in caplog.records] == ["conveyor_rx"]
    assert "parse" in caplog.text


class _Unshown(Exception):
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("a\nb"), r"ValueError('a\nb')"), (_Unshown(), "<_Unshown>")],
    ids=["text", "no repr"],
)
async def test_handler_logs_one_line_whatever_the_names(
    error: Exception, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Section 2: names and errors of users bring no line, colour or direction into the log."""
    name = "a\nERROR all is lost\x1b[31m\u202eb"

    @single_task(error_handler=LoggingErrorHandler(), task_name=name)
    def parse(item: str) -> int:
        raise error

    with caplog.at_level(logging.ERROR, logger="conveyor_rx"):
        assert await parse(["1"]).collect() == []
    message = caplog.records[0].getMessage()
    assert message == f"a ERROR all is lost·[31m·b failed at attempt 1: {text}"
