"""A budget over several evaluators, as processes, against an upstream that keeps a ledger of its bills: also if it lies, or they die."""

from __future__ import annotations

import os
import random
import time

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from tests.integration.cluster import Cluster
from tests.integration.serving import PATIENCE_S
from tests.integration.test_budgets import HERE, IN, OUT, Biller
from tests.nats_server import NatsServer

pytestmark = pytest.mark.full

EVALUATORS, SLOTS = 3, 16
LATENCY_S = 0.2


@pytest.fixture
def shared_billing(tmp_path, forker, credentials, own_postgresql):
    """Starts an upstream that bills, and evaluators that share runs of its model."""
    closing = []

    def start(**options):
        port_file, log = tmp_path / "biller.port", tmp_path / "biller.log"
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = [str(HERE / "billing_upstream.py"), f"--port-file={port_file}", f"--log={log}", *arguments]
        if forker is None:
            pytest.skip("needs descriptors of processes")
        process = forker.start(*command, folder=tmp_path, environment=os.environ, pipes=False)
        closing.append(lambda: (process.kill(), process.wait()))
        queue = NatsServer(tmp_path / "nats")
        queue.start()
        closing.append(queue.stop)
        deadline = time.monotonic() + PATIENCE_S
        while not port_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        base_url = f"http://127.0.0.1:{port_file.read_text()}/v1"
        (tmp_path / "cluster").mkdir()
        cluster = Cluster(
            tmp_path / "cluster",
            credentials,
            forker,
            database=own_postgresql.url,
            queue=queue.url,
            base_url=base_url,
            limits={},
            counts={"evaluator": EVALUATORS},
            settings={"routes": {"stubbed": {"account": "stub", "model": "s", "price": {"input": str(IN), "output": str(OUT)}}}},
        )
        closing.append(cluster.close)
        cluster.start()
        return cluster, Biller(base_url, log)

    yield start
    for close in reversed(closing):
        close()


def nano(dollars):
    return round(dollars * 1e9)


def ended(cluster, run_id):
    run = cluster.wait(run_id, 240)
    assert run.status == ev.RUN_STATUS_BUDGET, run
    return run


@pytest.mark.soak
@pytest.mark.slow
def test_a_truthful_bill_is_within_the_budget_though_evaluators_are_killed_or_sleep_past_their_leases(shared_billing, choice_suite):
    cluster, upstream = shared_billing(latency=2 * LATENCY_S)
    budget, chance = 240_000_000, random.Random(3)
    run_id = cluster.start_run(choice_suite(8000), concurrency=SLOTS, budget_nano_usd=budget)
    time.sleep(3)
    sleeper = cluster.asleep("evaluator-2", 45.0)
    for _ in range(4):
        time.sleep(chance.uniform(2.0, 5.0))
        cluster.again(chance.choice(["evaluator-0", "evaluator-1"]))
    sleeper.join()
    run = ended(cluster, run_id)
    billed = nano(upstream.billed())
    print(f"billed ${billed / 1e9:.6f} of ${budget / 1e9}, calls {len(upstream.ledger())}, run {run.cost_nano_usd}: {run.reason}")
    assert run.cost_nano_usd <= billed <= budget
    assert billed > 0.9 * budget


@pytest.mark.slow
def test_an_overrun_is_what_was_in_flight_at_all_and_began_before_all_knew(shared_billing, choice_suite):
    cluster, upstream = shared_billing(latency=LATENCY_S, lie="times", honest=200)
    run_id = cluster.start_run(choice_suite(4000), concurrency=SLOTS, budget_nano_usd=nano(1))
    run = ended(cluster, run_id)
    wrong = sum(row[3] for row in upstream.ledger())
    print(f"wrong bills {wrong} of {len(upstream.ledger())}, billed ${upstream.billed():.4f}: {run.reason}")
    others = (EVALUATORS - 1) * SLOTS * (1.25 + LATENCY_S) / LATENCY_S
    assert 0 < wrong <= EVALUATORS * SLOTS + others
    assert "was exceeded by" in run.reason
