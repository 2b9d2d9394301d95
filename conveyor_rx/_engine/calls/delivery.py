"""How are the outputs of a list or a generator passed on? As far as there is room for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, closing
from itertools import repeat
from types import AsyncGeneratorType, GeneratorType
from typing import Any, cast

from ..._functions.calls import is_short
from ..._inputs import Inputs, iter_each
from ..place import Place
from .caller import Caller, Part
from .parking import room

__all__ = ["Delivery"]


class Delivery:
    """What one call passes on; `has_begun` says that its attempt has put out something."""

    __slots__ = ("_place", "_stage", "has_begun")

    def __init__(self, stage: Caller, place: Place, *, has_begun: bool) -> None:
        self._stage = stage
        self._place = place
        self.has_begun = has_begun

    async def all_of(self, result: Any, part: Part) -> None:
        """Pass on what a call for `part` gave: a list, a generator or an async generator.

        Raises:
            asyncio.CancelledError: the place is gone.
        """
        is_list = issubclass(type(result), list)
        each = iter_each(part.inputs, part.size, result) if is_list else None
        inputs = repeat(part.inputs) if each is None else each
        if is_short(result, part.size):
            for value in cast("list[Any]", result):
                self._stage.emit(self._place, value, next(inputs))
        # An async generator around all three would cost as much as a call.
        elif issubclass(type(result), AsyncGeneratorType):
            async with aclosing(cast("AsyncGenerator[Any]", result)) as values:
                async for value in values:
                    await self._put_out(value, inputs, part.size)
        elif issubclass(type(result), GeneratorType):
            with closing(cast("Generator[Any]", result)) as values:
                for value in values:
                    await self._put_out(value, inputs, part.size)
        else:
            for value in cast("list[Any]", result):
                await self._put_out(value, inputs, part.size)

    async def _put_out(self, value: Any, inputs: Iterator[Inputs], size: int) -> None:
        """Pass on one output, of `size` items, when there is room.

        A generator works no further meanwhile.
        """
        stage, place, run = self._stage, self._place, self._stage.run
        if not stage.line.has_room(place):
            await room(stage, place, size)
        if place.dead:
            raise asyncio.CancelledError
        self.has_begun = True
        run.emitting.add(place.task)
        try:
            stage.emit(place, value, next(inputs, None))
            run.drain()
        finally:
            run.emitting.discard(place.task)
        if run.pace.is_late():
            await run.pace.turn()
        if place.dead:
            raise asyncio.CancelledError
