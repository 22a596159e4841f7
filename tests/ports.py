"""Ports for what tests start."""

from __future__ import annotations

import os
import random
import socket

_FIRST_PORT, _LAST_PORT, _WORKERS = 18_000, 32_000, 8


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens to, all different: below those that systems give to whoever connects (often from 32,768 on), and of each
    of the processes that run tests its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    candidates = list(range(_FIRST_PORT + worker, _LAST_PORT, _WORKERS))
    random.shuffle(candidates)
    found: list[int] = []
    for port in candidates:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")
