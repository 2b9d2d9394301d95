"""What is a task? A function of items or of batches as a stage, or a `process` of one's own."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar, Unpack, overload

from ._engine.batches.trigger import Trigger
from ._given_options import chosen
from ._options import BatchOptions, SingleOptions
from ._shown_options import shows_options
from ._tasks.base_task import BaseTask
from ._tasks.function_task import FunctionTask

if TYPE_CHECKING:
    from ._engine.graph.chain import Chain
    from ._engine.graph.sketch import Sketch
    from ._option_types import ClassOptions, SingleClassOptions

__all__ = ["BaseTask", "BatchTask", "SingleTask"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
T = TypeVar("T")
Owner = TypeVar("Owner")  # the class that a method belongs to


class SingleTask(FunctionTask[In, Out]):
    """A function of one item, as a stage; usually made by `@single_task`.

    Order: results in input order, or as completed; with `concurrency_limit=1`, a generator function
    or a stream as side input, calls start in input order; with `key`, those for equal keys do, and
    never overlap. Errors: retries, then the handler, then
    `on_error`. Cancellation: calls are cancelled and awaited. Pressure: at most
    `concurrency_limit` calls at once, at most `max_in_flight` items from here to the next point
    where order is restored.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name.

    >>> import asyncio
    >>> asyncio.run(SingleTask(str.upper, task_name="shout")(["a", "b"]).collect())
    ['A', 'B']
    """

    _options: SingleOptions  # pyright: ignore[reportIncompatibleVariableOverride]  # set once

    @shows_options(SingleOptions)
    def __init__(self, func: Callable[..., Any], **options: Unpack[SingleClassOptions]) -> None:
        super().__init__(func, chosen(SingleOptions, "SingleTask", options))

    @overload  # of anything: a class is not what it lacks
    def __get__(
        self: SingleTask[object, T], instance: None, owner: type[Any], /
    ) -> SingleTask[object, T]: ...
    @overload  # a class method without an item
    def __get__(
        self: SingleTask[type[Owner], T], instance: object, owner: type[Owner], /
    ) -> SingleTask[Never, T]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self, instance: In, owner: type[Any] | None = None, /
    ) -> SingleTask[Never, Out]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> Self: ...
    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> SingleTask[Any, Any]:
        return super().__get__(instance, owner)

    @property
    def key(self) -> Callable[[Any], Any] | None:
        """The function whose equal values say which calls follow each other; None: none do."""
        return self._options.key

    def __repr__(self) -> str:
        return f"<single_task {self.task_name}: {self._at_once()}>"

    def _connect(self, chain: Chain | Sketch) -> None:
        call, limit = self._call(), self._limit
        in_order = limit == 1 or call.is_generator or self._binding.inputs.has_generator
        if self.key is not None:
            call, in_order = call.replace(key=self.key), True
        chain.call(call, name=self.task_name, limit=limit, in_order=in_order)


class BatchTask(FunctionTask[In, Out]):
    """A function of a list of items, as a stage; usually made by `@batch_task`.

    Order: batches are of consecutive items, or with `group_by` of those of one key, and start in
    the order in which they were cut. Errors: as for a single task; `skip_item` halves a failing
    batch until the failing items stand alone. Cancellation and pressure: as for a single task; the
    window counts the items of the batches. With `max_wait`, a batch that is not full is cut so many
    seconds after its first item came, or else as soon as there is a slot for it. With `max_weight`,
    it is cut before it would be heavier than that.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name.

    >>> import asyncio
    >>> asyncio.run(BatchTask(sum, max_size=2)([1, 2, 3]).collect())
    [3, 3]
    """

    _options: BatchOptions  # pyright: ignore[reportIncompatibleVariableOverride]  # set once
    _splits = True

    @shows_options(BatchOptions)
    def __init__(
        self,
        func: Callable[..., Any],
        min_size: int = 1,
        max_size: int | None = None,
        *,
        max_wait: float | None = None,
        max_weight: float | None = None,
        weight: Callable[[Any], float] | None = None,
        group_by: Callable[[Any], Hashable] | None = None,
        **options: Unpack[ClassOptions],
    ) -> None:
        given: dict[str, Any] = {
            "min_size": min_size,
            "max_size": max_size,
            "max_wait": max_wait,
            "max_weight": max_weight,
            "weight": weight,
            "group_by": group_by,
            **options,
        }
        super().__init__(func, chosen(BatchOptions, "BatchTask", given))

    @property
    def min_size(self) -> int:
        """The least size of the last batch; a smaller rest is dropped."""
        return self._options.min_size

    @property
    def max_size(self) -> int | None:
        """The size of a full batch; None: its weight says when it is full."""
        return self._options.full_size

    @property
    def max_wait(self) -> float | None:
        """After how many seconds a batch that is not full is due; None: never."""
        return self._options.max_wait

    @property
    def max_weight(self) -> float | None:
        """How heavy a batch may be; None: there are no weights."""
        return self._options.max_weight

    @property
    def weight(self) -> Callable[[Any], float] | None:
        """The function that says how heavy an item is."""
        return self._options.weight

    @property
    def group_by(self) -> Callable[[Any], Hashable] | None:
        """The function that gives an item's key; batches are of one key each."""
        return self._options.group_by

    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> Self:
        return super().__get__(instance, owner)

    def __repr__(self) -> str:
        bounds: list[str] = []
        if self.max_size is not None:
            bounds.append(f"{self.max_size:,}")
        if self.max_weight is not None:
            bounds.append(f"a weight of {self.max_weight:,}")
        size = f"{' or '.join(bounds)} a batch"
        if self.max_wait is not None:
            size += f" or {self.max_wait:g} s"
        if self.group_by is not None:
            size += ", grouped"
        return f"<batch_task {self.task_name}: {size}, {self._at_once()}>"

    def _connect(self, chain: Chain | Sketch) -> None:
        trigger, measures = Trigger(1, 1), None
        if self._binding.with_item:
            trigger = Trigger(self.min_size, self.max_size, self.max_wait, self.max_weight)
            if self.weight is not None or self.group_by is not None:
                from ._engine.batches.measures import Measures

                measures = Measures(self.weight, self.group_by)
        chain.batch(
            self._call(),
            name=self.task_name,
            limit=self._limit,
            trigger=trigger,
            measures=measures,
        )
