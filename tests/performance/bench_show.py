"""What looking at one run costs: CPU time, user and system, of whole commands over a stored run of INSTANCES (default: 100,000).

    python tests/performance/bench_show.py [INSTANCES]

Of a suite of one task and of one of twenty. Aims at 100,000: `show RUN --wrong` at most 1.5 s, `show RUN --instance ID` 1 s,
`show RUN --failures` at most 0.6 s, `runs` and `show RUN` at most 0.5 s. One answer in a hundred each is refused, failed, or not to be
read.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from bench_start_up import cpu_s
from stored_runs import make_suite, store_run

TIMES = 3


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for tasks in (1, 20):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run = asyncio.run(store_run(folder / "data", make_suite(folder / "suite", instances, tasks)))
            print(f"{instances:,} instances of {tasks} task{'s' if tasks > 1 else ''}")
            last = f"q{instances // tasks - 1}"
            for shown in (
                ("runs",),
                ("show", run),
                ("show", run, "--instance", last),
                ("show", run, "--failures"),
                ("show", run, "--wrong"),
            ):
                command = ("-m", "genlevel", *shown, "--out", str(folder / "data"))
                cpu_s(folder, *command)  # writes the modules' byte code
                spent = [cpu_s(folder, *command) for _ in range(TIMES)]
                print(f"  genlevel {' '.join(shown).replace(run, 'RUN'):30} {statistics.median(spent):.3f} s (least {min(spent):.3f} s)")


if __name__ == "__main__":
    main()
