"""Who goes first, who waits, and who is woken? R2, R3 and R6 of the contract."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from conveyor_rx import AdaptiveLimit, Limit, RateLimit
from conveyor_rx._limits.request import Request
from tests.kit import now
from tests.limits.kit import Caller, asking, end, granted, is_idle


def cost_of(item: float) -> float:
    return item


async def test_a_heavy_one_is_not_overtaken() -> None:
    """R3: not by one of the light ones behind it, though there is room for them."""
    limit = RateLimit(50, per=10, cost=cost_of)
    callers = asking([limit], [10, 50, *[1] * 41])
    await asyncio.sleep(100)
    assert granted(callers) == [0, 10, *[20] * 41]


async def test_who_comes_late_does_not_overtake() -> None:
    """R3: also at the very moment at which there is room."""
    limit = RateLimit(2, cost=cost_of)
    callers = asking([limit], [2, 2])
    for _ in range(4):
        await asyncio.sleep(0.5)
        callers += asking([limit], [1])
    await asyncio.sleep(10)
    assert granted(callers) == [0, 1, 2, 2, 3, 3]
    assert is_idle_after_end(limit, callers)


def is_idle_after_end(limit: Any, callers: list[Caller]) -> bool:
    end(*callers)
    return is_idle(limit)


async def test_who_was_woken_is_not_overtaken() -> None:
    """R3: between being woken and taking, others may ask, and wait."""
    limit = Limit(1)
    first, second = Caller([limit]), Caller([limit], at_once=False)
    assert first.ask()
    assert not second.ask()
    first.request.release()
    assert second.woken == 1
    third = Caller([limit])
    assert not third.ask()
    await asyncio.sleep(0)
    assert (second.granted, third.granted) == (0, None)
    second.request.release()
    assert third.granted == 0


async def test_at_most_so_many_at_once() -> None:
    """R6: over all who share it; the next goes when one ends."""
    limit = Limit(3)
    callers = asking([limit], range(5))
    assert granted(callers) == [0, 0, 0, None, None]
    await asyncio.sleep(1)
    end(callers[1])
    assert granted(callers) == [0, 0, 0, 1, None]
    end(callers[0], callers[2], callers[3])
    assert repr(limit) == "<Limit of 3: 1 in use>"
    end(callers[4])
    assert is_idle(limit)


async def test_together_or_not_at_all() -> None:
    """R2: who waits for one limit holds nothing of the others."""
    rate, permits = RateLimit(1), Limit(1)
    holder = asking([permits])[0]
    both = asking([rate, permits])[0]
    assert "0 used" in repr(rate)
    await asyncio.sleep(5)
    assert both.granted is None
    end(holder)
    assert both.granted == 5
    assert "1 used" in repr(rate)
    behind = asking([permits, rate])[0]
    end(both)
    assert repr(permits) == "<Limit of 1: 0 in use, 1 request waits>"  # it waits for the rate
    await asyncio.sleep(5)
    assert behind.granted == 6
    end(behind)


async def test_crosswise_is_no_deadlock() -> None:
    """R2, R3: two limits in either order: requests go in the order of their first `take`."""
    one, other = Limit(1), Limit(1)
    callers = [Caller([one, other] if number % 2 else [other, one]) for number in range(50)]
    for caller in callers:
        caller.ask()
    for number, caller in enumerate(callers):
        assert sum(each.granted is not None for each in callers) == number + 1
        end(caller)
    assert is_idle(one)
    assert is_idle(other)


async def test_order_is_that_of_the_first_take() -> None:
    """R3: not that in which requests were made, nor changed by taking again."""
    limit = Limit(1)
    holder = asking([limit])[0]
    made_first, made_second = Caller([limit]), Caller([limit])
    assert not made_second.ask()
    assert not made_first.ask()
    assert not made_second.ask()  # it still is where it was
    end(holder)
    assert (made_second.granted, made_first.granted) == (0, None)
    end(made_second)
    assert made_first.granted == 0
    end(made_first)


@pytest.mark.parametrize("position", range(5))
async def test_who_withdraws_is_not_missed(position: int) -> None:
    """R3: wherever in the queue; those behind go as if it had not been there."""
    limit = RateLimit(2, cost=cost_of)
    callers = asking([limit], [2, 1, 1, 1, 1, 1])
    leaving = callers.pop(1 + position)
    await asyncio.sleep(0.25)
    leaving.request.withdraw()
    leaving.request.withdraw()
    await asyncio.sleep(5)
    assert granted(callers) == [0, 1, 1, 2, 2]
    assert leaving.granted is None
    end(*callers)
    assert is_idle(limit)


async def test_a_heavy_one_that_withdraws_lets_light_ones_go() -> None:
    """R3: at once, all for whom there is room."""
    limit = RateLimit(10, cost=cost_of)
    callers = asking([limit], [5, 10, 2, 2, 2])
    await asyncio.sleep(0.5)
    callers[1].request.withdraw()
    assert granted(callers) == [0, None, 0.5, 0.5, None]
    await asyncio.sleep(5)
    assert callers[4].granted == 1
    assert not callers[1].woken


async def test_who_withdraws_after_being_woken_wakes_the_next() -> None:
    """R3: a wake-up is never lost."""
    limit = Limit(1)
    holder = asking([limit])[0]
    woken: list[str] = []
    leaving = Request([limit], None, lambda: woken.append("leaving"))
    assert not leaving.take()
    behind = asking([limit])[0]
    end(holder)
    assert (woken, behind.granted) == (["leaving"], None)
    leaving.withdraw()
    assert behind.granted == 0
    end(behind)
    assert is_idle(limit)


async def test_who_steps_aside_may_ask_again_at_the_end() -> None:
    """R3: it lets those behind go, and has lost its place."""
    limit = Limit(1)
    holder, first, second = asking([limit], [None] * 3)
    first.request.step_aside()
    first.request.step_aside()
    assert not first.ask()
    end(holder)
    assert granted([first, second]) == [None, 0]
    end(second)
    assert first.granted == 0
    with pytest.raises(RuntimeError, match="granted"):
        first.request.step_aside()
    end(first)
    assert is_idle(limit)


async def test_a_chain_over_limits_is_woken() -> None:
    """R3: who leaves one queue may be what the first of another queue has waited for."""
    one, two, three = Limit(1), Limit(1), Limit(1)
    holder = asking([one])[0]
    blocked = asking([one, two])[0]
    next_, last = asking([two, three])[0], asking([three])[0]
    assert granted([blocked, next_, last]) == [None, None, None]
    blocked.request.withdraw()
    assert granted([blocked, next_, last]) == [None, 0, None]
    end(next_)
    assert last.granted == 0
    end(holder, last)


async def test_a_refund_is_as_if_nothing_had_been_taken() -> None:
    """R1, R6: the window and the permit are free again; the next one goes at once."""
    rate, permits = RateLimit(1), Limit(1)
    first, second = asking([rate, permits], range(2))
    await asyncio.sleep(0.5)
    first.request.refund()
    assert second.granted == 0.5
    first.granted = None
    assert not first.ask()  # it may ask again, at the end of the queue
    end(second)
    assert first.granted is None
    await asyncio.sleep(5)
    assert first.granted == 1.5
    end(first)
    assert is_idle(rate)
    assert is_idle(permits)


async def test_a_refund_leaves_the_spacing_as_it_was() -> None:
    """R1: of smooth starts the refunded one leaves no gap, unless others have started since."""
    limit = RateLimit(10, per=10, smooth=True)
    first = asking([limit])[0]
    first.request.refund()
    second = asking([limit])[0]
    assert second.granted == 0
    await asyncio.sleep(1)
    third = asking([limit])[0]
    second.request.refund()
    fourth = asking([limit])[0]
    assert (third.granted, fourth.granted) == (1, None)
    await asyncio.sleep(3)
    assert fourth.granted == 2


@pytest.mark.parametrize("given_back", [1, 4, 10])
async def test_a_refund_undoes_the_spacing_whatever_was_given_back(given_back: float) -> None:
    """R1, R5: also where the log has less of the refunded start by then, or nothing."""
    limit = RateLimit(10, per=10, cost=cost_of, smooth=True)
    first, second = asking([limit], [4, 1])
    await asyncio.sleep(1)
    limit.charge(-given_back)
    assert second.granted is None
    first.request.refund()
    assert second.granted == 1
    end(second)
    assert is_idle(limit)


async def test_a_refund_after_the_window_takes_nothing_off_others() -> None:
    """R1: what has ended is not in the log any more."""
    limit = RateLimit(1)
    first, second = asking([limit], range(2))
    await asyncio.sleep(1.5)
    first.request.refund()
    assert "1 used" in repr(limit)
    assert second.granted == 1


async def test_each_end_comes_once() -> None:
    """A request is granted, and over, once: anything else is a mistake of the caller."""
    limit = Limit(1)
    request = Request([limit], None, list)
    for call in (request.release, request.refund):
        with pytest.raises(RuntimeError, match="once"):
            call()
    assert request.take()
    with pytest.raises(RuntimeError, match="can't be withdrawn"):
        request.withdraw()
    with pytest.raises(RuntimeError, match="taken once"):
        request.take()
    request.release()
    with pytest.raises(RuntimeError, match="once"):
        request.release()
    with pytest.raises(RuntimeError, match="taken once"):
        request.take()
    request.withdraw()
    assert is_idle(limit)


async def test_without_limits_all_is_granted() -> None:
    """No limits, no waiting."""
    request = Request([], None, list)
    assert request.take()
    request.release()


@pytest.mark.parametrize("limits", [(Limit(1),), (Limit(1), RateLimit(9_999)), (RateLimit(1),)])
async def test_the_stack_stays_flat(limits: Any) -> None:
    """F8: 5,000 that take as they are woken, each woken by the one before that ends at once."""
    count = 0

    class Brief(Caller):
        def ask(self) -> bool:
            nonlocal count
            if super().ask():
                count += 1
                self.request.release()
            return self.granted is not None

    holder = asking(limits)[0]
    for _ in range(5000):
        Brief(limits).ask()
    end(holder)
    await asyncio.sleep(10_000)
    assert count == 5000


async def test_one_timer_and_no_polling() -> None:
    """R1: a limit has one timer however many wait; it goes off when the first one can go."""
    loop: Any = asyncio.get_running_loop()
    limit = RateLimit(10, per=100, cost=cost_of)
    callers = asking([limit], [10, *[5] * 1000])
    assert len([timer for timer in _timers(loop) if not timer.cancelled()]) == 1
    before = loop.steps
    await asyncio.sleep(150)
    assert loop.steps - before < 10
    for caller in callers[1:]:
        if caller.granted is None:
            caller.request.withdraw()
    assert limit._timer is None


def _timers(loop: Any) -> list[asyncio.TimerHandle]:
    return [handle for _, _, handle in loop._timers._heap]


async def test_a_timer_that_comes_early_does_not_spin() -> None:
    """R1: as on uvloop or Windows, whose timers are coarse: it waits, but not for long."""
    loop: Any = asyncio.get_running_loop()
    limit = RateLimit(1, per=10)
    callers = asking([limit], range(2))
    timer = limit._timer
    assert timer is not None
    timer.cancel()
    await asyncio.sleep(9.9996)
    limit._goes_off()
    before = loop.steps
    await asyncio.sleep(1)
    assert callers[1].granted == pytest.approx(10.0006, abs=1e-3)
    assert loop.steps - before < 5


async def test_nothing_is_kept_of_what_is_over() -> None:
    """L9: not the item, nor the function to wake, with the cyclic collector off."""

    class Thing:
        def wake(self) -> None:
            pass

    limits: list[Any] = [Limit(1), RateLimit(5, cost=lambda item: 1), AdaptiveLimit()]
    gc.disable()
    try:
        for how in ("release", "withdraw", "refund"):
            thing, item = Thing(), Thing()
            request = Request(limits, item, thing.wake)
            thing.request = request  # type: ignore[attr-defined]  # the engine's way round
            gone = weakref.ref(thing), weakref.ref(item), weakref.ref(limits[1])
            if how == "withdraw":
                holder = asking(limits, [None])[0]
                assert not request.take()
                request.withdraw()
                end(holder)
            else:
                assert request.take()
                getattr(request, how)()
                if how == "refund":
                    request.withdraw()
            del thing, item, request
            assert [each() for each in gone[:2]] == [None, None]
        holder = None
        limits.clear()
        assert gone[2]() is None
    finally:
        gc.enable()


async def test_a_timer_holds_no_context() -> None:
    """L9: a limit outlives runs, and so may its timer."""
    import contextvars

    class Thing:
        pass

    variable = contextvars.ContextVar[Any]("variable")
    limit = RateLimit(1, per=1000)
    context = contextvars.copy_context()
    thing = Thing()
    gone = weakref.ref(thing)
    context.run(variable.set, thing)
    callers = context.run(asking, [limit], range(2))
    del context, thing
    assert gone() is None
    callers[1].request.withdraw()
    end(callers[0])
    assert now() == 0
