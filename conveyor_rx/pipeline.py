"""How do stages become a pipeline? By `|`; and a pipeline becomes a stream when it gets data."""

# pyright: reportPrivateUsage=false
# A stage and a pipeline know each other; what is private here is so to users.

from __future__ import annotations

import abc
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast, overload

from reactivex import Observable

from ._dead_letters import DeadLetter
from ._engine.sources import NO_DATA, check_data
from ._parts.part import Part
from ._parts.rx_operator import RxOperator
from ._streams.plan import Plan
from .context import UNCHANGED, ExecutionMode, PipelineContext
from .stream import AsyncStream, Source

if TYPE_CHECKING:
    from ._engine.graph.chain import Chain
    from ._engine.graph.sketch import Sketch

__all__ = ["Pipeline", "Stage"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
X = TypeVar("X")
Y = TypeVar("Y")
Z = TypeVar("Z")

Operator: TypeAlias = Callable[[Observable[X]], Observable[Y]]  # every stage is one, too


class Stage(Part, Generic[In, Out]):
    """Something that data flows through: a task, a pipeline, a wrapped Rx operator.

    Called with data it gives an `AsyncStream`; called with an Observable it is an Rx operator, so
    it can stand in `observable.pipe(...)`.
    """

    __array_ufunc__ = None  # `array | stage` is not for NumPy to spread over the elements

    @abc.abstractmethod
    def process(
        self, items: AsyncIterable[In]
    ) -> AsyncIterable[Out] | Awaitable[AsyncIterable[Out]]:
        """Give the outputs of this stage for `items`; `await` what it returns, for any task.

        For a stage of your own: an async generator function, or a coroutine function that returns
        an async iterable.
        """

    def __or__(self, other: Operator[Out, X], /) -> Pipeline[In, X]:
        """Return a pipeline of this and, behind it, `other`: a stage or an Rx operator.

        Raises:
            TypeError: `other` is neither, or a stream.
        """
        if isinstance(self, Pipeline):
            return cast("Pipeline[Any, Any]", self)._joined(other)
        return Pipeline[Any, Any](_context_of(other)).add(self)._joined(other)

    def __ror__(self, other: Operator[X, In], /) -> Pipeline[X, Out]:
        _check_operator(other, other, self)
        return Pipeline[Any, Any](_context_of(self)).add(other)._joined(self)

    def __call__(
        self, data: Source[In] = NO_DATA, /, *args: Any, **kwargs: Any
    ) -> AsyncStream[Out]:
        """Return the stream of results of `data`: any iterable, async iterable, Observable or item.

        Without data the first task is called once without an item. Further arguments go to the
        first task of this run alone. Nothing runs before the stream is read.

        Raises:
            TypeError: the first task can't take these arguments, a task lacks side inputs, or the
                data is a coroutine or a generator function.
        """
        return _as_pipeline(self)._stream(data, args, kwargs)

    def as_completed(
        self, data: Source[In] = NO_DATA, /, *args: Any, **kwargs: Any
    ) -> AsyncStream[Out]:
        """Return the stream of results of `data` in the order in which they complete."""
        return self.with_execution_mode("as_completed")._stream(data, args, kwargs)

    def with_context(
        self,
        *,
        execution_mode: ExecutionMode = UNCHANGED,
        max_parallelism: int | None = UNCHANGED,
        max_in_flight: int | None = UNCHANGED,
        warn_of_blocking: bool = UNCHANGED,
        dead_letter: DeadLetter | None = UNCHANGED,
        max_failures: float | None = UNCHANGED,
        pipeline_id: str | None = UNCHANGED,
        data: dict[str, Any] = UNCHANGED,
        **values: Any,
    ) -> Pipeline[In, Out]:
        """Return a pipeline with these settings; what is not given stays as it is.

        Args:
            execution_mode: "ordered" or "as_completed".
            max_parallelism: how many calls may run at once in the whole run; None is no bound.
            max_in_flight: how many items may be under way in one segment; None is no bound.
            warn_of_blocking: False: no word of plain functions that hold the event loop.
            dead_letter: a function that gets a `Failure` for each item that is skipped, for the
                tasks that have none of their own.
            max_failures: how many items may be skipped in a run, or which share of them.
            pipeline_id: without effect, as each run has a new one.
            data: takes the place of the data that the tasks of a run share.
            **values: further names are added to that data.

        Raises:
            TypeError, ValueError: a setting of the wrong type or out of range, or a further name
                that is nearly that of a setting; by name.

        >>> import asyncio
        >>> from conveyor_rx import current_context, single_task
        >>> @single_task
        ... def greet(name: str) -> str:
        ...     return f"{current_context().data['word']}, {name}"
        >>> asyncio.run(greet.with_context(max_in_flight=10, word="Hello")(["Ada"]).collect())
        ['Hello, Ada']
        """
        pipeline = _as_pipeline(self)
        context = pipeline.context.replace(
            execution_mode=execution_mode,
            max_parallelism=max_parallelism,
            max_in_flight=max_in_flight,
            warn_of_blocking=warn_of_blocking,
            dead_letter=dead_letter,
            max_failures=max_failures,
            pipeline_id=pipeline_id,
            data=data,
            **values,
        )
        return Pipeline[Any, Any](context)._add(pipeline.stages)

    def with_execution_mode(self, mode: ExecutionMode) -> Pipeline[In, Out]:
        """Return a pipeline that runs in `mode`: "ordered" or "as_completed"."""
        return self.with_context(execution_mode=mode)

    # -- private

    def _connect(self, chain: Chain | Sketch) -> None:
        chain.process(self.process, name=self.task_name)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the stages and their options, in Jupyter."""
        from ._engine.graph.sketch import Sketch
        from ._picture import mimebundle

        pipeline, sketch = _as_pipeline(self), Sketch()
        pipeline._connect(sketch)
        return mimebundle(sketch.stages[1:-1], pipeline.context)  # it has ends of its own


class Pipeline(Stage[In, Out]):
    """Stages in a row, and the context of their runs.

    `a | b` gives a new pipeline, with the context of the left side if that is a pipeline, else of
    the right one. `add` extends a pipeline in place. A stream keeps the stages that the pipeline
    had when it was called. It can be pickled if its stages and its context can.

    >>> import asyncio
    >>> from conveyor_rx import batch_task, single_task
    >>> double = single_task(lambda x: x * 2)
    >>> asyncio.run((double | batch_task(max_size=2)(sum))([1, 2, 3]).collect())
    [6, 6]
    """

    def __init__(self: Pipeline[Any, Any], context: PipelineContext | None = None) -> None:
        if context is not None and not isinstance(context, PipelineContext):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise TypeError(f"context must be a PipelineContext, not {context!r}")
        self.context = context if context is not None else PipelineContext()
        self.stages: list[Stage[Any, Any]] = []
        self._last_plan: Plan | None = None  # of a call with data and no more: it serves again

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_last_plan": None}

    def __repr__(self) -> str:
        return self.task_name or "Pipeline()"

    @property
    def task_name(self) -> str:
        return " | ".join(stage.task_name for stage in self.stages)

    @overload
    def add(self, a: Operator[Out, X], /) -> Pipeline[In, X]: ...
    @overload
    def add(self, a: Operator[Out, X], b: Operator[X, Y], /) -> Pipeline[In, Y]: ...
    @overload
    def add(
        self, a: Operator[Out, X], b: Operator[X, Y], c: Operator[Y, Z], /
    ) -> Pipeline[In, Z]: ...
    @overload
    def add(
        self,
        a: Operator[Out, X],
        b: Operator[X, Y],
        c: Operator[Y, Z],
        d: Operator[Z, Any],
        /,
        *more: Operator[Any, Any],
    ) -> Pipeline[In, Any]: ...
    def add(self, *stages: Operator[Any, Any]) -> Pipeline[Any, Any]:
        """Append stages and Rx operators in place and return the pipeline itself.

        Raises:
            TypeError: something is neither; then nothing is appended.
        """
        return self._add(stages)

    async def process(self, items: AsyncIterable[In]) -> AsyncIterable[Out]:
        """Run this pipeline alone on `items` and return its outputs."""
        return self(items)

    # -- private

    _kind = "pipeline"

    def _add(self, stages: Sequence[object]) -> Pipeline[Any, Any]:
        self.stages.extend([part for stage in stages for part in self._parts(stage)])
        return self

    def _joined(self, other: Any) -> Pipeline[Any, Any]:
        """Return a new pipeline of these stages and `other`; what `|` does."""
        joined = Pipeline[Any, Any](self.context.copy())
        joined.stages = [*self.stages, *self._parts(other)]
        return joined

    def _connect(self, chain: Chain | Sketch) -> None:
        for stage in self.stages:
            stage._connect(chain)

    def _stream(self, data: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncStream[Any]:
        """Make the stream of `data`; what calling a stage does."""
        check_data(data)  # first, so that a coroutine is closed whatever else is wrong
        if data is NO_DATA or args or kwargs:
            plan = self._plan(args, kwargs, with_item=data is not NO_DATA)
        else:
            plan = self._last_plan
            if plan is None or not plan.is_of(self.stages):
                plan = self._last_plan = self._plan((), {}, with_item=True)
        return AsyncStream[Any]._planned(data, plan.with_context(self.context.copy()))

    def _plan(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, with_item: bool) -> Plan:
        """Check that the stages can run so."""
        if not self.stages and (args or kwargs or not with_item):
            raise TypeError("an empty pipeline needs data, and takes nothing else")
        first = [stage._given(args, kwargs, with_item=with_item) for stage in self.stages[:1]]
        stages = [*first, *(stage._given((), {}, with_item=True) for stage in self.stages[1:])]
        names = tuple(stage.task_name for stage in stages if stage._is_counted)
        connects = tuple(stage._connect for stage in stages)
        return Plan(tuple(self.stages), connects, names, self.context)

    def _parts(self, stage: object) -> Sequence[Stage[Any, Any]]:
        if isinstance(stage, Pipeline):
            return cast("Pipeline[Any, Any]", stage).stages
        if isinstance(stage, Stage):
            return [cast("Stage[Any, Any]", stage)]
        _check_operator(stage, self, stage)
        return [_RxStage(cast("Callable[[Any], Any]", stage))]


class _RxStage(RxOperator, Stage[Any, Any]):
    """An Rx operator as a stage."""

    async def process(self, items: AsyncIterable[Any]) -> AsyncIterable[Any]:
        return self(items)


def _check_operator(value: object, left: object, right: object) -> None:
    """Raise a TypeError unless `value`, which is no stage, is an Rx operator in `left | right`."""
    from ._parts.rx import is_operator

    if not is_operator(value):
        from ._parts.hints import no_joint

        raise TypeError(no_joint(left, right, value))


def _as_pipeline(stage: Stage[Any, Any]) -> Pipeline[Any, Any]:
    return stage if isinstance(stage, Pipeline) else Pipeline[Any, Any]().add(stage)


def _context_of(stage: object) -> PipelineContext | None:
    return cast("Pipeline[Any, Any]", stage).context.copy() if isinstance(stage, Pipeline) else None
