"""Which options do `help` and notebooks show? Those of a record, by name, type and default."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any, TypeVar

from ._given_options import RETRIES
from ._options import TaskOptions
from .error_handling import RetryConfig

__all__ = ["shows_options"]

F = TypeVar("F", bound=Callable[..., Any])


def shows_options(record: type[TaskOptions], *, with_retries: bool = False) -> Callable[[F], F]:
    """Give a function that takes `**options` the signature that `help` and notebooks show."""

    def decorate(function: F) -> F:
        own = list(inspect.signature(function).parameters.values())[:-1]
        names = {parameter.name for parameter in own}
        options = [each for each in _parameters(record, with_retries) if each.name not in names]
        function.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        return function

    return decorate


def _parameters(record: type[TaskOptions], with_retries: bool) -> list[Parameter]:
    parameters: list[Parameter] = []
    for name, (kind, default) in record.fields().items():
        if with_retries and name == "retry_config":
            parameters += _of_retries()
        parameters.append(_parameter(name, kind, default))
    return parameters


def _of_retries() -> list[Parameter]:
    fields = {field.name: field for field in dataclasses.fields(RetryConfig)}
    defaults = {of: fields[of].default for of in RETRIES.values()} | {"max_attempts": 1}
    return [_parameter(name, fields[of].type, defaults[of]) for name, of in RETRIES.items()]


@functools.cache  # several functions have the same options
def _parameter(name: str, kind: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
