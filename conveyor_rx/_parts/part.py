"""What is a part of a pipeline, to the engine? What can be connected to the chain of a run."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar, Never

if TYPE_CHECKING:
    from .._engine.graph.chain import Chain
    from .._engine.graph.sketch import Sketch

__all__ = ["Part"]


class Part(abc.ABC):
    """A task, a pipeline, or a wrapped Rx operator; not for users.

    A part that is taken for a stream says what is right: `fetch.collect()`, `async for … in fetch`.
    """

    _is_counted: ClassVar[bool] = True  # in the statistics of a stream
    _kind: ClassVar[str] = "task"

    @property
    @abc.abstractmethod
    def task_name(self) -> str:
        """The name that statistics and messages use."""

    @abc.abstractmethod
    def _connect(self, chain: Chain | Sketch) -> None:
        """Add this part to the chain of a run."""

    def _given(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, with_item: bool) -> Part:
        """Return the part with extra arguments, ready to run.

        Raises:
            TypeError: it can't take them, or lacks side inputs.
        """
        if args or kwargs or not with_item:
            what = "extra arguments" if with_item else "a call without data"
            raise TypeError(f"{self!r} stands first and can't take {what}; only a task can")
        return self

    if not TYPE_CHECKING:  # type checkers are to say what they always do

        def __getattr__(self, name: str) -> Any:
            from .hints import is_of_stream

            if is_of_stream(name):
                error = AttributeError(self._no_stream(f".{name}"))
                error.name = ""  # else Python adds which other name may have been meant
                raise error
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(text, name=name, obj=self)

        def __aiter__(self) -> Never:
            raise TypeError(self._no_stream(""))

    def _no_stream(self, use: str) -> str:
        """Say what to do about a `use` that only a stream has."""
        from .hints import no_stream

        return no_stream(self.task_name, self._kind, [], use)
