"""Which stages are there, and which feeds which? A chain that is only described, without a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from reactivex import Observable

from ..._functions.calls import Call, name_of
from ..._limits.rate import RateLimit
from ...error_handling import RetryConfig
from ...events import StageInfo
from ..batches.measures import Measures
from ..batches.trigger import Trigger
from ..process import Processor

__all__ = ["Sketch"]

_NO_RETRIES = RetryConfig(max_attempts=1)


class Sketch:
    """A chain that is only described: stages connect to it as to a `Chain`.

    Both count the stages as they come, from the source on, which is 0.
    """

    def __init__(self) -> None:
        self._found: list[StageInfo] = [StageInfo("source", "source")]

    @property
    def stages(self) -> tuple[StageInfo, ...]:
        """The source, the stages and the output."""
        found = [*self._found, StageInfo("output", "output", **self._joint())]
        feeds: list[list[int]] = [[] for _ in found]
        for stage in found:
            for each in stage.fed_by:
                feeds[each].append(stage.id)
        return tuple(stage._replace(feeds=tuple(feeds[stage.id])) for stage in found)

    def call(self, call: Call, *, name: str, limit: int | None, in_order: bool) -> None:
        options = {"concurrency_limit": limit} if limit != call.usual_limit else {}
        overlaps = call.is_async or call.is_generator
        options |= _options(call)
        self._add(name, "single_task", options, limit, overlaps=overlaps)

    def batch(
        self,
        call: Call,
        *,
        name: str,
        limit: int | None,
        trigger: Trigger,
        measures: Measures | None = None,
    ) -> None:
        options: dict[str, Any] = {}
        if trigger.max_size is not None:
            options["max_size"] = trigger.max_size
        if trigger.min_size != 1:
            options["min_size"] = trigger.min_size
        if trigger.max_wait is not None:
            options["max_wait"] = trigger.max_wait
        if trigger.max_weight is not None:
            options["max_weight"] = trigger.max_weight
        for name_of_option in ("weight", "group_by") if measures is not None else ():
            function = getattr(measures, name_of_option)
            if function is not None:
                options[name_of_option] = name_of(function)
        if limit != (call.usual_limit if call.executor else 1):
            options["concurrency_limit"] = limit
        options |= _options(call)
        overlaps = call.is_async or call.is_generator
        self._add(name, "batch_task", options, limit, trigger.max_size, overlaps=overlaps)

    def process(self, processor: Processor, *, name: str) -> None:
        self._add(name, "own")

    def apply(self, operator: Callable[[Observable[Any]], Observable[Any]], *, name: str) -> None:
        self._add(name, "operator")

    def _add(self, name: str, kind: Any, *what: Any, **more: Any) -> None:
        self._found.append(StageInfo(name, kind, *what, **more, **self._joint()))

    def _joint(self) -> dict[str, Any]:
        """Give the id of the stage that comes next, and what feeds it: in a row the one before."""
        number = len(self._found)
        return {"id": number, "fed_by": (number - 1,)}


def _options(call: Call) -> dict[str, Any]:
    """Give the options that differ from the defaults, named as the decorators name them."""
    policy = call.policy
    options = _of_retries(policy.retry)
    rates = [limit.title for limit in call.limits if isinstance(limit, RateLimit)]
    if rates:
        options["rate_limit"] = " and ".join(rates)
    for limit in call.limits:
        if not isinstance(limit, RateLimit):
            options["concurrency_limit"] = f"{type(limit).__name__} of {limit.title}"
    if call.key is not None:
        options["key"] = _name(call.key)
    if policy.on_error != "fail":
        options["on_error"] = policy.on_error
    if policy.handler is not None:
        options["error_handler"] = type(policy.handler).__name__
    if policy.dead_letter is not None:
        options["dead_letter"] = name_of(policy.dead_letter)
    if policy.max_failures is not None:
        options["max_failures"] = policy.max_failures
    if call.timeout is not None:
        options["timeout"] = call.timeout
    if call.executor:
        options["executor"] = call.executor
    if not call.flatten:
        options["flatten"] = False
    return options


def _of_retries(retry: RetryConfig) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if retry.max_attempts > 1:
        options["retry_attempts"] = retry.max_attempts
        if retry.base_delay != _NO_RETRIES.base_delay:
            options["retry_delay"] = retry.base_delay
    if retry.retry_on is not Exception:
        wanted: Any = retry.retry_on
        types = cast("tuple[Any, ...]", wanted) if isinstance(wanted, tuple) else (wanted,)
        options["retry_on"] = ", ".join(map(_name, types))
    if retry.retry_jitter:
        options["retry_jitter"] = retry.retry_jitter
    if retry.retry_after is not None:
        options["retry_after"] = _name(retry.retry_after)
    if retry.total_timeout is not None:
        options["total_timeout"] = retry.total_timeout
    return options


def _name(value: Any) -> str:
    return getattr(value, "__name__", None) or type(value).__name__
