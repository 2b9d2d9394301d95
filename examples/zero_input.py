"""Start a pipeline without data: the first task makes the items. Prints 0, 1, 4 and 9."""

import asyncio
from collections.abc import AsyncIterator

from conveyor_rx import single_task


@single_task
async def count(stop: int = 4) -> AsyncIterator[int]:
    for number in range(stop):
        await asyncio.sleep(0.01)
        yield number


@single_task
async def square(x: int) -> int:
    return x * x


async def main() -> None:
    async for number in (count | square)():
        print(number)


if __name__ == "__main__":
    asyncio.run(main())
