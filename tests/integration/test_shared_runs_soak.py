"""A run that four evaluators share, through twenty faults of all that it needs: it ends by itself, nothing is lost or there twice."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.integration.cluster import Cluster
from tests.integration.outages import Database
from tests.nats_server import NatsServer

pytestmark = [pytest.mark.full, pytest.mark.soak]

SLOTS = 64
"""Calls that each evaluator has in flight at most."""
EVALUATORS = 4
PER_MINUTE = 7_200
CONCURRENCY = 160
LATENCY_S = 0.3
WINDOW_S = 10.0
TASKS = ("Causal-Reasoning", "Abductive-Reasoning", "Analogical-Reasoning", "Deductive-Reasoning")
COST_NANO_USD = 50_000
"""Hardly more than one call costs at the stub's price."""


class Faults:
    """What happens to a cluster, by name; each returns when what it hit is there again, or on its way."""

    def __init__(self, cluster: Cluster, database: Database, queue: NatsServer, chance: random.Random) -> None:
        self._cluster, self._database, self._queue, self._chance = cluster, database, queue, chance
        self.sleepers: list[threading.Timer] = []
        self.repeated = 0
        """Calls that may be made again because of what happened."""

    def _one(self, service: str) -> str:
        return self._chance.choice([name for name in self._cluster.of(service) if name in self._cluster.running])

    def kill_evaluator(self) -> None:
        self.repeated += 2 * SLOTS
        self._cluster.again(self._one("evaluator"))

    def end_evaluator(self) -> None:
        self._cluster.again(self._one("evaluator"), signal.SIGTERM)

    def kill_gateway(self) -> None:
        self.repeated += CONCURRENCY
        self._cluster.again(self._one("gateway"))

    def end_gateway(self) -> None:
        self._cluster.again(self._one("gateway"), signal.SIGTERM)

    def kill_scorer(self) -> None:
        self._cluster.again(self._one("scorer"))

    def end_scorer(self) -> None:
        self._cluster.again(self._one("scorer"), signal.SIGTERM)

    def restart_queue(self) -> None:
        self._queue.kill()
        time.sleep(2)
        self._queue.start()

    def lose_queue(self) -> None:
        self._queue.kill()
        self._queue.lose_data()
        self._queue.start()

    def restart_database(self) -> None:
        with self._database.stopped():
            time.sleep(2)

    def kill_database(self) -> None:
        with self._database.stopped(at_once=True):
            time.sleep(1)

    def sleep_evaluator(self) -> None:
        self.repeated += 2 * SLOTS
        self.sleepers.append(self._cluster.asleep(self._one("evaluator"), 45.0))


ALL = [
    *4 * ["kill_evaluator"], *2 * ["end_evaluator"], *2 * ["kill_gateway"], *2 * ["end_gateway"], *2 * ["kill_scorer"], "end_scorer",
    *2 * ["restart_queue"], "lose_queue", "restart_database", "kill_database", *2 * ["sleep_evaluator"],
]  # fmt: skip


def calls_within(times: list[float], window_s: float) -> tuple[int, float]:
    """The most calls in any window of that length, and when it ended."""
    most, first, ended = 0, 0, 0.0
    for last, at in enumerate(times):
        while times[first] <= at - window_s:
            first += 1
        if last - first + 1 > most:
            most, ended = last - first + 1, at
    return most, ended


@pytest.fixture
def clusters(tmp_path: Path, credentials: Any, forker: Any) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters; their processes end with the test."""
    made: list[Cluster] = []

    def make(**options: Any) -> Cluster:
        folder = tmp_path / f"cluster-{len(made)}"
        folder.mkdir()
        made.append(Cluster(folder, credentials, forker, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_twenty_faults_cost_a_shared_run_nothing(clusters, stub_upstream, choice_suite, *, own_postgresql, tmp_path, seed):
    instances, chance = 20_000, random.Random(seed)
    times, given = tmp_path / "times", tmp_path / "given"
    stub = stub_upstream(latency=LATENCY_S, times=times, given=given)
    queue = NatsServer(tmp_path / "nats")
    queue.start()
    try:
        cluster = clusters(
            database=own_postgresql.url,
            queue=queue.url,
            base_url=stub.base_url,
            limits={"requests_per_minute": PER_MINUTE, "concurrency": CONCURRENCY},
            counts={"gateway": 2, "scorer": 2, "evaluator": EVALUATORS},
        )
        cluster.start()
        suite = choice_suite(instances // len(TASKS), TASKS)
        budget = instances * COST_NANO_USD
        run_id = cluster.start_run(suite, concurrency=SLOTS, budget_nano_usd=budget)
        faults, names = Faults(cluster, own_postgresql, queue, chance), ALL[:]
        chance.shuffle(names)
        for name in names:
            time.sleep(chance.uniform(2.0, 8.0))
            print(f"{time.monotonic():.1f} {name}")
            getattr(faults, name)()
        run = cluster.wait(run_id, 900)
        assert ev.RunStatus.Name(run.status) == "RUN_STATUS_FINISHED", run
        assert run.counts.answered == instances
        for sleeper in faults.sleepers:
            sleeper.join()
        counted = f"SELECT count(*) AS a, count(DISTINCT (task, instance_id)) AS b FROM evaluator_answers WHERE run_id = '{run_id}'"
        rows = own_postgresql.execute(counted)
        assert [int(number) for number in re.findall(r"\d+", rows)][:2] == [instances, instances], rows
        asked = Counter(question for _, question in stub.calls())
        assert len(asked) == instances, "each question arrived"
        ledger = [line.split("\t") for line in times.read_text().splitlines()]
        most, at = calls_within([float(when) for when, *_ in ledger], WINDOW_S)
        most_open = max(int(count) for _, count, *_ in ledger)
        billed = sum(1_000 * int(prompt) + 4_000 * int(completion) for *_, prompt, completion in ledger)
        print(f"{asked.total() - instances} calls again of {faults.repeated}; {most} calls in {WINDOW_S:.0f} s, at {at:.1f}")
        print(f"{most_open} open; ${billed / 1e9:.4f} billed of ${budget / 1e9:.4f}; {float(ledger[-1][0]) - float(ledger[0][0]):.0f} s")
        assert asked.total() - instances <= faults.repeated, "calls that were made again"
        assert most <= 1.02 * PER_MINUTE / 60 * WINDOW_S
        # What a killed process had open counts beside what others have open now: the provider answers it all the same.
        assert most_open <= CONCURRENCY + 2 * SLOTS
        assert run.cost_nano_usd <= billed <= budget < 1.2 * billed
        verdict = cluster.scorer().GetVerdict(sc.GetVerdictRequest(run_id=run_id), timeout=30)
        assert [round(task.score) for task in verdict.tasks] == [100] * 4
    finally:
        queue.stop()
