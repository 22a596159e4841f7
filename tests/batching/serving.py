"""Serves the stand-ins of all batch APIs on one loopback port: within a test, or as a process of its own that survives those it serves.

    async with providers() as served:
        settings = served.settings()
        served.desk("openai").faults.held = True

As a process: ``python -m tests.batching --port-file FILE``; ``Process`` starts it, and reaches its desks by HTTP:

    with Process(folder) as served:
        served.control("anthropic", cut_accepted=1)
        served.ledger("anthropic").billed
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from aiohttp import web

from genlevel.runtime.settings import Account, ModelPrice, Settings
from tests.batching.anthropic_desk import AnthropicDesk
from tests.batching.desk import Billed, Desk, Json, Ledger
from tests.batching.gemini_desk import GeminiDesk
from tests.batching.mistral_desk import MistralDesk
from tests.batching.openai_desk import OpenAIDesk

BASES = {"openai": "/openai/v1", "anthropic": "/anthropic", "gemini": "/gemini/v1beta", "mistral": "/mistral/v1"}
"""What a provider's account has as its base_url, behind the server's address."""
MODELS = {"openai": "gpt-stand-in", "anthropic": "claude-stand-in", "gemini": "gemini-stand-in", "mistral": "mistral-stand-in"}
INPUT_NANO_USD, OUTPUT_NANO_USD = 400, 1600
KEY = "GENLEVEL_TEST_KEY"
"""The variable that has to hold some key."""
ROOT = Path(__file__).resolve().parents[2]


class Served:
    """The stand-ins at an address."""

    def __init__(self, url: str, desks: dict[str, Desk]) -> None:
        self.url = url
        self.desks = desks

    def desk(self, name: str) -> Desk:
        """One provider's."""
        return self.desks[name]

    def base_url(self, name: str) -> str:
        """What its account has as base_url."""
        return f"{self.url}{BASES[name]}"

    def settings(self, *names: str) -> Settings:
        """Accounts, and prices of the models, of these providers; of none named: of all that the gateway knows."""
        from gateway.providers import PROVIDERS

        known = [name for name in names or BASES if name in PROVIDERS]
        price = ModelPrice.model_validate({"input": str(INPUT_NANO_USD / 1000), "output": str(OUTPUT_NANO_USD / 1000)})
        return Settings(
            accounts={name: Account(provider=name, base_url=self.base_url(name), api_key_env=KEY) for name in known},
            prices={f"{name}/{MODELS[name]}": price for name in known},
        )


def desks() -> dict[str, Desk]:
    """One of each."""
    return {desk.name: desk for desk in (OpenAIDesk(), AnthropicDesk(), GeminiDesk(), MistralDesk())}


def application(stands: dict[str, Desk]) -> web.Application:
    """Their routes, and /control/NAME (POST: faults), /ledger/NAME."""
    app = web.Application(client_max_size=1 << 30)
    for desk in stands.values():
        app.router.add_routes(desk.routes())

    async def control(request: web.Request) -> web.Response:
        stands[request.match_info["name"]].control(await request.json())
        return web.json_response({})

    async def ledger(request: web.Request) -> web.Response:
        return web.json_response(stands[request.match_info["name"]].ledger.as_json())

    app.router.add_post("/control/{name}", control)
    app.router.add_get("/ledger/{name}", ledger)
    return app


@asynccontextmanager
async def providers() -> AsyncIterator[Served]:
    """Serves them within this process."""
    stands = desks()
    runner = web.AppRunner(application(stands), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield Served(f"http://127.0.0.1:{port}", stands)
    finally:
        await runner.cleanup()


class Process:
    """The stand-ins as a process, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self._port_file = folder / "batching.port"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Process:
        command = [sys.executable, "-m", "tests.batching", "--port-file", str(self._port_file)]
        self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 30
        while not self._port_file.exists():
            assert self._process.poll() is None, "the stand-ins ended"
            assert time.monotonic() < deadline, "the stand-ins did not start"
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{self._port_file.read_text()}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    def base_url(self, name: str) -> str:
        """What the account of a provider has as base_url."""
        return f"{self.url}{BASES[name]}"

    def control(self, name: str, **faults: object) -> None:
        """Sets what goes wrong at a provider (desk.Faults)."""
        request = urllib.request.Request(f"{self.url}/control/{name}", json.dumps(faults).encode(), {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def ledger(self, name: str) -> Ledger:
        """What a provider was asked."""
        with urllib.request.urlopen(f"{self.url}/ledger/{name}", timeout=10) as response:
            said: Json = json.load(response)
        return Ledger(**{**said, "billed": [Billed(**row) for row in said["billed"]], "calls": Counter(said["calls"])})
