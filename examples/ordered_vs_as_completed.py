"""Take eight jobs, one of them slow, in the order of the jobs and in the order of completion.

Prints when each result came, in seconds from the start. In order the first five come after 0.1 to
0.5 s, and the last three together after 2.0 s: two were ready, and stood behind the slow one. As
completed each comes when it is ready, the slow one last.
"""

import asyncio
from collections.abc import AsyncIterable

from conveyor_rx import single_task

SECONDS = [0.1, 0.2, 0.3, 0.4, 0.5, 2.0, 0.7, 0.8]


@single_task
async def work(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def show(title: str, stream: AsyncIterable[float]) -> None:
    clock = asyncio.get_running_loop().time
    start = clock()
    print(title)
    async for seconds in stream:
        print(f"  at {clock() - start:.1f} s: the job of {seconds} s")


async def main() -> None:
    await show("ordered", work(SECONDS))
    await show("as completed", work.as_completed(SECONDS))


if __name__ == "__main__":
    asyncio.run(main())
