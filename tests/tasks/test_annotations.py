"""Annotations whose names exist for type checkers only: a function that has them is like any other.

Before Python 3.14 only `from __future__ import annotations` makes such a function possible; since
then every function may be one. The modules here are made from source, without that import.
"""

import sys
from collections.abc import AsyncIterable, AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import BaseTask, Pipeline, batch_task, single_task

SOURCES = {
    "lazy": pytest.param(
        "",
        marks=pytest.mark.skipif(
            sys.version_info < (3, 14), reason="annotations are evaluated at once before 3.14"
        ),
    ),
    "future": pytest.param("from __future__ import annotations"),
}
MODULE = """
from reactivex import operators as ops

def plain(item: Item, more: Other = 1) -> Result:
    return item * 10

async def coroutine(item: Item, more: Other = 1) -> Result:
    return item * 10

def generator(item: Item, more: Other = 1) -> Iterator[Result]:
    yield item * 10

async def async_generator(item: Item, more: Other = 1) -> AsyncIterator[Result]:
    yield item * 10

def batch(items: list[Item], more: Other = 1) -> list[Result]:
    return [item * 10 for item in items]

def lacks(item: Item, *, factor: Factor) -> Result:
    return item * factor

def lacks_two(item: Item, factor: Factor, again: Factor) -> Result:
    return item * factor

class Methods:
    def method(self, item: Item) -> Result:
        return item * 10

    def __call__(self, item: Item) -> Result:
        return item * 10

def operator(source: rx.Observable[Item]) -> Absent:
    return source.pipe(ops.map(lambda item: item + 1))

def no_operator(item: Item) -> Absent:
    return item

def odd(source: "Observable" + absent.Thing) -> int | len(absent):
    return source.pipe(ops.map(lambda item: item + 1))

"""


@pytest.fixture(params=SOURCES.values(), ids=SOURCES.keys())
def module(request: pytest.FixtureRequest) -> Any:
    names: dict[str, Any] = {"__name__": "users_module"}
    exec(compile(f"{request.param}\n{MODULE}", "users_module.py", "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


KINDS = ("plain", "coroutine", "generator", "async_generator")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_single_task_of_each_kind(module: Any, kind: str) -> None:
    """V2: it runs, alone, in a chain, with side inputs and in both modes."""
    task = single_task(getattr(module, kind))
    assert await task([1, 2]).collect() == [10, 20]
    assert await task.as_completed([1, 2]).collect() == [10, 20]
    assert await (task | task.with_inputs(more=3))([1, 2]).collect() == [100, 200]
    assert await rx.of(1, 2).pipe(task, ops.to_list()) == [10, 20]


async def test_a_batch_task(module: Any) -> None:
    """V2: the same for batches."""
    task = batch_task(max_size=2)(module.batch)
    assert await (task | task.with_inputs(3))([1, 2, 3, 4]).collect() == [100, 200, 300, 400]


async def test_methods_and_callable_objects(module: Any) -> None:
    """V2: bound, unbound and called as an object."""
    assert await single_task(module.Methods().method)([1]).collect() == [10]
    assert await single_task(module.Methods())([1]).collect() == [10]


async def test_a_task_that_lacks_side_inputs(module: Any) -> None:
    """S3: calling it binds what it lacks; messages show the signature as it is written."""
    task: Any = single_task(module.lacks)
    assert await task(factor=3)([1, 2]).collect() == [3, 6]
    with pytest.raises(TypeError, match="lacks side inputs: 'factor'"):
        (Pipeline[Any, Any]().add(task))([1, 2])
    with pytest.raises(TypeError, match=r"the signature is .*item: '?Item'?, \*, factor: '?Factor"):
        task.with_inputs(fctor=3)


async def test_an_own_process(module: Any) -> None:
    """V2: a task of one's own beside them."""

    class Twice(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterable[Any]) -> AsyncIterable[Any]:
            async def outputs() -> AsyncIterator[Any]:
                async for item in items:
                    yield item * 2

            return outputs()

    assert await (single_task(module.plain) | Twice())([1, 2]).collect() == [20, 40]


async def test_an_operator_is_known_by_its_annotations(module: Any) -> None:
    """F1: a function whose annotations speak of Observables may stand in a chain, no other."""
    task = single_task(module.plain)
    assert await (task | module.operator)([1, 2]).collect() == [11, 21]
    assert await (module.operator | task)([1, 2]).collect() == [20, 30]
    with pytest.raises(TypeError):
        task | module.no_operator


async def test_annotations_that_cannot_be_evaluated_at_all(module: Any) -> None:
    """F1: their text says enough."""
    task = single_task(module.plain)
    assert await (task | module.odd)([1, 2]).collect() == [11, 21]


async def test_an_operator_that_a_closure_has_not_filled_yet() -> None:
    """F1: nothing is read of an operator's closure but the name that reactivex gives."""

    def make() -> Any:
        def operator(source: rx.Observable[int]) -> rx.Observable[int]:
            return source.pipe(ops.map(lambda item: item + later))

        pipeline = single_task(lambda item: item) | operator
        assert pipeline.stages[1].task_name == "operator"
        later = 1
        return pipeline

    assert await make()([1, 2]).collect() == [2, 3]
