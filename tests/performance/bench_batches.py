"""What batches take of a gateway: `python tests/performance/bench_batches.py [--provider openai] [--items 480] [--kib 300]`.

Three processes: the stand-in of a provider (tests/batching), the gateway, and what drives both over gRPC. A batch of items with a picture
of so many KiB each (0: a short text) is handed over, and its results, answers of about the same size, are collected. Printed are the
gateway's largest resident memory above that of the idle gateway, and its processor time for each item.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench_media import forget_peak, memory_mib
from machine import machine

from genlevel.runtime.remote import Remote
from genlevel.runtime.rpc import connect
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.batching.serving import KEY, MODELS, Process

MESSAGE_BYTES = 2 << 20


async def serve(provider: str, url: str, folder: str) -> None:
    """The gateway's process: prints its port, ends with its standard input."""
    from prometheus_client import CollectorRegistry

    from gateway.rpc import add_to_server
    from gateway.service import Gateway
    from genlevel.runtime.memory import keep_little, settle
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import Account, Settings

    keep_little()
    settings = Settings(accounts={provider: Account(provider=provider, base_url=url, api_key_env=KEY)})
    gateway = Gateway(settings, CollectorRegistry(), Path(folder), served=True)
    server = RpcServer("127.0.0.1:0")
    add_to_server(server, gateway)
    bound = await server.start()
    settle()
    print(bound, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()
    await gateway.close()


@contextmanager
def gateway(*words: str) -> Iterator[tuple[int, int]]:
    """A gateway's process: its id, and its port."""
    command = [sys.executable, __file__, "--serve", *words]
    environment = {**os.environ, KEY: "sk-bench-of-batches"}
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert started.stdin is not None
    assert started.stdout is not None
    try:
        yield started.pid, int(started.stdout.readline())
    finally:
        started.stdin.close()
        started.wait()


async def messages(route: str, key: str, count: int, picture: int) -> AsyncIterator[gw.SubmitBatchRequest]:
    """A batch of so many items, with a picture of so many bytes each."""
    message, size = gw.SubmitBatchRequest(route=route, key=key), 0
    for number in range(count):
        parts = [ct.Part(text=f"Question {number}? " + "x" * 200)]
        if picture:
            data = b"\x89PNG\r\n\x1a\n" + os.urandom(picture)
            parts.append(ct.Part(media=ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=data)))
        parameters = gw.GenerationParameters(temperature=0, max_output_tokens=64)
        request = gw.GenerateRequest(messages=[ct.Message(role=ct.ROLE_USER, parts=parts)], parameters=parameters)
        message.items.add(id=f"i{number}", request=request)
        size += picture + 300
        if size > MESSAGE_BYTES:
            yield message
            message, size = gw.SubmitBatchRequest(), 0
    if message.items:
        yield message


def processor_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(provider: str, count: int, kib: int) -> None:
    """Prints what a batch takes."""
    with (
        TemporaryDirectory() as folder,
        Process(Path(folder)) as served,
        gateway(provider, served.base_url(provider), folder) as (pid, port),
    ):
        route = f"{provider}/{MODELS[provider]}"
        served.control(provider, polls=1, padding=kib << 10)
        service = gw.DESCRIPTOR.services_by_name["GatewayService"]
        async with connect(f"127.0.0.1:{port}") as channel:
            client = Remote(channel, service, name="gateway", address="here", timeouts_s={"SubmitBatch": 3600.0, "GetBatch": 3600.0})
            await client.submit_batch(messages(route, "first", 1, 0))  # type: ignore[attr-defined]
            for what in ("handed over", "collected"):
                forget_peak(pid)
                idle, before = memory_mib(pid), processor_s(pid)
                if what == "handed over":
                    batch = (await client.submit_batch(messages(route, "second", count, kib << 10))).batch  # type: ignore[attr-defined]
                    sent = count * (300 + (kib << 10) * 4 / 3)
                else:
                    results = client.collect_batch(gw.CollectBatchRequest(route=route, id=batch.id))  # type: ignore[attr-defined]
                    sent = sum([message.ByteSize() async for message in results])
                peak, used = memory_mib(pid, "VmHWM") - idle, (processor_s(pid) - before) / count * 1000
                print(f"{what}: {count:,} items, {sent / (1 << 20):,.0f} MiB: {peak:.0f} MiB more, {used:.3f} ms of processor time an item")
                if what == "handed over":
                    await client.get_batch(gw.GetBatchRequest(route=route, id=batch.id))  # type: ignore[attr-defined]


def main() -> None:
    """Measures, or is the gateway's process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", choices=sorted(MODELS), default="openai")
    parser.add_argument("--items", type=int, default=480)
    parser.add_argument("--kib", type=int, default=300)
    parser.add_argument("--serve", nargs=3, metavar=("PROVIDER", "URL", "FOLDER"))
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(*options.serve))
    else:
        print(machine())
        asyncio.run(measure(options.provider, options.items, options.kib))


if __name__ == "__main__":
    main()
