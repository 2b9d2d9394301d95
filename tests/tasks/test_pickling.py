"""Which tasks can be pickled, and what arrives? The module's own task, or one that is like it."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import operator
import pickle
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    BatchTask,
    Failure,
    Pipeline,
    PipelineContext,
    RetryConfig,
    SingleTask,
    Workers,
    batch_task,
    single_task,
)
from conveyor_rx.limits import AdaptiveLimit, Limit, RateLimit
from tests.tasks import sent
from tests.tasks.sent import Child, Service, fetch, renamed

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
service = Service(10)


def sent_and_back(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


# -- names


def test_a_task_has_the_names_of_its_function() -> None:
    """X2: as `functools.wraps` does it; the classes of tasks keep theirs."""
    for task, name in ((fetch, "fetch"), (Service.fetch, "Service.fetch"), (renamed, "fetch")):
        assert (task.__module__, task.__qualname__) == (sent.__name__, name)
        assert task.__name__ == "fetch"
        assert task.__wrapped__.__qualname__ == name
    assert fetch.__doc__ == "Get it."
    assert sent.parse.__name__ == "parse"
    assert sent.parse.task_name == "to number"
    assert sent.partial.__qualname__ == "add"
    assert single_task(len).__module__ == "builtins"
    assert inspect.getmodule(fetch) is sent
    assert (SingleTask.__module__, SingleTask.__qualname__) == ("conveyor_rx.tasks", "SingleTask")
    assert BatchTask.__module__ == "conveyor_rx.tasks"


def test_a_task_without_names_gets_its_task_name() -> None:
    """X2: a callable object has no name but that of its class."""
    task = single_task(sent.Callback(abs, 2))
    assert (task.__name__, task.__qualname__) == ("Callback", "Callback")
    assert task.__module__ == sent.__name__
    assert single_task(str.upper).__module__ == "conveyor_rx.tasks"  # it says of no module


# -- by name


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "task",
    [fetch, sent.rank, sent.parse, sent.shout, sent.remember, sent.below_task, Service.fetch],
    ids=repr,
)
def test_a_name_stands_for_its_task(task: Any, protocol: int) -> None:
    """X2: what arrives is the very task, whatever its options and however it is decorated."""
    assert sent_and_back(task, protocol) is task
    assert sent_and_back([task, task], protocol) == [task, task]
    assert sent_and_back(Service.Inner.fetch, protocol) is Service.Inner.fetch


def test_a_name_takes_no_more_than_its_own_length() -> None:
    """X2: nothing of the task is written, and options that can't be pickled don't matter."""
    assert len(pickle.dumps(fetch)) < 100
    nameless.func(1)
    assert sent_and_back(nameless) is nameless


@single_task(key=lambda item: item, dead_letter=lambda failure: None, on_error="skip_item")
def nameless(item: int) -> int:
    return item


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tasks_of_methods_travel_with_their_instance(protocol: int) -> None:
    """X2: by the name of the method, on the instance; those of a class by its name."""
    for task, result in (
        (service.fetch, 11),
        (Service.make, "Service 1"),
        (service.make, "Service 1"),
        (Child.make, "Child 1"),
        (Service.half, 0),
        (service.half, 0),
        (Service.Inner().fetch, -1),
        (Child(3).fetch, -1),
        (Child(3).parents(), 4),
        (single_task(service.plain), -9),
        (service.add.with_inputs(100), 111),
    ):
        arrived = sent_and_back(task, protocol)
        assert type(arrived) is type(task)
        assert await arrived([1]).collect() == [result]
    both = sent_and_back([service, service.fetch], protocol)
    assert both[1].func.__self__ is both[0]


# -- by what they are made of


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tasks_without_a_name_arrive_as_others_like_them(protocol: int) -> None:
    """X2: with their options and side inputs; their function goes by its name, or the task's."""
    for task, result in (
        (sent.double, 2),
        (sent.partial, 8),
        (renamed, 2),
        (sent.add.with_inputs(2, factor=3), 7),
        (sent.add.with_inputs(sent.offset), 6),
        (single_task(sent.Callback(sent.double_one, 5)), 10),
        (single_task(functools.partial(sent.double_one)), 2),
        (single_task(functools.partial(functools.partial(sent.add.func, factor=2), other=1)), 3),
        (BatchTask(sent.rank.func, 1, 5, max_wait=3), 1),
        (single_task(operator.neg), -1),
        (single_task(abs), 1),
        (sent.Pairs(None), (None, 1)),
    ):
        arrived = sent_and_back(task, protocol)
        assert arrived is not task
        assert repr(arrived) == repr(task)
        assert await arrived([1]).collect() == [result]
    arrived = sent_and_back(renamed, protocol)
    assert (arrived.key, arrived.on_error) == (sent.parity, "skip_item")
    assert arrived.func is arrived.__wrapped__ is fetch.func


async def test_a_task_goes_by_value_after_it_was_used() -> None:
    """X2: what it has read of its function stays here."""
    assert await sent.double([1]).collect() == [2]
    assert await sent_and_back(sent.double)([1]).collect() == [2]
    bound = sent.add.with_inputs(sent.offset)
    assert await bound([1]).collect() == [6]
    assert await sent_and_back(bound)([1]).collect() == [6]


class Renamed(SingleTask[Any, Any]):
    """A user's own kind of task."""

    note = ""


async def test_subclasses_keep_their_attributes() -> None:
    """X2: also those of a user's own kind of task."""
    task = Renamed(sent.double_one)
    task.note = "mine"
    arrived = sent_and_back(task)
    assert (type(arrived), arrived.note) == (Renamed, "mine")
    assert await arrived([1]).collect() == [2]


def test_functions_of_options_go_by_name() -> None:
    """X2: those that are taken by tasks, and bound methods, too."""
    task = SingleTask(
        sent.double_one,
        key=sent.rank.func,
        dead_letter=service.fetch.func,
        error_handler=sent.Zero(),
        retry_config=RetryConfig(5, retry_on=fetch.func, max_delay=7),
        on_error="skip_item",
    )
    arrived = sent_and_back(task)
    assert arrived.key is sent.rank.func
    assert arrived.dead_letter.__func__ is Service.fetch.func
    assert arrived.retry_config == task.retry_config
    assert type(arrived.error_handler) is sent.Zero
    batches = BatchTask(sum, max_weight=3, weight=fetch.func, group_by=sent.parity)
    assert sent_and_back(batches).weight is fetch.func
    assert sent_and_back(batches).group_by is sent.parity


# -- limits


def test_limits_arrive_unused() -> None:
    """X2: each process has limits of its own; those that are shared in a pickle stay so."""

    async def use() -> None:
        rate.charge(4)
        for limit in (count, adaptive):
            limit._serve(asyncio.get_running_loop())
            limit._grant(1, 0)
        adaptive._learn(1, ValueError())

    rate = RateLimit(6, 2, cost=fetch.func, smooth=True)
    count = Limit(4)
    adaptive = AdaptiveLimit(8, 2, 9, 0.5, slow_down_on=(ValueError, OSError))
    fresh = [repr(limit) for limit in (rate, count, adaptive)]
    asyncio.run(use())
    assert fresh != [repr(limit) for limit in (rate, count, adaptive)]
    arrived = sent_and_back([rate, count, adaptive])
    assert [repr(limit) for limit in arrived] == fresh
    assert arrived[0]._cost is fetch.func
    assert (arrived[0]._spacing, arrived[2]._slow_down_on) == (2 / 6, (ValueError, OSError))
    tasks = [SingleTask(sent.double_one, rate_limit=rate, concurrency_limit=count) for _ in "ab"]
    one, two = sent_and_back(tasks)
    assert one.rate_limit is two.rate_limit
    assert one.concurrency_limit is two.concurrency_limit
    assert "6 in 2 s" in repr(copy.deepcopy(rate))


# -- workers


def start() -> int:
    return 5


def test_workers_arrive_as_new_ones() -> None:
    """X2: each process has workers of its own; an executor stays in its process."""
    for executor in ("threads", Workers("processes", 3, chunk=2)):
        task = SingleTask(sent.add.func, executor=executor).with_inputs(other=2)
        arrived = sent_and_back(task)
        assert repr(arrived.executor) == repr(executor)
        assert repr(arrived._binding.workers) == repr(task._binding.workers)
        assert arrived._binding.workers is not task._binding.workers
    shared = Workers("threads", 2, setup=start, chunk=3)
    one, two = sent_and_back([SingleTask(sent.add.func, executor=shared) for _ in "ab"])
    assert one._binding.workers is two._binding.workers is one.executor
    assert (one.executor.setup, one.executor.n, one.executor.chunk) == (start, 2, 3)
    assert one.executor.name != shared.name


def test_an_executor_stays_in_its_process() -> None:
    """X2: the error names the task, and what can travel."""
    with ThreadPoolExecutor(1) as pool:
        for executor in (pool, Workers(pool)):
            task = SingleTask(sent.add.func, executor=executor)
            with pytest.raises(TypeError, match=r"task 'add' can't .* an executor, ThreadPoolExec"):
                pickle.dumps(task)
        with pytest.raises(TypeError, match="belongs to the process that has made it"):
            pickle.dumps(Workers(pool))
    with pytest.raises(TypeError, match=r"Workers\(processes.* its setup .*<lambda> has no name"):
        pickle.dumps(Workers(setup=lambda: 1))


# -- pipelines


def keep(failure: Failure) -> None:
    """Get a dead letter."""


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_pipelines_travel_with_their_context(protocol: int) -> None:
    """X2: stage by stage; Rx operators as what made them."""
    context = PipelineContext(max_in_flight=9, data={"user": "ada"}, dead_letter=keep)
    pipeline: Any = (
        Pipeline(context)
        .add(fetch, service.fetch, ops.map(sent.double_one), ops.take(count=3))
        .add(
            reactivex.compose(ops.filter(sent.parity), ops.skip(0)) if protocol < 0 else ops.skip(1)
        )
        .add(reactivex.compose(ops.map(fetch.func), sent.own_operator), sent.own_operator)
        .add(sent.Pairs("first"), sent.double)
    )
    arrived = sent_and_back(pipeline, protocol)
    assert repr(arrived) == repr(pipeline)
    assert arrived.context == context
    assert arrived.stages[0] is fetch
    assert await arrived(range(9)).collect() == await pipeline(range(9)).collect() != []
    assert sent_and_back(Pipeline(), protocol).stages == []


async def test_all_operators_of_reactivex_that_are_made_of_values() -> None:
    """X2: an operator is made anew by its function; those that are composed, of their parts."""
    for made in (
        ops.distinct_until_changed(),
        ops.scan(operator.add, seed=0),
        ops.buffer_with_count(2),
        ops.pairwise(),
        ops.share(),
        ops.start_with(1, 2),
        ops.do_action(on_next=print),
        ops.publish(),
    ):
        arrived = sent_and_back(Pipeline().add(made))
        assert arrived.task_name == Pipeline().add(made).task_name
    pipeline = fetch | ops.scan(operator.add, seed=0) | ops.buffer_with_count(2)
    assert await sent_and_back(pipeline)([1, 2, 3]).collect() == [[2, 5], [9]]


# -- what can't


def refused() -> dict[str, tuple[Any, str]]:
    """Give what can't be pickled, and what the error says."""

    @single_task
    def local(item: int) -> int:
        return item

    async def wait() -> int:
        return 1

    add = sent.add
    here = r"test_pickling\.|refused\.<locals>\."
    return {
        "local": (local, r"task 'local'.*its function refused.<locals>.local has no name of its"),
        "lambda": (
            single_task(lambda x: x),
            r"task '<lambda>.*its function .*<lambda> has no name",
        ),
        "key": (SingleTask(fetch.func, key=lambda x: x), r"task 'fetch' .* its key .*<lambda>"),
        "weight": (
            BatchTask(sum, max_weight=1, weight=lambda x: 1),
            r"task 'sum' .*weight .*<lamb",
        ),
        "retry_on": (
            SingleTask(fetch.func, retry_config=RetryConfig(retry_on=lambda error: True)),
            r"task 'fetch' can't be pickled: its retry_on .*<lambda> has",
        ),
        "RetryConfig": (RetryConfig(retry_on=lambda error: True), "the RetryConfig can't"),
        "cost": (
            SingleTask(fetch.func, rate_limit=[RateLimit(1, cost=lambda item: 1)]),
            r"task 'fetch' can't be pickled: its cost .*<lambda> has no name",
        ),
        "slow_down_on": (AdaptiveLimit(slow_down_on=lambda error: True), "the AdaptiveLimit can't"),
        "own task": (sent.Pairs(lambda: 1), "<lambda>"),
        "partial": (single_task(functools.partial(lambda x, y: x, y=1)), "its function .*<lambda>"),
        "side input": (add.with_inputs(lambda: 1), "task 'add' .* its side input 1 .*<lambda> has"),
        "factory": (add.with_inputs(wait), "task 'add' .* its side input 1 refused.*wait has no"),
        "dead_letter": (
            fetch.with_context(dead_letter=lambda failure: None),
            "the context can't .* dead_letter .*<lambda>",
        ),
        "operator": (
            fetch | ops.map(lambda x: x),
            "the stage ops.map .* its argument 1 .*<lambda>",
        ),
        "named": (
            fetch | ops.map(mapper=lambda x: x),
            "the stage ops.map .* its argument 1 .*<lambda>",
        ),
        "composed": (
            fetch | reactivex.compose(ops.skip(1), ops.map(lambda x: x)),
            "the stage ops.map can't be pickled",
        ),
        "observable": (fetch | ops.merge(fetch([1])), r"ops.merge .* argument 1 is an Observable"),
        "pipeline": (fetch | local, rf"task 'local' .*({here})"),
    }


@pytest.mark.parametrize("kind", refused())
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_what_cant_travel_says_so_when_it_is_pickled(kind: str, protocol: int) -> None:
    """X2: a TypeError that names the task, or what else it is, and the reason."""
    value, text = refused()[kind]
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError), match=text) as caught:
        pickle.dumps([value], protocol)
    if kind != "own task":  # whose attributes are its own affair
        assert type(caught.value) is TypeError
        assert kind == "observable" or "Give it a name of its own" in str(caught.value)


async def generate() -> AsyncIterator[int]:
    yield 1


async def test_side_inputs_that_belong_to_this_process() -> None:
    """X2: what is still to come can't travel, nor can a generator; the error says what can."""
    future = asyncio.get_running_loop().create_future()
    for value, what in (
        (sent.offset(), "a coroutine"),
        (future, "a future"),
        (fetch([1]), "a stream"),
        (generate(), "an async generator"),
    ):
        for task, name in (
            (sent.add.with_inputs(value), "side input 1"),
            (sent.add.with_inputs(other=value), "side input 'other'"),
        ):
            with pytest.raises(TypeError) as caught:
                pickle.dumps(fetch | task)
            assert str(caught.value).startswith(
                f"task 'add' can't be pickled: its {name} is {what}, which can't leave this process"
            )
            del task


def test_a_name_that_stands_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """X2: a task is pickled by a name only while that stands for it."""
    task = sent.rank
    monkeypatch.setattr(sent, "rank", sent.other_function)
    with pytest.raises(TypeError, match=r"task 'rank' .* rank is not what stands under tests\.tas"):
        pickle.dumps(task)
    monkeypatch.setattr(sent, "rank", task.with_inputs())
    assert sent_and_back(sent.rank) is sent.rank
    assert sent_and_back(task).func is task.func
    monkeypatch.delattr(sent, "rank")
    with pytest.raises(TypeError, match="its function rank has no name"):
        pickle.dumps(task)


def test_copies_need_no_names() -> None:
    """X2: `copy` is no pickler; it takes functions as they are."""
    context = PipelineContext(dead_letter=lambda failure: None, data={"a": [1]})
    twin = copy.deepcopy(context)
    assert twin == context
    assert twin.data["a"] is not context.data["a"]
    config = RetryConfig(retry_on=lambda error: True)
    assert copy.deepcopy(config) == copy.copy(config) == config
    pipeline = single_task(lambda x: x) | ops.map(lambda x: x)
    assert copy.deepcopy(pipeline).stages[0] is pipeline.stages[0]
    assert repr(copy.deepcopy(AdaptiveLimit(slow_down_on=lambda error: True)))
    assert batch_task(2)(sum).max_size == 2
