"""A source, a handler, a side input or the consumer raises, at each item; and a break at each.

Nothing is left, nothing starts afterwards, the results are those before it, and the consumer gets
exactly that exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conveyor_rx import AsyncStream
from tests.faults.disturbed import Consume, Disturbed, disturb, quiet, subscribe
from tests.faults.inserted import Inserted, inserted
from tests.faults.references import REFERENCES
from tests.random_pipelines.plans import Plan, model
from tests.random_pipelines.stages import Boom

of_each_reference = pytest.mark.parametrize("name", REFERENCES)


@of_each_reference
def test_the_source_raises_at_each_item(name: str) -> None:
    """E7: what was pulled before is delivered, then the source's own error is raised."""
    plan = quiet(REFERENCES[name])
    for items in range(plan.items + 1):
        cut = replace(plan, items=items, source_fails=True)
        case = disturb(cut)
        case.check_given()
        (error,) = case.ends
        assert isinstance(error, Boom), (items, error)
        assert error.args == ("source",)
        assert plan.way == "collect" or not plan.ordered or case.got == model(cut)[0]


@of_each_reference
@pytest.mark.parametrize("kind", ["handler", "side"])
def test_a_handler_or_side_input_raises_at_each_item(name: str, kind: str) -> None:
    """E1, E6, S2, S4: at each place; ordered, all before it is delivered and nothing behind it."""
    for case in inserted(REFERENCES[name], kind):
        outcome = disturb(case.plan, consume=case.consume, build=case.build)
        try:
            _check_raised(case, outcome)
        except AssertionError as error:
            error.add_note(f"{case}")
            raise


def _check_raised(case: Inserted, outcome: Disturbed) -> None:
    outcome.check_given(case.calm)
    expected, end = model(case.plan)
    (error,) = outcome.ends
    assert (error in case.raised) == bool(case.raised), (error, case.raised)
    if error is None:  # as completed, batches may be others, so that the item never came
        assert not case.plan.ordered
        assert any(spec.is_batch for spec in case.plan.stages[: case.place])
        return
    if case.plan.stages[case.place].kind == "handler":
        assert isinstance(error.__cause__, Boom)
    assert len(error.__notes__) == 1
    assert end == "call"
    if case.plan.ordered and case.plan.way != "collect":
        assert outcome.got == expected


# -- by the consumer


def _each_result(plan: Plan) -> Iterator[int]:
    yield from range(1, len(model(plan)[0]) + 1)


@of_each_reference
def test_a_break_at_each_item(name: str) -> None:
    """L4: nothing is pulled and no call starts from the break on, however long the stream lives."""
    plan = quiet(replace(REFERENCES[name], way="async for"))
    for number in _each_result(plan):
        case = disturb(plan, consume=_breaking(number, is_kept=number % 2 == 0))
        case.check_given()
        assert len(case.got) <= number


def _breaking(number: int, *, is_kept: bool) -> Consume:
    async def consume(case: Disturbed) -> None:
        async for value in case.stream:
            case.got.append(value)
            if len(case.got) == number:
                break
        case.watch.is_over = True
        if is_kept:
            await asyncio.sleep(100)
            if case.plan.source == "async":  # what was being asked for at the break has come
                assert len(case.watch.wrong) <= 1
                assert all("was pulled" in text for text in case.watch.wrong)
                case.watch.wrong.clear()
            await case.stream.aclose()
        else:
            case.stream = AsyncStream([])
            await asyncio.sleep(0.001)  # what was under way is cancelled, and nobody waits for it

    return consume


class ConsumerError(Exception):
    """What the consumer raises."""


@of_each_reference
def test_the_loop_body_raises_at_each_item(name: str) -> None:
    """L2, L4: the consumer's own error comes out of `async with`, when all has ended."""
    plan = quiet(replace(REFERENCES[name], way="async for"))
    for number in _each_result(plan):
        error = ConsumerError(number)
        _check_consumer(error, disturb(plan, consume=_raising(number, error)))


def _raising(number: int, error: ConsumerError) -> Consume:
    async def consume(case: Disturbed) -> None:
        try:
            async with case.stream:
                async for value in case.stream:
                    case.got.append(value)
                    if len(case.got) == number:
                        raise error
        except ConsumerError as raised:
            case.ends.append(raised)
        else:
            case.ends.append(None)

    return consume


@of_each_reference
def test_an_observer_raises_at_each_item(name: str) -> None:
    """L1, L2: it hears of its own error, once, as the end, and of nothing else any more."""
    plan = quiet(replace(REFERENCES[name], way="subscribe"))
    for number in _each_result(plan):
        error = ConsumerError(number)
        _check_consumer(error, disturb(plan, consume=_observing(number, error)))


def _observing(number: int, error: ConsumerError) -> Consume:
    async def consume(case: Disturbed) -> None:
        def on_next(value: int) -> None:
            case.got.append(value)
            if len(case.got) == number:
                raise error

        try:
            await subscribe(case, on_next)
        except ConsumerError as raised:
            case.ends.append(raised)
        else:
            case.ends.append(None)

    return consume


def _check_consumer(error: ConsumerError, case: Disturbed) -> None:
    case.check_given()
    (number,) = error.args
    if len(case.got) < number:  # as completed, batches may be others, and fewer
        assert case.ends == [None]
        assert not case.plan.ordered
    else:
        assert case.ends == [error]
        assert len(case.got) == number
        assert not hasattr(error, "__notes__")
