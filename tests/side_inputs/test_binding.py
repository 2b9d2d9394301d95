"""How does a task get its side inputs? S3 and V4 of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, SingleTask, single_task
from tests.side_inputs.tasks import Slow, add, needs_two, plain_add, tens, total, zip_with

# -- binding


def needs_named(x: int, *, a: int) -> tuple[int, int]:
    return x, a


async def test_binding_in_steps() -> None:
    """S3: what is lacking can be bound by calling; the bound task is a stage."""
    task = single_task(needs_two)
    assert await task(2, 3)([1]).collect() == [(1, 2, 3)]
    assert await task(a=2, b=3)([1]).collect() == [(1, 2, 3)]
    assert await task(2, b=3)([1]).collect() == [(1, 2, 3)]


async def test_binding_makes_a_new_task() -> None:
    """Section 2: tasks are immutable: `with_inputs` leaves the old one as it was."""
    ten, twenty = add.with_inputs(10), add.with_inputs(20)
    assert await ten([1]).collect() == [11]
    assert await twenty([1]).collect() == [21]
    assert await ten.with_inputs(30)([1]).collect() == [31]
    assert await ten([1]).collect() == [11]
    with pytest.raises(TypeError, match="other"):
        (plain_add | add)([1])


async def test_bound_task_keeps_its_options() -> None:
    """Section 2: name, limit and error options go with it."""

    async def later(x: int, a: int, b: int) -> tuple[int, int, int]:
        return needs_two(x, a, b)

    task = single_task(task_name="sum", concurrency_limit=3, on_error="skip_item")(later)
    bound = task.with_inputs(1, 2)
    assert (bound.task_name, bound.concurrency_limit, bound.on_error) == ("sum", 3, "skip_item")
    assert type(bound) is SingleTask
    batch = total.with_inputs(1)
    assert (batch.min_size, batch.max_size, batch.concurrency_limit) == (1, 2, 1)


async def test_calling_a_task_that_lacks_inputs_gives_a_task() -> None:
    """S3: `wait_for_other(stream)` is `wait_for_other.with_inputs(stream)`."""
    bound: Any = zip_with(tens())
    assert type(bound) is SingleTask
    chain = plain_add.with_inputs(0) | bound | single_task(sum)
    assert await chain([1, 2]).collect() == [11, 22]


@pytest.mark.parametrize(
    ("bind", "names"),
    [
        (lambda: single_task(needs_two).with_inputs(1, 2, 3), "too many"),
        (lambda: single_task(needs_two).with_inputs(1, 2, c=1), "unexpected keyword argument 'c'"),
        (lambda: single_task(needs_two).with_inputs(1), "'b'"),
        (lambda: single_task(needs_two).with_inputs(b=1), "'a'"),
        (lambda: single_task(needs_two).with_inputs(), "'a'"),
        (lambda: single_task(needs_named).with_inputs(1), "too many"),
        (lambda: single_task(needs_two).with_inputs(1, a=1, b=2), "multiple values"),
        (lambda: single_task(needs_two).with_inputs(x=1, a=1, b=2), "multiple values"),
        (lambda: single_task(lambda x: x).with_inputs(1), "too many"),
        (lambda: total.with_inputs(1, 2), "too many"),
        (lambda: single_task(needs_two)(1, 2, 3), "too many"),
        (lambda: single_task(needs_named)(1), "too many"),
    ],
    ids=range(12),
)
def test_inputs_that_do_not_fit(bind: Callable[[], Any], names: str) -> None:
    """S3, bad input: TypeError when bound, that names task and argument."""
    with pytest.raises(TypeError, match=names) as caught:
        bind()
    assert "can't be called with" in str(caught.value)


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_task_that_lacks_inputs_in_a_pipeline(place: str) -> None:
    """Bad input: a task that lacks side inputs and is given data: TypeError that names them."""
    same = single_task(lambda x: x)
    lacking: Any = single_task(task_name="join")(needs_two)
    chain = {
        "first": lacking | same,
        "middle": same | lacking | same,
        "last": same | lacking,
    }[place]
    with pytest.raises(TypeError, match=r"'join' lacks side inputs: 'a', 'b'.*with_inputs"):
        chain([1])
    with pytest.raises(TypeError, match="'a', 'b'"):
        chain.as_completed([1])
    with pytest.raises(TypeError, match="'a', 'b'"):
        rx.of(1).pipe(chain)


def test_partly_bound_task_names_what_is_left() -> None:
    """Bad input: extra arguments of one run that don't suffice are a TypeError naming the rest."""
    chain: Any = single_task(task_name="join")(needs_two) | single_task(lambda x: x)
    with pytest.raises(TypeError, match="'b'") as caught:
        chain([1], 2)
    assert "'a'" not in str(caught.value)


# -- V4: arguments of one run


async def test_arguments_of_one_run_go_to_the_first_task_only() -> None:
    """V4: and stick to nothing: the next run needs its own."""
    chain = add | plain_add.with_inputs(1)
    assert await chain([1], 10).collect() == [12]
    assert await chain([1], other=20).collect() == [22]
    with pytest.raises(TypeError, match="lacks side inputs: 'other'"):
        chain([1])


async def test_arguments_of_one_run_replace_bound_ones() -> None:
    """V4: they take precedence over what is bound, for that run alone."""
    bound = add.with_inputs(10)
    assert await bound([1], 20).collect() == [21]
    by_name = add.with_inputs(other=10)
    assert await by_name([1], other=20).collect() == [21]
    assert await bound([1]).collect() == [11]


async def test_pending_argument_of_one_run() -> None:
    """V4/S1: a coroutine or stream can be one as well."""
    chain = add | plain_add.with_inputs(1)
    slow = Slow()
    assert await chain([1, 2], slow()).collect() == [12, 13]
    assert await chain.as_completed([1, 2], AsyncStream([10])).collect() == [12, 13]
