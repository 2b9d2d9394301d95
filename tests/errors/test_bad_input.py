"""Bad input and what it gets: an error at once, that names what is wrong and what to do."""

from __future__ import annotations

import asyncio
import functools
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BatchTask,
    ErrorHandler,
    Pipeline,
    PipelineContext,
    RetryConfig,
    SingleTask,
    Stage,
    batch_task,
    single_task,
)
from conveyor_rx.testing import timed_task
from tests.kit import Boom, drain, in_both_modes, nap, same

single: Any = single_task
batch: Any = batch_task


def func(x: int) -> int:
    return x


# -- options


BAD_OPTIONS: list[tuple[str, Any, type[Exception]]] = [
    ("on_error", "ignore", ValueError),
    ("on_error", None, ValueError),
    ("on_error", ["fail"], ValueError),
    ("retry_attempts", 0, ValueError),
    ("retry_attempts", -1, ValueError),
    ("retry_attempts", 1.5, TypeError),
    ("retry_attempts", "3", TypeError),
    ("retry_attempts", True, TypeError),
    ("retry_attempts", None, TypeError),
    ("retry_delay", -0.1, ValueError),
    ("retry_delay", float("nan"), ValueError),
    ("retry_delay", float("inf"), ValueError),
    ("retry_delay", "1", TypeError),
    ("retry_delay", None, TypeError),
    ("retry_max_delay", -1, ValueError),
    ("retry_max_delay", 10**400, ValueError),
    ("retry_max_delay", "60", TypeError),
    ("retry_exponential_backoff", 1, TypeError),
    ("retry_exponential_backoff", "yes", TypeError),
    ("error_handler", 5, TypeError),
    ("error_handler", func, TypeError),
    ("task_name", 5, TypeError),
    ("concurrency_limit", 0, ValueError),
    ("concurrency_limit", -5, ValueError),
    ("concurrency_limit", 2.0, TypeError),
    ("concurrency_limit", "all", TypeError),
    ("concurrency_limit", True, TypeError),
    ("timeout", 0, ValueError),
    ("timeout", -1, ValueError),
    ("timeout", "1", TypeError),
    ("flatten", None, TypeError),
    ("flatten", 0, TypeError),
]
KINDS = ["single_task", "batch_task"]
bad_options = pytest.mark.parametrize(
    ("name", "value", "error"), BAD_OPTIONS, ids=[f"{n}={v!r:.20}" for n, v, _ in BAD_OPTIONS]
)


@bad_options
@pytest.mark.parametrize("make", [single_task, functools.partial(batch_task, 2)], ids=KINDS)
def test_option_out_of_range(make: Any, name: str, value: Any, error: type[Exception]) -> None:
    """E10: a bad option is a ValueError or TypeError at decoration, and names the option."""
    with pytest.raises(error, match=rf"\b{name}\b"):
        make(**{name: value})(func)


@pytest.mark.parametrize("name", ["retries", "limit", "deadline", "min_size", "max_size"])
def test_unknown_option(name: str) -> None:
    """Bad input: an unknown option is a TypeError that names it."""
    with pytest.raises(TypeError, match=name):
        single(**{name: 1})
    if "size" not in name:
        with pytest.raises(TypeError, match=name):
            batch(max_size=1, **{name: 1})


@pytest.mark.parametrize(
    ("sizes", "name", "error"),
    [
        ({"max_size": 0}, "max_size", ValueError),
        ({"max_size": -3}, "max_size", ValueError),
        ({"max_size": 2.0}, "max_size", TypeError),
        ({"max_size": "2"}, "max_size", TypeError),
        ({"max_size": True}, "max_size", TypeError),
        ({"min_size": 0}, "min_size", ValueError),
        ({"min_size": None}, "min_size", TypeError),
        ({"min_size": 3, "max_size": 2}, "max_size", ValueError),
        ({"min_size": "two"}, "min_size", TypeError),
    ],
    ids=str,
)
def test_batch_size_out_of_range(sizes: Any, name: str, error: type[Exception]) -> None:
    """E10: the sizes of a batch task, by decorator and by constructor."""
    with pytest.raises(error, match=name):
        batch(**sizes)(func)
    with pytest.raises(error, match=name):
        BatchTask(func, **sizes)


@pytest.mark.parametrize("bare", [func, lambda batch: batch, sum, SingleTask])
def test_bare_batch_task_shows_the_right_form(bare: Any) -> None:
    """Bad input: a plain function where a batch size is missing: TypeError with the right form."""
    with pytest.raises(TypeError, match=r"@batch_task\(max_size=\.\.\.\)"):
        batch(bare)


def test_bare_batch_task_names_the_function() -> None:
    """Bad input: and the message says which function."""

    def write_rows(rows: list[int]) -> None: ...

    with pytest.raises(TypeError, match="write_rows"):
        batch(write_rows)


@pytest.mark.parametrize("bad", [5, "text", [func], same, BatchTask(func, 2)])
def test_decorating_what_is_no_function(bad: Any) -> None:
    """E10: a task is made of a callable that is no task already; else TypeError."""
    with pytest.raises(TypeError):
        SingleTask(bad)
    with pytest.raises(TypeError):
        batch(max_size=1)(bad)
    with pytest.raises(TypeError):
        single()(bad)


@pytest.mark.parametrize(
    ("values", "name", "error"),
    [
        ({"max_attempts": 0}, "max_attempts", ValueError),
        ({"max_attempts": 1.0}, "max_attempts", TypeError),
        ({"base_delay": -1}, "base_delay", ValueError),
        ({"max_delay": float("nan")}, "max_delay", ValueError),
        ({"exponential_backoff": None}, "exponential_backoff", TypeError),
        ({"backoff_multiplier": "2"}, "backoff_multiplier", TypeError),
        ({"backoff_multiplier": -2}, "backoff_multiplier", ValueError),
    ],
    ids=str,
)
def test_retry_config_out_of_range(values: Any, name: str, error: type[Exception]) -> None:
    """E10: the fields of RetryConfig."""
    with pytest.raises(error, match=name):
        RetryConfig(**values)


@pytest.mark.parametrize("bad", [3, {"max_attempts": 3}, RetryConfig])
def test_retry_config_of_the_wrong_kind(bad: Any) -> None:
    """E10: `retry_config` must be a RetryConfig."""
    with pytest.raises(TypeError, match="retry_config"):
        SingleTask(func, retry_config=bad)


def test_error_handler_class_instead_of_instance() -> None:
    """E10: a handler class where an instance is needed: TypeError at decoration."""

    class Handler(ErrorHandler):
        async def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
            return True, None

    with pytest.raises(TypeError, match="error_handler"):
        single(error_handler=Handler)(func)


@pytest.mark.parametrize(
    ("values", "name", "error"),
    [
        ({"execution_mode": "random"}, "execution_mode", ValueError),
        ({"execution_mode": None}, "execution_mode", ValueError),
        ({"max_parallelism": 0}, "max_parallelism", ValueError),
        ({"max_parallelism": "2"}, "max_parallelism", TypeError),
        ({"max_in_flight": 0}, "max_in_flight", ValueError),
        ({"max_in_flight": 1.5}, "max_in_flight", TypeError),
        ({"max_in_flight": True}, "max_in_flight", TypeError),
    ],
    ids=str,
)
def test_context_out_of_range(values: Any, name: str, error: type[Exception]) -> None:
    """E10: settings of a context, when the pipeline is made."""
    for make in (
        lambda: PipelineContext(**values),
        lambda: same.with_context(**values),
        lambda: (same | same).with_context(**values),
    ):
        with pytest.raises(error, match=name):
            make()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("max_inflight", "max_in_flight"),
        ("inflight", "max_in_flight"),
        ("in_flight", "max_in_flight"),
        ("maxInFlight", "max_in_flight"),
        ("MAX_IN_FLIGHT", "max_in_flight"),
        ("max_paralellism", "max_parallelism"),
        ("max_parallel", "max_parallelism"),
        ("parallelism", "max_parallelism"),
        ("execution_mod", "execution_mode"),
        ("exec_mode", "execution_mode"),
        ("executionmode", "execution_mode"),
        ("Data", "data"),
    ],
)
def test_nearly_a_setting(name: str, meant: str) -> None:
    """E10: it would be data without a word; the error names the setting, and the way round."""
    for make in (
        lambda: same.with_context(**{name: 2}),
        lambda: (same | same).with_context(max_parallelism=2, **{name: 2}),
        lambda: PipelineContext().replace(**{name: 2}),
    ):
        with pytest.raises(TypeError, match=rf"no setting '{name}'; did you mean '{meant}'\?"):
            make()
    assert same.with_context(data={name: 2}).context.data == {name: 2}


@pytest.mark.parametrize(
    "name",
    """user date metadata my_data execution_date execution_id max_items max_height max_retries
    mode pipeline pipeline_name limit on_error session base_url größe 数据 _ x a1 max in
    data_dir""".split(),
)
def test_names_that_are_free(name: str) -> None:
    """Section 2: data of any other name; also beside settings."""
    context = same.with_context(max_in_flight=None, **{name: 2}).context
    assert (context.data, context.max_in_flight) == ({name: 2}, None)
    assert context.replace(data={"a": 1}, b=2).data == {"a": 1, "b": 2}
    assert context.replace().data == {name: 2}


def with_names(item: int, *, offset: int = 0, scale: float = 1) -> float:
    return (item + offset) * scale


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ofset", r"'ofset'; did you mean 'offset'\?"),
        ("scales", r"'scales'; did you mean 'scale'\?"),
        ("max_in_flight", r"it is a setting: with_context\(max_in_flight=...\)"),
        ("concurrency_limit", r"it is an option of the decorator"),
        ("other", r"'other'; the signature is"),
    ],
)
def test_nearly_a_parameter(name: str, hint: str) -> None:
    """E10, S3, V4: in `with_inputs` and in calls, of tasks and pipelines."""
    task = single_task(with_names)
    for make in (
        lambda: task.with_inputs(**{name: 2}),
        lambda: task([1], **{name: 2}),
        lambda: task.as_completed([1], **{name: 2}),
        lambda: (task | same)([1], **{name: 2}),
        lambda: batch_task(2)(with_names)([1], **{name: 2}),  # type: ignore[type-var]
    ):
        with pytest.raises(TypeError, match=hint):
            make()


def test_unknown_mode() -> None:
    """E10: `with_execution_mode` names option and choice."""
    with pytest.raises(ValueError, match=r"execution_mode must be 'ordered' or 'as_completed'"):
        same.with_execution_mode("unordered")


@pytest.mark.parametrize("bad", [{}, "ordered", 5])
def test_pipeline_of_a_wrong_context(bad: Any) -> None:
    """E10: `Pipeline(context)` wants a PipelineContext."""
    with pytest.raises(TypeError, match="context must be a PipelineContext"):
        Pipeline(bad)


# -- `|`


async def coroutine_function(x: int) -> int:
    return x


NO_STAGES: list[Any] = [func, coroutine_function, lambda x: x, 5, None, "text", [same], SingleTask]


@pytest.mark.parametrize(
    "other", NO_STAGES, ids="def async-def lambda number None str list class".split()
)
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("stage", [same, same | nap], ids=["task", "pipeline"])
def test_joining_what_is_no_stage(stage: Any, side: str, other: Any) -> None:
    """Bad input: `|` with no stage: TypeError that names both sides and says what to do."""
    with pytest.raises(TypeError, match="decorate it with @single_task") as caught:
        stage | other if side == "right" else other | stage
    assert "same" in str(caught.value)
    assert repr(other) in str(caught.value)


def test_add_of_no_stage_changes_nothing() -> None:
    """Bad input: `add` with a bad one among good ones appends nothing."""
    pipeline: Any = Pipeline().add(same)
    with pytest.raises(TypeError, match="decorate it with @single_task"):
        pipeline.add(nap, func, nap)
    assert pipeline.stages == [same]


def test_observable_in_a_chain() -> None:
    """Bad input: an Observable is no operator."""
    other: Any = rx.of(1)
    with pytest.raises(TypeError, match="no stage and no Rx operator"):
        same | other


def test_class_of_a_task_in_a_chain() -> None:
    """Bad input: the class of an own task instead of an instance: TypeError at `|`."""
    with pytest.raises(TypeError, match="no stage"):
        same | SingleTask


def test_stage_is_abstract() -> None:
    """Bad input: a Stage subclass that lacks its methods can't be made."""

    class Half(Stage[int, int]):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Half()


async def test_operator_that_gives_no_observable() -> None:
    """Bad input: an operator in a chain that gives something else: TypeError that names it."""
    with pytest.raises(TypeError, match="to_future"):
        await (same | ops.to_future()).with_context()([1]).collect()


# -- no loop


@pytest.mark.parametrize(
    "use",
    [
        lambda stream: stream.subscribe(),
        lambda stream: stream.__anext__().send(None),
        lambda stream: aiter(stream).__anext__().send(None),
        lambda stream: stream.collect().send(None),
        lambda stream: stream.run(),
    ],
    ids="subscribe anext async-for collect run".split(),
)
@pytest.mark.parametrize("derive", [lambda stream: stream, lambda stream: stream.map(str)])
def test_without_a_running_loop(use: Callable[[Any], Any], derive: Callable[[Any], Any]) -> None:
    """Bad input: iterating or subscribing without a loop: a RuntimeError that says what to do."""
    with pytest.raises(RuntimeError, match=r"running event loop.*asyncio\.run"):
        use(derive(same([1])))


def test_stream_of_an_observable_subscribes_without_a_loop() -> None:
    """Section 2: an AsyncStream that only wraps an Observable needs no loop to be subscribed."""
    got: list[int] = []
    AsyncStream(rx.of(1, 2)).subscribe(got.append)
    assert got == [1, 2]


async def test_subscribe_in_a_foreign_thread() -> None:
    """Bad input: in a thread without a loop: the same RuntimeError, there."""
    with pytest.raises(RuntimeError, match="running event loop"):
        await asyncio.to_thread(lambda: same([1]).subscribe())


# -- sources


class Row(dict[str, int]):
    pass


class Opaque:
    def __repr__(self) -> str:
        return "opaque"


OPAQUE = Opaque()


@pytest.mark.parametrize(
    "item",
    [
        "text",
        "",
        b"bytes",
        bytearray(b"bytes"),
        {"a": 1},
        {},
        Row(a=1),
        MappingProxyType({"a": 1}),
        ChainMap({"a": 1}),
        5,
        0,
        2.5,
        False,
        OPAQUE,
        func,
        int,
        asyncio,
    ],
    ids=lambda item: type(item).__name__,
)
@in_both_modes
async def test_what_is_not_many_is_one_item(item: Any, mode: Any) -> None:
    """V3: str, bytes, mappings and what is not iterable are one item, the very object."""
    [got] = await same.with_execution_mode(mode)(item).collect()
    assert got is item
    [got] = await AsyncStream(item).collect()
    assert got is item


async def test_none_as_data_is_one_item() -> None:
    """V3: None is a value that is not iterable: one item (and no data at all is another thing)."""
    seen: list[Any] = []

    @single_task
    def look(x: Any) -> str:
        seen.append(x)
        return "seen"

    assert await look(None).collect() == ["seen"]
    assert seen == [None]


async def test_class_that_is_iterable_is_one_item() -> None:
    """V3: a class is a value, even if its instances can be iterated."""

    class Many:
        def __iter__(self) -> Iterator[int]:
            yield from range(3)

    assert await same(Many).collect() == [Many]
    assert await same(Many()).collect() == [0, 1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: _raises_in_iter(),
        lambda: _raises_in_aiter(),
        lambda: _returns_no_iterator(),
        lambda: _async_generator_function(),
    ],
    ids=["__iter__ raises", "__aiter__ raises", "no iterator", "async generator raises"],
)
async def test_source_of_the_wrong_kind_is_an_error(make: Callable[[], Any]) -> None:
    """V3/E7: a source that can't be iterated after all ends the run with its own error."""
    with pytest.raises((Boom, TypeError)):
        await same(make()).collect()


def _raises_in_iter() -> Any:
    class Bad:
        def __iter__(self) -> Iterator[int]:
            raise Boom

    return Bad()


def _raises_in_aiter() -> Any:
    class Bad:
        def __aiter__(self) -> AsyncIterator[int]:
            raise Boom

        async def __anext__(self) -> int:
            raise AssertionError

    return Bad()


def _returns_no_iterator() -> Any:
    class Bad:
        def __iter__(self) -> Any:
            return 5

    return Bad()


async def _async_generator_function() -> AsyncIterator[int]:
    raise Boom
    yield 1


# -- no data


async def test_no_data_calls_the_first_task_without_an_item() -> None:
    """V3: `pipeline()` calls the first task once, without an item."""

    @single_task
    async def three() -> AsyncIterator[int]:
        for n in range(3):
            yield n

    assert await three().collect() == [0, 1, 2]
    assert await (three | nap)().collect() == [0, 1, 2]
    assert await (three | nap).as_completed().collect() == [0, 1, 2]


def test_no_data_for_a_task_that_needs_an_item() -> None:
    """Bad input: no data where an item is needed: TypeError that names what is missing."""
    for stage in (same, same | nap):
        with pytest.raises(TypeError, match="'item'"):
            stage()


def test_data_for_a_task_that_takes_none() -> None:
    """Bad input: data for a function without parameters: TypeError when called."""
    task: Any = single(lambda: 1)
    with pytest.raises(TypeError, match="too many"):
        task([1])


@pytest.mark.parametrize("first", [ops.map(str), Pipeline()], ids=["operator", "empty pipeline"])
def test_only_a_task_takes_extra_arguments(first: Any) -> None:
    """V4: extra arguments, or no data, where no task stands first: TypeError."""
    chain: Any = Pipeline().add(first)
    for call in (lambda: chain(), lambda: chain([1], 2), lambda: chain([1], a=2)):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize(
    ("args", "kwargs"), [((1,), {}), ((), {"y": 1})], ids=["positional", "keyword"]
)
def test_extra_arguments_that_do_not_fit(args: Any, kwargs: Any) -> None:
    """V4: extra arguments that the first task can't take: TypeError when called."""
    chain: Any = same | nap
    with pytest.raises(TypeError, match="'same' can't be called with"):
        chain([1], *args, **kwargs)


async def test_empty_pipeline_passes_items_on() -> None:
    """Section 2: a pipeline without stages gives its data back."""
    assert await Pipeline()([1, 2]).collect() == [1, 2]


# -- errors elsewhere


@in_both_modes
async def test_error_in_the_source(mode: Any) -> None:
    """E7: an error in the source: all that was pulled before is delivered, then that error."""

    def failing() -> Iterator[int]:
        yield from range(3)
        raise Boom("source")

    async def failing_async() -> AsyncIterator[int]:
        for n in range(3):
            yield n
        raise Boom("source")

    for data in (failing(), failing_async(), rx.concat(rx.of(0, 1, 2), rx.throw(Boom("source")))):
        got: list[int] = []
        with pytest.raises(Boom, match="source"):
            await drain((nap | nap).with_execution_mode(mode)(data), got)
        assert got == [0, 1, 2]


class Raising(ErrorHandler):
    async def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        raise LookupError("handler")


class Garbled(ErrorHandler):
    async def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        return "yes"


class Unwritten(ErrorHandler):
    pass


class Synchronous(ErrorHandler):
    def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        return True, -item


def fail_at_two(x: int) -> int:
    if x == 2:
        raise Boom(x)
    return x


@in_both_modes
async def test_error_in_a_handler(mode: Any) -> None:
    """E6: what a handler raises is raised, the original its cause, at the item's place."""
    task = single_task(error_handler=Raising())(fail_at_two)
    got: list[int] = []
    with pytest.raises(LookupError) as caught:
        await drain(task.with_execution_mode(mode)(range(3)), got)
    assert got == [0, 1]
    assert isinstance(caught.value.__cause__, Boom)


@pytest.mark.parametrize("handler", [Garbled(), Unwritten()], ids=["garbled", "unwritten"])
async def test_handler_that_answers_wrongly(handler: ErrorHandler) -> None:
    """E6: a handler that gives no pair, or isn't written: an error, the original its cause."""
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as caught:
        await single_task(error_handler=handler)(fail_at_two)([2]).collect()
    assert isinstance(caught.value.__cause__, Boom)


async def test_plain_handler() -> None:
    """E6: a `handle_error` that is no coroutine function: an error, the original its cause."""
    task = single_task(error_handler=Synchronous())(fail_at_two)
    with pytest.raises(TypeError) as caught:
        await task([2]).collect()
    assert isinstance(caught.value.__cause__, Boom)


# -- wrong uses of a stream


async def test_plain_for_and_list() -> None:
    """Bad input: `for` over a stream: TypeError, no silent wrong iteration."""
    stream: Any = same([1])
    for wrong in (lambda: iter(stream), lambda: list(stream), lambda: len(stream)):  # in this order
        with pytest.raises(TypeError):
            wrong()


async def test_item_that_lies_about_equality() -> None:
    """V1/V2: only None is None: numpy-like values whose `==` raises pass through."""

    class Array:
        def __eq__(self, other: object) -> bool:
            raise Boom

        def __bool__(self) -> bool:
            raise Boom

        __hash__ = None

    items = [Array(), Array()]
    got = await (single(lambda x: x) | single(timed_task(lambda x: 1)))(items).collect()
    assert [id(item) for item in got] == [id(item) for item in items]
    [pair] = await batch(max_size=2)(tuple)(items).collect()
    assert [id(item) for item in pair] == [id(item) for item in items]
