"""What a stream costs the gateway: `python tests/performance/bench_streams.py [--rounds N]`.

A stub upstream in a process of its own answers a chat completion at once: whole, or as a stream of so many pieces of text (events of 250
bytes, as of an API that sends one a token). The gateway's core is asked in this process, in turns: whole (Generate of a route that does not
stream), by a stream that nobody sees (`stream: true`), and with pieces that are passed on. Processor time of this process alone, medians of
the rounds; what gRPC costs beside it is one message for each time that pieces are passed on (bench_gateway.py has what a call costs).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import machine

PIECES = (1, 16, 128, 1024)
CALLS = 400
CONCURRENCY = 8
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stub", "system_fingerprint": "fp_0123456789"}
USAGE = {"prompt_tokens": 31, "completion_tokens": 1, "total_tokens": 32}


def answer_of(pieces: int, *, streamed: bool) -> bytes:
    """A whole HTTP response."""
    if not streamed:
        message = {"role": "assistant", "content": " word" * pieces}
        body = json.dumps({**CHUNK, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    events: list[dict[str, object]] = [
        {
            **CHUNK,
            "choices": [{"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}],
            "obfuscation": "x" * 12,
        }
        for _ in range(pieces)
    ]
    events.append({**CHUNK, "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]})
    events.append({**CHUNK, "choices": [], "usage": USAGE})
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunked


async def serve_stub() -> None:
    """The stub's process: prints its port, ends with its standard input. The model's name says how many pieces are wanted."""
    known = {(pieces, streamed): answer_of(pieces, streamed=streamed) for pieces in PIECES for streamed in (True, False)}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                writer.close()
                return
            (length,) = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            body = json.loads(await reader.readexactly(length))
            writer.write(known[int(body["model"]), bool(body.get("stream"))])

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def cpu_ms(one: Callable[[], Awaitable[object]], calls: int) -> float:
    """Milliseconds of processor time a call."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for _ in numbers:
            await one()

    begun = time.process_time()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return (time.process_time() - begun) / calls * 1000


async def measure(port: int, rounds: int) -> None:
    from prometheus_client import CollectorRegistry

    from gateway.service import Gateway
    from genlevel.runtime.settings import Account, Route, Settings
    from genlevel.v1 import content_pb2 as ct
    from genlevel.v1 import gateway_pb2 as gw

    routes = {
        f"{pieces}-{streamed}": Route(account="stub", model=str(pieces), stream=streamed) for pieces in PIECES for streamed in (True, False)
    }
    settings = Settings(accounts={"stub": Account(provider="compatible", base_url=f"http://127.0.0.1:{port}/v1")}, routes=routes)
    times = 0

    async def pass_on(pieces: Sequence[ct.Part]) -> None:
        nonlocal times
        times += 1

    def asked(pieces: int, *, streamed: bool) -> gw.GenerateRequest:
        message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Which of these is a mammal? A: trout B: bat.")])
        return gw.GenerateRequest(route=f"{pieces}-{streamed}", messages=[message])

    with TemporaryDirectory() as folder:
        gateway = Gateway(settings, CollectorRegistry(), Path(folder))
        for pieces in PIECES:
            whole, hidden = asked(pieces, streamed=False), asked(pieces, streamed=True)
            ways: list[Callable[[], Awaitable[object]]] = [
                lambda whole=whole: gateway.generate(whole),  # type: ignore[misc]
                lambda hidden=hidden: gateway.generate(hidden),  # type: ignore[misc]
                lambda whole=whole: gateway.stream(whole, pass_on),  # type: ignore[misc]
            ]
            calls = max(20, CALLS // max(1, pieces // 16))
            for way in ways:
                await cpu_ms(way, 20)
            times = 0
            found = [[await cpu_ms(way, calls) for way in ways] for _ in range(rounds)]
            at_once, by_stream, shown = (statistics.median(each) for each in zip(*found, strict=True))
            event_us = (by_stream - at_once) / (pieces + 3) * 1000
            print(
                f"{pieces:5} pieces: whole {at_once:.3f} ms, by a stream {by_stream:.3f} ms ({event_us:.1f} us an event), "
                f"with pieces {shown:.3f} ms, passed on in {times / rounds / calls:.1f} messages"
            )
        await gateway.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stub", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stub:
        asyncio.run(serve_stub())
        return
    print(machine())
    with subprocess.Popen([sys.executable, __file__, "--stub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout is not None
        assert stub.stdin is not None
        asyncio.run(measure(int(stub.stdout.readline()), options.rounds))
        stub.stdin.close()


if __name__ == "__main__":
    main()
