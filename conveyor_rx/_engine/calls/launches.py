"""Which way are the calls of a function made? That depends on its kind, and on the Python."""

from __future__ import annotations

import sys

from ..._functions.calls import Call
from .caller import Launch
from .inline import TimedInline

if sys.version_info >= (3, 12):  # tasks can begin within the call that makes them
    from .in_tasks import InTasks as _InTasks
else:
    from .in_late_tasks import InLateTasks as _InTasks

__all__ = ["launch_of"]


def launch_of(call: Call) -> Launch:
    """Make what makes the calls of one stage in one run."""
    if call.policy.retry.total_timeout is not None:
        from .in_attempts import InAttempts

        return InAttempts()
    if call.is_generator and not call.is_plain:
        from .async_generators import AsyncGenerators

        return AsyncGenerators()
    if call.is_generator:
        from .generators import PlainGenerators

        return PlainGenerators()
    return _InTasks() if call.is_async else TimedInline()
