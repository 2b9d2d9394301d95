"""Double each number, sum them three at a time, add ten: 1 to 7 print 22, 40 and 24."""

import asyncio

from conveyor_rx import batch_task, single_task


@single_task
async def multiply_by_two(x: int) -> int:
    await asyncio.sleep(0.01)  # stands for a request, a query, a read…
    return x * 2


@batch_task(max_size=3)
async def sum_batch(batch: list[int]) -> int:
    await asyncio.sleep(0.02)
    return sum(batch)


@single_task
async def add_ten(x: int) -> int:
    await asyncio.sleep(0.01)
    return x + 10


async def main() -> None:
    pipeline = multiply_by_two | sum_batch | add_ten
    async for result in pipeline([1, 2, 3, 4, 5, 6, 7]):
        print(result)


if __name__ == "__main__":
    asyncio.run(main())
