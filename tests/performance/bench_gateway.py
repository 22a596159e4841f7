"""Gateway CPU per text request, in Generate and in GenerateMany: `python tests/performance/bench_gateway.py`.

Three processes: a stub upstream that answers at once, the gateway, and this client. Only the gateway's own processor
time (user and system) counts, read by the gateway itself before and after. Aims: 1.0 ms and 0.6 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

AIM_GENERATE_MS = 1.0
AIM_GENERATE_MANY_MS = 0.6
ROUTE = "bench/stub"
QUESTION = "Which of these is a mammal? A: trout  B: sparrow  C: bat  D: gecko. Answer with one letter."
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "C", "refusal": None}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 31, "completion_tokens": 1, "total_tokens": 32, "prompt_tokens_details": {"cached_tokens": 0}},
    }
).encode()


class Stub(asyncio.Protocol):
    """HTTP/1.1 as little as a client needs: every request on a kept connection gets the same answer."""

    REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its type
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while True:
            head, found, rest = self.received.partition(b"\r\n\r\n")
            if not found:
                return
            lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            length = int(lengths[0]) if lengths else 0
            if len(rest) < length:
                return
            self.received = rest[length:]
            self.transport.write(self.REPLY)


async def serve_stub() -> None:
    """The stub's process: prints its port, ends with its standard input."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def serve_gateway(stub_port: int) -> None:
    """The gateway's process: prints its port, then its CPU seconds for every line on its standard input."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from prometheus_client import CollectorRegistry

    from gateway.rpc import add_to_server
    from gateway.service import Gateway
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import Settings

    with TemporaryDirectory() as folder:
        gateway = Gateway(Settings(), CollectorRegistry(), Path(folder))
        gateway.add_route(ROUTE, f"http://127.0.0.1:{stub_port}/v1", "stub")
        server = RpcServer("127.0.0.1:0")
        add_to_server(server, gateway)
        print(await server.start(), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(time.process_time(), flush=True)
        await server.stop()
        await gateway.close()


@dataclass
class Child:
    """A process of ours that speaks by lines."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def cpu_s(self) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write("cpu\n")
        self.process.stdin.flush()
        return float(self.line())

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def child(*arguments: str) -> Child:
    """Starts this script in another role."""
    command = [sys.executable, __file__, *arguments]
    return Child(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))


@asynccontextmanager
async def gateway_and_stub() -> AsyncIterator[tuple[Child, int]]:
    """Both children, and the gateway's port."""
    stub = child("--role", "stub")
    gateway = child("--role", "gateway", "--stub-port", stub.line())
    try:
        yield gateway, int(gateway.line())
    finally:
        gateway.end()
        stub.end()


@dataclass(frozen=True)
class Figure:
    """What one way of calling cost the gateway."""

    method: str
    requests: int
    cpu_ms: float
    aim_ms: float
    per_second: float


async def generate(stub: object, count: int, concurrency: int) -> None:
    """Unary calls, so many at a time."""
    from genlevel.v1 import content_pb2 as ct
    from genlevel.v1 import gateway_pb2 as gw

    request = gw.GenerateRequest(
        route=ROUTE,
        messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=QUESTION)])],
        parameters=gw.GenerationParameters(temperature=0, max_output_tokens=16),
    )
    numbers = iter(range(count))

    async def worker() -> None:
        for _ in numbers:
            response = await stub.Generate(request, timeout=60)  # type: ignore[attr-defined]
            assert response.parts[0].text == "C"

    await asyncio.gather(*(worker() for _ in range(concurrency)))


async def generate_many(stub: object, count: int, concurrency: int) -> None:
    """One stream with so many items in flight; a place that becomes free is used at once, those free together share a message."""
    from genlevel.v1 import content_pb2 as ct
    from genlevel.v1 import gateway_pb2 as gw

    request = gw.GenerateRequest(
        route=ROUTE,
        messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=QUESTION)])],
        parameters=gw.GenerationParameters(temperature=0, max_output_tokens=16),
    )
    call = stub.GenerateMany()  # type: ignore[attr-defined]
    sent = answered = 0
    free = concurrency
    while answered < count:
        if free and sent < count:
            items = [gw.GenerateManyItem(id=sent + n, timeout_s=60, request=request) for n in range(min(free, count - sent))]
            await call.write(gw.GenerateManyRequest(items=items))
            sent += len(items)
            free -= len(items)
        for result in (await call.read()).results:
            assert result.response.parts[0].text == "C", result
            answered += 1
            free += 1
    await call.done_writing()


async def measure(count: int, concurrency: int) -> list[Figure]:
    """Both figures, each after a warm-up."""
    from genlevel.runtime.rpc import connect
    from genlevel.v1 import gateway_pb2_grpc

    figures = []
    async with gateway_and_stub() as (gateway, port), connect(f"127.0.0.1:{port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        for method, drive, aim_ms in (("Generate", generate, AIM_GENERATE_MS), ("GenerateMany", generate_many, AIM_GENERATE_MANY_MS)):
            await drive(stub, max(200, count // 10), concurrency)
            cpu_s, started = gateway.cpu_s(), time.perf_counter()
            await drive(stub, count, concurrency)
            seconds = time.perf_counter() - started
            figures.append(Figure(method, count, (gateway.cpu_s() - cpu_s) / count * 1000, aim_ms, count / seconds))
    return figures


def main() -> None:
    """Measures and prints; --json for one document."""
    from genlevel.runtime.loop import run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["stub", "gateway"], help=argparse.SUPPRESS)
    parser.add_argument("--stub-port", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "stub":
        run(serve_stub())
    elif arguments.role == "gateway":
        run(serve_gateway(arguments.stub_port))
    else:
        figures = run(measure(arguments.requests, arguments.concurrency))
        if arguments.json:
            print(json.dumps([figure.__dict__ for figure in figures]))
            return
        for figure in figures:
            print(
                f"gateway CPU per text request in {figure.method}: {figure.cpu_ms:.2f} ms (aim {figure.aim_ms:.1f}), "
                f"{figure.requests} requests at concurrency {arguments.concurrency}, {figure.per_second:.0f}/s"
            )


if __name__ == "__main__":
    main()
