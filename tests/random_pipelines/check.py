"""How is a random pipeline run and checked? In virtual time, watched, against the model.

An example that fails is printed as `check(Plan(...))`. To replay it alone:

    python -c "from tests.random_pipelines.check import *; check(Plan(...))"
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from conveyor_rx import AsyncStream, StageStats
from conveyor_rx.testing import run
from tests.errors.counted import balances
from tests.random_pipelines.plans import BATCHES, GENERATORS, Plan, Spec, model
from tests.random_pipelines.scenarios import Sightings, scenarios
from tests.random_pipelines.settled import Settled
from tests.random_pipelines.stages import CALLED, SOURCE, Boom, Watch, build, data

__all__ = ["Plan", "Spec", "check"]


def check(plan: Plan) -> set[str]:
    """Run `plan`, compare it with the model, and return which scenarios occurred."""
    watch = Watch()
    outcome = Outcome()
    try:
        with Sightings(watch.sightings), _listen(outcome.warnings):
            run(lambda: _run(plan, watch, outcome), seed=plan.seed)
        assert not watch.wrong, watch.wrong
        assert len(outcome.ends) == 1, "exactly one end"
        run_plan = plan.as_far_as(watch.pulled, outcome.end)
        if run_plan.items < plan.items:
            watch.sightings.add("drained in the middle")
        _check_results(run_plan, outcome)
        _check_limits(run_plan, watch)
        _check_rates(run_plan, watch)
        _check_counters(run_plan, watch, outcome)
        _check_budgets(run_plan, watch, outcome)
        _check_flow(run_plan, watch, outcome)
    except BaseException as error:
        error.add_note(f"check({plan!r})")
        raise
    return watch.sightings | set(scenarios(plan, outcome.got, outcome.end, outcome.stats))


@dataclass
class Outcome:
    """What came of a run."""

    got: list[int] | None = field(default_factory=list)  # None: `collect` raised
    ends: list[str | None] = field(default_factory=list)
    stats: tuple[StageStats, ...] = ()  # by stage, the Rx operators left out
    warnings: list[str] = field(default_factory=list)  # that were logged
    handled: list[int] = field(default_factory=list)  # results that the consumer is done with
    is_over_budget: bool = False  # an item too many has failed the run

    def ends_with(self, error: Exception | None) -> None:
        """Take note of an end: none, or a failure of the source or of a call."""
        if error is None:
            self.ends.append(None)
            return
        notes = getattr(error, "__notes__", [])
        self.is_over_budget = any("beyond max_failures" in note for note in notes)
        assert self.is_over_budget or isinstance(error, Boom), error
        self.ends.append("source" if error.args == ("source",) else "call")

    @property
    def end(self) -> str | None:
        return self.ends[0]


@contextmanager
def _listen(warnings: list[str]) -> Iterator[None]:
    """Note what is logged, instead of passing it on."""

    def note(record: logging.LogRecord) -> bool:
        warnings.append(record.getMessage())
        return False

    logger = logging.getLogger("conveyor_rx")
    logger.addFilter(note)
    try:
        yield
    finally:
        logger.removeFilter(note)


# -- the run


async def _run(plan: Plan, watch: Watch, outcome: Outcome) -> None:
    stream = build(plan, watch)(data(plan, watch))
    if plan.drained == 0:
        stream.drain()
    elif plan.drained is not None:
        asyncio.get_running_loop().call_later(plan.drained, stream.drain)
    settled = Settled(plan)
    monitor = asyncio.create_task(_monitor(plan, watch, stream, settled, outcome))
    try:
        if plan.way == "async for":
            await _iterate(plan, watch, stream, settled, outcome)
        elif plan.way == "collect":
            await _collect(stream, outcome)
        else:
            await _subscribe(watch, stream, outcome)
        watch.is_over = True
        assert not +watch.now, f"calls and generators that have not ended: {+watch.now}"
    finally:
        monitor.cancel()
        await asyncio.wait({monitor})
    assert monitor.cancelled() or monitor.result()
    assert CALLED.get() is None, "the context of a call has leaked to the consumer"
    if plan.way != "subscribe":
        async with aclosing(stream):
            assert await anext(stream, None) is None, "a result after the end"
    await asyncio.sleep(100)
    outcome.stats = stream.stats
    outcome.handled = list(outcome.got or ())
    settled.look(stream.watermark, outcome.handled)
    if plan.drained is None and not outcome.is_over_budget:  # else it is for `test_drained.py`
        settled.look_at_end(stream.watermark, outcome.end)


async def _iterate(
    plan: Plan, watch: Watch, stream: AsyncStream[int], settled: Settled, outcome: Outcome
) -> None:
    time = asyncio.get_running_loop().time
    asked = -1.0
    assert outcome.got is not None
    try:
        async for value in stream:
            if outcome.got and plan.pause and time() == asked:
                watch.sightings.add("consumer slower than source")
            outcome.got.append(value)
            watch.delivered += 1
            settled.look(stream.watermark, outcome.handled)
            if plan.pause:
                await asyncio.sleep(plan.pause)
            outcome.handled.append(value)
            asked = time()
    except Exception as error:
        outcome.ends_with(error)
    else:
        outcome.ends_with(None)


async def _collect(stream: AsyncStream[int], outcome: Outcome) -> None:
    try:
        outcome.got = await stream.collect()
    except Exception as error:
        outcome.got = None
        outcome.ends_with(error)
    else:
        outcome.ends_with(None)


async def _subscribe(watch: Watch, stream: AsyncStream[int], outcome: Outcome) -> None:
    ended = asyncio.get_running_loop().create_future()

    def receive(value: int) -> None:
        assert outcome.got is not None
        outcome.got.append(value)
        outcome.handled.append(value)
        if CALLED.get() is not None:
            watch.wrong.append(f"{value} is given in the context of a call")

    def end(error: Exception | None = None) -> None:
        outcome.ends_with(error)
        if not ended.done():
            ended.set_result(None)

    stream.subscribe(receive, end, end)
    await ended


# -- while it runs


async def _monitor(
    plan: Plan, watch: Watch, stream: AsyncStream[int], settled: Settled, outcome: Outcome
) -> bool:
    """Look at the run between two instants at which something happens, less and less often."""
    now = 0.05
    await asyncio.sleep(now)
    for _ in range(100):  # not for ever: a run that hangs must come to a deadlock
        _look(plan, watch, stream.stats)
        settled.look(stream.watermark, outcome.handled)
        pause = round(max(0.1, 0.25 * now), 1)
        await asyncio.sleep(pause)
        now += pause
    return True


def _look(plan: Plan, watch: Watch, stats: tuple[StageStats, ...]) -> None:
    tasks = [(n, spec) for n, spec in enumerate(plan.stages) if spec.kind != "rx"]
    assert len(stats) == len(tasks)
    assert all(balances(stage) for stage in stats), stats
    _look_at_limits(plan, watch, stats, tasks)
    most = plan.most_in_flight
    if most is not None:
        count = watch.pulled
        for stage in stats:  # what a stage makes of an item is another number of items
            settled = stage.in_ - stage.running - stage.waiting
            count += stage.out - settled
        assert count - watch.delivered <= most, f"{count - watch.delivered} in flight, not {most}"


def _look_at_limits(
    plan: Plan, watch: Watch, stats: tuple[StageStats, ...], tasks: list[tuple[int, Spec]]
) -> None:
    """Check F3 and F4: where items wait, a limit has been reached."""
    # How many calls are running is known where each has one item and none is parked.
    is_exact = not plan.kinds & {*GENERATORS, *BATCHES, "lazy"}
    is_exact = is_exact and all(spec.total is None for spec in plan.stages)
    both = [(stage, spec) for stage, (_, spec) in zip(stats, tasks, strict=True)]
    running = sum(_called(stage, spec) for stage, spec in both if spec.is_task)
    if watch.capped == plan.parallelism:
        watch.sightings.add("max_parallelism reached")
    for stage, (number, spec) in zip(stats, tasks, strict=True):
        if not _could_start(stage, spec):
            continue
        now = _called(stage, spec)
        if spec.is_batch:  # (a sequential one keeps its slot between attempts)
            now = min(now, 1) if spec.at_once == 1 else watch.now[number]
        # A plain function that gives a generator lends its slot while that waits for room. A dead
        # letter does not wait for one when the time for all attempts is over.
        may_be_more = spec.kind == "lazy" or spec.total is not None
        if now == spec.at_once or (may_be_more and spec.limit and now > spec.limit):
            watch.sightings.add("limit reached")
        elif plan.parallelism is None:
            raise AssertionError(f"items wait, and the limit of {spec} is not reached: {stage}")
        else:
            assert not is_exact or running == plan.parallelism, f"items wait for nothing: {stats}"


def _called(stage: StageStats, spec: Spec) -> int:
    """Give for how many items there are slots, at most: lazy ones lend theirs."""
    # Of items that wait for a rate while one waits for a slot, the calls have begun.
    keeps_slot = spec.is_sequential and stage.waiting_for_slot > 0
    return stage.running + stage.waiting_for_room + keeps_slot * stage.waiting_for_rate


def _could_start(stage: StageStats, spec: Spec) -> bool:
    """Tell whether calls of `stage` wait for nothing but a slot."""
    # Items that have been called say that its side input has come.
    has_begun = stage.in_ - stage.cancelled > stage.running + stage.waiting
    waiting = stage.waiting_for_slot
    return spec.is_task and waiting > 0 and (spec.kind != "side input" or has_begun)


# -- after it


def _check_results(plan: Plan, outcome: Outcome) -> None:
    expected, expected_end = model(plan)
    if any(spec.groups for spec in plan.stages):
        return  # which batch is cut first depends on the time
    if outcome.is_over_budget:  # which item is the one too many depends on the time
        if plan.ordered and outcome.got is not None:
            assert outcome.got == expected[: len(outcome.got)]
        return
    if plan.ordered:
        assert outcome.end == expected_end
        assert outcome.got is None or outcome.got == expected
    elif not any(spec.is_batch for spec in plan.stages):
        assert outcome.end == expected_end
        if expected_end == "call":
            most, _ = model(plan.without_failures())
            assert Counter(outcome.got or ()) <= Counter(most)
        else:
            assert outcome.got is None or Counter(outcome.got) == Counter(expected)


def _check_limits(plan: Plan, watch: Watch) -> None:
    for number, spec in enumerate(plan.stages):
        if spec.is_task and spec.kind != "lazy" and spec.at_once is not None:
            assert watch.most[number] <= spec.at_once, f"stage {number}: {watch.most}"
    assert plan.parallelism is None or watch.most_capped <= plan.parallelism


def _check_rates(plan: Plan, watch: Watch) -> None:
    """Check R1: in each window that ends with a start."""
    for number, spec in enumerate(plan.stages):
        starts = watch.starts.get(number, [])
        if spec.rate is None:
            continue
        most, per = spec.rate
        for first, last in zip(starts, starts[most:], strict=False):
            watch.sightings.add("rate used up")
            assert last - first >= per - 1e-6, f"stage {number}: {most + 1} in {last - first} s"


def _check_budgets(plan: Plan, watch: Watch, outcome: Outcome) -> None:
    """Check D4: no more is skipped than the budget has, and only the one too many fails the run."""
    tasks = [spec for spec in plan.stages if spec.kind != "rx"]
    too_many = False
    for spec, stage in zip(tasks, outcome.stats, strict=True):
        if spec.budget is not None:
            assert stage.skipped <= spec.budget
            # (Letters that were being written count as well.)
            is_used_up = stage.skipped + stage.failed > spec.budget or bool(spec.letter)
            too_many = too_many or (is_used_up and stage.failed > 0)
    if outcome.is_over_budget:
        watch.sightings.add("budget used up")
        assert too_many


def _check_counters(plan: Plan, watch: Watch, outcome: Outcome) -> None:
    """Check that each stage's counters balance, and what they say of the end."""
    for stage in outcome.stats:
        ended = stage.completed + stage.failed + stage.skipped + stage.dropped + stage.cancelled
        assert stage.running == stage.waiting == 0
        assert stage.in_ == ended
    failed = any(stage.failed for stage in outcome.stats)
    assert outcome.end == ("call" if failed else "source" if plan.source_fails else None)


def _check_letters(spec: Spec, stage: StageStats, letters: int, outcome: Outcome) -> None:
    """Check D1 and D2: each item that was skipped has had its letter, and no other item."""
    assert stage.dead_lettered == (0 if spec.letter is None else stage.skipped)
    assert letters >= stage.dead_lettered
    # A failure may come in the middle of the letters for a batch.
    assert outcome.end == "call" or letters == stage.dead_lettered


def _check_flow(plan: Plan, watch: Watch, outcome: Outcome) -> None:
    """Check that each stage took what the one before it gave: all, once, and nothing else.

    In both modes, with batches and with failures, where the model knows no results.
    """
    stats = iter(outcome.stats)
    given = Counter(watch.given.get(SOURCE, ()))
    for number, spec in enumerate(plan.stages):
        taken, letters = (Counter(of.get(number, ())) for of in (watch.taken, watch.letters))
        rest = taken + letters - given
        assert not rest, f"stage {number} took or gave up what it was not given: {rest}"
        stage = next(stats) if spec.kind != "rx" else None
        if stage is not None:
            _check_letters(spec, stage, letters.total(), outcome)
        came, given = given.total(), Counter(watch.given.get(number, ()))
        if outcome.end == "call":
            continue
        lost = stage.skipped if stage else 0
        if stage is not None:
            assert (stage.in_, stage.out, stage.cancelled) == (came, given.total(), 0)
            skips = [text for text in outcome.warnings if f"{stage.stage!r} skipped" in text]
            assert len(skips) == (2 if stage.skipped else 0), skips
        if spec.is_batch:
            assert stage is not None
            rest = 0 if spec.is_measured else came % spec.max_size
            assert stage.dropped == (rest if rest < spec.min_size else 0)
            lost += stage.dropped
            warned = [text for text in outcome.warnings if f"{stage.stage!r} dropped" in text]
            assert len(warned) == (1 if stage.dropped else 0), warned
        assert taken.total() == came - lost, f"stage {number} did not take all"
    got = Counter(outcome.got or ())
    assert got <= given
    assert outcome.end == "call" or outcome.got is None or got == given
