"""Who gets what was skipped, and what comes of it? D1 to D3 and D6 of the contract."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BatchTask,
    Failure,
    RetryConfig,
    SingleTask,
    batch_task,
    current_context,
    record,
    single_task,
)
from conveyor_rx.diagrams import MarbleDiagram
from conveyor_rx.events import observe
from tests.errors.failing import (
    Answer,
    Batches,
    Slow,
    ending,
    failing,
    function,
    of_each_kind,
    timed_ending,
)
from tests.kit import Boom, drain, in_both_modes, now, same
from tests.probes.event_rules import EventRules


class Letters:
    """A function for dead letters that takes its time, if it has any, and remembers what it got."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []
        self.got: list[Failure] = []

    def __call__(self, failure: Failure) -> Awaitable[None] | None:
        self.begun.append(failure.item)
        if self.seconds is not None:
            return self.write(failure)
        self.got.append(failure)
        return None

    async def write(self, failure: Failure) -> None:
        try:
            await asyncio.sleep(self.seconds or 0)
        except asyncio.CancelledError:
            self.cancelled.append(failure.item)
            raise
        self.got.append(failure)

    @property
    def items(self) -> list[Any]:
        return [failure.item for failure in self.got]


WRITERS: dict[str, Callable[[Letters], Any]] = {
    "plain": lambda letters: letters,
    "async": lambda letters: letters.write,
    "future": lambda letters: lambda failure: asyncio.ensure_future(letters.write(failure)),
    "append": lambda letters: letters.got.append,
}
each_writer = pytest.mark.parametrize("writer", WRITERS)
counts = ("in_", "completed", "skipped", "dead_lettered", "failed", "cancelled")


def numbers(stream: AsyncStream[Any], stage: int = 0) -> tuple[int, ...]:
    return tuple(getattr(stream.stats[stage], name) for name in counts)


# -- D1


@of_each_kind
@each_writer
@in_both_modes
@pytest.mark.parametrize("on_error", ["skip_item", "skip_batch"])
async def test_each_skipped_item_gets_one_letter(
    kind: str, writer: str, mode: Any, on_error: Any
) -> None:
    """D1: with the item, its error, the task, the number of its input and the attempts."""
    letters, boom = Letters(), ValueError("boom")
    task = failing(kind, boom, 2, on_error=on_error, dead_letter=WRITERS[writer](letters))
    stream = task.with_execution_mode(mode)(range(5))
    assert await stream.collect() == [0, 1, 3, 4]
    assert letters.got == [Failure(2, boom, "work", (2,), 1)]
    assert letters.got[0].error is boom
    assert numbers(stream) == (5, 4, 1, 1, 0, 0)


@of_each_kind
@in_both_modes
async def test_a_letter_comes_after_all_attempts(kind: str, mode: Any) -> None:
    """D1, E5: once, and it says how many there were."""
    letters = Letters()
    config = RetryConfig(3, 1.0)
    task = failing(kind, Boom(), 1, on_error="skip_item", retry_config=config, dead_letter=letters)
    assert await task.with_execution_mode(mode)(range(3)).collect() == [0, 2]
    assert [(each.item, each.attempts) for each in letters.got] == [(1, 3)]
    assert now() == 3


@of_each_kind
@in_both_modes
async def test_of_a_halved_batch_each_failing_item_gets_one(kind: str, mode: Any) -> None:
    """D1, E3: those that stand side by side too; their neighbours get through without."""
    letters = Letters(0)

    def check(batch: list[int]) -> int:
        if {3, 4, 15} & set(batch):
            raise Boom
        return sum(batch)

    task = BatchTask(function(kind, check), 8, 8, on_error="skip_item", dead_letter=letters)
    stream = task.with_execution_mode(mode)(range(16))
    assert sum(await stream.collect()) == sum(range(16)) - 22
    assert [(each.item, each.inputs, each.attempts) for each in letters.got] == [
        (3, (3,), 1),
        (4, (4,), 1),
        (15, (15,), 1),
    ]
    assert numbers(stream) == (16, 13, 3, 3, 0, 0)


async def test_halving_counts_the_attempts_with_the_item_alone() -> None:
    """D1, E3, E5: those of the whole batch are those of others, too."""
    letters = Letters()
    task = BatchTask(
        Batches(2), 4, 4, on_error="skip_item", retry_config=RetryConfig(2, 1), dead_letter=letters
    )
    assert await task(range(4)).collect() == [0, 1, 3]
    assert [(each.item, each.attempts) for each in letters.got] == [(2, 2)]


@in_both_modes
async def test_of_a_skipped_batch_each_item_gets_one(mode: Any) -> None:
    """D1, E4: one by one, in the order of the batch, each with the number of its own input."""
    letters, boom = Letters(1), ValueError("boom")

    @single_task
    def even(number: int) -> int | None:
        return None if number % 2 else number

    @batch_task(max_size=3, on_error="skip_batch", dead_letter=letters)
    async def work(batch: list[int]) -> list[int]:
        if 8 in batch:
            raise boom
        return batch

    stream = (even | work).with_execution_mode(mode)(range(16))
    assert await stream.collect() == [0, 2, 4, 12, 14]
    assert letters.got == [Failure(item, boom, "work", (item,), 1) for item in (6, 8, 10)]
    assert now() == 3
    assert numbers(stream, 1) == (8, 5, 3, 3, 0, 0)


async def test_a_batch_generator_that_has_yielded_is_skipped_with_letters_for_all() -> None:
    """D1, E3: it is not halved, so nobody knows which of its items are done."""
    letters = Letters()

    @batch_task(max_size=3, on_error="skip_item", dead_letter=letters)
    def work(batch: list[int]) -> Iterator[int]:
        yield batch[0]
        if batch[0] == 0:
            raise Boom

    assert await work(range(6)).collect() == [0, 3]
    assert letters.items == [0, 1, 2]


async def test_a_letter_names_all_inputs_of_its_item() -> None:
    """D1: behind a batch there are several, behind fan-out items share one."""
    letters = Letters()
    pair_up = BatchTask(sum, max_size=2)
    fan_out = SingleTask(lambda number: [number, number])
    fail = failing("async", Boom(), 5, on_error="skip_item", dead_letter=letters)
    assert await (fan_out | fail)([4, 5]).collect() == [4, 4]
    assert [each.inputs for each in letters.got] == [(1,), (1,)]
    letters.got.clear()
    assert await (pair_up | fail)([0, 1, 2, 3]).collect() == [1]
    assert [each.inputs for each in letters.got] == [(2, 3)]


async def test_a_letter_without_a_known_input() -> None:
    """D1: what a timer emits comes from no item of the source."""
    letters = Letters()
    task = failing("def", Boom(), 7, on_error="skip_item", dead_letter=letters)
    assert await (ops.delay(1.0) | task)([7]).collect() == []
    assert letters.got[0].inputs == ()


@in_both_modes
async def test_the_context_has_a_letter_for_all_tasks_and_a_tasks_own_wins(mode: Any) -> None:
    """D1: that of the context gets what the tasks without one skip."""
    own, common = Letters(), Letters()
    first = failing("async", Boom(), 1, on_error="skip_item", dead_letter=own)
    second = failing("def", Boom(), 2, on_error="skip_item")
    third = BatchTask(Batches(3), 2, 2, on_error="skip_batch", task_name="third")
    pipeline = (first | second | third).with_context(dead_letter=common, execution_mode=mode)
    assert await pipeline(range(6)).collect() == [4, 5]
    assert own.items == [1]
    assert sorted((each.task_name, each.item) for each in common.got) == [
        ("third", 0),
        ("third", 3),
        ("work", 2),
    ]
    assert await pipeline.with_context(dead_letter=None)(range(6)).collect() == [4, 5]
    assert (len(own.got), len(common.got)) == (2, 3)


@of_each_kind
@in_both_modes
async def test_the_item_that_fails_the_run_gets_none(kind: str, mode: Any) -> None:
    """D1, E1: it is raised, and so not lost."""
    letters, boom = Letters(), ValueError("boom")
    task = failing(kind, boom, 1, dead_letter=letters)
    stream = task.with_context(dead_letter=letters, execution_mode=mode)(range(3))
    _, error = await ending(stream)
    assert error is boom
    assert letters.got == []


@pytest.mark.parametrize("answer", [(True, 7), (True, None), (False, None), Boom("handler")])
async def test_a_handler_is_asked_instead(answer: Any) -> None:
    """D1, E6: what it puts in place, drops or fails was not skipped."""
    letters = Letters()
    task = failing(
        "async",
        Boom("item"),
        1,
        on_error="skip_item",
        error_handler=Answer(answer),
        dead_letter=letters,
    )
    stream = task(range(3))
    await ending(stream)
    assert letters.got == []
    assert stream.stats[0].skipped == 0


async def test_a_letter_is_written_in_the_context_of_its_call() -> None:
    """D1: `current_context()` is that of the run; what it sets is seen by no other call."""
    seen: list[Any] = []

    async def write(failure: Failure) -> None:
        seen.append(current_context().data["user"])

    task = failing("def", Boom(), 1, on_error="skip_item", dead_letter=write)
    await task.with_context(user="ada")(range(3)).collect()
    assert seen == ["ada"]


@in_both_modes
async def test_letters_of_two_runs_at_once(mode: Any) -> None:
    """D1, L6: runs share no state: each has its own letters, and counts them."""
    letters = Letters(1)
    task = failing("async", Boom(), 1, on_error="skip_item", dead_letter=letters)
    streams = [task.with_execution_mode(mode)(range(3)) for _ in range(2)]
    assert await asyncio.gather(*(each.collect() for each in streams)) == [[0, 2], [0, 2]]
    assert letters.items == [1, 1]
    assert [numbers(each) for each in streams] == [(3, 2, 1, 1, 0, 0)] * 2


# -- odd letters and odd errors


@pytest.mark.parametrize("result", [None, 0, "text", [1], reactivex.of(1)])
async def test_what_a_plain_function_returns_has_no_effect(result: Any) -> None:
    """D1: unless it is to be awaited; but a stream that nobody reads has done nothing yet."""
    task = failing("async", Boom(), 1, on_error="skip_item", dead_letter=lambda _: result)
    got, error = await ending(task(range(3)))
    if isinstance(result, reactivex.Observable):
        assert isinstance(error, TypeError)
        assert "dead_letter of task 'work' returned a stream" in str(error)
    else:
        assert (got, error) == ([0, 2], None)


async def test_a_task_is_no_function_for_letters() -> None:
    """D1: called, it gives a stream, which has done nothing: better a failure than no letter."""
    task = failing("async", Boom(), 1, on_error="skip_item", dead_letter=same)
    with pytest.raises(TypeError, match="returned a stream, which nobody reads"):
        await task(range(3)).collect()


@dataclass(frozen=True)
class Frozen(Exception):
    code: int


class Odd(Exception):
    """False, equal to nothing, without a text or notes."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)

    __repr__ = __str__


ODD: list[Callable[[], BaseException]] = [
    lambda: Frozen(1),
    Odd,
    StopIteration,
    StopAsyncIteration,
    asyncio.CancelledError,
]


@pytest.mark.parametrize("make", ODD)
@pytest.mark.parametrize("kind", ["async", "def"])
@in_both_modes
async def test_any_exception_is_passed_on_as_it_is(
    make: Callable[[], BaseException], kind: str, mode: Any
) -> None:
    """D1, E8: the object that was raised; what ends a generator is wrapped by Python itself."""
    letters, boom = Letters(), make()
    task = failing(kind, boom, 1, on_error="skip_item", dead_letter=letters)
    assert await task.with_execution_mode(mode)(range(3)).collect() == [0, 2]
    (letter,) = letters.got
    assert letter.error is boom or letter.error.__cause__ is boom


@of_each_kind
@in_both_modes
async def test_a_letter_keeps_nothing_of_the_run(kind: str, mode: Any) -> None:
    """D1, L9: the traceback of its error begins in the user's function."""
    letters = Letters()
    task = failing(kind, Boom(), 1, on_error="skip_item", dead_letter=letters)
    await task.with_execution_mode(mode)(range(3)).collect()
    frames = traceback.extract_tb(letters.got[0].error.__traceback__)
    assert all("conveyor_rx/_" not in frame.filename.replace("\\", "/") for frame in frames)
    assert frames[-1].name == "check"


# -- D2


@of_each_kind
@in_both_modes
async def test_an_item_counts_as_skipped_when_its_letter_was_accepted(kind: str, mode: Any) -> None:
    """D2: not before; until then it is running."""
    letters = Letters(5)
    task = failing(kind, Boom(), 1, on_error="skip_item", dead_letter=letters)
    stream = task.with_execution_mode(mode)(range(2))
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(4)
    assert letters.begun == [1]
    assert numbers(stream) == (2, 1, 0, 0, 0, 0)
    assert stream.stats[0].running == 1
    await asyncio.sleep(1.5)
    assert numbers(stream) == (2, 1, 1, 1, 0, 0)
    assert await reader == [0]


async def test_a_batch_counts_as_skipped_when_all_of_its_letters_were_accepted() -> None:
    """D2: all at once, behind the last letter."""
    letters = Letters(1)
    stream = BatchTask(Batches(0), 3, 3, on_error="skip_batch", dead_letter=letters)(range(3))
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(2.5)
    assert letters.items == [0, 1]
    assert numbers(stream) == (3, 0, 0, 0, 0, 0)
    assert await reader == []
    assert numbers(stream) == (3, 0, 3, 3, 0, 0)


@of_each_kind
async def test_a_slow_letter_slows_the_source(kind: str) -> None:
    """D2, F2: its place stays in the line, so with a full window nothing more is pulled."""
    pulled: list[int] = []

    def data() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    def check(item: int) -> int:
        raise Boom

    letters = Letters(10)
    task = SingleTask(function(kind, check), on_error="skip_item", dead_letter=letters)
    stream = task.with_context(max_in_flight=4)(data())
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(9)
    assert len(pulled) == 4
    await asyncio.sleep(10)
    assert len(pulled) == 8
    reader.cancel()
    await asyncio.wait({reader})
    assert letters.items == [0, 1, 2, 3]
    assert letters.cancelled == [4, 5, 6, 7]


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_letter_holds_the_slot_of_its_call(limit: int) -> None:
    """D2, F3: it is a part of the call, and takes up a slot as that does."""
    letters = Letters(10)
    task = failing("async", Boom(), 0, on_error="skip_item", dead_letter=letters)
    work = SingleTask(task.func, on_error="skip_item", dead_letter=letters, concurrency_limit=limit)
    got, (at, error) = await timed_ending(work.as_completed(range(3)))
    assert error is None
    assert at == 10
    assert got == ([(10, 1), (10, 2)] if limit == 1 else [(0, 1), (0, 2)])


async def test_what_is_behind_an_item_waits_for_its_letter() -> None:
    """D2, O1, O2: the place is given up after it: results behind it come then, or overtake it."""
    letters = Letters(3)
    task = failing("async", Boom(), 1, on_error="skip_item", dead_letter=letters)
    got, _ = await timed_ending(task(range(3)))
    assert got == [(0, 0), (3, 2)]
    got, _ = await timed_ending(task.as_completed(range(3)))
    assert got == [(3, 0), (3, 2)]


@of_each_kind
@in_both_modes
async def test_a_close_cancels_a_letter_and_waits_for_it(kind: str, mode: Any) -> None:
    """D2, L2: as it does any call; the item counts as cancelled."""
    letters = Letters(9)
    task = failing(kind, Boom(), 1, on_error="skip_item", dead_letter=letters)
    stream = task.with_execution_mode(mode)(range(2))
    reader = asyncio.ensure_future(drain(stream, []))
    await asyncio.sleep(1)
    await stream.aclose()
    assert letters.cancelled == [1]
    await reader
    assert numbers(stream) == (2, 1, 0, 0, 0, 1)


async def test_a_batch_that_is_closed_between_two_letters() -> None:
    """D2, L2: no other letter begins; none of the batch counts as skipped."""
    letters = Letters(1)
    stream = BatchTask(Batches(0), 3, 3, on_error="skip_batch", dead_letter=letters)(range(3))
    reader = asyncio.ensure_future(drain(stream, []))
    await asyncio.sleep(1.5)
    await stream.aclose()
    await reader
    assert (letters.items, letters.cancelled) == ([0], [1])
    assert numbers(stream) == (3, 0, 0, 0, 0, 3)


@in_both_modes
async def test_a_failure_before_it_cancels_a_letter(mode: Any) -> None:
    """D2, E1: what is behind a failure is cancelled, letters too, and no new one begins."""
    letters = Letters(9)
    work = Slow({0: 2, 1: 0, 2: 1})
    work.fails = {1: Boom(), 2: Boom()}
    skip = SingleTask(work, on_error="skip_item", dead_letter=letters, task_name="skip")

    @single_task
    async def fail(item: int) -> int:
        raise ValueError(item)

    stream = (skip | fail).with_execution_mode(mode)(range(3))
    got, (at, error) = await timed_ending(stream)
    assert isinstance(error, ValueError)
    assert (got, at) == ([], 2)
    assert (letters.got, letters.cancelled) == ([], [1, 2])
    assert numbers(stream) == (3, 1, 0, 0, 0, 2)


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("way", ["close", "aclose"])
async def test_a_letter_that_closes_its_own_run(kind: str, mode: Any, way: str) -> None:
    """D2, L2, L3: it is not cancelled; its item counts as cancelled, and nobody waits for ever."""
    streams: list[AsyncStream[Any]] = []
    begun: list[Any] = []
    closing: list[asyncio.Future[None]] = []

    async def write(failure: Failure) -> None:
        begun.append(failure.item)
        await streams[0].aclose()
        await asyncio.sleep(1)
        begun.append("end")

    def drop(failure: Failure) -> None:
        begun.append(failure.item)
        closing.append(asyncio.ensure_future(streams[0].aclose()))

    letter = write if way == "aclose" else drop
    task = failing(kind, Boom(), 1, on_error="skip_item", dead_letter=letter)
    streams.append(task.with_execution_mode(mode)(range(2)))
    await drain(streams[0], [])
    await asyncio.sleep(2)
    assert begun == ([1, "end"] if way == "aclose" else [1])
    stats = streams[0].stats[0]
    assert stats.skipped + stats.cancelled == 1
    assert stats.dead_lettered == stats.skipped


async def test_no_letter_begins_while_nobody_reads() -> None:
    """D2, L4: after a `break` a call may go on and fail; its letter waits for the next read."""
    letters = Letters()
    work = Slow({0: 0, 1: 1, 2: 0})
    work.fails[1] = Boom()
    stream = SingleTask(work, on_error="skip_item", dead_letter=letters)(range(3))
    async for _ in stream:
        break
    await asyncio.sleep(5)
    assert (1, 1) in work.ended
    assert letters.begun == []
    assert [item async for item in stream] == [2]
    assert letters.items == [1]


@of_each_kind
async def test_total_timeout_is_not_for_letters(kind: str) -> None:
    """D2, T2: it bounds the attempts; a letter may take longer, and says how many were made."""
    letters = Letters(60)
    config = RetryConfig(9, 2.0, total_timeout=5)
    task = failing(kind, Boom(), 1, on_error="skip_item", retry_config=config, dead_letter=letters)
    assert await task(range(3)).collect() == [0, 2]
    assert [(each.item, each.attempts) for each in letters.got] == [(1, 2)]
    assert now() == 62


# -- D3


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("seconds", [None, 1])
async def test_a_letter_that_raises_fails_the_run_there(
    kind: str, mode: Any, seconds: float | None
) -> None:
    """D3, E1, E2: with its exception, the original is the cause, and the usual note."""
    boom, full = ValueError("boom"), OSError("disk full")

    async def write(failure: Failure) -> None:
        await asyncio.sleep(1)
        raise full

    def write_now(failure: Failure) -> None:
        raise full

    letter = write if seconds else write_now
    task = failing(kind, boom, 1, on_error="skip_item", dead_letter=letter)
    stream = task.with_execution_mode(mode)(range(2))
    got, error = await ending(stream)
    assert error is full
    assert error.__cause__ is boom
    assert error.__notes__ == ["in task 'work', input 1, attempt 1"]
    assert got == [0]
    assert numbers(stream) == (2, 1, 0, 0, 1, 0)


async def test_a_failing_letter_keeps_its_place() -> None:
    """D3, E1: results before it are delivered, what is behind it is not."""
    work = Slow({0: 5, 1: 1, 2: 2, 3: 9})
    work.fails[1] = Boom()

    async def write(failure: Failure) -> None:
        await asyncio.sleep(2)
        raise OSError

    got, (at, error) = await timed_ending(
        SingleTask(work, on_error="skip_item", dead_letter=write)(range(4))
    )
    assert isinstance(error, OSError)
    assert (got, at) == ([(5, 0)], 5)
    assert work.ended == [(1, 1), (2, 2), (3, 3), (5, 0)]


async def test_a_letter_that_raises_in_the_middle_of_a_batch() -> None:
    """D3: the batch fails as a whole, with a note that names all of it."""
    letters: list[Any] = []

    def write(failure: Failure) -> None:
        if failure.item == 4:
            raise OSError
        letters.append(failure.item)

    stream = BatchTask(Batches(5), 3, 3, on_error="skip_batch", dead_letter=write)(range(9))
    got, error = await ending(stream)
    assert isinstance(error, OSError)
    assert got == [0, 1, 2]
    assert "batch of inputs 3 to 5" in error.__notes__[0]
    assert letters == [3]
    assert numbers(stream)[1:5] == (3, 0, 0, 3)


@pytest.mark.parametrize("kind", ["async", "def"])
async def test_a_letter_that_raises_the_error_itself(kind: str) -> None:
    """D3: then it is its own cause no more than any other."""
    boom = ValueError("boom")

    def write(failure: Failure) -> None:
        raise failure.error

    _, error = await ending(failing(kind, boom, 1, on_error="skip_item", dead_letter=write)([1]))
    assert error is boom
    assert error.__cause__ is None


@in_both_modes
async def test_a_letter_that_cancels_itself_has_failed(mode: Any) -> None:
    """D3, E8: a CancelledError of the user's own code is a failure like any other."""
    end, boom = asyncio.CancelledError("mine"), Boom()

    async def write(failure: Failure) -> None:
        raise end

    task = failing("async", boom, 1, on_error="skip_item", dead_letter=write)
    _, error = await ending(task.with_execution_mode(mode)(range(3)))
    assert error is end
    assert error.__cause__ is boom


async def test_many_plain_failures_behind_a_failing_letter_are_no_second_failure() -> None:
    """D3, E2: they would have been skipped, and so there is one note, of what failed the run."""

    def write(failure: Failure) -> None:
        raise OSError

    def fail(item: int) -> int:
        raise Boom

    stream = SingleTask(fail, on_error="skip_item", dead_letter=write)(range(9))
    _, error = await ending(stream)
    assert isinstance(error, OSError)
    assert error.__notes__ == ["in task 'fail', input 0, attempt 1"]


# -- what is told


@of_each_kind
@in_both_modes
async def test_probes_are_told_of_letters(kind: str, mode: Any) -> None:
    """D1, P2: when they were accepted, before the item is skipped, with the error."""
    boom, rules = Boom(), EventRules()
    task = failing(kind, boom, 1, on_error="skip_item", dead_letter=Letters(2))
    stream = task.with_execution_mode(mode)(range(3))
    with observe(rules):
        await stream.collect()
    rules.check_end()
    rules.check_counters(stream.stats)
    assert not rules.broken
    (letter,), (skip,) = rules.of("dead_lettered"), rules.of("skipped")
    assert (letter.inputs, letter.items, letter.call) == ((1,), skip.items, skip.call)
    assert (letter.error, letter.time, skip.time) == (boom, 2, 2)
    assert rules.events.index(letter) == rules.events.index(skip) - 1


@pytest.mark.parametrize("on_error", ["skip_item", "skip_batch"])
async def test_probes_are_told_of_the_letters_of_batches(on_error: Any) -> None:
    """D1, P2: of those of a batch together, or of each that stands alone."""
    rules = EventRules()
    task = BatchTask(Batches(1, 2), 4, 4, on_error=on_error, dead_letter=Letters())
    stream = task(range(4))
    with observe(rules):
        await stream.collect()
    rules.check_counters(stream.stats)
    assert not rules.broken
    told = [event.inputs for event in rules.of("dead_lettered")]
    assert told == ([(1,), (2,)] if on_error == "skip_item" else [(0, 1, 2, 3)])


@of_each_kind
@pytest.mark.parametrize("letter", [None, Letters()])
async def test_the_first_skip_and_the_sum_are_logged(
    kind: str, letter: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """D6: at WARNING: type of error, task, input, never contents; so no loss is without a word."""

    def fail(item: str) -> str:
        raise ValueError(f"secret {item}")

    task = SingleTask(
        function(kind, fail), task_name="work", on_error="skip_item", dead_letter=letter
    )
    assert await task(["secret"] * 3).collect() == []
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "task 'work' skipped input 0: ValueError; more are only counted, and the sum is "
            "logged at the end",
        ),
        ("WARNING", "task 'work' skipped 3 of 3 items"),
    ]


def test_pictures_show_letters_and_budgets() -> None:
    """D1, D4: those of a task beside its other options, those of the context with its settings."""
    letters: list[Failure] = []
    task = single_task(on_error="skip_item", dead_letter=letters.append, max_failures=0.5)(abs)
    picture = task.with_context(dead_letter=print, max_failures=7)._repr_mimebundle_()["text/plain"]
    for shown in ("dead_letter=append", "max_failures=0.5", "dead_letter=print", "max_failures=7"):
        assert shown in picture


async def test_recordings_count_letters() -> None:
    """D1: and the summary below the diagram says so."""
    task = failing("async", Boom(), 1, on_error="skip_item", dead_letter=Letters())
    with record() as recorder:
        await task(range(3)).collect()
    assert (recorder.run.skipped, recorder.run.dead_lettered) == (1, 1)
    assert "1 dead letter" in MarbleDiagram(recorder).text()
