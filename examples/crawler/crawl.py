"""Crawl a server's pages and images, each kind in a pipeline, both under one set of limits.

    python examples/crawler/server.py    # in one terminal
    python examples/crawler/crawl.py     # in another one; again, to go on where it was stopped

Ctrl-C and SIGTERM have it finish what is on its way. README.md says what else to try.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from client import Client
from pipelines import Crawl, Limits, fetching, read_image, read_page
from storage import Storage

SHUTDOWN = 8  # seconds; Docker kills after 10


def drain_on_signals(crawls: list[Crawl]) -> None:
    def drain() -> None:
        print("finishing what is on its way", flush=True)
        for each in crawls:
            each.stream.drain(SHUTDOWN)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)


def report(crawls: list[Crawl], storage: Storage) -> None:
    for each in crawls:
        print(f"\n{each.kind}, from {each.start} to {each.position}:\n{each.stream.stats}")
    count, more = storage.counts()
    print(f"\n{count} documents stored, {more} of them once more; dead letters: {storage.letters}")


async def crawl(options: argparse.Namespace) -> None:
    client = Client(options.host, options.port)
    limits = Limits(options.requests, options.tokens, options.minute)
    storage = Storage(options.folder)
    page = fetching(client, limits, options.timeout) | read_page
    image = fetching(client, limits, options.timeout) | read_image
    crawls = [
        Crawl("pages", page, await client.index("pages"), storage),
        Crawl("images", image, await client.index("images"), storage),
    ]
    drain_on_signals(crawls)
    try:
        async with asyncio.TaskGroup() as group:  # if one fails, the other one is closed
            for each in crawls:
                group.create_task(each.run())
    finally:
        report(crawls, storage)


def main() -> None:
    parser = argparse.ArgumentParser(description="Crawl the documents of server.py.")
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8765)
    add("--folder", type=Path, default="crawled", help="where to store, and to go on")
    add("--requests", type=float, default=50, help="at most, in any second")
    add("--tokens", type=float, default=30_000, help="at most, in any minute")
    add("--minute", type=float, default=3, help="its seconds: few, so that you need not wait")
    add("--timeout", type=float, default=1, help="seconds for an answer")
    options = parser.parse_args()
    try:
        asyncio.run(crawl(options))
    except ConnectionRefusedError:
        sys.exit(f"no server at {options.host}:{options.port}: start server.py first")


if __name__ == "__main__":
    main()
