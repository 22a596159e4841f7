"""What tests of services share: a configuration of all three with one route, and their pages."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.ports import free_ports

SERVICES = ("gateway", "evaluator", "scorer")
PATIENCE_S = 180
"""How long tests wait for what is to come, on a machine that does much else; what takes longer never comes."""


def configuration(base_url: str, suites: Path, *, concurrency: int) -> dict[str, Any]:
    """A genlevel.yaml of three services at free ports, which find each other, with one route, "stubbed", to a server at base_url."""
    ports = free_ports(2 * len(SERVICES))
    listening = {name: {"grpc": f"127.0.0.1:{ports.pop()}", "http": f"127.0.0.1:{ports.pop()}"} for name in SERVICES}
    return {
        **listening,
        "addresses": {name: listening[name]["grpc"] for name in SERVICES},
        "accounts": {"stub": {"provider": "compatible", "base_url": base_url, "limits": {"concurrency": concurrency}}},
        "routes": {"stubbed": {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}}},
        "suites": {"folders": [str(suites)]},
    }


def ports_of(document: dict[str, Any], kind: str) -> dict[str, int]:
    """The services' ports in a configuration. kind: "grpc" or "http"."""
    return {name: int(document[name][kind].rpartition(":")[2]) for name in SERVICES}


def fetch(port: int, path: str = "/metrics") -> str:
    """The text of a page. Raises OSError if nobody answers, or with anything but 200."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        text: str = response.read().decode()
        return text


def wait_until_ready(process: Any, port: int) -> None:
    """Waits until a service says that it is ready."""
    deadline = time.monotonic() + PATIENCE_S
    while not _is_ready(port):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it does not become ready"
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        fetch(port, "/readyz")
    except OSError:
        return False
    return True
