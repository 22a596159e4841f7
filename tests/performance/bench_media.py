"""Memory of a gateway with large media at once: `python tests/performance/bench_media.py [--at-once 16] [--mib 1 8 32]`.

Three processes: a provider that reads what it is sent and then works for a while, the gateway, and what drives both. For each way that
media go (with the request, or by reference to the blob store; one call each, or many on one stream; pictures that go in, pictures and
sounds that come out) it prints the gateway's largest resident memory above that of the idle gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from machine import machine

MIB = 1 << 20
WORKS_S = 1.0
PNG = b"\x89PNG\r\n\x1a\n"
USAGE = {"prompt_tokens": 31, "completion_tokens": 1, "total_tokens": 32}
CHAT = {"id": "c", "model": "stub", "choices": [{"index": 0, "message": {"content": "C"}, "finish_reason": "stop"}], "usage": USAGE}


async def serve_provider() -> None:
    """The provider's process: prints its port, ends with its standard input."""
    from aiohttp import web

    made: dict[int, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        async for _ in request.content.iter_any():
            pass
        await asyncio.sleep(WORKS_S)
        mib = int(request.headers.get("authorization", "").rpartition("-")[2] or 0)
        if request.path.endswith(("/generations", "/speech")):
            if mib not in made:
                data = picture(mib, sound=request.path.endswith("/speech"))
                made[mib] = (
                    data
                    if request.path.endswith("/speech")
                    else json.dumps({"data": [{"b64_json": base64.b64encode(data).decode()}]}).encode()
                )
            return web.Response(body=made[mib], content_type="audio/wav" if request.path.endswith("/speech") else "application/json")
        if request.path.endswith("/edits"):
            return web.json_response({"data": [{"b64_json": base64.b64encode(PNG).decode()}]})
        return web.json_response(CHAT)

    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=512)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def serve_gateway(port: int, folder: str, request_mib: int) -> None:
    """The gateway's process: prints its port, ends with its standard input."""
    from prometheus_client import CollectorRegistry

    from gateway.rpc import add_to_server
    from gateway.service import Gateway
    from genlevel.runtime.memory import keep_little, settle
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import CallLimits, Settings

    keep_little()  # this, and to settle: as `genlevel gateway` does
    limits = CallLimits(request_bytes=request_mib * MIB) if request_mib else CallLimits()
    keys = {
        f"k{mib}": {"provider": "compatible", "base_url": f"http://127.0.0.1:{port}/v1", "api_key_env": f"GENLEVEL_BENCH_{mib}"}
        for mib in (1, 8, 32)
    }
    routes = {}
    for mib in (1, 8, 32):
        routes |= {
            f"chat-{mib}": {"account": f"k{mib}", "model": "stub", "input_modalities": ["text", "image"]},
            f"images-{mib}": {"account": f"k{mib}", "model": "stub", "api": "images"},
            f"speech-{mib}": {"account": f"k{mib}", "model": "stub", "api": "speech"},
        }
    settings = Settings.model_validate({"accounts": keys, "routes": routes, "limits": limits})
    gateway = Gateway(settings, CollectorRegistry(), Path(folder), served=True)
    server = RpcServer("127.0.0.1:0", limits=limits, message_bytes=limits.request_bytes)
    add_to_server(server, gateway)
    bound = await server.start()
    settle()
    print(bound, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()
    await gateway.close()


def picture(mib: int, seed: int = 0, *, sound: bool = False) -> bytes:
    """Bytes that begin like a picture, or a sound, of so many MiB."""
    import random

    return (b"RIFF\0\0\0\0WAVEfmt " if sound else PNG) + random.Random(seed).randbytes(mib * MIB - 16)


@contextmanager
def process(*words: str) -> Iterator[tuple[int, int]]:
    """A process of this script: its id, and the port that it prints."""
    import os

    environment = {**os.environ, **{f"GENLEVEL_BENCH_{mib}": f"sk-bench-{mib}" for mib in (1, 8, 32)}}
    started = subprocess.Popen(
        [sys.executable, __file__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert started.stdout is not None
    assert started.stdin is not None
    try:
        yield started.pid, int(started.stdout.readline())
    finally:
        started.stdin.close()
        started.wait()


def memory_mib(pid: int, which: str = "VmRSS") -> float:
    """Resident memory of a process now, or (VmHWM) the most since that was forgotten."""
    found = re.search(rf"{which}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def forget_peak(pid: int) -> None:
    """The largest resident memory counts from now on (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def ask(port: int, requests: list[Any], *, many: bool) -> list[str]:
    """How the calls ended."""
    import grpc

    from genlevel.v1 import gateway_pb2 as gw
    from genlevel.v1 import gateway_pb2_grpc

    options = [("grpc.max_receive_message_length", 128 * MIB), ("grpc.max_send_message_length", 128 * MIB)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)

        async def one(request: Any) -> str:
            try:
                await stub.Generate(request, timeout=300)
            except grpc.aio.AioRpcError as error:
                return f"{error.code().name}: {error.details()}"
            return "OK"

        async def items() -> AsyncIterator[Any]:
            for number, request in enumerate(requests):
                yield gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=number, timeout_s=300, request=request)])

        if not many:
            return await asyncio.gather(*map(one, requests))
        return [
            "OK" if result.HasField("response") else f"{result.error.code}: {result.error.message}"
            async for message in stub.GenerateMany(items())
            for result in message.results
        ]


def requests_of(way: str, mib: int, at_once: int, folder: Path) -> list[Any]:
    """The requests of one measurement: a picture each."""
    from genlevel.runtime.blobs import BlobStore
    from genlevel.v1 import content_pb2 as ct
    from genlevel.v1 import gateway_pb2 as gw

    blobs = BlobStore.open(folder / "blobs")
    api, _, how = way.partition(" ")
    made = {"images": ct.MODALITY_IMAGE, "edits": ct.MODALITY_IMAGE, "speech": ct.MODALITY_AUDIO}.get(api)
    requests = []
    for number in range(at_once):
        message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=f"{number}?")])
        if how in ("inline", "blob"):
            media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png")
            data = picture(mib, 100 + number)
            if how == "inline":
                media.inline = data
            else:
                media.blob.CopyFrom(blobs.put(data))
            message.parts.append(ct.Part(media=media))
        route = f"{'images' if api == 'edits' else api}-{mib}"
        requests.append(gw.GenerateRequest(route=route, messages=[message], output_modalities=[made] if made else []))
    return requests


def measure(way: str, mib: int, at_once: int) -> Iterator[dict[str, Any]]:
    """A row for Generate and one for GenerateMany. idle_mib: before; above_mib: the most beyond that."""
    import time

    with TemporaryDirectory() as folder, process("provider") as (_, provider):
        request_mib = mib + 1 if "inline" in way and mib > 7 else 0
        with process("gateway", str(provider), folder, str(request_mib)) as (pid, port):
            requests = requests_of(way, mib, at_once, Path(folder))
            for warm in requests_of(f"{way.partition(' ')[0]} text", 1, 1, Path(folder)):
                asyncio.run(ask(port, [warm], many=False))
            time.sleep(1.5)
            idle = memory_mib(pid)
            for many in (False, True):
                forget_peak(pid)
                started = time.perf_counter()
                ended = Counter(asyncio.run(ask(port, requests, many=many)))
                seconds = time.perf_counter() - started
                above = memory_mib(pid, "VmHWM") - idle
                method = "GenerateMany" if many else "Generate"
                yield {"way": way, "method": method, "mib": mib, "above_mib": above, "idle_mib": idle, "s": seconds, "ended": dict(ended)}
                time.sleep(1.5)


def main() -> None:
    """Measures each way."""
    if len(sys.argv) > 1 and sys.argv[1] in ("provider", "gateway"):
        asyncio.run(serve_provider() if sys.argv[1] == "provider" else serve_gateway(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--mib", type=int, nargs="*", default=[1, 8, 32])
    parser.add_argument("--ways", nargs="*", default=["chat blob", "chat inline", "edits blob", "images made", "speech made"])
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")
    options = parser.parse_args()
    if not options.json:
        print(machine())
    for way in options.ways:
        for mib in options.mib:
            for row in measure(way, mib, options.at_once):
                print(json.dumps(row) if options.json else shown(row, options.at_once), flush=True)


def shown(row: dict[str, Any], at_once: int) -> str:
    """A row for people."""
    name, above = f"{row['way']}, {row['method']}", f"+{row['above_mib']:6.0f} MiB above {row['idle_mib']:.0f}"
    return f"{name:32} {row['mib']:3} MiB x {at_once}: {above}, {row['s']:5.1f} s, {row['ended']}"


if __name__ == "__main__":
    main()
