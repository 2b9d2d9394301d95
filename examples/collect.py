"""Wait for all results at once: prints them in order, then in the order in which they completed."""

import asyncio

from conveyor_rx import single_task


@single_task
async def square(x: int) -> int:
    await asyncio.sleep(0.2 / x)  # the larger the faster
    return x * x


async def main() -> None:
    print(await square([1, 2, 3, 4]).collect())  # [1, 4, 9, 16]
    print(await square.as_completed([1, 2, 3, 4]).collect())  # [16, 9, 4, 1]


if __name__ == "__main__":
    asyncio.run(main())
