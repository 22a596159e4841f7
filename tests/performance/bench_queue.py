"""What a message of the queue costs, beside the NATS library alone.

    python tests/performance/bench_queue.py [--messages 3000] [--rounds 5]

A NATS server in a process of its own, that stores on the disk. Each message is published (32 at a time), and then taken (32 at a time) and
confirmed; each step waits until the server says that it has it. "nats-py" does the same by the library's own calls. Processor time is of
this process and of the server. At the end: how soon somebody who waits gets what another one publishes.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from machine import interleaved, machine, median_ratio

sys.path.insert(0, str(Path(__file__).parents[2]))

from genlevel.runtime.queue import open_queue
from tests.nats_server import NatsServer

AT_ONCE = 32
BODY = b"x" * 200


@dataclass(frozen=True)
class Figures:
    """rate: messages a second. here_ms, server_ms: processor time for a message."""

    rate: float
    here_ms: float
    server_ms: float


async def in_turns(count: int, work: Callable[[int], Awaitable[object]]) -> None:
    """Does some at a time."""
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await work(number)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def by_port(url: str, count: int) -> None:
    """By the port."""
    queue = open_queue(url, name="bench")
    topic = f"ask.{uuid.uuid4().hex}"
    await in_turns(count, lambda number: queue.publish(topic, BODY, key=f"{topic}/{number}"))
    done = 0
    while done < count:
        found = await queue.pull(topic, most=AT_ONCE, wait_s=10)
        await asyncio.gather(*(delivery.done() for delivery in found))
        done += len(found)
    await queue.drop(topic)
    await queue.close()


async def by_library(url: str, count: int) -> None:
    """By the library alone, with a stream of the same kind."""
    import nats
    from nats.js.api import ConsumerConfig, RetentionPolicy

    client = await nats.connect(url)
    server = client.jetstream()
    name = f"bench{uuid.uuid4().hex}"
    await server.add_stream(name=name, subjects=[f"{name}.>"], retention=RetentionPolicy.WORK_QUEUE, duplicate_window=120)
    await in_turns(count, lambda number: server.publish(f"{name}.ask", BODY, headers={"Nats-Msg-Id": str(number)}))
    pulled = await server.pull_subscribe(f"{name}.ask", "worker", config=ConsumerConfig(max_ack_pending=-1))
    done = 0
    while done < count:
        found = await pulled.fetch(AT_ONCE, timeout=10)
        await asyncio.gather(*(message.ack_sync(timeout=10) for message in found))
        done += len(found)
    await server.delete_stream(name)
    await client.close()


def measured(server: NatsServer, way: Callable[[str, int], Awaitable[None]], count: int) -> Figures:
    """One way, once."""
    process = psutil.Process(server.pid)

    def times() -> tuple[float, float, float]:
        there = process.cpu_times()
        return time.perf_counter(), time.process_time(), there.user + there.system

    async def run() -> None:
        await way(server.url, count)

    began, here, there = times()
    asyncio.run(run())
    ended, here_then, there_then = times()
    return Figures(count / (ended - began), 1000 * (here_then - here) / count, 1000 * (there_then - there) / count)


async def latencies(url: str, count: int) -> list[float]:
    """Milliseconds from publishing until somebody who waits in another connection has the message."""
    one, other = open_queue(url, name="one"), open_queue(url, name="other")
    found = []
    for number in range(count):
        pulling = asyncio.create_task(other.pull("ask.latency", most=1, wait_s=10))
        await asyncio.sleep(0.02)
        began = time.perf_counter()
        await one.publish("ask.latency", BODY, key=f"{uuid.uuid4().hex}/{number}")
        (delivery,) = await pulling
        found.append(1000 * (time.perf_counter() - began))
        await delivery.done()
    await one.close()
    await other.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder)).start()
        try:
            ways = {"genlevel": by_port, "nats-py": by_library}
            for way in ways.values():
                measured(server, way, 10)  # so that what each imports is there
            found = interleaved({name: partial(measured, server, way, options.messages) for name, way in ways.items()}, options.rounds)
            for name, figures in found.items():
                here, there = (statistics.median(getattr(each, field) for each in figures) for field in ("here_ms", "server_ms"))
                rate = statistics.median(each.rate for each in figures)
                print(f"{name:9} {rate:7,.0f} messages a second, processor time of one: {here:.3f} ms here, {there:.3f} ms in the server")
            rates, costs = (
                median_ratio(*([getattr(each, field) for each in figures] for figures in found.values())) for field in ("rate", "here_ms")
            )
            print(f"genlevel / nats-py: {rates:.2f} of the messages a second, {costs:.2f} of the processor time here")
            waits = sorted(asyncio.run(latencies(server.url, 200)))
            print(f"from publishing to somebody who waits: median {waits[100]:.1f} ms, p95 {waits[190]:.1f} ms")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
