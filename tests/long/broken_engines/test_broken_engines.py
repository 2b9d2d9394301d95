"""The suite is tested itself: each engine that is broken on purpose is found out.

By a check that is there anyway, and that passes with the engine as it is: a rule of the conformance
suite, a few random pipelines, or a test of the contract.
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from conveyor_rx.testing import run
from conveyor_rx.testing.conformance import conformance
from tests.conformance.test_conformance import KINDS
from tests.kit import same
from tests.long.broken_engines.engines import ENGINES
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans

Check = Callable[[], object]
EXAMPLES = 200


@functools.cache
def rule(number: str, kind: str = "async that suspends") -> Check:
    """Check a kind of stage for one rule of Reactive Streams, in all places."""
    checks = [each for each in conformance(**KINDS[kind]) if each.rule.number == number]

    def all_places() -> None:
        for each in checks:
            each()

    return all_places


@functools.cache
def random_pipelines() -> Check:
    """Run some random pipelines, always the same ones."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(plans())
    def some(plan: Plan) -> None:
        check(plan)

    return some


@functools.cache
def contract(module: str, test: str, **arguments: Any) -> Check:
    """Run one test of the contract, in virtual time."""
    function = getattr(importlib.import_module(f"tests.{module}"), test)
    check = functools.partial(function, **arguments)
    return (lambda: run(check)) if inspect.iscoroutinefunction(function) else check


RANDOM = random_pipelines()
FOUND_BY: dict[str, Check] = {
    "a_letter_is_written_twice": RANDOM,
    "the_item_that_is_too_many_gets_a_letter": contract(
        "errors.test_budgets",
        "test_one_item_too_many_fails_the_run_at_its_place",
        kind="async",
        mode="ordered",
        with_letter=True,
    ),
    "a_budget_is_off_by_one": contract(
        "errors.test_budgets", "test_a_budget_is_used_up_while_a_batch_is_halved", mode="ordered"
    ),
    "an_item_settles_before_its_letter_is_accepted": contract(
        "errors.test_dead_letters",
        "test_an_item_counts_as_skipped_when_its_letter_was_accepted",
        kind="async",
        mode="ordered",
    ),
    "what_waits_for_its_letter_is_not_in_the_budget": contract(
        "errors.test_budgets",
        "test_items_whose_letters_are_under_way_count",
        kind="async",
        mode="ordered",
    ),
    "a_share_is_not_judged_at_the_end": contract(
        "errors.test_budgets",
        "test_a_share_is_judged_at_the_end",
        kind="async",
        mode="ordered",
        way="async for",
    ),
    "a_key_is_free_as_soon_as_its_call_begins": contract(
        "flow.test_keys",
        "test_equal_keys_follow_each_other",
        kind="call",
        mode="ordered",
        watched=False,
    ),
    "a_key_is_free_only_when_its_result_has_left": contract(
        "flow.test_keys", "test_a_key_is_free_when_its_call_has_settled"
    ),
    "who_waits_for_a_key_holds_a_slot": contract(
        "flow.test_keys", "test_other_keys_overtake", mode="ordered"
    ),
    "a_retry_asks_no_limit": contract("limits.test_tasks", "test_retries_count", mode="ordered"),
    "who_waits_for_a_rate_holds_a_slot": contract(
        "limits.test_tasks", "test_who_waits_holds_no_slot"
    ),
    "a_permit_never_comes_back_from_a_failure": contract(
        "limits.test_tasks", "test_a_permit_comes_back_after_any_end", end="skipped", mode="ordered"
    ),
    "a_run_whose_consumer_is_away_stays_first": contract(
        "limits.test_tasks", "test_a_run_whose_consumer_is_away_stops_no_other"
    ),
    "the_deadline_begins_with_each_attempt": contract(
        "errors.test_total_timeout", "test_a_running_attempt_is_cut", kind="call", mode="ordered"
    ),
    "an_attempt_begins_after_the_deadline": contract(
        "errors.test_total_timeout",
        "test_no_attempt_begins_after_the_deadline",
        kind="call",
        mode="ordered",
    ),
    "a_slot_is_kept_between_attempts": contract(
        "errors.test_backing_off",
        "test_failing_calls_do_not_stop_a_stage",
        kind="call",
        mode="ordered",
    ),
    "an_attempt_takes_a_slot_that_is_not_there": contract(
        "errors.test_backing_off", "test_the_next_attempt_waits_for_a_slot_and_goes_first"
    ),
    "an_error_overtakes_its_prefix": contract(
        "errors.test_places",
        "test_ordered_failure_lets_what_stands_before_it_through_at_its_instants",
    ),
    "a_new_arrival_overtakes_the_queue": contract(
        "test_order", "test_calls_start_in_input_order", kind="async", limit=1, window=1024
    ),
    "order_is_not_restored_before_a_batch": rule("1.5", "batch of 5"),
    "as_completed_waits_for_order": contract("test_order", "test_the_modes_differ"),
    "generators_do_not_see_their_inputs_in_order": contract(
        "test_order", "test_calls_start_in_input_order", kind="generator", limit=None, window=1024
    ),
    "a_list_is_put_out_backwards": rule("1.5", "list"),
    "an_extra_prefetch": contract(
        "flow.test_windows", "test_a_slow_head_holds_exactly_a_window", window=4
    ),
    "a_gate_that_never_closes": rule("2.1"),
    "the_output_buffer_never_fills": rule("2.1"),
    "max_parallelism_is_ignored": RANDOM,
    "one_call_too_many_at_once": RANDOM,
    "one_call_too_few_at_once": RANDOM,
    "a_slot_is_leaked_on_a_failure": RANDOM,
    "the_head_of_a_line_waits_for_room_too": RANDOM,
    "a_run_begins_before_it_is_read": rule("1.1"),
    "the_rest_of_a_batch_is_lost": rule("1.5", "batch of 5"),
    "a_short_rest_is_a_batch": RANDOM,
    "the_clock_of_a_batch_runs_from_the_last_cut": contract(
        "batches.test_max_wait", "test_an_idle_stage_gets_small_batches_early", mode="ordered"
    ),
    "a_due_batch_does_not_wait_for_a_slot": contract(
        "batches.test_max_wait", "test_a_busy_stage_gets_full_batches", mode="ordered"
    ),
    "a_due_batch_waits_for_another_item": contract(
        "batches.test_max_wait", "test_a_due_batch_is_cut_when_a_call_ends", mode="ordered"
    ),
    "a_batch_may_be_one_item_too_heavy": RANDOM,
    "a_batch_waits_until_the_next_item_is_too_heavy": contract(
        "batches.test_max_weight", "test_a_batch_is_cut_at_the_instant_that_makes_it_too_heavy"
    ),
    "keys_of_equal_hashes_are_one": contract(
        "batches.test_group_by", "test_keys_of_equal_hashes_and_nan"
    ),
    "idle_keys_are_remembered": contract(
        "batches.test_group_by",
        "test_idle_keys_hold_no_memory",
    ),
    "the_youngest_batch_is_cut_first": contract(
        "batches.test_group_by", "test_past_the_window_the_oldest_batch_is_cut", mode="ordered"
    ),
    "the_window_bounds_no_open_batches": contract(
        "batches.test_group_by", "test_what_is_open_never_exceeds_the_window", mode="ordered"
    ),
    "all_groups_share_one_clock": contract(
        "batches.test_group_by", "test_each_group_has_a_clock_of_its_own", mode="ordered"
    ),
    "a_small_due_group_holds_up_the_others": contract(
        "batches.test_group_by", "test_a_due_group_that_is_too_small_holds_up_no_other"
    ),
    "an_item_without_a_weight_is_tried_again": contract(
        "batches.test_refused_items", "test_a_handler_is_asked", fault="negative", mode="ordered"
    ),
    "an_item_without_a_weight_takes_its_batch_along": RANDOM,
    "a_call_that_is_late_may_return": contract(
        "errors.test_timeouts",
        "test_what_suppresses_its_end_has_failed_all_the_same",
        kind="function",
    ),
    "a_cancellation_from_outside_counts_as_a_timeout": contract(
        "errors.test_timeouts",
        "test_a_cancellation_from_outside_stays_one",
        mode="ordered",
        seconds=1,
    ),
    "a_drain_loses_the_open_batch": contract(
        "drain.test_drain",
        "test_an_open_batch_is_cut",
        min_size=1,
        expected=((0, 1, 2), (3,)),
        max_wait=None,
    ),
    "a_drain_goes_on_pulling": contract(
        "drain.test_drain", "test_it_may_be_called_from_inside", place="call", mode="ordered"
    ),
    "a_drain_waits_for_the_pull_that_is_under_way": contract(
        "drain.test_drain",
        "test_what_was_pulled_is_finished",
        stage="async",
        way="collect",
        mode="ordered",
    ),
    "a_drain_does_not_close_the_source": contract(
        "drain.test_sources", "test_an_observable_is_unsubscribed", chain=same
    ),
    "a_drain_loses_what_a_stream_inside_had_pulled": contract(
        "drain.test_sources",
        "test_streams_of_streams_lose_nothing",
        kind="stream",
        way="collect",
    ),
    "a_drain_loses_an_item_that_comes_all_the_same": contract(
        "drain.test_sources", "test_an_item_that_comes_all_the_same_is_finished"
    ),
    "a_drain_takes_back_a_cancellation_from_outside": contract(
        "drain.test_sources", "test_a_cancellation_from_outside_is_not_taken_back"
    ),
    "a_drain_may_take_longer_than_was_said_before": contract(
        "drain.test_when", "test_the_earliest_timeout_counts", timeouts=(3, 5), end=3.5
    ),
    "the_watermark_is_one_too_far": RANDOM,
    "a_result_is_settled_before_the_next_is_asked_for": RANDOM,
    "the_watermark_ignores_results_that_wait": contract(
        "lifetime.test_at_least_once", "test_killed_at_every_step", name="list", mode="ordered"
    ),
    "the_watermark_ignores_open_batches": RANDOM,
    "the_watermark_looks_at_the_head_as_completed": contract(
        "lifetime.test_at_least_once",
        "test_killed_at_every_step",
        name="generator",
        mode="as_completed",
    ),
    "what_a_failure_cuts_off_is_settled": RANDOM,
    "what_a_close_lets_go_of_is_settled": contract(
        "lifetime.test_at_least_once", "test_killed_at_every_step", name="two async", mode="ordered"
    ),
    "what_enters_an_operator_is_settled": contract(
        "lifetime.test_watermark",
        "test_what_enters_a_stage_of_ones_own_can_not_be_followed",
    ),
    "what_is_collected_is_settled": RANDOM,
    "a_rest_that_a_drain_drops_is_settled": contract(
        "lifetime.test_watermark", "test_after_a_drain_it_is_what_was_pulled", mode="ordered"
    ),
    "none_is_passed_on": rule("1.5", "filter"),
    "an_item_is_given_twice": rule("1.5", "own"),
    "a_failure_is_swallowed_in_as_completed": rule("1.4"),
    "the_error_of_a_source_is_lost": rule("1.4"),
    "the_note_does_not_name_the_task": contract(
        "errors.test_one_exception", "test_the_note_names_task_item_and_attempt"
    ),
    "a_place_is_never_given_up_on_skip": RANDOM,
    "a_failing_batch_takes_its_neighbours_along": contract(
        "errors.test_skipping",
        "test_skip_item_halves_a_batch_until_the_failing_items_stand_alone",
        mode="ordered",
    ),
    "one_attempt_too_few": contract(
        "errors.test_retries", "test_a_batch_is_retried_whole", mode="ordered", kind="async"
    ),
    "a_failure_lets_the_calls_behind_it_go_on": RANDOM,
    "a_cancelled_call_is_not_awaited": contract(
        "lifetime.test_aclose", "test_close_awaits_every_call", kind="async", mode="ordered"
    ),
    "a_call_is_awaited_and_not_cancelled": rule("3.5"),
    "a_generator_is_never_closed": rule("3.12", "async generator"),
    "a_source_is_never_closed": rule("2.6"),
    "disposing_ends_no_run": rule("3.12"),
    "a_disposed_run_holds_its_observer": rule("3.13"),
    "the_cancellation_of_a_consumer_is_swallowed": contract(
        "lifetime.test_cancelled_consumers",
        "test_a_consumer_that_is_cancelled_leaves_nothing",
        way="collect",
        mode="ordered",
    ),
    "a_second_reader_is_let_in": rule("2.5"),
    "the_context_of_a_call_is_shared": contract(
        "errors.test_retries", "test_each_half_of_a_batch_is_called_in_a_context_of_its_own"
    ),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", FOUND_BY)
@pytest.mark.usefixtures("small_heap")
def test_a_broken_engine_is_found_out(name: str) -> None:
    """The check fails with the broken engine."""
    with pytest.MonkeyPatch.context() as patch:
        ENGINES[name](patch)
        found = _fails(FOUND_BY[name])
    gc.collect()  # what the broken engine left behind must not meet other tests
    assert found


def _fails(found_by: Check) -> bool:
    try:
        found_by()
    except (TypeError, AttributeError, NameError):
        raise  # the patch doesn't fit the engine any more
    except Exception:  # an assertion, a deadlock, a failure that should not have come through
        return True
    return False


@pytest.mark.no_cover
@pytest.mark.parametrize("found_by", dict.fromkeys(FOUND_BY.values()))
def test_the_engine_as_it_is_passes(found_by: Check) -> None:
    """The same check passes with the engine as it is."""
    found_by()


def test_each_broken_engine_has_its_check() -> None:
    """None is left out."""
    assert set(ENGINES) == set(FOUND_BY)
