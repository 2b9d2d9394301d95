"""Methods as tasks: `self` is bound through the descriptor protocol; tasks are immutable."""

from __future__ import annotations

import abc
import asyncio
import copy
import functools
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from conveyor_rx import BatchTask, Pipeline, SingleTask, batch_task, single_task
from tests.kit import in_both_modes


class Shop:
    """One method of each kind."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self.calls = 0

    @single_task
    async def scale(self, x: int) -> int:
        """Multiply."""
        await asyncio.sleep(1)
        self.calls += 1
        return x * self.factor

    @single_task
    def scale_now(self, x: int) -> int:
        return x * self.factor

    @single_task(concurrency_limit=2, on_error="skip_item", task_name="parts")
    def split(self, x: int) -> Iterator[int]:
        for _ in range(self.factor):
            yield x

    @single_task
    async def stream(self, x: int) -> AsyncIterator[int]:
        for _ in range(self.factor):
            yield x

    @batch_task(max_size=2)
    async def total(self, batch: list[int]) -> int:
        return sum(batch) * self.factor

    @single_task
    async def add(self, x: int, other: int) -> int:
        return (x + other) * self.factor

    @single_task
    async def numbers(self) -> AsyncIterator[int]:
        for n in range(self.factor):
            yield n

    @staticmethod
    @single_task
    def static(x: int) -> int:
        return x + 1

    @staticmethod
    @batch_task(max_size=2)
    def static_total(batch: list[int]) -> int:
        return sum(batch)


class Outlet(Shop):
    @single_task
    async def scale(self, x: int) -> int:
        return -x


KINDS: dict[str, list[int]] = {
    "scale": [10, 20, 30],
    "scale_now": [10, 20, 30],
    "split": [n for n in (1, 2, 3) for _ in range(10)],
    "stream": [n for n in (1, 2, 3) for _ in range(10)],
    "total": [30, 30],
    "static": [2, 3, 4],
    "static_total": [3, 3],
}


@in_both_modes
@pytest.mark.parametrize(("name", "expected"), KINDS.items(), ids=KINDS)
async def test_every_kind_of_method(name: str, expected: list[int], mode: Any) -> None:
    """Section 2: methods of every kind are tasks of their instance, alone and in a pipeline."""
    shop: Any = Shop(10)
    task = getattr(shop, name)
    results = await task.with_execution_mode(mode)([1, 2, 3]).collect()
    assert sorted(results) == sorted(expected)
    if mode == "ordered":
        assert results == expected
    assert await (shop.static | task)([0, 1, 2]).collect() == expected


@pytest.mark.parametrize(("name", "expected"), KINDS.items(), ids=KINDS)
async def test_names_and_kinds(name: str, expected: list[int]) -> None:
    """Section 2: a bound task is a task of its kind, by its name, with its options."""
    task = getattr(Shop(1), name)
    assert type(task) is (BatchTask if "total" in name else SingleTask)
    assert task.task_name == ("parts" if name == "split" else name)


async def test_two_instances() -> None:
    """Section 2: each instance has its own; both in one pipeline, and at once."""
    two, three = Shop(2), Shop(3)
    assert await (two.scale | three.scale)([1, 2]).collect() == [6, 12]
    assert (two.calls, three.calls) == (2, 2)
    assert await asyncio.gather(two.scale([1]).collect(), three.scale([1]).collect()) == [[2], [3]]


async def test_binding_leaves_the_class_alone() -> None:
    """Section 2: access on an instance makes a new task; the class's own stays unbound."""
    shop = Shop(2)
    unbound: Any = Shop.__dict__["scale"]
    assert Shop.scale is unbound
    assert shop.scale is not unbound
    assert shop.scale.func == unbound.func.__get__(shop)
    assert "scale" not in vars(shop)


async def test_state_is_read_when_a_call_runs() -> None:
    """Section 2: it is the live instance that is bound."""
    shop = Shop(2)
    stream = shop.scale_now([1, 2])
    shop.factor = 5
    assert await stream.collect() == [5, 10]


async def test_method_without_item() -> None:
    """V3: a bound method that takes nothing but `self` is called without data."""
    assert await Shop(3).numbers().collect() == [0, 1, 2]
    shop = Shop(3)
    assert await (shop.numbers | shop.scale)().collect() == [0, 3, 6]


async def test_side_inputs_of_methods() -> None:
    """S3: side inputs are bound on the bound task, `self` isn't one of them."""
    shop: Any = Shop(2)
    assert await shop.add(10)([1, 2]).collect() == [22, 24]
    assert await shop.add.with_inputs(other=10)([1]).collect() == [22]
    with pytest.raises(TypeError, match="lacks side inputs: 'other'"):
        (shop.scale | shop.add)([1])


def test_unbound_method_given_data() -> None:
    """Bad input: a task of the class itself lacks its instance: TypeError, no wrong `self`."""
    shop: Any = Shop
    with pytest.raises(TypeError):
        (single_task(abs) | shop.scale)([1])


async def test_task_of_the_class_with_an_instance_as_item() -> None:
    """Section 2, as of any function: called on the class with `self` as input it is unbound."""

    class Row:
        def __init__(self, value: int) -> None:
            self.value = value

        @single_task
        def read(self) -> int:
            return self.value

    assert await Row.read([Row(1), Row(2)]).collect() == [1, 2]


# -- classes of every kind


@dataclass
class Record:
    factor: int
    log: list[int] = field(default_factory=list)
    shared: ClassVar[list[int]] = []

    @single_task
    def scale(self, x: int) -> int:
        self.log.append(x)
        return x * self.factor

    @batch_task(max_size=2)
    def total(self, batch: list[int]) -> int:
        return sum(batch) * self.factor


@dataclass(frozen=True, slots=True)
class Slotted:
    factor: int

    @single_task
    def scale(self, x: int) -> int:
        return x * self.factor


async def test_dataclasses() -> None:
    """Section 2: tasks in dataclasses are methods, not fields; frozen and slotted ones, too."""
    record = Record(3)
    assert await (record.scale | record.total)([1, 2]).collect() == [27]
    assert record == Record(3, [1, 2])
    assert record.log == [1, 2]
    assert await Slotted(4).scale([1]).collect() == [4]


async def test_inheritance() -> None:
    """Section 2: inherited tasks bind to the subclass's instance; overriding works."""
    outlet = Outlet(2)
    assert await outlet.scale_now([1]).collect() == [2]
    assert await outlet.scale([1]).collect() == [-1]
    assert await Outlet.static([1]).collect() == [2]


async def test_class_methods() -> None:
    """Section 2: a decorator above `@classmethod` or `@staticmethod` makes tasks of the class."""

    class Rated:
        rate = 3

        @single_task
        @classmethod
        def scale(cls, x: int) -> int:
            return x * cls.rate

        @single_task
        @classmethod
        async def scale_later(cls, x: int) -> int:
            await asyncio.sleep(1)
            return x * cls.rate

        @single_task(concurrency_limit=2)
        @classmethod
        def split(cls, x: int) -> Iterator[int]:
            for _ in range(cls.rate):
                yield x

        @batch_task(max_size=2)
        @classmethod
        def total(cls, batch: list[int]) -> int:
            return sum(batch) * cls.rate

        @single_task
        @staticmethod
        def static(x: int) -> int:
            return x + 1

    class Higher(Rated):
        rate = 100

    for holder, rate in ((Rated, 3), (Rated(), 3), (Higher, 100), (Higher(), 100)):
        tasks: Any = holder
        assert await tasks.scale([1, 2]).collect() == [rate, 2 * rate]
        assert await tasks.scale_later([1]).collect() == [rate]
        assert await tasks.split([7]).collect() == [7] * rate
        assert await tasks.total([1, 2]).collect() == [3 * rate]
        assert await tasks.static([1]).collect() == [2]
        assert await (tasks.static | tasks.scale | tasks.total)([0, 1]).collect() == [3 * rate**2]
        assert (tasks.scale.task_name, type(tasks.scale)) == ("scale", SingleTask)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="classmethod no longer binds a descriptor")
async def test_classmethod_above_the_decorator() -> None:
    """Section 2: up to Python 3.12 `@classmethod` may stand above the decorator as well."""

    class Rated:
        rate = 3

        @classmethod
        @single_task
        def scale(cls, x: int) -> int:
            return x * cls.rate

    assert await Rated.scale([1]).collect() == [3]
    assert await Rated().scale([1]).collect() == [3]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there classmethod binds a descriptor")
@pytest.mark.parametrize("make", [single_task, batch_task(max_size=2)], ids=["single", "batch"])
def test_classmethod_above_the_decorator_is_told_what_to_do(make: Any) -> None:
    """Issue 13.18: where `@classmethod` can't bind a task, a call and a joint say the right order.

    (Two of them joined are methods to Python, and `|` is none of theirs.)
    """

    class Rated:
        @classmethod
        @make
        def scale(cls, x: Any) -> Any:
            raise AssertionError

        @classmethod
        @make
        def numbers(cls) -> list[int]:
            raise AssertionError

    class Higher(Rated):
        pass

    for holder in (Rated, Rated(), Higher, Higher()):
        tasks: Any = holder
        for call in (
            lambda: tasks.scale([1]),  # noqa: B023  # called at once
            lambda: tasks.scale(),  # noqa: B023
            lambda: tasks.numbers(),  # noqa: B023
            lambda: tasks.scale.as_completed([1]),  # noqa: B023
            lambda: tasks.scale.with_inputs()([1]),  # noqa: B023
            lambda: tasks.scale.with_context(max_in_flight=2)([1]),  # noqa: B023
            lambda: single_task(abs) | tasks.scale,  # noqa: B023
            lambda: tasks.scale | single_task(abs),  # noqa: B023
        ):
            with pytest.raises(TypeError, match="decorator above"):
                call()


async def test_a_class_may_be_data() -> None:
    """V3: a class as data is one item, and class methods of its own don't matter."""

    class Made:
        @classmethod
        def make(cls) -> None:
            raise AssertionError

    name = single_task(lambda kind: kind.__name__)
    assert await name(Made).collect() == ["Made"]
    assert await name([int, Made]).collect() == ["int", "Made"]


async def test_super() -> None:
    """Section 2: `super().task` is the parent's task, bound to this instance."""

    class Loud(Shop):
        @single_task
        async def scale(self, x: int) -> list[int]:
            parent: Any = super().scale
            return [*(await parent([x]).collect()), x]

    assert await Loud(10).scale([1, 2]).collect() == [10, 1, 20, 2]


async def test_abstract_method() -> None:
    """Section 2: a task may implement an abstract method."""

    class Base(abc.ABC):
        @abc.abstractmethod
        def work(self, x: int) -> int: ...

    class Concrete(Base):
        @single_task
        def work(self, x: int) -> int:
            return x + 1

    task: Any = Concrete().work
    assert await task([1]).collect() == [2]


ABSTRACT: dict[str, Any] = {
    "single": lambda f: single_task(abc.abstractmethod(f)),
    "single with options": lambda f: single_task(concurrency_limit=2)(abc.abstractmethod(f)),
    "batch": lambda f: batch_task(max_size=2)(abc.abstractmethod(f)),
    "class": lambda f: SingleTask(abc.abstractmethod(f)),
    "inside": lambda f: abc.abstractmethod(single_task(f)),
    "class method": lambda f: single_task(classmethod(abc.abstractmethod(f))),
    "class method outside": lambda f: classmethod(single_task(abc.abstractmethod(f))),
    "static method": lambda f: batch_task(2)(staticmethod(abc.abstractmethod(f))),
    "static method outside": lambda f: staticmethod(single_task(abc.abstractmethod(f))),
}


@pytest.mark.parametrize("decorate", ABSTRACT.values(), ids=ABSTRACT)
def test_a_task_of_an_abstract_method_is_abstract(decorate: Any) -> None:
    """Section 2: a decorator above `@abstractmethod` keeps the class abstract, as below it."""

    def work(*_: Any) -> Any:
        raise AssertionError

    class Base(abc.ABC):  # noqa: B024  # what is abstract in it is the question
        task = decorate(work)

    class StillAbstract(Base):
        pass

    class Concrete(Base):
        @single_task
        def task(self, x: int) -> int:
            return x + 1

    for kind in (Base, StillAbstract):
        assert kind.__abstractmethods__ == {"task"}
        with pytest.raises(TypeError, match="abstract"):
            kind()
    assert Concrete.__abstractmethods__ == frozenset()
    assert isinstance(Concrete().task, SingleTask)


def test_copies_of_an_abstract_task_are_abstract() -> None:
    """Section 2: bound to its instance, or to side inputs, it is what it was."""

    class Base(abc.ABC):
        @single_task
        @abc.abstractmethod
        def work(self, x: int, y: int) -> int: ...

    class Concrete(Base):
        def work(self, x: int, y: int) -> Any:
            return super().work

    unbound: Any = Base.work
    bound: Any = Concrete().work(1, 2)
    for task in (unbound, bound, bound.with_inputs(3)):
        assert task.__isabstractmethod__
    assert not hasattr(single_task(abs), "__isabstractmethod__")


async def test_pipeline_as_class_attribute() -> None:
    """Section 2: a pipeline in a class body is a plain attribute; it binds to nothing."""

    class Holder:
        chain = single_task(abs) | single_task(str)

    assert await Holder().chain([-1]).collect() == ["1"]
    assert Holder().chain is Holder.chain


async def test_bound_tasks_in_one_class_body_of_lambdas() -> None:
    """Section 2: a bound method that is decorated later stays bound to its own instance."""
    shop = Shop(7)

    class Other:
        task = single_task(shop.scale_now.func)

    assert await Other().task([1]).collect() == [7]


async def test_callables() -> None:
    """Section 2: callable objects, partials, builtins and classes are functions as well."""

    class Doubler:
        async def __call__(self, x: int) -> int:
            return x * 2

    class Maker:
        def __init__(self, x: int) -> None:
            self.x = x

    assert await single_task(Doubler())([1]).collect() == [2]
    assert await single_task(functools.partial(pow, 2))([3]).collect() == [8]
    assert await single_task(functools.partial(pow, exp=2))([3]).collect() == [9]
    assert await single_task(str)([1]).collect() == ["1"]
    assert await single_task(len)(["ab"]).collect() == [2]
    assert [made.x for made in await single_task(Maker)([1]).collect()] == [1]


async def test_partial_of_a_coroutine_function() -> None:
    """Section 2: what a partial wraps decides on its kind."""

    async def add(x: int, y: int) -> int:
        await asyncio.sleep(1)
        return x + y

    async def repeat(x: int, times: int) -> AsyncIterator[int]:
        for _ in range(times):
            yield x

    assert await single_task(functools.partial(add, y=5))([1, 2]).collect() == [6, 7]
    assert await single_task(functools.partial(repeat, times=2))([1]).collect() == [1, 1]


# -- immutable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("func", abs),
        ("task_name", "other"),
        ("concurrency_limit", 3),
        ("on_error", "skip_item"),
        ("retry_config", None),
        ("error_handler", None),
        ("min_size", 3),
        ("max_size", 3),
    ],
)
def test_what_is_readable_is_not_writable(name: str, value: Any) -> None:
    """Section 2: stages are immutable: their attributes are read-only."""
    task = batch_task(max_size=2)(sum)
    getattr(task, name)
    with pytest.raises(AttributeError):
        setattr(task, name, value)


def test_joining_makes_new_pipelines() -> None:
    """Section 2: `|` leaves both sides alone."""
    a, b, c = single_task(abs), single_task(str), single_task(len)
    left = a | b
    both = left | c
    assert left.stages == [a, b]
    assert both.stages == [a, b, c]
    assert (c | left).stages == [c, a, b]
    assert left.stages == [a, b]


def test_context_makes_new_pipelines() -> None:
    """Section 2: `with_context` and `with_execution_mode` leave the pipeline alone."""
    chain = single_task(abs) | single_task(str)
    changed = chain.with_context(max_in_flight=5, user="ada").with_execution_mode("as_completed")
    assert (chain.context.max_in_flight, chain.context.data) == (1024, {})
    assert chain.context.execution_mode == "ordered"
    assert (changed.context.max_in_flight, changed.context.data) == (5, {"user": "ada"})
    assert changed.stages == chain.stages


def test_joining_ten_thousand_stages_takes_no_minute() -> None:
    """`|` looks at each stage once: it took a minute for as many as this."""
    task = SingleTask(lambda item: item)
    start = time.process_time()
    pipeline: Any = task
    for _ in range(10_000):
        pipeline = pipeline | task
    assert len(pipeline.stages) == 10_001
    assert time.process_time() - start < 10


async def test_stream_keeps_the_stages_it_was_made_of() -> None:
    """Section 2: `add` on a pipeline extends later streams only."""
    chain: Any = Pipeline().add(single_task(abs))
    stream = chain([-1])
    chain.add(single_task(str))
    assert await stream.collect() == [1]
    assert await chain([-1]).collect() == ["1"]


def test_copies() -> None:
    """Section 2: a task can be copied and keeps its options."""
    task = single_task(task_name="x", concurrency_limit=2)(abs)
    for twin in (copy.copy(task), copy.deepcopy(task)):
        assert (twin.task_name, twin.concurrency_limit, twin.func) == ("x", 2, abs)


def test_task_looks_like_its_function() -> None:
    """Section 2: name, docstring and signature of the function show through."""
    assert Shop.scale.__doc__ == "Multiply."
    assert Shop.scale.__name__ == "scale"
    assert Shop(1).scale.__doc__ == "Multiply."


def test_readable_options() -> None:
    """Section 2: `.func`, `.task_name`, `.min_size`, `.max_size`, `.concurrency_limit`."""
    single = SingleTask(abs)
    assert (single.func, single.task_name, single.concurrency_limit) == (abs, "abs", None)
    batch = batch_task(3)(sum)
    assert (batch.func, batch.task_name) == (sum, "sum")
    assert (batch.min_size, batch.max_size, batch.concurrency_limit) == (3, 3, 1)
    batch = batch_task(2, 5, concurrency_limit=4)(sum)
    assert (batch.min_size, batch.max_size, batch.concurrency_limit) == (2, 5, 4)
