"""Drop an item by returning None: prints the even squares of 1 to 6, then how many were dropped."""

import asyncio

from conveyor_rx import single_task


@single_task
async def square(x: int) -> int:
    return x * x


@single_task
async def only_even(x: int) -> int | None:
    return x if x % 2 == 0 else None


@single_task
async def label(x: int) -> str:
    return f"even: {x}"


async def main() -> None:
    stream = (square | only_even | label)(range(1, 7))
    async for line in stream:
        print(line)
    print("dropped:", stream.stats[1].dropped)


if __name__ == "__main__":
    asyncio.run(main())
