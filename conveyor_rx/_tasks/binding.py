"""Does a task's function fit what it will be called with: an item, and its side inputs?"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Signature
from typing import TYPE_CHECKING, Any, Self

from .._functions.calls import Call, is_async, is_async_generator, is_generator
from .._functions.signatures import check_call, fits, lacking, signature_or_none
from .._policy import Policy
from .._side_inputs.side_inputs import SideInputs

if TYPE_CHECKING:
    from ..workers import Workers

__all__ = ["Binding"]

_UNREAD: Any = False


class Binding:
    """A function with its side inputs; nothing about it changes.

    `with_item` says that calls have an item: without data there is none.
    """

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        self.inputs = SideInputs()
        self.with_item = True
        self.workers: Workers[Any] | None = None  # that make the calls
        self._signature: Any = _UNREAD
        self._fits = False  # what it has been found to be called with

    def of(self, func: Callable[..., Any]) -> Self:
        """Return the same for another function, such as a method that has got its instance."""
        binding = self._copy()
        binding.func, binding._signature = func, _UNREAD
        return binding

    def with_inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Self:
        """Return the same with these side inputs in place of others."""
        binding = self._copy()
        binding.inputs = SideInputs(args, kwargs)
        return binding

    def extended(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, with_item: bool) -> Self:
        """Return the same with `args`, if any, in place of those that are bound, and `kwargs`."""
        binding = self._copy()
        binding.inputs = self.inputs.extended(args, kwargs)
        binding.with_item = with_item
        return binding

    def lacks(self, *, with_item: bool | None = None) -> list[str]:
        """Name the parameters that need a value and have none."""
        if self._fits and with_item is None:
            return []
        return lacking(self._parameters, *self._arguments(with_item))

    def takes_as_data(self, given: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether `given` are data and side inputs by name, for side inputs they can't be."""
        first = (None, *self._states)
        if not given or not kwargs or fits(self._parameters, (*first, *given), kwargs):
            return False
        args = given[1:] or self.inputs.args
        return fits(self._parameters, (*first, *args), {**self.inputs.kwargs, **kwargs})

    def check(self) -> None:
        """Raise a TypeError unless the function can be called so; it says why not."""
        if not self._fits:
            check_call(self._parameters, *self._arguments())
            self._fits = True

    def call(self, policy: Policy, *, flatten: bool, timeout: float | None) -> Call:
        """Return it in the form in which the engine makes calls."""
        if self.workers is not None:
            return self._call_elsewhere(self.workers, policy, flatten=flatten, timeout=timeout)
        inputs, func, with_item = self.inputs, self.func, self.with_item
        generator = is_generator(func)
        asynchronous = is_async(func)
        if timeout is not None:
            from .._functions.timeouts import within

            func = within(func, timeout)
        if inputs.has_generator:
            func = inputs.in_turns(func, generator=generator)
            asynchronous = not generator

        async def prepare(run: object) -> Callable[[Any], Any]:
            return (await inputs.resolve(run)).bind(func, with_item=with_item)

        return Call(
            function=inputs.bind(func, with_item=with_item),
            is_async=asynchronous,
            is_generator=generator,
            policy=policy,
            prepare=prepare if inputs.is_pending else None,
            flatten=flatten,
            timeout=timeout,
            is_plain=not (asynchronous or is_async_generator(self.func) or inputs.has_generator),
        )

    def _call_elsewhere(
        self, workers: Workers[Any], policy: Policy, *, flatten: bool, timeout: float | None
    ) -> Call:
        from .._workers.crew import Crew  # what only those pay for who use workers
        from .._workers.orders import Setup, Work

        inputs, func, with_item, name = self.inputs, self.func, self.with_item, policy.task_name
        setup = None if workers.setup is None else Setup(workers.name, workers.setup)
        goes_alone = timeout is not None or policy.retry.total_timeout is not None
        crew = Crew(
            workers.pool,
            name,
            chunk=1 if goes_alone else workers.chunk,
            timeout=timeout,
            of_batches=policy.splits,
        )

        async def prepare(run: object) -> Callable[[Any], Any]:
            if inputs.has_generator:
                raise TypeError(
                    f"task {name!r} can't have an async generator as a side input: its calls are "
                    "made by workers, where no event loop runs"
                )
            here = await inputs.resolve(run)
            return crew.open(Work(func, here.args, here.kwargs, with_item, setup))

        return Call(
            function=crew.open,  # never called: `prepare` gives another
            is_async=True,
            is_generator=False,
            policy=policy,
            prepare=prepare,
            flatten=flatten,
            timeout=timeout,
            elsewhere=crew,
            executor=workers.title,
            usual_limit=workers.limit,
        )

    def sent(self, owner: str) -> Self:
        """Return what is pickled in place of this binding of `owner`.

        Raises:
            TypeError: its function has no name, or a side input or its executor can't leave this
                process.
        """
        from .._sending.functions import all_sent

        if self.workers is not None and self.workers.stays:
            raise TypeError(
                f"{owner} can't be pickled: it has {self.workers.stays}, which can't leave this "
                "process. Name the kind of workers instead, such as executor='processes'"
            )
        binding = self.of(all_sent({"function": self.func}, owner)["function"])
        binding.inputs = self.inputs.sent(owner)
        return binding

    def _copy(self) -> Self:
        binding = object.__new__(type(self))
        vars(binding).update(vars(self))
        binding._fits = False
        return binding

    @property
    def _parameters(self) -> Signature | None:
        """The signature of the function, read once."""
        if self._signature is _UNREAD:
            self._signature = signature_or_none(self.func)
        return self._signature

    def _arguments(self, with_item: bool | None = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        has_item = self.with_item if with_item is None else with_item
        item = (None,) if has_item else ()
        return (*item, *self._states, *self.inputs.args), self.inputs.kwargs

    @property
    def _states(self) -> tuple[None, ...]:
        """What stands for the state of a worker among the arguments, if it has one."""
        return () if self.workers is None or self.workers.setup is None else (None,)
