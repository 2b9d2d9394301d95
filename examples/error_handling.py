"""Decide what an error means, task by task: skip, try again, give up a batch, or ask a handler.

Without any of these the first error ends the run: what stands before it is delivered, then it is
raised as it is. Prints the results of each way, and what was counted.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from conveyor_rx import ErrorHandler, batch_task, single_task


@single_task(on_error="skip_item")
async def parse(text: str) -> int:
    return int(text)


calls = 0


@single_task(retry_attempts=3, retry_delay=0.01, retry_exponential_backoff=True)
async def unsteady(x: int) -> int:
    """Fail twice, then work; the engine waits 0.01 s, then 0.02 s."""
    global calls
    calls += 1
    if calls < 3:
        print(f"  attempt {calls} fails")
        raise ConnectionError("try again")
    return x * 100


def total_of_positives(batch: list[int]) -> int:
    if min(batch) < 0:
        raise ValueError("a negative number")
    return sum(batch)


whole_batches = batch_task(max_size=3, on_error="skip_batch")(total_of_positives)
good_items = batch_task(max_size=3, on_error="skip_item")(total_of_positives)


class OutOfStockError(Exception):
    pass


class Backorder(ErrorHandler):
    """A business rule: what is out of stock is ordered later; any other error is an error."""

    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        if isinstance(error, OutOfStockError):
            return True, f"{item} on backorder"  # go on with this value; None would drop it
        return False, None  # fail


@single_task(error_handler=Backorder())
async def reserve(article: str) -> str:
    if article == "lamp":
        raise OutOfStockError(article)
    return f"{article} reserved"


async def two_numbers_then_trouble() -> AsyncIterator[str]:
    yield "1"
    yield "2"
    raise OSError("the line is dead")


async def main() -> None:
    stream = parse(["1", "two", "3"])
    print("skip_item:", await stream.collect(), "skipped:", stream.stats[0].skipped)

    print("retry:")
    print(" ", await unsteady([7]).collect())

    numbers = [1, 2, 3, 4, -5, 6, 7, 8]
    print("skip_batch:", await whole_batches(numbers).collect())  # [4, -5, 6] is given up
    print("skip_item in a batch:", await good_items(numbers).collect())  # 4 and 6 get through

    print("handler:", await reserve(["desk", "lamp", "chair"]).collect())

    print("fail:")
    try:
        async for number in parse(two_numbers_then_trouble()):
            print(" ", number)
    except OSError as error:
        print("  raised:", error)


if __name__ == "__main__":
    asyncio.run(main())
