"""How is an Rx operator a part of a pipeline? Applied to the values in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from reactivex import Observable

from .part import Part

if TYPE_CHECKING:
    from .._engine.graph.chain import Chain
    from .._engine.graph.sketch import Sketch

__all__ = ["RxOperator"]


class RxOperator(Part):
    """An Rx operator as a part of a pipeline."""

    _is_counted = False

    def __init__(self, operator: Callable[[Any], Any]) -> None:
        self._operator = operator

    def __repr__(self) -> str:
        return self.task_name

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the function that made the operator, and what it was given.

        Raises:
            TypeError: it is no operator of reactivex, and a function without a name; or it was
                given such a function, or an Observable.
        """
        from .sent_operator import sent_operator

        return {**vars(self), "_operator": sent_operator(self._operator)}

    @property
    def task_name(self) -> str:
        from .rx import operator_name

        return operator_name(self._operator)

    def _connect(self, chain: Chain | Sketch) -> None:
        chain.apply(self._apply, name=self.task_name)

    def _apply(self, source: Observable[Any]) -> Observable[Any]:
        result = self._operator(source)
        if not isinstance(result, Observable):
            raise TypeError(f"{self!r} in a pipeline gave {type(result).__name__}, no Observable")
        return cast("Observable[Any]", result)
