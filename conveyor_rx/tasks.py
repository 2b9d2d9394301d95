"""What is a task? A function of items or of batches as a stage, or a `process` of one's own."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from inspect import Signature
from typing import Any, Generic, Never, Self, SupportsIndex, TypeVar, cast, overload

from ._calls import Call, is_async, is_generator, name_of
from ._hints import (
    below_class_method,
    class_method_of,
    is_below_class_method,
    is_method_of_class,
    no_item,
    no_stream,
    through_class,
)
from ._pickling import check_pickling
from ._plain_limits import one_at_a_time, warn_of_limit
from ._side_inputs import SideInputs
from ._signatures import (
    check_call,
    check_function,
    fits,
    lacking,
    signature_or_none,
    unwrap,
)
from ._source import NO_DATA
from .context import PipelineContext, calls_at_once, get_current_context
from .error_handling import (
    ErrorAction,
    ErrorHandler,
    Policy,
    RetryConfig,
    check_count,
    check_flag,
)
from .operators._chain import Chain
from .operators._sketch import Sketch
from .pipeline import Pipeline, Stage
from .stream import AsyncStream, Source

__all__ = ["BaseTask", "BatchTask", "SingleTask"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
T = TypeVar("T")
Owner = TypeVar("Owner")  # the class that a method belongs to
_UNREAD: Any = False


class BaseTask(Stage[In, Out]):
    """A stage with a name and error options; subclass it and override `process` for your own.

    `process` gets the items as an async iterable and gives its outputs as another; it is a
    coroutine function that returns one, or an async generator function. The engine pulls from it at
    the consumer's pace, gives it items at its own, and closes it. Order and errors are its own.

    >>> import asyncio
    >>> class Pairs(BaseTask):
    ...     async def process(self, items):
    ...         last = None
    ...         async for item in items:
    ...             yield (last, item)
    ...             last = item
    >>> asyncio.run(Pairs()([1, 2]).collect())
    [(None, 1), (1, 2)]
    """

    _policy = Policy("")  # so that a subclass need not call __init__

    def __init__(
        self,
        *,
        on_error: ErrorAction = "fail",
        retry_config: RetryConfig | None = None,
        error_handler: ErrorHandler | None = None,
        task_name: str | None = None,
    ) -> None:
        if task_name is not None and not isinstance(task_name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise TypeError(f"task_name must be a str, not {task_name!r}")
        self._policy = Policy(
            task_name or "",
            on_error,
            RetryConfig(max_attempts=1) if retry_config is None else retry_config,
            error_handler,
            splits=isinstance(self, BatchTask),
        )

    def __repr__(self) -> str:
        return self.task_name

    @property
    def task_name(self) -> str:
        return self._policy.task_name or type(self).__name__

    @property
    def on_error(self) -> ErrorAction:
        """What becomes of an item that fails for good."""
        return self._policy.on_error

    @property
    def retry_config(self) -> RetryConfig:
        """How often a call is tried."""
        return self._policy.retry

    @property
    def error_handler(self) -> ErrorHandler | None:
        """Who is asked before `on_error`."""
        return self._policy.handler

    def process(
        self, items: AsyncIterable[In]
    ) -> AsyncIterable[Out] | Awaitable[AsyncIterable[Out]]:
        """Give the outputs of this stage for `items`; `await` what it returns, for any task."""
        raise NotImplementedError(f"{type(self).__name__} must override process")

    def get_context(self) -> PipelineContext | None:
        """Return the context of the run in which this code is called; None outside of any run."""
        return get_current_context()

    def connect(self, chain: Chain | Sketch) -> None:
        chain.process(self.process, name=self.task_name)


class _FunctionTask(BaseTask[In, Out], Generic[In, Out]):
    """What single and batch tasks share: a function, its side inputs, its concurrency."""

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        on_error: ErrorAction,
        retry_config: RetryConfig | None,
        error_handler: ErrorHandler | None,
        task_name: str | None,
        concurrency_limit: int | None,
        flatten: bool,
    ) -> None:
        func, descriptor = unwrap(func)
        check_function(func)
        if isinstance(func, Stage):
            raise TypeError(f"{func!r} is a task already")
        check_count("concurrency_limit", concurrency_limit, optional=True)
        check_flag("flatten", flatten)
        if not flatten and is_generator(func):
            raise ValueError(
                f"flatten=False doesn't fit {name_of(func)!r}: what a generator function yields is "
                "one output each; return a list for one output"
            )
        super().__init__(
            on_error=on_error,
            retry_config=retry_config,
            error_handler=error_handler,
            task_name=task_name or name_of(func),
        )
        warn_of_limit(func, concurrency_limit, self.task_name)
        self._func = func
        self._descriptor = descriptor
        self._concurrency_limit = concurrency_limit
        self._flatten = flatten
        self._inputs = SideInputs()
        self._with_item = True
        self._signature: Any = _UNREAD
        self._owner = ""  # the class in which it is a method
        self._bound_by_call: list[str] = []  # what the call that made this task has bound
        self.__doc__ = func.__doc__
        self.__name__ = self.task_name
        self.__wrapped__ = func
        if getattr(descriptor or func, "__isabstractmethod__", False):
            self.__isabstractmethod__ = True

    @property
    def func(self) -> Callable[..., Any]:
        """The function; for a method of an instance, bound to it."""
        return self._func

    @property
    def concurrency_limit(self) -> int | None:
        """How many calls may run at once; None: as many as the window holds items."""
        return self._concurrency_limit

    @property
    def flatten(self) -> bool:
        """Whether a list or generator that the function returns stands for many outputs."""
        return self._flatten

    def __set_name__(self, owner: type[Any], name: str, /) -> None:
        self._owner = owner.__qualname__

    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> Any:
        function: Any = self._func if self._descriptor is None else self._descriptor
        bind = getattr(function, "__get__", None)
        if bind is None or inspect.ismethod(function):
            return self
        if instance is None and self._descriptor is None:
            return self
        bound = self._copy(func=bind(instance, owner))
        bound._descriptor = None
        return bound

    def __call__(
        self, data: Source[In] = NO_DATA, /, *args: Any, **kwargs: Any
    ) -> AsyncStream[Out]:
        """Return the stream of results of `data`; a task that lacks side inputs is bound instead.

        That binding is `with_inputs` and gives a task; its type is `UnboundTask`'s affair. Where
        the arguments can't be side inputs, and can be data and side inputs by name, they are those.
        """
        is_class = issubclass(type(data), type)
        if is_class and (name := class_method_of(cast("type[Any]", data), self)):
            raise TypeError(below_class_method(name))
        if (data is not NO_DATA or kwargs) and self._lacks():
            self._check_not_through_class()
            given = (data, *args) if data is not NO_DATA else ()
            if not self._takes_as_data(given, kwargs):
                bound = self.with_inputs(*given, **kwargs)
                bound._bound_by_call = self._lacks()
                return cast("AsyncStream[Out]", bound)
        return super().__call__(data, *args, **kwargs)

    def with_inputs(self, *args: Any, **kwargs: Any) -> Self:
        """Return a new task whose function gets these side inputs behind the item.

        A value is passed as it is. A coroutine, a future or an AsyncStream (its first item) is
        resolved once, before the first call, and shared by all calls and runs of the new task, on
        any loop and in any thread. A coroutine function that needs no argument is called once in
        each run; to pass such a function itself, wrap it: `lambda: function()`. An async generator
        is shared by the calls; their `anext` take turns in input order.

        Raises:
            TypeError: they don't fit the function's signature.
        """
        bound = self._copy(inputs=SideInputs(args, kwargs))
        bound._check_signature()
        return bound

    def given(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, with_item: bool
    ) -> Stage[Any, Any]:
        if args or kwargs or not with_item:
            ready = self._copy(inputs=self._inputs.extended(args, kwargs))
            ready._with_item = with_item
        else:
            ready = self
        if lacks := ready._lacks():
            self._check_not_through_class()
            ready._with_item = True
            if not with_item and not ready._lacks():
                raise TypeError(no_item(self.task_name, lacks[0], kwargs))
            names = ", ".join(map(repr, lacks))
            raise TypeError(
                f"task {self.task_name!r} lacks side inputs: {names}; "
                f"bind them with {self.task_name}.with_inputs(...)"
            )
        ready._check_signature()
        return ready

    async def process(self, items: AsyncIterable[In]) -> AsyncIterable[Out]:
        """Run this stage alone on `items`, in the current context, and return its outputs."""
        context = get_current_context()
        return Pipeline[Any, Any](context.copy() if context else None).add(self)(items)

    # -- private

    def __copy__(self) -> Self:
        return self._copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing about it changes

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        check_pickling(self.task_name, self._func)
        return super().__reduce_ex__(protocol)

    def _at_once(self) -> str:
        limit = 1 if one_at_a_time(self._func) else self._concurrency_limit
        return calls_at_once(PipelineContext(), limit)

    def _copy(self, *, func: Any = None, inputs: SideInputs | None = None) -> Self:
        task = object.__new__(type(self))
        vars(task).update(vars(self))
        if func is not None:
            task._func, task._signature = func, _UNREAD
        task._inputs = self._inputs if inputs is None else inputs
        task._bound_by_call = []
        return task

    @property
    def _parameters(self) -> Signature | None:
        """The signature of the function, read once."""
        if self._signature is _UNREAD:
            self._signature = signature_or_none(self._func)
        return self._signature

    def _takes_as_data(self, given: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether `given` are data and side inputs by name, for side inputs they can't be."""
        if not given or not kwargs or fits(self._parameters, (None, *given), kwargs):
            return False
        args = given[1:] or self._inputs.args
        return fits(self._parameters, (None, *args), {**self._inputs.kwargs, **kwargs})

    def _check_not_through_class(self) -> None:
        if self._owner and self._descriptor is None and is_method_of_class(self._func):
            raise TypeError(through_class(self.task_name, self._owner))
        if not self._owner and self._descriptor is None and is_below_class_method(self._func):
            raise TypeError(below_class_method(self._func.__qualname__))

    def _no_stream(self, use: str) -> str:
        return no_stream(self.task_name, "task", self._bound_by_call, use)

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        item = (None,) if self._with_item else ()
        return (*item, *self._inputs.args), self._inputs.kwargs

    def _lacks(self) -> list[str]:
        return lacking(self._parameters, *self._arguments())

    def _check_signature(self) -> None:
        try:
            check_call(self._parameters, *self._arguments())
        except TypeError as error:
            self._check_not_through_class()
            item = "an item" if self._with_item else "no item"
            raise TypeError(
                f"task {self.task_name!r} can't be called with {item} and its side inputs: {error}"
            ) from None

    def _call(self) -> Call:
        inputs, func, with_item = self._inputs, self._func, self._with_item
        generator = is_generator(func)
        asynchronous = is_async(func)
        if inputs.has_generator:
            func = inputs.in_turns(func, generator=generator)
            asynchronous = not generator

        async def prepare(run: object) -> Callable[[Any], Any]:
            return (await inputs.resolve(run)).bind(func, with_item=with_item)

        return Call(
            function=inputs.bind(func, with_item=with_item),
            is_async=asynchronous,
            is_generator=generator,
            policy=self._policy,
            prepare=prepare if inputs.is_pending else None,
            flatten=self._flatten,
        )


class SingleTask(_FunctionTask[In, Out]):
    """A function of one item, as a stage; usually made by `@single_task`.

    Order: results in input order, or as completed; with `concurrency_limit=1`, a generator function
    or a stream as side input, calls start in input order. Errors: retries, then the handler, then
    `on_error`. Cancellation: calls are cancelled and awaited. Pressure: at most
    `concurrency_limit` calls at once, at most `max_in_flight` items from here to the next point
    where order is restored.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        on_error: ErrorAction = "fail",
        retry_config: RetryConfig | None = None,
        error_handler: ErrorHandler | None = None,
        task_name: str | None = None,
        concurrency_limit: int | None = None,
        flatten: bool = True,
    ) -> None:
        super().__init__(
            func,
            on_error=on_error,
            retry_config=retry_config,
            error_handler=error_handler,
            task_name=task_name,
            concurrency_limit=concurrency_limit,
            flatten=flatten,
        )

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

    def __repr__(self) -> str:
        return f"<single_task {self.task_name}: {self._at_once()}>"

    def connect(self, chain: Chain | Sketch) -> None:
        call = self._call()
        limit = self._concurrency_limit
        in_order = limit == 1 or call.is_generator or self._inputs.has_generator
        chain.call(call, name=self.task_name, limit=limit, in_order=in_order)


class BatchTask(_FunctionTask[In, Out]):
    """A function of a list of items, as a stage; usually made by `@batch_task`.

    Order: batches are of consecutive items and start in order. Errors: as for a single task;
    `skip_item` halves a failing batch until the failing items stand alone. Cancellation and
    pressure: as for a single task; the window counts the items of the batches.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        min_size: int = 1,
        max_size: int | None = None,
        *,
        on_error: ErrorAction = "fail",
        retry_config: RetryConfig | None = None,
        error_handler: ErrorHandler | None = None,
        task_name: str | None = None,
        concurrency_limit: int | None = None,
        flatten: bool = True,
    ) -> None:
        check_count("min_size", min_size)
        check_count("max_size", max_size, optional=True)
        if max_size is not None and max_size < min_size:
            raise ValueError(f"max_size must be at least min_size={min_size}, not {max_size}")
        super().__init__(
            func,
            on_error=on_error,
            retry_config=retry_config,
            error_handler=error_handler,
            task_name=task_name,
            concurrency_limit=1 if concurrency_limit is None else concurrency_limit,
            flatten=flatten,
        )
        self._min_size = min_size
        self._max_size = max_size or min_size

    @property
    def min_size(self) -> int:
        """The least size of the last batch; a smaller rest is dropped."""
        return self._min_size

    @property
    def max_size(self) -> int:
        """The size of a full batch."""
        return self._max_size

    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> Self:
        return super().__get__(instance, owner)

    def __repr__(self) -> str:
        return f"<batch_task {self.task_name}: {self._max_size:,} a batch, {self._at_once()}>"

    def connect(self, chain: Chain | Sketch) -> None:
        chain.batch(
            self._call(),
            name=self.task_name,
            limit=self._concurrency_limit,
            min_size=self._min_size if self._with_item else 1,
            max_size=self._max_size if self._with_item else 1,
        )
