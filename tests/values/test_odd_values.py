"""Values that dislike being looked at, errors that are falsy or refuse notes, pass untouched."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    ErrorHandler,
    Pipeline,
    RetryConfig,
    SingleTask,
)
from conveyor_rx.events import Event, observe
from tests.kit import in_both_modes, watched_or_not

WAYS = ("async for", "collect", "subscribe")
in_each_way = pytest.mark.parametrize("way", WAYS)


def _refuse(*_: Any) -> Any:
    raise RuntimeError("don't look at me")


# -- values


class Unhashable(type):
    """A class that can't be a member of a set."""

    __hash__ = None  # type: ignore[assignment]  # this is the point


class OfUnhashable(metaclass=Unhashable):
    pass


class Lazy:
    """Stands for a value that is only made when somebody asks for anything, and then fails."""

    __slots__ = ()
    __class__ = property(_refuse)  # type: ignore[assignment]  # this is the point
    __eq__ = __ne__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = _refuse
    __hash__ = _refuse
    __getattr__ = _refuse


class Nobody:
    pass


def dead_proxy() -> Any:
    return weakref.proxy(Nobody())


ODD: dict[str, Callable[[], Any]] = {
    "of an unhashable class": OfUnhashable,
    "the unhashable class": lambda: OfUnhashable,
    "lazy": Lazy,
    "dead": dead_proxy,
}
of_each_odd_value = pytest.mark.parametrize("odd", ODD)


def _async(give: Callable[[Any], Any]) -> Any:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return give(item)

    return call


def _eager(give: Callable[[Any], Any]) -> Any:
    async def call(item: Any) -> Any:
        return give(item)

    return call


def _generator(give: Callable[[Any], Any]) -> Any:
    def generate(item: Any) -> Iterator[Any]:
        yield give(item)

    return generate


def _async_generator(give: Callable[[Any], Any]) -> Any:
    async def generate(item: Any) -> AsyncIterator[Any]:
        yield give(item)

    return generate


class Own(BaseTask[Any, Any]):
    def __init__(self, give: Callable[[Any], Any]) -> None:
        super().__init__()
        self.give = give

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            yield self.give(item)


def _of_first(give: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    return lambda batch: give(batch[0])


STAGES: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "async": lambda give: SingleTask(_async(give)),
    "eager": lambda give: SingleTask(_eager(give)),
    "def": lambda give: SingleTask(lambda item: give(item)),
    "def that gives a coroutine": lambda give: SingleTask(lambda item: _async(give)(item)),
    "one at a time": lambda give: SingleTask(_async(give), concurrency_limit=1),
    "generator": lambda give: SingleTask(_generator(give)),
    "async generator": lambda give: SingleTask(_async_generator(give)),
    "batch": lambda give: BatchTask(_of_first(give), 1),
    "async batch": lambda give: BatchTask(_async(_of_first(give)), 1),
    "batch generator": lambda give: BatchTask(_generator(_of_first(give)), 1),
    "own": Own,
    "rx": lambda give: Pipeline[Any, Any]().add(ops.map(give)),
}
of_each_stage = pytest.mark.parametrize("stage", STAGES)


async def read(stream: AsyncStream[Any], way: str, *, watched: bool = False) -> list[Any]:
    if watched:
        with observe(lambda event: None):
            return await _read(stream, way)
    return await _read(stream, way)


async def _read(stream: AsyncStream[Any], way: str) -> list[Any]:
    got: list[Any] = []
    match way:
        case "async for":
            got.extend([value async for value in stream])
        case "collect":
            got = await stream.collect()
        case _:
            over = asyncio.Event()
            errors: list[Any] = []

            def fail(error: Exception) -> None:
                errors.append(error)
                over.set()

            stream.subscribe(got.append, fail, over.set)
            await over.wait()
            for error in errors:
                raise error
    return got


@in_both_modes
@of_each_odd_value
@of_each_stage
async def test_a_value_passes_through_untouched(stage: str, odd: str, mode: Any) -> None:
    """V2: a value is passed on as it is, whatever it does when somebody looks at it."""
    made = [ODD[odd](), 2, ODD[odd]()]
    behind = STAGES["eager"](lambda item: item) | STAGES["batch"](lambda item: item)
    pipeline = (STAGES[stage](made.__getitem__) | behind).with_execution_mode(mode)
    for way in WAYS:
        for watched in (False, True):
            got = await read(pipeline(range(3)), way, watched=watched)
            assert sorted(map(id, got)) == sorted(map(id, made))


@in_both_modes
@pytest.mark.parametrize("stage", [name for name in STAGES if name not in ("own", "rx")])
async def test_the_elements_of_a_list_are_passed_on_untouched(stage: str, mode: Any) -> None:
    """V2: so are those of a list, or what a generator yields."""
    made = [ODD[odd]() for odd in ODD]
    pipeline = STAGES[stage](lambda _: list(made)).with_execution_mode(mode)
    got = await pipeline([1]).collect()
    if "generator" in stage:  # it yields the list
        (got,) = got
    assert [id(value) for value in got] == [id(value) for value in made]


async def test_a_lazy_object_that_works_is_not_evaluated() -> None:
    """V2: a lazy object (as Django's) is not made to fetch what it stands for."""
    fetched: list[str] = []

    class Healthy:
        @property
        def __class__(self) -> Any:
            fetched.append("class")
            return list

        def __len__(self) -> int:
            fetched.append("len")
            return 1

        def __iter__(self) -> Iterator[int]:
            fetched.append("iter")
            return iter([1])

    healthy = Healthy()
    for stage in STAGES.values():
        for watched in (False, True):
            (got,) = await read(stage(lambda _: healthy)([1]), "collect", watched=watched)
            assert got is healthy
    assert fetched == []


class NoLength(list[int]):
    __len__ = _refuse
    __bool__ = _refuse
    __class__ = property(_refuse)  # type: ignore[assignment]  # this is the point


class NoElements(list[int]):
    __iter__ = _refuse


@in_both_modes
@watched_or_not
@pytest.mark.parametrize(
    "stage", [name for name in STAGES if "generator" not in name and name not in ("own", "rx")]
)
async def test_a_list_that_does_not_say_how_long_it_is(
    stage: str, mode: Any, watched: bool
) -> None:
    """V2: an object that is a list is flattened, and only iterated."""
    pipeline = STAGES[stage](lambda n: NoLength([n, n + 1])).with_execution_mode(mode)
    got = await read(pipeline([1, 3]), "collect", watched=watched)
    assert sorted(got) == [1, 2, 3, 4]


@in_both_modes
@watched_or_not
@pytest.mark.parametrize(
    "stage", [name for name in STAGES if "generator" not in name and name not in ("own", "rx")]
)
async def test_a_list_that_can_not_be_iterated_is_the_failure_of_its_call(
    stage: str, mode: Any, watched: bool
) -> None:
    """E1, E2: what a list raises when it is iterated is a failure of the call that gave it."""
    pipeline = STAGES[stage](lambda n: n if n != 1 else NoElements([1])).with_execution_mode(mode)
    for way in WAYS:
        with pytest.raises(RuntimeError, match="don't look") as info:
            await read(pipeline(range(3)), way, watched=watched)
        (note,) = info.value.__notes__
        assert note.startswith("in task ")


async def test_a_list_that_can_not_be_iterated_is_skipped_or_tried_again() -> None:
    """E3, E5: as with any failure of a call, the task's policy says what is done."""
    calls = 0

    def give(n: int) -> Any:
        nonlocal calls
        calls += n == 1
        return [n] if n != 1 or calls == 2 else NoElements([1])

    for stage in (_async(give), _eager(give), give):
        calls = -5
        assert await SingleTask(stage, on_error="skip_item")(range(3)).collect() == [0, 2]
        calls = 0
        task = SingleTask(stage, retry_config=RetryConfig(2, 0.1))
        assert await task(range(3)).collect() == [0, 1, 2]


class Answer:
    """What a handler answers, in place of True or False."""

    __bool__ = _refuse


async def test_an_answer_that_is_neither_true_nor_false() -> None:
    """E6: a handler whose answer can't be understood has raised, with the failure as the cause."""

    class Odd(ErrorHandler):
        async def handle_error(self, *_: Any) -> Any:
            return Answer(), None

    with pytest.raises(RuntimeError, match="don't look") as info:
        await SingleTask(lambda n: 1 / n, error_handler=Odd())([0]).collect()
    assert isinstance(info.value.__cause__, ZeroDivisionError)


# -- errors


class Empty(Exception):
    """An error of no lines, say."""

    def __len__(self) -> int:
        return 0


class No(Exception):
    def __bool__(self) -> bool:
        return False


class NoTruth(Exception):
    __bool__ = _refuse
    __eq__ = _refuse
    __hash__ = _refuse
    __repr__ = _refuse


class NoClass(Exception):
    __class__ = property(_refuse)  # type: ignore[assignment]  # this is the point


FALSY = (Empty, No, NoTruth, NoClass)
of_each_falsy = pytest.mark.parametrize("kind", FALSY)


def raising(error: BaseException) -> Callable[[Any], Any]:
    def give(item: Any) -> Any:
        if item == 2:
            raise error
        return item

    return give


async def check_failure(stream: AsyncStream[Any], way: str, error: Any, watched: bool) -> None:
    ends: list[Event] = []
    raised: BaseException | None = None
    try:
        with observe(*([ends.append] if watched else [])):
            await _read(stream, way)
    except BaseException as caught:
        raised = caught
    assert raised is error
    if watched:
        assert (ends[-1].kind, ends[-1].reason) == ("run_ended", "failed")
        assert ends[-1].error is error


@of_each_falsy
@of_each_stage
@in_both_modes
@watched_or_not
async def test_a_falsy_error_is_raised(
    stage: str, kind: type[Exception], mode: Any, watched: bool
) -> None:
    """E1, E2: an error ends the run whatever its truth is, in front of every kind of stage, too."""
    for way in WAYS:
        for behind in STAGES:
            error = kind()
            pipeline = STAGES[stage](raising(error)) | STAGES[behind](lambda item: item)
            await check_failure(pipeline.with_execution_mode(mode)(range(4)), way, error, watched)


@of_each_falsy
@watched_or_not
@in_each_way
async def test_a_falsy_error_of_a_source_is_raised(
    way: str, kind: type[Exception], watched: bool
) -> None:
    """E7: from each kind of source, through each kind of stage; when it is closed, too."""
    error = kind()

    def numbers() -> Iterator[int]:
        yield 1
        raise error

    async def later() -> AsyncIterator[int]:
        yield 1
        raise error

    class ClosesBadly:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            raise StopAsyncIteration

        async def aclose(self) -> None:
            raise error

    observable = reactivex.concat(reactivex.of(1), reactivex.throw(error))
    for stage in STAGES.values():
        for source in (numbers(), later(), observable, ClosesBadly()):
            await check_failure(stage(lambda item: item)(source), way, error, watched)


@of_each_falsy
async def test_a_falsy_error_is_skipped_handled_or_tried_again(kind: type[Exception]) -> None:
    """E3, E5, E6: it is a failure like any other."""

    class Replace(ErrorHandler):
        async def handle_error(self, *_: Any) -> Any:
            return True, 20

    for stage in (_async, _eager, lambda give: give, _generator, _async_generator):
        function = stage(raising(kind()))
        skipping = SingleTask(
            function, on_error="skip_item", retry_config=RetryConfig(2, base_delay=0.1)
        )
        assert await skipping(range(4)).collect() == [0, 1, 3]
        assert await SingleTask(function, error_handler=Replace())(range(4)).collect() == [
            0,
            1,
            20,
            3,
        ]


async def test_a_falsy_callable_is_a_function() -> None:
    """V2: a task of an object that is callable and has a length of 0."""

    class Registry(list[int]):
        def __call__(self, item: int) -> int:
            return item + 1

    assert await SingleTask(Registry(), task_name="r").with_inputs()([1]).collect() == [2]


@dataclass(frozen=True)
class Frozen(Exception):
    code: int = 1


class Slotted(Exception):
    __slots__ = ("__notes__", "code")


class ReadOnly(Exception):
    __notes__ = property(lambda self: ["kept"])  # type: ignore[assignment]  # this is the point


class NotesAreNone(Exception):
    __notes__ = None  # type: ignore[assignment]  # this is the point


class NotesAreText(Exception):
    __notes__ = "mine"  # type: ignore[assignment]  # this is the point


class NotesFail(Exception):
    __notes__ = property(_refuse)  # type: ignore[assignment]  # this is the point


class NoAttributes(Exception):
    __setattr__ = _refuse


class NoCause(Exception):
    __cause__ = property(_refuse, _refuse)  # type: ignore[assignment]  # this is the point


class HiddenDict(Exception):
    __dict__ = property(_refuse)  # type: ignore[assignment]  # this is the point


REFUSING = (
    Frozen,
    Slotted,
    ReadOnly,
    NotesAreNone,
    NotesAreText,
    NotesFail,
    NoAttributes,
    NoCause,
    HiddenDict,
)
NOTED = (Frozen, Slotted, NotesAreNone, NoAttributes, NoCause)
of_each_refusing = pytest.mark.parametrize("kind", REFUSING)


@of_each_refusing
@of_each_stage
@in_both_modes
@watched_or_not
async def test_an_error_that_refuses_notes_is_raised_as_it_is(
    stage: str, kind: type[Exception], mode: Any, watched: bool
) -> None:
    """E2: the original exception, without a note if need be."""
    for way in WAYS:
        error = kind()
        pipeline = STAGES[stage](raising(error)).with_execution_mode(mode)
        await check_failure(pipeline(range(4)), way, error, watched)
        if kind in NOTED and stage not in ("own", "rx"):
            assert len(error.__notes__) == 1


@of_each_refusing
async def test_an_error_of_a_handler_that_refuses_its_cause(kind: type[Exception]) -> None:
    """E6: what a handler raises has the failure as its cause, and is raised as it is."""
    error = kind()

    class Raise(ErrorHandler):
        async def handle_error(self, *_: Any) -> Any:
            raise error

    for stage in (_async, _eager, lambda give: give, _generator, _async_generator):
        task = SingleTask(stage(lambda item: 1 / item), error_handler=Raise())
        await check_failure(task([0]), "collect", error, False)
        cause = BaseException.__dict__["__cause__"].__get__(error)
        assert isinstance(cause, ZeroDivisionError)


@watched_or_not
async def test_an_observer_that_raises_what_is_frozen(watched: bool) -> None:
    """E2: what an observer raises reaches `on_error` as it is, through each kind of stage."""
    for stage in STAGES.values():
        error = Frozen()
        over = asyncio.Event()
        ends: list[Exception] = []

        def on_next(_: Any, error: Frozen = error) -> None:
            raise error

        def on_error(error: Exception, ends: Any = ends, over: Any = over) -> None:
            ends.append(error)
            over.set()

        with observe(*([lambda event: None] if watched else [])):
            stage(lambda item: item)([1]).subscribe(on_next, on_error, over.set)
        await over.wait()
        assert ends == [error]
        assert not isinstance(ends[0], FrozenInstanceError)
