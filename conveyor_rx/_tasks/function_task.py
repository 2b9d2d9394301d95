"""How does a function become a stage? With its options, its side inputs and what it belongs to."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from .._dead_letters import DeadLetter
from .._engine.sources import NO_DATA
from .._functions.calls import Call, check_one_output, check_plain, name_of
from .._functions.signatures import check_function, unwrap
from .._options import CallOptions
from .._policy import Policy
from ..context import get_current_context
from ..pipeline import Pipeline, Stage
from ..stream import AsyncStream, Source
from .binding import Binding
from .pickled_task import PickledTask

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .._limits.concurrency import Limit
    from .._limits.rate import RateLimit
    from ..workers import WorkerKind, Workers

__all__ = ["FunctionTask"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class FunctionTask(PickledTask[In, Out], Generic[In, Out]):
    """What single and batch tasks share: a function, its side inputs, its options."""

    _options: CallOptions
    _splits = False  # whether `skip_item` halves what failed

    def __init__(self, func: Callable[..., Any], options: CallOptions) -> None:
        func, descriptor = unwrap(func)
        check_function(func)
        if isinstance(func, Stage):
            raise TypeError(f"{func!r} is a task already")
        if not options.flatten:
            check_one_output(func)
        workers = None
        if options.executor is not None:
            from ..workers import workers_of

            workers = workers_of(options.executor)
            check_plain(func)
        elif options.timeout is not None:
            from .._functions.timeouts import check_timeout

            check_timeout(func)
        self._options = options.replace(task_name=options.task_name or name_of(func))
        limit = options.limit
        if workers is None and limit is not None and limit > 1:
            from .plain_limits import warn_of_limit

            warn_of_limit(func, limit, self.task_name)
        self._binding = Binding(func)
        self._binding.workers = workers
        self._descriptor = descriptor
        self._owner = ""  # the class in which it is a method
        self._bound_by_call: list[str] = []  # what the call that made this task has bound
        self._take_names(func)
        if getattr(descriptor or func, "__isabstractmethod__", False):
            self.__isabstractmethod__ = True

    @property
    def func(self) -> Callable[..., Any]:
        """The function; for a method of an instance, bound to it."""
        return self._binding.func

    @property
    def concurrency_limit(self) -> int | Limit | None:
        """How many calls may run at once; None: as many as the window holds items."""
        options = self._options
        return options.concurrency_limit if options.limit is None else options.limit

    @property
    def rate_limit(self) -> RateLimit[Any] | Sequence[RateLimit[Any]] | None:
        """How much may start in which time; None: no limit."""
        return self._options.rate_limit

    @property
    def timeout(self) -> float | None:
        """How many seconds an attempt may take; None: as long as it likes."""
        return self._options.timeout

    @property
    def dead_letter(self) -> DeadLetter | None:
        """Who gets the items that are skipped; None: who the context of the run names, if any."""
        return self._options.dead_letter

    @property
    def max_failures(self) -> float | None:
        """How many items may be skipped in a run, or which share; None: any number."""
        return self._options.max_failures

    @property
    def executor(self) -> WorkerKind | Executor | Workers[Any] | None:
        """Where its calls are made; None: on the event loop."""
        return self._options.executor

    @property
    def flatten(self) -> bool:
        """Whether a list or generator that the function returns stands for many outputs."""
        return self._options.flatten

    def __set_name__(self, owner: type[Any], name: str, /) -> None:
        self._owner = owner.__qualname__

    def __get__(self, instance: Any, owner: type[Any] | None = None, /) -> Any:
        function: Any = self.func if self._descriptor is None else self._descriptor
        bind = getattr(function, "__get__", None)
        if bind is None or inspect.ismethod(function):
            return self
        if instance is None and self._descriptor is None:
            return self
        bound = self._copy(self._binding.of(bind(instance, owner)))
        bound._descriptor = None
        return bound

    def __call__(
        self, data: Source[In] = NO_DATA, /, *args: Any, **kwargs: Any
    ) -> AsyncStream[Out]:
        """Return the stream of results of `data`; a task that lacks side inputs is bound instead.

        That binding is `with_inputs` and gives a task; its type is `UnboundTask`'s affair. Where
        the arguments can't be side inputs, and can be data and side inputs by name, they are those.
        """
        if issubclass(type(data), type):
            self._check_not_class_method(cast("type[Any]", data))
        if (data is not NO_DATA or kwargs) and self._binding.lacks():
            self._check_not_through_class()
            given = (data, *args) if data is not NO_DATA else ()
            if not self._binding.takes_as_data(given, kwargs):
                bound = self._with_inputs(given, kwargs)
                bound._bound_by_call = self._binding.lacks()
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
        return self._with_inputs(args, kwargs)

    async def process(self, items: AsyncIterable[In]) -> AsyncIterable[Out]:
        """Run this stage alone on `items`, in the current context, and return its outputs."""
        context = get_current_context()
        return Pipeline[Any, Any](context.copy() if context else None).add(self)(items)

    # -- for the engine

    def _given(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, with_item: bool
    ) -> Stage[Any, Any]:
        binding = self._binding
        if args or kwargs or not with_item:
            binding = binding.extended(args, kwargs, with_item=with_item)
        if lacks := binding.lacks():
            self._check_not_through_class()
            from .._parts.hints import no_inputs, no_item

            if not with_item and not binding.lacks(with_item=True):
                raise TypeError(no_item(self.task_name, lacks[0], kwargs))
            raise TypeError(no_inputs(self.task_name, lacks))
        ready = self if binding is self._binding else self._copy(binding)
        return ready._checked()

    def _call(self) -> Call:
        call = self._made_call
        if call is None:
            call = self._make_call()
            if self._binding.workers is None:  # which would be those of one run
                self._made_call = call
        return call

    def _make_call(self) -> Call:
        options = self._options
        policy = Policy(
            task_name=self.task_name,
            on_error=options.on_error,
            retry=options.retries,
            handler=options.error_handler,
            splits=self._splits,
            dead_letter=options.dead_letter,
            max_failures=options.max_failures,
        )
        call = self._binding.call(policy, flatten=options.flatten, timeout=options.timeout)
        return call.replace(limits=options.limits) if options.limits else call

    # -- private

    @property
    def _limit(self) -> int | None:
        """How many calls there may be at once; workers have a number of their own."""
        workers, limit = self._binding.workers, self._options.limit
        if workers is None or self._options.concurrency_limit is not None:
            return limit
        return workers.limit

    def _at_once(self) -> str:
        from .at_once import at_once

        return at_once(self.func, self._limit, self._binding.workers, self._options.limits)

    def _with_inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        return self._copy(self._binding.with_inputs(args, kwargs))._checked()

    def _check_not_class_method(self, owner: type[Any]) -> None:
        from .._parts.hints import below_class_method, class_method_of

        if name := class_method_of(owner, self):
            raise TypeError(below_class_method(name))

    def _check_not_through_class(self) -> None:
        from .._parts.hints import not_through_class

        text = not_through_class(self.func, self.task_name, self._owner)
        if text and self._descriptor is None:
            raise TypeError(text)

    def _no_stream(self, use: str) -> str:
        from .._parts.hints import no_stream

        return no_stream(self.task_name, "task", self._bound_by_call, use)

    def _checked(self) -> Self:
        try:
            self._binding.check()
        except TypeError as error:
            self._check_not_through_class()
            from .._parts.hints import no_call

            text = no_call(self.task_name, error, with_item=self._binding.with_item)
            raise TypeError(text) from None
        return self
