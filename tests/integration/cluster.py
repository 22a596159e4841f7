"""Several gateways, scorers and evaluators as processes of their own over one PostgreSQL and one NATS, and what a test does to them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import yaml

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc as ev_grpc
from genlevel.v1 import scorer_pb2_grpc as sc_grpc
from tests.integration.conftest import Command, Forker, Served
from tests.integration.credentials import Credentials
from tests.integration.serving import PATIENCE_S, fetch, wait_until_ready
from tests.ports import free_ports

SERVICES = ("gateway", "scorer", "evaluator")
GRACE_S = 5.0


class Cluster:
    """Processes "gateway-0", "scorer-0", "evaluator-0", "evaluator-1" and so on, with one route, "stubbed".

    Args:
        folder: of this cluster alone; below it each process has a folder of its own, and all share ``blobs``.
        database, queue: their URLs.
        base_url: of the upstream.
        limits: of the account that the route uses.
        counts: how many processes each service has, by its name.
        settings: of all processes, beside those.
        own: further settings of single processes, by their names.
    """

    def __init__(
        self,
        folder: Path,
        credentials: Credentials,
        forker: Forker | None,
        *,
        database: str,
        queue: str,
        base_url: str,
        limits: Mapping[str, int],
        counts: Mapping[str, int],
        settings: Mapping[str, Any] | None = None,
        own: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.names = [f"{service}-{number}" for service in SERVICES for number in range(counts.get(service, 1))]
        ports = free_ports(2 * len(self.names))
        self.grpc = {name: ports.pop() for name in self.names}
        self.http = {name: ports.pop() for name in self.names}
        self.running: dict[str, Served] = {}
        self.said: dict[str, list[str]] = {name: [] for name in self.names}
        self._credentials = credentials
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        shared = {
            "addresses": {service: self._address(service) for service in SERVICES},
            "accounts": {"stub": {"provider": "compatible", "base_url": base_url, "limits": dict(limits)}},
            "routes": {"stubbed": {"account": "stub", "model": "stub-1", "price": {"input": "1", "output": "4"}}},
            "suites": {"folders": [str(folder.parent)]},
            "storage": {"url": database, "blobs": str(folder / "blobs"), "patience_s": 60},
            "grace_s": GRACE_S,
            **(settings or {}),
        }
        if queue:
            shared["queue"] = queue
        self._commands = {}
        for name in self.names:
            service = name.partition("-")[0]
            home = folder / name
            home.mkdir()
            listening = {service: {"grpc": f"127.0.0.1:{self.grpc[name]}", "http": f"127.0.0.1:{self.http[name]}"}}
            document = {**shared, **listening, **(own or {}).get(name, {})}
            (home / "genlevel.yaml").write_text(yaml.safe_dump(document))
            self._commands[name] = Command(home, credentials, forker)
        home = folder / "client"
        home.mkdir()
        (home / "genlevel.yaml").write_text(yaml.safe_dump({"addresses": shared["addresses"]}))
        self.command = Command(home, credentials, forker)

    def of(self, service: str) -> list[str]:
        """The names of a service's processes."""
        return [name for name in self.names if name.startswith(service)]

    def start(self, *names: str) -> None:
        """Starts processes, all of them if none is named, and waits until they are ready."""
        for name in names or self.names:
            self.launch(name)
        for name in names or self.names:
            wait_until_ready(self.running[name].process, self.http[name])

    def launch(self, name: str) -> None:
        """Starts a process, and does not wait for it."""
        self.running[name] = Served(self._commands[name].start(name.partition("-")[0], "--out", "data"))

    def send(self, name: str, number: int) -> None:
        """Sends a signal to a process."""
        self.running[name].process.send_signal(number)

    def end(self, name: str, number: int = signal.SIGKILL) -> int:
        """Ends a process by a signal, and waits for its end. Returns its exit code."""
        served = self.running.pop(name)
        served.process.send_signal(number)
        code, said = served.ended(GRACE_S + 30)
        self.said[name].append(said)
        return code

    def again(self, name: str, number: int = signal.SIGKILL) -> None:
        """Ends a process by a signal, and starts it again, without waiting until it is ready."""
        self.end(name, number)
        self.launch(name)

    def asleep(self, name: str, seconds: float) -> threading.Timer:
        """Stops a process for a while: it does nothing, and does not know it. Returns what wakes it."""
        self.send(name, signal.SIGSTOP)
        timer = threading.Timer(seconds, lambda: self.send(name, signal.SIGCONT))
        timer.start()
        return timer

    def evaluator(self, name: str = "evaluator-0") -> ev_grpc.EvaluatorServiceStub:
        """A stub of one of the evaluators, for threads."""
        return ev_grpc.EvaluatorServiceStub(self._credentials.blocking_channel(self.grpc[name]))

    def scorer(self, name: str = "scorer-0") -> sc_grpc.ScorerServiceStub:
        """A stub of one of the scorers, for threads."""
        return sc_grpc.ScorerServiceStub(self._credentials.blocking_channel(self.grpc[name]))

    def start_run(self, suite: Path, **traffic: Any) -> str:
        """Starts a run of a suite. Returns its id."""
        specification = ev.RunSpecification(model="stubbed", suite=suite.name)
        request = ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(**traffic))
        return str(self.evaluator().StartRun(request, timeout=60).run.run_id)

    def run(self, run_id: str) -> ev.Run:
        """A run as any evaluator that answers tells of it."""
        for name in self.of("evaluator"):
            if name not in self.running:
                continue
            try:
                return self.evaluator(name).GetRun(ev.GetRunRequest(run_id=run_id), timeout=10).run
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise
        return ev.Run()

    def wait(self, run_id: str, timeout_s: float = PATIENCE_S) -> ev.Run:
        """Waits until a run has ended. Returns it."""
        deadline = time.monotonic() + timeout_s
        while True:
            run = self.run(run_id)
            if run.status not in (ev.RUN_STATUS_UNSPECIFIED, ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_INTERRUPTED):
                return run
            assert time.monotonic() < deadline, f"it does not end: {run}"
            time.sleep(0.25)

    def metrics(self, name: str) -> str:
        """The metrics of a process."""
        return fetch(self.http[name])

    def close(self) -> None:
        """Ends all processes. What they said is in ``said``."""
        for served in self.running.values():
            served.process.send_signal(signal.SIGCONT)
            served.process.kill()
        for name, served in self.running.items():
            self.said[name].append(served.ended()[1])
        self.running.clear()

    def _address(self, service: str) -> str:
        """All processes of a service as gRPC writes them, as a name of a cluster would resolve to them."""
        return "ipv4:" + ",".join(f"127.0.0.1:{self.grpc[name]}" for name in self.names if name.startswith(service))
