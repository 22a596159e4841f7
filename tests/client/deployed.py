"""`genlevel up` as a process of its own, which asks for client certificates and takes tokens, and what programs show to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import trustme
import yaml

from genlevel.runtime.callers.tokens import hash_of, new_token
from tests.ports import free_ports

NAMES = ("gateway", "evaluator", "scorer")
PATIENCE_S = 120


class Deployed:
    """Services in a folder. roles: of certificates that are made for callers, by the callers' names."""

    def __init__(self, folder: Path, configuration: dict[str, object], roles: dict[str, list[str]]) -> None:
        self._folder = folder
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        for who in ("services", *roles):
            made = authority.issue_cert("127.0.0.1", "localhost", f"{who}.test")
            made.private_key_pem.write_to_path(folder / f"{who}.key")
            made.cert_chain_pems[0].write_to_path(folder / f"{who}.pem")
        ports = free_ports(2 * len(NAMES))
        tls = {"certificate": str(folder / "services.pem"), "key": str(folder / "services.key"), "client_ca": str(folder / "ca.pem")}
        listening = {name: {"grpc": f"127.0.0.1:{ports.pop()}", "http": f"127.0.0.1:{ports.pop()}", "tls": tls} for name in NAMES}
        self.tokens = {name: new_token() for name in ("reader", "expired", "unknown")}
        rows = [
            {"name": "reader", "sha256": hash_of(self.tokens["reader"]), "roles": ["read"]},
            {"name": "expired", "sha256": hash_of(self.tokens["expired"]), "roles": ["admin"], "expires": "2026-01-01"},
        ]
        (folder / "tokens.yaml").write_text(yaml.safe_dump({"tokens": rows}))
        certificates = {"services.test": ["admin"], **{f"{who}.test": given for who, given in roles.items()}}
        document = {
            **configuration,
            **listening,
            "web": "none",
            "auth": {"certificates": certificates, "tokens": str(folder / "tokens.yaml"), "metrics": "open"},
        }
        (folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
        self.addresses = {name: str(section["grpc"]) for name, section in listening.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GENLEVEL_")}
        command = [sys.executable, "-m", "genlevel", "up", "--out", "data"]
        self._process = subprocess.Popen(command, cwd=self._folder, env=clean, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        for address in self.addresses.values():
            host, _, port = address.rpartition(":")
            while True:
                try:
                    socket.create_connection((host, int(port)), timeout=1).close()
                    break
                except OSError:
                    assert self._process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None

    def shown(self, who: str) -> dict[str, Any]:
        """Arguments of a client that shows this caller's certificate."""
        files = {"ca": self._folder / "ca.pem", "certificate": self._folder / f"{who}.pem", "key": self._folder / f"{who}.key"}
        return {"address": self.addresses["evaluator"], "gateway": self.addresses["gateway"], "scorer": self.addresses["scorer"], **files}
