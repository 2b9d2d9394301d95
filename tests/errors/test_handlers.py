"""What may an ErrorHandler make of a failure? E6 of the contract."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from conveyor_rx import BatchTask, ErrorHandler, LoggingErrorHandler, RetryConfig
from conveyor_rx.testing import timeline
from tests.errors.failing import Answer, Batches, ending, failing, of_each_kind
from tests.kit import in_both_modes, now, others


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
async def test_a_handler_replaces_a_result(kind: str, mode: Any, on_error: Any) -> None:
    """E6: (True, value) goes on with the value, before any `on_error`; it is asked once."""
    boom = ValueError("boom")
    handler = Answer((True, 20))
    task = failing(kind, boom, 2, error_handler=handler, on_error=on_error)
    stream = task.with_execution_mode(mode)(range(4))
    assert sorted(await stream.collect()) == [0, 1, 3, 20]
    assert handler.asked == [(boom, 2, "work", 1)]
    assert (stream.stats[0].completed, stream.stats[0].failed) == (4, 0)


class Look(ErrorHandler):
    """Looks for the current exception, as `logging.exception` does."""

    def __init__(self) -> None:
        self.seen: list[BaseException | None] = []

    async def handle_error(self, *args: Any) -> tuple[bool, Any]:
        self.seen.append(sys.exception())
        return False, None


@of_each_kind
@in_both_modes
async def test_a_handler_is_asked_while_the_failure_is_handled(kind: str, mode: Any) -> None:
    """E6: so `logging.exception` and `traceback.print_exc` show it there."""
    boom, look = ValueError("boom"), Look()
    task = failing(kind, boom, 2, error_handler=look)
    await ending(task.with_execution_mode(mode)(iter(range(4))))
    assert look.seen == [boom]


@of_each_kind
@in_both_modes
async def test_a_handler_that_gives_none_drops_the_item(kind: str, mode: Any) -> None:
    """E6, E9: (True, None) drops the item, counted as dropped."""
    task = failing(kind, ValueError("boom"), 2, error_handler=Answer((True, None)))
    stream = task.with_execution_mode(mode)(range(4))
    assert await stream.collect() == [0, 1, 3]
    assert (stream.stats[0].completed, stream.stats[0].dropped) == (3, 1)


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
async def test_a_handler_that_refuses_fails_the_run(kind: str, mode: Any, on_error: Any) -> None:
    """E6: (False, _) fails with the original exception, even where `on_error` would skip."""
    boom = ValueError("boom")
    handler = Answer((False, "whatever"))
    task = failing(kind, boom, 2, error_handler=handler, on_error=on_error)
    got, error = await ending(task.with_execution_mode(mode)(iter(range(4))))
    assert error is boom
    assert set(got) - {3} == {0, 1}
    assert boom.__notes__ == ["in task 'work', input 2, attempt 1"]


@of_each_kind
@pytest.mark.parametrize("raised", [KeyError, asyncio.CancelledError])
async def test_a_handler_that_raises(kind: str, raised: type[BaseException]) -> None:
    """E6: what a handler raises is raised, with the original as its cause."""
    other = raised("handler")
    boom = ValueError("boom")
    task = failing(kind, boom, 2, error_handler=Answer(other))
    got, error = await ending(task(range(4)))
    assert got == [0, 1]
    assert error is other
    assert other.__cause__ is boom
    assert len(other.__notes__) == 1


async def test_a_handler_that_raises_the_original_again() -> None:
    """E6: `raise error` in a handler raises it as it is, not as its own cause."""
    boom = ValueError("boom")
    _, error = await ending(failing("async", boom, 0, error_handler=Answer(boom))([0]))
    assert error is boom
    assert boom.__cause__ is None


async def test_a_handler_that_raises_stop_iteration_does_not_end_the_stream() -> None:
    """E6, E8: it reaches the consumer as RuntimeError, no result behind it is taken for the end."""
    handler = Answer(StopAsyncIteration())
    got, error = await ending(
        failing("async", ValueError("boom"), 1, error_handler=handler)(range(3))
    )
    assert got == [0]
    assert isinstance(error, RuntimeError)
    assert error.__cause__ is handler.answer


async def test_a_handler_comes_after_the_last_attempt() -> None:
    """E6, E5: retries first; the handler is asked once and keeps the place while it thinks."""
    boom = ValueError("boom")
    handler = Answer((True, 9), delay=5)
    task = failing("async", boom, 0, error_handler=handler, retry_config=RetryConfig(3, 1.0))
    assert await timeline(task(range(3))) == [(8, 9), (8, 1), (8, 2)]  # 1 + 2 + 5
    assert handler.asked == [(boom, 0, "work", 3)]


async def test_the_handler_of_a_batch_task_gets_the_batch() -> None:
    """E6: item is the list that the function was called with; halving is not tried before it."""
    work = Batches(4)
    handler = Answer((True, ["x", None, "y"]))
    task = BatchTask(work, 3, 3, error_handler=handler, on_error="skip_item")
    stream = task(range(9))
    assert await stream.collect() == [0, 1, 2, "x", "y", 6, 7, 8]
    ((_, item, _, _),) = handler.asked
    assert item == [3, 4, 5]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert (stream.stats[0].completed, stream.stats[0].dropped_outputs) == (9, 1)


@pytest.mark.parametrize("answer", [None, True, (True,), (True, 1, 2)])
async def test_an_answer_that_is_no_pair_fails_the_run(answer: Any) -> None:
    """E6: a handler's wrong answer is a failure at that place, never taken for some value."""
    boom = ValueError("boom")
    got, error = await ending(failing("async", boom, 1, error_handler=Answer(answer))(range(3)))
    assert got == [0]
    assert isinstance(error, (TypeError, ValueError))
    assert error.__cause__ is boom


async def test_a_handler_is_cancelled_with_its_call() -> None:
    """E6, L2: a handler that is at work when the run is closed is cancelled and awaited."""
    handler = Answer((True, 1), delay=100)
    stream = failing("async", ValueError("boom"), 1, error_handler=handler)(range(3))
    assert await anext(stream) == 0
    await stream.aclose()
    assert len(handler.asked) == 1
    assert not others()
    assert now() == 0


async def test_the_logging_handler_logs_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """E6: LoggingErrorHandler logs one ERROR an item and goes on with its replacement."""
    for replacement, expected in ((None, [0, 2]), (-1, [0, -1, 2])):
        caplog.clear()
        handler = LoggingErrorHandler(replacement_value=replacement)
        task = failing("async", ValueError("boom"), 1, error_handler=handler)
        assert await task(range(3)).collect() == expected
        (record,) = caplog.records
        assert (record.name, record.levelname) == ("conveyor_rx", "ERROR")
        assert "work" in record.getMessage()


async def test_a_handler_that_is_not_overridden_says_so() -> None:
    """E6: the abstract handler fails the run and names what is missing."""
    boom = ValueError("boom")
    _, error = await ending(failing("async", boom, 0, error_handler=ErrorHandler())([0]))
    assert isinstance(error, NotImplementedError)
    assert error.__cause__ is boom
