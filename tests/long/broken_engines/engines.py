"""Engines that are broken on purpose, each by one small patch: what the tests must find out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from conveyor_rx._engine import pull
from conveyor_rx._engine.batches.batches import Batches
from conveyor_rx._engine.batches.clock import Clock
from conveyor_rx._engine.batches.measured_batches import MeasuredBatches
from conveyor_rx._engine.batches.open_batches import OpenBatches
from conveyor_rx._engine.batches.trigger import Trigger
from conveyor_rx._engine.calls import (
    async_generators,
    attempts,
    delivery,
    generators,
    inline,
    refusal,
)
from conveyor_rx._engine.calls.attempts_in_tasks import failed_inline
from conveyor_rx._engine.calls.budget import Budget
from conveyor_rx._engine.calls.dead_letters import Losses
from conveyor_rx._engine.calls.flat_map import FlatMap
from conveyor_rx._engine.calls.held_calls import HeldCalls
from conveyor_rx._engine.calls.permits import Permits
from conveyor_rx._engine.calls.turnstile import Turnstile
from conveyor_rx._engine.early_end import EarlyEnd
from conveyor_rx._engine.graph import chain
from conveyor_rx._engine.graph.chain import Chain
from conveyor_rx._engine.line.as_completed import AsCompletedLine
from conveyor_rx._engine.line.line import Line
from conveyor_rx._engine.outlets.push import Push
from conveyor_rx._engine.outlets.reader import Reader
from conveyor_rx._engine.process import Process
from conveyor_rx._engine.pull import Pull
from conveyor_rx._engine.run import UNBOUNDED, Run
from conveyor_rx._engine.sources.async_iterable import AsyncSource
from conveyor_rx._engine.sources.iterable import IterableSource
from conveyor_rx._engine.sources.observable import ObservableSource
from conveyor_rx._engine.watermark import Watermark
from conveyor_rx._functions import timeouts
from conveyor_rx._policy import Policy, Verdict
from conveyor_rx._streams.cursor import Reading
from conveyor_rx.stream import AsyncStream

__all__ = ["ENGINES", "Patch"]

Patch = Callable[[pytest.MonkeyPatch], None]
ENGINES: dict[str, Patch] = {}


def broken(patch: Patch) -> Patch:
    ENGINES[patch.__name__] = patch
    return patch


def _after_init(patch: pytest.MonkeyPatch, kind: type[Any], change: Callable[[Any], None]) -> None:
    """Change each object of `kind` when it has been made."""
    init = kind.__init__

    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        change(self)

    patch.setattr(kind, "__init__", changed)


# -- order


@broken
def an_error_overtakes_its_prefix(patch: pytest.MonkeyPatch) -> None:
    fail = Line.fail

    def overtaking(self: Line, place: Any, error: BaseException) -> None:
        ahead = self.ring.next
        while ahead is not place:
            following = ahead.next
            self._unlink(ahead)
            ahead = following
        fail(self, place, error)

    patch.setattr(Line, "fail", overtaking)


@broken
def a_new_arrival_overtakes_the_queue(patch: pytest.MonkeyPatch) -> None:
    on_next = FlatMap.on_next

    def overtaking(self: FlatMap, value: Any) -> None:
        queue, self.queue = self.queue, deque()
        on_next(self, value)
        queue.extendleft(self.queue)
        self.queue = queue

    patch.setattr(FlatMap, "on_next", overtaking)


@broken
def order_is_not_restored_before_a_batch(patch: pytest.MonkeyPatch) -> None:
    batch = Chain.batch

    def unordered(self: Chain, *args: Any, **kwargs: Any) -> None:
        line = self._open
        if line is not None and not isinstance(line, AsCompletedLine):
            line.__class__ = AsCompletedLine
            line._last = line.ring  # type: ignore[attr-defined]
        batch(self, *args, **kwargs)

    patch.setattr(Chain, "batch", unordered)


@broken
def as_completed_waits_for_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chain, "AsCompletedLine", Line)


@broken
def generators_do_not_see_their_inputs_in_order(patch: pytest.MonkeyPatch) -> None:
    call = Chain.call

    def unordered(self: Chain, *args: Any, in_order: bool, **kwargs: Any) -> None:
        call(self, *args, in_order=False, **kwargs)

    patch.setattr(Chain, "call", unordered)


@broken
def a_list_is_put_out_backwards(patch: pytest.MonkeyPatch) -> None:
    settle = FlatMap.settle

    def backwards(self: FlatMap, place: Any, result: Any) -> None:
        settle(self, place, result[::-1] if isinstance(result, list) else result)

    patch.setattr(FlatMap, "settle", backwards)


# -- flow


@broken
def an_extra_prefetch(patch: pytest.MonkeyPatch) -> None:
    def change(line: Line) -> None:
        line.limit += 1

    _after_init(patch, Line, change)


@broken
def a_gate_that_never_closes(patch: pytest.MonkeyPatch) -> None:
    def change(line: Line) -> None:
        line.limit = UNBOUNDED

    _after_init(patch, Line, change)


@broken
def the_output_buffer_never_fills(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reader, "limit", UNBOUNDED)


@broken
def max_parallelism_is_ignored(patch: pytest.MonkeyPatch) -> None:
    def change(run: Run) -> None:
        run.max_parallelism = UNBOUNDED

    _after_init(patch, Run, change)


@broken
def one_call_too_many_at_once(patch: pytest.MonkeyPatch) -> None:
    def change(stage: FlatMap) -> None:
        stage._limit += 1

    _after_init(patch, FlatMap, change)


@broken
def one_call_too_few_at_once(patch: pytest.MonkeyPatch) -> None:
    def change(stage: FlatMap) -> None:
        stage._limit = max(stage._limit - 1, 1)

    _after_init(patch, FlatMap, change)


@broken
def a_slot_is_leaked_on_a_failure(patch: pytest.MonkeyPatch) -> None:
    end = FlatMap.end_call

    def leaking(self: FlatMap, place: Any, *args: Any) -> None:
        skipped = self.counters.skipped
        end(self, place, *args)
        if skipped > self.__dict__.get("skipped_before", 0):
            self.__dict__["skipped_before"] = skipped
            self._running += 1

    patch.setattr(FlatMap, "end_call", leaking)


@broken
def the_head_of_a_line_waits_for_room_too(patch: pytest.MonkeyPatch) -> None:
    def park(line: Any, owner: Any, waiter: Any, *, first: bool) -> None:
        line._parked[owner] = waiter
        if first:
            line._parked.move_to_end(owner, last=False)
        if line.size < line.limit:  # woken at once in vain, the head would ask for ever
            line._has_rest()

    patch.setattr(Line, "has_room", lambda self, owner: self.size < self.limit or owner.dead)
    patch.setattr(Line, "park", park)


@broken
def a_run_begins_before_it_is_read(patch: pytest.MonkeyPatch) -> None:
    planned = AsyncStream._planned.__func__  # type: ignore[attr-defined]

    def hasty(cls: Any, source: Any, plan: Any) -> Any:
        stream = planned(cls, source, plan)
        stream._begin()
        run = stream._reading.reader.run
        run.go_on()
        run.schedule()
        return stream

    patch.setattr(AsyncStream, "_planned", classmethod(hasty))


# -- loss and duplicates


@broken
def the_rest_of_a_batch_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trigger, "cut_rest", lambda self, batch: None)


@broken
def a_short_rest_is_a_batch(patch: pytest.MonkeyPatch) -> None:
    def change(trigger: Any) -> None:
        trigger.min_size = 1

    _after_init(patch, Trigger, change)


@broken
def the_clock_of_a_batch_runs_from_the_last_cut(patch: pytest.MonkeyPatch) -> None:
    start, stop = Clock.start, Clock.stop
    ends: dict[Clock, float] = {}

    def start_late(self: Clock, batch: Any, bit: int) -> None:
        start(self, batch, bit)
        batch.opened = ends.get(self, batch.opened)
        self.cancel()
        self._set(batch.opened)

    def note(self: Clock, batch: Any) -> None:
        stop(self, batch)
        ends[self] = self._run.loop.time()

    patch.setattr(Clock, "start", start_late)
    patch.setattr(Clock, "stop", note)


@broken
def a_due_batch_does_not_wait_for_a_slot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FlatMap, "has_slot", lambda self: True)


@broken
def a_due_batch_waits_for_another_item(patch: pytest.MonkeyPatch) -> None:
    cut_due = Batches._cut_due

    def sleepy(self: Batches, clock: Clock) -> None:
        starved = self.run.starved
        cut_due(self, clock)
        self.run.starved = starved

    patch.setattr(Batches, "_cut_due", sleepy)


@broken
def a_batch_may_be_one_item_too_heavy(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trigger, "fits", lambda self, weight, batch: batch.weight <= self._max_weight)


@broken
def a_batch_waits_until_the_next_item_is_too_heavy(patch: pytest.MonkeyPatch) -> None:
    def cut(self: Trigger, batch: Any) -> Any:
        return "full" if len(batch.items) >= self._most else None

    patch.setattr(Trigger, "cut", cut)


@broken
def keys_of_equal_hashes_are_one(patch: pytest.MonkeyPatch) -> None:
    def find(self: OpenBatches, key: Any, key_hash: int) -> Any:
        return next(iter(self._by_hash.get(key_hash, ())), None)

    patch.setattr(OpenBatches, "find", find)


@broken
def idle_keys_are_remembered(patch: pytest.MonkeyPatch) -> None:
    remove = OpenBatches.remove
    remembered: list[Any] = []

    def remembering(self: OpenBatches, batch: Any) -> None:
        remove(self, batch)
        remembered.append(batch.key)

    patch.setattr(OpenBatches, "remove", remembering)


@broken
def the_youngest_batch_is_cut_first(patch: pytest.MonkeyPatch) -> None:
    youngest = property(lambda self: next(reversed(self._by_age), None))
    patch.setattr(OpenBatches, "oldest", youngest)


@broken
def the_window_bounds_no_open_batches(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trigger, "cut_oldest", lambda self, batch, open_items: None)


@broken
def all_groups_share_one_clock(patch: pytest.MonkeyPatch) -> None:
    goes_off = Clock._goes_off

    def of_all(self: Clock, opened: float) -> None:
        for batch in self._young:
            batch.opened = opened
        goes_off(self, opened)

    patch.setattr(Clock, "_goes_off", of_all)


@broken
def a_small_due_group_holds_up_the_others(patch: pytest.MonkeyPatch) -> None:
    cut_due = Batches._cut_due

    def of_the_oldest(self: Batches, clock: Clock) -> None:
        if clock.due and self._trigger.cut_due(next(iter(clock.due))):
            cut_due(self, clock)

    patch.setattr(Batches, "_cut_due", of_the_oldest)


@broken
def an_item_without_a_weight_is_tried_again(patch: pytest.MonkeyPatch) -> None:
    def refuse(stage: Any, value: Any, inputs: Any, error: BaseException) -> None:
        place = stage.line.insert(value, stage.line.ring, inputs)
        failed_inline(stage, place, error, delivered=False)

    patch.setattr(refusal, "refuse", refuse)


@broken
def an_item_without_a_weight_takes_its_batch_along(patch: pytest.MonkeyPatch) -> None:
    measure = MeasuredBatches._measure

    def taking_along(self: MeasuredBatches, item: Any) -> Any:
        try:
            return measure(self, item)
        except BaseException:
            self.cut()
            raise

    patch.setattr(MeasuredBatches, "_measure", taking_along)


@broken
def none_is_passed_on(patch: pytest.MonkeyPatch) -> None:
    settle = FlatMap.settle

    def passing_on(self: FlatMap, place: Any, result: Any) -> None:
        if result is None and not place.dead:
            self.counters.dropped += place.weight
            place.value = None
            self.out.on_next(place)
        else:
            settle(self, place, result)

    patch.setattr(FlatMap, "settle", passing_on)


@broken
def an_item_is_given_twice(patch: pytest.MonkeyPatch) -> None:
    on_next = Process.on_next

    def twice(self: Process, value: Any) -> None:
        on_next(self, value)
        if len(self._items) < 2:
            self._items.append(value)

    patch.setattr(Process, "on_next", twice)


# -- errors


@broken
def a_failure_is_swallowed_in_as_completed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AsCompletedLine, "fail", lambda self, place, error: self.give_up(place))


@broken
def the_error_of_a_source_is_lost(patch: pytest.MonkeyPatch) -> None:
    end = Line.end
    patch.setattr(Line, "end", lambda self, error: end(self, None))


@broken
def the_note_does_not_name_the_task(patch: pytest.MonkeyPatch) -> None:
    def anonymous(self: Policy, error: BaseException, *_: Any) -> BaseException:
        error.add_note("in some task")
        return error

    patch.setattr(Policy, "blame", anonymous)


@broken
def a_place_is_never_given_up_on_skip(patch: pytest.MonkeyPatch) -> None:
    def keeping(stage: FlatMap, place: Any, error: BaseException, *, delivered: bool) -> None:
        if stage.call.policy.verdict(error, 1, place.weight, delivered) == "skip":
            stage.counters.skipped += place.weight
        else:
            failed_inline(stage, place, error, delivered=delivered)

    for module in inline, generators:
        patch.setattr(module, "failed_inline", keeping)


@broken
def a_failing_batch_takes_its_neighbours_along(patch: pytest.MonkeyPatch) -> None:
    verdict = Policy.verdict

    def unsplit(self: Policy, *args: Any) -> Verdict:
        found = verdict(self, *args)
        return "skip" if found == "split" else found

    patch.setattr(Policy, "verdict", unsplit)


@broken
def one_attempt_too_few(patch: pytest.MonkeyPatch) -> None:
    verdict = Policy.verdict
    patch.setattr(
        Policy, "verdict", lambda self, error, n, *args: verdict(self, error, n + 1, *args)
    )


@broken
def a_failure_lets_the_calls_behind_it_go_on(patch: pytest.MonkeyPatch) -> None:
    def kill_nobody(self: Line, place: Any) -> None:
        while place is not self.ring:
            following = place.next
            self._unlink(place)
            place = following

    patch.setattr(Line, "_kill_from", kill_nobody)


# -- dead letters and budgets


@broken
def a_letter_is_written_twice(patch: pytest.MonkeyPatch) -> None:
    post = Losses.post

    async def twice(self: Losses, run: Run, place: Any, failures: Any) -> None:
        await post(self, run, place, [each for each in failures for _ in range(2)])

    patch.setattr(Losses, "post", twice)


@broken
def the_item_that_is_too_many_gets_a_letter(patch: pytest.MonkeyPatch) -> None:
    post = Losses.post

    async def and_then_judge(self: Losses, run: Run, place: Any, failures: Any) -> None:
        letters = list(failures)
        await post(self, run, place, letters)
        if why := exceed(self, len(letters)):
            letters[0].error.add_note(why)
            raise letters[0].error

    exceed = Losses.exceed
    patch.setattr(Losses, "exceed", lambda *_: "")
    patch.setattr(Losses, "post", and_then_judge)


@broken
def a_budget_is_off_by_one(patch: pytest.MonkeyPatch) -> None:
    def change(budget: Budget) -> None:
        budget._taken = -1

    _after_init(patch, Budget, change)


@broken
def an_item_settles_before_its_letter_is_accepted(patch: pytest.MonkeyPatch) -> None:
    post = Losses.post
    kept: list[Any] = []

    async def hurry(self: Losses, *letters: Any) -> None:
        kept.append(asyncio.ensure_future(post(self, *letters)))

    patch.setattr(Losses, "post", hurry)


@broken
def what_waits_for_its_letter_is_not_in_the_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Budget, "take", lambda self, items: self._name() if self._taken >= 3 else "")
    skipped = Losses.skipped

    def late(self: Losses, items: int, *what: Any) -> None:
        for budget in self._budgets:
            budget._taken += items
        skipped(self, items, *what)

    patch.setattr(Losses, "skipped", late)


@broken
def a_share_is_not_judged_at_the_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Budget, "verdict", lambda self: None)


# -- time


@broken
def a_call_that_is_late_may_return(patch: pytest.MonkeyPatch) -> None:
    def limited(function: Any, seconds: float, late: Any) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                async with asyncio.timeout(seconds) as limit:
                    return await function(*args, **kwargs)
            except TimeoutError:
                if limit.expired():
                    raise late() from None
                raise

        return call

    patch.setattr(timeouts, "limited", limited)


@broken
def a_cancellation_from_outside_counts_as_a_timeout(patch: pytest.MonkeyPatch) -> None:
    right = timeouts.limited

    def limited(function: Any, seconds: float, late: Any) -> Any:
        call = right(function, seconds, late)

        async def call_or_be_late(*args: Any, **kwargs: Any) -> Any:
            try:
                return await call(*args, **kwargs)
            except asyncio.CancelledError:
                raise late() from None

        return call_or_be_late

    patch.setattr(timeouts, "limited", limited)


# -- keys


@broken
def a_key_is_free_as_soon_as_its_call_begins(patch: pytest.MonkeyPatch) -> None:
    begin = HeldCalls.begin_call

    def begin_and_free(self: HeldCalls, place: Any) -> None:
        begin(self, place)
        self.turnstile.settled(place)

    patch.setattr(HeldCalls, "begin_call", begin_and_free)


@broken
def a_key_is_free_only_when_its_result_has_left(patch: pytest.MonkeyPatch) -> None:
    settled, left = Turnstile.settled, Line._emit

    def later(self: Turnstile, place: Any) -> None:
        if place.dead:
            settled(self, place)
        else:
            self.line.kept = [*getattr(self.line, "kept", []), (self, place)]  # type: ignore[attr-defined]

    def emit(self: Line, place: Any) -> None:
        left(self, place)
        for stage, other in getattr(self, "kept", []):
            if other is place:
                settled(stage, place)

    patch.setattr(Turnstile, "settled", later)
    patch.setattr(Line, "_emit", emit)


@broken
def who_waits_for_a_key_holds_a_slot(patch: pytest.MonkeyPatch) -> None:
    is_free = HeldCalls.is_free

    def counting(self: HeldCalls) -> bool:
        behind = self.turnstile._keys._behind.values()  # type: ignore[attr-defined]
        return is_free(self) and self._running + sum(map(len, behind)) < self._limit

    patch.setattr(HeldCalls, "is_free", counting)


# -- rates and shared limits


@broken
def a_retry_asks_no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Permits, "has", lambda self, place: True)


@broken
def who_waits_for_a_rate_holds_a_slot(patch: pytest.MonkeyPatch) -> None:
    waiting: set[Any] = set()

    def is_granted(self: Turnstile, place: Any) -> bool:
        granted = self._waiting.next is None or self._permits is None or self._permits.take(place)
        if not granted and place not in waiting:
            waiting.add(place)
            self.run.running += 1
        elif granted and place in waiting:
            waiting.discard(place)
            self.run.running -= 1
        return granted

    patch.setattr(Turnstile, "_is_granted", is_granted)
    patch.setattr(HeldCalls, "is_free", lambda self: self._running < self._limit)


@broken
def a_permit_never_comes_back_from_a_failure(patch: pytest.MonkeyPatch) -> None:
    failed = HeldCalls.attempt_failed

    def keeping(self: HeldCalls, place: Any, *about: Any) -> None:
        assert self.permits is not None
        self.permits._granted.pop(place, None)
        failed(self, place, *about)

    patch.setattr(HeldCalls, "attempt_failed", keeping)


@broken
def a_run_whose_consumer_is_away_stays_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Permits, "step_aside", lambda self: None)


@broken
def the_deadline_begins_with_each_attempt(patch: pytest.MonkeyPatch) -> None:
    bound = timeouts.Deadline.bound

    def bound_anew(self: Any, result: Any) -> Any:
        self.__init__(float(self._option.split("=")[1][:-2]))
        return bound(self, result)

    patch.setattr(timeouts.Deadline, "bound", bound_anew)


@broken
def an_attempt_begins_after_the_deadline(patch: pytest.MonkeyPatch) -> None:
    async def rests(stage: Any, place: Any, seconds: float, *rest: Any) -> bool:
        await asyncio.sleep(seconds)
        return True

    patch.setattr(attempts, "rests", rests)


@broken
def a_slot_is_kept_between_attempts(patch: pytest.MonkeyPatch) -> None:
    _after_init(patch, FlatMap, lambda stage: setattr(stage, "is_sequential", True))


@broken
def an_attempt_takes_a_slot_that_is_not_there(patch: pytest.MonkeyPatch) -> None:
    def unpark(self: FlatMap) -> bool:
        self.unparks()
        return True

    patch.setattr(FlatMap, "may_unpark", unpark)


# -- drain


@broken
def a_drain_loses_the_open_batch(patch: pytest.MonkeyPatch) -> None:
    begin = EarlyEnd.begin

    def hasty(self: EarlyEnd, timeout: float | None) -> None:
        for worker in self.run.workers:
            if isinstance(worker, Batches):
                worker.cut()
        begin(self, timeout)

    patch.setattr(EarlyEnd, "begin", hasty)


@broken
def a_drain_goes_on_pulling(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IterableSource, "stop", lambda self: None)


@broken
def a_drain_waits_for_the_pull_that_is_under_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pull, "interrupt", lambda self: None)


@broken
def a_drain_does_not_close_the_source(patch: pytest.MonkeyPatch) -> None:
    def leave_open(self: ObservableSource) -> None:
        self._is_stopped = False
        self.arrive("completed", None)

    patch.setattr(ObservableSource, "_end_early", leave_open)


@broken
def a_drain_loses_what_a_stream_inside_had_pulled(patch: pytest.MonkeyPatch) -> None:
    stop = AsyncSource.stop

    def as_any_iterable(self: AsyncSource) -> None:
        self._stream = None
        stop(self)

    patch.setattr(AsyncSource, "stop", as_any_iterable)


@broken
def a_drain_loses_an_item_that_comes_all_the_same(patch: pytest.MonkeyPatch) -> None:
    interrupt = Pull.interrupt

    def deaf(self: Pull) -> None:
        interrupt(self)
        if self._interrupted:
            self._out.on_next = lambda value: None  # type: ignore[method-assign]

    patch.setattr(Pull, "interrupt", deaf)


@broken
def a_drain_takes_back_a_cancellation_from_outside(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pull, "_without_ours", lambda error: None)


@broken
def a_drain_may_take_longer_than_was_said_before(patch: pytest.MonkeyPatch) -> None:
    limit = EarlyEnd.limit

    def latest(self: EarlyEnd, timeout: float | None) -> None:
        if timeout is not None:
            self.cancel()
        limit(self, timeout)

    patch.setattr(EarlyEnd, "limit", latest)


# -- watermark


@broken
def the_watermark_is_one_too_far(patch: pytest.MonkeyPatch) -> None:
    settled = Watermark._settled

    def beyond(self: Watermark, **options: bool) -> int:
        return settled(self, **options) + 1

    patch.setattr(Watermark, "_settled", beyond)


@broken
def a_result_is_settled_before_the_next_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reader, "held", lambda self: [inputs for inputs, _ in self._buffer])


@broken
def the_watermark_ignores_results_that_wait(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reader, "held", lambda self: [self._given])


@broken
def the_watermark_ignores_open_batches(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Batches, "held", lambda self: [])


@broken
def the_watermark_looks_at_the_head_as_completed(patch: pytest.MonkeyPatch) -> None:
    always = property(lambda self: True, lambda self, value: None)
    patch.setattr(Chain, "_is_sorted", always, raising=False)


@broken
def what_a_failure_cuts_off_is_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watermark, "lose", lambda self, inputs: None)


@broken
def what_a_close_lets_go_of_is_settled(patch: pytest.MonkeyPatch) -> None:
    freeze = Watermark.freeze

    def freeze_empty(self: Watermark, *, is_empty: bool = False) -> None:
        freeze(self, is_empty=True)

    patch.setattr(Watermark, "freeze", freeze_empty)


@broken
def what_enters_an_operator_is_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "lose_sight", lambda self: None)


@broken
def what_is_collected_is_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watermark, "reserve", lambda self: None)


@broken
def a_rest_that_a_drain_drops_is_settled(patch: pytest.MonkeyPatch) -> None:
    drop = Batches._drop

    def dropping(self: Batches, batch: Any) -> None:
        self.run.is_cut_short = False
        drop(self, batch)

    patch.setattr(Batches, "_drop", dropping)


# -- lifetime


@broken
def a_cancelled_call_is_not_awaited(patch: pytest.MonkeyPatch) -> None:
    async def hasty(self: Run) -> None:
        self.close()

    patch.setattr(Run, "wait_closed", hasty)


@broken
def a_call_is_awaited_and_not_cancelled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "cancel", lambda self, task: self.keep(task))


@broken
def a_generator_is_never_closed(patch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    @contextmanager
    def unclosed(values: Any) -> Iterator[Any]:
        kept.append(values)
        yield values

    @asynccontextmanager
    async def unclosed_async(values: Any) -> AsyncIterator[Any]:
        kept.append(values)
        yield values

    async def keep(values: Any) -> None:
        kept.append(values)

    patch.setattr(delivery, "closing", unclosed)
    patch.setattr(delivery, "aclosing", unclosed_async)
    patch.setattr(async_generators, "_stop", keep)


@broken
def a_source_is_never_closed(patch: pytest.MonkeyPatch) -> None:
    async def keep_open(self: Pull, *args: Any) -> None:
        await asyncio.sleep(0)

    patch.setattr(Pull, "_aclose", keep_open)


@broken
def disposing_ends_no_run(patch: pytest.MonkeyPatch) -> None:
    def forget(self: Push) -> None:
        self._observer = None

    patch.setattr(Push, "dispose", forget)


@broken
def a_disposed_run_holds_its_observer(patch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    init = Push.__init__

    def keeping(self: Push, run: Run, observer: Any) -> None:
        kept.append(observer)
        init(self, run, observer)

    patch.setattr(Push, "__init__", keeping)


@broken
def the_cancellation_of_a_consumer_is_swallowed(patch: pytest.MonkeyPatch) -> None:
    collect, next_ = Reader.collect, Reader.next

    async def collect_all(self: Reader) -> list[Any]:
        try:
            return await collect(self)
        except asyncio.CancelledError:
            return []

    async def next_or_end(self: Reader, holder: object) -> Any:
        try:
            return await next_(self, holder)
        except asyncio.CancelledError:
            raise StopAsyncIteration from None

    patch.setattr(Reader, "collect", collect_all)
    patch.setattr(Reader, "next", next_or_end)


@broken
def a_second_reader_is_let_in(patch: pytest.MonkeyPatch) -> None:
    def admit(self: Reading, task: Any, begin: Callable[[], Reader]) -> Reader:
        self.reader = reader = self.reader or begin()
        reader._busy = False
        return reader

    patch.setattr(Reading, "admit", admit)


@broken
def the_context_of_a_call_is_shared(patch: pytest.MonkeyPatch) -> None:
    class Shared:
        def __init__(self, context: Any) -> None:
            self.copy = lambda: context

    def change(run: Run) -> None:
        run.context = Shared(run.context)  # type: ignore[assignment]

    _after_init(patch, Run, change)
