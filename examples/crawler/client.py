"""How is a document got? By one request over asyncio's streams, and errors that say what to do."""

import asyncio
import http.client
import io
import json
import time
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import NamedTuple


class Document(NamedTuple):
    """A line of the index."""

    path: str
    size: int  # bytes


class Answer(NamedTuple):
    path: str
    tokens: int  # what it has cost
    body: bytes


class RefusedError(Exception):
    """An answer with another status than 200."""

    def __init__(self, path: str, status: int, retry_after: float | None) -> None:
        super().__init__(f"{path}: status {status}")
        self.status = status
        self.retry_after = retry_after  # seconds


class Client:
    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    async def index(self, kind: str) -> list[Document]:
        _, body = await self._get(f"/{kind}")
        return [Document(path, size) for path, size in json.loads(body)]

    async def get(self, path: str) -> Answer:
        headers, body = await self._get(path)
        return Answer(path, int(headers["X-Tokens"]), body)

    async def _get(self, path: str) -> tuple[Message, bytes]:
        """Send a request and read the answer; a cancellation ends it.

        Raises:
            RefusedError: the server answers with another status than 200.
            OSError: it is not there, or has broken off.
        """
        started = time.monotonic()  # for the server's log: the tests compare it
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", f"X-Started: {started}"]
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            status_line, _, rest = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
            headers = http.client.parse_headers(io.BytesIO(rest))
            body = await reader.readexactly(int(headers["Content-Length"]))
        except asyncio.IncompleteReadError as error:
            raise ConnectionError(f"{path}: the answer breaks off") from error
        finally:
            writer.close()
        status = int(status_line.split()[1])
        if status != 200:
            raise RefusedError(path, status, seconds_of(headers["Retry-After"]))
        return headers, body


def seconds_of(retry_after: str | None) -> float | None:
    """Read a Retry-After, which is a number of seconds or a date."""
    if retry_after is None or retry_after.isdigit():
        return None if retry_after is None else float(retry_after)
    return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())


def is_passing(error: Exception) -> bool:
    """Whether another attempt may succeed. A document that isn't there won't come back."""
    if isinstance(error, RefusedError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, OSError)  # TimeoutError and ConnectionError are


def is_overload(error: Exception) -> bool:
    """Whether fewer requests at once might help."""
    return isinstance(error, TimeoutError) or getattr(error, "status", None) == 503


def asked_to_wait(error: Exception) -> float | None:
    """Tell the seconds that the server has asked for."""
    return error.retry_after if isinstance(error, RefusedError) else None
