"""A process is small again after large requests, those that fail included."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from genlevel.runtime import memory
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.remote import serve
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import evaluator_pb2 as ev

SERVICE = ev.DESCRIPTOR.services_by_name["EvaluatorService"]
SIZE = 8 << 20
CALLS = 16
LEFT = 6 * SIZE
"""What may be left: buffers of the last calls, and what the process has imported with the first."""


class NothingThere:
    """An evaluator without runs."""

    def __getattr__(self, name: str) -> object:
        async def refuse(request: object) -> None:
            raise NotFoundError("no such run here")

        return refuse

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        circle: list[object] = [request]
        circle.append(circle)  # as frames and errors make them
        raise NotFoundError("no such run here")
        yield ev.ListAnswersResponse()


def resident_bytes() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


@pytest.fixture
def without_collections() -> object:
    """The garbage collector does nothing by itself: what comes of it is what was asked for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def grown_by(method: str) -> int:
    """Bytes by which this process has grown after many large requests that failed, once it has had time to give them back."""
    server = RpcServer("127.0.0.1:0", name="evaluator.grpc")
    serve(server, SERVICE, NothingThere())
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=[("grpc.max_send_message_length", -1)]) as channel:
        before = resident_bytes()
        for _ in range(CALLS):
            request = ev.ListAnswersRequest(run_id="x" * SIZE).SerializeToString()
            kind = channel.unary_stream if method == "ListAnswers" else channel.unary_unary
            call = kind(f"/{SERVICE.full_name}/{method}")(request)
            assert await call.code() is grpc.StatusCode.NOT_FOUND, await call.details()
            del call, request
        give_up = asyncio.get_running_loop().time() + 10
        while (grown := resident_bytes() - before) > LEFT and asyncio.get_running_loop().time() < give_up:  # noqa: ASYNC110 - nobody tells when memory is free
            await asyncio.sleep(0.1)
    return grown


# The garbage collector does nothing by itself: what comes of it is what was asked for. A process of its own has nobody else's memory.
GROWN = """
import asyncio, gc, runpy, sys
measure = runpy.run_path(sys.argv[1])["grown_by"]
gc.collect()
gc.disable()
print(asyncio.run(measure(sys.argv[2])))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("method", ["GetRun", "ListAnswers"])
def test_large_requests_that_fail_do_not_stay(method: str) -> None:
    done = subprocess.run([sys.executable, "-c", GROWN, __file__, method], capture_output=True, text=True, check=True, timeout=60)
    grown = int(done.stdout)
    assert grown <= LEFT, f"{CALLS} requests of {SIZE >> 20} MiB left {grown >> 20} MiB"


BUFFERS = """
import asyncio, re, resource
from pathlib import Path
from genlevel.runtime import memory

def buffers():
    kept = [b"x" * (6 << 20) for _ in range(4)]
    while kept:
        kept.pop(len(kept) // 2)

def resident_kib():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

async def given_back(most_kib):
    memory.give_back()
    for _ in range(100):
        if resident_kib() <= most_kib:
            break
        await asyncio.sleep(0.1)

memory.keep_little()
before = resident_kib()
buffers()
pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    buffers()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - pages)
asyncio.run(given_back(before + (4 << 10)))
print(resident_kib() - before)
"""


@pytest.mark.skipif(memory._library() is None, reason="needs glibc")
def test_large_buffers_are_used_again_and_given_back_later() -> None:
    done = subprocess.run([sys.executable, "-c", BUFFERS], capture_output=True, text=True, check=True)
    pages, left_kib = map(int, done.stdout.split())
    assert pages < 1000, "40 buffers of 6 MiB have 61,440 pages"
    assert left_kib <= 4 << 10


@pytest.mark.skipif(memory._library() is None, reason="needs glibc")
@pytest.mark.parametrize(("asked_at", "freed"), [([0.0], 1), ([0.0, 0.02], 2), ([0.0, 0.02, 0.04, 0.06], 2), ([0.0, 0.3], 2)])
async def test_memory_is_given_back_after_the_last_of_those_who_ask(
    asked_at: list[float], freed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(memory, "_INTERVAL_S", 0.15)
    monkeypatch.setattr(memory, "_free", lambda _: times.append(loop.time()))
    began = loop.time()
    for at in asked_at:
        loop.call_at(began + at, memory.give_back)
    await asyncio.sleep(asked_at[-1] + 0.6)
    assert len(times) == freed
    assert times[-1] >= began + asked_at[-1] + 0.1
    assert loop not in memory._waiting


PICTURES = """
import re
from pathlib import Path
from genlevel.runtime import memory

def resident_kib():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

memory.keep_little()
memory.settle()
before = resident_kib()
with memory.few_collections():
    pictures = [b"x" * (6 << 20) for _ in range(9)]
    last = pictures.pop()  # at the end of the heap, and in use
    pictures.clear()
print(resident_kib() - before)
"""


@pytest.mark.skipif(memory._library() is None, reason="needs glibc")
def test_a_service_gives_memory_back_when_its_last_run_has_ended() -> None:
    done = subprocess.run([sys.executable, "-c", PICTURES], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 10 << 10, "of 9 pictures of 6 MiB one is in use"


class Circle:
    """Something that only a full collection finds once nobody needs it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_not_looked_at_while_something_runs() -> None:
    collections, thresholds = memory.Collections(), gc.get_threshold()
    with collections.few(), collections.few():
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] >= 10_000
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds


def test_a_second_run_that_outlasts_the_first_keeps_it_so() -> None:
    collections, thresholds = memory.Collections(), gc.get_threshold()
    first, second = collections.few(), collections.few()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() != thresholds
    second.__exit__(None, None, None)
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds


def test_a_service_looks_for_circles_sooner_than_a_command_that_starts() -> None:
    thresholds = gc.get_threshold()
    try:
        gc.set_threshold(250_000)
        memory.Collections().settle()
        assert gc.get_threshold()[0] <= 20_000
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@pytest.mark.parametrize(("served", "runs", "most"), [(False, 20, 8), (True, 3, 0)])
def test_circles_of_many_runs_in_a_row_do_not_stay(served: bool, runs: int, most: int, without_collections: object) -> None:
    collections = memory.Collections()
    if served:
        collections.settle()
    left: list[weakref.ref[Circle]] = []
    for _ in range(runs):
        with collections.few():
            left.append(weakref.ref(Circle()))
    assert sum(circle() is not None for circle in left) <= most
    gc.unfreeze()
