"""Which exception does a consumer get, by whatever way, and what does its note say? E2."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from conveyor_rx import BatchTask, LoggingErrorHandler, RetryConfig, SingleTask
from tests.errors.failing import KINDS, Slow, by_subscribing, ending, failing, of_each_kind
from tests.kit import in_both_modes, now


@of_each_kind
@in_both_modes
async def test_the_same_exception_from_all_ways_to_consume(kind: str, mode: Any) -> None:
    """E2: `async for`, `collect`, `anext` and `subscribe` raise the task's own exception object."""
    boom = ValueError("boom")
    pipeline = (failing("async", ValueError(), None) | failing(kind, boom, 2)).with_execution_mode(
        mode
    )
    _, error = await ending(pipeline(range(5)))
    assert error is boom
    with pytest.raises(ValueError, match="boom") as info:
        await pipeline(range(5)).collect()
    assert info.value is boom
    stream = pipeline(range(5))
    for expected in range(2):
        assert await anext(stream) == expected
    with pytest.raises(ValueError, match="boom") as info:
        await anext(stream)
    assert info.value is boom
    stream = pipeline(range(5))
    for _ in range(2):  # each subscription is a run
        error, _ = await by_subscribing(stream)
        assert error is boom
    assert boom.__notes__ == ["in task 'work', input 2, attempt 1"]
    assert boom.__cause__ is None


@in_both_modes
async def test_the_note_counts_the_items_of_a_long_source(mode: Any) -> None:
    """E2: the number in the note is the item's place in the source, however that is read."""
    boom = ValueError("boom")
    pipeline = failing("async", boom, 500).with_execution_mode(mode)
    for data in (range(1000), (item for item in range(1000))):
        _, error = await ending(pipeline(data))
        assert error is boom
        assert boom.__notes__.pop() == "in task 'work', input 500, attempt 1"


async def test_an_observer_hears_of_the_failure_when_all_calls_have_ended() -> None:
    """E1, E2, L2: on_error comes once, after the cleanup of the calls behind the failure."""
    work = Slow({0: 1, 1: 2, 2: 9}, cleanup=5)
    work.fails[1] = boom = ValueError("boom")
    seen: list[Any] = []
    done = asyncio.Event()

    def on_error(error: Exception) -> None:
        seen.append((now(), error))
        done.set()

    SingleTask(work)(range(3)).subscribe(
        lambda value: seen.append((now(), value)), on_error, lambda: seen.append("completed")
    )
    await done.wait()
    await asyncio.sleep(10)
    assert seen == [(1, 0), (7, boom)]
    assert work.ended == [(1, 0), (2, 1), (7, 2)]


async def test_the_note_names_task_item_and_attempt() -> None:
    """E2: exactly one note, with the task's name, the item's number and the last attempt's."""
    boom = ValueError("boom")
    task = failing("async", boom, "secret", retry_config=RetryConfig(3, 1.0))
    with pytest.raises(ValueError, match="boom"):
        await task(["a", "b", "secret"]).collect()
    (note,) = boom.__notes__
    assert "'work'" in note
    assert "input 2" in note
    assert "attempt 3" in note


@pytest.mark.parametrize("raised", ["twice", "in two runs"])
async def test_an_exception_object_that_is_raised_again_has_one_note(raised: str) -> None:
    """E2: exactly one note, of the failure that is raised, even if the object was used before."""
    boom = ValueError("boom")
    work = Slow({0: 3, 1: 2, 2: 1})
    if raised == "twice":  # at item 2 first, and then at item 1, which stands before it
        work.fails = {1: boom, 2: boom}
    else:
        work.fails = {2: boom}
        await ending(SingleTask(work, task_name="work")(range(3)))
        work.fails = {1: boom}
    _, error = await ending(SingleTask(work, task_name="work")(range(3)))
    assert error is boom
    assert boom.__notes__ == ["in task 'work', input 1, attempt 1"]


async def test_notes_of_the_user_are_kept() -> None:
    """E2: the note is added to those that the exception carries already."""
    boom = ValueError("boom")
    boom.add_note("mine")
    await ending(failing("async", boom, 0)([0]))
    assert boom.__notes__ == ["mine", "in task 'work', input 0, attempt 1"]


@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
@in_both_modes
async def test_contents_of_items_stay_out_of_notes_and_logs(
    on_error: Any, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """E2: whatever is skipped, retried, dropped, handled or raised: no item in notes or logs."""
    caplog.set_level(logging.DEBUG)
    options: dict[str, Any] = {"on_error": on_error, "retry_config": RetryConfig(2, 1.0)}

    def batch(items: list[str]) -> list[str]:
        if "payload-1" in items:
            raise ValueError("boom")
        return items

    for kind in KINDS:
        single = failing(kind, ValueError("boom"), "payload-2", **options)
        handled = failing(
            kind, ValueError("boom"), "payload-0", error_handler=LoggingErrorHandler()
        )
        pipeline = handled | single | BatchTask(batch, 4, 4, **options)
        stream = pipeline.with_execution_mode(mode)(f"payload-{n}" for n in range(7))
        _, error = await ending(stream)
        assert (error is not None) == (on_error == "fail")
        assert "payload" not in " ".join(getattr(error, "__notes__", ()))
    assert len(caplog.records) >= len(KINDS)
    assert "payload" not in caplog.text
    assert "payload" not in str([record.__dict__ for record in caplog.records])
