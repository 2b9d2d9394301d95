"""Write a stage of your own: subclass BaseTask and say in `process` what goes in and out.

A moving mean has to remember the items before, which a function of one item can't. Prints the means
of each three neighbours of 2, 4, 6, 8 and 10.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator

from conveyor_rx import BaseTask, single_task


class MovingMean(BaseTask[float, float]):
    def __init__(self, width: int) -> None:
        super().__init__(task_name=f"mean of {width}")
        self.width = width

    async def process(self, items: AsyncIterable[float]) -> AsyncIterator[float]:
        window = deque[float](maxlen=self.width)  # of this run: the task itself is shared
        async for item in items:
            window.append(item)
            if len(window) == self.width:
                yield sum(window) / self.width


@single_task
async def measure(x: int) -> float:
    await asyncio.sleep(0.01)
    return float(x)


@single_task
async def label(mean: float) -> str:
    return f"mean {mean}"


async def main() -> None:
    pipeline = measure | MovingMean(3) | label
    async for line in pipeline([2, 4, 6, 8, 10]):
        print(line)


if __name__ == "__main__":
    asyncio.run(main())
