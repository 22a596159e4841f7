"""A gateway under attack: its memory, its answers to whoever looks whether it lives, and what its callers are told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from tests.integration.credentials import Credentials
from tests.integration.serving import wait_until_ready
from tests.ports import free_ports

MOST_MIB = 512.0
MOST_HEALTH_S = 1.0
MORE_AT_THE_END_MIB = 100.0


@dataclass
class Attacked:
    """How an attack went: how its calls ended, the gateway's most memory, the longest wait for /healthz, and the memory afterwards."""

    ended: dict[str, int]
    most_mib: float
    health_s: float
    before_mib: float
    after_mib: float


@dataclass(frozen=True)
class Target:
    """A gateway in its own process."""

    pid: int
    grpc_port: int
    http_port: int
    credentials: Credentials

    def mib(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def health_s(self) -> float:
        started = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/healthz", timeout=30) as page:
            assert page.status == 200
        return time.monotonic() - started

    def attack(self, attack: str) -> Attacked:
        """Looks at it for as long as the attack goes on, and once more when it should have recovered."""
        before = most = self.mib()
        script = Path(__file__).parent / "hostile_client.py"
        shown = json.dumps({name: str(file) for name, file in self.credentials.shown().items()})
        command = [sys.executable, str(script), str(self.grpc_port), attack, shown]
        hostile = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        longest = 0.0
        while hostile.poll() is None:
            longest = max(longest, self.health_s())
            most = max(most, self.mib())
            time.sleep(0.01)
        assert hostile.stdout is not None
        with hostile.stdout:
            ended = json.loads(hostile.stdout.read())
        deadline = time.monotonic() + 10
        while (after := self.mib()) > before + MORE_AT_THE_END_MIB and time.monotonic() < deadline:
            time.sleep(0.2)
        return Attacked(ended, most, longest, before, after)

    def answers(self) -> str:
        """What it says to somebody who means well."""
        request = gw.GenerateRequest(route="stubbed", messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Well?")])])
        with self.credentials.blocking_channel(self.grpc_port) as channel:
            stub = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
            return str(stub.Generate(request, timeout=60).parts[0].text)


@pytest.fixture
def target(tmp_path: Path, stub_upstream: Callable[..., object], credentials: Credentials) -> Iterator[Target]:
    stub = stub_upstream(latency=0.2)
    ports = free_ports(2)
    document = {
        "gateway": {"grpc": f"127.0.0.1:{ports[0]}", "http": f"127.0.0.1:{ports[1]}"},
        "accounts": {"stub": {"provider": "compatible", "base_url": stub.base_url}},  # type: ignore[attr-defined]
        "routes": {"stubbed": {"account": "stub", "model": "stub-1", "input_modalities": ["text", "image"]}},
    }
    (tmp_path / "genlevel.yaml").write_text(yaml.safe_dump(document))
    # Not forked: what the forker has imported would count as the gateway's memory.
    words, given = credentials.given(tmp_path, ["gateway"])
    command = [sys.executable, "-m", "genlevel", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, env={**os.environ, **given})
    found = Target(process.pid, *ports, credentials)
    try:
        wait_until_ready(process, ports[1])
        assert found.answers() == "A"
        yield found
    finally:
        process.kill()
        process.wait()


def check(attacked: Attacked) -> None:
    assert attacked.most_mib < MOST_MIB, attacked
    assert attacked.health_s < MOST_HEALTH_S, attacked
    assert attacked.after_mib < attacked.before_mib + MORE_AT_THE_END_MIB, attacked


@pytest.mark.slow
@pytest.mark.services
def test_a_gateway_under_attack_stays_small_and_lives_and_says_which_limit_was_passed(target: Target) -> None:
    for attack, said in (
        ("messages:1x3000000", "27000009 vs. 8388608"),  # three million messages
        ("bytes:30x30", "vs. 8388608"),
        ("bytes:4x60", "vs. 8388608"),
        ("messages:10x800000", "more than 50,000 values"),  # as many bytes as it takes
        ("messages:10x1001", "1,001 messages; the gateway takes at most 1,000 (limits.messages)"),
    ):
        attacked = target.attack(attack)
        check(attacked)
        assert attacked.ended
        for ended in attacked.ended:
            assert ended.startswith("RESOURCE_EXHAUSTED: ")
            assert said in ended
    assert target.answers() == "A", "others are served as before"


@pytest.mark.soak
@pytest.mark.parametrize(
    "attack",
    ["messages:1x3000000", "bytes:60x30", "bytes:8x60", "bytes:60x7.5", "streams:60x7.5", "messages:60x800000", "small:5000x900"],
)
def test_no_attack_fills_or_stalls_a_gateway(target: Target, attack: str) -> None:
    attacked = target.attack(attack)
    check(attacked)
    # gRPC's client says INTERNAL itself if a call is refused while it writes, and its server CANCELLED if too many calls come at once.
    known = ("OK", "RESOURCE_EXHAUSTED", "CANCELLED", "INTERNAL: Internal error from Core")
    assert not [ended for ended in attacked.ended if not ended.startswith(known)]
    assert target.answers() == "A"


@pytest.mark.soak
@pytest.mark.parametrize("attack", ["slow:3000", "connections:2000"])
def test_calls_that_send_nothing_and_connections_without_calls_take_little(target: Target, attack: str) -> None:
    check(target.attack(attack))
    assert target.answers() == "A"
