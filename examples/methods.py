"""Use methods as tasks: each instance brings its own state to a pipeline.

Prints the same two amounts as one shop and then another one would bill them.
"""

import asyncio

from conveyor_rx import batch_task, single_task


class Shop:
    def __init__(self, name: str, tax: float) -> None:
        self.name = name
        self.tax = tax
        self.invoices = 0

    @single_task
    async def with_tax(self, amount: float) -> float:
        await asyncio.sleep(0.01)
        return amount * (1 + self.tax)

    @batch_task(max_size=2)
    async def invoice(self, amounts: list[float]) -> str:
        self.invoices += 1
        return f"{self.name}, invoice {self.invoices}: {sum(amounts):.2f}"


async def main() -> None:
    for shop in (Shop("Corner", tax=0.1), Shop("Market", tax=0.2)):
        billing = shop.with_tax | shop.invoice
        async for line in billing([10.0, 20.0, 30.0]):
            print(line)


if __name__ == "__main__":
    asyncio.run(main())
