"""How are documents fetched and stored? By two pipelines that share the limits of the server."""

import asyncio
import hashlib
import re
from collections.abc import Sequence

from client import Answer, Client, Document, RefusedError, asked_to_wait, is_overload, is_passing
from storage import Row, Storage

from conveyor_rx import (
    AdaptiveLimit,
    Pipeline,
    RateLimit,
    RetryConfig,
    SingleTask,
    batch_task,
    single_task,
)

WINDOW = 20  # documents on their way, in front of the batches and behind
BATCH = 10
MAX_FAILURES = 15  # more dead letters than that in a run, and something else is wrong

RETRIES = RetryConfig(
    max_attempts=4,
    base_delay=0.05,
    retry_jitter=0.1,
    retry_on=is_passing,
    retry_after=asked_to_wait,
    total_timeout=300,  # more than a minute: a second attempt waits for tokens, too
)


def estimate(document: Document) -> float:
    """Guess the tokens, which are known when the answer is there."""
    return document.size / 4


class Limits:
    """What the server allows, whichever pipeline asks."""

    def __init__(self, requests: float, tokens: float, minute: float = 60) -> None:
        self.requests = RateLimit(requests)
        self.tokens = RateLimit(tokens, per=minute, cost=estimate)
        self.connections = AdaptiveLimit(start=8, maximum=16, slow_down_on=is_overload)


def fetching(client: Client, limits: Limits, timeout: float) -> SingleTask[Document, Answer]:
    @single_task(
        rate_limit=[limits.requests, limits.tokens],
        concurrency_limit=limits.connections,
        retry_config=RETRIES,
        timeout=timeout,
        on_error="skip_item",
    )
    async def fetch(document: Document) -> Answer:
        try:
            answer = await client.get(document.path)
        except RefusedError:
            limits.tokens.charge(-estimate(document))  # a refusal is free
            raise
        limits.tokens.charge(answer.tokens - estimate(document))
        return answer

    return fetch


@single_task(on_error="skip_item")
def read_page(answer: Answer) -> Row:
    title = re.search("<title>(.*?)</title>", answer.body.decode())
    return Row(answer.path, title[1] if title else "", answer.tokens)


@single_task(on_error="skip_item")
def read_image(answer: Answer) -> Row:
    return Row(answer.path, hashlib.sha256(answer.body).hexdigest(), answer.tokens)


class Crawl:
    """One kind of documents: its pipeline, and how far it has come."""

    def __init__(
        self,
        kind: str,
        pipeline: Pipeline[Document, Row],
        documents: Sequence[Document],
        storage: Storage,
    ) -> None:
        self.kind = kind
        self.storage = storage
        self.start = storage.position(kind)
        whole = (pipeline | self.store).with_context(
            max_in_flight=WINDOW,
            dead_letter=storage.write_letter,
            max_failures=MAX_FAILURES,
        )
        self.stream = whole(documents[self.start :])

    @property
    def position(self) -> int:
        """How many documents, from the first on, are dealt with: where to start the next time."""
        return self.start + self.stream.watermark

    @batch_task(max_size=BATCH, max_wait=0.2)
    async def store(self, rows: list[Row]) -> int:
        # The position doesn't count these rows yet: a kill may have them stored once more.
        await asyncio.to_thread(self.storage.write, rows, self.kind, self.position)
        return len(rows)

    async def run(self) -> None:
        try:
            async for count in self.stream:
                print(f"{self.kind}: {count} stored, {self.position} settled", flush=True)
        finally:  # at the end, after a drain, and after a failure
            self.storage.write([], self.kind, self.position)
