"""The fluent methods of a stream: the stub says what reactivex says, and what is so at run time."""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import MagicMock

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream
from tests.typing.fluent import STUB, methods, stub

# What isn't to be made up: it is looked at when the operator is applied.
ARGUMENTS: dict[str, Any] = {
    "count": 2,
    "index": 0,
    "time": 1.0,
    "duration": 1.0,
    "duetime": 1.0,
    "timespan": 1.0,
    "window_duration": 1.0,
    "start_time": 1.0,
    "end_time": 1.0,
    "interval": 1.0,
    "key": "key",
    "attr": "real",
}


def test_the_stub_is_that_of_reactivex() -> None:
    """Issue 13.34: after a change of reactivex's signatures run `python -m tests.typing.fluent`."""
    assert STUB.read_text(encoding="utf-8") == stub()


@pytest.mark.parametrize("name", methods())
def test_what_is_typed_as_a_stream_is_one(name: str) -> None:
    """Section 2: the fluent methods give an AsyncStream again; nothing runs for it."""
    method = getattr(AsyncStream([1]), name)
    needed = [
        ARGUMENTS.get(parameter.name, rx.empty())
        if parameter.name in ARGUMENTS or "Observable" in str(parameter.annotation)
        else MagicMock(return_value=rx.empty())
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    ]
    # without a mapper they are connectable
    others = {"mapper": rx.empty} if name in ("publish", "publish_value", "replay") else {}
    assert type(method(*needed, **others)) is AsyncStream
