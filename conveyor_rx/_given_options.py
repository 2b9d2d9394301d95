"""Which options were given? Known ones, by their names; decorators have some of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from ._options import BatchOptions, SingleOptions, TaskOptions
from .error_handling import RetryConfig, check_retries

__all__ = ["NAMES", "RETRIES", "chosen", "of_decorator"]

R = TypeVar("R", bound=TaskOptions)

RETRIES = {
    "retry_attempts": "max_attempts",
    "retry_delay": "base_delay",
    "retry_exponential_backoff": "exponential_backoff",
    "retry_max_delay": "max_delay",
    "retry_on": "retry_on",
    "retry_jitter": "retry_jitter",
    "retry_after": "retry_after",
    "total_timeout": "total_timeout",
}
"""What the decorators call the fields of a RetryConfig."""


def chosen(record: type[R], maker: str, given: Mapping[str, Any]) -> R:
    """Make the `record` of the options that were `given` to `maker`.

    Raises:
        TypeError, ValueError: there is no such option, or it is not what it should be.
    """
    _check_names(maker, given, record.fields())
    return record(**given)


def of_decorator(record: type[TaskOptions], maker: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as the classes take them, checked, of those that a decorator was `given`.

    A RetryConfig takes the place of what the decorators call by the names in `RETRIES`.

    Raises:
        TypeError, ValueError: there is no such option, or it is not what it should be.
    """
    _check_names(maker, given, [*RETRIES, *record.fields()])
    options = {name: value for name, value in given.items() if name not in RETRIES}
    fields = {field: given[name] for name, field in RETRIES.items() if name in given}
    if fields and given.get("retry_config") is not None:
        names = ", ".join(name for name in RETRIES if name in given)
        raise TypeError(f"{maker}() takes retry_config or {names}, not both")
    if fields:
        defaults = {field.name: field.default for field in dataclasses.fields(RetryConfig)}
        config: dict[str, Any] = {**defaults, "max_attempts": 1, **fields}
        check_retries(config, {field: name for name, field in RETRIES.items()})
        options["retry_config"] = RetryConfig(**config)
    record(**options)
    return options


def _check_names(maker: str, given: Mapping[str, Any], names: Collection[str]) -> None:
    for name in given:
        if name not in names:
            from ._text.near_miss import near_miss

            meant = near_miss(name, names)
            hint = f"; did you mean {meant!r}?" if meant else ""
            raise TypeError(f"{maker}() got an unexpected keyword argument {name!r}{hint}")


NAMES = frozenset([*SingleOptions.fields(), *BatchOptions.fields(), *RETRIES])
"""The names of all options."""
