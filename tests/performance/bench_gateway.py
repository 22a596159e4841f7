"""Gateway CPU for each call beside a bare aiohttp call: `python tests/performance/bench_gateway.py [--litellm VENV]`.

Four processes: a stub upstream that answers at once, a bare aiohttp client of it, the gateway, and what drives both. Only the processor
time (user and system) of the client and of the gateway counts, taken in turns, round by round; ratios are medians of the rounds. The bare
client is what people write first: `session.post(url, json=...)`, `await response.json()`.

Aims: a text call costs at most 8 times the bare one in Generate and 3 times in GenerateMany; a picture of 1 MiB costs in GenerateMany no
more than in Generate, and in Generate at most a sixth of what it costs LiteLLM's proxy. That is an optional peer, in a virtual environment
of its own (`python -m venv VENV; VENV/bin/pip install 'litellm[proxy]==1.102.4'`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from machine import machine, median_ratio

if TYPE_CHECKING:
    from genlevel.v1 import gateway_pb2 as gw


ROUTE = "bench/stub"
QUESTION = "Which of these is a mammal? A: trout  B: sparrow  C: bat  D: gecko. Answer with one letter."
PICTURE_BYTES = 1 << 20
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
        self.received = bytearray()
        self.awaited = 0

    def data_received(self, data: bytes) -> None:
        self.received += data
        while len(self.received) >= self.awaited:
            if self.awaited:
                del self.received[: self.awaited]
                self.awaited = 0
                self.transport.write(self.REPLY)
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return
            lines = bytes(self.received[:head]).lower().split(b"\r\n")
            lengths = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")]
            self.awaited = head + 4 + (lengths[0] if lengths else 0)


async def serve_stub() -> None:
    """The stub's process: prints its port, ends with its standard input."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def serve_gateway(stub_port: int) -> None:
    """The gateway's process: prints its port, then its CPU seconds for every line on its standard input."""
    from prometheus_client import CollectorRegistry

    from gateway.rpc import add_to_server
    from gateway.service import Gateway
    from genlevel.runtime.memory import keep_little, settle
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import Settings

    keep_little()  # this, and to settle: as `genlevel gateway` does
    with TemporaryDirectory() as folder:
        gateway = Gateway(Settings(), CollectorRegistry(), Path(folder))
        gateway.add_route(ROUTE, f"http://127.0.0.1:{stub_port}/v1", "stub")
        server = RpcServer("127.0.0.1:0")
        add_to_server(server, gateway)
        port = await server.start()
        settle()
        print(port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(time.process_time(), flush=True)
        await server.stop()
        await gateway.close()


async def serve_bare(stub_port: int) -> None:
    """The bare client's process: for each line "calls concurrency" makes so many text calls, and prints the CPU seconds they took."""
    import aiohttp

    url = f"http://127.0.0.1:{stub_port}/v1/chat/completions"
    body = {"model": "stub", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 16}
    headers = {"authorization": "Bearer none"}
    print("ready", flush=True)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            count, concurrency = map(int, line.split())

            async def one() -> None:
                async with session.post(url, json=body, headers=headers) as response:
                    assert (await response.json())["choices"][0]["message"]["content"] == "C"

            begun = time.process_time()
            await spread(count, concurrency, one)
            print(time.process_time() - begun, flush=True)


async def spread(count: int, concurrency: int, one: Callable[[], Awaitable[None]]) -> None:
    """So many calls, so many at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for _ in numbers:
            await one()

    await asyncio.gather(*(worker() for _ in range(concurrency)))


@dataclass
class Child:
    """A process of ours that speaks by lines."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def asked(self, line: str) -> float:
        """What it answers to a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
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


def question(*, picture: bool) -> gw.GenerateRequest:
    """The text alone, or a picture's bytes before it."""
    from genlevel.v1 import content_pb2 as ct
    from genlevel.v1 import gateway_pb2 as gw

    parts = [ct.Part(text=QUESTION)]
    if picture:
        media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=os.urandom(PICTURE_BYTES))
        parts.insert(0, ct.Part(media=media))
    return gw.GenerateRequest(
        route=ROUTE,
        messages=[ct.Message(role=ct.ROLE_USER, parts=parts)],
        parameters=gw.GenerationParameters(temperature=0, max_output_tokens=16),
    )


async def generate(stub: object, request: gw.GenerateRequest, count: int, concurrency: int) -> None:
    """Unary calls, so many at a time."""

    async def one() -> None:
        response = await stub.Generate(request, timeout=60)  # type: ignore[attr-defined]
        assert response.parts[0].text == "C"

    await spread(count, concurrency, one)


async def generate_many(stub: object, request: gw.GenerateRequest, count: int, concurrency: int) -> None:
    """One stream with so many items in flight; a place that is free is used at once, those free together share a message (of 2 MiB)."""
    from genlevel.v1 import gateway_pb2 as gw

    most = max(1, (2 << 20) // request.ByteSize())
    call = stub.GenerateMany()  # type: ignore[attr-defined]
    sent = answered = 0
    free = concurrency
    while answered < count:
        while free and sent < count:
            items = [gw.GenerateManyItem(id=sent + n, timeout_s=60, request=request) for n in range(min(free, count - sent, most))]
            await call.write(gw.GenerateManyRequest(items=items))
            sent += len(items)
            free -= len(items)
        for result in (await call.read()).results:
            assert result.response.parts[0].text == "C", result
            answered += 1
            free += 1
    await call.done_writing()


class LiteLlm:
    """LiteLLM's proxy in front of the stub, from a virtual environment of its own."""

    def __init__(self, environment: Path, folder: Path, stub_port: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        model = {"model": "openai/stub", "api_base": f"http://127.0.0.1:{stub_port}/v1", "api_key": "none"}
        configuration = folder / "litellm.yaml"
        configuration.write_text(json.dumps({"model_list": [{"model_name": "stub", "litellm_params": model}]}))
        command = [str(environment / "bin" / "litellm"), "--config", str(configuration), "--host", "127.0.0.1", "--port", str(self.port)]
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
        with (folder / "litellm.log").open("w") as log:
            self._process = subprocess.Popen(command, env=own, stdout=log, stderr=log, start_new_session=True)

    async def ready(self) -> None:
        """Returns once it answers. Raises TimeoutError."""
        import aiohttp

        async with asyncio.timeout(120), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/health/liveliness") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.3)

    async def ask(self, picture: bytes, count: int, concurrency: int) -> None:
        """Calls with a picture as a data URI, as its clients send one."""
        import aiohttp

        url = {"url": f"data:image/png;base64,{base64.b64encode(picture).decode()}"}
        content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": QUESTION}]
        body = json.dumps({"model": "stub", "messages": [{"role": "user", "content": content}], "max_tokens": 16}).encode()
        async with aiohttp.ClientSession() as session:

            async def one() -> None:
                sent = session.post(
                    f"http://127.0.0.1:{self.port}/v1/chat/completions",
                    data=aiohttp.BytesPayload(body),
                    headers={"content-type": "application/json", "authorization": "Bearer none"},
                )
                async with sent as response:
                    assert b'"C"' in await response.read(), await response.read()

            await spread(count, concurrency, one)

    def cpu_s(self) -> float:
        """Of its process and those that it has started."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self._process.pid:  # of its session
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@asynccontextmanager
async def processes() -> AsyncIterator[tuple[int, Child, Child, int]]:
    """The stub's port, the bare client, the gateway and its port."""
    stub = child("--role", "stub")
    port = stub.line()
    bare, gateway = child("--role", "bare", "--stub-port", port), child("--role", "gateway", "--stub-port", port)
    bare.line()
    try:
        yield int(port), bare, gateway, int(gateway.line())
    finally:
        for each in (gateway, bare, stub):
            each.end()


@contextmanager
def peer(environment: Path | None, stub_port: int) -> Iterator[LiteLlm | None]:
    """LiteLLM's proxy, if there is an environment for it."""
    if environment is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        started = LiteLlm(environment, Path(folder), stub_port)
        try:
            yield started
        finally:
            started.stop()


async def measure(calls: int, pictures: int, concurrency: int, rounds: int, litellm: Path | None) -> dict[str, list[float]]:
    """CPU milliseconds of a call, by what was called and round."""
    from genlevel.runtime.rpc import connect
    from genlevel.v1 import gateway_pb2_grpc

    text, picture = question(picture=False), question(picture=True)
    found: dict[str, list[float]] = {}
    async with processes() as (stub_port, bare, gateway, port), connect(f"127.0.0.1:{port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        with peer(litellm, stub_port) as proxy:
            if proxy is not None:
                await proxy.ready()
            for number in range(rounds + 1):  # the first warms up
                took = {"bare": bare.asked(f"{calls} {concurrency}") / calls}
                for name, request, drive, count in (
                    ("Generate", text, generate, calls),
                    ("GenerateMany", text, generate_many, calls),
                    ("Generate, picture", picture, generate, pictures),
                    ("GenerateMany, picture", picture, generate_many, pictures),
                ):
                    at_once = concurrency if request is text else 8
                    before = gateway.asked("cpu")
                    await drive(stub, request, count, at_once)
                    took[name] = (gateway.asked("cpu") - before) / count
                if proxy is not None:
                    begun = proxy.cpu_s()
                    await proxy.ask(picture.messages[0].parts[0].media.inline, max(20, pictures // 4), 8)
                    took["LiteLLM, picture"] = (proxy.cpu_s() - begun) / max(20, pictures // 4)
                for name, seconds in took.items():
                    if number:
                        found.setdefault(name, []).append(seconds * 1000)
    return found


AIMS = (
    ("Generate", "bare", 8.0),
    ("GenerateMany", "bare", 3.0),
    ("GenerateMany, picture", "Generate, picture", 1.0),
    ("Generate, picture", "LiteLLM, picture", 1 / 6),
)


def main() -> None:
    """Measures and prints; --json for one document."""
    from genlevel.runtime.loop import run

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1500, help="text calls of each kind in a round")
    parser.add_argument("--pictures", type=int, default=100, help="calls with a picture of each kind in a round")
    parser.add_argument("--concurrency", type=int, default=32, help="of text; 8 pictures are in flight")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--litellm", type=Path, help="a virtual environment with LiteLLM's proxy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["stub", "gateway", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--stub-port", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    roles = {"stub": serve_stub, "gateway": lambda: serve_gateway(asked.stub_port), "bare": lambda: serve_bare(asked.stub_port)}
    if asked.role:
        run(roles[asked.role]())
        return
    found = run(measure(asked.requests, asked.pictures, asked.concurrency, asked.rounds, asked.litellm))
    ratios = [(name, beside, median_ratio(found[name], found[beside]), most) for name, beside, most in AIMS if beside in found]
    if asked.json:
        print(json.dumps({"machine": machine(), "cpu_ms": found, "ratios": [list(ratio) for ratio in ratios]}))
        return
    print(f"{machine()}\n{asked.rounds} rounds, {asked.requests} texts and {asked.pictures} pictures of 1 MiB of each kind a round")
    for name, each in found.items():
        print(f"  {name:24s} {statistics.median(each):7.3f} ms of CPU a call ({min(each):.3f} to {max(each):.3f})")
    for name, beside, ratio, most in ratios:
        print(f"  {name} is {ratio:.2f} of {beside} (aim: at most {most:.2f}){'' if ratio <= most else '  MISSED'}")


if __name__ == "__main__":
    main()
