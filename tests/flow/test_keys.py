"""Calls for equal keys follow each other: K1 to K4 of the contract."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from conveyor_rx import AsyncStream, SingleTask, single_task
from conveyor_rx.events import Event, observe
from tests.kit import Boom, Endless, drain, in_both_modes, now, others, watched_or_not


def parity(item: int) -> int:
    return item % 2


class Work:
    """A function of some seconds for each item; it notes when calls begin and end, by key."""

    def __init__(self, key_of: Callable[[Any], Any] = parity, seconds: Any = lambda _: 1) -> None:
        self.key_of = key_of
        self.seconds = seconds
        self.log: list[tuple[float, str, Any]] = []
        self.now: Counter[Any] = Counter()
        self.most = 0

    def begun(self) -> list[tuple[float, Any]]:
        return [(time, item) for time, what, item in self.log if what == "begin"]

    async def call(self, item: Any) -> Any:
        key = self.key_of(item)
        assert not self.now[key], f"two calls for {key} at once"
        self.now[key] += 1
        self.most = max(self.most, self.now.total())
        self.log.append((now(), "begin", item))
        try:
            await asyncio.sleep(self.seconds(item))
        finally:
            self.now[key] -= 1
            self.log.append((now(), "end", item))
        return item

    def lazily(self, item: Any) -> Any:
        return self.call(item)

    async def generate(self, item: Any) -> AsyncIterator[Any]:
        yield await self.call(item)
        yield item

    def plain(self, item: Any) -> Any:
        self.log.append((now(), "begin", item))
        return item

    def generate_now(self, item: Any) -> Iterator[Any]:
        self.log.append((now(), "begin", item))
        yield item
        yield item


TAKING_TIME = ("call", "lazily", "generate")


@watched_or_not
@in_both_modes
@pytest.mark.parametrize("kind", TAKING_TIME)
async def test_equal_keys_follow_each_other(kind: str, mode: Any, watched: bool) -> None:
    """K1: in input order, one at a time, and beside those of other keys."""
    work = Work()
    task = single_task(key=parity)(getattr(work, kind))
    with observe(*([lambda _: None] if watched else [])):
        got = await task.with_execution_mode(mode)(range(6)).collect()
    assert sorted({*got}) == [0, 1, 2, 3, 4, 5]
    assert work.begun() == [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5)]
    assert not others()


@pytest.mark.parametrize("kind", ["plain", "generate_now"])
async def test_plain_functions_take_a_key_as_well(kind: str) -> None:
    """K1: it changes nothing, as their calls follow each other anyway."""
    work = Work()
    task = single_task(key=parity)(getattr(work, kind))
    got = await task(range(4)).collect()
    assert got == ([0, 1, 2, 3] if kind == "plain" else [0, 0, 1, 1, 2, 2, 3, 3])
    assert [item for _, item in work.begun()] == [0, 1, 2, 3]


@in_both_modes
async def test_other_keys_overtake(mode: Any) -> None:
    """K1, K3: a hot key does not stall cold ones, which have the second slot."""
    work = Work(key_of=lambda item: item[0])
    items = [("hot", n) for n in range(4)] + [("a", 0), ("b", 0), ("c", 0), ("d", 0)]
    task = single_task(key=lambda item: item[0], concurrency_limit=2)(work.call)
    await task.with_execution_mode(mode)(items).collect()
    assert [time for time, item in work.begun() if item[0] == "hot"] == [0, 1, 2, 3]
    assert [time for time, item in work.begun() if item[0] != "hot"] == [0, 1, 2, 3]
    assert work.most == 2


async def test_who_waits_for_its_key_holds_no_slot() -> None:
    """K3: one slot is enough for the call that goes on, the other serves those that can go."""
    work = Work(seconds=lambda item: 10 if item == 0 else 1)
    task = single_task(key=parity, concurrency_limit=2)(work.call)
    stream = task.as_completed([0, 2, 4, 1, 3, 5])
    assert [item async for item in stream] == [1, 3, 5, 0, 2, 4]
    assert now() == 12


async def test_a_hot_key_stands_in_the_window() -> None:
    """K3: the window is the bound for what waits."""
    source = Endless()
    work = Work(key_of=lambda _: 0)
    async with single_task(key=lambda _: 0)(work.call).with_context(max_in_flight=5)(
        source
    ) as stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.5)
        assert source.pulled == 5
        assert (stream.stats[0].running, stream.stats[0].waiting) == (1, 4)
        assert await reading == 0
    assert not others()


@in_both_modes
@pytest.mark.parametrize("kind", TAKING_TIME)
async def test_retries_keep_the_key(kind: str, mode: Any) -> None:
    """K1, T6: the next call for a key begins when the last attempt has ended, pauses included."""
    attempts: Counter[int] = Counter()
    work = Work()

    async def flaky(item: int) -> int:
        attempts[item] += 1
        await work.call(item)
        if item == 0 and attempts[0] < 3:
            raise Boom
        return item

    async def generate(item: int) -> AsyncIterator[int]:
        yield await flaky(item)

    functions: dict[str, Any] = {
        "call": flaky,
        "lazily": lambda item: flaky(item),
        "generate": generate,
    }
    task = single_task(key=parity, retry_attempts=3, retry_delay=2)(functions[kind])
    await task.with_execution_mode(mode)(range(4)).collect()
    evens = [(time, item) for time, item in work.begun() if item % 2 == 0]
    assert evens == [(0, 0), (3, 0), (8, 0), (9, 2)]
    assert [(time, item) for time, item in work.begun() if item % 2] == [(0, 1), (1, 3)]


async def test_a_key_is_free_when_its_call_has_settled() -> None:
    """K2: not when its result is delivered, which waits here for the first one."""
    work = Work(seconds=lambda item: 10 if item == 0 else 1)
    task = single_task(key=parity)(work.call)
    assert await task([0, 1, 3, 5]).collect() == [0, 1, 3, 5]
    assert work.begun() == [(0, 0), (0, 1), (1, 3), (2, 5)]


async def test_a_generator_has_its_key_until_its_last_output() -> None:
    """K2: a call that waits for room has not settled."""
    begun: list[int] = []

    @single_task(key=lambda _: 0)
    async def generate(item: int) -> AsyncIterator[int]:
        begun.append(item)
        for number in range(40):
            yield number

    stream = generate.with_context(max_in_flight=3)([0, 1])
    assert await anext(stream) == 0
    await asyncio.sleep(1)
    assert begun == [0]
    assert [item async for item in stream] == [*range(1, 40), *range(40)]


@in_both_modes
@pytest.mark.parametrize("outcome", ["skip", "handler", "none", "list"])
async def test_the_next_of_a_key_goes_on_after_any_end(outcome: str, mode: Any) -> None:
    """K4: after one that was skipped, too."""

    class Handler:
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            return True, -1

    async def call(item: int) -> Any:
        await asyncio.sleep(1)
        if item == 0 and outcome in ("skip", "handler"):
            raise Boom
        if outcome == "none":
            return None if item == 0 else item
        return [item, item] if outcome == "list" else item

    options: dict[str, Any] = {"on_error": "skip_item"}
    if outcome == "handler":
        options["error_handler"] = Handler()
    for function in (call, lambda item: call(item)):
        stream = single_task(key=lambda _: 0, **options)(function).with_execution_mode(mode)([0, 1])
        got = await stream.collect()
        assert got[-1:] == [1]
    assert now() == 4


def test_a_plain_function_that_is_skipped_frees_its_key() -> None:
    """K4: at once."""

    async def main() -> list[int]:
        return await single_task(key=lambda _: 0, on_error="skip_item")(fail_first)(
            range(3)
        ).collect()

    def fail_first(item: int) -> int:
        if item == 0:
            raise Boom
        return item

    assert asyncio.run(main()) == [1, 2]


class Odd:
    """A key that fails in one of the ways in which a key can."""

    def __init__(self, way: str) -> None:
        self.way = way

    def __hash__(self) -> int:
        if self.way == "hash":
            raise Boom
        return 1

    def __eq__(self, other: object) -> bool:
        raise Boom


@in_both_modes
@pytest.mark.parametrize("way", ["raises", "unhashable", "hash", "eq"])
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "handler"])
async def test_an_item_without_a_key_has_failed(on_error: str, way: str, mode: Any) -> None:
    """K4: it goes the way of any failure, is not tried again, and the others go on."""
    called: list[int] = []

    class Handler:
        async def handle_error(self, error: Exception, item: int, *_: Any) -> tuple[bool, Any]:
            return True, -item

    def key_of(item: int) -> Any:
        if item != 2:
            return Odd("eq") if way == "eq" and item == 1 else item
        if way == "raises":
            raise Boom
        return [] if way == "unhashable" else Odd(way)

    async def call(item: int) -> int:
        called.append(item)
        await asyncio.sleep(1)
        return item

    options: dict[str, Any] = {"on_error": "skip_item" if on_error == "handler" else on_error}
    if on_error == "handler":
        options["error_handler"] = Handler()
    task = SingleTask(call, key=key_of, task_name="f", **options).with_execution_mode(mode)
    stream = task(range(4))
    if on_error == "fail":
        with pytest.raises(TypeError if way == "unhashable" else Boom) as info:
            await stream.collect()
        assert "in task 'f', input 2" in info.value.__notes__[0]
        assert stream.stats[0].failed == 1
    else:
        got = await stream.collect()
        assert sorted(got) == ([-2, 0, 1, 3] if on_error == "handler" else [0, 1, 3])
        assert stream.stats[0].skipped == (on_error == "skip_item")
        assert called == [0, 1, 3]


async def test_a_key_may_change_as_its_item_does() -> None:
    """K4: it counts as it was when the item came, and nothing is lost."""

    @dataclass
    class Item:
        name: str

        def __hash__(self) -> int:
            return hash(self.name)

    items = [Item("a"), Item("a"), Item("b")]

    @single_task(key=lambda item: item)
    async def rename(item: Item) -> str:
        before, item.name = item.name, "c"
        await asyncio.sleep(1)
        return before

    assert await rename(items).collect() == ["a", "a", "b"]


async def test_idle_keys_hold_no_memory() -> None:
    """K2: a run with many distinct keys remembers those that are in the window."""
    sizes: list[int] = []

    class Key:
        alive = 0

        def __init__(self, number: int) -> None:
            self.number = number
            Key.alive += 1

        def __del__(self) -> None:
            Key.alive -= 1

        def __hash__(self) -> int:
            return self.number

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Key) and self.number == other.number

    @single_task(key=Key, concurrency_limit=10)
    async def call(item: int) -> int:
        sizes.append(Key.alive)
        return item

    assert len(await call.with_context(max_in_flight=20)(range(1000)).collect()) == 1000
    assert max(sizes) <= 21
    assert Key.alive == 0


async def test_many_keys_at_once() -> None:
    """K3: 257 keys and more, each with its own order (Reactor hangs beyond 256)."""
    work = Work(key_of=lambda item: item % 300)
    task = single_task(key=lambda item: item % 300)(work.call)
    assert await task(range(900)).collect() == [*range(900)]
    assert work.most == 300
    assert now() == 3


@in_both_modes
async def test_a_failure_lets_go_of_who_waits(mode: Any) -> None:
    """E1, L2: each item is counted once, those that wait for their key as cancelled."""

    @single_task(key=parity)
    async def call(item: int) -> int:
        await asyncio.sleep(1 + item)
        if item == 1:
            raise Boom
        return item

    stream = call.with_execution_mode(mode)(range(10))
    got: list[int] = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [0]
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.failed, stats.cancelled) == (10, 1, 1, 8)
    assert not others()


async def test_a_cancelled_call_has_its_key_until_it_has_ended() -> None:
    """K1, L2: nothing begins for its key while it cleans up."""
    log: list[str] = []

    @single_task(key=lambda _: 0)
    async def call(item: int) -> int:
        log.append(f"begin {item}")
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(1)
            log.append(f"end {item}")
        return item

    stream = call([0, 1])
    async with stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(1)
    await asyncio.gather(reading, return_exceptions=True)
    assert log == ["begin 0", "end 0"]


async def test_nothing_begins_while_the_consumer_is_away() -> None:
    """K2, L4: an item whose key is free waits until the stream is read again."""
    work = Work(key_of=lambda _: 0)
    stream = single_task(key=lambda _: 0)(work.call)([0, 1, 2])
    async for _ in stream:
        break
    await asyncio.sleep(10)
    assert len(work.begun()) <= 2
    assert [item async for item in stream] == [1, 2]


async def test_in_ordered_mode_items_come_in_order_behind_any_stage() -> None:
    """K1: what an earlier task gives out of order is put in order before the keys are looked at."""
    work = Work(key_of=lambda _: 0)

    @single_task
    async def backwards(item: int) -> int:
        await asyncio.sleep(10 - item)
        return item

    await (backwards | single_task(key=lambda _: 0)(work.call))(range(4)).collect()
    assert [item for _, item in work.begun()] == [0, 1, 2, 3]


async def test_side_inputs_come_first() -> None:
    """S1, K1: they are loaded once, and nobody overtakes meanwhile."""
    work = Work()

    async def later() -> AsyncIterator[int]:
        await asyncio.sleep(5)
        yield 1

    @single_task(key=parity)
    async def call(item: int, side: int) -> int:
        return await work.call(item) + side

    assert await call.with_inputs(AsyncStream(later()))(range(4)).collect() == [1, 2, 3, 4]
    assert work.begun() == [(5, 0), (5, 1), (6, 2), (6, 3)]


async def test_side_inputs_that_fail_fail_the_run() -> None:
    """S4: with items that wait for their key."""

    async def later() -> AsyncIterator[int]:
        await asyncio.sleep(5)
        raise Boom
        yield 1

    @single_task(key=lambda _: 0)
    async def call(item: int, side: int) -> int:
        return item

    stream = call.with_inputs(AsyncStream(later()))(range(4))
    with pytest.raises(Boom):
        await stream.collect()
    assert stream.stats[0].failed + stream.stats[0].cancelled == 4


async def test_probes_are_told_what_an_item_waits_for() -> None:
    """K3: for its key, for a slot, or for the one and then for the other."""
    told: list[tuple[int, str]] = []

    def note(event: Event) -> None:
        if event.kind == "waiting":
            told.append((event.inputs[0], event.reason))

    work = Work()
    with observe(note):
        await single_task(key=parity, concurrency_limit=1)(work.call)(range(4)).collect()
    assert told == [(1, "slot"), (2, "key"), (3, "key"), (2, "slot"), (3, "slot")]


@pytest.mark.parametrize("key", [1, "name", async_key := Work().call])
def test_a_key_is_a_plain_function(key: Any) -> None:
    """E10: a bad one is named when the task is made."""
    with pytest.raises(TypeError, match="key must be a plain function"):
        single_task(key=key)
    with pytest.raises(TypeError, match="key must be a plain function"):
        SingleTask(str, key=key)
