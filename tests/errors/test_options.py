"""What is said of a bad option, and when? E10 of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import (
    BatchTask,
    Pipeline,
    PipelineContext,
    RetryConfig,
    SingleTask,
    batch_task,
    single_task,
)

TASK_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"on_error": "ignore"}, ValueError, "on_error"),
    ({"on_error": None}, ValueError, "on_error"),
    ({"on_error": ["fail"]}, ValueError, "on_error"),
    ({"error_handler": "log"}, TypeError, "error_handler"),
    ({"error_handler": lambda *_: None}, TypeError, "error_handler"),
    ({"task_name": 5}, TypeError, "task_name"),
    ({"concurrency_limit": 0}, ValueError, "concurrency_limit"),
    ({"concurrency_limit": -1}, ValueError, "concurrency_limit"),
    ({"concurrency_limit": 1.5}, TypeError, "concurrency_limit"),
    ({"concurrency_limit": True}, TypeError, "concurrency_limit"),
    ({"concurrency_limit": "4"}, TypeError, "concurrency_limit"),
    ({"concurency_limit": 4}, TypeError, "concurency_limit"),
    ({"dead_letter": "log"}, TypeError, "dead_letter"),
    ({"max_failures": 3}, ValueError, "max_failures"),
    ({"max_failures": -1, "on_error": "skip_item"}, ValueError, "max_failures"),
    ({"max_failures": True, "on_error": "skip_item"}, TypeError, "max_failures"),
]
RETRY_OPTIONS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"retry_attempts": 0}, ValueError, "retry_attempts"),
    ({"retry_attempts": 2.0}, TypeError, "retry_attempts"),
    ({"retry_attempts": True}, TypeError, "retry_attempts"),
    ({"retry_attempts": None}, TypeError, "retry_attempts"),
    ({"retry_delay": -0.5}, ValueError, "retry_delay"),
    ({"retry_delay": float("nan")}, ValueError, "retry_delay"),
    ({"retry_delay": float("inf")}, ValueError, "retry_delay"),
    ({"retry_delay": "1"}, TypeError, "retry_delay"),
    ({"retry_exponential_backoff": 1}, TypeError, "retry_exponential_backoff"),
    ({"retry_exponential_backoff": "no"}, TypeError, "retry_exponential_backoff"),
    ({"retry_max_delay": -1}, ValueError, "retry_max_delay"),
    ({"retry_max_delay": None}, TypeError, "retry_max_delay"),
]
SIZES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"min_size": 0}, ValueError, "min_size"),
    ({"min_size": "2"}, TypeError, "min_size"),
    ({"min_size": True}, TypeError, "min_size"),
    ({"max_size": 0}, ValueError, "max_size"),
    ({"max_size": 2.5}, TypeError, "max_size"),
    ({"min_size": 3, "max_size": 2}, ValueError, "max_size"),
    ({"max_weight": 5}, ValueError, "weight"),
    ({"max_weight": 0, "weight": len}, ValueError, "max_weight"),
    ({"max_weight": "5", "weight": len}, TypeError, "max_weight"),
    ({"weight": len}, ValueError, "max_weight"),
    ({"weight": 5}, TypeError, "weight"),
    ({"group_by": "key"}, TypeError, "group_by"),
]
CONFIG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"max_attempts": 0}, ValueError, "max_attempts"),
    ({"max_attempts": "3"}, TypeError, "max_attempts"),
    ({"base_delay": -1}, ValueError, "base_delay"),
    ({"base_delay": None}, TypeError, "base_delay"),
    ({"max_delay": float("nan")}, ValueError, "max_delay"),
    ({"max_delay": "1"}, TypeError, "max_delay"),
    ({"exponential_backoff": 0}, TypeError, "exponential_backoff"),
    ({"backoff_multiplier": -2}, ValueError, "backoff_multiplier"),
    ({"backoff_multiplier": "2"}, TypeError, "backoff_multiplier"),
    ({"jitter": True}, TypeError, "jitter"),
]
CONTEXT: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"execution_mode": "sideways"}, ValueError, "execution_mode"),
    ({"execution_mode": None}, ValueError, "execution_mode"),
    ({"max_parallelism": 0}, ValueError, "max_parallelism"),
    ({"max_parallelism": 2.5}, TypeError, "max_parallelism"),
    ({"max_parallelism": True}, TypeError, "max_parallelism"),
    ({"max_in_flight": 0}, ValueError, "max_in_flight"),
    ({"max_in_flight": "many"}, TypeError, "max_in_flight"),
    ({"data": 5}, TypeError, "data"),
    ({"dead_letter": 5}, TypeError, "dead_letter"),
    ({"max_failures": 1.0}, ValueError, "max_failures"),
    ({"max_failures": False}, TypeError, "max_failures"),
    ({"pipeline_id": 5}, TypeError, "pipeline_id"),
]


def _double(item: Any) -> Any:
    return item


MAKERS: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("single_task", lambda **o: single_task(**o)(_double), [*TASK_OPTIONS, *RETRY_OPTIONS]),
    ("batch_task", lambda **o: batch_task(**o)(_double), [*TASK_OPTIONS, *RETRY_OPTIONS, *SIZES]),
    ("SingleTask", lambda **o: SingleTask(_double, **o), TASK_OPTIONS),
    ("BatchTask", lambda **o: BatchTask(_double, **o), [*TASK_OPTIONS, *SIZES]),
    ("RetryConfig", RetryConfig, CONFIG),
    ("PipelineContext", PipelineContext, CONTEXT),
    ("Pipeline.with_context", lambda **o: Pipeline().with_context(**o), CONTEXT),
    ("SingleTask.with_context", lambda **o: SingleTask(_double).with_context(**o), CONTEXT),
]


@pytest.mark.parametrize(
    ("make", "options", "kind", "name"),
    [
        pytest.param(make, *case, id=f"{label}-{re.sub(' at 0x[0-9a-f]+', '', str(case[0]))}")
        for label, make, cases in MAKERS
        for case in cases
    ],
)
def test_a_bad_option_is_refused_by_name(
    make: Callable[..., Any], options: dict[str, Any], kind: type[Exception], name: str
) -> None:
    """E10: ValueError (out of range) or TypeError when it is made, naming the option."""
    with pytest.raises(kind, match=rf"\b{name}\b"):
        make(**options)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: SingleTask(_double, retry_config={"max_attempts": 3}), "retry_config"),  # type: ignore[arg-type]
        (lambda: BatchTask(_double, 2, retry_config=3), "retry_config"),  # type: ignore[arg-type]
        (lambda: Pipeline({"max_parallelism": 3}), "context"),  # type: ignore[arg-type]
        (lambda: SingleTask(_double, "fail"), "positional"),  # type: ignore[misc]
        (lambda: single_task(5), "5"),  # type: ignore[call-overload]
        (lambda: batch_task(_double), "batch_task"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_argument_is_refused_by_name(make: Callable[[], Any], name: str) -> None:
    """E10: so is what is no option but stands where something else belongs."""
    with pytest.raises(TypeError, match=name):
        make()


@pytest.mark.parametrize("mode", ["Ordered", None, 3])
def test_a_bad_execution_mode_is_refused(mode: Any) -> None:
    """E10: `with_execution_mode` names the option and what is allowed."""
    with pytest.raises(ValueError, match=r"execution_mode.*ordered.*as_completed"):
        SingleTask(_double).with_execution_mode(mode)


def test_options_that_are_just_in_range() -> None:
    """E10: the bounds themselves are allowed."""
    single_task(concurrency_limit=1, retry_attempts=1, retry_delay=0, retry_max_delay=0)(_double)
    batch_task(min_size=1, max_size=1)(_double)
    RetryConfig(1, 0, False, 0, 0)
    PipelineContext(max_parallelism=1, max_in_flight=1)
    PipelineContext(max_parallelism=None, max_in_flight=None)
