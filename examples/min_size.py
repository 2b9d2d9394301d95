"""Say what becomes of a last batch that isn't full: `min_size` is the least that is worth a call.

Of 1 to 8 in threes the rest is [7, 8]: a batch for min_size=2, dropped, counted and logged (once,
as a warning) for min_size=3. Prints the batches, what was logged, and the counts.
"""

import asyncio
import logging
import sys

from conveyor_rx import batch_task


@batch_task(min_size=2, max_size=3)
async def two_will_do(batch: list[int]) -> str:
    return f"two will do: {batch}"


@batch_task(min_size=3, max_size=3)
async def three_or_nothing(batch: list[int]) -> str:
    return f"three or nothing: {batch}"


async def main() -> None:
    for task in (two_will_do, three_or_nothing):
        stream = task(range(1, 9))
        print(*await stream.collect(), sep="\n")
        print("dropped:", stream.stats[0].dropped)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s from %(name)s: %(message)s")
    asyncio.run(main())
