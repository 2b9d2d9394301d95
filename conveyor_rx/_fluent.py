"""Where does a stream have its fluent methods from? From Observable; _fluent.pyi has their types.

Each of them goes through `pipe`, and that of a stream gives a stream. Here are those that don't in
reactivex.
"""

from typing import Any, TypeVar

from reactivex import Observable, concat
from reactivex import operators as ops

__all__ = ["Fluent"]

T = TypeVar("T", covariant=True)


class Fluent(Observable[T]):
    """An Observable whose methods and operators all go through `pipe`."""

    def __add__(self, other: Observable[Any]) -> Any:
        return self.pipe(lambda source: concat(source, other))

    def __radd__(self, other: Observable[Any]) -> Any:
        return self.pipe(lambda source: concat(other, source))

    __iadd__ = __add__

    def dematerialize(self) -> Any:
        return self._through(ops.dematerialize())

    def exclusive(self) -> Any:
        return self._through(ops.exclusive())

    def pluck(self, key: Any) -> Any:
        return self._through(ops.pluck(key))

    def ref_count(self) -> Any:
        return self._through(ops.ref_count())

    def switch_latest(self) -> Any:
        return self._through(ops.switch_latest())

    def _through(self, operator: Any) -> Any:  # whose types don't say that it takes this
        return self.pipe(operator)
