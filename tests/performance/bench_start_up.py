"""What commands cost before they do anything: CPU time, user and system, of the whole command, beside that of ``python -c pass``.

    python tests/performance/bench_start_up.py [TIMES]

Prints the median and the least of TIMES starts (default: 7) of `genlevel --help` (aim: at most 0.09 s), of `genlevel runs` and
`genlevel show RUN` (at most 0.5 s each) over a run of the starter suite's tasks that a stub answered, and of a whole `genlevel eval` of 20
instances of text, and of two of each of the starter suite's tasks, in a new folder (at most 0.9 s) and in one that has runs. CPU time grows
with what else the machine does: compare figures of one call only, in which all commands are measured in turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from machine import machine

REPOSITORY = Path(__file__).resolve().parents[2]
STUB = REPOSITORY / "tests" / "integration" / "stub_upstream.py"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("GENLEVEL_", "PYTHONDONTWRITEBYTECODE"))}


def cpu_s(folder: Path, *arguments: str) -> float:
    """User and system time of one command."""
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return used.ru_utime + used.ru_stime


@contextmanager
def stub(folder: Path) -> Iterator[str]:
    """A server that answers at once; its address."""
    port = folder / "port"
    with subprocess.Popen([sys.executable, str(STUB), f"--port-file={port}", f"--log={folder / 'log'}"], env=ENVIRONMENT) as process:
        try:
            while not port.exists():
                assert process.poll() is None, "the stub ended"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port.read_text()}/v1"
        finally:
            process.kill()


def stored_run(folder: Path, evaluation: Sequence[str]) -> str:
    """Makes a run in ``folder``; returns its id."""
    command = [sys.executable, *evaluation, "--json"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False)
    run: str = json.loads(done.stdout)["run"]
    return run


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name, stub(Path(name)) as address:
        folder = Path(name)
        evaluation = ("-m", "genlevel", "eval", "--model", "m", "--base-url", address, "--suite", "starter")
        text = (*evaluation, "--tasks", "General-Knowledge,Review-Sentiment", "--limit", "10")
        run = stored_run(folder, (*evaluation, "--limit", "2"))
        commands = {
            "python -c pass": ("-c", "pass"),
            "genlevel --help": ("-m", "genlevel", "--help"),
            "genlevel runs": ("-m", "genlevel", "runs"),
            "genlevel show RUN": ("-m", "genlevel", "show", run),
            "genlevel show RUN --json": ("-m", "genlevel", "show", run, "--json"),
            "eval, 20 of text, new folder": (*text, "--out", "NEW"),
            "eval, 20 of text, again": (*text, "--fresh"),
            "eval, 24 of all, new folder": (*evaluation, "--limit", "2", "--out", "NEW"),
        }
        spent: dict[str, list[float]] = {shown: [] for shown in commands}
        for turn in range(times + 1):  # the first one writes the modules' byte code
            for shown, command in commands.items():
                took = cpu_s(folder, *(f"new {shown} {turn}" if word == "NEW" else word for word in command))
                if turn:
                    spent[shown].append(took)
        print(machine())
        for shown, took_s in spent.items():
            print(f"{shown:30} {statistics.median(took_s):.3f} s (least {min(took_s):.3f} s)")


if __name__ == "__main__":
    main()
