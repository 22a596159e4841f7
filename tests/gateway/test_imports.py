"""Modules of the gateway know each other in one direction: each can be the first that a process imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What they have in common is imported once, and each of them in a process of its own that has it already.
FIRST_EACH = """
import os, pkgutil
import aiohttp, google.protobuf, orjson, prometheus_client, pydantic, yaml
import gateway, genlevel.v1.gateway_pb2

names = [module.name for module in pkgutil.walk_packages(gateway.__path__, "gateway.") if "__main__" not in module.name]
for name in names:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except ImportError as error:
            print(f"{name}: {error}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
print(len(names))
"""


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="has no fork")
def test_any_module_can_be_the_first() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_EACH], capture_output=True, text=True, check=True, timeout=300)
    *failures, count = done.stdout.splitlines()
    assert not failures
    assert int(count) > 100
