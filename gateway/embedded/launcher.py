"""Starts the embedded model's server as a child process, waits until it answers, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from gateway.embedded import openmp
from gateway.embedded.weights import MODEL_NAME, require_installed
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import Embedded

LOG_NAME = "embedded.log"
_LOG_LIMIT_BYTES = 1 << 20
_STOP_WAIT_S = 5.0
_POLL_S = 0.02


class EmbeddedServer:
    """A running embedded model.

    Attributes:
        base_url: OpenAI-compatible address, ending in /v1. language_url: llama.cpp's own server behind it, without
        a path (text only; it also speaks /v1/responses and /v1/messages). model: the name to ask for. pid: of the child.
        log_path: what the child writes.
    """

    model = MODEL_NAME

    def __init__(self, process: subprocess.Popen[bytes], base_url: str, language_url: str, log_path: Path) -> None:
        self.base_url = base_url
        self.language_url = language_url
        self.pid = process.pid
        self.log_path = log_path
        self._process = process

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    async def stop(self) -> None:
        """End the child and wait for it, killing it after a few seconds; harmless when it has ended."""
        await _stop(self._process)


async def start(settings: Embedded, folder: Path) -> EmbeddedServer:
    """Start the server and return when it is healthy. The log is folder/logs/embedded.log;
    folder/cache keeps what makes the next start faster.

    Raises ConfigurationError when its packages are missing, or when it is not healthy within start_timeout_s,
    naming the log and its last line. Call it on the main thread if you can: then the kernel itself ends the child
    with this process; from another thread only the pipe between them does.
    """
    require_installed()
    log_path = folder / "logs" / LOG_NAME
    log_offset = _prepare_log(log_path)
    process = _spawn(settings, folder, log_path)
    # Collects the exit status whenever the child ends, so that a crashed one leaves no zombie.
    threading.Thread(target=process.wait, name="embedded-wait", daemon=True).start()
    deadline = time.monotonic() + settings.start_timeout_s
    try:
        port, language_url = await _report(process, deadline)
        await _healthy(process, port, deadline)
    except _NotStarted as problem:
        await _stop(process)
        raise ConfigurationError(
            f"the embedded model {problem} (embedded.start_timeout_s is {settings.start_timeout_s:g}): {_last_line(log_path, log_offset)}"
        ) from None
    except BaseException:
        await asyncio.shield(_stop(process))
        raise
    return EmbeddedServer(process, f"http://127.0.0.1:{port}/v1", language_url, log_path)


class _NotStarted(Exception):
    """Why the server is not there, as the middle of a sentence."""


def _spawn(settings: Embedded, folder: Path, log_path: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-P",  # the current folder may hold a `gateway` of its own
        "-m",
        "gateway.embedded",
        f"--threads={settings.threads}",
        f"--context-tokens={settings.context_tokens}",
        f"--cache={folder.absolute() / 'cache'}",
        f"--parent={os.getpid()}",
    ]
    if threading.current_thread() is threading.main_thread():
        # The kernel's signal comes when the *thread* that started the child ends; only the main one lives long enough.
        command.append("--die-at-once")
    threads = {"OMP_NUM_THREADS": str(settings.threads), "OPENBLAS_NUM_THREADS": str(settings.threads)}
    environment = {**os.environ, **threads, **openmp.environment(folder / "cache" / "lib")}
    with log_path.open("ab") as log:
        # In a session of its own, Ctrl-C in the terminal reaches only the parent, which ends its calls before the server.
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True)


async def _report(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, str]:
    """Port and language server's address, as the child reports them once the weights are loaded."""
    assert process.stdout is not None
    lines: list[bytes] = []
    reading = threading.Thread(target=_read_line, args=(process.stdout, lines), daemon=True)
    reading.start()
    while reading.is_alive():
        if time.monotonic() > deadline:
            raise _NotStarted("did not start in time")
        await asyncio.sleep(_POLL_S)
    if not lines or not lines[0]:
        raise _NotStarted("did not start")
    report = json.loads(lines[0])
    return int(report["port"]), str(report["language_url"])


def _read_line(stream: IO[bytes], lines: list[bytes]) -> None:
    with stream:
        lines.append(stream.readline())


async def _healthy(process: subprocess.Popen[bytes], port: int, deadline: float) -> None:
    while not await asyncio.to_thread(_health, port):
        if process.poll() is not None:
            raise _NotStarted("ended while starting")
        if time.monotonic() > deadline:
            raise _NotStarted("was not healthy in time")
        await asyncio.sleep(_POLL_S)


def _health(port: int) -> bool:
    """Whether /health answers 200. http.client, as it heeds no proxy settings."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()  # the child ends by itself at this
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.to_thread(process.wait, _STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)


def _prepare_log(path: Path) -> int:
    """Make the folder, set a full log aside as .1, and return where this start's lines begin."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = path.stat().st_size if path.exists() else 0
        if size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
            size = 0
        return size
    except OSError as error:
        raise ConfigurationError(f"{path}: the embedded model's log cannot be written: {error.strerror}") from error


def _last_line(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        file.seek(offset)
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return f"see {path}, whose last line is: {lines[-1].strip()}" if lines else f"see {path}, which is empty"
