"""Tests in virtual time: a loop whose clock jumps, a check for leaks, and marble strings.

    run, VirtualLoop                      run asyncio code in virtual time
    assert_clean                          no task, generator, thread or unseen error is left
    exempt                                what of one's own may stay all the same
    source, timed_task                    what comes when, and what takes how long
    timeline, marbles, assert_marbles     what a stream gives, and when
    plugin                                pytest: `async def test_…` runs in virtual time

Marble strings are written as in `reactivex.testing.marbles`: each character takes one tick.

    -          a tick in which nothing happens
    1  x  10   an item: a run of other characters, at the tick of the first one
    |          the end
    #          an error
    (a,b|)     at one instant, that of the bracket; it takes a tick for each character in the text
    space      nothing, to align strings

Numbers are read as int or float; `values` maps what stands in the string to other items. Two things
are added to it: without a comma `(ab|)` is one marble for each character, and `{10}` or `{a,b}`
takes one tick whatever its length, for marbles that stand closer than their text is wide.

    async def test_doubles() -> None:
        await assert_marbles(pipeline(source("1--2-3|")), "2--4-6|")
"""

from ._exempt import exempt
from ._leaks import CleanCheck, LeakError, assert_clean
from ._loop import Deadlock, StepHook, StepLimitError, VirtualLoop
from ._notation import MarbleError
from ._record import assert_marbles, marbles, timeline
from ._run import run
from ._source import MarbleSource, source
from ._task import TimedCall, TimedTask, timed_task

__all__ = [
    "CleanCheck",
    "Deadlock",
    "LeakError",
    "MarbleError",
    "MarbleSource",
    "StepHook",
    "StepLimitError",
    "TimedCall",
    "TimedTask",
    "VirtualLoop",
    "assert_clean",
    "assert_marbles",
    "exempt",
    "marbles",
    "run",
    "source",
    "timed_task",
    "timeline",
]
