"""Batch twice, with different sizes: readings in threes become means, means in twos a report.

Prints two reports: one of the means 2.0 and 5.0, one of the mean that is left, 7.0.
"""

import asyncio

from conveyor_rx import batch_task, single_task


@batch_task(max_size=3)
async def total(readings: list[int]) -> tuple[int, int]:
    return sum(readings), len(readings)  # a tuple is one item; a list would be two


@single_task
async def mean(summary: tuple[int, int]) -> float:
    amount, count = summary
    return amount / count


@batch_task(max_size=2)
async def report(means: list[float]) -> str:
    return f"means {means}, highest {max(means)}"


async def main() -> None:
    pipeline = total | mean | report
    async for line in pipeline([1, 2, 3, 4, 5, 6, 7]):
        print(line)


if __name__ == "__main__":
    asyncio.run(main())
