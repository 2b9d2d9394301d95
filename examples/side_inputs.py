"""Give a task more than its item: a value, a coroutine, a stream, or a generator to draw from.

`task.with_inputs(...)` binds what the function takes behind the item. A task that lacks something
can also be called with it: `wait_for_other(stream)` means the same. A coroutine, and the first item
of an AsyncStream, is awaited once and shared by all calls; an async generator is handed over as it
is, and calls draw from it one after the other, in the order of the items.
"""

import asyncio
from collections.abc import AsyncIterator

from conveyor_rx import single_task


@single_task
async def wait_for_other(x: int, other: AsyncIterator[int]) -> int:
    return x + await anext(other)


@single_task
async def convert(price: int, rate: int = 1) -> int:
    return price * rate


@single_task
async def half(x: int) -> int:
    return x // 2


async def tens() -> AsyncIterator[int]:
    for number in (10, 20, 30):
        await asyncio.sleep(0.01)
        yield number


async def fetch_rate() -> int:
    await asyncio.sleep(0.01)
    return 3


async def main() -> None:
    numbers = [1, 2, 3]
    # A generator to draw from: 1+10, 2+20, 3+30, written both ways
    print("called:", await wait_for_other(tens())(numbers).collect())
    print("bound:", await wait_for_other.with_inputs(tens())(numbers).collect())
    # One value for all calls
    print("value:", await convert.with_inputs(2)(numbers).collect())
    print("by name:", await convert.with_inputs(rate=2)(numbers).collect())
    print("coroutine:", await convert.with_inputs(fetch_rate())(numbers).collect())
    print("stream:", await convert.with_inputs(half([8, 9]))(numbers).collect())
    # For this run alone: what a pipeline gets behind the data goes to its first task
    pipeline = convert | half
    print("this run:", await pipeline(numbers, 4).collect())


if __name__ == "__main__":
    asyncio.run(main())
