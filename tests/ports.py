"""Ports for what tests start."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator

_FIRST_PORT, _LAST_PORT, _WORKERS = 18_000, 32_000, 8


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens to: below those that systems give to whoever connects (often from 32,768 on), of each of the processes
    that run tests its own, and none of those that were given shortly before, as those may not be listened to yet.
    """
    found: list[int] = []
    for port in itertools.islice(_CANDIDATES, (_LAST_PORT - _FIRST_PORT) // _WORKERS):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def _candidates() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    ports = list(range(_FIRST_PORT + worker, _LAST_PORT, _WORKERS))
    random.shuffle(ports)
    return itertools.cycle(ports)


_CANDIDATES = _candidates()
