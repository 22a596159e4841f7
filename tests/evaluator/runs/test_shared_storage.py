"""Evaluators that share a database: one of them works on a run, another goes on if that one is gone."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import make_url, text

from evaluator.journal.records import Answer, OpenCalls
from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from evaluator.traffic.traffic import RunStopped
from genlevel.benchmark.outcomes import Outcome
from genlevel.embedded import make_scorer
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.runtime.leases import LeaseTable, holder
from genlevel.runtime.locks import FileLocks, LeaseLocks, run_locks
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from scorer.service import Scorer
from tests.evaluator.runs.asking import watched
from tests.waiting import until

TTL_S = 3.0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request, tmp_path):
    """A database that several evaluators share."""
    return f"sqlite:///{tmp_path / 'shared.db'}" if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
async def join(url, tmp_path, scripted):
    """Makes evaluators of machines of their own over the database, with short leases."""
    made = []

    def make():
        scorer, settings = Scorer(url), Settings.model_validate({"storage": {"url": url}})
        folder = tmp_path / f"machine-{len(made)}"
        evaluator = Evaluator(settings, scripted, scorer, registry=CollectorRegistry(), data_folder=folder, suites=AnySuites())
        evaluator._control._locks.close()
        evaluator._control._locks = LeaseLocks(LeaseTable(url), ttl_s=TTL_S)
        made.append((evaluator, scorer))
        return evaluator

    yield make
    for evaluator, scorer in made:
        await evaluator.close()
        scorer.close()


def request_of(folder, instances=40, **traffic):
    specification = ev.RunSpecification(model="m", suite=str(folder(instances)))
    return ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(concurrency=2, **traffic))


@pytest.mark.parametrize(("storage", "kind"), [("", FileLocks), ("sqlite", FileLocks)])
def test_a_database_of_this_machine_needs_no_lease(tmp_path, scripted, storage, kind):
    url = f"sqlite:///{tmp_path / 'own.db'}" if storage else ""
    scorer = Scorer(url or f"sqlite:///{tmp_path / 'genlevel.db'}")
    settings = Settings.model_validate({"storage": {"url": url}})
    evaluator = Evaluator(settings, scripted, scorer, registry=CollectorRegistry(), data_folder=tmp_path, suites=AnySuites())
    assert isinstance(evaluator._control._locks, kind)
    asyncio.run(evaluator.close())
    scorer.close()


@pytest.mark.full
def test_a_shared_database_has_leases(postgresql, tmp_path, scripted):
    scorer, settings = Scorer(postgresql), Settings.model_validate({"storage": {"url": postgresql}})
    evaluator = Evaluator(settings, scripted, scorer, registry=CollectorRegistry(), data_folder=tmp_path, suites=AnySuites())
    assert isinstance(evaluator._control._locks, LeaseLocks)
    asyncio.run(evaluator.close())
    scorer.close()


async def test_one_of_two_evaluators_works_on_a_run(join, scripted, suite_folder):
    first, second = join(), join()
    scripted.latency_s = 0.2
    request = request_of(suite_folder)
    run = (await first.start_run(request)).run
    await asyncio.sleep(TTL_S * 1.2)  # longer than a lease that nobody renews
    with pytest.raises(UsageError, match=r"is being worked on by process \d+ on .+; wait for it or stop it"):
        await second.start_run(request)
    assert (await second.get_run(ev.GetRunRequest(run_id=run.run_id))).run.status == ev.RUN_STATUS_RUNNING
    assert (await watched(first, run)).status == ev.RUN_STATUS_FINISHED
    assert set(scripted.calls.values()) == {1}
    started = await second.start_run(request)
    assert (started.run.run_id, started.run.status) == (run.run_id, ev.RUN_STATUS_FINISHED)


@pytest.mark.full
async def test_two_evaluators_with_runs_of_one_account_keep_to_its_limit_together(postgresql, tmp_path, scripted, suite_folder):
    scripted.info.limits.requests_per_minute = 1200
    opened = []
    for name in ("here", "there"):
        scorer, settings = Scorer(postgresql), Settings.model_validate({"storage": {"url": postgresql}})
        registry, folder = CollectorRegistry(), tmp_path / name
        opened.append((Evaluator(settings, scripted, scorer, registry=registry, data_folder=folder, suites=AnySuites()), scorer))
    requests = [request_of(suite_folder, 31), request_of(suite_folder, 31)]
    requests[1].specification.limit = 30
    runs = [(await one.start_run(request)).run for (one, _), request in zip(opened, requests, strict=True)]
    await until(lambda: scripted.calls.total() >= 10)
    before, began = scripted.calls.total(), time.monotonic()
    ended = await asyncio.gather(*(watched(one, run) for (one, _), run in zip(opened, runs, strict=True)))
    made, took_s = scripted.calls.total() - before, time.monotonic() - began
    assert {run.status for run in ended} == {ev.RUN_STATUS_FINISHED}
    assert made <= 1.02 * 20 * took_s + 5
    for one, scorer in opened:
        await one.close()
        scorer.close()


async def test_who_lost_its_lease_writes_no_more_and_its_run_is_interrupted_there(join, scripted, suite_folder, monkeypatch):
    first, second = join(), join()
    scripted.latency_s = 0.2
    request = request_of(suite_folder)
    run = (await first.start_run(request)).run
    watching = asyncio.create_task(watched(first, run))
    await until(lambda: scripted.calls.total() > 4)
    log = first._control.active[run.run_id].log
    table = first._control._locks._table

    def unheard(lease, *, ttl_s):
        raise StorageError("the database does not answer")

    monkeypatch.setattr(table, "renew", unheard)  # so it believes in its lease until that has expired
    with table._engine.begin() as connection:
        connection.execute(text("update runtime_leases set until_s = 0"))
    assert (await second.start_run(request)).run.status == ev.RUN_STATUS_RUNNING
    ended = await watching
    assert (ended.status, ended.reason) == (ev.RUN_STATUS_INTERRUPTED, "its lock was lost: another process may be working on it")
    assert not first._control.active
    with pytest.raises(RunStopped, match="lost"):
        log.note(OpenCalls(run.run_id, 1, "t", judges=False, calls=1, nano_usd=5, tokens=9))
    log.close_note(run.run_id, 1)
    assert (await first.get_run(ev.GetRunRequest(run_id=run.run_id))).run.status == ev.RUN_STATUS_RUNNING, "by the other"
    done = await watched(second, run)
    assert (done.status, done.counts.answered, done.counts.pending) == (ev.RUN_STATUS_FINISHED, 40, 0)
    assert scripted.calls.total() <= 40 + 20, "asked twice is what was asked until the first one knew"
    assert (await first.get_run(ev.GetRunRequest(run_id=run.run_id))).run.status == ev.RUN_STATUS_FINISHED


async def test_who_wakes_up_after_its_lease_has_expired_writes_nothing(join, scripted, suite_folder, monkeypatch):
    """As long as the process slept nobody could tell it that the lease is lost: the clock does."""
    evaluator = join()
    scripted.latency_s = 0.2
    run = (await evaluator.start_run(request_of(suite_folder))).run
    await until(lambda: scripted.calls.total() > 4)
    active, now_s = evaluator._control.active[run.run_id], holder.clock_s
    assert active.log._lock.held
    monkeypatch.setattr(holder, "clock_s", lambda: now_s() + TTL_S)
    with pytest.raises(RunStopped, match="lost"):
        active.log.record(Answer(run.run_id, "nlp/Causal-Reasoning", "q39", Outcome.ANSWERED))
    assert not active.log._lock.lost.is_set()
    monkeypatch.undo()


async def test_a_lost_lease_that_nobody_took_ends_the_run_as_interrupted(join, scripted, suite_folder):
    evaluator = join()
    scripted.latency_s = 0.2
    request = request_of(suite_folder)
    run = (await evaluator.start_run(request)).run
    await until(lambda: scripted.calls.total() > 4)
    with evaluator._control._locks._table._engine.begin() as connection:
        connection.execute(text("update runtime_leases set until_s = 0"))
    ended = await watched(evaluator, run)
    assert (ended.status, ended.reason) == (ev.RUN_STATUS_INTERRUPTED, "its lock was lost: another process may be working on it")
    scripted.latency_s = 0.0
    again = await evaluator.start_run(request)
    assert (await watched(evaluator, again.run)).status == ev.RUN_STATUS_FINISHED


async def test_who_lost_its_lease_leaves_the_end_that_another_has_stored_meanwhile(join, scripted, suite_folder, monkeypatch):
    """The other one has given the lease back by then: that it can be had again does not say that nobody had it."""
    first, second = join(), join()
    scripted.latency_s = 0.1
    request = request_of(suite_folder)
    run = (await first.start_run(request)).run
    await until(lambda: scripted.calls.total() > 4)
    scripted.latency_s = 60.0
    await asyncio.sleep(0.3)
    table = first._control._locks._table

    def unheard(lease, *, ttl_s):
        raise StorageError("the database does not answer")

    monkeypatch.setattr(table, "renew", unheard)
    with table._engine.begin() as connection:
        connection.execute(text("update runtime_leases set until_s = 0"))
    scripted.latency_s = 0.0
    assert (await watched(second, (await second.start_run(request)).run)).status == ev.RUN_STATUS_FINISHED
    await first._control.ended()  # on a busy machine it may have ended before
    left = (await second.get_run(ev.GetRunRequest(run_id=run.run_id))).run
    assert (left.status, left.reason, left.counts.answered) == (ev.RUN_STATUS_FINISHED, "", 40)


@pytest.mark.parametrize(("durability", "levels"), [("process", (1, "off")), ("power", (2, "on"))])
def test_what_the_scorer_and_leases_store_survives_what_answers_do(url, tmp_path, durability, levels):
    postgresql = not url.startswith("sqlite")
    if postgresql:
        url = make_url(url).update_query_dict({"options": "-c synchronous_commit=off"}).render_as_string(hide_password=False)
    settings = Settings.model_validate({"storage": {"url": url, "durability": durability}})
    scorer, locks = make_scorer(settings, tmp_path, None), run_locks(url, tmp_path, durability=settings.storage.durability)
    for engine in [scorer._store._engine] + ([locks._table._engine] if postgresql else []):
        with engine.connect() as connection:
            asked = "SHOW synchronous_commit" if postgresql else "PRAGMA synchronous"
            assert connection.execute(text(asked)).scalar() == levels[postgresql]
    locks.close()
    scorer.close()


DYING = """
import asyncio, sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.leases import LeaseTable, holder
from genlevel.runtime.locks import LeaseLocks
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from scorer.service import Scorer
sys.path.insert(0, "tests/evaluator")
from conftest import ScriptedGateway

async def main(url, folder, request, ttl_s):
    gateway, settings = ScriptedGateway(), Settings.model_validate({"storage": {"url": url}})
    gateway.latency_s = 0.1
    evaluator = Evaluator(settings, gateway, Scorer(url), registry=CollectorRegistry(), data_folder=Path(folder), suites=AnySuites())
    evaluator._control._locks = LeaseLocks(LeaseTable(url), ttl_s=ttl_s)
    run = (await evaluator.start_run(ev.StartRunRequest.FromString(request))).run
    while len(gateway.calls) < 6:
        await asyncio.sleep(0.02)
    print(run.run_id, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), float(sys.argv[4])))
"""


@pytest.fixture
def dying(url, tmp_path, repository):
    """Starts a run in a process of its own and kills that in its midst; returns the run's id."""

    async def start(request):
        arguments = (url, str(tmp_path / "dying"), request.SerializeToString().hex(), str(TTL_S))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DYING, *arguments, cwd=repository, stdout=asyncio.subprocess.PIPE
        )
        run_id = (await process.stdout.readline()).decode().strip()
        process.kill()
        await process.wait()
        assert run_id
        return run_id

    return start


async def test_another_takes_over_when_the_lease_of_one_that_died_has_expired(join, dying, scripted, suite_folder):
    request = request_of(suite_folder)
    run_id = await dying(request)
    second = join()
    with pytest.raises(UsageError, match="is being worked on by process"):
        await second.start_run(request)
    orphan = (await second.get_run(ev.GetRunRequest(run_id=run_id))).run
    assert (orphan.status, orphan.counts.answered >= 2) == (ev.RUN_STATUS_RUNNING, True)
    await asyncio.sleep(TTL_S)
    seen = (await second.get_run(ev.GetRunRequest(run_id=run_id))).run
    assert (seen.status, seen.reason) == (ev.RUN_STATUS_INTERRUPTED, "its process ended")
    run = (await second.start_run(request)).run
    done = await watched(second, run)
    assert (run.run_id, done.status, done.counts.answered) == (run_id, ev.RUN_STATUS_FINISHED, 40)
    assert scripted.calls.total() == 40 - seen.counts.answered, "what the first one journalled is not asked again"


async def test_who_does_not_know_yet_that_another_has_its_run_does_not_store_how_it_ended(join, scripted, suite_folder, monkeypatch):
    first, second = join(), join()
    scripted.latency_s = 0.1
    request = request_of(suite_folder)
    run = (await first.start_run(request)).run
    await until(lambda: scripted.calls.total() > 2)
    active = first._control.active[run.run_id]
    monkeypatch.setattr(type(active.log._lock), "held", True)  # as between the look at the clock and the commit
    with first._control._locks._table._engine.begin() as connection:
        connection.execute(text("update runtime_leases set owner = 'another', number = number + 1"))
    await watched(first, run)
    assert active.taken_over
    with second._journal._engine.connect() as connection:
        row = connection.execute(text("select status, calls from evaluator_runs")).one()
    assert tuple(row) == (ev.RUN_STATUS_RUNNING, 0)
