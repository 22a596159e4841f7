"""Starts Python programs for tests without their start-up: it has imported what they import, and forks for each.

A program is a process of its own as ever, with its own folder, environment, streams, signals and exit code; only its modules are there
already.

Usage: forker.py SOCKET. A message on SOCKET (the number of a descriptor) is a JSON object {program, arguments, folder, environment}; with
it come the new process's standard input, output and error, and a socket that is sent the pid (with a descriptor of the process) and, when
it has ended, its exit code. The forker ends when SOCKET is closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import socket
import sys
import threading
import traceback
from typing import Any, NoReturn

# What a command imports when it comes to need it.
LATE = """
aiohttp.web alembic.command concurrent.futures.thread fastapi google.rpc.status_pb2 grpc.aio grpc_health.v1.health
grpc_reflection.v1alpha.reflection grpc_status.rpc_status numpy openai openpyxl orjson prometheus_client rich.live rich.progress rich.table
scipy.optimize scipy.sparse scipy.stats sqlalchemy.dialects.sqlite uvicorn uvloop
"""
MESSAGE_BYTES = 1 << 18


def preload() -> None:
    """Imports what programs import, without anything that a fork would lose."""
    names = LATE.split()
    for package in ("genlevel", "gateway", "evaluator", "scorer"):
        names += [module.name for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")]
    for name in names:
        if not name.endswith(("__main__", ".torchs", ".video", ".vision")) and ".migrations." not in name:
            try:
                importlib.import_module(name)
            except ImportError:  # a module of an extra that is not installed
                continue
    assert threading.active_count() == 1, "a module starts a thread when it is imported"
    gc.collect()
    gc.freeze()


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Forks for each request. Returns the request in the new process, and nothing in the old one at the end."""
    running: dict[int, tuple[int, socket.socket]] = {}  # descriptor of a process -> (its pid, who waits for its end)
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in running:
                pid, caller = running.pop(ready)
                poll.unregister(ready)
                os.close(ready)
                _tell(caller, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
                caller.close()
                continue
            message, descriptors, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 4)
            if not message:
                return None
            *streams, answers = descriptors
            caller = socket.socket(fileno=answers)
            if (pid := os.fork()) == 0:
                for process, (_, other) in running.items():
                    os.close(process)
                    other.close()
                caller.close()
                requests.close()
                request: dict[str, Any] = json.loads(message)
                _become(request, streams)
                return request
            for stream in streams:
                os.close(stream)
            process = os.pidfd_open(pid)
            running[process] = (pid, caller)
            poll.register(process, select.POLLIN)
            _tell(caller, str(pid), process)


def _tell(caller: socket.socket, text: str, *descriptors: int) -> None:
    try:
        socket.send_fds(caller, [text.encode()], descriptors)
    except OSError:  # nobody waits for it
        return


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Takes on the folder, the environment and the streams that the process would have been started with."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        old = getattr(sys, name)
        new = open(number, mode, encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        new.reconfigure(line_buffering=name == "stderr" or new.isatty())
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def run(program: str) -> int:
    """The exit code of a module, or of a script by its path, that is run as the main program."""
    try:
        if program.endswith(".py"):
            runpy.run_path(program, run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def end(code: int) -> NoReturn:
    """Ends as Python does, threads and all, but leaves the memory to the system: to free it would copy all that was imported."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 120
    os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        preload()
        asked = serve(control)
    if asked is not None:
        sys.argv = [asked["program"], *asked["arguments"]]
        end(run(asked["program"]))
