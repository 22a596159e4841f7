"""The embedded model's process: ``python -m gateway.embedded``, started and stopped by the launcher.

Writes {"port": N, "language_url": ...} as one line of JSON to its first standard output when it serves; everything else
goes to standard error. Ends when its standard input closes, which happens however its parent ends.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TextIO

from genlevel.runtime.errors import GenlevelError

_log = logging.getLogger("gateway.embedded")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Serve until standard input closes or SIGTERM comes."""
    arguments = _arguments()
    _die_with(arguments.parent, at_once=arguments.die_at_once)
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # llama.cpp writes to both; only the report goes into the pipe
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(arguments, report))
    except GenlevelError as error:
        _log.error("%s", error)
        _leave(1)
    except Exception as error:
        _log.exception("the embedded server cannot go on")
        _log.error("%s: %s", type(error).__name__, error)
        _leave(1)
    _leave(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.embedded", description="The embedded model's server.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context-tokens", type=int, default=8192)
    parser.add_argument("--cache", type=Path, required=True, help="a folder for what a later start can use again")
    parser.add_argument("--parent", type=int, default=0, help="end when this process ends; 0 = only when standard input closes")
    parser.add_argument("--die-at-once", action="store_true", help="let the kernel end this process with its parent (Linux)")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace, report: TextIO) -> None:
    import uvicorn

    from gateway.embedded.language import Language, LanguageServer
    from gateway.embedded.reading import Reader
    from gateway.embedded.server import Parts, create_app
    from gateway.embedded.weights import MODEL_NAME, require_installed, verified_weights

    require_installed()
    listener = socket.create_server(("127.0.0.1", 0))
    parts = Parts(MODEL_NAME, Reader(arguments.threads))
    config = uvicorn.Config(create_app(parts), log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    def load() -> LanguageServer:
        return LanguageServer(verified_weights(), MODEL_NAME, arguments.threads, arguments.context_tokens, arguments.cache.absolute())

    serving = asyncio.create_task(server.serve(sockets=[listener]))
    language = await asyncio.to_thread(load)
    parts.language = Language(language, parts.client)
    port = listener.getsockname()[1]
    report.write(json.dumps({"port": port, "language_url": language.url}) + "\n")
    report.close()
    _log.info("%s serves on 127.0.0.1:%d, llama.cpp on %s", MODEL_NAME, port, language.url)
    await serving


def _die_with(parent: int, *, at_once: bool) -> None:
    """End this process when its parent ends, even by SIGKILL: by the kernel on Linux, by the closed pipe everywhere."""
    if at_once and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch_input, daemon=True).start()
    if parent and os.name == "posix":
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_input() -> None:
    while os.read(0, 4096):
        pass
    _log.info("the parent has closed the pipe")
    _leave(0)


def _watch_parent(parent: int) -> None:
    """The parent's number, looked at too, as a fork of the parent may hold a copy of the pipe's other end."""
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(1.0)
    _log.info("the parent, process %d, is gone", parent)
    _leave(0)


def _leave(status: int) -> None:
    """End without running llama.cpp's destructors, which wait for an answer in progress. Nothing here is on disk."""
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
