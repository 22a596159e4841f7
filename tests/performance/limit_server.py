"""A server with limits over real HTTP, for bench_limits: each cell is a provider of its own, at /CELL/v1/chat/completions.

Usage: limit_server.py < lines. It prints its port. Then each line on its standard input is one request:
  {"add": CELL, "rules": [[from_s, rate, burst], ...], "headers": STYLE, "latency_s": S}   a provider, whose time begins with its first call
  {"tell": CELL}                                                             its calls so far: [[seconds, status], ...]
and is answered by one line of JSON. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from limits.providers import Changing, Provider, TokenBucket

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "A", "refusal": None}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42},
    }
).encode()
LIMITED = json.dumps({"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}).encode()
MODELS = json.dumps({"object": "list", "data": [{"id": "stub", "object": "model"}]}).encode()
REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 503: "Service Unavailable"}


@dataclass
class Cell:
    """One provider and what came to it."""

    provider: Provider
    latency_s: float
    began: float | None = None
    calls: list[tuple[float, int]] = field(default_factory=list)

    def ask(self, now: float) -> tuple[int, dict[str, str]]:
        """Decides on a call that has come."""
        self.began = now if self.began is None else self.began
        reply = self.provider.ask(now - self.began)
        self.calls.append((round(now - self.began, 4), reply.status))
        return reply.status, reply.headers


CELLS: dict[str, Cell] = {}


class Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as clients of such an API need."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            length = int(lengths[0]) if lengths else 0
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._asked(head.split(b" ", 2))

    def _asked(self, line: list[bytes]) -> None:
        method, path = line[0], line[1].decode()
        cell = CELLS.get(path.split("/")[1])
        if cell is None or "/v1/" not in path:
            self._answer(404, {}, b"{}")
        elif method == b"GET":
            self._answer(200, {}, MODELS)
        else:
            loop = asyncio.get_running_loop()
            status, headers = cell.ask(time.monotonic())  # uvloop's own clock has whole milliseconds
            if status == 200:
                loop.call_later(cell.latency_s, self._answer, status, headers, ANSWER)
            else:
                self._answer(status, headers, LIMITED)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if not self._transport.is_closing():
            told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: application/json\r\n{told}content-length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


def answer(request: dict[str, object]) -> object:
    """What a line on the standard input asks for."""
    if "tell" in request:
        return CELLS[str(request["tell"])].calls
    rules = cast(list[tuple[float, float, float]], request["rules"])
    rule = Changing(*((start, TokenBucket(rate, burst)) for start, rate, burst in rules))
    CELLS[str(request["add"])] = Cell(Provider(rule, str(request["headers"])), cast(float, request["latency_s"]))
    return "added"


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
