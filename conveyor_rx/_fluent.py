"""Where does a stream have its fluent methods from? From Observable; _fluent.pyi has their types.

Each of them goes through `pipe`, and that of a stream gives a stream. Here are those that don't in
reactivex.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from reactivex import Observable, concat

__all__ = ["Fluent"]

T = TypeVar("T", covariant=True)


class Fluent(Observable[T]):
    """An Observable whose methods and operators all go through `pipe`."""

    @abc.abstractmethod
    def _behind(self, observable: Observable[Any], operators: Sequence[Any]) -> Any:
        """Return the stream of what `operators` have made of this one."""

    def pipe(self, *operators: Callable[[Any], Any]) -> Any:
        """Put operators behind the stream; what they give is an AsyncStream again.

        Back-pressure reaches through them. Where an operator gives no plain Observable (a future,
        a connectable Observable), that is returned as it is.
        """
        result: object = self
        for number, operator in enumerate(operators, start=1):
            result = operator(result)
            if type(result) is Observable:
                result = self._behind(cast("Observable[Any]", result), operators[:number])
        return result

    def __add__(self, other: Observable[Any]) -> Any:
        return self.pipe(lambda source: concat(source, other))

    def __radd__(self, other: Observable[Any]) -> Any:
        return self.pipe(lambda source: concat(other, source))

    __iadd__ = __add__

    def dematerialize(self) -> Any:
        return self._through("dematerialize")

    def exclusive(self) -> Any:
        return self._through("exclusive")

    def pluck(self, key: Any) -> Any:
        return self._through("pluck", key)

    def ref_count(self) -> Any:
        return self._through("ref_count")

    def switch_latest(self) -> Any:
        return self._through("switch_latest")

    def _through(self, name: str, *arguments: Any) -> Any:
        from reactivex import operators  # only those who use these pay for the import

        operator: Any = getattr(operators, name)  # whose types don't say that it takes this
        return self.pipe(operator(*arguments))
