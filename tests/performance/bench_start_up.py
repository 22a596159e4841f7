"""What commands cost before they do anything: CPU time, user and system, of the whole command, beside that of ``python -c pass``.

    python tests/performance/bench_start_up.py [TIMES]

Prints the median and the least of TIMES starts (default: 7) of `genlevel --help` (aim: at most 0.09 s), and of `genlevel runs` and
`genlevel show RUN` (at most 0.5 s each) over a run of the starter suite's tasks that a stub answered. CPU time grows with what else the
machine does: compare figures of one call only.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def stored_run(folder: Path) -> str:
    """Makes a run in ``folder``; returns its id."""
    port = folder / "port"
    with subprocess.Popen([sys.executable, str(STUB), f"--port-file={port}", f"--log={folder / 'log'}"], env=ENVIRONMENT) as stub:
        try:
            while not port.exists():
                assert stub.poll() is None, "the stub ended"
                time.sleep(0.02)
            address = f"http://127.0.0.1:{port.read_text()}/v1"
            evaluation = ["eval", "--model", "m", "--base-url", address, "--suite", "starter", "--limit", "2", "--json"]
            done = subprocess.run(
                [sys.executable, "-m", "genlevel", *evaluation], cwd=folder, env=ENVIRONMENT, capture_output=True, check=False
            )
            run: str = json.loads(done.stdout)["run"]
            return run
        finally:
            stub.kill()


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = stored_run(folder)
        commands = {
            "python -c pass": ("-c", "pass"),
            "genlevel --help": ("-m", "genlevel", "--help"),
            "genlevel runs": ("-m", "genlevel", "runs"),
            "genlevel show RUN": ("-m", "genlevel", "show", run),
            "genlevel show RUN --json": ("-m", "genlevel", "show", run, "--json"),
        }
        for command in commands.values():
            cpu_s(folder, *command)  # writes the modules' byte code
        for shown, command in commands.items():
            spent = [cpu_s(folder, *command) for _ in range(times)]
            print(f"{shown:26} {statistics.median(spent):.3f} s (least {min(spent):.3f} s)")


if __name__ == "__main__":
    main()
