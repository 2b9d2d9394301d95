"""Where do the extra arguments of a call go? V4 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import Pipeline, SingleTask, batch_task, single_task
from conveyor_rx.testing import timeline
from tests.kit import in_both_modes
from tests.values.giving import pause_for


def describe(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    return (*args, *sorted(kwargs.items()))


@in_both_modes
@pytest.mark.parametrize("is_async", [False, True])
async def test_extra_arguments_go_to_the_first_stage(is_async: bool, mode: str) -> None:
    """V4: `pipeline(data, *args, **kw)` passes them behind each item, to no other stage."""

    async def describe_later(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        await asyncio.sleep(1)
        return describe(*args, **kwargs)

    first = SingleTask[Any, Any](describe_later if is_async else describe)
    pipeline = (first | SingleTask(describe)).with_execution_mode(mode)
    got = await pipeline([1, 2], "a", key="b").collect()
    assert got == [((1, "a", ("key", "b")),), ((2, "a", ("key", "b")),)]


async def test_extra_arguments_are_of_one_run_alone() -> None:
    """V4: neither task nor pipeline remembers them; runs at the same time don't mix them."""

    async def add(item: int, more: int = 0) -> int:
        await asyncio.sleep(1)
        return item + more

    task = single_task(add)
    pipeline = task | SingleTask(pause_for)
    streams = [pipeline([1, 2], 10), pipeline([1, 2]), pipeline([1, 2], more=30)]
    assert await asyncio.gather(*[stream.collect() for stream in streams]) == [
        [11, 12],
        [1, 2],
        [31, 32],
    ]
    assert await pipeline([1, 2]).collect() == await task([1, 2]).collect() == [1, 2]
    assert await pipeline.as_completed([2, 1], 5).collect() == [6, 7]


async def test_what_a_run_needs_is_asked_for_in_each_run() -> None:
    """V4: an argument given to one run is missing in the next, and the error names it."""
    pipeline = SingleTask[Any, Any](lambda item, factor: item * factor) | SingleTask(str)
    assert await pipeline([1, 2], 10).collect() == ["10", "20"]
    with pytest.raises(TypeError, match="factor"):
        pipeline([1, 2])


async def test_extra_arguments_of_subscriptions() -> None:
    """V4: each `subscribe` of one stream is a run with the stream's arguments."""
    stream = Pipeline().add(SingleTask(describe))([1], "x")
    got: list[Any] = []
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    await asyncio.sleep(1)
    assert got == [(1, "x"), (1, "x")]


@pytest.mark.parametrize("kind", ["batch", "generator", "method"])
async def test_extra_arguments_for_every_kind_of_first_stage(kind: str) -> None:
    """V4: batch tasks, generators and methods take them as well."""

    class Owner:
        name = "me"

        @single_task
        def method(self, item: int, more: str) -> tuple[str, int, str]:
            return self.name, item, more

    def generate(item: int, more: str) -> Iterator[Any]:
        yield item
        yield more

    stages: dict[str, Any] = {
        "batch": batch_task(max_size=2)(describe),
        "generator": single_task(generate),
        "method": Owner().method,
    }
    expected: dict[str, Any] = {
        "batch": [([1, 2], "x")],
        "generator": [1, "x", 2, "x"],
        "method": [("me", 1, "x"), ("me", 2, "x")],
    }
    assert await Pipeline().add(stages[kind])([1, 2], "x").collect() == expected[kind]


async def test_extra_arguments_are_side_inputs() -> None:
    """V4, S1: a coroutine among them is awaited once, for this run."""
    resolved: list[float] = []

    async def later() -> int:
        await asyncio.sleep(5)
        resolved.append(asyncio.get_running_loop().time())
        return 10

    pipeline = SingleTask[Any, int](lambda item, more: item + more) | SingleTask(str)
    assert await timeline(pipeline([1, 2], later())) == [(5, "11"), (5, "12")]
    assert resolved == [5]


@pytest.mark.parametrize("args", [("a", "b", "c"), ()], ids=["too many", "by a wrong name"])
async def test_extra_arguments_that_do_not_fit(args: tuple[str, ...]) -> None:
    """V4: what the first task can't take is a TypeError when the pipeline is called."""
    pipeline = SingleTask[Any, Any](lambda item, more=0: item) | SingleTask(str)
    unknown: Mapping[str, str] = {} if args else {"mroe": "x"}
    with pytest.raises(TypeError, match=None if args else "mroe"):
        pipeline([1, 2], *args, **unknown)


async def test_extra_arguments_without_a_task_to_take_them() -> None:
    """V4: if an Rx operator stands first, or nothing, they are a TypeError."""
    with pytest.raises(TypeError):
        (Pipeline().add(ops.map(str)) | SingleTask(str))([1, 2], "x")
    with pytest.raises(TypeError):
        Pipeline()([1, 2], "x")
