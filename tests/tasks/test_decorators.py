"""What the decorators make of functions and options, and when they refuse."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_overloads

import pytest

import conveyor_rx._types.batch_types  # its overloads are known when it is imported
import conveyor_rx._types.task_types  # noqa: F401  # likewise
from conveyor_rx import BatchTask, RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx._option_types import DecoratorOptions, SingleDecoratorOptions


def echo(value: Any) -> Any:
    """Echo."""
    return value


DECORATORS: dict[str, Callable[..., Any]] = {
    "single, called": lambda **options: single_task(**options)(echo),
    "single, direct": lambda **options: single_task(echo, **options),
    "batch": lambda **options: batch_task(max_size=2, **options)(echo),
}
BAD_OPTIONS = [
    {"retry_attempts": 0},
    {"retry_attempts": True},
    {"retry_attempts": 1.5},
    {"retry_delay": -1},
    {"retry_delay": math.nan},
    {"retry_delay": "1"},
    {"retry_max_delay": math.inf},
    {"retry_exponential_backoff": 1},
    {"on_error": "ignore"},
    {"on_error": []},
    {"error_handler": 3},
    {"task_name": 3},
    {"concurrency_limit": 0},
    {"concurrency_limit": True},
    {"flatten": "no"},
    {"unknown": 1},
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=str)
@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_bad_option_is_refused_by_name(decorator: str, options: dict[str, Any]) -> None:
    """E10: ValueError or TypeError at decoration, naming the option."""
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        DECORATORS[decorator](**options)


@pytest.mark.parametrize(
    "sizes",
    [
        {"min_size": 0},
        {"max_size": 0},
        {"max_size": "3"},
        {"min_size": True},
        {"max_size": 2, "min_size": 3},
    ],
    ids=str,
)
def test_a_bad_batch_size_is_refused_by_name(sizes: dict[str, Any]) -> None:
    """E10: ValueError or TypeError, naming the size."""
    with pytest.raises((TypeError, ValueError), match=next(iter(sizes))):
        batch_task(**sizes)(echo)


def test_a_bare_batch_task_is_shown_the_right_form() -> None:
    """Issue 2, bad input: `@batch_task` on a function says what to write."""
    with pytest.raises(TypeError, match=r"@batch_task\(max_size="):
        batch_task(echo)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "make",
    [
        lambda: single_task(3),
        lambda: batch_task(max_size=2)(3),
        lambda: single_task(single_task(echo)),
    ],
)
def test_what_is_no_function_is_refused(make: Callable[[], Any]) -> None:
    """A task needs a callable that is no task yet."""
    with pytest.raises(TypeError):
        make()


def test_the_options_arrive() -> None:
    """Each option of the decorators is readable on the task."""
    task = single_task(
        on_error="skip_item",
        retry_attempts=4,
        retry_delay=0.5,
        retry_exponential_backoff=False,
        retry_max_delay=7,
        task_name="t",
        concurrency_limit=3,
    )(echo)
    assert isinstance(task, SingleTask)
    assert task.func is echo
    assert (task.task_name, task.concurrency_limit, task.on_error) == ("t", 3, "skip_item")
    assert task.retry_config == RetryConfig(4, 0.5, False, 7)
    assert task.error_handler is None
    assert task.__doc__ == "Echo."


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [({}, (1, 1)), ({"min_size": 3}, (3, 3)), ({"max_size": 5}, (1, 5))],
    ids=str,
)
def test_batch_sizes_have_defaults(sizes: dict[str, int], expected: tuple[int, int]) -> None:
    """`max_size` defaults to `min_size`; one batch at a time."""
    task = batch_task(**sizes)(echo)
    assert isinstance(task, BatchTask)
    assert (task.min_size, task.max_size) == expected
    assert task.concurrency_limit == 1


@pytest.mark.parametrize("name", ["func", "task_name", "concurrency_limit", "on_error"])
def test_tasks_are_immutable(name: str) -> None:
    """What was configured can't be changed behind the back of who shares the task."""
    with pytest.raises(AttributeError):
        setattr(single_task(echo), name, None)


def test_the_signatures_are_those_of_the_design() -> None:
    """Options are keyword-only; the sizes of a batch may be positional."""
    options = {
        "on_error": "fail",
        "retry_attempts": 1,
        "retry_delay": 1.0,
        "retry_exponential_backoff": True,
        "retry_max_delay": 60.0,
        "retry_on": Exception,
        "retry_jitter": 0.0,
        "retry_after": None,
        "total_timeout": None,
        "retry_config": None,
        "error_handler": None,
        "task_name": None,
        "concurrency_limit": None,
        "flatten": True,
        "timeout": None,
        "rate_limit": None,
        "dead_letter": None,
        "max_failures": None,
        "executor": None,
    }
    single = inspect.signature(single_task).parameters
    batch = inspect.signature(batch_task).parameters
    assert {n: p.default for n, p in single.items()} == {
        "func": None,
        **options,
        "key": None,
    }
    assert {n: p.default for n, p in batch.items()} == {
        "min_size": 1,
        "max_size": None,
        "max_wait": None,
        "max_weight": None,
        "weight": None,
        "group_by": None,
        **options,
    }
    for parameters in (single, batch):
        assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in options)


@pytest.mark.parametrize(
    ("module", "name", "decorator", "typed"),
    [
        (
            "_types.task_types",
            "SingleTaskDecorator.__call__",
            single_task,
            SingleDecoratorOptions.__annotations__.keys(),
        ),
        (
            "_types.batch_types",
            "BatchTaskMaker.__call__",
            batch_task,
            DecoratorOptions.__annotations__.keys(),
        ),
    ],
    ids=["single_task", "batch_task"],
)
def test_editors_are_shown_the_options(module: str, name: str, decorator: Any, typed: Any) -> None:
    """Issue 13.34: the first form is that with the options, as they are, and has a docstring."""
    declared: Any = SimpleNamespace(__module__=f"conveyor_rx.{module}", __qualname__=name)
    overloads = get_overloads(declared)
    options = inspect.signature(decorator).parameters
    for overload, flatten in zip(overloads[:2], (True, inspect.Parameter.empty), strict=True):
        form = dict(inspect.signature(overload).parameters)
        form.pop("self", None)
        assert "DecoratorOptions" in str(form.pop("options").annotation)
        assert form.keys() | typed == options.keys()
        assert form.pop("flatten").default is flatten
        for option, parameter in form.items():
            assert parameter.default == options[option].default
    assert overloads[0].__doc__ or decorator.__doc__
