"""Restarts in the middle of a run: each service and the database, told to stop or killed; nothing is lost, nothing is kept twice."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import grpc
import pytest
import sqlalchemy

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc, scorer_pb2_grpc
from genlevel.v1 import scorer_pb2 as sc
from tests.integration.serving import PATIENCE_S

IN_FLIGHT = 64
TERM, KILL = signal.SIGTERM, signal.SIGKILL
TASKS = ("Causal-Reasoning", "Commonsense-Reasoning", "Analogical-Reasoning", "Temporal-Reasoning", "Spatial-Reasoning")


class Ledger:
    """What an upstream was asked, as it wrote it down. repeats: how many questions were asked again after each disturbance."""

    def __init__(self, log: Path) -> None:
        self.repeats: list[tuple[str, int]] = []
        self._log = log
        self._read = 0
        self._asked: Counter[str] = Counter()

    def asked(self) -> Counter[str]:
        """How often each question was asked."""
        if self._log.exists():
            with self._log.open("rb") as log:
                log.seek(self._read)
                *lines, rest = log.read().split(b"\n")
                self._read = log.tell() - len(rest)
            self._asked.update(line.decode() for line in lines)
        return self._asked

    def repeated(self) -> int:
        """How many calls asked what had been asked before."""
        return self.asked().total() - len(self._asked)


async def is_at_its_end(services, run_id) -> bool:
    """Whether the run goes on no more, as far as the evaluator, if it is there, can say."""
    try:
        async with services.channel("evaluator") as channel:
            stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
            run = (await stub.GetRun(ev.GetRunRequest(run_id=run_id), timeout=60)).run
    except grpc.aio.AioRpcError:
        return False
    return run.status in (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_FAILED)


async def survived(services, stub, suite, *, instances, disturbances, database=None):
    """Runs the suite through the disturbances (who, how); what of the questions was asked again after each of them."""
    ledger = Ledger(stub.log)
    services.start("gateway", "scorer", "evaluator")
    async with services.channel("evaluator") as channel:
        request = ev.StartRunRequest(specification=ev.RunSpecification(model="stubbed", suite=suite.name))
        run_id = (await evaluator_pb2_grpc.EvaluatorServiceStub(channel).StartRun(request, timeout=60)).run.run_id
    step = instances // (len(disturbances) + 1)
    for number, (who, how) in enumerate(disturbances):
        await reached(ledger, step * (number + 1), services)
        before = ledger.repeated()
        began = time.monotonic()
        if who == "postgresql":
            with database.stopped(at_once=how is KILL):
                pass
        else:
            await asyncio.to_thread(services.running[who].gone_after_s, how)
            assert "Traceback" not in services.running[who].said, services.running[who].said
            await asyncio.to_thread(services.start, who)
        print(f"{who} {how.name}: back after {time.monotonic() - began:.1f} s")
        await reached(ledger, min(len(ledger.asked()) + 2 * IN_FLIGHT, instances), services)
        ledger.repeats.append((f"{who} {how.name}", ledger.repeated() - before))
    async with asyncio.timeout(300):
        while not await is_at_its_end(services, run_id):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return run_id, ledger


async def reached(ledger, count, services, timeout_s=120):
    """Waits until so many different questions were asked."""
    last, changed = -1, time.monotonic()
    while (asked := len(ledger.asked())) < count:
        if asked != last:
            last, changed = asked, time.monotonic()
        assert time.monotonic() - changed < timeout_s, f"stuck at {asked} of {count}"
        await asyncio.sleep(0.05)


async def check(services, run_id, ledger, suite_tasks, instances):
    """Nothing is lost, nothing is kept twice, and what was asked again is no more than what a kill leaves open."""
    async with services.channel("evaluator") as channel:
        run = (await evaluator_pb2_grpc.EvaluatorServiceStub(channel).GetRun(ev.GetRunRequest(run_id=run_id), timeout=PATIENCE_S)).run
    assert (run.status, run.reason, run.counts.answered) == (ev.RUN_STATUS_FINISHED, "", instances)
    async with services.channel("scorer") as channel:
        verdict = await scorer_pb2_grpc.ScorerServiceStub(channel).GetVerdict(sc.GetVerdictRequest(run_id=run_id), timeout=60)
    scored = [task for task in verdict.tasks if task.counts.answered]
    assert len(scored) == len(suite_tasks)
    assert sum(task.counts.answered for task in scored) == instances
    asked = ledger.asked()
    assert len(asked) == instances
    most = {f"gateway {KILL.name}": IN_FLIGHT, f"evaluator {KILL.name}": 2 * IN_FLIGHT}
    repeated = allowed = 0
    for what, repeats in ledger.repeats:  # with a queue, what a killed evaluator had is asked again once its lease is over
        repeated, allowed = repeated + repeats, allowed + most.get(what, 0)
        assert repeated <= allowed, ledger.repeats


def journalled(url, run_id) -> tuple[int, int]:
    """How many answers of the run the journal has, and to how many instances."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        query = sqlalchemy.text("SELECT task, instance_id FROM evaluator_answers WHERE run_id = :run")
        rows = connection.execute(query, {"run": run_id}).all()
    engine.dispose()
    return len(rows), len(set(rows))


@pytest.mark.slow
@pytest.mark.services
async def test_a_run_lives_through_restarts_of_each_service(deployed, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.2)
    services = deployed(stub.base_url, concurrency=IN_FLIGHT)
    suite = choice_suite(350, TASKS[:2])
    disturbances = [("gateway", TERM), ("evaluator", KILL), ("scorer", TERM)]  # the others of each: test_going_on.py and test_stopping.py
    run_id, ledger = await survived(services, stub, suite, instances=700, disturbances=disturbances)
    await check(services, run_id, ledger, TASKS[:2], 700)
    assert journalled(services.database, run_id) == (700, 700)


@pytest.mark.soak
@pytest.mark.full
async def test_twenty_restarts_over_twenty_thousand_instances(deployed, stub_upstream, choice_suite, own_postgresql, tmp_path):
    url = own_postgresql.url
    stub = stub_upstream(latency=0.1)
    services = deployed(stub.base_url, concurrency=IN_FLIGHT, storage={"url": url, "blobs": str(tmp_path / "blobs")})
    suite = choice_suite(4000, TASKS)
    parts = ("gateway", "evaluator", "scorer", "postgresql")
    disturbances = [(parts[n % 4], (TERM, KILL)[(n + n // 4) % 2]) for n in range(20)]
    run_id, ledger = await survived(services, stub, suite, instances=20_000, disturbances=disturbances, database=own_postgresql)
    print(ledger.repeats)
    await check(services, run_id, ledger, TASKS, 20_000)
    assert journalled(url, run_id) == (20_000, 20_000)
