"""Runs llama.cpp's own HTTP server inside this process, on a free loopback port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Where a request names no limit. The model can ramble until its context is full, which takes minutes.
DEFAULT_MAX_TOKENS = 1024


class LanguageServer:
    """llama.cpp's server for one GGUF file: /v1/chat/completions, /v1/responses, /v1/messages, /health, /metrics.

    Loading takes about a second and blocks: construct it off the event loop. Raises RuntimeError if it cannot start.
    """

    def __init__(self, weights: Path, model: str, threads: int, context_tokens: int, slots: int = 1) -> None:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.model_alias = {model}
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0  # chosen by the system, told by listening_address
        parameters.n_ctx = context_tokens * slots  # n_ctx is divided between the slots
        parameters.n_parallel = slots
        parameters.n_predict = DEFAULT_MAX_TOKENS
        parameters.use_jinja = True
        parameters.endpoint_metrics = True
        parameters.ui = False
        parameters.verbosity = 2  # warnings and errors: a line for each request would fill the log
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        # Answers at temperature 0 must not depend on what was asked before. Reusing a cached prefix changes the batch
        # sizes, hence the rounding, hence now and then a token.
        parameters.cache_prompt = False
        parameters.cache_ram_mib = 0
        self._server: Any = xllamacpp.Server(parameters)
        self.url: str = self._server.listening_address
