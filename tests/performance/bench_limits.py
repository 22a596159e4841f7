"""How much of a provider's limit is used, and how many calls it turns away: `python tests/performance/bench_limits.py`.

A server over real HTTP (limit_server.py, a process of its own) with token buckets of 50 requests a second; each cell is one bucket, and
`genlevel eval` as a process, or two of them that know nothing of each other. What is used and turned away is counted by the server, from
30 s after a cell's first call on. Beside them, at buckets of its own: a plain loop of 64 workers that waits as long as Retry-After says
(a second if nothing says). Cells run some at a time (--at-once), their loops among them; those of a burst of 1 run one after the other.

  --quick   a few cells, counted for 20 s
  --all     every latency with every burst, headers, stated and unstated
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_evaluator import make_suite
from machine import machine

RATE = 50.0
FROM_S = 30.0
INSTANCES = 12_000
"""More than any cell can ask."""
SERVER = Path(__file__).resolve().parent / "limit_server.py"
HALF = ((0.0, RATE, 10.0), (60.0, RATE / 2, 5.0), (150.0, RATE, 10.0))


@dataclass(frozen=True)
class Cell:
    """One bucket and who asks it. rules: (from when, rate, burst). windows: (from, to) in which is counted."""

    burst: float
    latency_ms: int
    headers: str = "retry-after"
    stated: bool = False
    processes: int = 1
    rules: tuple[tuple[float, float, float], ...] = ()
    windows: tuple[tuple[str, float, float], ...] = ()

    @property
    def name(self) -> str:
        who = "two processes" if self.processes > 1 else "stated" if self.stated else "unstated"
        return f"burst {self.burst:2.0f}, {self.latency_ms:3} ms, {self.headers:14} {who}"

    @property
    def aims(self) -> tuple[float, float]:
        """The least used and the most rejected."""
        return (0.97, 0.005) if self.stated else (0.9, 0.02)

    def admits(self, start: float, end: float) -> float:
        """What its bucket admits in that time."""
        rules = self.rules or ((0.0, RATE, self.burst),)
        total = 0.0
        for number, (begins, rate, _) in enumerate(rules):
            ends = rules[number + 1][0] if number + 1 < len(rules) else float("inf")
            total += rate * max(0.0, min(end, ends) - max(start, begins))
        return total


def cells(*, quick: bool, every: bool) -> Iterator[Cell]:
    """What is measured."""
    styles = ("none", "retry-after", "retry-after-ms", "both")
    if quick:
        yield from (Cell(10, 100), Cell(1, 20), Cell(10, 20, "both"), Cell(5, 20, stated=True), Cell(10, 100, processes=2))
        return
    for latency in (20, 100):
        for burst in (1.0, 5.0, 10.0, 50.0):
            for headers in styles:
                for stated in (False, True)[: 1 + (burst > 1)]:
                    if every or headers == "retry-after" or (burst == 10 and not stated):
                        yield Cell(burst, latency, headers, stated)
        for burst in (5.0, 10.0, 50.0):
            yield Cell(burst, latency, "retry-after", processes=2)
    for latency in (20, 100):
        halves = (("before", 30.0, 60.0), ("30 s after it halved", 90.0, 150.0), ("30 s after it came back", 180.0, 225.0))
        yield Cell(10, latency, rules=HALF, windows=halves)


class Server:
    """The server's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def ask(self, **request: object) -> object:
        """One line there, one line back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def calls(self, name: str) -> list[tuple[float, int]]:
        """Seconds and status of all calls of a cell."""
        return self.ask(tell=name)  # type: ignore[return-value]

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@dataclass(frozen=True)
class Figures:
    """What came of one cell in one window, of genlevel and of the plain loop (used, rejected)."""

    cell: Cell
    window: str
    used: float
    rejected: float
    plain: tuple[float, float]

    def line(self) -> str:
        least, most = self.cell.aims
        kept = "" if self.used >= least and self.rejected <= most else "  NOT KEPT"
        found = f"used {self.used:6.1%} (aim {least:.0%})  rejected {self.rejected:6.2%} (aim {most:.1%})"
        return f"  {self.cell.name:46} {self.window:24} {found}   plain loop {self.plain[0]:6.1%} / {self.plain[1]:6.2%}{kept}"


def shares(cell: Cell, calls: Sequence[tuple[float, int]], start: float, end: float) -> tuple[float, float]:
    """What was used and what was rejected."""
    inside = [status for at, status in calls if start <= at < end]
    return inside.count(200) / cell.admits(start, end), inside.count(429) / max(1, len(inside))


def genlevel(base_url: str, suite: Path, folder: Path, cell: Cell) -> subprocess.Popen[bytes]:
    """A process of the command that asks."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
    python_path = os.pathsep.join(filter(None, [str(SERVER.parents[2]), clean.get("PYTHONPATH", "")]))
    command = [
        sys.executable,
        "-m",
        "genlevel",
        "eval",
        "--model",
        "stub",
        "--base-url",
        base_url,
        "--suite",
        str(suite),
        "--out",
        str(folder),
    ]
    if cell.stated:
        command += ["--rpm", str(round(RATE * 60))]
    return subprocess.Popen(
        command, cwd=folder, env=clean | {"PYTHONPATH": python_path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def measure(server: Server, cell: Cell, suite: Path, *, for_s: float) -> list[Figures]:
    """Runs a cell, and a plain loop at a bucket of its own beside it."""
    windows = cell.windows or (("", FROM_S, FROM_S + for_s),)
    last = max(end for _, _, end in windows)
    name = f"{abs(hash(cell)):x}"
    rules = cell.rules or ((0.0, RATE, cell.burst),)
    for each in (name, name + "-plain"):
        server.ask(add=each, rules=rules, headers=cell.headers, latency_s=cell.latency_ms / 1000)
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            url = f"http://127.0.0.1:{server.port}/{name}/v1"
            for number in range(cell.processes):
                own = Path(folder) / str(number)
                own.mkdir()
                running.append(genlevel(url, suite, own, cell))
            running.append(subprocess.Popen([sys.executable, __file__, "--plain", url.replace(name, name + "-plain")]))
            until = time.monotonic() + last + 60.0
            while time.monotonic() < until:
                time.sleep(0.5)
                calls, plain = server.calls(name), server.calls(name + "-plain")
                if calls and plain and min(calls[-1][0], plain[-1][0]) >= last:
                    break
                if ended := [process.returncode for process in running if process.poll() is not None]:
                    print(f"  {cell.name}: ended with {ended} at {calls[-1:]}", flush=True)
                    break
        finally:
            for process in running:
                process.kill()
                process.wait()
    return [Figures(cell, window, *shares(cell, calls, start, end), shares(cell, plain, start, end)) for window, start, end in windows]


async def plain_loop(base_url: str, workers: int = 64) -> None:
    """What many write: as many workers as calls in flight, each of which waits as long as it is told, and asks again."""
    import aiohttp

    body = {"model": "stub", "messages": [{"role": "user", "content": "Which of these is right?"}]}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            while True:
                async with session.post(f"{base_url}/chat/completions", json=body) as response:
                    await response.read()
                    if response.status == 429:
                        await asyncio.sleep(float(response.headers.get("retry-after", "1")))

        await asyncio.gather(*(work() for _ in range(workers)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="", help="cells whose name contains this")
    parser.add_argument("--at-once", type=int, default=4, help="cells at a time")
    parser.add_argument("--plain", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        asyncio.run(plain_loop(options.plain))
        return
    chosen = [cell for cell in cells(quick=options.quick, every=options.all or bool(options.only)) if options.only in cell.name]
    for_s = 20.0 if options.quick else 45.0
    print(machine())
    print(f"a limit of {RATE:.0f}/s, counted for {for_s:.0f} s from {FROM_S:.0f} s after the first call on, {options.at_once} at a time:")
    server = Server()
    kept = total = 0
    try:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.at_once) as pool:
            suite = make_suite(Path(folder) / "suite", INSTANCES)

            def measured(cell: Cell) -> list[Figures]:
                return measure(server, cell, suite, for_s=for_s)

            def results() -> Iterator[list[Figures]]:
                # To a burst of 1 a millisecond matters: beside others it would be measured how busy the machine is.
                yield from map(measured, [cell for cell in chosen if cell.burst == 1])
                yield from pool.map(measured, [cell for cell in chosen if cell.burst > 1])

            for figures in results():
                for each in figures:
                    print(each.line(), flush=True)
                    total += 1
                    kept += "NOT KEPT" not in each.line()
    finally:
        server.stop()
    print(f"{kept} of {total} aims kept")


if __name__ == "__main__":
    main()
