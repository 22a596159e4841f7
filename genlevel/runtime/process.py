"""What a process is called where several share something: in leases, accounts' limits, the list of workers."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache


def process_name() -> str:
    """This process, for a person to read, and of no other process: "process 712 on worker-3 (1f0c9a2e)". The same each time."""
    return _named(os.getpid())


@cache
def _named(pid: int) -> str:
    return f"process {pid} on {socket.gethostname()} ({uuid.uuid4().hex[:8]})"
