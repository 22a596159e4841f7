"""Damages valid media files in many ways and decodes them: how long, how much memory, and whether anything but Undecodable came out.

    python tests/performance/fuzz_media.py [cases] [seed]

The decoders are C libraries, so cases run in a process of their own: one that dies or takes more than a minute is named by its number
and file, and the run goes on behind it. Exits with 1 where a case raised something else, died or hung.
"""

from __future__ import annotations

import json
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

CASES = 10_000
MOST_SECONDS = 60.0
TESTS = Path(__file__).parents[1] / "scorer" / "media" / "test_media.py"


def work(folder: Path, first: int, cases: int, seed: int) -> None:
    """Runs cases first..cases - 1; one line of JSON each, written before and after the decoding."""
    tests = runpy.run_path(str(TESTS))
    valid = folder / "valid"
    if not valid.exists():
        valid.mkdir()
    kinds = tests["seeds"](valid)
    for _path, read in kinds:
        read(_path)  # what is imported and made once is no case's memory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"base_kb": before}), flush=True)
    for case in range(first, cases):
        path, read = kinds[case % len(kinds)]
        (changed,) = tests["mutations"](path.read_bytes(), seed * 1_000_003 + case, 1)
        damaged = folder / path.name
        damaged.write_bytes(changed)
        print(json.dumps({"case": case, "file": path.name}), flush=True)
        begin = time.perf_counter()
        try:
            outcome = tests["outcome_of"](read, damaged)
        except Exception as error:  # what the fuzz is for
            outcome = f"raised {type(error).__name__}: {error}"
        seconds = time.perf_counter() - begin
        print(
            json.dumps({"outcome": outcome, "seconds": seconds, "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), flush=True
        )


def main(cases: int, seed: int) -> int:
    begin = time.perf_counter()
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    slowest, base, peak, first = (0.0, ""), 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        while first < cases:
            command = [sys.executable, "-W", "ignore", __file__, "--work", name, str(first), str(cases), str(seed)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
                current: dict[str, Any] = {}
                assert worker.stdout is not None
                watch = _Watch(worker)
                for line in worker.stdout:
                    entry = json.loads(line)
                    watch.seen()
                    base = entry.get("base_kb", base)
                    if "case" in entry:
                        current = entry
                        continue
                    if "outcome" not in entry:
                        continue
                    outcomes["raised" if entry["outcome"].startswith("raised") else entry["outcome"]] += 1
                    if entry["outcome"] not in {"read", "undecodable"}:
                        failures.append(f"case {current['case']} ({current['file']}): {entry['outcome']}")
                    slowest = max(slowest, (entry["seconds"], f"case {current['case']} ({current['file']})"))
                    peak = max(peak, entry["peak_kb"])
                    first = current["case"] + 1
                    current = {}
                watch.stop()
            if current:
                what = "hung" if watch.ended else f"died with {worker.returncode}"
                failures.append(f"case {current['case']} ({current['file']}): {what}")
                outcomes[what] += 1
                first = current["case"] + 1
            elif worker.returncode:
                failures.append(f"the worker ended with {worker.returncode}")
                break
    print(f"{sum(outcomes.values()):,} cases in {time.perf_counter() - begin:.0f} s: {dict(outcomes)}")
    print(f"peak memory {peak / 1024:.0f} MB, {base / 1024:.0f} MB before the first case; slowest {slowest[0]:.2f} s, {slowest[1]}")
    for failure in failures[:20]:
        print(failure)
    return 1 if failures else 0


class _Watch:
    """Ends a worker from which nothing has been heard for MOST_SECONDS."""

    def __init__(self, worker: subprocess.Popen[str]) -> None:
        import threading

        self.ended = False
        self._heard = time.monotonic()
        self._done = threading.Event()
        self._worker = worker
        threading.Thread(target=self._run, daemon=True).start()

    def seen(self) -> None:
        self._heard = time.monotonic()

    def stop(self) -> None:
        self._done.set()

    def _run(self) -> None:
        while not self._done.wait(1.0):
            if time.monotonic() - self._heard > MOST_SECONDS:
                self.ended = True
                self._worker.kill()
                return


if __name__ == "__main__":
    np.seterr(all="ignore")
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), *map(int, sys.argv[3:6]))
    else:
        given = [int(word) for word in sys.argv[1:]]
        sys.exit(main(*(given + [CASES, 1][len(given) :])))
