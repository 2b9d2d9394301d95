"""How are iterables read? Item by item, while the gate is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from types import GeneratorType
from typing import Any, cast

from ..line.entry import Entry
from ..run import Run
from .base import Source

__all__ = ["IterableSource"]

_END: Any = object()
_BUILT_IN: tuple[type[Iterator[Any]], ...] = (
    type(iter([])),
    type(iter(())),
    type(iter(range(0))),
    type(iter({})),
    type(iter(set[Any]())),
)
"""Iterators whose `next` runs nobody's code."""
_NEVER_FAILING = _BUILT_IN[:3]  # a dict or a set that changes meanwhile raises
BULK = 32  # items that are read from such an iterator at once: nobody can tell


class IterableSource(Source):
    """The source that reads an iterable.

    Order: the iterable's. Pressure: `next` while the gate is open. Cancellation: a generator is
    closed. One turn lasts until somebody downstream is ready, or the time is up.
    """

    kind = "iterable"

    def __init__(self, run: Run, iterable: Iterable[Any]) -> None:
        super().__init__(run)
        self._iterable: Iterable[Any] = iterable
        self._iterator: Iterator[Any] | None = None
        self._context = run.context.copy()  # what a generator sets there leaks nowhere
        self._next: Callable[[], Any] | None = None
        self._in_bulk = False
        self._items: Iterator[Any] = iter(())  # what the first segment may take by itself
        self._entry: Entry | None = None
        self._failure: BaseException | None = None
        self._is_stopped = False
        self._cut = False

    def step(self) -> None:
        if not self.is_subscribed:
            return
        run, gate = self.run, self.gate
        while (gate.size < gate.limit or self._is_stopped) and not self._cut:
            if self._entry is not None and not gate.size and (room := self._entry.room()):
                self._let_take(self._entry, room)
                if run.ready >= self.bit or run.paused or run.clock() > run.deadline:
                    run.ready |= self.bit
                    return
                continue
            try:
                value = (self._next or self._begin())()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                self.cut()
                self.fail(error)
                return
            if self._cut:  # from inside of next()
                self._close()
            elif value is _END:
                self.cut()
                self.out.on_completed()
            else:
                if self._in_bulk:
                    self._pass_on_several(value)
                else:
                    run.inputs = given = self.given  # as `emit` does, in line for speed
                    self.given = given + 1
                    self.out.on_next(value)
                if run.ready >= self.bit or run.paused or run.clock() > run.deadline:
                    run.ready |= self.bit
                    return

    def stop(self) -> None:
        if not self._cut:
            self._is_stopped = True
            self._entry = None
            self._next = self._end_early

    def cut(self) -> None:
        self._cut = True
        self._iterable, self._items = (), iter(())
        self._entry = None
        self._close()

    def _pass_on_several(self, value: Any) -> None:
        """Fill the queue of the first stage, for its tasks to take from."""
        assert self._iterator is not None
        room = self.gate.limit - self.gate.size - 1
        entry = cast("Entry", self.out)  # as `reads_ahead` says
        values = [value, *islice(self._iterator, min(BULK, room))]
        entry.enqueue(values, self.given)
        self.given += len(values)

    def _let_take(self, entry: Entry, room: int) -> None:
        """Let the first segment take up to `room` items."""
        is_over = entry.take(self._items, self, room)
        if self._failure is not None:
            error, self._failure = self._failure, None
            self.cut()
            self.fail(error)
        elif self._cut:  # from inside of next(), or of a call
            self._close()
        elif is_over:
            self.cut()
            self.out.on_completed()

    def _each(self) -> Iterator[Any]:
        """Give the items one after the other, and keep what the source fails with."""
        while not self._cut and self._next is not None:
            try:
                value = self._next()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                self._failure = error
                return
            if self._cut or value is _END:
                return
            yield value

    def _begin(self) -> Callable[[], Any]:
        """Give what gives the next item, or `_END`."""
        self._iterator = iterator = self._context.run(iter, self._iterable)
        self._items = iterator if isinstance(iterator, _NEVER_FAILING) else self._each()
        if isinstance(self.out, Entry) and self.out.reads:
            self._entry = self.out
        if isinstance(iterator, _BUILT_IN):
            self._in_bulk = self.reads_ahead
            self._next = partial(next, iterator, _END)
        else:
            self._next = partial(self._context.run, next, iterator, _END)
        if self._is_stopped:  # by `__iter__`
            self._next = self._end_early
        return self._next

    def _end_early(self) -> Any:
        """In place of the next item: close the iterator, and give the end."""
        self._close()
        return _END

    def _close(self) -> None:
        iterator = self._iterator
        if isinstance(iterator, GeneratorType):
            if iterator.gi_running:
                return  # `step` closes it when it gives control back
            self._context.run(iterator.close)
        self._iterator = self._next = None
