"""What is wrong is said where it is wrong, and what to do (issue 13.30)."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, BaseTask, ErrorHandler, Pipeline, batch_task, single_task
from conveyor_rx.diagrams import draw


@single_task
async def fetch(url: str) -> str:
    return url.upper()


@single_task
def size(text: str) -> int:
    return len(text)


@single_task
def add(number: int, offset: int) -> int:
    return number + offset


@single_task
def shift(number: int, offset: int = 100) -> int:
    return number + offset


@single_task
def named(number: int, *, offset: int) -> int:
    return number + offset


@batch_task(max_size=2)
def total(numbers: list[int], offset: int) -> int:
    return sum(numbers) + offset


# -- joints


class Cells:
    """Like a NumPy array: takes over operators unless the other side refuses."""

    def __or__(self, other: Any) -> Any:
        if getattr(type(other), "__array_ufunc__", True) is None:
            return NotImplemented
        raise AssertionError("spread over the elements")


DATA: list[Any] = [[1, 2], {1}, {"a": 1}, ("x",), "text", range(3), 5, None, Cells()]


@pytest.mark.parametrize("data", DATA, ids=lambda data: type(data).__name__)
def test_data_in_front_of_a_stage(data: Any) -> None:
    """`[1, 2] | fetch` says how data gets in."""
    with pytest.raises(TypeError, match=r"if it is the data, call the stage with it, fetch\(d"):
        data | fetch
    with pytest.raises(TypeError, match=r"call the stage with it, \(fetch \| size\)\(data\)"):
        data | (fetch | size)


def test_data_behind_a_stage() -> None:
    """`fetch | [1, 2]` does, too."""
    with pytest.raises(TypeError, match=r"call the stage with it, fetch\(data\)"):
        fetch | [1, 2]  # type: ignore[operator]


def test_large_and_odd_data_in_front_of_a_stage() -> None:
    """The message is short, in one line, and never fails."""

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    for data in (list(range(10**6)), "a\nb" * 10**6, Odd()):
        with pytest.raises(TypeError, match="call the stage with it") as caught:
            data | fetch  # type: ignore[operator]
        assert len(str(caught.value)) < 600
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["stream", "observable"])
def test_a_stream_in_a_chain(kind: str) -> None:
    """`fetch | size(data)` says that the whole is called; `stream | fetch`, that the stage is."""
    stream: Any = size(["a"]) if kind == "stream" else rx.of("a")
    what = "a stream" if kind == "stream" else "an Observable"
    with pytest.raises(TypeError, match=rf"it is {what} already.*\(fetch \| stage\)\(data\)"):
        fetch | stream
    with pytest.raises(TypeError, match=rf"it is {what}: call the stage with it, fetch\(stream\)"):
        stream | fetch


def test_a_coroutine_in_a_chain() -> None:
    """`fetch | load()`: the call is too much."""

    async def load() -> None: ...

    coroutine: Any = load()
    with pytest.raises(TypeError, match="it is a coroutine: join the task itself"):
        fetch | coroutine
    coroutine.close()


# -- what only streams have


@pytest.mark.parametrize("use", ["collect", "subscribe", "aclose", "stats", "map", "pipe"])
@pytest.mark.parametrize(
    ("stage", "named"),
    [
        (fetch, r"fetch is a task, no stream; call it with data first: fetch\(data\)"),
        (fetch | size, r"fetch \| size is a pipeline, no stream; .*: \(fetch \| size\)\(data\)"),
        (total, r"total is a task, no stream"),
        (BaseTask(task_name="own"), r"own is a task, no stream"),
    ],
    ids=["task", "pipeline", "batch", "own"],
)
def test_a_stage_used_as_a_stream(stage: Any, named: str, use: str) -> None:
    """A pipeline or task that has no data yet is no stream."""
    with pytest.raises(AttributeError, match=rf"{named}.*\.{use}") as caught:
        getattr(stage, use)
    assert "Did you mean" not in str(caught.value)
    assert not hasattr(stage, use)


@pytest.mark.parametrize("use", ["colect", "fun", "__iter__", "_source"])
def test_other_missing_attributes(use: str) -> None:
    """They are missing as anywhere else, with Python's own suggestions."""
    with pytest.raises(AttributeError, match=f"'SingleTask' object has no attribute '{use}'") as e:
        getattr(fetch, use)
    assert (e.value.name, e.value.obj) == (use, fetch)


async def test_iterating_over_a_stage() -> None:
    """`async for x in pipeline` without data says what is lacking."""
    for stage in (fetch, fetch | size, Pipeline().add(fetch)):
        with pytest.raises(TypeError, match=r"no stream; call it with data first"):
            async for _ in stage:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
                pass


async def test_a_call_that_has_bound_a_side_input() -> None:
    """`add(["u"]).collect()` says that the call bound what was lacking."""
    bound: Any = add([1])
    with pytest.raises(
        AttributeError,
        match=r"add\(...\) is a task, no stream: it lacked side inputs, so the call bound 'offset'"
        r"; "
        r"call the result with data: add\(...\)\(data\).collect",
    ):
        bound.collect()
    with pytest.raises(TypeError, match=r"so the call bound 'offset'"):
        async for _ in bound:
            pass
    with pytest.raises(AttributeError, match=r"add is a task, no stream; call it with data first"):
        getattr(add.with_inputs(1), "collect")  # noqa: B009  # checkers would say so, too


# -- data and side inputs in one call


CALLS: dict[str, tuple[Any, Callable[[Any], Any], list[int]]] = {
    "named": (add, lambda stage: stage([1, 2], offset=10), [11, 12]),
    "keyword only": (named, lambda stage: stage([1, 2], offset=10), [11, 12]),
    "batch": (total, lambda stage: stage([1, 2, 3, 4], offset=10), [13, 17]),
    "with a default": (shift, lambda stage: stage([1, 2], offset=10), [11, 12]),
    "default left alone": (shift, lambda stage: stage([1, 2]), [101, 102]),
    "bound before": (add.with_inputs(1), lambda stage: stage([1, 2], 10), [11, 12]),
    "as completed": (add, lambda stage: stage.as_completed([1, 2], offset=10), [11, 12]),
    "one item": (add, lambda stage: stage(5, offset=10), [15]),
    "stream": (add, lambda stage: stage([1, 2], offset=AsyncStream([10])), [11, 12]),
}


@pytest.mark.parametrize("how", CALLS)
@pytest.mark.parametrize("alone", [True, False], ids=["task", "pipeline"])
async def test_tasks_and_pipelines_agree(how: str, alone: bool) -> None:
    """V4, S3: data and what the function needs beside it, in one call."""
    task, call, expected = CALLS[how]
    stage = task if alone else task | single_task(lambda x: x)
    assert await call(stage).collect() == expected


async def test_a_coroutine_given_with_the_data_is_awaited() -> None:
    """V4, S1: and not closed by what looks at the arguments."""

    async def load() -> int:
        return 10

    stream: Any = add([1, 2], offset=load())
    assert await stream.collect() == [11, 12]


async def test_what_can_be_a_side_input_is_bound() -> None:
    """S3: binding comes first: `wait_for_other(stream)`, also with an optional one by name."""

    @single_task
    async def wait(x: int, other: int, *, scale: int = 1) -> int:
        return x + other * scale

    bound: Any = wait(AsyncStream([10]), scale=2)
    assert await bound([1]).collect() == [21]


def test_a_call_without_data() -> None:
    """A function that needs an item, called with names alone, or with nothing."""
    with pytest.raises(
        TypeError,
        match=r"task 'shift' needs an item, 'number', and this call has no data: "
        r"shift\(data, offset=...\), or bind side inputs for later: "
        r"shift.with_inputs\(offset=...\)",
    ):
        shift(offset=5)
    with pytest.raises(TypeError, match=r"'fetch' needs an item, 'url', .*: fetch\(data\)$"):
        fetch()
    with pytest.raises(TypeError, match=r"needs an item"):
        (shift | size)(offset=5)


# -- methods


class Service:
    def __init__(self, name: str = "") -> None:
        self.name = name

    @single_task
    async def fetch(self, url: str) -> str:
        return self.name + url

    @single_task
    def tagged(self, url: str, tag: str) -> str:
        return self.name + url + tag

    @batch_task(max_size=2)
    def join(self, urls: list[str]) -> str:
        return self.name + "".join(urls)

    @single_task
    def shown(self) -> str:
        return self.name

    @single_task
    def double(x: int) -> int:  # noqa: N805  # a class as a namespace
        return 2 * x


@pytest.mark.parametrize("name", ["fetch", "tagged", "join"])
def test_a_method_used_through_its_class(name: str) -> None:
    """It says so, wherever the task is used, and names the class."""
    task = getattr(Service, name)
    for use in (
        lambda: task(["a"]),
        lambda: task(["a"], "b"),
        lambda: task.as_completed(["a"]),
        lambda: task(["a"], url="b"),
        lambda: task.with_inputs("a", "b", "c"),
        lambda: (task | size)(["a"]),
        lambda: (fetch | task)(["a"]),
        lambda: task(),
    ):
        match = rf"'{name}' is a method of Service.*Service\(...\)\.{name}"
        with pytest.raises(TypeError, match=match):
            use()


async def test_methods_used_rightly() -> None:
    """Through an instance; or through the class, where the item is the instance, or no self is."""
    service = Service("x")
    assert await service.fetch(["a"]).collect() == ["xa"]
    assert await service.tagged("t")(["a"]).collect() == ["xat"]  # type: ignore[call-overload]
    assert await service.join(["a", "b"]).collect() == ["xab"]
    assert await Service.shown([Service("a"), Service("b")]).collect() == ["a", "b"]
    doubles: Any = Service.double
    assert await doubles([1, 2]).collect() == [2, 4]


def test_signatures_are_read_once_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one takes as long as 20 items."""
    import conveyor_rx._tasks.binding as module

    reads: list[Any] = []
    read = module.signature_or_none
    monkeypatch.setattr(module, "signature_or_none", lambda f: reads.append(f) or read(f))
    task = single_task(lambda x, offset=0: x)
    for _ in range(3):
        task([1])
        task([1], offset=2)
        (task | task)([1])
    assert len(reads) == 1


# -- handlers


class Sync(ErrorHandler):
    def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        return True, item


class Answers(ErrorHandler):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        return self.answer


class SyncNone(ErrorHandler):
    def handle_error(self, error: Any, item: Any, task_name: Any, attempt: Any) -> Any:
        return None


ANSWERS: dict[str, tuple[ErrorHandler, str]] = {
    "sync": (Sync(), r"Sync.handle_error must be async .*returned a tuple of bool, "),
    "sync, None": (SyncNone(), r"SyncNone.handle_error must be async .*returned None"),
    "None": (Answers(None), r"Answers.handle_error must return \(True, value\).*returned None"),
    "bare": (Answers("secret"), r"must return \(True, value\).*a value of type 'str'"),
    "pair of letters": (Answers("no"), r"must return \(True, value\).*a value of type 'str'"),
    "bare True": (Answers(True), r"must return \(True, value\).*a value of type 'bool'"),
    "swapped": (Answers(("secret", True)), r"must return .*returned a tuple of str, bool"),
    "too many": (Answers((True, 1, 2)), r"must return .*returned a tuple of bool, int, int"),
    "empty": (Answers(()), r"must return .*returned a tuple of nothing"),
}


@pytest.mark.parametrize("kind", ["async", "def", "generator", "batch"])
@pytest.mark.parametrize("how", ANSWERS)
async def test_a_handler_that_does_not_answer(how: str, kind: str) -> None:
    """E6: the handler is named, and what it should return; the failure is the cause."""
    handler, text = ANSWERS[how]

    def fail(x: Any) -> Any:
        raise LookupError(x)

    async def fail_later(x: Any) -> Any:
        return fail(x)

    def fail_within(x: Any) -> Iterator[Any]:
        yield fail(x)

    function = {"async": fail_later, "generator": fail_within}.get(kind, fail)
    make: Any = batch_task(1, error_handler=handler) if kind == "batch" else None
    make = make or single_task(error_handler=handler)
    with pytest.raises(TypeError, match=text) as caught:
        await make(function)(["secret"]).collect()
    assert isinstance(caught.value.__cause__, LookupError)
    assert "secret" not in str(caught.value)


async def test_a_handler_that_passes_the_question_on() -> None:
    """E6: a plain method that returns the coroutine of another handler is one that answers."""

    class Passing(ErrorHandler):
        def handle_error(self, *args: Any) -> Any:
            return Answers((True, "x")).handle_error(*args)

    task = single_task(error_handler=Passing())(lambda x: x / 0)
    assert await task([1]).collect() == ["x"]


# -- pictures and views


async def test_drawing_what_is_no_stream() -> None:
    """`draw(pipeline)` says `draw(pipeline(data))`, before anything runs."""
    for wrong, text in (
        (fetch | size, r"write draw\(pipeline\(data\)\), not draw\(pipeline\)"),
        (fetch, r"write draw\(task\(data\)\), not draw\(task\)"),
        (fetch(["a"]).collect(), r"not a coroutine: leave out .collect\(\)"),
        ([1, 2], r"such as pipeline\(data\).*not a value of type 'list'"),
        (rx.of(1), r"AsyncStream\(source\)"),
    ):
        stream: Any = wrong
        with pytest.raises(TypeError, match=text):
            await draw(stream)
    with pytest.raises(TypeError, match="thme"):
        await draw(fetch(["a"]), thme="dark")


def test_progress_from_its_package() -> None:
    """`from conveyor_rx.probes import progress` gives what can be called, as does the module's."""
    from conveyor_rx.probes import progress
    from conveyor_rx.probes.progress import progress as function

    for call in (progress, function):
        with call():
            pass
    assert inspect.ismodule(progress)


# -- names


def test_two_lambdas_have_names_that_tell_them_apart() -> None:
    """Issue 13.31: also in one line, in a partial, and over several lines."""
    chain = single_task(lambda x: x + 1) | single_task(lambda x: x * 2) | single_task(abs)
    names = [stage.task_name for stage in chain.stages]
    source, first = inspect.getsourcelines(test_two_lambdas_have_names_that_tell_them_apart)
    line = first + 2
    columns = [source[2].index(body) + 1 for body in ("x + 1", "x * 2")]
    assert names == [*(f"<lambda>:{line}:{column}" for column in columns), "abs"]
    assert [stats.stage for stats in chain([1]).stats] == names
    later = single_task(
        functools.partial(
            lambda x, y: (
                x + y
            ),
            1,
        )
    )  # fmt: skip
    place = next(number for number, text in enumerate(source) if text.strip() == "x + y")
    assert later.task_name == f"<lambda>:{first + place}:17"
    assert single_task(task_name="double")(lambda x: 2 * x).task_name == "double"


# -- copies


async def test_tasks_are_copied() -> None:
    """Section 2: as before, whatever their functions are called."""
    bound = add.with_inputs(1)
    for copied in (copy.copy(bound), copy.deepcopy(bound), copy.deepcopy([bound])[0]):
        assert await copied([1]).collect() == [2]
