"""Runs llama.cpp's own HTTP server inside this process, on a free loopback port, and asks it with the worked examples."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import logging
import os
from pathlib import Path
from types import ModuleType

import httpx2

from gateway.bodies import Json
from gateway.embedded.chat import messages_of
from gateway.embedded.examples import example_messages
from gateway.embedded.weights import WEIGHTS_SHA256
from genlevel.runtime.errors import ConfigurationError

# If a request names no limit. The model can ramble until its context is full, which takes minutes.
DEFAULT_MAX_TOKENS = 1024

_SLOT = 0
_PREPARE_TIMEOUT_S = 600.0
_log = logging.getLogger(__name__)


class LanguageServer:
    """llama.cpp's server for one GGUF file: /v1/chat/completions, /v1/responses, /v1/messages, /health, /metrics.

    One slot, with the whole context (n_ctx is divided between slots). Reading the worked examples takes seconds, so the
    slot's state behind them is kept as a file in ``cache``, a few megabytes, and read again at the next start.
    Construct it off the event loop. Raises ConfigurationError if llama.cpp cannot be loaded,
    RuntimeError if it cannot start.
    """

    def __init__(self, weights: Path, model: str, threads: int, context_tokens: int, cache: Path) -> None:
        xllamacpp = _llama_cpp()
        cache.mkdir(parents=True, exist_ok=True)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.model_alias = {model}
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0  # chosen by the system, told by listening_address
        parameters.n_ctx = context_tokens
        parameters.n_parallel = 1
        parameters.n_predict = DEFAULT_MAX_TOKENS
        parameters.use_jinja = True
        parameters.endpoint_metrics = True
        parameters.ui = False
        parameters.cors_origins = "http://127.0.0.1"  # not every page that a browser of this machine shows
        parameters.verbosity = 2  # warnings and errors: a line for each request would fill the log
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.slot_save_path = f"{cache}{os.sep}"
        # Answers at temperature 0 must not depend on what was asked before. Reusing whatever prefix the slot still holds
        # changes the batch sizes, hence the rounding: 4 of 21 answers differed. The examples' state is put back instead.
        parameters.cache_prompt = False
        parameters.cache_ram_mib = 0
        server = xllamacpp.Server(parameters)
        self._server: object = server  # it serves as long as it is referred to
        self.url: str = server.listening_address
        facts = [WEIGHTS_SHA256, xllamacpp.__version__, threads, context_tokens, example_messages()]
        self.examples_file = f"examples-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}.kv"
        _prepare(self.url, cache, self.examples_file)


def _llama_cpp() -> ModuleType:
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:  # most often because OpenMP's runtime is missing (see openmp.py)
        raise ConfigurationError(
            f"llama.cpp cannot be loaded ({error}): install the system package libgomp1 (Debian, Ubuntu) or libgomp (Fedora, Alpine)"
        ) from error


def _prepare(url: str, cache: Path, name: str) -> None:
    """Have the slot's state behind the examples in the cache's file ``name``."""
    with httpx2.Client(base_url=url, timeout=_PREPARE_TIMEOUT_S, trust_env=False) as client:
        if (cache / name).is_file():
            if client.post(f"/slots/{_SLOT}?action=restore", json={"filename": name}).status_code == 200:
                return
            _log.warning("%s cannot be read and is made anew", cache / name)
        template = client.post("/apply-template", json={"messages": example_messages(), "add_generation_prompt": False})
        prompt = template.raise_for_status().json()["prompt"]
        client.post("/completion", json={"prompt": prompt, "n_predict": 0, "cache_prompt": True, "id_slot": _SLOT}).raise_for_status()
        # Under a name of its own first: another start may be writing the same file.
        own = f"{name}.{os.getpid()}"
        client.post(f"/slots/{_SLOT}?action=save", json={"filename": own}).raise_for_status()
        (cache / own).replace(cache / name)


class Language:
    """Asks the language server, one request at a time: the slot's state is put back before each."""

    def __init__(self, server: LanguageServer, client: httpx2.AsyncClient) -> None:
        self._url = server.url
        self._examples_file = server.examples_file
        self._client = client
        self._slot = asyncio.Lock()

    async def answer(self, body: Json) -> httpx2.Response:
        """The answer to a chat request of text. Raises httpx2.HTTPError when the server does not answer."""
        async with self._slot:
            messages = messages_of(body)
            if any(message.get("role") in ("system", "developer") for message in messages):
                return await self._chat(body, cached=False)
            restored = await self._client.post(f"{self._url}/slots/{_SLOT}?action=restore", json={"filename": self._examples_file})
            restored.raise_for_status()
            answer = await self._chat({**body, "messages": [*example_messages(), *messages]}, cached=True)
            if _too_long(answer):
                answer = await self._chat(body, cached=False)
            return answer

    async def _chat(self, body: Json, *, cached: bool) -> httpx2.Response:
        return await self._client.post(f"{self._url}/v1/chat/completions", json={**body, "id_slot": _SLOT, "cache_prompt": cached})


def _too_long(answer: httpx2.Response) -> bool:
    if answer.status_code != 400:
        return False
    try:
        return bool(answer.json()["error"]["type"] == "exceed_context_size_error")
    except (ValueError, KeyError, TypeError):
        return False
