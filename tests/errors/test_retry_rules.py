"""Which failures are tried again, and when? T3, T4 and T5 of the contract."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import ErrorHandler, RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx.events import Event, observe
from tests.kit import Boom, in_both_modes, now


class Busy(Exception):
    """A server that asks to come again after so many seconds."""

    def __init__(self, seconds: Any = None) -> None:
        super().__init__()
        self.seconds = seconds


def failing(kind: str, errors: list[Exception], begun: list[float]) -> Callable[[int], Any]:
    """Make a function that fails with each of `errors` in turn, and notes when it is called."""

    def call(item: int) -> int:
        begun.append(now())
        if errors:
            raise errors.pop(0)
        return item

    async def call_later(item: int) -> int:
        await asyncio.sleep(0)
        return call(item)

    async def generate(item: int) -> Any:
        yield call(item)

    def generate_now(item: int) -> Any:
        yield call(item)

    kinds: dict[str, Any] = {
        "def": call,
        "async": call_later,
        "generator": generate_now,
        "async generator": generate,
    }
    return kinds[kind]


KINDS = ("def", "async", "generator", "async generator")
REFUSING: dict[str, Any] = {
    "type": OSError,
    "tuple": (OSError, KeyError),
    "predicate": lambda error: not isinstance(error, Boom),
}


@in_both_modes
@pytest.mark.parametrize("rule", REFUSING)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_refused_is_not_tried_again(kind: str, rule: str, mode: Any) -> None:
    """T3: it goes straight to `on_error`; what is accepted is tried again."""
    begun: list[float] = []
    function = failing(kind, [OSError(), Boom(), OSError()], begun)
    task = single_task(
        retry_attempts=5, retry_delay=1, retry_on=REFUSING[rule], on_error="skip_item"
    )(function)
    stream = task.with_context(execution_mode=mode, max_in_flight=1)([1, 2])
    assert await stream.collect() == [2]
    assert begun == [0, 1, 1, 2]  # the second attempt is refused; the second item has its own
    assert (stream.stats[0].skipped, stream.stats[0].retried) == (1, 2)


async def test_what_is_refused_goes_to_the_handler() -> None:
    """T3: at once, with the number of the attempt."""
    asked: list[int] = []

    class Handler(ErrorHandler):
        async def handle_error(self, error: Any, item: Any, task: str, attempt: int) -> Any:
            asked.append(attempt)
            return True, -item

    task = single_task(retry_attempts=5, retry_on=OSError, error_handler=Handler())(
        failing("async", [Boom()], [])
    )
    assert await task([7]).collect() == [-7]
    assert asked == [1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", ["retry_on", "retry_after"])
async def test_a_rule_that_raises_is_the_failure(kind: str, option: str) -> None:
    """T3, T4: with the original as its cause, and a note of the input; nothing hangs."""

    def rule(error: Exception) -> Any:
        raise LookupError("of the rule")

    begun: list[float] = []
    task = SingleTask(
        failing(kind, [Boom()], begun), retry_config=RetryConfig(**{option: rule}), task_name="f"
    )
    with pytest.raises(LookupError) as caught:
        await task([1]).collect()
    assert isinstance(caught.value.__cause__, Boom)
    assert caught.value.__notes__ == ["in task 'f', input 0, attempt 1"]
    assert begun == [0]


async def test_a_refused_batch_is_halved_at_once() -> None:
    """T3, E8: the halves are calls of their own."""
    sizes: list[int] = []

    @batch_task(max_size=4, retry_attempts=3, retry_on=OSError, on_error="skip_item")
    async def work(items: list[int]) -> list[int]:
        sizes.append(len(items))
        if 2 in items:
            raise Boom
        return items

    assert await work(range(4)).collect() == [0, 1, 3]
    assert sizes == [4, 2, 2, 1, 1]
    assert now() == 0


async def test_the_server_says_when_to_come_again() -> None:
    """T4: None leaves the backoff; more than `retry_max_delay` is waited, too."""
    begun: list[float] = []
    errors: list[Exception] = [Busy(100), Busy(None), Busy(0), Boom()]
    task = single_task(
        retry_attempts=9,
        retry_delay=1,
        retry_max_delay=3,
        retry_after=lambda error: getattr(error, "seconds", None),
    )(failing("async", errors, begun))
    assert await task([1]).collect() == [1]
    assert begun == [0, 100, 102, 102, 105]  # 2 s, then 3 s, are the backoff of those attempts


@pytest.mark.parametrize("answer", [-1, float("nan"), float("inf"), "10", True])
async def test_no_number_of_seconds_is_a_failure(answer: Any) -> None:
    """T4: named, with the original as its cause."""
    task = single_task(retry_attempts=2, retry_after=lambda _: answer)(
        failing("async", [Boom()], [])
    )
    with pytest.raises((TypeError, ValueError), match="what retry_after returns") as caught:
        await task([1]).collect()
    assert isinstance(caught.value.__cause__, Boom)


async def test_jitter_is_added_to_each_wait() -> None:
    """T5: the same after the same seed, and never more than said."""
    waits: list[list[float]] = []
    for seed in (1, 1, 2):
        random.seed(seed)
        begun: list[float] = []
        task = single_task(
            retry_attempts=9,
            retry_delay=1,
            retry_jitter=0.5,
            retry_exponential_backoff=False,
            retry_after=lambda error: getattr(error, "seconds", None),
        )(failing("async", [Boom(), Busy(10), Boom()], begun))
        await task([1]).collect()
        waits.append([round(b - a, 6) for a, b in itertools.pairwise(begun)])
    assert waits[0] == waits[1] != waits[2]
    for first, asked, last in waits:
        assert 1 < first < 1.5
        assert 10 < asked < 10.5
        assert 1 < last < 1.5


async def test_probes_are_told_of_the_attempts() -> None:
    """P: a refused failure is one attempt."""
    kinds: list[str] = []
    task = single_task(retry_attempts=3, retry_on=OSError, on_error="skip_item")(
        failing("async", [Boom()], [])
    )

    def note(event: Event) -> None:
        kinds.append(event.kind)

    with observe(note):
        await task([1]).collect()
    assert "retried" not in kinds
    assert kinds.count("attempt_failed") == kinds.count("skipped") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retry_on", 1),
        ("retry_on", BaseException),
        ("retry_on", ()),
        ("retry_on", (OSError, "x")),
        ("retry_on", None),
        ("retry_jitter", -1),
        ("retry_jitter", "1"),
        ("retry_after", 5),
        ("retry_on", asyncio.sleep),  # its coroutine would be true, whatever it says
        ("retry_after", asyncio.sleep),
    ],
)
def test_what_is_no_rule_is_refused(name: str, value: Any) -> None:
    """E10: at once, by name; on both decorators, and in RetryConfig."""
    for make in (single_task, batch_task, RetryConfig):
        with pytest.raises((TypeError, ValueError), match=name):
            make(**{name: value})  # type: ignore[operator]


def test_a_decorator_takes_a_retry_config() -> None:
    """In place of the single options, and not beside them."""
    config = RetryConfig(max_attempts=7, retry_on=OSError)
    task = single_task(retry_config=config)(abs)
    assert task.retry_config is config
    assert batch_task(2, retry_config=config)(list).retry_config is config
    with pytest.raises(TypeError, match="retry_config or retry_attempts, not both"):
        single_task(retry_config=config, retry_attempts=3)
