"""Mix tasks with reactivex: operators in the chain, pipelines in `pipe`, Observables as data.

Prints the result of each way, and how little of an endless source was read for three results.
"""

import asyncio
from collections.abc import Iterator

import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import AsyncStream, single_task


@single_task
async def double(x: int) -> int:
    await asyncio.sleep(0.01)
    return x * 2


@single_task
async def label(x: int) -> str:
    return f"<{x}>"


def add_one(x: int) -> int:
    return x + 1


def is_multiple_of_three(x: int) -> bool:
    return x % 3 == 0


class Endless:
    """The numbers from 0 on, and how many of them were asked for."""

    read = 0

    def __iter__(self) -> Iterator[int]:
        while True:
            self.read += 1
            yield self.read - 1


async def main() -> None:
    chain = double | ops.filter(is_multiple_of_three) | label
    print("operator in the chain:", await chain([1, 2, 3, 4, 5, 6]).collect())
    print("Observable as data:", await chain(rx.range(1, 7)).collect())

    observable = rx.of(1, 2, 3).pipe(ops.map(add_one), double | label, ops.take(2))
    print("pipeline as operator:", await AsyncStream(observable).collect())

    # A stream is an Observable, and what its methods give is a stream again. reactivex has them
    # typed as Observable; AsyncStream(...) is there for type checkers only.
    endless = Endless()
    threes = double.with_context(max_in_flight=10)(endless).filter(is_multiple_of_three).take(3)
    print("methods of a stream:", await AsyncStream(threes).collect())
    print("read at most 20 of its numbers:", endless.read <= 20)


if __name__ == "__main__":
    asyncio.run(main())
