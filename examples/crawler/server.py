"""What does the crawler crawl? A local HTTP server that refuses, fails, hangs and breaks off.

It serves pages and images, and for each kind an index: `[[path, bytes], ...]`, always in the same
order. It has the troubles of real ones, always with the same documents: see `TROUBLE`. Each answer
but those of the index is a line in the file that `--log` names.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TextIO

ALWAYS = 10**9
TROUBLE = {  # by document number modulo 40: what goes wrong, and for how many of its requests
    3: ("503", 1),
    7: ("slow", 1),
    11: ("cut short", 1),
    13: ("404", ALWAYS),
    33: ("cut short", ALWAYS),
}
SLOW = 5.0  # seconds
REFUSE_FOR = 1  # seconds: to everybody, see --refuse-every


def size_of(kind: str, number: int) -> int:
    """Bytes of a document."""
    return 400 + number * 37 % 800 if kind == "pages" else 1200 + number * 111 % 1600


def tokens_of(kind: str, number: int) -> int:
    """Say what it costs: a token for 4 bytes, give or take a tenth, which nobody foresees."""
    return size_of(kind, number) * (90 + number * 7 % 21) // 400


def body_of(kind: str, number: int) -> bytes:
    start = f"<title>Page {number}</title>" if kind == "pages" else f"IMG{number}"
    return start.ljust(size_of(kind, number)).encode()


class Server:
    def __init__(
        self, counts: dict[str, int], refuse_every: int, log: Callable[[dict[str, Any]], None]
    ) -> None:
        self.counts = counts
        self.refuse_every = refuse_every
        self.log = log
        self.requests = 0
        self.asked: Counter[str] = Counter()  # how often, for each path
        self.refuses_until = 0.0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            arrived = time.monotonic()
            path = head[0].split()[1]
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            if path.strip("/") in self.counts:
                writer.write(answer_of(200, self.index(path.strip("/"))))
            else:
                status, body, more = self.document(path, arrived)
                started = float(headers.get("x-started", arrived))
                line = {"path": path, "started": started, "arrived": arrived, "status": status}
                self.log(line | more)
                await asyncio.sleep(more.get("slow", 0))
                whole = answer_of(status, body, more)
                writer.write(whole[: len(whole) // 2] if more.get("cut_short") else whole)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    def index(self, kind: str) -> bytes:
        numbers = range(self.counts[kind])
        return json.dumps([(f"/{kind}/{n}", size_of(kind, n)) for n in numbers]).encode()

    def document(self, path: str, now: float) -> tuple[int, bytes, dict[str, Any]]:
        """Give the status, the body, and what else there is to tell."""
        self.requests += 1
        if self.requests % self.refuse_every == 0:
            self.refuses_until = now + REFUSE_FOR
        if now < self.refuses_until:
            return 429, b"", {"retry_after": REFUSE_FOR}
        self.asked[path] += 1
        kind, number = path.strip("/").split("/")
        trouble, times = TROUBLE.get(int(number) % 40, ("", 0))
        if self.asked[path] > times:
            trouble = ""
        if trouble in ("404", "503"):
            return int(trouble), b"", {}
        more: dict[str, Any] = {"tokens": tokens_of(kind, int(number))}
        if trouble == "slow":
            more["slow"] = SLOW
        if trouble == "cut short":
            more["cut_short"] = True
        return 200, body_of(kind, int(number)), more


def answer_of(status: int, body: bytes, more: dict[str, Any] | None = None) -> bytes:
    names = {"retry_after": "Retry-After", "tokens": "X-Tokens"}
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{names[key]}: {value}" for key, value in (more or {}).items() if key in names]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def serve(options: argparse.Namespace, log: TextIO) -> None:
    counts = {"pages": options.pages, "images": options.images}
    server = Server(counts, options.refuse_every, lambda line: print(json.dumps(line), file=log))
    listening = await asyncio.start_server(server.answer, "127.0.0.1", options.port)
    port = listening.sockets[0].getsockname()[1]
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await listening.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve documents, with troubles.")
    add = parser.add_argument
    add("--port", type=int, default=8765, help="0: any that is free")
    add("--pages", type=int, default=200, help="how many")
    add("--images", type=int, default=100, help="how many")
    add("--refuse-every", type=int, default=100, help="requests: then it answers 429 for a second")
    add("--log", default="server.jsonl", help="where each answer is a line")
    options = parser.parse_args()
    with open(options.log, "a", encoding="utf-8", buffering=1) as log:
        try:
            asyncio.run(serve(options, log))
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
