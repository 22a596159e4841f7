"""Pages over 100 runs, one of them of General-Bench's size, 325,876 answers: CPU time to the first byte, and the server's memory.

    python tests/performance/bench_pages.py [FOLDER]

FOLDER: with data as ``full_size.py`` makes them; without one they are made, which takes some five minutes. Prints of each page the CPU time
of the server until its first byte is there: of the first load in a server of its own that has just started, and the median of nine further
ones (aim: under 0.5 s, of filters and searches 1 s); then the most memory of a server that made them all, ten times each (aim: 300 MiB).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from full_size import build, made_up_records
from machine import machine

FURTHER = 9
PATIENCE_S = 120.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Server(NamedTuple):
    """`genlevel view` over a folder."""

    pid: int
    port: int

    def get(self, path: str) -> tuple[float, bytes]:
        """CPU seconds until the first byte was there, and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        before = self._cpu_s()
        connection.request("GET", path)
        response = connection.getresponse()
        took = self._cpu_s() - before
        body = response.read()
        connection.close()
        assert response.status == 200, (path, response.status, body[:300])
        return took, body

    def json(self, path: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.get(path)[1])
        return found

    def peak_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def _cpu_s(self) -> float:
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with contextlib.suppress(OSError):  # it has ended
                total += int(Path(f"/proc/{self.pid}/task/{thread}/schedstat").read_text("utf-8").split()[0])
        return total / 1e9


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "genlevel", "view", "--no-browser", "--port", "0", "--out", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = next(match for line in process.stderr if (match := _ADDRESS.search(line)))
        server = Server(process.pid, int(found[1]))
        server.get("/healthz")  # it has imported its pages, as before a browser opens
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def pages_of(server: Server) -> dict[str, str]:
    """Addresses, by what they are called."""
    runs, after = [], ""
    while True:
        found = server.json(f"/runs.json?{urlencode({'after': after})}")
        runs += found["runs"]
        if not (after := found["next"] or ""):
            break
    large = max(runs, key=lambda run: run["total"])["run"]
    small = [run["run"] for run in runs if run["run"] != large][:10]
    answers = f"/runs/{large}/answers"
    first = server.json(f"{answers}.json")["answers"][0]
    task = server.json(f"/runs/{small[0]}/answers.json")["answers"][0]["task"]
    return {
        "runs": "/",
        "runs, text": "/?text=model-1",
        "leaderboard": "/leaderboard",
        "run": f"/runs/{large}",
        "run, live part": f"/runs/{large}?part=live",
        "card": f"/runs/{large}/card",
        "card, sorted": f"/runs/{large}/card?sort=-score",
        "answers": answers,
        "answers, wrong ones": f"{answers}?right=wrong&order=worst",
        "answers, a text": f"{answers}?text=house",
        "answers, no such text": f"{answers}?text=zzqqzz",
        "answers, a score": f"{answers}?least=20&most=80&order=best",
        "answer": f"/runs/{large}/answer?{urlencode({'task': first['task'], 'instance': first['id']})}",
        "compare": f"/compare?run={small[0]}&run={small[1]}",
        "compare ten": "/compare?" + "&".join(f"run={run}" for run in small),
        "compared instances": f"/compare/instances?run={small[0]}&run={small[1]}&{urlencode({'task': task})}",
        "monitors": "/monitors",
        "delete": f"/runs/{large}/delete",
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made) / "data"
        if len(sys.argv) == 1:
            asyncio.run(build(Path(made), made_up_records(), 99))
        print(machine())
        with serving(folder) as server:
            pages = pages_of(server)  # and what is computed once: sums, the index, verdicts
            until = time.monotonic() + PATIENCE_S
            while server.json("/leaderboard.json")["awaited"] and time.monotonic() < until:
                time.sleep(1)
        print(f"{'':24}{'first':>9}{'median':>9}  s of CPU to the first byte")
        for name, path in pages.items():
            with serving(folder) as alone:
                first = alone.get(path)[0]
                further = [alone.get(path)[0] for _ in range(FURTHER)]
            print(f"{name:24}{first:9.3f}{statistics.median(further):9.3f}", flush=True)
        with serving(folder) as server:
            for path in pages.values():
                for _ in range(FURTHER + 1):
                    server.get(path)
            print(f"peak memory: {server.peak_mib():.0f} MiB")


if __name__ == "__main__":
    main()
